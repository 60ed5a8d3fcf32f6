"""The one deployment of a release: noted before it is asked for, and found again where its answer was lost."""

import contextlib
from collections.abc import Callable, Sequence
from http import HTTPStatus
from pathlib import Path

import msgspec

from stayput.errors import StayputError
from stayput.kept import recall
from stayput.secrets import write_private
from stayput.targets.http import Refused, Unsure, poll
from stayput.targets.others import Others
from stayput.targets.provider import Deployment, Pace, Phase, Provider, repository
from stayput.targets.repository import is_commit


class Unshown(Unsure):
    """It was taken, and the list does not show it: asked for again, it could be made twice."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """Written before a deployment is asked for, so that the next command finds it instead of making a second one.

    It is kept until its release is recorded or taken back.
    """

    release: str
    image: str
    before: tuple[str, ...]  # ids of the deployments that were there
    live: str  # the one of them that had the traffic; empty: none
    served: str  # the release that the public address reported; empty: none
    asked: float  # when, in seconds since the epoch
    id: str = ""  # of the deployment; empty: not known yet, so that only the list can tell whether it was made
    fresh: bool = False  # built without what the provider keeps from earlier builds
    put_back: bool = False  # the variables are those before it again, though it may still have the traffic


class Attempts:
    """The note of the last attempt, and what the provider has of it."""

    def __init__(
        self, provider: Provider, file: Path, pace: Pace, others: Others, say: Callable[[str], None], *, fresh: bool
    ) -> None:
        self._provider, self._file, self._pace, self._others, self._say = provider, file, pace, others, say
        self._clock, self._fresh = provider.api.clock, fresh

    def last(self) -> Attempt | None:
        return recall(self._file, Attempt)

    def of(self, release: str) -> Attempt | None:
        attempt = self.last()
        return attempt if attempt and attempt.release == release else None

    def forget(self) -> None:
        self._file.unlink(missing_ok=True)

    def begin(self, release: str, image: str, served: str, there: Sequence[Deployment]) -> str:
        """Ask for the one deployment and return its id.

        served: what the public address reports now. there: the deployments, newest first, none of them under way.
        """
        attempt = Attempt(
            release=release,
            image=image,
            before=tuple(one.id for one in there),
            live=next((one.id for one in there if one.phase is Phase.LIVE), ""),
            served=served,
            asked=self._clock.today(),
            fresh=self._fresh,
        )

        def ask() -> str:
            self._note(msgspec.structs.replace(attempt, asked=self._clock.today()))
            return self._provider.deploy(image)

        try:
            id = self.made(ask, lambda: self.find(attempt))
        except Unsure:
            raise
        except StayputError:
            self.forget()  # a clear no: there is nothing to look for
            raise
        self._note(msgspec.structs.replace(attempt, id=id))
        return id

    def under_way(self, release: str) -> Deployment | None:
        """What an earlier run of this release asked for, if it goes on or did its work."""
        attempt = self.of(release)
        if attempt is None:
            return None
        gone = self._clock.today() - attempt.asked
        found = self._look(lambda: self.find(attempt), self._pace.look - gone if not attempt.id else 0)
        if found is None or found.phase in (Phase.FAILED, Phase.REPLACED):
            return None
        self._note(msgspec.structs.replace(attempt, id=found.id))
        return found

    def mark_put_back(self, attempt: Attempt) -> None:
        self._note(msgspec.structs.replace(attempt, put_back=True))

    def find(self, attempt: Attempt, listed: Sequence[Deployment] | None = None) -> Deployment | None:
        """The attempt's deployment: by its id, or the newest of its image that came after the attempt was written.

        listed: what the provider has, where it was read just now.
        """
        if attempt.id and listed is not None and (found := [one for one in listed if one.id == attempt.id]):
            return found[0]
        if attempt.id:
            with contextlib.suppress(Refused):  # it is not kept any more
                return self._provider.deployment(attempt.id)
            return None
        for one in self._provider.deployments() if listed is None else listed:
            if one.id not in attempt.before and digest(one.image) in ("", digest(attempt.image)):
                return one
        return None

    def made(self, ask: Callable[[], str], find: Callable[[], Deployment | None]) -> str:
        """The id of what `ask` starts, found in the list where its answer was lost. Raises Unsure.

        What the list has not shown in the time that it may be late was never made, and is asked for once more.
        """
        try:
            return self._made(ask, find, lambda: None)
        except Unshown:
            raise
        except Unsure as problem:
            self._say(f"    {problem.what}; the list shows none after {self._pace.look:.0f} s: asking once more")
        self._others.wait()
        if found := find():
            return found.id
        return self._made(ask, find, find)

    def _made(
        self,
        ask: Callable[[], str],
        find: Callable[[], Deployment | None],
        find_earlier: Callable[[], Deployment | None],
    ) -> str:
        unsure: Unsure = Unshown(
            self._provider.api.where, "took the deployment, but does not show it", "run this again: it looks first"
        )
        try:
            if id := self._asked(ask, find_earlier):
                return id
        except Unsure as problem:
            unsure = problem
        if found := self._look(find, self._pace.look):
            return found.id
        raise unsure

    def _asked(self, ask: Callable[[], str], find_earlier: Callable[[], Deployment | None]) -> str:
        """What `ask` gives, once no other deployment is in its way. find_earlier: what was made when it was asked."""
        for gone in poll(self._clock, self._pace.first, self._pace.last, self._pace.others):
            try:
                return ask()
            except Refused as problem:
                if problem.status != HTTPStatus.CONFLICT:
                    raise
                if not gone:
                    self._say(f"    {problem.what}: waiting for it")
            self._others.wait()
            if found := find_earlier():
                return found.id
        return ask()

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


def is_other(there: str, asked: str) -> bool:
    """Whether the image or commit that a provider tells is another than the one that was asked for."""
    if not there or is_commit(asked):
        return bool(there) and not asked.startswith(there.lower())
    if digest(there):
        return digest(there) != digest(asked)
    return repository(there) != repository(asked)
