"""The Content-Type of a request, without what Django would stumble over.

Forms and JSON are UTF-8 here. Another charset, or a parameter in a charset that nobody knows, would be an error of the
server.
"""

from collections.abc import Callable, Iterable
from email.message import Message
from email.utils import quote
from typing import Any

from app.config.drain import Application


def plainly_typed(application: Application) -> Application:
    """The WSGI application, told the type and the boundary alone."""

    def called(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["CONTENT_TYPE"] = plain(environ.get("CONTENT_TYPE", ""))
        return application(environ, start_response)

    return called


def plain(content_type: str) -> str:
    message = Message()
    message["Content-Type"] = content_type
    media_type, boundary = content_type.partition(";")[0].strip().lower(), message.get_boundary()
    return media_type if boundary is None else f'{media_type}; boundary="{quote(boundary)}"'
