"""What the embedded engine knows of what it made: one private file, replaced after every step."""

from pathlib import Path
from typing import Any

import msgspec

from stayput.errors import StayputError
from stayput.processes import Daemon
from stayput.secrets import write_private


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One resource. Its outputs may hold a secret that is shown only once."""

    urn: str
    type: str
    inputs: dict[str, Any]
    id: str = ""  # empty: its creation began, and the end was not seen
    outputs: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.rsplit("::", 1)[1]


class State(msgspec.Struct, frozen=True, kw_only=True):
    version: int = 1
    cloud: Daemon  # the process that all of this is in; when it ends, nothing of this is true
    region: str
    resources: tuple[Entry, ...] = ()  # in the order of their creation
    condemned: tuple[Entry, ...] = ()  # replaced, and to be deleted when nothing stands on them any more
    ingredients: dict[str, str] = {}  # what the last `up` that ended was made of; empty while one is under way
    outputs: dict[str, Any] | None = None


def path(home: Path) -> Path:
    return home / "infra.json"


def load(home: Path) -> State | None:
    """None if there is none. Raises StayputError for a file that cannot be read."""
    file = path(home)
    try:
        return msgspec.json.decode(file.read_bytes(), type=State)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise StayputError(
            str(file), "is damaged", "start afresh (this machine's cloud is emptied): invoke destroy"
        ) from None


def save(home: Path, state: State) -> None:
    """Raises StayputError when it cannot be written; what was written last still stands."""
    try:
        write_private(path(home), msgspec.json.encode(state))
    except OSError as error:
        raise StayputError(str(path(home)), f"cannot be written: {error.strerror}", "make room, run it again") from None
