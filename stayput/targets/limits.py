"""Until when a provider takes no calls. One answer that says so counts for every call of this process to it."""

import threading
from collections.abc import Callable
from functools import cache


class Limit:
    """A point in time, by one clock, before which no call is sent."""

    def __init__(self) -> None:
        self._until, self._lock = float("-inf"), threading.Lock()

    @property
    def until(self) -> float:
        return self._until

    def hold(self, until: float) -> None:
        """Send nothing before that; an earlier hold that lasts longer stays."""
        with self._lock:
            self._until = max(self._until, until)


@cache
def limit_of(url: str, now: Callable[[], float]) -> Limit:
    """The one limit of the API at that address. now: of the clock that its times are read by."""
    del url, now
    return Limit()
