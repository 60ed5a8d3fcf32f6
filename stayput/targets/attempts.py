"""The one deployment of a release: noted before it is asked for, and found again where its answer was lost."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from stayput.errors import StayputError
from stayput.kept import recall
from stayput.secrets import write_private
from stayput.targets.http import Refused, Unsure, poll
from stayput.targets.provider import Deployment, Pace, Phase, Provider
from stayput.targets.repository import is_commit


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """Written before a deployment is asked for, so that the next command finds it instead of making a second one."""

    release: str
    image: str
    before: tuple[str, ...]  # ids of the deployments that were there
    live: str  # the one of them that had the traffic; empty: none
    served: str  # the release that the public address reported; empty: none
    asked: float  # when, in seconds since the epoch
    id: str = ""  # of the deployment; empty: not told yet, so that only the list can tell whether it was made


class Attempts:
    """The note of the last attempt, and what the provider has of it."""

    def __init__(self, provider: Provider, file: Path, pace: Pace) -> None:
        self._provider, self._file, self._pace = provider, file, pace
        self._clock = provider.api.clock

    def last(self) -> Attempt | None:
        return recall(self._file, Attempt)

    def forget(self) -> None:
        self._file.unlink(missing_ok=True)

    def begin(self, release: str, image: str, served: str) -> str:
        """Ask for the one deployment and return its id. served: what the public address reports now."""
        there = self._provider.deployments()
        attempt = Attempt(
            release=release,
            image=image,
            before=tuple(one.id for one in there),
            live=next((one.id for one in there if one.phase is Phase.LIVE), ""),
            served=served,
            asked=self._clock.today(),
        )
        self._note(attempt)
        try:
            id = self.made(lambda: self._provider.deploy(image), lambda: self.find(attempt))
        except Unsure:
            raise
        except StayputError:
            self.forget()  # a clear no: there is nothing to look for
            raise
        self._note(msgspec.structs.replace(attempt, id=id))
        return id

    def under_way(self, release: str) -> Deployment | None:
        """What an earlier run of this release asked for, if it goes on or did its work."""
        attempt = self.last()
        if attempt is None or attempt.release != release:
            return None
        gone = self._clock.today() - attempt.asked
        found = self._look(lambda: self.find(attempt), self._pace.look - gone if not attempt.id else 0)
        if found is None or found.phase in (Phase.FAILED, Phase.REPLACED):
            return None
        self._note(msgspec.structs.replace(attempt, id=found.id))
        return found

    def find(self, attempt: Attempt) -> Deployment | None:
        """The attempt's deployment: by its id, or the newest of its image that came after the attempt was written."""
        if attempt.id:
            with contextlib.suppress(Refused):  # it is not kept any more
                return self._provider.deployment(attempt.id)
            return None
        for one in self._provider.deployments():
            if one.id not in attempt.before and digest(one.image) in ("", digest(attempt.image)):
                return one
        return None

    def made(self, ask: Callable[[], str], find: Callable[[], Deployment | None]) -> str:
        """The id of what `ask` starts, found in the list where its answer was lost. Raises Unsure."""
        unsure: Unsure | None = None
        try:
            if id := ask():
                return id
        except Unsure as problem:
            unsure = problem
        if found := self._look(find, self._pace.look):
            return found.id
        what = "took the deployment, but does not show it"
        raise unsure or Unsure(self._provider.api.where, what, "run this again: it looks first")

    def _look(self, find: Callable[[], Deployment | None], limit: float) -> Deployment | None:
        """What is found at once, or within so many seconds: a list may be late."""
        for _ in poll(self._clock, self._pace.first, self._pace.last, limit):
            if found := find():
                return found
        return None

    def _note(self, attempt: Attempt) -> None:
        write_private(self._file, msgspec.json.encode(attempt))


def digest(image: str) -> str:
    """The digest of an image reference, or a commit; empty where it has none."""
    return image if is_commit(image) else image.partition("@")[2]
