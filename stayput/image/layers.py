"""The layers of an image, one by one: what a later layer hides or takes away is still there for anyone who pulls it."""

import hashlib
import json
import re
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from docker import DockerClient
from stayput.secrets import write_private

File = tuple[str, int, IO[bytes]]  # path from /, bytes, content
FILES = re.compile(
    r"^(\.env(\.(?!(example|sample|template|dist)$).*)?|\.netrc|\.pypirc|\.pgpass|id_(rsa|ed25519|ecdsa)|.*\.(p12|pfx|jks))$"
)
TEXTS = (
    (re.compile(rb"^-----BEGIN [A-Z ]*PRIVATE KEY-----\s*\n[A-Za-z0-9+/=]{40}", re.MULTILINE), "a private key"),
    (re.compile(rb"\bAKIA(?![0-9A-Z]{9}EXAMPLE)[0-9A-Z]{16}\b"), "an AWS access key"),
    (re.compile(rb"\b(ghp_[A-Za-z0-9]{36}|rnd_[A-Za-z0-9]{28})\b"), "an access token"),
)
PACKAGED = ("/usr/lib/", "/usr/share/", "/usr/bin/", "/usr/sbin/", "/usr/include/")  # from the base's own packages
TESTS = re.compile(r"^/venv/lib/[^/]+/site-packages/(.+/)?(?i:(self)?tests?)/")  # with keys to test with
BINARY = (".so", ".pyc", ".gz")
LARGEST = 2**20  # bytes of a file that is looked into
RULES = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]


def secrets_in_layers(client: DockerClient, digest: str, clean: Path) -> Iterator[str]:
    """A sentence for each file of any layer that looks like a secret or holds one, and for the image's history.

    Never the secret. clean: a folder that remembers layers, by their digests, that these very rules found nothing in.
    Raises DockerException.
    """
    image = client.images.get(digest)
    configured = json.dumps([image.attrs["Config"], cast("Any", image.history())]).encode()
    if text := secret_in(configured):
        yield f"its configuration or history holds {text}"
    marks = [clean / f"{layer.removeprefix('sha256:')}.{RULES}" for layer in image.attrs["RootFS"]["Layers"]]
    if all(mark.exists() for mark in marks):
        return
    for mark, layer in zip(marks, layers(client, digest), strict=True):
        if mark.exists():
            continue
        found = [said for file in files(layer) if (said := _secret(*file))]
        yield from found
        if not found:
            write_private(mark, b"")


def layers(client: DockerClient, digest: str) -> Iterator[IO[bytes]]:
    """The archive of every layer, the base's first."""
    with tempfile.TemporaryFile() as saved:
        for chunk in cast("Any", client.api).get_image(digest):
            saved.write(chunk)
        saved.seek(0)
        with tarfile.open(fileobj=saved) as image:
            for name in json.load(_member(image, "manifest.json"))[0]["Layers"]:
                yield _member(image, name)


def files(layer: IO[bytes]) -> Iterator[File]:
    """Every regular file of a layer's archive."""
    with tarfile.open(fileobj=layer) as archive:
        for member in archive:
            if member.isfile() and (content := archive.extractfile(member)):
                yield "/" + member.name.removeprefix("./"), member.size, content


def secret_in(content: bytes) -> str:
    """What kind of secret it holds; empty where none was found."""
    return next((what for pattern, what in TEXTS if pattern.search(content)), "")


def _secret(path: str, size: int, content: IO[bytes]) -> str:
    if path.startswith(PACKAGED) or "/__pycache__/" in path or TESTS.match(path):
        return ""
    if FILES.match(path.rpartition("/")[2]):
        return f"{path} is in a layer of the image"
    text = secret_in(content.read()) if size <= LARGEST and not path.endswith(BINARY) else ""
    return f"{path}, in a layer of the image, holds {text}" if text else ""


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    found = archive.extractfile(name)
    assert found
    return found
