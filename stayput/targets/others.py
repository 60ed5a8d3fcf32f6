"""Deployments of other people and other checkouts at the same service: waited for, and never written over."""

from collections.abc import Callable, Collection, Sequence

from stayput.errors import StayputError
from stayput.targets.http import Refused, poll
from stayput.targets.provider import Deployment, Pace, Phase, Provider


class Others:
    def __init__(self, provider: Provider, pace: Pace, say: Callable[[str], None]) -> None:
        self._provider, self._pace, self._say = provider, pace, say
        self._clock = provider.api.clock

    def wait(self, ours: Collection[str] = ()) -> Sequence[Deployment]:
        """Wait until no deployment but these is under way; returns what is listed then.

        Raises StayputError where one goes on for longer than `Pace.others`.
        """
        began, ended = self._clock.now(), set(ours)
        while True:
            listed = self._provider.deployments()
            other = next((one for one in listed if one.phase is Phase.UNDERWAY and one.id not in ended), None)
            if other is None:
                return listed
            who = self.describe(other)
            self._say(f"    {who} is under way: waiting for it")
            self._follow(other.id, who, self._pace.others - (self._clock.now() - began))
            ended.add(other.id)

    def describe(self, one: Deployment) -> str:
        """Which, whose, of what and since when, as far as the provider says."""
        try:
            whose = self._provider.whose(one.id)
        except StayputError:  # it only helps
            whose = ""
        known = (("by", whose), ("of", one.image), ("since", one.created))
        return f"deployment {one.id}" + "".join(f" {word} {what}" for word, what in known if what)

    def _follow(self, id: str, who: str, limit: float) -> None:
        said = ""
        for gone in poll(self._clock, self._pace.first, self._pace.last, limit):
            try:
                now = self._provider.deployment(id)
            except Refused:  # it is not kept any more
                return
            if now.phase is not Phase.UNDERWAY:
                return
            if now.said != said:
                said = now.said
                self._say(f"    {self._provider.name}: {said} ({gone:.0f} s)")
        what = f"{who} is not ours, and still says {said} after {self._pace.others:.0f} s"
        raise StayputError(self._provider.api.where, what, "wait until it has ended, or cancel it there; deploy again")


def taker(listed: Sequence[Deployment], known: Collection[str]) -> Deployment | None:
    """The newest deployment that came after these and has the traffic, or is about to get it. listed: newest first."""
    return next((one for one in listed if one.id not in known and one.phase in (Phase.LIVE, Phase.UNDERWAY)), None)
