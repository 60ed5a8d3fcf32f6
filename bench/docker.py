"""How long an image takes, from each kind of change to a proven release and back; on this tree's own site."""

import random
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uv

from bench.journeys import Figure
from stayput import processes
from stayput.deploy import deploy, destroy, rollback
from stayput.image.builder import Images, connect
from stayput.image.registry import push
from stayput.report import Report
from stayput.workspace import Workspace, open_workspace

COPIED = ("app", "docker", "infra", "requirements", "manage.py", "stayput.toml", "Pulumi.yaml", "Pulumi.local.yaml")
MEGABYTE = 1e6
SMALL = "click|iniconfig|mdurl|pluggy|semver|sortedcontainers"


def measure(root: Path) -> list[Figure]:
    """Build, deploy, change and roll back a copy of the checkout. Takes about two minutes with warm caches."""
    folder = Path(tempfile.mkdtemp(prefix="stayput-bench-"))
    for name in COPIED:
        copy = shutil.copytree if (root / name).is_dir() else shutil.copy2
        copy(root / name, folder / name)
    port = processes.free_port()

    def workspace() -> Workspace:
        return open_workspace(folder, "docker", "local", ["name=stayput-bench", f"targets.docker.port={port}"])

    try:
        return list(_walk(folder, workspace))
    finally:
        destroy(workspace(), Report(True))
        client = connect()
        for tag in [tag for image in client.images.list() for tag in image.tags if "stayput-bench" in tag]:
            client.images.remove(tag)
        shutil.rmtree(folder, ignore_errors=True)


def _walk(folder: Path, workspace: Callable[[], Workspace]) -> Iterator[Figure]:
    images = workspace().images

    def build() -> str:
        return images.make(images.measure()).digest

    deploy(workspace(), Report(True))
    first = build()
    yield Figure("build, nothing changed", "< 0.5", _timed(build), f"digest as before: {build() == first}")
    with _registry(folder) as pushed:
        pushed(images)
        _append(folder / "app/config/urls.py", f"# {time.time()}\n")
        yield Figure("build, a line of code changed", "< 3", _timed(build))
        yield Figure("pushed for it, MB", "< 1", pushed(images))
    attested = _timed(lambda: images.attest(images.known()[-1]))
    yield Figure("attestation", "< 8", attested)
    deployed = _timed(lambda: deploy(workspace(), Report(True)))
    yield Figure("built image to proven: attestation and deploy", "< 12", attested + deployed)
    yield Figure("rollback", "< 3", _timed(lambda: rollback(workspace(), Report(True))))
    lock = folder / images.project.site.requirements
    with _registry(folder) as pushed:
        pushed(images)
        _append(lock, _other_packages(folder / "requirements/dev.txt"))
        yield Figure("build, a small dependency changed", "< 12", _timed(build))
        yield Figure("pushed for it, MB", "", pushed(images))
        lock.write_text(_with_another_django(lock.read_text()))
        yield Figure("build, the largest dependency changed", "< 12", _timed(build), "its wheel fetched")
        yield Figure("pushed for it, MB", "", pushed(images))


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _append(file: Path, text: str) -> None:
    with file.open("a") as open_file:
        open_file.write(text)


def _other_packages(lock: Path) -> str:
    """Pins with their hashes that the site's lock has not: a choice of the tests' own, seldom the same at two runs.

    A layer with the bytes of an earlier run would be found again, and neither compressed nor unpacked.
    """
    pins = re.findall(rf"^(?:{SMALL})==.*\n(?: +--hash.*\n)+", lock.read_text(), re.MULTILINE)
    chosen = random.sample(pins, random.randint(1, len(pins)))
    return "".join(pin.rstrip("\\ \n") + "\n" for pin in chosen)


def _with_another_django(lock: str) -> str:
    """The lock with an earlier patch release of Django, seldom the same at two runs."""
    pin = re.search(r"^django==(\d+\.\d+)\.(\d+) .*\n(?: +--hash.*\n)+", lock, re.MULTILINE)
    assert pin
    earlier = f"django=={pin[1]}.{random.randrange(1, int(pin[2]))}"
    command = ["pip", "compile", "--quiet", "--no-deps", "--generate-hashes", "--no-header", "--no-annotate"]
    compiled = subprocess.run(
        [uv.find_uv_bin(), *command, "--no-emit-index-url", "-"],
        input=earlier,
        capture_output=True,
        text=True,
        check=True,
    )
    return lock.replace(pin[0], compiled.stdout)


@contextmanager
def _registry(folder: Path) -> Iterator[Callable[[Images], float]]:
    """A registry of this machine; gives what pushes the last image to it, and says the megabytes it has more then."""
    port, config, store = processes.free_port(), folder / "registry.yml", folder / "registry"
    config.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {store}}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\nlog: {{level: error}}\n"
    )

    def held() -> int:
        return sum(file.stat().st_size for file in store.rglob("*") if file.is_file())

    def pushed(images: Images) -> float:
        before = held()
        push(connect(), images.known()[-1], f"127.0.0.1:{port}/stayput-bench")
        return (held() - before) / MEGABYTE

    running = subprocess.Popen(
        ["docker-registry", "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while running.poll() is None and not processes.answers(port):
            time.sleep(0.05)
        yield pushed
    finally:
        running.terminate()
        running.wait()
