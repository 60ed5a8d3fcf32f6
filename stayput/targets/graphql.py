"""What a GraphQL answer means, as the status that a REST API would have given. Pure."""

import re
from http import HTTPStatus
from typing import Any, cast

CODES = {  # of `extensions`, by the conventions of Apollo's server
    "UNAUTHENTICATED": HTTPStatus.UNAUTHORIZED,
    "FORBIDDEN": HTTPStatus.FORBIDDEN,
    "NOT_FOUND": HTTPStatus.NOT_FOUND,
    "BAD_REQUEST": HTTPStatus.BAD_REQUEST,
    "BAD_USER_INPUT": HTTPStatus.BAD_REQUEST,
    "GRAPHQL_PARSE_FAILED": HTTPStatus.BAD_REQUEST,
    "GRAPHQL_VALIDATION_FAILED": HTTPStatus.BAD_REQUEST,
    "RATE_LIMITED": HTTPStatus.TOO_MANY_REQUESTS,
    "TOO_MANY_REQUESTS": HTTPStatus.TOO_MANY_REQUESTS,
}
WORDS = tuple(  # the first that fits; a server may give one code to everything, so that only the words tell
    (re.compile(rf"(?i)\b(?:{words})"), status)
    for words, status in (
        (r"not authori[sz]ed|unauthori[sz]ed|forbidden|permission|not allowed", HTTPStatus.FORBIDDEN),
        (r"unauthenticated|not logged in", HTTPStatus.UNAUTHORIZED),
        (r"not found|does not exist|no such", HTTPStatus.NOT_FOUND),
        (r"rate[ -]?limit|too many requests|throttl", HTTPStatus.TOO_MANY_REQUESTS),
        (r"time[ds]?[ -]?out\b|deadline exceeded|temporar|unavailable|overloaded", HTTPStatus.SERVICE_UNAVAILABLE),
        (r"internal (?:server )?error|problem processing request", HTTPStatus.INTERNAL_SERVER_ERROR),
        (r"something went wrong|unexpected error|bad gateway", HTTPStatus.INTERNAL_SERVER_ERROR),
        (r"connection (?:\w+ )?(?:reset|refused|closed|terminated)|ECONN|socket hang ?up", HTTPStatus.BAD_GATEWAY),
        (r"invalid|validation|expected|unknown|cannot|must|required|unsupported", HTTPStatus.BAD_REQUEST),
        (r"already|exceeded|upgrade|restricted|disabled", HTTPStatus.BAD_REQUEST),
    )
)


def meaning(status: int, body: Any) -> tuple[int, str]:
    """(status, message) of an answer: GraphQL says its errors in one with status 200.

    What fits nothing known is an internal error: a read is tried again, and nothing is taken for undone.
    """
    error = _first(body)
    if error is None:
        return status, ""
    said, extensions = str(error.get("message") or "an error without a message"), error.get("extensions")
    if status != HTTPStatus.OK:
        return status, said
    code = cast("dict[str, Any]", extensions).get("code") if isinstance(extensions, dict) else None
    if isinstance(code, str) and code.upper() in CODES:
        return CODES[code.upper()], said
    of_words = next((status for words, status in WORDS if words.search(said)), HTTPStatus.INTERNAL_SERVER_ERROR)
    return of_words, said


def _first(body: Any) -> dict[str, Any] | None:
    """The first error of an answer; None where it has none."""
    errors: Any = cast("dict[str, Any]", body).get("errors") if isinstance(body, dict) else None
    if not errors:
        return None
    first: Any = cast("list[Any]", errors)[0] if isinstance(errors, list) else errors
    return cast("dict[str, Any]", first) if isinstance(first, dict) else {"message": first}
