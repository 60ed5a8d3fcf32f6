"""A circuit breaker: a storage that keeps failing is left alone for a while, and no request waits for its time-outs."""

import threading
import time
from collections.abc import Callable


class Breaker:
    """Opens after `failures` in a row, for `seconds`; the next failure after that opens it again at once.

    Of one process: each worker finds out for itself.
    """

    def __init__(self, *, failures: int, seconds: float, clock: Callable[[], float] = time.monotonic):
        self.failures, self.seconds, self._clock = failures, seconds, clock
        self._lock = threading.Lock()
        self._failed, self._last = 0, 0.0

    def wait(self) -> float:
        """Seconds until the storage may be asked again; 0 when it may be asked now."""
        with self._lock:
            return max(0.0, self._last + self.seconds - self._clock()) if self._failed >= self.failures else 0.0

    def succeeded(self) -> None:
        with self._lock:
            self._failed = 0

    def failed(self) -> None:
        with self._lock:
            self._failed, self._last = self._failed + 1, self._clock()
