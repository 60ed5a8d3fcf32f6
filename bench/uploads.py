"""Uploads a second through the server, against what the same cores can process; and beside many slow senders."""

import os
import platform
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

from app.config import machine
from app.uploads import images
from bench.images import write_section
from stayput import photo as drawing
from stayput.django import tokens
from stayput.processes import free_port

KEY = "of a bench"
PHOTO = "5 MP photo"
ROUNDS, SECONDS = 3, 4.0
SLOW = 60
BOUNDARY = "b7f1"


@dataclass(frozen=True)
class Figure:
    what: str
    goal: str
    value: str


def run(root: Path) -> str:
    """Measure, write the page's section, and return its Markdown."""
    rows = [f"| {figure.what} | {figure.goal} | {figure.value} |" for figure in measure(root)]
    body = "\n".join([f"{described_machine()}\n", "| figure | goal | measured |", "| --- | --- | --- |", *rows])
    write_section(root / "docs" / "benchmarks.md", "Uploads through the server", body)
    return body


def described_machine() -> str:
    names = [line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    load = f"{os.getloadavg()[0]:.0f}"
    python = platform.python_version()
    return f"{machine.processors()} cores of {names[0] if names else platform.machine()}, Python {python}, load {load}."


def measure(root: Path) -> list[Figure]:
    """Rounds of both, one after the other, so that a noisy machine is noisy for both. Takes a minute."""
    photo, cores = drawing.draw(), machine.processors()
    alone: list[float] = []
    served: list[float] = []
    crowded: list[float] = []
    with served_copy(root) as port, ProcessPoolExecutor(cores) as pool:
        pictures_a_second(photo, pool, cores, 2.0)
        uploads_a_second(photo, port, cores, 2.0)
        for _ in range(ROUNDS):
            alone.append(pictures_a_second(photo, pool, cores, SECONDS))
            served.append(uploads_a_second(photo, port, cores, SECONDS))
            with slow_senders(port):
                crowded.append(uploads_a_second(photo, port, cores, SECONDS))
    return [
        Figure(f"{PHOTO}: pictures a second on {cores} cores, no server", "-", f"{median(alone):.1f}"),
        Figure("uploads a second through the server", "-", f"{median(served):.1f}"),
        Figure("of what the cores can process", "0.85", f"{median(map(ratio, served, alone)):.2f}"),
        Figure(f"uploads a second beside {SLOW} senders of a byte a second", "-", f"{median(crowded):.1f}"),
        Figure("of what the cores can process", "-", f"{median(map(ratio, crowded, alone)):.2f}"),
    ]


def ratio(part: float, whole: float) -> float:
    return part / whole


def pictures_a_second(photo: bytes, pool: ProcessPoolExecutor, cores: int, seconds: float) -> float:
    done = pool.map(process_for, [photo] * cores, [seconds] * cores)
    return sum(done)


def process_for(photo: bytes, seconds: float) -> float:
    """Pictures a second of one core."""
    begun, count = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - begun) < seconds:
        images.process(photo)
        count += 1
    return count / elapsed


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


@contextmanager
def served_copy(root: Path) -> Iterator[int]:
    """The site as it is deployed, on local disk, without the throttle; gives its port."""
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
        yield port
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
