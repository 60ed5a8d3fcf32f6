"""docker/compose.yaml, really started: the site with PostgreSQL and an S3, and a picture through them."""

import os
import shutil
import ssl
import subprocess
import time

import httpx
import pytest

from stayput import photo
from stayput.django import tokens
from tests.integration.images import OURS, ROOT, copy_gallery, copy_tool
from tests.parts import program

KEY = "only-for-this-machine"
FILES = ("--file", "docker/compose.yaml", "--file", "docker/machine.yaml")


def compose(root, *words):
    command = ["docker", "compose", "--project-name", f"{OURS}-compose", *FILES, *words]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path):
    """A checkout, with images of this machine's own in place of those that its registries would give."""
    copy_gallery(tmp_path)
    copy_tool(tmp_path)
    here = tmp_path / "docker"
    shutil.copytree(ROOT / "tests/images/compose", here, dirs_exist_ok=True)
    shutil.copy(program("versitygw"), here / "versitygw")
    shutil.copy(os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile, here / "ca.pem")
    yield tmp_path
    compose(tmp_path, "down", "--volumes", "--rmi=local", "--timeout=1")


def address(root, port):
    return f"http://{compose(root, 'port', 'site', str(port))}"


def wait_for(url):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            return httpx.get(f"{url}/healthz").raise_for_status().json()
        except httpx.HTTPError:
            time.sleep(0.2)
    raise AssertionError("no answer within 60 s")


@pytest.mark.needs("docker")
@pytest.mark.needs("compose")
@pytest.mark.needs("strict-s3")
def test_the_site_starts_with_postgresql_and_an_s3_and_keeps_a_picture_through_a_restart(root):
    compose(root, "up", "--build", "--detach", "--quiet-pull")
    url = address(root, 8000)
    assert wait_for(url)["status"] == "ok", compose(root, "logs", "site")

    headers = {"Authorization": f"Bearer {tokens.sign(KEY, purpose='upload')}"}
    sent = httpx.post(f"{url}/api/images/", files={"image": ("a.jpg", photo.draw())}, headers=headers, timeout=30)
    assert sent.status_code == 201, sent.text
    picture = sent.json()
    assert picture["url"].startswith("http://localhost:9000/gallery/")

    compose(root, "up", "--detach", "--force-recreate", "--timeout=1")
    url = address(root, 8000)
    wait_for(url)
    kept = httpx.get(f"{url}/api/images/{picture['id']}/").json()
    there = kept["url"].replace("http://localhost:9000", address(root, 9000))
    content = httpx.get(there, headers={"Host": "localhost:9000"})  # the port differs here, not what was signed
    assert (content.status_code, content.headers["Content-Type"]) == (200, "image/webp")
