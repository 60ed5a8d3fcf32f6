"""The real parts that tests use, where they are looked for, and how a machine gets them.

A test marked `@pytest.mark.needs("docker")` is left out, with this reason on the screen, where the part is missing; in
CI it fails instead.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stayput.engine import cli

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stayput"
IN_CI = os.environ.get("CI") == "true"


@dataclass(frozen=True)
class Part:
    there: Callable[[], bool]
    how: str


def program(name: str) -> Path | None:
    """A program that .ci/machine built, or one on PATH."""
    built = CACHE / "bin" / name
    found = str(built) if built.exists() else shutil.which(name)
    return Path(found) if found else None


def engine_programs() -> Path | None:
    """The folder of dockerd, where this user may run one."""
    folders = [Path("/usr/local/lib/stayput-docker"), Path("/usr/local/lib/docker26")]
    folders += [Path(found).parent for found in [shutil.which("dockerd")] if found]
    found = [folder for folder in folders if (folder / "dockerd").exists()]
    return found[0] if found and os.geteuid() == 0 and shutil.which("ip") else None


def docker_answers(*words: str) -> bool:
    try:
        return subprocess.run(["docker", *words], capture_output=True, check=False, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def postgresql_program(name: str) -> Path | None:
    """One of PostgreSQL's own, of the newest version; Debian keeps them off PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*"), key=lambda folder: int(folder.name))
    found = [folder / "bin" / name for folder in versions if (folder / "bin" / name).exists()]
    return found[-1] if found else program(name)


PARTS = {
    "engine": Part(lambda: cli.find() is not None, "./invoke engine.install"),
    "docker": Part(lambda: docker_answers("info"), "start Docker"),
    "compose": Part(
        lambda: docker_answers("compose", "version"), "run .ci/parts/docker, or install Docker's compose plugin"
    ),
    "dockerd": Part(lambda: engine_programs() is not None, "run .ci/parts/docker as root"),
    "registry": Part(lambda: program("docker-registry") is not None, "install docker-registry"),
    "postgresql": Part(lambda: postgresql_program("initdb") is not None, "run .ci/parts/postgresql"),
    "browser": Part(lambda: program("chromium") is not None, "install Chromium"),
    "strict-s3": Part(lambda: program("versitygw") is not None, "run .ci/parts/strict-s3: it builds versitygw"),
}
