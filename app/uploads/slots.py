"""How many pictures are decoded at once, over all worker processes: one locked file for each.

The kernel lets go of a lock when its process dies, so no slot is ever lost. The next in
line is woken through a pipe; asking again every few milliseconds took a tenth of what the pictures take.
"""

import contextlib
import fcntl
import os
import select
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from zlib import crc32

LOOK_AGAIN = 0.25  # seconds after which who waits looks anyway: a killed process wakes no other
next_in_line = threading.Lock()  # of all who wait in a process one tries


class Busy(Exception):
    """No slot came free in time."""


@contextmanager
def one(count: int, *, patience: float, folder: Path | None = None) -> Iterator[int]:
    """Hold one of `count` slots; gives the milliseconds it took to get it.

    folder: shared by all who count together. Raises Busy after `patience` seconds.
    """
    begun = time.monotonic()
    folder = folder or default_folder()
    handle = take(folder, count, begun + patience)
    try:
        yield round((time.monotonic() - begun) * 1000)
    finally:
        os.close(handle)
        wake(folder)


def take(folder: Path, count: int, deadline: float) -> int:
    if not next_in_line.acquire(timeout=max(0.0, deadline - time.monotonic())):
        raise Busy
    try:
        while (handle := free(folder, count)) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Busy
            wait(folder, min(left, LOOK_AGAIN))
        return handle
    finally:
        next_in_line.release()


def free(folder: Path, count: int) -> int | None:
    """A free slot, now held."""
    for number in range(count):
        handle = os.open(folder / f"slot-{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:
            os.close(handle)
    return None


def wait(folder: Path, seconds: float) -> None:
    """Until a slot is freed; no longer than `seconds`."""
    freed = pipe(folder, os.getpid())
    select.select([freed], [], [], seconds)
    with contextlib.suppress(BlockingIOError):  # another has read it
        os.read(freed, 2**16)


def wake(folder: Path) -> None:
    """Have those that wait look again. What is written while none waits costs the next one a look."""
    with contextlib.suppress(BlockingIOError):  # full of it
        os.write(pipe(folder, os.getpid()), b"!")


@cache
def pipe(folder: Path, process: int) -> int:
    """The pipe in this folder, open in this process to read and to write without waiting."""
    path = folder / "freed"
    with contextlib.suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)


@cache
def default_folder() -> Path:
    """A folder of this user and this copy of the site: its workers share it, another release's do not."""
    site = Path(__file__).resolve().parent
    folder = Path(tempfile.gettempdir()) / f"uploads-{os.getuid()}-{crc32(bytes(site)):x}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
