"""One polite HTTP client for all providers: a call is data, sent again only where that has the effect of once."""

import email.utils
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any, cast

import httpx

from stayput.errors import StayputError
from stayput.redact import redact
from stayput.secrets import Secret, plain
from stayput.targets.limits import limit_of

USER_AGENT = "stayput (deploys Django sites; one client, polls gently)"
ATTEMPTS = 4
PATIENCE = 120.0  # seconds that a provider may ask to wait before a call is given up
SAID = 200  # characters of a provider's message that are repeated
LARGEST = 32 * 2**20  # bytes of an answer
EPOCH = 1_000_000_000  # a Ratelimit-Reset above it is a point in time, below it a number of seconds
NEVER_ARRIVED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
AGAIN = "run this again: it goes on"
REMEDIES = {
    HTTPStatus.UNAUTHORIZED: "look at the token: it is unknown or has expired",
    HTTPStatus.PAYMENT_REQUIRED: "look at the account's plan and billing",
    HTTPStatus.FORBIDDEN: "look at the token: it has no right to do this",
    HTTPStatus.NOT_FOUND: "look at the names in stayput.toml, and at what the token may see",
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: "look at the user and password in HTTPS_PROXY",
    HTTPStatus.CONFLICT: "wait until what is under way there has ended, then run this again",
}


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Time as the client of a provider has it, in seconds."""

    now: Callable[[], float] = time.monotonic
    today: Callable[[], float] = time.time  # since the epoch
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request. `body` may hold Secrets; they are read when it is sent."""

    name: str  # what it does, in words: for errors, counts and tables
    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    body: object = None
    repeatable: bool = True  # sent twice, it has the effect of once


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any  # parsed JSON; None where there was none


class Refused(StayputError):
    """The provider understood and said no: nothing was done."""

    status = 0


def renamed(where: str, named: str, *there: str) -> None:
    """Raises Refused where a known id leads to something of another name. there: its name and its id."""
    if named not in there:
        raise Refused(where, f"is {there[0]} by now, not {named}", "run this again: it is looked up anew")


class Unsure(StayputError):
    """No telling whether the call had its effect: look before doing it again."""


class Api:
    """Sends calls to one provider. `sent` names every request, also the repeated ones."""

    def __init__(
        self,
        where: str,
        base_url: str,
        headers: Mapping[str, str | Secret],
        wait: float = 0.5,
        timeout: float = 30,
        meaning: "Callable[[int, Any], tuple[int, str]] | None" = None,
    ) -> None:
        """headers: with the token among them. wait: seconds before the first repetition, doubling. timeout: seconds.

        meaning: what an answer means, (status, message) of its status and JSON; by default a REST API's.
        """
        self.where, self._wait, self._timeout = where, wait, timeout
        self.headers, self.clock = headers, Clock()
        self.url = base_url.rstrip("/")
        self.sent: list[str] = []
        self._meaning = meaning or _meaning
        self._latest = threading.local()  # `call`: the last one that this thread sent

    @cached_property
    def http(self) -> httpx.Client:
        return httpx.Client(timeout=httpx.Timeout(self._timeout, connect=min(self._timeout, 10)))

    def ask(self, call: Call) -> Answer:
        """Send the call and return its answer.

        Raises Refused for a clear no, Unsure where a call that must not be repeated may have had its effect, and
        StayputError where the provider does not answer. None of them repeats a secret or a whole body.
        """
        said, remedy = "", AGAIN
        for pause in (self._wait * 2**attempt for attempt in range(ATTEMPTS)):
            try:
                response, content = self._send(call)
            except NEVER_ARRIVED as problem:  # may be sent again, whatever it is
                said, remedy = f"cannot be reached ({problem or type(problem).__name__})", _remedy(problem)
                if "CERTIFICATE_VERIFY_FAILED" in str(problem):
                    raise StayputError(self.where, f"{call.name}: {said}", remedy) from None
            except (httpx.HTTPError, httpx.InvalidURL) as problem:
                said, remedy = f"broke off ({type(problem).__name__})", AGAIN
                if not call.repeatable:
                    raise self._unsure(call, said) from None
            else:
                answer, said = self._judge(call, response.status_code, content)
                if answer.status < HTTPStatus.MULTIPLE_CHOICES and not said:
                    return answer
                limited = answer.status == HTTPStatus.TOO_MANY_REQUESTS
                if not limited and not call.repeatable:
                    raise self._unsure(call, said)
                remedy = AGAIN
                asked = self._asked_to_wait(response)
                if limited or asked:
                    self._hold_back(max(pause, asked))
                    continue  # the next try waits with all others
            self.clock.sleep(pause)
        raise StayputError(self.where, f"{call.name}: {said}, {ATTEMPTS} times", remedy)

    def strange(self, problem: Exception) -> StayputError:
        """The error for an answer that could not be read: of the last call that this thread sent."""
        call: Call | None = getattr(self._latest, "call", None)
        said = f"answers something that its API does not describe ({type(problem).__name__})"
        if call and not call.repeatable:
            return self._unsure(call, said)
        next_step = "run this again; if it stays so, the API has changed: look for a newer Stayput"
        return StayputError(self.where, f"{call.name if call else 'a call'}: {said}", next_step)

    def hide(self, call: Call, said: str) -> str:
        """A provider's message, without the secrets of the call that it may repeat."""
        for value in _secrets(call.body):
            said = said.replace(value, "****")
        # Redacted before it is cut: half a value is found no more. Half a character can be in JSON, but not be shown.
        return redact(said)[:SAID].encode(errors="replace").decode()

    def _send(self, call: Call) -> tuple[httpx.Response, bytes]:
        """Raises StayputError where the provider wants no calls for long, or the answer does not end."""
        self._wait_until_allowed(call)
        self._latest.call = call
        self.sent.append(call.name)
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        headers |= {name: plain(value) for name, value in self.headers.items()}
        content = None
        if call.body is not None:
            content = json.dumps(call.body, default=_reveal).encode()
            headers["Content-Type"] = "application/json"
        address, params = self.url + call.path, dict(call.params)
        with self.http.stream(call.method, address, params=params, content=content, headers=headers) as response:
            self._respect(response)
            read = bytearray()
            for chunk in response.iter_bytes():
                read += chunk
                if len(read) > LARGEST:
                    raise httpx.DecodingError("is too long", request=response.request)
            return response, bytes(read)

    def _judge(self, call: Call, status: int, content: bytes) -> tuple[Answer, str]:
        """The answer, and what is wrong with it that may pass; empty: nothing. Raises Refused."""
        body, is_json = None, True
        try:
            body = json.loads(content) if content else None
        except (ValueError, RecursionError):
            is_json = False
        meant, message = self._meaning(status, body)
        message = self.hide(call, message)
        said = f"answers {status} {message}".rstrip() if meant == status else f"says {message}"
        if meant == HTTPStatus.TOO_MANY_REQUESTS or meant >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Answer(meant, None), said
        if meant == HTTPStatus.NOT_FOUND and call.method == "DELETE":
            return Answer(HTTPStatus.NO_CONTENT, None), ""  # gone already
        if meant >= HTTPStatus.MULTIPLE_CHOICES:
            raise self._refused(call, meant, said)
        return Answer(meant, body), "" if is_json else f"answers {status} with something that is not JSON"

    def _refused(self, call: Call, status: int, said: str) -> Refused:
        next_step = REMEDIES.get(cast("HTTPStatus", status), "mend that, then run this again")
        if status < HTTPStatus.BAD_REQUEST:
            next_step = f"look at {self.where.upper()}_API_URL and the proxy: it sends you to another address"
        refused = Refused(self.where, f"{call.name}: {said}", next_step)
        refused.status = status
        return refused

    def _unsure(self, call: Call, said: str) -> Unsure:
        return Unsure(self.where, f"{call.name}: {said}", "run this again: it looks first")

    def _wait_until_allowed(self, call: Call) -> None:
        limit, waited_until = limit_of(self.url, self.clock.now), float("-inf")
        while (until := limit.until) > max(waited_until, now := self.clock.now()):  # another may prolong it meanwhile
            if until - now > PATIENCE:
                what = f"{call.name}: it asks to wait {until - now:.0f} s"
                raise StayputError(self.where, what, "run this again after that")
            self.clock.sleep(until - now)
            waited_until = until

    def _hold_back(self, seconds: float) -> None:
        limit_of(self.url, self.clock.now).hold(self.clock.now() + seconds)

    def _respect(self, response: httpx.Response) -> None:
        """Hold the next call back where this answer says that no more are allowed for now."""
        if response.headers.get("ratelimit-remaining") == "0":
            reset = _number(response.headers.get("ratelimit-reset", ""))
            seconds = reset - self._their_clock(response) if reset > EPOCH else reset
            self._hold_back(min(max(seconds, 0.0), PATIENCE))

    def _asked_to_wait(self, response: httpx.Response) -> float:
        """Seconds from Retry-After, which may be a number or a date by the provider's own clock."""
        text = response.headers.get("retry-after", "")
        date = _date(text)
        return max(date - self._their_clock(response), 0.0) if date else _number(text)

    def _their_clock(self, response: httpx.Response) -> float:
        """Now, in seconds since the epoch, as the provider has it: ours may be wrong."""
        return _date(response.headers.get("date", "")) or self.clock.today()


