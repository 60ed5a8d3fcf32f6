"""The same bytes for the same build, and digests in a real registry."""

import base64
import json
import os
import ssl
from pathlib import Path

import httpx
import pytest

from stayput import processes
from stayput.errors import StayputError
from stayput.image.attached import CYCLONEDX, IN_TOTO, INDEX, attach
from stayput.image.builder import connect
from stayput.image.layers import files, layers
from tests.integration.images import OURS, copy_sniffer, dying_after, images_of, registry_at

pytestmark = pytest.mark.needs("docker")


def where_it_says(mark, image):
    """The files of all layers, the configuration and the history of an image that hold that text."""
    client = connect()
    made = client.images.get(image.digest)
    told = [("configuration", repr(made.attrs)), ("history", repr(made.history()))]
    held = [(path, content.read()) for layer in layers(client, image.digest) for path, _, content in files(layer)]
    assert len(held) > 1000
    return [name for name, text in told if mark in text] + [path for path, text in held if mark.encode() in text]


LOGIN = "site:$2b$04$yasusaEoohPdr4J8P2ic0u50Ye/BO/Rm.myg.65wGhChXI90nHOAy"  # open sesame
ACCEPT = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture
def registry(tmp_path):
    with registry_at(tmp_path) as address:
        yield address


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small site's image, attested; each test says which registry it belongs into."""
    root = tmp_path_factory.mktemp("sniffer")
    copy_sniffer(root)
    _, images = images_of(root, f"name={OURS}-sniffer")
    image = images.make(images.measure())
    assert images.attest(image).ok
    return root, image


def belonging(made, registry):
    root, image = made
    _, images = images_of(root, f"name={OURS}-sniffer", f"registry.repository={registry}/{OURS}")
    images.keep(image)
    return images, image


def test_two_builds_without_any_cache_give_one_digest_and_hold_nothing_of_the_ca_that_they_were_given(
    tmp_path, monkeypatch
):
    mark = "# only in this bundle of authorities"
    given = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    (tmp_path / "ca.pem").write_text(f"{mark}\n{Path(given).read_text()}")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    copy_sniffer(tmp_path)
    _, images = images_of(tmp_path, f"name={OURS}-sniffer")
    build = images.measure()
    one, two = images.make(build, fresh=True), images.make(build, fresh=True)
    assert one.digest == two.digest
    assert where_it_says(mark, one) == []
    assert images.make(images.measure()) == two
    assert images.rebuilt(build) == ()
    (tmp_path / "sniffer/kinds.py").touch()
    assert images.measure() == build


@pytest.mark.needs("registry")
def test_what_is_pushed_is_held_under_the_digest_that_was_attested_with_what_was_found_beside_it(made, registry):
    images, image = belonging(made, registry)
    assert images.push(image.build).reference == f"{registry}/{OURS}@{image.digest}"
    images.push(image.build)  # once more: nothing is there twice
    with httpx.Client(base_url=f"http://{registry}/v2/{OURS}", headers={"Accept": ACCEPT}) as client:
        held = client.get(f"/manifests/{image.digest}")
        assert held.status_code == 200
        assert held.json()["config"]["digest"] == image.config

        index = client.get(f"/manifests/{image.digest.replace(':', '-')}", headers={"Accept": INDEX}).json()
        assert [one["artifactType"] for one in index["manifests"]] == [IN_TOTO, CYCLONEDX]
        documents = []
        for one in index["manifests"]:
            manifest = client.get(f"/manifests/{one['digest']}").json()
            assert manifest["subject"]["digest"] == image.digest
            documents.append(client.get(f"/blobs/{manifest['layers'][0]['digest']}").content)
    assert documents[0] == images.statement(image.digest)
    assert b"python-magic" in documents[1]


@pytest.mark.needs("registry")
def test_credentials_come_from_dockers_own_configuration_and_without_them_it_is_one_line(made, tmp_path, monkeypatch):
    with registry_at(tmp_path, login=LOGIN) as registry:
        images, image = belonging(made, registry)
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        with pytest.raises(StayputError, match=r"refused .*docker login") as refused:
            images.push(image.build)
        assert "\n" not in str(refused.value)
        with pytest.raises(StayputError, match=r"did not take the attestation of .*: 401"):
            attach(f"{registry}/{OURS}", image.digest, {IN_TOTO: b"{}"})
        given = base64.b64encode(b"site:open sesame").decode()
        (tmp_path / "config.json").write_text(json.dumps({"auths": {registry: {"auth": given}}}))
        assert images.push(image.build).name == f"{registry}/{OURS}"


@pytest.mark.needs("registry")
def test_a_registry_that_dies_half_way_through_a_push_is_one_line_and_the_next_push_goes_on(made, tmp_path):
    with registry_at(tmp_path) as registry, dying_after(4 * 2**20, registry) as dying:
        images, image = belonging(made, dying)
        with pytest.raises(StayputError) as refused:
            images.push(image.build)
        assert refused.value.where == f"registry {dying}"
        assert refused.value.next_step.startswith("see that it runs")
        assert "\n" not in str(refused.value)
        assert images.attested(image.build) == image
        images, _ = belonging(made, registry)
        assert images.push(image.build).name == f"{registry}/{OURS}"


def test_a_registry_that_does_not_answer_is_one_line_with_the_next_step(made):
    nowhere = f"127.0.0.1:{processes.free_port()}"
    images, image = belonging(made, nowhere)
    with pytest.raises(StayputError) as refused:
        images.push(image.build)
    assert refused.value.where == f"registry {nowhere}"
    assert "\n" not in str(refused.value)
    assert images.attested(image.build) == image


def test_an_image_that_was_never_attested_is_not_pushed(tmp_path):
    copy_sniffer(tmp_path)
    nowhere = f"registry.repository=127.0.0.1:{processes.free_port()}/{OURS}"
    _, images = images_of(tmp_path, f"name={OURS}-sniffer", nowhere)
    with pytest.raises(StayputError, match="was never attested"):
        images.push(images.make(images.measure()).build)


def test_a_base_that_cannot_be_pulled_is_one_line(tmp_path):
    copy_sniffer(tmp_path)
    base = f"127.0.0.1:{processes.free_port()}/python:none"
    _, images = images_of(tmp_path, f"image.base={base}")
    with pytest.raises(StayputError) as refused:
        images.measure()
    assert str(refused.value).startswith(f"base {base}: cannot be pulled")
    assert "\n" not in str(refused.value)


@pytest.mark.needs("registry")
def test_a_base_that_is_pinned_by_its_digest_is_pulled_from_its_registry_and_built_on(tmp_path, registry):
    copy_sniffer(tmp_path)
    client, name = connect(), f"{registry}/{OURS}-base"
    client.images.get("python:3.13-slim-trixie").tag(name, "1")
    list(client.images.push(name, "1", stream=True))
    base = f"{name}@{client.images.get(f'{name}:1').id}"
    client.images.remove(f"{name}:1")
    _, images = images_of(tmp_path, f"name={OURS}-sniffer", f"image.base={base}")
    build = images.measure()
    assert build.parts["base"] == f"{base} {base.partition('@')[2]}"
    assert images.attest(images.make(build)).ok
