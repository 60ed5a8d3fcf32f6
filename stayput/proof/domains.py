"""The part of a proof that visits the other names of a site: each must lead to the release, and be answered."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus

import httpx

from stayput.domains import Domain
from stayput.proof import Check
from stayput.proof.visit import Wrong, guarded, refuse_outage, visit

REFUSED = "answers 400: it is not among ALLOWED_HOSTS"
ALLOW = "add it to ALLOWED_HOSTS under [variables] in stayput.toml, and see that the settings read ALLOWED_HOSTS"
UNREACHED = "look at its DNS record and its certificate, or take the domain off the service"
Polls = Callable[[], Iterable[object]]  # as often as a name that does not lead to the release yet is asked again


@dataclass(frozen=True, kw_only=True)
class Name:
    """A name to visit. by_header: it is not asked itself, only named to `address` in a header."""

    name: str
    address: str
    by_header: bool = False
    headers: dict[str, str] = field(default_factory=dict[str, str])


def check_domains(names: Iterable[Name], release: str, build: str, polls: Polls) -> Iterator[Check]:
    """A check for each. release, build: ids, as each must report them."""
    for one in names:
        yield guarded(f"domain {one.name}", partial(_visited, one, release, build, polls))


def of_service(domains: Iterable[Domain], proven: str) -> list[Name]:
    """The domains that should work. proven: the address that the proof went to."""
    return [
        Name(name=one.name, address=one.url)
        for one in domains
        if one.works and one.can_be_visited and one.url != proven
    ]


def by_header(hosts: Iterable[str], origins: Iterable[str], address: str, own: Iterable[str]) -> list[Name]:
    """The hosts that a project adds, where what ends their TLS is unknown. own: the target's."""
    trusted, known = frozenset(origins), frozenset(own)
    return [
        Name(
            name=one,
            address=address,
            by_header=True,
            headers={"Host": one} | ({"X-Forwarded-Proto": "https"} if f"https://{one}" in trusted else {}),
        )
        for one in hosts
        if one and one not in known and not one.startswith((".", "*"))
    ]


def _visited(one: Name, release: str, build: str, polls: Polls) -> str:
    with visit(one.address, one.headers) as site:
        if not one.by_header:
            try:
                _await(site, release, build, polls)
            except httpx.TransportError as problem:
                raise Wrong(f"cannot be reached: {problem or type(problem).__name__}", UNREACHED) from None
        answer = site.get("/")  # /healthz answers under any name
        if answer.status_code == HTTPStatus.BAD_REQUEST:
            raise Wrong(REFUSED, ALLOW)
        refuse_outage(answer)
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Wrong(f"/ answers {answer.status_code}")
        return f"leads to release {release}" if not one.by_header else "is served"


def _await(site: httpx.Client, release: str, build: str, polls: Polls) -> None:
    """Until /healthz reports the release there. Raises Wrong, or what the network last did."""
    finding, remedy = "does not answer", ""
    problem: httpx.TransportError | None = None
    for _ in polls():
        try:
            answer = site.get("/healthz", headers={"Cache-Control": "no-cache"}, follow_redirects=True)
        except httpx.TransportError as failed:
            problem = failed
            continue
        problem = None
        there, built_there = _reported(answer)
        if answer.status_code == HTTPStatus.OK and (there, built_there) == (release, build):
            return
        finding, remedy = f"serves release {there}, not {release}", "see which service the domain leads to"
        if there == release:
            finding = f"serves build {built_there or 'unknown'}, not {build}"
        if not there or answer.status_code != HTTPStatus.OK:
            finding = f"/healthz answers {answer.status_code}"
        if answer.status_code == HTTPStatus.BAD_REQUEST:
            finding, remedy = REFUSED, ALLOW
    if problem:
        raise problem
    raise Wrong(finding, remedy)


def _reported(answer: httpx.Response) -> tuple[str, str]:
    try:
        body = answer.json()
        return str(body["release"]), str(body["build"])
    except (ValueError, KeyError, TypeError):
        return "", ""
