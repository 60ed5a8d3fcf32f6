"""Pictures a second, alikeness and memory, of this site's way and of others', over the pictures of corpus.py.

`invoke bench -s images` runs this file in an environment of its own, which has the others (requirements/bench.txt).
"""

import json
import multiprocessing
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import exp, log
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.page import described_machine, write_section

if TYPE_CHECKING:
    from bench.busy import Foretold

ROUNDS = 7
UPLOADS = 1_000
OURS, FLOOR = "Stayput", "floor"
SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Measured:
    """One way with one picture: median CPU time, what came out, and how alike it is to the whole picture."""

    way: str
    picture: str
    ms: float
    main_bytes: int
    ssim: float


@dataclass(frozen=True)
class Results:
    measured: tuple[Measured, ...]
    memory_mb: Mapping[str, float]  # what the usual 12 MP picture adds to an idle process at its peak
    growth_mb: float  # of a process from its 100th to its 1,000th upload
    busy: "Foretold"


def run(root: Path) -> str:
    """Measure in the bench's own environment, write the page's section, and return its Markdown. Takes minutes."""
    uv = Path(sys.executable).parent / "uv"
    isolated = [uv, "run", "--quiet", "--no-project", "--isolated", "--python", sys.executable]
    command = [*isolated, "--with-requirements", root / "requirements" / "bench.txt", "python", "-m", "bench.images"]
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    section = markdown(json.loads(done.stdout))
    page = root / "docs" / "benchmarks.md"
    write_section(page, "Pictures", section)
    return section


# Measuring: each way in a process of its own, as a server's worker is, in interleaved rounds


def measure() -> Results:
    from bench.busy import foretold
    from bench.corpus import CORPUS
    from bench.ways import WAYS

    with tempfile.TemporaryDirectory() as folder:
        pictures = {name: Path(folder, name) for name in CORPUS}
        for name, path in pictures.items():
            path.write_bytes(CORPUS[name]())
        names = (*WAYS, FLOOR)
        return Results(
            tuple(rounds(names, pictures)),
            {name: memory(name, pictures) for name in names if name != FLOOR},
            growth(pictures),
            foretold(),
        )


def rounds(names: tuple[str, ...], pictures: Mapping[str, Path]) -> list[Measured]:
    from PIL import Image

    from bench.quality import reference, ssim

    workers = {name: Worker(name) for name in names}
    found: list[Measured] = []
    for picture, path in pictures.items():
        times: dict[str, list[float]] = {name: [] for name in names}
        mains: dict[str, bytes] = {}
        for turn in range(ROUNDS + 1):
            for name, worker in workers.items():
                seconds, mains[name] = worker.ask(path)
                if turn:  # the first is for warming up
                    times[name].append(seconds * 1000)
        for name, main in mains.items():
            wanted = reference(path.read_bytes(), opened_size(Image, main))
            found.append(Measured(name, picture, statistics.median(times[name]), len(main), ssim(main, wanted)))
    for worker in workers.values():
        worker.end()
    return found


def opened_size(image: Any, data: bytes) -> tuple[int, int]:
    import io

    return image.open(io.BytesIO(data)).size


class Worker:
    """A process that goes one way."""

    def __init__(self, way: str):
        self.pipe, there = SPAWN.Pipe()
        self.process = SPAWN.Process(target=work, args=(way, there), daemon=True)
        self.process.start()

    def ask(self, path: Path | str) -> Any:
        self.pipe.send(path)
        return self.pipe.recv()

    def end(self) -> None:
        self.pipe.send(None)
        self.process.join()


def work(name: str, pipe: Connection) -> None:
    """Answer each path with (CPU seconds, main picture), and "memory" with (resident, peak since last asked)."""
    from bench.ways import WAYS, Floor

    floors: dict[Path, Floor] = {}
    while (path := pipe.recv()) is not None:
        if path == "memory":
            pipe.send(resident())
            continue
        data = path.read_bytes()
        way = WAYS.get(name) or floors.get(path) or floors.setdefault(path, Floor(data))
        begun = time.process_time()
        main, _ = way(data)
        pipe.send((time.process_time() - begun, main))


def resident() -> tuple[int, int]:
    """Resident and peak memory of this process in bytes; the peak begins anew. Source: proc(5)."""
    status = Path("/proc/self/status").read_text()
    now, peak = (int(match[1]) * 1024 for key in ("VmRSS", "VmHWM") if (match := re.search(rf"{key}:\s+(\d+)", status)))
    Path("/proc/self/clear_refs").write_text("5")
    return now, peak