def poll(clock: Clock, first: float, last: float, limit: float) -> Iterator[float]:
    """Seconds gone by: at least once, then again after pauses that grow from `first` to `last`, until `limit`."""
    began, pause, gone = clock.now(), first, 0.0
    while True:
        yield gone
        clock.sleep(pause)
        pause, gone = min(pause * 1.3, last), clock.now() - began
        if gone >= limit:
            return


def _reveal(value: object) -> str:
    if isinstance(value, Secret):
        return value.value
    raise TypeError(f"a body cannot hold {type(value).__name__}")


def _secrets(body: object) -> Iterator[str]:
    match body:
        case Secret(value=value) if value:
            yield value
        case dict():
            for inner in cast("dict[str, object]", body).values():
                yield from _secrets(inner)
        case list():
            for inner in cast("list[object]", body):
                yield from _secrets(inner)
        case _:
            return


def _meaning(status: int, body: Any) -> tuple[int, str]:
    """The status, and what a refusal says of itself; never the body as a whole."""
    text = cast("dict[str, object]", body).get("message") if isinstance(body, dict) else ""
    return status, text if isinstance(text, str) else ""


def _remedy(problem: Exception) -> str:
    """What a person does about a provider that was not reached."""
    said = str(problem).lower()
    if "certificate_verify_failed" in said:
        return "where a proxy reads along, add its certificate to the file that SSL_CERT_FILE names"
    if isinstance(problem, httpx.ProxyError):
        return "look at HTTPS_PROXY and NO_PROXY"
    if any(words in said for words in ("name or service", "name resolution", "getaddrinfo", "nodename", "no address")):
        return "look at the network's DNS, and at the host that is named"
    return "look at the network and the proxy, then run this again"


def _date(text: str) -> float:
    """Seconds since the epoch of an HTTP date; 0 where it is none."""
    try:
        date = email.utils.parsedate_tz(text)
        return float(email.utils.mktime_tz(date)) if date else 0.0
    except (ValueError, OverflowError):
        return 0.0


def _number(text: str) -> float:
    """Not negative, and a number that a clock can wait for; else 0."""
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if 0 < number < float("inf") else 0.0
