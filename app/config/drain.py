"""Answers that reach a sender whose body was not read.

An upload may be refused by its length or its token alone. A server that then closes the connection with bytes of the
body unread resets it, and the client may never see the answer; one that keeps it open would take them for a request.
"""

import errno
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from gunicorn.http.errors import ParseException

PATIENCE = 5.0  # seconds that a client may go on sending what is thrown away

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Drained:
    """A WSGI application that, once it has answered, reads on to the end of the request's body."""

    def __init__(self, application: Application):
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = self.application(environ, start_response)
        return answer if environ["REQUEST_METHOD"] in ("GET", "HEAD") else Answer(answer, environ)


class Answer:
    def __init__(self, answer: Iterable[bytes], environ: dict[str, Any]):
        self.answer, self.environ = answer, environ

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.answer)

    def close(self) -> None:
        """The server calls it when the answer has been sent."""
        if hasattr(self.answer, "close"):
            self.answer.close()
        connection = self.environ.get("gunicorn.socket")
        if connection is not None:  # another server has to see to it itself: reading may hang
            try:
                with suppress(OSError):
                    drain(self.environ["wsgi.input"], connection, time.monotonic() + PATIENCE)
            except ParseException:  # no request can follow on this connection; gunicorn closes it without a word
                raise ConnectionResetError(errno.ECONNRESET, "the rest of the body is no HTTP") from None


def drain(body: Any, connection: Any, deadline: float) -> None:
    try:
        while (left := deadline - time.monotonic()) > 0:
            connection.settimeout(left)
            if not body.read(2**16):
                break
    finally:
        connection.settimeout(None)