def memory(name: str, pictures: Mapping[str, Path]) -> float:
    worker = Worker(name)
    worker.ask(pictures["small GIF"])
    idle, _ = worker.ask("memory")
    worker.ask(pictures["usual 12 MP"])
    _, peak = worker.ask("memory")
    worker.end()
    return (peak - idle) / 1e6


def growth(pictures: Mapping[str, Path]) -> float:
    worker = Worker(OURS)
    turns = [pictures[name] for name in ("5 MP", "small GIF", "screenshot PNG with alpha", "usual 12 MP")]
    resident_then: list[int] = []
    for upload in range(UPLOADS):
        worker.ask(turns[upload % len(turns)])
        if upload + 1 in (100, UPLOADS):
            resident_then.append(worker.ask("memory")[0])
    worker.end()
    return (resident_then[1] - resident_then[0]) / 1e6


# Telling


def markdown(results: Mapping[str, Any]) -> str:
    measured = [Measured(**row) for row in results["measured"]]
    pictures, ways = (
        tuple(dict.fromkeys(values)) for values in zip(*((m.picture, m.way) for m in measured), strict=True)
    )
    by = {(m.way, m.picture): m for m in measured}
    jpegs = [p for p in pictures if p.endswith(("MP", "progressive"))]

    def ratio(other: str, picture: str) -> float:
        return by[other, picture].ms / by[OURS, picture].ms

    def mean(other: str) -> float:
        return exp(statistics.mean(log(ratio(other, p)) for p in jpegs))

    def table(head: str, cell: Any) -> list[str]:
        rows = [f"| {p} | " + " | ".join(cell(w, p) for w in ways) + " |" for p in pictures]
        return [f"| {head} | " + " | ".join(ways) + " |", "| --- |" + " --- |" * len(ways), *rows, ""]

    memory = ", ".join(f"{way} {mb:.0f}" for way, mb in results["memory_mb"].items())
    return "\n".join(
        [
            f"Measured by `invoke bench -s images`. {described_machine()} CPU time of a picture in both its "
            f"sizes, medians of {ROUNDS} interleaved rounds, each way in a process of its own on one thread. "
            "The pictures are drawn, the same at every run. The floor is a scaled decode, one resize "
            "and one encode by the method and at the quality that Stayput ended with: no search, "
            "no colours, no thumbnail.",
            "",
            *table("CPU ms a picture", lambda w, p: f"{by[w, p].ms:.0f}"),
            *table("main picture, KB (limit 204.8)", lambda w, p: f"{by[w, p].main_bytes / 1000:.0f}"),
            *table("SSIM of the main picture", lambda w, p: f"{by[w, p].ssim:.4f}"),
            *(
                f"- Against {other}, over the JPEGs: {mean(other):.2f} times as many pictures a second per core "
                f"(geometric mean); least {min(ratio(other, p) for p in jpegs):.2f}."
                for other in ways
                if other not in (OURS, FLOOR)
            ),
            f"- On the PNG, which nothing decodes at scale: {ratio('pyvips', 'screenshot PNG with alpha'):.2f} times "
            f"pyvips, {ratio('pyvips, effort 2', 'screenshot PNG with alpha'):.2f} times pyvips with effort 2.",
            f"- Against the floor, over the JPEGs: {1 / mean(FLOOR):.2f} times its time (geometric mean); most "
            f"{max(1 / ratio(FLOOR, p) for p in jpegs):.2f}.",
            about_busy(results["busy"]),
            f"- Memory that a usual 12 MP photo adds to an idle process at its peak, with the file, MB: {memory}.",
            f"- A process has grown by {results['growth_mb']:.1f} MB from its 100th to its {UPLOADS:,}th upload.",
            "- django-imagekit and easy-thumbnails have no limit on bytes: a busy photo becomes larger than allowed.",
        ]
    )


def about_busy(busy: Mapping[str, Any]) -> str:
    return (
        f"- Of {busy['count']} other busy pictures, drawn at the size that is encoded, {busy['again']:.0%} took a "
        f"further encode; {busy['used']:.1%} of the bytes there are were used. SSIM beside the naive way's: "
        f"{busy['better']:+.4f} in the mean, {busy['least']:+.4f} at the least, for {busy['worse']:.0%} more than "
        "0.0005 under it."
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(measure())))
