"""The same bytes for the same build, and digests in a real registry."""

import subprocess

import httpx
import pytest

from stayput import processes
from stayput.errors import StayputError
from stayput.image.builder import connect
from tests.integration.images import copy_sniffer, images_of
from tests.parts import program

pytestmark = pytest.mark.needs("docker")


@pytest.fixture
def registry(tmp_path):
    port = processes.free_port()
    config = tmp_path / "registry.yml"
    config.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {tmp_path / 'store'}}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\nlog: {{level: error}}\n"
    )
    with (tmp_path / "registry.log").open("w") as log:
        process = subprocess.Popen(
            [str(program("docker-registry")), "serve", str(config)], stdout=log, stderr=subprocess.STDOUT
        )
    yield f"127.0.0.1:{port}"
    process.terminate()
    process.wait()


def test_two_builds_without_any_cache_give_one_digest_and_an_unchanged_one_is_not_built(tmp_path):
    copy_sniffer(tmp_path)
    _, images = images_of(tmp_path, "name=stayput-test-sniffer")
    build = images.measure()
    one, two = images.make(build, fresh=True), images.make(build, fresh=True)
    assert one.digest == two.digest
    assert images.make(images.measure()) == two
    assert images.rebuilt(build) == ()
    (tmp_path / "sniffer/kinds.py").touch()
    assert images.measure() == build


@pytest.mark.needs("registry")
def test_what_is_pushed_is_held_under_the_digest_that_was_attested(tmp_path, registry):
    copy_sniffer(tmp_path)
    _, images = images_of(tmp_path, "name=stayput-test-sniffer", f"registry.repository={registry}/sniffer")
    image = images.make(images.measure())
    with pytest.raises(StayputError, match="was never attested"):
        images.push(image.build)
    images.attest(image)
    pushed = images.push(image.build)
    assert pushed.reference == f"{registry}/sniffer@{image.digest}"
    accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
    held = httpx.get(f"http://{registry}/v2/sniffer/manifests/{image.digest}", headers={"Accept": accept})
    assert held.status_code == 200
    assert held.json()["config"]["digest"] == image.config
    connect().images.remove(f"{registry}/sniffer:{image.build}")


def test_a_registry_that_does_not_answer_is_one_line_with_the_next_step(tmp_path):
    copy_sniffer(tmp_path)
    nowhere = f"127.0.0.1:{processes.free_port()}"
    _, images = images_of(tmp_path, "name=stayput-test-sniffer", f"registry.repository={nowhere}/sniffer")
    image = images.make(images.measure())
    images.attest(image)
    with pytest.raises(StayputError) as refused:
        images.push(image.build)
    assert refused.value.where == f"registry {nowhere}"
    assert "\n" not in str(refused.value)
    assert images.attested(image.build) == image


def test_a_base_that_cannot_be_pulled_is_one_line(tmp_path):
    copy_sniffer(tmp_path)
    base = f"127.0.0.1:{processes.free_port()}/python:none"
    _, images = images_of(tmp_path, f"image.base={base}")
    with pytest.raises(StayputError) as refused:
        images.measure()
    assert str(refused.value).startswith(f"base {base}: cannot be pulled")
    assert "\n" not in str(refused.value)
