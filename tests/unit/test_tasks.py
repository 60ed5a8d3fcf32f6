import subprocess
import sys
from pathlib import Path

import pytest

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
