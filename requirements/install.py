"""Make .venv from requirements/dev.txt: standard library only, run by ./invoke.

pip brings one hash-pinned package, uv; uv does the rest. The copy of the requirements that is left at
.venv/installed.txt is written last: an interrupted set-up is simply done again.
"""

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
WANTED = ROOT / "requirements" / "dev.txt"
INSTALLED = VENV / "installed.txt"
BIN = "Scripts" if os.name == "nt" else "bin"


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Hold .venv.lock: the kernel lets it go when the holder dies, however it dies."""
    with (ROOT / ".venv.lock").open("w") as lock:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("invoke: another set-up is under way in this folder, waiting for it", file=sys.stderr)
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(*command: str | Path) -> float:
    """Run a command, show what it says, and return the megabytes it said it downloads."""
    megabytes = 0.0
    with subprocess.Popen([str(c) for c in command], stderr=subprocess.PIPE, stdout=sys.stderr, text=True) as process:
        for line in process.stderr or ():
            if size := re.search(r"Downloading \S+ \(([\d.]+)(KiB|MiB)\)", line):
                megabytes += float(size[1]) * (1.048576 if size[2] == "MiB" else 0.001024)
            if not line.startswith(" "):  # the long list of what was installed tells a user nothing
                print("  " + line.rstrip(), file=sys.stderr)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, [str(c) for c in command])
    return megabytes


def bring_uv(folder: Path) -> Path:
    """The uv of an earlier set-up if it still runs, else a new one in a folder of its own."""
    kept = VENV / BIN / "uv"
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        subprocess.run([kept, "--version"], check=True, capture_output=True)
        return kept
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [folder / BIN / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", ROOT / "requirements" / "uv.txt"], check=True, stdout=sys.stderr)
    return folder / BIN / "uv"


def install() -> None:
    started = time.monotonic()
    print(f"invoke: setting up {VENV} with Python {sys.version.split()[0]}", file=sys.stderr)
    INSTALLED.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="stayput-uv-") as folder:
        uv = bring_uv(Path(folder))
        if not (VENV / BIN / "python").exists():
            if uv.is_relative_to(VENV):  # a broken environment must not be cleared from within
                uv = Path(shutil.copy2(uv, folder))
            run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV)
        python = VENV / BIN / "python"
        megabytes = run(uv, "pip", "sync", "--require-hashes", "--strict", "--python", python, WANTED)
    shutil.copyfile(WANTED, VENV / "installed.tmp")
    (VENV / "installed.tmp").replace(INSTALLED)
    print(f"invoke: ready in {time.monotonic() - started:.0f} s, {megabytes:.0f} MB downloaded", file=sys.stderr)


def main() -> int:
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        print(
            f"invoke: {sys.executable} has no venv module. Next: apt install {version}-venv, or use another Python: "
            "PYTHON=/path/to/python3 ./invoke",
            file=sys.stderr,
        )
        return 2
    try:
        with only_one():
            if not (INSTALLED.exists() and INSTALLED.read_bytes() == WANTED.read_bytes()):
                install()
    except (OSError, subprocess.CalledProcessError) as problem:
        print(
            f"invoke: the set-up stopped: {problem}. Next: mend that, run ./invoke again: it goes on", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
