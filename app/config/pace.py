"""The least pace of a sender: one that falls below it does not hold a thread for ever."""

import errno
import time
from typing import Any

STALL = 30.0  # seconds without a byte
GRACE = 20.0  # seconds of waiting for a request before its pace counts
LEAST_PACE = 1024.0  # bytes a second


class TooSlow(ConnectionResetError):
    """The sender fell below the least pace."""

    def __init__(self, how: str):
        super().__init__(errno.ECONNRESET, how)


class PacedSocket:
    """A connection that gives up on its sender. Only the time spent waiting for bytes counts.

    A sender who asks first (Expect: 100-continue) is answered when the body is first read, and never if it is not.
    """

    def __init__(self, connection: Any):
        self._connection = connection
        self.begin()

    def begin(self) -> None:
        """A new request may come."""
        self._waited, self._received = 0.0, 0
        self.asked_first = False

    def sendall(self, data: bytes) -> None:
        self.asked_first = False  # here is the answer
        self._connection.sendall(data)

    def recv(self, size: int) -> bytes:
        if self.asked_first:
            self.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        free = self._connection.gettimeout() is None  # nothing else limits the wait
        begun = time.monotonic()
        if free:
            self._connection.settimeout(STALL)
        try:
            data = self._connection.recv(size)
        except TimeoutError as stalled:
            raise TooSlow(f"no byte for {time.monotonic() - begun:.0f} s") from stalled
        finally:
            if free:
                self._connection.settimeout(None)
        self._waited += time.monotonic() - begun
        self._received += len(data)
        if data and self._waited > GRACE and self._received < self._waited * LEAST_PACE:
            raise TooSlow(f"{self._received} bytes in {self._waited:.0f} s")
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)
