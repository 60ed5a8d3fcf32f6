"""Releases as containers: the whole road with real images behind the real front."""

import os
import shutil
import signal
import threading
import time

import httpx
import psycopg
import pytest

from stayput import logs, photo
from stayput.deploy import deploy, destroy, plan, rollback
from stayput.django import tokens
from stayput.image.builder import connect
from stayput.report import Report, reporting
from stayput.workspace import open_workspace
from tests.integration.checkouts import ROOT, Checkout
from tests.integration.images import OURS, dying_after, registry_at

pytestmark = pytest.mark.needs("docker")


class Containers(Checkout):
    """A checkout whose releases run as two containers each."""

    def workspace(self, *overrides, storage="s3"):
        settings = [f"storage={storage}", f"targets.docker.port={self.port}", "targets.docker.instances=2"]
        return open_workspace(self.root, "docker", "local", [*settings, f"name={OURS}", *overrides])

    def run(self, command, *overrides, storage="s3", **options):
        return super().run(command, *overrides, storage=storage, **options)

    def containers(self, release):
        return connect().containers.list(filters={"label": f"stayput.release={release}"})


@pytest.fixture
def checkout(tmp_path, environments):
    made = Containers(tmp_path / "checkout", environments)
    shutil.copytree(ROOT / "docker", made.root / "docker")
    yield made
    destroy(made.workspace(), Report(True))


def upload(checkout, address=None):
    key = checkout.workspace().secrets.stayput_key.value
    headers = {"Authorization": f"Bearer {tokens.sign(key, purpose='upload')}"}
    files = {"image": ("a.jpg", photo.draw())}
    return httpx.post(f"{address or checkout.url}/api/images/", files=files, headers=headers, timeout=30)


def visit_until(done, checkout, failed, asked):
    with httpx.Client(base_url=checkout.url, timeout=30) as client:
        while not done.is_set():
            try:
                asked.append(client.get("/api/images/").status_code)
                if asked[-1] != 200:
                    failed.append(asked[-1])
            except httpx.HTTPError as problem:
                failed.append(repr(problem))


def bring_back(checkout, release):
    """Kill the processes of a release's containers, as the engine's end does, and wait until the site answers again."""
    for container in checkout.containers(release):
        os.kill(container.attrs["State"]["Pid"], signal.SIGKILL)
    until, healthy = time.monotonic() + 30, []
    while time.monotonic() < until and len(healthy) < 4:  # both instances, in turn
        try:
            answer = httpx.get(f"{checkout.url}/healthz")
            healthy = [*healthy, answer] if answer.status_code == 200 else []
        except httpx.HTTPError:
            healthy = []
        time.sleep(0.1)
    return [answer.json()["release"] for answer in healthy]


