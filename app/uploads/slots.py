"""How many pictures are decoded at once, over all worker processes: one locked file for each.

The kernel lets go of a lock when its process dies, so no slot is ever lost.
"""

import fcntl
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

PAUSE = 0.002  # seconds between two tries
next_in_line = threading.Lock()  # of all who wait in a process one tries, so that a free slot is found soon and cheaply


class Busy(Exception):
    """No slot came free in time."""


@contextmanager
def one(count: int, *, patience: float, folder: Path | None = None) -> Iterator[int]:
    """Hold one of `count` slots; gives the milliseconds it took to get it.

    folder: shared by all who count together. Raises Busy after `patience` seconds.
    """
    begun = time.monotonic()
    handle = take(folder or default_folder(), count, begun + patience)
    try:
        yield round((time.monotonic() - begun) * 1000)
    finally:
        os.close(handle)


def take(folder: Path, count: int, deadline: float) -> int:
    if not next_in_line.acquire(timeout=max(0.0, deadline - time.monotonic())):
        raise Busy
    try:
        while (handle := free(folder, count)) is None:
            if time.monotonic() > deadline:
                raise Busy
            time.sleep(PAUSE)
        return handle
    finally:
        next_in_line.release()


def free(folder: Path, count: int) -> int | None:
    """A slot that nobody holds, now held."""
    for number in range(count):
        handle = os.open(folder / f"slot-{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:
            os.close(handle)
    return None


def default_folder() -> Path:
    """A folder of this user and this copy of the site: its workers share it, another release's do not."""
    site = Path(__file__).resolve().parent
    folder = Path(tempfile.gettempdir()) / f"uploads-{os.getuid()}-{crc32(bytes(site)):x}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
