"""Uploads a second through the server, against what the same cores can process; and beside many slow senders."""

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

import psutil
from PIL import Image

from app.config import machine
from app.uploads import images
from bench.page import Figure, described_machine, write_figures
from stayput import photo as drawing
from stayput.django import tokens
from stayput.processes import free_port

KEY = "of a bench"
ROUNDS, SECONDS = 11, 2.0
SLOW = 60
BOUNDARY = "b7f1"


def run(root: Path) -> str:
    """Measure, write the page's section, and return its Markdown."""
    figures = measure(root)
    told = (
        f"{described_machine()} Uploads a second tell little beside other work on the machine; CPU times hold up.\n"
        "A picture's is taken with all cores at it, as the server's are: they share caches and memory, and one alone\n"
        "is not what the cores can process. Each round is held against itself. Pictures on local disk, rows in SQLite."
    )
    return write_figures(root, "Uploads through the server", told, figures)


def measure(root: Path) -> list[Figure]:
    """Rounds of all, one after the other, so that a noisy machine is noisy for all. Takes three minutes."""
    cores = machine.processors()
    with served_copy(root) as server, ProcessPoolExecutor(cores) as pool:
        return [
            figure
            for name, photo in {"5 MP": drawing.draw(), "12 MP": twelve_megapixels()}.items()
            for figure in measure_one(name, photo, server, pool, cores)
        ]


def measure_one(name: str, photo: bytes, server: "Server", pool: ProcessPoolExecutor, cores: int) -> tuple[Figure, ...]:
    pictures_a_second(photo, pool, cores, 2.0)
    uploads_a_second(photo, server.port, cores, 2.0)
    rates: list[tuple[float, float, float]] = []
    work: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        alone, picture = pictures_a_second(photo, pool, cores, SECONDS)
        before, begun = server.cpu_seconds(), time.perf_counter()
        served = uploads_a_second(photo, server.port, cores, SECONDS)
        work.append(((server.cpu_seconds() - before) / (served * (time.perf_counter() - begun)), picture))
        with slow_senders(server.port):
            rates.append((alone, served, uploads_a_second(photo, server.port, cores, SECONDS)))
    alone, served, crowded = (median(column) for column in zip(*rates, strict=True))
    upload, picture = (median(column) for column in zip(*work, strict=True))
    part = median(picture / upload for upload, picture in work)
    return (
        Figure(f"{name}: pictures a second on {cores} cores, no server", "-", f"{alone:.1f}"),
        Figure(f"{name}: uploads a second through the server", "-", f"{served:.1f}"),
        Figure(f"{name}: the same beside {SLOW} senders of a byte a second", "-", f"{crowded:.1f}"),
        Figure(f"{name}: CPU ms of a picture, no server, all cores at it", "-", f"{picture * 1000:.0f}"),
        Figure(f"{name}: CPU ms of an upload, all of the server", "-", f"{upload * 1000:.0f}"),
        Figure(f"{name}: part of an upload's CPU time that is the picture", "0.85", f"{part:.2f}"),
    )


def twelve_megapixels() -> bytes:
    """As phones take them: the drawn photo, enlarged, with the grain of a sensor."""
    large = Image.open(io.BytesIO(drawing.draw())).resize((4032, 3024), Image.Resampling.BICUBIC)
    grain = Image.effect_noise(large.size, 40).convert("RGB")
    out = io.BytesIO()
    Image.blend(large, grain, 0.1).save(out, "JPEG", quality=90)
    return out.getvalue()


def pictures_a_second(photo: bytes, pool: ProcessPoolExecutor, cores: int, seconds: float) -> tuple[float, float]:
    """What the cores can process, all at work as the server's are; and the CPU seconds that a picture then takes."""
    rates, times = zip(*pool.map(process_for, [photo] * cores, [seconds] * cores), strict=True)
    return sum(rates), sum(times) / cores


def process_for(photo: bytes, seconds: float) -> tuple[float, float]:
    """Pictures a second of one core, and CPU seconds a picture."""
    begun, worked, count = time.perf_counter(), time.process_time(), 0
    while (elapsed := time.perf_counter() - begun) < seconds:
        images.process(photo)
        count += 1
    return count / elapsed, (time.process_time() - worked) / count


def uploads_a_second(photo: bytes, port: int, cores: int, seconds: float) -> float:
    """Answered with 201, from four clients a core, each on a connection of its own."""
    token = tokens.sign(KEY, purpose="upload")
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="p.jpg"\r\n\r\n'.encode()
    body = head + photo + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    begun = time.perf_counter()

    def client(_: int) -> int:
        connection, count = HTTPConnection("127.0.0.1", port, timeout=60), 0
        while time.perf_counter() - begun < seconds:
            connection.request("POST", "/api/images/", body, headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 201:
                raise RuntimeError(f"an upload was answered with {answer.status}: {said[:200]!r}")
            count += 1
        connection.close()
        return count

    with ThreadPoolExecutor(4 * cores) as pool:
        count = sum(pool.map(client, range(4 * cores)))
    return count / (time.perf_counter() - begun)


@contextmanager
def slow_senders(port: int) -> Iterator[None]:
    """Connections in the middle of an upload, that go on a byte a second each."""
    token, over = tokens.sign(KEY, purpose="smoke-test"), threading.Event()
    head = (
        f"POST /api/images/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Length: 1000000\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
    ).encode()

    def drip(senders: list[socket.socket]) -> None:
        while not over.wait(1):
            for sender in senders:
                with suppress(OSError):
                    sender.send(b"-")

    with ExitStack() as stack:
        senders = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(SLOW)]
        for sender in senders:
            sender.sendall(head)
        thread = threading.Thread(target=drip, args=(senders,))
        thread.start()
        time.sleep(1)
        try:
            yield
        finally:
            over.set()
            thread.join()


@dataclass(frozen=True)
class Server:
    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Of the master and its workers, since they began."""
        master = psutil.Process(self.pid)
        times = [process.cpu_times() for process in (master, *master.children())]
        return sum(one.user + one.system for one in times)


@contextmanager
def served_copy(root: Path) -> Iterator[Server]:
    """The site as it is deployed, on local disk, without the throttle."""
    folder, port = Path(tempfile.mkdtemp(prefix="stayput-bench-")), free_port()
    for part in ("app", "stayput/django"):
        shutil.copytree(root / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("manage.py", "stayput/__init__.py"):
        shutil.copy(root / file, folder / file)
    settings = folder / "app/config/settings.py"
    settings.write_text(settings.read_text().replace("120/min", "1000000/min"))
    env = {"PATH": os.defpath, "SECRET_KEY": "x", "STAYPUT_KEY": KEY}
    for words in (("collectstatic", "--noinput"), ("migrate",)):
        manage = [sys.executable, "manage.py", *words]
        subprocess.run(manage, cwd=folder, env=env, check=True, capture_output=True)
    command = [sys.executable, "-m", "gunicorn", "-c", "app/config/gunicorn.py", "app.config.wsgi"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([*command, "--bind", f"127.0.0.1:{port}"], cwd=folder, env=env, stdout=log)
    try:
        while server.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield Server(port, server.pid)
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