@pytest.mark.needs("postgresql")
def test_uploads_outlive_containers_no_request_fails_and_the_earlier_image_comes_back(checkout, postgresql_server):
    address = postgresql_server("docker", host="host.docker.internal")
    (checkout.root / "theirs.env").write_text(f"# not in git\nDATABASE_URL={address}\n")
    checkout.append("stayput.toml", '\n[targets.docker]\nvariables = "theirs.env"\n')
    code, first = checkout.run(deploy)
    assert (code, first["proof"]["ok"]) == (0, True)
    assert [step["name"] for step in first["steps"]][1:4] == ["build", "attest", "publish"]
    assert first["image"].startswith(f"{OURS}@sha256:")

    # Two instances: uploaded through one, read through the other; then one of them is killed.
    one, two = checkout.containers(first["release"])
    through_one = upload(checkout, f"http://127.0.0.1:{one.labels['stayput.port']}")
    assert through_one.status_code == 201
    picture = through_one.json()
    read = httpx.get(f"http://127.0.0.1:{two.labels['stayput.port']}/api/images/{picture['id']}/").json()
    content = httpx.get(read["url"]).content
    confined = one.attrs["HostConfig"]
    assert (confined["ReadonlyRootfs"], confined["CapDrop"]) == (True, ["ALL"])
    assert confined["SecurityOpt"] == ["no-new-privileges"]
    assert confined["Memory"] > 0 < confined["PidsLimit"]
    assert one.attrs["Config"]["User"] == "10001:10001"

    # Another build takes the traffic while somebody asks without a pause.
    done, failed, asked = threading.Event(), [], []
    visitor = threading.Thread(target=visit_until, args=(done, checkout, failed, asked))
    visitor.start()
    try:
        checkout.append("app/config/urls.py", "# another build\n")
        code, second = checkout.run(deploy)
        assert (code, second["build"] != first["build"]) == (0, True)
        (checkout.root / "infra/__main__.py").rename(checkout.root / "infra/gone.py")  # the way back needs no program
        code, back = checkout.run(rollback)
        (checkout.root / "infra/gone.py").rename(checkout.root / "infra/__main__.py")
    finally:
        done.set()
        visitor.join()
    assert (code, back["build"], back["release"]) == (0, first["build"], first["release"])
    assert back["image"] == first["image"]
    assert [step["name"] for step in back["steps"]] == ["inject", "start", "prove", "promote", "record"]
    assert (failed, len(asked) > 10) == ([], True)

    # The log of both instances, in lines, without what is secret.
    said = list(logs.shown(checkout.workspace().target.logs()))
    assert len([line for line in said if "Listening at" in line]) == 2, said
    assert not any("\n" in line or address in line for line in said)

    # Every process of it is killed -9: it comes back by itself, with the picture, and its row is in PostgreSQL.
    assert bring_back(checkout, back["release"]) == [back["release"]] * 4
    assert httpx.get(f"{checkout.url}/api/images/{picture['id']}/").status_code == 200
    with psycopg.connect(address.replace("host.docker.internal", "127.0.0.1")) as connection:
        assert picture["id"] in {str(row[0]) for row in connection.execute("SELECT id FROM uploads_image")}

    # What is theirs makes a release of its own, like any variable.
    checkout.append("theirs.env", "MAIL_HOST=mail.example.com\n")
    _, planned = checkout.run(plan)
    assert [step["reason"] for step in planned["steps"] if step["name"] == "inject"] == ["new MAIL_HOST"]

    # Its containers are stopped for good: the picture is where it was, and deploy brings the site back.
    for container in checkout.containers(back["release"]):
        container.kill("SIGKILL")
    code, again = checkout.run(deploy, "variables.NEW=1")
    assert code == 0, again
    assert httpx.get(f"{checkout.url}/api/images/{picture['id']}/").status_code == 200
    assert httpx.get(read["url"]).content == content


@pytest.mark.needs("registry")
def test_what_fails_its_attestation_or_its_push_never_starts_and_the_old_release_serves(checkout, tmp_path):
    alone = ["targets.docker.instances=1", "targets.docker.registry=true"]  # on disk: each instance has its own
    with registry_at(tmp_path) as registry:
        _, good = checkout.run(deploy, *alone, f"registry.repository={registry}/{OURS}", storage="local")
        assert good["image"].startswith(f"{registry}/{OURS}@sha256:"), good

        checkout.append("app/config/urls.py", "# another build\n")
        with dying_after(20_000, registry) as dying:
            code, refused = checkout.run(deploy, *alone, f"registry.repository={dying}/{OURS}", storage="local")
        assert (code, refused["error"]["where"]) == (1, f"registry {dying}")
        assert [step["name"] for step in refused["steps"]] == ["build", "attest", "publish"]
        assert httpx.get(f"{checkout.url}/healthz").json()["release"] == good["release"]

    checkout.edit("stayput.toml", "app.config.wsgi", "app.config.entry")
    code, broken = checkout.run(deploy, *alone, storage="local")
    assert (code, broken["ok"]) == (1, False)
    assert "app.config.entry" in broken["error"]["what"]
    assert [step["name"] for step in broken["steps"]] == ["build", "attest"]
    assert httpx.get(f"{checkout.url}/healthz").json()["release"] == good["release"]


def test_without_an_engine_it_is_wrong_use_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    with pytest.raises(SystemExit) as ended, reporting(False):
        open_workspace(ROOT, "docker", "local")
    assert ended.value.code == 2
    assert "docker: no engine answers where DOCKER_HOST says. Next: mend or unset it" in capsys.readouterr().err
