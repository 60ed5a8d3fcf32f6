"""How a proof asks a site, and how what it finds becomes a check."""

import hashlib
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from stayput.authorities import authorities
from stayput.django import tokens
from stayput.errors import StayputError
from stayput.proof import NO_ANSWER, UNPROVEN, ProofCheck
from stayput.redact import redact
from stayput.variables import Access

SHOWN = 200  # characters of an answer that are repeated
# What an edge, or a site that is overloaded, says of any request whatever is in it.
NOT_NOW = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)

T = TypeVar("T")


class Wrong(Exception):
    """The site does something else than it should, in words."""

    def __init__(self, finding: str, remedy: str = "") -> None:
        super().__init__(finding)
        self.remedy = remedy


class Unproven(Exception):
    """What the site answered says nothing about what was asked."""


def guarded(name: str, check: Callable[[], str]) -> ProofCheck:
    """Run one check: what it finds, what the site breaks and what the network does all become its detail."""
    try:
        return ProofCheck(name=name, ok=True, detail=check())
    except Wrong as finding:
        return ProofCheck(name=name, ok=False, detail=str(finding), remedy=finding.remedy)
    except Unproven as problem:
        return ProofCheck(name=name, ok=False, detail=f"{UNPROVEN}: {problem}")
    except StayputError as problem:
        return ProofCheck(name=name, ok=False, detail=str(problem))
    except httpx.HTTPError as problem:
        return ProofCheck(name=name, ok=False, detail=f"{NO_ANSWER}: {problem or type(problem).__name__}")
    except (httpx.InvalidURL, ValueError, TypeError, OSError) as problem:
        detail = f"an answer that is not in the contract: {type(problem).__name__} {problem}"
        return ProofCheck(name=name, ok=False, detail=detail)


def visit(address: str, headers: dict[str, str] | None = None) -> httpx.Client:
    """A client with a new connection each time: a kept one that the server is just closing would look like a fault."""
    return httpx.Client(
        base_url=address,
        timeout=30,
        headers={"User-Agent": "stayput-smoke-test", **(headers or {})},
        limits=httpx.Limits(max_keepalive_connections=0),
        verify=authorities(),
    )


def bearer(access: Access, purpose: tokens.Purpose, *, age: float = 0) -> dict[str, str]:
    """The header with an upload token. age: seconds since it was issued."""
    token = tokens.sign(access.stayput_key.value, purpose=purpose, issued_at=time.time() - age)
    return {"Authorization": f"Bearer {token}"}


def parsed(answer: httpx.Response, kind: type[T]) -> T:
    """The answer's JSON. Raises Wrong, saying what of it is not in the contract."""
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.ValidationError as problem:
        what = f"{answer.status_code}: {problem}"
    except msgspec.DecodeError:
        type_ = answer.headers.get("content-type", "") or "no content type"
        what = f"{answer.status_code}, {type_}, which is not JSON: {shown(answer) or 'empty'}"
    raise Wrong(f"an answer that is not in the contract: {what}")


def refuse_outage(answer: httpx.Response) -> None:
    """Raises Unproven where the site is down or busy: that is no verdict about what was asked."""
    if answer.status_code in NOT_NOW:
        raise Unproven(f"the site answers {said(answer)}")


def said(answer: httpx.Response) -> str:
    return f"{answer.status_code} {shown(answer)}".strip()


def shown(answer: httpx.Response) -> str:
    return " ".join(redact(answer.text).split())[:SHOWN]


def bare(url: str) -> str:
    """An address without its query: a presigned one carries a signature."""
    return urlsplit(url)._replace(query="").geturl()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
