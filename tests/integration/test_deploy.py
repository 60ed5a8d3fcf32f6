"""The whole way on the process target, with real releases behind the real front."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from urllib.parse import quote

import httpx
import msgspec
import pytest

from stayput import photo, processes
from stayput.deploy import deploy, destroy, plan, rollback, smoke_test
from stayput.django import tokens
from stayput.ledger import Live
from stayput.prove import prove
from stayput.release import name_release
from stayput.secrets import Secret
from stayput.status import status
from stayput.variables import Access
from stayput.workspace import open_workspace
from tests.integration.checkouts import ROOT
from tests.integration.images import write_plain_django

BREAKS = "def process(data, limits=None):\n    1 / 0\n\n\n"


def everything(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def names(document):
    return [step["name"] for step in document["steps"]]


def upload(checkout):
    key = checkout.workspace().secrets.stayput_key.value
    headers = {"Authorization": f"Bearer {tokens.sign(key, purpose='upload')}"}
    return httpx.post(
        f"{checkout.url}/api/images/", files={"image": ("a.jpg", photo.draw())}, headers=headers, timeout=30
    )


def test_the_first_deploy_ends_with_a_proof_and_the_second_does_nothing(checkout):
    code, first = checkout.run(deploy)
    assert (code, first["ok"], first["changed"], first["proof"]["ok"]) == (0, True, True, True)
    health = httpx.get(f"{checkout.url}/healthz").json()
    assert (health["release"], health["build"]) == (first["release"], first["build"])

    code, second = checkout.run(deploy)
    assert (code, second["changed"], second["steps"], second["release"]) == (0, False, [], first["release"])


def test_a_django_site_without_static_files_starts_with_a_command_that_names_its_port(tmp_path, environments):
    write_plain_django(tmp_path)
    (tmp_path / ".stayput").mkdir()
    (tmp_path / ".stayput/environments").symlink_to(environments)
    target = open_workspace(tmp_path, "process", "local").target
    build = target.measure()
    target.publish(build)
    assert target.has(build)
    release = name_release(build, {}, Secret("key"))
    try:
        target.inject(release)
        target.start(release)
        proof = prove(
            target.address(release), Access(stayput_key=Secret("key"), outputs=None), build=build.id, release=release.id
        )
        assert [check.ok for check in proof.checks[:2]] == [True, False]
        assert proof.checks[1].detail.startswith("nothing takes uploads at /api/images/")
    finally:
        target.destroy()


def test_a_plan_says_what_deploy_will_do_and_changes_nothing(checkout):
    before = everything(checkout.root)
    code, document = checkout.run(plan)
    assert (code, document["changed"]) == (0, True)
    assert names(document) == ["publish", "inject", "migrate", "start", "prove", "promote", "record"]
    assert everything(checkout.root) == before


def test_a_plan_names_the_address_that_the_bucket_does_not_answer(checkout, capsys):
    checkout.run(plan, storage="s3")
    assert f'add under stayput:origins: "- {checkout.url}"\n' in capsys.readouterr().err
    checkout.edit("Pulumi.local.yaml", "http://127.0.0.1:8000", checkout.url)
    checkout.run(plan, storage="s3")
    assert "stayput:origins" not in capsys.readouterr().err


def test_a_plan_can_be_asked_for_the_exit_code_of_differences(checkout):
    assert checkout.run(plan, exit_code=True)[0] == 4


def test_a_new_release_on_a_disk_that_is_thrown_away_is_refused_because_the_photo_is_gone(checkout):
    _, first = checkout.run(deploy)
    picture = upload(checkout).json()
    code, second = checkout.run(deploy, "variables.NEW=1")
    assert code == 1
    assert "keepsake: the picture that the last release took is gone" in second["error"]["what"]
    assert second["error"]["next"] == 'uploads do not outlive a deploy: set storage = "s3" in stayput.toml'
    assert httpx.get(f"{checkout.url}/healthz").json()["release"] == first["release"]
    assert httpx.get(picture["url"]).status_code == 200
    assert not list(checkout.root.glob(f".stayput/local/process/releases/{second['release']}"))


def test_a_release_that_refuses_a_name_of_its_own_is_withdrawn(checkout):
    names = "variables.ALLOWED_HOSTS=gallery.example.com, .example.org"
    code, first = checkout.run(deploy, names, storage="s3")
    assert (code, first["proof"]["checks"][-1]["name"]) == (0, "domain gallery.example.com")

    checkout.append("app/config/settings.py", '\nALLOWED_HOSTS = ["127.0.0.1"]\n')
    code, second = checkout.run(deploy, names, storage="s3")
    assert (code, second["error"]["what"]) == (
        1,
        "domain gallery.example.com: answers 400: it is not among ALLOWED_HOSTS",
    )
    assert httpx.get(f"{checkout.url}/healthz").json()["release"] == first["release"]

    code, live = checkout.run(smoke_test, names, storage="s3")
    assert (code, live["checks"][-1]["name"]) == (0, "domain gallery.example.com")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        pytest.param("app/config/urls.py", "urlpatterns", "import magic\n\nurlpatterns", "magic", id="missing module"),
        pytest.param("app/config/gunicorn.py", "bind", "raise SystemExit(3)\nbind", "ended at once", id="start exits"),
        pytest.param(
            "app/uploads/images.py", "def process(", BREAKS + "def another(", "The site is at fault", id="upload breaks"
        ),
        pytest.param(
            "app/uploads/templates/uploads/login.html",
            "{% block content %}",
            "{% load static %}{% block content %}{% static 'gone.css' %}",
            "'page /login/', 'ok': False, 'detail': 'answers 500'",
            id="page fails",
        ),
        pytest.param(
            "app/uploads/templates/uploads/base.html",
            "</head>",
            '<link rel="stylesheet" href="/static/dist/gone.css"></head>',
            "'page /', 'ok': False, 'detail': 'names /static/dist/gone.css, which answers 404'",
            id="page names a missing file",
        ),
    ],
)
def test_a_broken_release_is_named_and_leaves_the_old_one_serving(checkout, file, old, new, said):
    _, good = checkout.run(deploy)
    checkout.edit(file, old, new)
    code, broken = checkout.run(deploy)
    assert (code, broken["ok"]) == (1, False)
    assert said in str(broken)
    assert httpx.get(f"{checkout.url}/healthz").json()["release"] == good["release"]
    assert upload(checkout).status_code == 201


def begin_deploy(checkout):
    """A deploy in a process of its own, to be killed."""
    script = (
        "import sys; from pathlib import Path; from stayput.deploy import deploy; from stayput.report import Report;"
        "from stayput.workspace import open_workspace;"
        "deploy(open_workspace(Path(sys.argv[1]), 'process', 'local', sys.argv[2:]), Report(True))"
    )
    command = [sys.executable, "-c", script, str(checkout.root), "storage=local"]
    with (checkout.root / ".stayput/cut-off.log").open("w") as log:
        return subprocess.Popen(command, cwd=ROOT, stderr=log)


def wait_until(true, seconds=60):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)


def test_a_deploy_killed_at_any_moment_is_finished_by_the_next(checkout):
    ledger = checkout.root / ".stayput/local/ledger.jsonl"
    for step in ("publish", "inject", "migrate", "start", "prove", "promote"):
        cut_off = begin_deploy(checkout)
        deadline = time.monotonic() + 60
        while not (ledger.exists() and f'"step":"{step}"' in ledger.read_text()):
            assert time.monotonic() < deadline, f"the step {step} never began"
            said = (checkout.root / ".stayput/cut-off.log").read_text()
            assert cut_off.poll() is None, f"it ended before the step {step}: {said}"
            time.sleep(0.002)
        cut_off.send_signal(signal.SIGKILL)
        cut_off.wait()
        ledger.write_text("")  # so that the next round waits for its own steps
    code, document = checkout.run(deploy)
    assert (code, document["ok"]) == (0, True)
    assert httpx.get(f"{checkout.url}/healthz").json()["release"] == document["release"]
    running = list(checkout.root.glob(".stayput/local/process/running/*.json"))
    assert [record.stem for record in running] == [document["release"]]


SLOW = """
import time

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("uploads", "0004_senders")]
    operations = [
        migrations.RunPython(lambda apps, editor: time.sleep(6)),
        migrations.CreateModel("Extra", [("id", models.AutoField(primary_key=True))]),
    ]
