"""Builds of the same name on this machine, one at a time: a process that waited is given what the other one made."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from stayput.errors import StayputError


@dataclass(frozen=True)
class Turn:
    made: bytes  # what the process that was waited for has left; empty: it left nothing, or none was waited for
    _file: IO[bytes]

    def leave(self, made: bytes) -> None:
        """For those that wait."""
        self._file.write(made)
        self._file.flush()


@contextmanager
def turn(name: str) -> Iterator[Turn]:
    """Wait while another process of this user builds that. The kernel frees the lock when its holder dies."""
    folder = Path(tempfile.gettempdir()) / f"stayput-builds-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise StayputError(str(folder), "belongs to another user", "take it away, or set TMPDIR")
    handle = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "r+b") as file:
        made = b""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(file, fcntl.LOCK_EX)
            made = file.read()
        file.seek(0)
        file.truncate()
        yield Turn(made, file)
