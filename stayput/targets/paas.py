"""Releases at a provider: variables that differ, one deployment, the public address believed, and the way back.

A provider is one file that says its calls and reads their answers; what is the same everywhere is here. The new
release gets the traffic when the provider finds it healthy, so it is proven after that, and taken back if it fails.
"""

import contextlib
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path

import httpx

from stayput.authorities import authorities
from stayput.django.variables import VARIABLES
from stayput.domains import HOSTS, Domain, hosts_of, origins_of, unvisited
from stayput.errors import StayputError, WrongUse
from stayput.image.inside import LOCKED
from stayput.proof import READ_LOG
from stayput.redact import redact
from stayput.release import Build, Release
from stayput.secrets import Secret, fingerprint, plain
from stayput.targets import Deviation, Observed, refuse
from stayput.targets.attempts import Attempt, Attempts, is_other
from stayput.targets.http import Clock, Refused, poll
from stayput.targets.lookout import look
from stayput.targets.others import Others, taker
from stayput.targets.provider import HEALTH_PATH, READ_ITS_LOG, Builder, Deployment, Pace, Phase, Provider, Source
from stayput.targets.repository import ANEW, installed

LOG_LINES = 50
OURS = frozenset(variable.name for variable in VARIABLES if variable.owner == "ours")


def stderr(line: str) -> None:
    sys.stderr.write(line + "\n")


