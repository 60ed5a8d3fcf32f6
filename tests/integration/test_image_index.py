"""A package index that hiccups while an image is built: a stand-in that refuses first, and then gives a real wheel."""

import hashlib
import io
import subprocess
import sys
import threading
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stayput.errors import StayputError
from stayput.image.builder import connect
from tests.integration.images import OURS, ROOT, copy_sniffer, copy_tool, images_of

pytestmark = pytest.mark.needs("docker")
NAME = "uv-0.13.8-py3-none-any.whl"


def wheel():
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("uv.py", "")
        archive.writestr("uv-0.13.8.dist-info/METADATA", "Metadata-Version: 2.1\nName: uv\nVersion: 0.13.8\n")
        archive.writestr("uv-0.13.8.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("uv-0.13.8.dist-info/RECORD", "uv.py,,\n")
    return written.getvalue()


WHEEL = wheel()
PINNED = f"uv==0.13.8 --hash=sha256:{hashlib.sha256(WHEEL).hexdigest()}\n"


@contextmanager
def index_refusing(times):
    """An index that containers reach: (its address, what was asked of it); empty the first so many times."""
    asked = []

    class Index(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            found = len(asked) > times
            content = WHEEL if self.path.endswith(".whl") else f'<a href="/{NAME}">{NAME}</a>'.encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html" if "simple" in self.path else "application/zip")
            self.send_header("Content-Length", str(len(content) if found else 0))
            self.end_headers()
            if found and self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET

        def log_message(self, *said):
            pass

    gateway = connect().networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"]
    server = ThreadingHTTPServer((gateway, 0), Index)
    threading.Thread(target=server.serve_forever).start()
    try:
        yield f"{gateway}:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def base_that_asks(index):
    """The base of images, whose pip asks that index and no other."""
    tag = f"{OURS}-base:{index.rpartition(':')[2]}"
    variables = f"ENV PIP_INDEX_URL=http://{index}/simple PIP_TRUSTED_HOST={index}"
    command = ["docker", "buildx", "build", "--quiet", "--provenance=false", "--load", "--tag", tag, "-"]
    recipe = f"FROM python:3.13-slim-trixie\n{variables}\n"
    subprocess.run(command, input=recipe, text=True, check=True, capture_output=True)
    return tag


def test_a_short_hiccup_of_the_package_index_does_not_end_a_build(tmp_path):
    copy_sniffer(tmp_path)
    copy_tool(tmp_path)
    (tmp_path / "requirements/uv.txt").write_text(PINNED)
    with index_refusing(2) as (index, asked):
        command = [
            "docker",
            "buildx",
            "build",
            "--no-cache",
            "--target=uv",
            "--output=type=cacheonly",
            "--progress=plain",
        ]
        command += ["--build-arg", f"BASE={base_that_asks(index)}", "--file", "docker/Dockerfile", "."]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert asked == ["/simple/uv/"] * 3 + [f"/{NAME}"]
    assert "pip failed, once more in 1 s: ERROR: Could not find a version that satisfies" in done.stderr


def test_uv_outlasts_a_hiccup_too(tmp_path):
    (tmp_path / "lock.txt").write_text(PINNED)
    with index_refusing(1) as (index, asked):
        command = ["sh", str(ROOT / "docker/again"), sys.executable, "-m", "uv", "pip", "install", "--no-cache"]
        command += ["--require-hashes", "--target", str(tmp_path / "made"), "--index-url", f"http://{index}/simple"]
        done = subprocess.run([*command, "-r", "lock.txt"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made/uv.py").exists()
    assert asked[:2] == ["/simple/uv/"] * 2


def test_an_index_that_gives_nothing_is_named_after_four_tries_and_not_called_a_missing_version(tmp_path):
    copy_sniffer(tmp_path)
    with index_refusing(100) as (index, asked):
        _, images = images_of(tmp_path, f"name={OURS}-sniffer", f"image.base={base_that_asks(index)}")
        with pytest.raises(StayputError) as refused:
            images.make(images.measure())
    assert refused.value.what == "the package index gave nothing for uv==0.13.8, in four tries"
    assert "can be reached" in refused.value.next_step
    assert len(asked) == 4
