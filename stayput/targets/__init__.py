"""The places that run releases."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from stayput.domains import Domain
from stayput.errors import WrongUse
from stayput.release import Build, Release


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """A setting at a target that would fail in silence."""

    setting: str  # "health check path"
    there: str = ""  # as it is, for people; empty: not set
    wanted: str = ""  # what a deploy sets it to; empty: only a person can tell
    remedy: str = ""  # what comes of it, and what a person does about it
    refused: bool = False  # nothing is deployed before that is done

    def __str__(self) -> str:
        if self.wanted:
            return f"{self.setting} is {self.there or 'not set'}, not {self.wanted}"
        return f"{self.setting} is {self.there or 'not set'}: {self.remedy}"

    @property
    def settled(self) -> str:
        """What to say where a deploy has dealt with it."""
        return f"{self.setting} set to {self.wanted}" if self.wanted else str(self)


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What a target reports of itself."""

    url: str  # the public address, without a slash at the end
    release: str = ""  # what has the traffic, as /healthz reports; empty: nothing
    build: str = ""
    image: str = ""  # reference with digest of what serves, where there is one
    healthy: bool = False
    unrecorded: str = ""  # a release that was asked for there, and is not recorded yet
    fingerprints: Mapping[str, str] = field(default_factory=dict[str, str])  # of variables; empty: cannot be read
    database_known: bool = False  # releases use DATABASE_URL of their variables, or else the one that the target has
    built_by: str = ""  # the builder of the repository there, whose image cannot be opened here; empty: none
    said: str = ""  # how the target itself puts it, for people
    deviations: tuple[Deviation, ...] = ()  # of its settings

    def differing(self, fingerprints: Mapping[str, str]) -> list[str]:
        """The names of these variables that it has otherwise; what cannot be read counts as it was written."""
        there = self.fingerprints
        return [name for name, value in fingerprints.items() if there and there.get(name) not in ("", value)]


def refuse(where: str, deviations: Iterable[Deviation]) -> None:
    """Raises WrongUse for the first deviation that nothing is deployed with."""
    for one in deviations:
        if one.refused:
            raise WrongUse(where, f"{one.setting} is {one.there or 'not set'}", one.remedy)


class Target(Protocol):
    """A place that runs releases. It decides nothing and prints nothing.

    The order is measure, observe, has, publish, inject, migrate, start, promote, retire, recorded; withdraw undoes
    start. Each may be done again after a crash.
    """

    name: str
    runs_images: bool  # attested ones, by digest; otherwise the source itself

    def hosts(self) -> tuple[str, ...]: ...  # names it is reached by: ALLOWED_HOSTS

    def origins(self) -> tuple[str, ...]: ...  # CSRF_TRUSTED_ORIGINS

    def domains(self) -> Sequence[Domain]: ...  # all names of a provider's service; none where no provider has it

    def polls(self) -> Iterable[object]: ...  # as often as a domain that may lead to the release before is asked

    def measure(self) -> Build: ...  # the build that this tree would give; reads only

    def observe(self) -> Observed: ...  # reads only

    def has(self, build: Build) -> bool: ...  # it is there to be started; reads only

    def publish(self, build: Build) -> None: ...  # make the build ready to be started

    def inject(self, release: Release) -> None: ...  # hand over its variables: drops none of theirs, starts nothing

    def migrate(self, release: Release) -> str: ...  # the database's last word, one line

    def start(self, release: Release) -> None: ...  # healthy under its own id when this returns

    def address(self, release: Release) -> str: ...  # where a started release answers, before or after promote

    def promote(self, release: Release) -> None: ...  # all traffic to it; the one before has answered what it began

    def retire(self, release: Release) -> None: ...  # all others stop, which have no traffic any more

    def recorded(self, release: Release) -> None: ...  # the ledger has it: what was noted on the way may go

    def withdraw(self, release: Release) -> None: ...  # undo start: the one before goes on serving

    def manage(self, *arguments: str) -> tuple[str, ...]: ...

    # The site's manage.py with these arguments, run inside the live release, with its files and variables: the lines
    # it wrote, output and errors in one, whatever its exit code. Raises StayputError where nothing is live, and where
    # the place runs no commands, whose next step says where the same is found.

    def logs(self, *, follow: bool = False) -> Iterator[str]: ...

    def destroy(self) -> None: ...
