"""Processes that outlive the command: started detached, known by pid and start time, stopped as a family."""

import contextlib
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import psutil

from stayput.errors import StayputError
from stayput.kept import recall
from stayput.secrets import write_private

TOOL = Path(__file__).parents[1]  # where python -m finds stayput, wherever the command was typed
# The last line of a traceback: a dotted name that ends like an exception's, then what it says.
ERROR = re.compile(r"^([\w.]+(Error|Exception|Configured|Exit|Warning)\b|.*\berror:)")

# A fault as Django's checks say it, "?: (app.E001) what", or as the site's start does, "site: what. Next: what to do".
FAULT = re.compile(r"^(?:\S+: (?=\(\w+\.[EC]\d+\))|(?:site|manage\.py): (?=.*\. Next: ))(.*?)(?:\. Next: (.*))?$")

# The command is held back until its record is written; where the writer dies before, the command never runs.
HELD_BACK = 'read -r go && exec "$@" </dev/null'


class Daemon(msgspec.Struct, frozen=True, kw_only=True):
    """A background process as it is written to its file."""

    pid: int
    started: float  # seconds since the epoch, from the kernel: tells a reused pid apart
    port: int
    token: str = ""  # its holder may command the process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def process(self) -> psutil.Process | None:
        """The living process, or None."""
        try:
            process = psutil.Process(self.pid)
            # The kernel counts in ticks from a boot time that is itself rounded: a second's slack.
            same = abs(process.create_time() - self.started) < 1 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if same else None

    @property
    def alive(self) -> bool:
        return self.process() is not None


def free_port() -> int:
    """A TCP port of 127.0.0.1 that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def load(path: Path) -> Daemon | None:
    """The process that a file speaks of, dead or alive; None without a readable file."""
    return recall(path, Daemon)


def start(
    command: Sequence[str],
    *,
    record: Path,
    log: Path,
    port: int,
    ready: Callable[[], bool],
    name: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    token: str = "",
    timeout: float = 30,
) -> Daemon:
    """Start a detached process, write its record (0600), and wait until it is ready.

    cwd: the tool's own folder if left out. timeout: seconds. Raises StayputError with the telling line of its log when
    it ends or does not get ready. `ready` may raise what it knows better. In both cases nothing is left running.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        begins = output.tell()
        process = subprocess.Popen(
            ["/bin/sh", "-c", HELD_BACK, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(os.environ if env is None else env),
            cwd=cwd or TOOL,
            start_new_session=True,
        )
    daemon = Daemon(pid=process.pid, started=psutil.Process(process.pid).create_time(), port=port, token=token)
    write_private(record, msgspec.json.encode(daemon))
    assert process.stdin
    with contextlib.suppress(BrokenPipeError), process.stdin as starting_shot:
        starting_shot.write(b"go\n")
    deadline = time.monotonic() + timeout
    try:
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                ended = "ended at once" if process.returncode is not None else f"was not ready within {timeout:.0f} s"
                what, next_step = telling(log.read_bytes()[begins:].decode(errors="replace").splitlines())
                if next_step:  # a fault that names its own mending needs no more words
                    raise StayputError(name, what, next_step)
                raise StayputError(name, f"{ended}: {what}", f"read {log}")
            time.sleep(0.05)
    except BaseException:
        stop(daemon)
        record.unlink(missing_ok=True)
        raise
    return daemon


def last_words(log: Path, begins: int = 0) -> str:
    """The line of a log, from the byte `begins` on, that says most about a failure."""
    return telling(log.read_bytes()[begins:].decode(errors="replace").splitlines())[0]


def telling(lines: Sequence[str]) -> tuple[str, str]:
    """What a failure's lines say most clearly, and the next step where they name one, else an empty text.

    The first fault that Django's checks or the site's start name; else the last error, else the last line.
    """
    said = [_plain(line) for line in lines if line.strip()]
    for line, following in zip(said, [*said, ""][1:], strict=True):
        if found := FAULT.match(line):
            hint = following.removeprefix("HINT: ") if following.startswith("HINT: ") else ""
            return found[1], hint or found[2] or ""
    errors = [line for line in said if ERROR.match(line)]
    return (errors or said or ["it said nothing"])[-1], ""


def _plain(line: str) -> str:
    """A line as written, or of one that is a JSON event the end of its traceback, or its message."""
    try:
        event = msgspec.json.decode(line, type=dict[str, object])
    except msgspec.DecodeError:
        return line.strip()
    text = str(event.get("traceback") or event.get("message") or line)
    return text.strip().splitlines()[-1]


def stop(daemon: Daemon, *, grace: float = 10) -> None:
    """SIGTERM to the process; after `grace` seconds SIGKILL to it and its children. Gone is as good as stopped."""
    process = daemon.process()
    if process is None:
        return
    try:
        family = [process, *process.children(recursive=True)]
        process.terminate()
    except psutil.NoSuchProcess:
        return
    _, left = psutil.wait_procs(family, timeout=grace)
    for survivor in left:
        try:
            survivor.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(left, timeout=5)


def answers(port: int) -> bool:
    """Whether something accepts connections on that port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
