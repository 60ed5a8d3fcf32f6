"""The diagnosis of a release: when it starts, from outside through the target, and what stops it there."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from moto.server import ThreadedMotoServer

from stayput.deploy import deploy
from stayput.diagnosis import diagnose
from stayput.doctor import doctor
from stayput.logs import show
from stayput.processes import free_port
from stayput.report import Report
from tests.integration.projects import ROOT

COPY = (ROOT / "docs/diagnose.py").read_bytes()
KEYS = {"SECRET_KEY": "x", "STAYPUT_KEY": "y"}
S3 = {
    "USE_S3": "True",
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "hunter2hunter2",
    "AWS_STORAGE_BUCKET_NAME": "nobody-made-this-bucket",
    "AWS_S3_REGION_NAME": "eu-central-1",
}


def ask(command, workspace, **options):
    report = Report(True)
    command(workspace, report, **options)
    return report.document


def test_the_live_release_is_asked_from_outside_and_has_said_the_same_when_it_started(checkout, capfd):
    assert checkout.run(deploy)[0] == 0
    document = ask(lambda workspace, report: diagnose(workspace.target, report), checkout.workspace())
    assert document["ok"], document
    assert {line["section"] for line in document["lines"]} == {1, 2, 3, 4, 5}
    flow = {line["name"]: line["detail"] for line in document["lines"] if line["section"] == 5}
    assert (flow["state"], flow["clean-up"]) == ("ready", "the picture and its row are taken away")

    capfd.readouterr()
    workspace = checkout.workspace()
    ask(show, workspace, since="1h")
    said = capfd.readouterr().err
    for name in {line["name"] for line in document["lines"]}:
        assert f"✓ {name}: " in said, name
    assert workspace.secrets.secret_key.value not in said
    ask(show, workspace, since="0s")
    assert capfd.readouterr().err == ""

    found = {finding["name"]: finding for finding in ask(doctor, workspace)["findings"]}
    assert (found["port"]["ok"], found["port"]["detail"]) == (True, f"{checkout.port} is this target's front")
    assert found["python"]["ok"]


@pytest.fixture
def site(tmp_path):
    """A release's files, and a way to run manage.py and gunicorn in them."""
    for package in ("app", "stayput/django"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("manage.py", "stayput/__init__.py"):
        shutil.copy(ROOT / file, tmp_path / file)

    def run(*command, piped=b"", **environ):
        env = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **KEYS, **environ}
        return subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=env, input=piped, capture_output=True, timeout=90
        )

    assert run("manage.py", "migrate").returncode == 0
    return run


def test_a_release_that_cannot_write_to_its_bucket_ends_at_its_start_with_one_line(site):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        gunicorn = ("-m", "gunicorn", "-c", "app/config/gunicorn.py", "app.config.wsgi")
        endpoint = {"AWS_S3_ENDPOINT_URL": f"http://{host}:{port}", "NO_PROXY": "*"}
        ended = site(*gunicorn, "--bind", f"127.0.0.1:{free_port()}", **S3, **endpoint)
    finally:
        server.stop()
    assert ended.returncode != 0
    lines = [line for line in ended.stderr.decode().splitlines() if line.startswith("site: ")]
    assert lines
    assert "site: storage upload: " in lines[0]
    assert "Next: create the bucket, or correct AWS_STORAGE_BUCKET_NAME" in lines[0]
    assert b"hunter2" not in ended.stdout + ended.stderr


def test_checks_stop_gunicorn_and_migrate_with_a_line_for_each_fault(site):
    on_render = {"RENDER": "true"}
    gunicorn = ("-m", "gunicorn", "-c", "app/config/gunicorn.py", "app.config.wsgi")
    ended = site(*gunicorn, "--bind", f"127.0.0.1:{free_port()}", **on_render)
    said = [line for line in (ended.stdout + ended.stderr).decode().splitlines() if line.startswith("site: ")]
    assert ended.returncode == 1
    assert [line.split(" ")[1] for line in said] == ["(stayput.E006)", "(stayput.E007)"]
    assert all(". Next: " in line for line in said)
    assert site("manage.py", "migrate", **on_render).returncode == 1


def test_the_command_gives_one_json_document(site):
    done = site("manage.py", "diagnose", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["ok"] is True


def test_the_copy_is_read_by_the_sites_own_shell_also_with_a_byte_order_mark(site):
    done = site("manage.py", "shell", piped=b"\xef\xbb\xbf" + COPY.replace(b"\n", b"\r\n"))
    assert done.returncode == 0, done.stderr.decode()
    assert "✓ state: ready" in done.stdout.decode()
