"""The engine stops and starts again: in one of the test's own, since others are at work in the machine's."""

import tempfile
import time
from pathlib import Path

import httpx
import pytest

from stayput import processes
from stayput.errors import WrongUse
from stayput.image.builder import Images
from stayput.release import name_release
from stayput.secrets import Secret
from stayput.stack import Stack
from stayput.targets.docker import DockerTarget
from tests.integration.engines import engine_of_its_own
from tests.integration.images import OURS, copy_sniffer, make

pytestmark = [pytest.mark.needs("docker"), pytest.mark.needs("dockerd")]


@pytest.fixture
def engine():
    with engine_of_its_own(Path(tempfile.mkdtemp(prefix="stayput-"))) as own:  # a socket's path must be short
        yield own


def served(url):
    try:
        return httpx.get(f"{url}/healthz").json().get("release")
    except (httpx.HTTPError, ValueError):
        return None


def test_a_restart_of_the_engine_brings_the_site_back(tmp_path, engine, monkeypatch):
    copy_sniffer(tmp_path)
    site = f"name={OURS}-restarted"
    made = make(tmp_path, site, f"targets.docker.port={processes.free_port()}", "targets.docker.instances=2")
    assert made.images.attest(made.image).failing == ""
    engine.load(f"{made.image.name}:{made.image.build}")
    monkeypatch.setenv("DOCKER_HOST", engine.address)
    target = DockerTarget(made.project, Stack(tmp_path), Images(made.project, Stack(tmp_path)))
    release = name_release(made.image.of(), {}, Secret("key"))
    try:
        target.inject(release)
        target.start(release)
        target.promote(release)
        url = target.observe().url
        assert served(url) == release.id

        engine.stop()
        assert served(url) is None
        with pytest.raises(WrongUse, match="no engine answers"):
            DockerTarget(made.project, Stack(tmp_path), Images(made.project, Stack(tmp_path)))

        engine.start()
        until, answers = time.monotonic() + 60, []
        while len(answers) < 4 and time.monotonic() < until:  # both instances, in turn
            answers = [*answers, served(url)] if served(url) else []
            time.sleep(0.1)
        assert answers == [release.id] * 4
        assert target.observe().healthy
    finally:
        target.destroy()