"""


def applied(checkout):
    """The names of the migrations that the database has had."""
    with contextlib.suppress(sqlite3.OperationalError):
        database = f"file:{quote(str(checkout.root / '.stayput/local/process/db.sqlite3'))}?mode=ro"
        with contextlib.closing(sqlite3.connect(database, uri=True)) as connection:
            return {name for (name,) in connection.execute("SELECT name FROM django_migrations")}
    return set()


def test_a_migration_that_a_killed_deploy_left_under_way_is_waited_for(checkout):
    checkout.append("app/uploads/migrations/0005_slow.py", SLOW)
    checkout.edit("app/config/settings.py", '"IMMEDIATE"', '"DEFERRED"')  # which would make it wait by itself
    cut_off = begin_deploy(checkout)
    wait_until(lambda: "0004_senders" in applied(checkout))
    time.sleep(0.5)  # into the slow one
    cut_off.kill()
    cut_off.wait()
    assert "0005_slow" not in applied(checkout)
    code, document = checkout.run(deploy)
    assert (code, document["ok"]) == (0, True), document


def test_no_request_fails_while_releases_follow_each_other_and_one_breaks(checkout):
    checkout.run(deploy)
    done, failed, asked = threading.Event(), [], []

    def visit():
        with httpx.Client(base_url=checkout.url, timeout=30) as client:
            while not done.is_set():
                try:
                    answer = client.get("/api/images/")
                    asked.append(answer.status_code)
                    if answer.status_code != 200:
                        failed.append(answer.status_code)
                except httpx.HTTPError as problem:
                    failed.append(repr(problem))

    visitor = threading.Thread(target=visit)
    visitor.start()
    original = (checkout.root / "app/config/urls.py").read_text()
    try:
        checkout.edit("app/config/urls.py", "urlpatterns", "import magic\n\nurlpatterns")
        assert checkout.run(deploy)[0] == 1
        (checkout.root / "app/config/urls.py").write_text(original + "\n# another build\n")
        forget_keepsakes(checkout)
        assert checkout.run(deploy)[0] == 0
    finally:
        done.set()
        visitor.join()
    assert asked
    assert failed == []


def test_a_rollback_puts_the_earlier_build_back(checkout):
    _, first = checkout.run(deploy)
    checkout.append("app/config/urls.py", "# another build\n")
    forget_keepsakes(checkout)
    _, second = checkout.run(deploy)
    assert second["build"] != first["build"]
    forget_keepsakes(checkout)
    code, back = checkout.run(rollback)
    assert (code, back["build"], back["release"]) == (0, first["build"], first["release"])
    assert names(back) == ["inject", "start", "prove", "promote", "record"]
    assert httpx.get(f"{checkout.url}/healthz").json()["build"] == first["build"]

    # Where the database has lost the build's migrations meanwhile, they are brought back first.
    lose_the_database(checkout)
    forget_keepsakes(checkout)
    code, forth = checkout.run(rollback, to=second["release"])
    assert (code, forth["build"], names(forth)[1]) == (0, second["build"], "migrate")


def forget_keepsakes(checkout):
    """On a disk the next release would be asked for a picture that is gone; this is about something else."""
    ledger = checkout.workspace().ledger
    events = [line.event for line in ledger.records()]
    ledger.path.unlink()
    for event in events:
        ledger.append(msgspec.structs.replace(event, keepsake=None) if isinstance(event, Live) else event)


def test_a_rollback_without_an_earlier_build_is_wrong_use(checkout):
    checkout.run(deploy)
    code, document = checkout.run(rollback)
    assert (code, document["error"]["what"]) == (2, "there is no earlier build to go back to")


def lose_the_database(checkout):
    (checkout.root / ".stayput/local/process/db.sqlite3").unlink()
    until = time.monotonic() + 60  # each worker believes what it saw for some seconds
    while any(httpx.get(f"{checkout.url}/healthz").status_code == 200 for _ in range(20)) and time.monotonic() < until:
        time.sleep(0.5)


def test_a_database_that_serves_the_same_build_is_not_migrated_again_and_a_wiped_one_is(checkout):
    checkout.run(deploy)
    forget_keepsakes(checkout)
    code, again = checkout.run(deploy, "variables.NOTE=again")
    assert (code, names(again)) == (0, ["inject", "start", "prove", "promote", "record"])

    lose_the_database(checkout)
    forget_keepsakes(checkout)
    code, wiped = checkout.run(deploy, "variables.NOTE=wiped")
    assert (code, names(wiped)[1]) == (0, "migrate")


def test_a_release_that_died_is_started_anew(checkout):
    _, first = checkout.run(deploy)
    record = processes.load(checkout.root / f".stayput/local/process/running/{first['release']}.json")
    processes.stop(record)
    assert checkout.run(status)[0] == 1
    forget_keepsakes(checkout)
    code, again = checkout.run(deploy)
    assert (code, again["release"]) == (0, first["release"])
    assert upload(checkout).status_code == 201


def test_the_smoke_test_holds_the_live_site_against_the_ledger(checkout):
    _, first = checkout.run(deploy)
    code, document = checkout.run(smoke_test)
    assert (code, document["ok"], document["release"], document["build"]) == (0, True, first["release"], first["build"])
    pictures = httpx.get(f"{checkout.url}/api/images/").json()
    assert len(pictures if isinstance(pictures, list) else pictures["results"]) == 0


def test_a_variable_that_only_the_developer_has_does_not_reach_the_release(checkout, monkeypatch):
    monkeypatch.setenv("DEVELOPERS_OWN", "1")
    _, document = checkout.run(deploy)
    record = processes.load(checkout.root / f".stayput/local/process/running/{document['release']}.json")
    assert "DEVELOPERS_OWN" in os.environ
    assert "DEVELOPERS_OWN" not in record.process().environ()


def test_no_secret_is_in_the_command_lines_the_logs_or_the_ledger(checkout):
    checkout.run(deploy)
    made = checkout.workspace().secrets
    values = [made.secret_key.value, made.stayput_key.value, made.fingerprint_key.value]
    texts = [(checkout.root / ".stayput/local/ledger.jsonl").read_text()]
    texts += [log.read_text() for log in checkout.root.glob(".stayput/local/process/**/*.log")]
    for record in checkout.root.glob(".stayput/local/process/running/*.json"):
        texts.append(" ".join(processes.load(record).process().cmdline()))
    assert [value for value in values if any(value in text for text in texts)] == []


def test_logs_are_followed_from_one_release_to_the_next_and_never_show_half_a_line(checkout):
    _, first = checkout.run(deploy)
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(checkout.workspace().target.logs(follow=True)))
    reader.start()
    log = checkout.root / f".stayput/local/process/logs/{first['release']}.log"
    with log.open("a") as writing:
        writing.write("password=hal")
        writing.flush()
        time.sleep(1)
        writing.write("f-and-half\n")
    forget_keepsakes(checkout)
    checkout.run(deploy, "variables.NOTE=next")
    picture = upload(checkout).json()["id"]
    until = time.monotonic() + 30
    while not any(picture in line for line in lines) and time.monotonic() < until:
        time.sleep(0.1)
    checkout.run(destroy)
    reader.join(30)
    assert not reader.is_alive()
    (told,) = [line for line in lines if "password=hal" in line]  # perhaps with a line of the site's in its middle
    assert not told.endswith("password=hal")
    assert any(picture in line for line in lines)
