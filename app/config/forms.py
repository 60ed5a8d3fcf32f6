"""Forms as any client writes them, made such that Django reads them.

Django fails on a charset that cannot decode leniently and on parameters in an unknown one, and leaves out a part
whose file name is not UTF-8. Neither charset nor name matters here.
"""

import re
from collections.abc import Callable, Iterable
from email.message import Message
from email.utils import quote
from typing import Any

from app.config.drain import Application


def readable(application: Application) -> Application:
    """The WSGI application, given of a Content-Type the type and the boundary alone, and all names in UTF-8."""

    def called(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        media_type, boundary = split(environ.get("CONTENT_TYPE", ""))
        environ["CONTENT_TYPE"] = media_type
        if boundary is not None:
            environ["CONTENT_TYPE"] = f'{media_type}; boundary="{quote(boundary)}"'
            environ["wsgi.input"] = Parts(environ["wsgi.input"], boundary)
        return application(environ, start_response)

    return called


def split(content_type: str) -> tuple[str, str | None]:
    message = Message()
    message["Content-Type"] = content_type
    return content_type.partition(";")[0].strip().lower(), message.get_boundary()


class Parts:
    """A form's body; a byte that is no UTF-8 in the head of a part becomes a question mark, so that no length changes.

    A head that is cut by the end of what is read at once stays as it is.
    """

    def __init__(self, body: Any, boundary: str):
        self.body, self.readline, self.opening = body, body.readline, f"--{boundary}\r\n".encode()
        self.heads = re.compile(re.escape(self.opening) + rb".{0,1024}?\r\n\r\n", re.DOTALL)

    def read(self, size: int = -1) -> bytes:
        data = self.body.read(size)
        return self.heads.sub(in_utf8, data) if self.opening in data else data


def in_utf8(head: re.Match[bytes]) -> bytes:
    return head[0].decode(errors="surrogateescape").encode(errors="replace")
