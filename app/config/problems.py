"""What is said when no view answers: JSON to programs, Django's own page to people."""

import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.middleware.common import CommonMiddleware
from django.views import defaults

RETRY_AFTER = "10"  # seconds
SENTENCES: dict[type[Exception], str] = {
    DisallowedHost: "The site is not served under this name: it is not in ALLOWED_HOSTS.",
    RequestDataTooBig: "More than 2.5 MB came outside of a file: send the picture as a file, with a file name.",
    TooManyFieldsSent: "The form has too many fields: send one.",
    TooManyFilesSent: "The form has too many files: send one.",
}

logger = logging.getLogger("site")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": "There is nothing at this address."}, status=404)
    return defaults.page_not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": SENTENCES.get(type(exception), "The request could not be read.")}, status=400)
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest, *args: Any) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": "The site is at fault. Please try again in a moment."}, status=500)
    return defaults.server_error(request)


class SameMethod(HttpResponsePermanentRedirect):
    status_code = 308  # after a 301, clients ask for what they were to send


class SlashAdded(CommonMiddleware):
    """Sends an upload to an address without its last slash on as an upload, and not as a question for the list."""

    response_redirect_class = SameMethod


class DatabaseAway:
    """503 with Retry-After for a database that does not answer, or stays locked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        if not isinstance(problem, OperationalError | InterfaceError):
            return None
        said = str(problem).partition("\n")[0]
        logger.error("the database does not answer, or not as it should: %s: %s", type(problem).__name__, said)
        if request.path.startswith("/api/"):
            sentence = "The site's database is not available. Please try again in a moment."
            answer: HttpResponse = JsonResponse({"detail": sentence}, status=503)
        else:
            answer = defaults.server_error(request)
            answer.status_code = 503
        answer.headers["Retry-After"] = RETRY_AFTER
        return answer
