"""Pulumi's engine on this program: against an empty one, under `invoke deploy`, and with many buckets."""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.page import Figure, described_machine, write_figures
from stayput.engine import cli
from stayput.processes import free_port

ROUNDS = 5
BUCKETS = (1, 10, 50)
SETTINGS = "name: {name}\nruntime: python\n"
WHY = """
Where the state is a folder, Pulumi writes all of it before and after each resource, so that a kill loses nothing: that
is what grows faster than the stack does. Written once at the end, it does not.
"""
MANY = """
import os
import sys
sys.path.insert(0, {root!r})
from stayput.infra.bucket import MediaBucket
from stayput.infra.clouds import inside, provider
endpoint = os.environ["STAYPUT_CLOUD_URL"]
given = dict(origins=["http://localhost:8000"], empty_on_destroy=True, allow_plain_http=True, endpoint_url=endpoint)
options = inside(provider("eu-central-1", endpoint))
for number in range({count}):
    MediaBucket(f"media-{{number}}", opts=options, **given)
"""


def run(root: Path) -> str:
    """Measure, write the page's section, and return its Markdown."""
    figures, found = measure(root), cli.find()
    told = f"Pulumi {found.version if found else ''} and this machine's cloud, {described_machine()}"
    return write_figures(root, "The engine", told, figures, WHY)


def measure(root: Path) -> list[Figure]:
    """Medians of interleaved rounds, on a clone of the checkout's HEAD. Takes about four minutes."""
    with _cloned(root) as (clone, invoke, environment):
        ours = _Pulumi(clone, "local", environment)
        empty = _project(clone.parent / "empty", "", environment)
        empty.up()
        against_empty = _rounds(
            {
                "empty": empty.up,
                "ours": ours.up,
                "empty at once": empty.up_at_once,
                "ours at once": ours.up_at_once,
                "deploy": lambda: invoke("deploy"),
            }
        )
        buckets = list(_buckets(clone, environment))
    own_nothing = against_empty["ours at once"]
    return [
        Figure("`pulumi up` with nothing changed, an empty program, s", "-", _seconds(against_empty["empty"])),
        Figure("`pulumi up` with nothing changed, this program, s", "-", _seconds(against_empty["ours"])),
        Figure("of the empty one's time", "≤ 1.3", _ratio(against_empty["ours"], against_empty["empty"])),
        Figure("the same two with `--skip-preview`", "≤ 1.3", _ratio(own_nothing, against_empty["empty at once"])),
        Figure("`invoke deploy` with nothing changed, s", "-", _seconds(against_empty["deploy"])),
        Figure("of `pulumi up`'s time", "≤ 1.3", _ratio(against_empty["deploy"], against_empty["ours"])),
        Figure("of the time of `pulumi up --skip-preview`", "≤ 1.3", _ratio(against_empty["deploy"], own_nothing)),
        *buckets,
    ]


@dataclass(frozen=True)
class _Pulumi:
    """Pulumi's command in a project's folder."""

    folder: Path
    stack: str
    environment: Mapping[str, str]

    def __call__(self, *arguments: str) -> None:
        command = ["pulumi", *arguments, "--stack", self.stack]
        # A shell looks for the command on the environment's own PATH.
        subprocess.run(
            ["sh", "-c", '"$@"', "sh", *command], cwd=self.folder, env=self.environment, capture_output=True, check=True
        )

    def up(self) -> None:
        self("up", "--yes")

    def up_at_once(self) -> None:
        self("up", "--yes", "--skip-preview")


def _project(folder: Path, program: str, environment: Mapping[str, str]) -> _Pulumi:
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(SETTINGS.format(name=folder.name))
    (folder / "__main__.py").write_text(program)
    made = _Pulumi(folder, "local", environment)
    made("stack", "init")
    return made


def _buckets(clone: Path, environment: Mapping[str, str]) -> Iterator[Figure]:
    """What stacks of many media buckets take, each bucket with its seven settings."""
    unwritten = {**environment, "PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
    at_once: dict[str, list[float]] = {}
    unchanged: dict[str, list[float]] = {}
    for number, (what, way) in enumerate((("made", environment), ("made, state written at the end alone", unwritten))):
        folders = {count: clone.parent / f"buckets-{count}-{number}" for count in BUCKETS}
        stacks = {
            str(count): _project(folder, MANY.format(root=str(clone), count=count), way)
            for count, folder in folders.items()
        }
        at_once = _rounds({name: stack.up_at_once for name, stack in stacks.items()}, 1)
        yield from _growth(what, at_once)
        unchanged = unchanged or _rounds({name: stack.up_at_once for name, stack in stacks.items()}, 3)
    yield from _growth("unchanged", unchanged)


def _growth(what: str, taken: Mapping[str, list[float]]) -> Iterator[Figure]:
    _, some, many = BUCKETS
    seconds = ", ".join(_seconds(taken[str(count)]) for count in BUCKETS)
    yield Figure(f"{', '.join(map(str, BUCKETS))} buckets {what}, s", "-", seconds)
    times = median(taken[str(many)]) / median(taken[str(some)])
    yield Figure(f"{many} of them against {some}", f"≤ {many / some:.0f}", f"{times:.1f}")


def _rounds(ways: Mapping[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Seconds of each way, one after the other in each round, so that a noisy machine is noisy for all."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            taken[name].append(_timed(way))
    return taken


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _seconds(taken: list[float]) -> str:
    return f"{median(taken):.1f}"


def _ratio(part: list[float], whole: list[float]) -> str:
    """The median of the rounds' own ratios."""
    return f"{median(one / other for one, other in zip(part, whole, strict=True)):.2f}"


@contextmanager
def _cloned(root: Path) -> Iterator[tuple[Path, Callable[..., str], Mapping[str, str]]]:
    """A deployed clone of HEAD, its `invoke`, and what `pulumi` typed in it finds in its environment."""
    folder = Path(tempfile.mkdtemp(prefix="stayput-bench-"))
    clone, port = folder / "stayput", free_port()

    def invoke(*arguments: str) -> str:
        options = ["--json", "--set", f"targets.process.port={port}"] if arguments[0] == "deploy" else ["--json"]
        command = [clone / "invoke", *arguments, *options]
        return subprocess.run(command, cwd=clone, capture_output=True, text=True, check=True).stdout

    try:
        subprocess.run(["git", "clone", "--quiet", str(root), str(clone)], check=True)
        invoke("deploy")
        yield clone, invoke, json.loads(invoke("engine.env"))["environment"]
    finally:
        subprocess.run([clone / "invoke", "destroy", "--yes"], cwd=clone, capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)
