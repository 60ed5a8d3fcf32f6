"""How long an image takes: nothing changed, a line of code, the attestation; on this tree's own site."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.journeys import Figure
from stayput.image.attest import attest
from stayput.image.builder import Images, connect
from stayput.project import load
from stayput.stack import Stack

COPIED = ("app", "docker", "requirements", "manage.py", "stayput.toml")


def measure(root: Path) -> list[Figure]:
    """Build a copy of the checkout, then again after each kind of change. Takes about a minute with warm caches."""
    folder = Path(tempfile.mkdtemp(prefix="stayput-bench-"))
    try:
        for name in COPIED:
            copy = shutil.copytree if (root / name).is_dir() else shutil.copy2
            copy(root / name, folder / name)
        project = load(folder, ["name=stayput-bench"])
        return list(_walk(folder, Images(project, Stack(folder))))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _walk(folder: Path, images: Images) -> list[Figure]:
    def build() -> object:
        return images.make(images.measure())

    build()
    first = images.known()[-1]
    figures = [Figure("build, nothing changed", "< 0.5", _timed(build), f"digest as before: {build() == first}")]
    with (folder / "app/config/urls.py").open("a") as code:
        code.write(f"# {time.time()}\n")
    figures.append(Figure("build, a line of code changed", "< 3", _timed(build)))
    client, image = connect(), images.known()[-1]
    figures.append(Figure("attestation", "< 8", _timed(lambda: attest(client, image, images.project.site))))
    return figures


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
