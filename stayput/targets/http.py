"""One polite HTTP client for all providers: a call is data, sent again only where that has the effect of once."""

import email.utils
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any, cast

import httpx

from stayput.errors import StayputError
from stayput.secrets import Secret, plain

USER_AGENT = "stayput (deploys Django sites; one client, polls gently)"
ATTEMPTS = 4
PATIENCE = 120.0  # seconds that a provider may ask to wait before a call is given up
SAID = 200  # characters of a provider's message that are repeated
EPOCH = 1_000_000_000  # a Ratelimit-Reset above it is a point in time, below it a number of seconds


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
        self, where: str, base_url: str, headers: Mapping[str, str | Secret], wait: float = 0.5, timeout: float = 30
    ) -> None:
        """headers: with the token among them. wait: seconds before the first repetition, doubling. timeout: seconds."""
        self.where, self._wait, self._timeout = where, wait, timeout
        self.headers, self.clock = headers, Clock()
        self.url = base_url.rstrip("/")
        self._not_before = 0.0  # by the clock's `now`: when the provider's limit allows the next call
        self.sent: list[str] = []

    @cached_property
    def http(self) -> httpx.Client:
        return httpx.Client(timeout=httpx.Timeout(self._timeout, connect=min(self._timeout, 10)))

    def ask(self, call: Call) -> Answer:
        """Send the call and return its answer.

        Raises Refused for a clear no, Unsure where a call that must not be repeated may have had its effect, and
        StayputError where the provider does not answer. None of them repeats a secret or a whole body.
        """
        said = ""
        for pause in self._pauses():
            try:
                response = self._send(call)
            except httpx.ConnectError as problem:
                said = f"cannot be reached ({problem})"  # never arrived: may be sent again
            except httpx.HTTPError as problem:
                said = f"broke off ({type(problem).__name__})"
                if not call.repeatable:
                    raise self._unsure(call, said) from None
            else:
                answer, said = self._judge(call, response)
                if answer is not None:
                    return answer
                if response.status_code != HTTPStatus.TOO_MANY_REQUESTS and not call.repeatable:
                    raise self._unsure(call, said)
                pause = max(pause, self._asked_to_wait(response))
                if pause > PATIENCE:
                    raise StayputError(
                        self.where, f"{call.name}: it asks to wait {pause:.0f} s", "run this again after that"
                    )
            self.clock.sleep(pause)
        raise StayputError(self.where, f"{call.name}: {said}, {ATTEMPTS} times", "run this again: it goes on")

    def hide(self, call: Call, said: str) -> str:
        """A provider's message, without the secrets of the call that it may repeat."""
        for value in _secrets(call.body):
            said = said.replace(value, "****")
        return said[:SAID]

    def _pauses(self) -> Iterator[float]:
        return (self._wait * 2**attempt for attempt in range(ATTEMPTS))

    def _send(self, call: Call) -> httpx.Response:
        self.clock.sleep(max(0.0, self._not_before - self.clock.now()))
        self.sent.append(call.name)
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        headers |= {name: plain(value) for name, value in self.headers.items()}
        content = None
        if call.body is not None:
            content = json.dumps(call.body, default=_reveal).encode()
            headers["Content-Type"] = "application/json"
        response = self.http.request(
            call.method, self.url + call.path, params=dict(call.params), content=content, headers=headers
        )
        self._respect(response)
        return response

    def _judge(self, call: Call, response: httpx.Response) -> tuple[Answer | None, str]:
        """The answer to give back, or None and what was wrong with it. Raises Refused."""
        status = response.status_code
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return None, f"answers {status}"
        if status == HTTPStatus.NOT_FOUND and call.method == "DELETE":
            return Answer(status, None), ""  # gone already
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            raise self._refused(call, response)
        if not response.content:
            return Answer(status, None), ""
        try:
            return Answer(status, response.json()), ""
        except ValueError:
            return None, f"answers {status} with something that is not JSON"

    def _refused(self, call: Call, response: httpx.Response) -> Refused:
        status = response.status_code
        next_step = {
            HTTPStatus.UNAUTHORIZED: "look at the token: it is unknown or has expired",
            HTTPStatus.FORBIDDEN: "look at the token: it has no right to do this",
            HTTPStatus.NOT_FOUND: "look at the names in stayput.toml, and at what the token may see",
        }.get(HTTPStatus(status), "mend that, then run this again")
        said = self.hide(call, _message(response))
        refused = Refused(self.where, f"{call.name}: answers {status} {said}".rstrip(), next_step)
        refused.status = status
        return refused

    def _unsure(self, call: Call, said: str) -> Unsure:
        return Unsure(self.where, f"{call.name}: {said}", "run this again: it looks first")

    def _respect(self, response: httpx.Response) -> None:
        """Hold the next call back where this answer says that no more are allowed for now."""
        if response.headers.get("ratelimit-remaining") == "0":
            reset = _number(response.headers.get("ratelimit-reset", ""))
            seconds = reset - self._their_clock(response) if reset > EPOCH else reset
            self._not_before = self.clock.now() + min(max(seconds, 0.0), PATIENCE)

    def _asked_to_wait(self, response: httpx.Response) -> float:
        """Seconds from Retry-After, which may be a number or a date by the provider's own clock."""
        text = response.headers.get("retry-after", "")
        date = email.utils.parsedate_tz(text)
        return email.utils.mktime_tz(date) - self._their_clock(response) if date else _number(text)

    def _their_clock(self, response: httpx.Response) -> float:
        """Now, in seconds since the epoch, as the provider has it: ours may be wrong."""
        date = email.utils.parsedate_tz(response.headers.get("date", ""))
        return email.utils.mktime_tz(date) if date else self.clock.today()


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


def _message(response: httpx.Response) -> str:
    """What a refusal says of itself; never the body as a whole."""
    try:
        said = response.json()
    except ValueError:
        return ""
    text = cast("dict[str, object]", said).get("message") if isinstance(said, dict) else ""
    return str(text or "")


def _number(text: str) -> float:
    try:
        return max(float(text), 0.0)
    except ValueError:
        return 0.0
