"""Bodies that are refused before a byte of them is read, or because too few come."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError

from app.config.pace import TooSlow
from app.uploads.events import log
from app.uploads.images import too_large


class BodyLimitMiddleware:
    """413 for a body that says it is too large; 411 for one that does not say, which Django would see as empty.

    And 415 for one that is compressed: nothing here unpacks it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("POST", "PUT", "PATCH"):
            return self.get_response(request)
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            return refusal(415, "The body is compressed: send it as it is, without Content-Encoding.")
        length = request.META.get("CONTENT_LENGTH") or ""
        if not length.isdecimal():
            return refusal(411, "The upload does not say how long it is: send a Content-Length header.")
        if int(length) > settings.BODY_LIMIT:
            log("upload.too_large", level=logging.WARNING, length=int(length))
            return refusal(413, too_large(int(length), settings.UPLOAD_LIMITS.upload_bytes))
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        """408 for a sender who was too slow, 400 for one who went away."""
        if not isinstance(problem, UnreadablePostError):
            return None
        if isinstance(problem.__cause__, TooSlow):
            log("upload.too_slow", level=logging.WARNING, length=int(request.META["CONTENT_LENGTH"]))
            return refusal(408, "The picture came too slowly. Please try again with a better connection.")
        return refusal(400, "The connection broke before the picture was here. Please send it again.")


def refusal(status: int, sentence: str) -> HttpResponse:
    answer = JsonResponse({"image": [sentence]}, status=status)
    answer.headers["Content-Length"] = str(len(answer.content))
    return answer
