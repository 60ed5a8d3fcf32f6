"""How long a newcomer waits: a fresh clone's first demo, the second, and the commands of every day."""

import json
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    what: str
    goal: str
    seconds: float
    note: str = ""


def measure(root: Path) -> list[Figure]:
    """Clone the checkout's HEAD into a new folder and go through it as a newcomer would. Takes about a minute."""
    folder = Path(tempfile.mkdtemp(prefix="stayput-bench-"))
    clone = folder / "stayput"
    try:
        subprocess.run(["git", "clone", "--quiet", str(root), str(clone)], check=True)
        return list(_walk(clone))
    finally:
        subprocess.run([clone / "invoke", "destroy", "--yes"], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _walk(clone: Path) -> list[Figure]:
    figures: list[Figure] = []

    def timed(what: str, goal: str, *arguments: str, runs: int = 1) -> str:
        times: list[float] = []
        for _ in range(runs):
            started = time.perf_counter()
            done = subprocess.run([clone / "invoke", *arguments], cwd=clone, capture_output=True, text=True, check=True)
            times.append(time.perf_counter() - started)
            told = done.stdout + "\n" + done.stderr
        downloaded = next((line for line in told.splitlines() if "MB downloaded" in line), "")
        figures.append(Figure(what, goal, sorted(times)[len(times) // 2], downloaded.removeprefix("invoke: ")))
        return done.stdout

    timed("first demo of a fresh clone, package cache warm", "60 s", "demo", "--json")
    document = json.loads(timed("second demo", "15 s", "demo", "--json"))
    figures.append(Figure("failed requests in it", "0", document["failed_requests"]))
    timed("invoke --list", "-", "--list", runs=5)
    timed("first deploy", "-", "deploy", "--json")
    timed("deploy with nothing changed", "2 s", "deploy", "--json", runs=5)
    timed("smoke test", "-", "smoke-test", "--json", runs=3)
    return figures
