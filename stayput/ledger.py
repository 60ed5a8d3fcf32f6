"""The append-only record of a stack: what was begun, what was done, what is live. Every line is chained to the last."""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from stayput.errors import NeedsAPerson, StayputError
from stayput.redact import redact

VERSION = 1
SENTENCES = ("reason", "error", "why", "by")  # fields of events that may quote what others wrote
GENESIS = "0" * 64


class Event(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something that happened. Holds names and fingerprints, never a value of a variable."""


class Began(Event, frozen=True, kw_only=True):
    step: str
    reason: str


class Did(Event, frozen=True, kw_only=True):
    step: str
    seconds: float


class Failed(Event, frozen=True, kw_only=True):
    step: str
    error: str


class Keepsake(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A picture left for the next release to find."""

    id: str
    sha256: str  # of the main picture, as the public address served it
    stored_in: str = ""  # the bucket; empty: the disk of the release
    database: str = ""  # which one has its row, as stayput.plan names it; empty: not known
    waived: str = ""  # why no release is asked for it any more; never written: read from Waived


class Live(Event, frozen=True, kw_only=True):
    """A release was proven and has the traffic."""

    target: str
    release: str
    build: str
    parts: Mapping[str, str]
    fingerprints: Mapping[str, str]
    url: str
    image: str = ""  # reference with digest, where there is one
    keepsake: Keepsake | None = None


class Attested(Event, frozen=True, kw_only=True):
    """An image was opened; what was found is kept beside the ledger, under its digest."""

    build: str
    image: str  # reference with digest
    config: str  # digest of its configuration
    platform: str
    failing: str  # the first line that failed; empty: it may be released
    statement: str  # SHA-256 of the in-toto statement


class Withdrawn(Event, frozen=True, kw_only=True):
    """A release that was refused; the one before it still serves."""

    target: str
    release: str
    why: str


class Waived(Event, frozen=True, kw_only=True):
    """A person said that a keepsake is gone for good: no release is asked for it any more."""

    target: str
    keepsake: str  # its id
    by: str
    why: str


class Destroyed(Event, frozen=True, kw_only=True):
    target: str


AnyEvent = Began | Did | Failed | Attested | Live | Withdrawn | Waived | Destroyed


class Line(msgspec.Struct, frozen=True, kw_only=True):
    version: int = VERSION
    previous: str  # SHA-256 of the line before, newline left out
    at: str  # UTC, ISO 8601
    event: AnyEvent


class Ledger:
    """One file, only ever appended to. A line torn by a crash is written over; an edited one is refused."""

    def __init__(self, home: Path) -> None:
        self.path = home / "ledger.jsonl"
        self._lock = home / "lock"

    def records(self) -> tuple[Line, ...]:
        """All records, oldest first. Raises NeedsAPerson where the chain is broken."""
        records: list[Line] = []
        expected = GENESIS
        for number, line in enumerate(self._whole_lines(), start=1):
            try:
                record = msgspec.json.decode(line, type=Line)
            except (msgspec.DecodeError, UnicodeDecodeError) as problem:
                raise self._broken(number, f"cannot be read ({problem})") from None
            if record.previous != expected:
                raise self._broken(number, "does not follow the line before it")
            expected = hashlib.sha256(line).hexdigest()
            records.append(record)
        return tuple(records)

    def append(self, event: AnyEvent) -> None:
        """Write one record and wait until the disk has it. Its sentences are redacted: they may quote others."""
        event = _redacted(event)
        lines = self._whole_lines()
        previous = hashlib.sha256(lines[-1]).hexdigest() if lines else GENESIS
        record = Line(previous=previous, at=datetime.now(UTC).isoformat(timespec="milliseconds"), event=event)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("r+b" if self.path.exists() else "x+b") as file:
            file.truncate(sum(len(line) + 1 for line in lines))
            file.seek(0, os.SEEK_END)
            file.write(msgspec.json.encode(record) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def live(self, target: str) -> tuple[Live, ...]:
        """The releases of a target that were proven, oldest first; none from before it was last destroyed."""
        found: list[Live] = []
        for record in self.records():
            match record.event:
                case Live(target=name) as event if name == target:
                    found.append(event)
                case Waived(target=name, keepsake=id, by=by, why=why) if name == target:
                    found = [_waived(one, id, f"{by}: {why}") for one in found]
                case Destroyed(target=name) if name == target:
                    found.clear()
                case _:
                    pass
        return tuple(found)

    def times(self, target: str) -> dict[str, str]:
        """When each release of a target was recorded last: UTC, ISO 8601."""
        lives = [(one.event, one.at) for one in self.records() if isinstance(one.event, Live)]
        return {event.release: at for event, at in lives if event.target == target}

    def targets(self) -> tuple[str, ...]:
        """The names of all targets that ever had a proven release."""
        events = (record.event for record in self.records())
        return tuple(dict.fromkeys(event.target for event in events if isinstance(event, Live)))

    def unfinished(self) -> str:
        """The step that a command began and did not come back from, or an empty text."""
        last = next((record.event for record in reversed(self.records())), None)
        return last.step if isinstance(last, Began) else ""

    def cut_off(self, step: str) -> bool:
        """Whether that step was begun last without an end that was recorded."""
        events = (record.event for record in reversed(self.records()))
        last = next((one for one in events if isinstance(one, Began | Did | Failed) and one.step == step), None)
        return isinstance(last, Began)

    @contextlib.contextmanager
    def held(self, purpose: str) -> Iterator[None]:
        """Be the only one who changes this stack. The kernel frees the lock when its holder dies."""
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise StayputError(
                    "the stack's lock", f"is held: {lock.read()}", "wait for it, or end that process"
                ) from None
            lock.truncate(0)
            lock.write(f"{purpose}, process {os.getpid()}, since {datetime.now(UTC):%H:%M:%S} UTC")
            lock.flush()
            yield

    def _whole_lines(self) -> list[bytes]:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        return content.split(b"\n")[:-1]  # what follows the last newline was torn by a crash

    def _broken(self, line: int, what: str) -> NeedsAPerson:
        next_step = f"look at it; to begin a new one, move {self.path.name} away: what runs is not touched"
        return NeedsAPerson(f"{self.path}, line {line}", what, next_step)


def _waived(live: Live, id: str, why: str) -> Live:
    if live.keepsake is None or live.keepsake.id != id:
        return live
    return msgspec.structs.replace(live, keepsake=msgspec.structs.replace(live.keepsake, waived=why))


def _redacted(event: AnyEvent) -> AnyEvent:
    sentences = {name: redact(getattr(event, name)) for name in SENTENCES if hasattr(event, name)}
    return msgspec.structs.replace(event, **sentences)
