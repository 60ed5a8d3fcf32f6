"""What is left of a request's body when it has been answered."""

import errno
import io
import socket

import pytest
from gunicorn.http.body import Body, ChunkedReader
from gunicorn.http.errors import ParseException
from gunicorn.http.unreader import IterUnreader

from app.config.drain import Drained


def ended(body):
    """The connection's other end, after an answer to a request with that body."""
    near, far = socket.socketpair()
    environ = {"REQUEST_METHOD": "POST", "gunicorn.socket": near, "wsgi.input": body}
    with near, far:
        Drained(lambda environ, start_response: [b"answer"])(environ, None).close()


def chunked(content):
    return Body(ChunkedReader(None, IterUnreader([content])))


def test_a_body_that_nobody_read_is_read_to_its_end():
    body = io.BytesIO(b"x" * 2**18)
    ended(body)
    assert body.read() == b""


def test_a_body_that_is_no_http_ends_its_connection_without_a_traceback_in_the_log():
    with pytest.raises(ParseException):
        chunked(b"zz\r\n").read()
    with pytest.raises(ConnectionResetError) as reset:
        ended(chunked(b"zz\r\n"))
    assert reset.value.errno == errno.ECONNRESET  # which gunicorn takes for the client's own doing
