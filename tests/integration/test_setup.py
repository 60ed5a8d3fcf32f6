"""./invoke on a machine where nothing was installed, with a small set of requirements so that it takes seconds."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def pinned(*names):
    """The lines of requirements/dev.txt for these packages, hashes and all."""
    text = (ROOT / "requirements/dev.txt").read_text()
    return "".join(re.search(rf"^{name}==(?:.*\\\n)+.*\n", text, re.MULTILINE)[0] for name in names)


@pytest.fixture
def clone(tmp_path):
    (tmp_path / "requirements").mkdir()
    for name in ("invoke", "requirements/install.py", "requirements/uv.txt"):
        shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / "requirements/dev.txt").write_text(pinned("invoke", "uv"))
    (tmp_path / "tasks.py").write_text(
        "from invoke.tasks import task\n\n\n@task\ndef hello(_):\n    import sys\n    sys.stdout.write('hello')\n"
    )
    return tmp_path


def run(clone, **env):
    return subprocess.run(
        [clone / "invoke", "hello"], env=environment(**env), capture_output=True, text=True, timeout=300
    )


def environment(**more):
    return {
        **{name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
        "PYTHON": sys.executable,
        **more,
    }


def test_the_first_run_sets_up_and_the_second_does_not(clone):
    first = run(clone)
    assert (first.returncode, first.stdout) == (0, "hello")
    assert re.search(r"ready in \d+ s, \d+ MB downloaded", first.stderr)
    second = run(clone)
    assert (second.stdout, second.stderr) == ("hello", "")


def test_changed_requirements_refresh_the_environment(clone):
    run(clone)
    (clone / "requirements/dev.txt").write_text(pinned("invoke", "iniconfig", "uv"))
    again = run(clone)
    assert (again.returncode, again.stdout) == (0, "hello")
    assert list(clone.glob(".venv/lib/*/site-packages/iniconfig"))


def test_a_set_up_that_was_killed_is_finished_by_the_next_run(clone):
    for wait_for in ("", "pyvenv.cfg"):
        first = subprocess.Popen(
            [clone / "invoke", "hello"], env=environment(), stderr=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + 120
        while not (clone / ".venv" / wait_for if wait_for else clone / ".venv.lock").exists():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    assert not (clone / ".venv/installed.txt").exists()
    assert run(clone).stdout == "hello"


def test_two_first_runs_at_once_do_not_break_each_other(clone):
    both = [
        subprocess.Popen(
            [clone / "invoke", "hello"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [one.communicate(timeout=300) for one in both]
    assert [out for out, _ in said] == ["hello", "hello"]
    assert sum("setting up" in error for _, error in said) == 1


def test_a_python_without_venv_is_told_in_one_line(clone):
    python = clone / "python-without-ensurepip"
    blocked = "import runpy, sys; sys.modules['ensurepip'] = None; runpy.run_path(sys.argv[1], run_name='__main__')"
    python.write_text(
        f'#!/bin/sh\nif [ "$1" = -c ]; then exec {sys.executable} "$@"; fi\nexec {sys.executable} -c "{blocked}" "$2"\n'
    )
    python.chmod(0o755)
    told = run(clone, PYTHON=str(python))
    assert told.returncode == 2
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert len(told.stderr.splitlines()) == 1
    assert f"apt install {version}-venv" in told.stderr


def test_no_python_at_all_is_told_in_one_line(clone):
    told = run(clone, PYTHON="no-such-python")
    assert (told.returncode, len(told.stderr.splitlines())) == (2, 1)
    assert "no Python 3.11 or newer found" in told.stderr


def test_a_package_with_another_hash_is_refused(clone):
    (clone / "requirements/dev.txt").write_text(
        re.sub(r"sha256:[0-9a-f]{8}", "sha256:00000000", pinned("invoke", "uv"))
    )
    told = run(clone)
    assert told.returncode == 1
    assert "invoke: the set-up stopped" in told.stderr
    assert not (clone / ".venv/installed.txt").exists()


def test_a_clone_that_turns_line_ends_keeps_those_of_linux(tmp_path):
    clone = ["git", "clone", "-q", "-c", "core.autocrlf=true", ROOT, tmp_path / "clone"]
    subprocess.run(clone, check=True, capture_output=True)
    listed = ["git", "-C", tmp_path / "clone", "ls-files", "--eol"]
    lines = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.splitlines()
    assert {line.partition("\t")[2] for line in lines if "w/crlf" in line or "w/mixed" in line} == {"invoke.ps1"}
