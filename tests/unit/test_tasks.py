import os
import subprocess
import sys
from pathlib import Path

import pytest

import stayput.tasks

ROOT = Path(__file__).parents[2]


def test_listing_the_tasks_imports_no_heavy_library():
    script = "import sys, tasks; print(sorted({'boto3', 'pulumi', 'django', 'moto', 'httpx'} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_every_task_has_a_help_line():
    import tasks

    assert [task.name for task in tasks.namespace.tasks.values() if not task.__doc__] == []


@pytest.mark.parametrize(
    "name", ["demo", "plan", "deploy", "smoke-test", "status", "rollback", "diagnose", "doctor", "destroy"]
)
def test_every_task_that_reports_takes_json(name):
    import tasks

    assert "json" in {argument.name for argument in tasks.namespace[name].get_arguments()}


def run_stayput(*words, cwd, **env):
    command = [sys.executable, "-m", "stayput", *words]
    env = {**os.environ, "PYTHONPATH": str(ROOT), **env}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)


def test_the_stayput_command_has_every_task_of_the_library():
    import stayput.tasks

    listed = run_stayput("--list", cwd=ROOT).stdout
    assert [name for name in stayput.tasks.namespace.task_names if f"  {name} " not in listed] == []


def test_the_stayput_command_works_on_the_project_of_the_folder_it_is_run_in(tmp_path):
    inside = tmp_path / "deep" / "inside"
    inside.mkdir(parents=True)
    (tmp_path / "stayput.toml").write_text("name = 1\n")
    done = run_stayput("status", cwd=inside)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "stayput.toml" in done.stderr


def test_the_stayput_command_without_the_tool_says_how_to_install_it(tmp_path):
    (tmp_path / "invoke.py").write_text('raise ModuleNotFoundError("no invoke", name="invoke")\n')
    done = run_stayput("--list", cwd=ROOT, PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert done.returncode == 1
    assert 'pip install "stayput[tool]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_without_keepsake_may_stand_alone_or_say_why():
    import tasks

    for name in ("deploy", "rollback"):
        (option,) = [one for one in tasks.namespace[name].get_arguments() if "without-keepsake" in one.names]
        assert option.optional
    assert [stayput.tasks.reason(given) for given in ("", True, "deleted")] == ["", "no reason given", "deleted"]


def test_an_option_that_may_be_given_again_is_taken_each_time(tmp_path):
    (tmp_path / "stayput.toml").write_text('name = "site"\n')
    done = run_stayput("status", "--set", "storage=s4", "--set", "name=1", cwd=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "No idea" not in done.stdout + done.stderr