class PaasTarget:
    """A Target at a provider."""

    def __init__(
        self,
        provider: Provider,
        source: Source,
        *,
        home: Path,
        key: Secret,
        migrate: str,
        brings_database: bool = False,
        builder: Builder | None = None,
        fresh: bool = False,
        pace: Pace | None = None,
        say: Callable[[str], None] = stderr,
        public: "Callable[[str], tuple[int, str, str]] | None" = None,
    ) -> None:
        """home: of the stack. key: of the fingerprints. migrate: the command that migrates the database.

        brings_database: releases have a DATABASE_URL among their own variables.

        builder: the provider again, where it builds a commit itself. fresh: without what it keeps from earlier builds.

        public: what the public address reports of itself, otherwise asked by `reported`.
        """
        self.name = provider.name
        self.runs_images = builder is None
        self._provider, self._source, self._key, self._migrate = provider, source, key, migrate
        self._builder, self._fresh = builder, fresh
        self._brings_database = brings_database
        self._pace, self._reported = pace or Pace(), public or reported
        self._say: Callable[[str], None] = lambda line: say(redact(line))  # a provider's log quotes anything
        self._others = Others(provider, self._pace, self._say)
        self._attempts = Attempts(
            provider, home / f"{provider.name}.json", self._pace, self._others, self._say, fresh=fresh
        )
        self._there: frozenset[str] | None = None  # ids of the deployments when this run wrote its variables
        self._changed = self._started = False  # by this run: something at the provider; its deployment
        self._was_live = False  # the deployment of an earlier run, when this run began to write
        self._ids = home / f"{provider.name}-ids.json"

    def hosts(self) -> tuple[str, ...]:
        _ = self._provider.url()  # raises where there is none
        return hosts_of(self._provider.domains())

    def origins(self) -> tuple[str, ...]:
        return origins_of(self._provider.domains())

    def domains(self) -> Sequence[Domain]:
        return self._provider.domains()

    def polls(self) -> Iterable[object]:
        return poll(self._clock, self._pace.first, self._pace.last, self._pace.public)

    def measure(self) -> Build:
        return self._source.measure()

    def observe(self) -> Observed:
        seen = look(self._provider, self._ids)
        status, release, build = self._reported(seen.url)
        healthy = status == HTTPStatus.OK
        live = next((one for one in seen.deployments if one.phase is Phase.LIVE), None)
        attempt = self._attempts.last()
        return Observed(
            url=seen.url,
            release=release,
            build=build,
            image=live.image if live else "",
            healthy=healthy,
            fingerprints=seen.fingerprints,
            unrecorded=attempt.release if attempt else "",
            built_by=self.name if self._builder else "",
            said="" if healthy else f"/healthz answers {status or 'nothing'}",
            deviations=(*self._deviations(seen.fingerprints), *self._unfinished(attempt, seen.deployments)),
        )

    def has(self, build: Build) -> bool:
        return self._source.has(build)

    def publish(self, build: Build) -> None:
        self._source.publish(build)

    def inject(self, release: Release) -> None:
        listed = self._clear(release)
        self._there = frozenset(one.id for one in listed)
        attempt = self._attempts.of(release.id)
        ours = self._attempts.find(attempt, listed) if attempt else None
        self._was_live = ours is not None and ours.phase is Phase.LIVE
        there = self._provider.fingerprints()
        if stale := sorted(name for name in there if name in OURS and name not in release.variables):
            raise WrongUse(
                self._where,
                f"{', '.join(stale)} set there would be left without a value by this release",
                "say it under [variables] in stayput.toml, or take it away there by hand",
            )
        refuse(self._where, self._deviations(there))
        self._hand_over(release, there)

    def migrate(self, release: Release) -> str:
        return self._provider.migrates

    def start(self, release: Release) -> None:
        """Raises StayputError when the deployment fails, or the public address does not report the release in time."""
        image = self._source.reference(release.build)
        listed = self._clear(release)
        self._hand_over(release, self._provider.fingerprints())  # others may have written since
        for line in unvisited(self._provider.domains(), plain(release.variables.get(HOSTS, ""))):
            self._say(f"    {line}")
        for one in self._provider.settle(image, self._migrate):
            self._changed = self._changed or bool(one.wanted)
            self._say(f"    {one.settled}")
        self._started = True
        ended = self._follow(self._underway(release, image) or self._begin(release, image, listed))
        self._check_end(ended, image)
        self._await_release(release.id, release.build.id, ended.id)
        if self._builder:
            self._say(f"    {self._installed(self._builder, ended.id, release.build)}")

    def address(self, release: Release) -> str:
        return self._provider.url()

    def promote(self, release: Release) -> None:
        """It has the traffic already; confirmed here by the public address."""
        attempt = self._attempts.of(release.id)
        self._await_release(release.id, release.build.id, attempt.id if attempt else "")

    def retire(self, release: Release) -> None:
        """The provider does."""

    def recorded(self, release: Release) -> None:
        self._attempts.forget()

    def withdraw(self, release: Release) -> None:
        """Back to what served before. Raises StayputError where that cannot be."""
        listed = self._provider.deployments()
        attempt = self._attempts.of(release.id)
        ours = self._attempts.find(attempt, listed) if attempt else None
        known = attempt.before if attempt else self._there
        if known is not None and (other := taker(listed, {*known, ours.id if ours else ""})):
            self._say(f"    {self._others.describe(other)} took over: its variables and its traffic stay")
            self._attempts.forget()
            return
        if lost := self._provider.restore():
            self._say(f"    {', '.join(lost)}: the value before is sealed there; the next deploy writes its own")
        if attempt is None or (self._there is not None and not self._started):
            return  # this run has started nothing
        if self._started:
            self._attempts.mark_put_back(attempt)
        if ours is None and not attempt.id:
            return  # a list that is late may show it yet: the next run looks first
        if ours and ours.phase is Phase.UNDERWAY:
            ours = self._cancel(ours.id)
        if ours and ours.phase is Phase.LIVE:
            self._go_back(attempt, {ours.id, *(one.id for one in listed)})
        elif attempt.served and self._started:
            self._await_release(attempt.served)
        self._attempts.forget()

    def manage(self, *arguments: str) -> tuple[str, ...]:
        """No API runs a command: always raises StayputError."""
        command = f"python manage.py {' '.join(arguments)}"
        raise StayputError(self._where, f"{self.name} lets no command in", f"run it in its own shell: {command}")

    def logs(self, *, follow: bool = False) -> Iterator[str]:
        shown: list[str] = []
        for _ in poll(self._clock, self._pace.last, self._pace.last, float("inf")):
            lines = list(self._provider.log("", 100))
            known = set(shown)
            yield from (line for line in lines if line not in known)
            shown = lines
            if not follow:
                return

    def destroy(self) -> None:
        """Stayput made no service there, so none is taken away: a database and a domain hang on it."""
        self._attempts.forget()
        self._say(f"    the service itself stays: it was made at {self.name} by hand, and is taken away there")

    def _deviations(self, there: Mapping[str, str]) -> Iterator[Deviation]:
        """there: fingerprints of the variables."""
        yield from self._source.deviations()
        if self._fresh:
            yield Deviation(setting="the build cache", there="kept", wanted="cleared")
        if not self._brings_database and "DATABASE_URL" not in there:
            said = "set it there: rows would lie on a disk that is thrown away; docs/paas.md says whose it is"
            yield Deviation(setting="DATABASE_URL", remedy=said, refused=True)
        yield from self._provider.deviations(self._migrate)

    @property
    def _clock(self) -> Clock:
        return self._provider.api.clock

    @property
    def _where(self) -> str:
        return self._provider.api.where

    def _unfinished(self, attempt: Attempt | None, listed: Sequence[Deployment]) -> Iterator[Deviation]:
        """What an earlier run asked for, and has not ended yet, or cannot be seen yet."""
        found = self._attempts.find(attempt, listed) if attempt else None
        if attempt and (found.phase is Phase.UNDERWAY if found else not attempt.id):
            yield Deviation(setting="the deployment of the last run", there="under way", wanted="live")

    def _clear(self, release: Release) -> Sequence[Deployment]:
        """The deployments, once none is under way but what an earlier run asked for, for this release."""
        attempt = self._attempts.last()
        ours = self._attempts.find(attempt) if attempt else None
        if attempt and ours and ours.phase is Phase.UNDERWAY and attempt.release != release.id:
            self._say(f"    deployment {ours.id} of release {attempt.release}, of the last run, is canceled")
            ours = self._cancel(ours.id)
        return self._others.wait({ours.id} if ours else ())

    def _hand_over(self, release: Release, there: Mapping[str, str]) -> None:
        """The variables that differ. there: fingerprints, as just read."""
        wanted = release.variables
        differing = {n: v for n, v in wanted.items() if there.get(n) != fingerprint(self._key, plain(v))}
        self._changed = self._changed or bool(differing)
        self._provider.inject(differing)

    def _begin(self, release: Release, image: str, listed: Sequence[Deployment]) -> str:
        _, served, _ = self._reported(self._provider.url())
        return self._attempts.begin(release.id, image, served, listed)

    def _underway(self, release: Release, image: str) -> str:
        """The deployment that an earlier run of this release asked for, to be gone on with; else empty.

        One that has ended is gone on with where it serves what is wanted, and nothing was changed since.
        """
        found, attempt = self._attempts.under_way(release.id), self._attempts.of(release.id)
        if found is None or attempt is None:
            return ""
        other = attempt.image != image or (self._fresh and not attempt.fresh)
        if found.phase is Phase.LIVE:
            changed = self._changed and self._was_live and not attempt.put_back
            other = other or changed or self._reported(self._provider.url())[1] != release.id
        elif other:
            self._cancel(found.id)
        if other:
            return ""
        self._say(f"    deployment {found.id} was asked for by the last run: going on with it")
        return found.id

    def _check_end(self, ended: Deployment, image: str) -> None:
        """Raises StayputError unless it is live, with that image."""
        if ended.phase is not Phase.LIVE:
            self._refuse_taken_over(ended.id, f"ended as {ended.said}")
            if ended.next_step == READ_ITS_LOG:
                for line in self._provider.log(ended.id, LOG_LINES)[-LOG_LINES:]:
                    self._say(f"    | {line}")
            raise StayputError(self._where, f"deployment {ended.id} ended as {ended.said}", ended.next_step)
        if is_other(ended.image, image):
            what = f"deployment {ended.id} is of {ended.image}, not of {image}, which was asked for"
            raise StayputError(self._where, what, "see what the service takes its image or commit from, deploy again")

    def _refuse_taken_over(self, ours: str, how: str) -> None:
        """Raises StayputError where another's deployment came after ours and has its place."""
        attempt = self._attempts.last()
        if attempt and (other := taker(self._provider.deployments(), {*attempt.before, ours})):
            what = f"deployment {ours} {how}: {self._others.describe(other)} took over"
            raise StayputError(self._where, what, "find out whose that is, before you deploy over it")

    def _cancel(self, id: str) -> Deployment:
        with contextlib.suppress(Refused):  # it has ended meanwhile
            self._provider.cancel(id)
        return self._follow(id)

    def _follow(self, id: str) -> Deployment:
        """Poll until the deployment has ended, telling each new word."""
        said = ""
        for gone in poll(self._clock, self._pace.first, self._pace.last, self._pace.deployment):
            now = self._provider.deployment(id)
            if now.said != said:
                self._say(f"    {self.name}: {now.said} ({gone:.0f} s)")
                said = now.said
            if now.phase is not Phase.UNDERWAY:
                return now
        raise StayputError(
            self._where, f"deployment {id} still says {said} after {self._pace.deployment:.0f} s", "run this again"
        )

    def _installed(self, builder: Builder, deployment: str, build: Build) -> str:
        """What its build's log says of the lock; a log may be late. Raises StayputError."""
        lines: list[str] = []
        for _ in poll(self._clock, self._pace.first, self._pace.last, self._pace.look if self._fresh else 0):
            if lines := [line for line in builder.build_log(deployment) if LOCKED in line]:
                break
        return installed(self._where, lines, build, fresh=self._fresh)

    def _go_back(self, attempt: Attempt, known: Collection[str]) -> None:
        """known: ids of all deployments that are there."""
        if not attempt.live:
            raise StayputError(self._where, "it has no earlier release to go back to", "mend the site and deploy again")
        newest = lambda: next((one for one in self._provider.deployments() if one.id not in known), None)  # noqa: E731
        ended = self._follow(self._attempts.made(lambda: self._provider.back_to(attempt.live), newest))
        if ended.phase is not Phase.LIVE:
            raise StayputError(
                self._where, f"the way back to {attempt.live} ended as {ended.said}", "roll back there by hand"
            )
        self._say(f"    back on release {attempt.served or attempt.live}")
        if attempt.served:
            self._await_release(attempt.served)

    def _await_release(self, release: str, build: str = "", ours: str = "") -> None:
        """Wait until the public address reports it. build: empty for any. ours: the deployment that is to serve it."""
        url, status, there, built = self._provider.url(), 0, "", ""
        for _ in poll(self._clock, self._pace.first, self._pace.last, self._pace.public):
            status, there, built = self._reported(url)
            if status == HTTPStatus.OK and there == release and build in ("", built):
                return
            if ours:
                self._refuse_taken_over(ours, "was live")
        if status != HTTPStatus.OK:
            what = f"answers {status or 'nothing'}, not 200 as release {release}"
        elif there != release:
            what = f"serves release {there or 'unknown'}, not {release}"
        elif self._builder:
            raise StayputError(url, f"serves build {built}, not {build}, which its commit gives", ANEW)
        else:
            what = f"serves build {built or 'unknown'}, not {build}"
        raise StayputError(url, f"{what}, after {self._pace.public:.0f} s", READ_LOG)


def reported(url: str) -> tuple[int, str, str]:
    """(status, release, build) that /healthz of that address reports; 0 and empty texts where nothing answers."""
    try:
        fresh = {"Cache-Control": "no-cache"}
        answer = httpx.get(f"{url}{HEALTH_PATH}", timeout=10, headers=fresh, verify=authorities())
    except (httpx.HTTPError, httpx.InvalidURL):
        return 0, "", ""
    try:
        body = answer.json()
        return answer.status_code, str(body["release"]), str(body["build"])
    except (ValueError, KeyError, TypeError):
        return answer.status_code, "", ""
