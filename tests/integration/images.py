"""Checkouts that images are built of, and images broken on purpose."""

import contextlib
import hashlib
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from stayput import processes
from stayput.image import Image
from stayput.image.attest import attest
from stayput.image.builder import Images, connect
from stayput.project import Project, load
from stayput.stack import Stack
from tests.parts import program

ROOT = Path(__file__).parents[2]
SNIFFER = ROOT / "tests/images/sniffer"
OURS = f"stayput-test-{os.getpid()}"  # in the name of every image of one run of the tests, so that it can clean up


@dataclass
class Made:
    """A project in a folder of its own, and the image that was built of it."""

    root: Path
    project: Project
    images: Images
    image: Image

    def attest(self, image=None, **site):
        """The attestation of an image of this project; site: another start command, say."""
        of = msgspec.structs.replace(self.project.site, **site)
        return attest(connect(), image or self.image, of, self.images.home / "layers")

    def broken(self, *lines):
        """The image with these lines of a Dockerfile on top, run as root: same label, same user, another digest."""
        recipe = "\n".join([f"FROM {self.image.name}:{self.image.build}", "USER 0", *lines, "USER 10001:10001"])
        tag = f"{self.image.name}:broken-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
        command = ["docker", "buildx", "build", "--quiet", "--provenance=false", "--load", "--tag", tag, "-"]
        subprocess.run(command, input=recipe, text=True, check=True, capture_output=True)
        return msgspec.structs.replace(self.image, digest=connect().images.get(tag).id)


def remove_ours() -> None:
    """Nothing is left in the engine of this run of the tests, nor of one that was killed.

    The same source gives the same image: one that has another name too may be what serves somebody's site.
    """
    client = connect()
    ids = {image.id for image in client.images.list() if image.tags and all(map(_is_ours, image.tags))}
    for container in client.containers.list(all=True, ignore_removed=True):
        if container.attrs["Image"] in ids or _is_ours(container.labels.get("stayput.scope", "")):
            container.remove(force=True, v=True)
    for volume in client.volumes.list():
        if _is_ours(volume.name):
            volume.remove(force=True)
    for tag in filter(_is_ours, (tag for image in client.images.list() for tag in image.tags)):
        client.images.remove(tag, force=True)
    assert not [tag for image in client.images.list() for tag in image.tags if _is_ours(tag)]


def _is_ours(name: str) -> bool:
    run = re.search(r"stayput-test-(\d+)", name)
    return run is not None and (int(run[1]) == os.getpid() or not _is_running(int(run[1])))


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def registry_at(home, *, login=""):
    """A registry with its store in `home`, as host:port; login: a line of an htpasswd file."""
    port, config = processes.free_port(), home / "registry.yml"
    (home / "htpasswd").write_text(login)
    access = f"auth: {{htpasswd: {{realm: tests, path: {home / 'htpasswd'}}}}}\n" if login else ""
    config.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {home / 'store'}}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\nlog: {{level: error}}\n{access}"
    )
    with (home / "registry.log").open("w") as log:
        command = [str(program("docker-registry")), "serve", str(config)]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        while process.poll() is None and not processes.answers(port):
            time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def dying_after(count, registry):
    """A way to that registry, host:port, that is cut for good after so many bytes."""
    host, port = registry.split(":")
    listener = socket.create_server(("127.0.0.1", 0))
    left, ways = [count], []

    def carry(source, sink):
        with contextlib.suppress(OSError):
            while left[0] > 0 and (data := source.recv(65536)):
                left[0] -= len(data)
                sink.sendall(data)
        for end in (*ways, listener) if left[0] <= 0 else (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def accept():
        with contextlib.suppress(OSError):
            while left[0] > 0:
                near, _ = listener.accept()
                far = socket.create_connection((host, int(port)))
                ways.extend((near, far))
                threading.Thread(target=carry, args=(near, far), daemon=True).start()
                threading.Thread(target=carry, args=(far, near), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
        for end in ways:
            end.close()


def copy_sniffer(root: Path) -> None:
    shutil.copytree(SNIFFER, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "docker", root / "docker")
    shutil.copy2(ROOT / "requirements/uv.txt", root / "requirements")


def copy_gallery(root: Path) -> None:
    for name in ("app", "docker", "requirements"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manage.py", "stayput.toml"):
        shutil.copy2(ROOT / name, root)


def copy_tool(root: Path) -> None:
    """What of the tool a platform finds in the repository and takes into an image."""
    for name in ("__init__.py", "django", "image"):
        copy = shutil.copytree if (ROOT / "stayput" / name).is_dir() else shutil.copy
        (root / "stayput").mkdir(exist_ok=True)
        copy(ROOT / "stayput" / name, root / "stayput" / name)


def build_as_a_platform(root: Path, tag: str) -> None:
    """docker build -f docker/Dockerfile, and no word more than this machine's network takes."""
    command = ["docker", "build", "--quiet", "--file", "docker/Dockerfile", "--tag", tag]
    if bundle := os.environ.get("SSL_CERT_FILE"):
        command += ["--secret", f"id=ca,src={bundle}"]
    subprocess.run([*command, "."], cwd=root, check=True, capture_output=True)


def images_of(root: Path, *overrides) -> tuple[Project, Images]:
    project = load(root, overrides)
    return project, Images(project, Stack(root))


def make(root: Path, *overrides) -> Made:
    project, images = images_of(root, *overrides)
    return Made(root, project, images, images.make(images.measure()))


PLAIN_SETTINGS = """
SECRET_KEY = "of-nobody"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "plain.urls"
INSTALLED_APPS = []
MIDDLEWARE = ["stayput.django.health.HealthMiddleware"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
"""
PLAIN_WSGI = """
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plain.settings")
application = get_wsgi_application()
"""
PLAIN_MANAGE = """
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plain.settings")
if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
"""


def write_plain_django(root: Path) -> None:
    """A Django site with nothing but Django and its server: no static files, no models."""
    lock = (ROOT / "requirements/site.txt").read_text()
    pins = re.findall(r"^(?:asgiref|django|gunicorn|sqlparse)==.*\n(?:    .*\n)+", lock, re.MULTILINE)
    assert len(pins) == 4
    for name, text in {
        "plain/__init__.py": "",
        "plain/settings.py": PLAIN_SETTINGS,
        "plain/urls.py": "urlpatterns = []\n",
        "plain/wsgi.py": PLAIN_WSGI,
        "manage.py": PLAIN_MANAGE,
        "requirements/site.txt": "".join(pins),
        "stayput.toml": 'name = "plain"\nstorage = "local"\n[site]\nsources = ["plain", "manage.py"]\n'
        'requirements = "requirements/site.txt"\nstart = "gunicorn --bind 0.0.0.0:$PORT plain.wsgi"\n',
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    shutil.copytree(ROOT / "docker", root / "docker")
    shutil.copy2(ROOT / "requirements/uv.txt", root / "requirements")
