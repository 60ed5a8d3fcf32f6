"""The names of a service: which of them work, and what a site has to know of them. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from django.utils import encoding

from stayput.django import parsers
from stayput.errors import WrongUse
from stayput.secrets import Secret, plain

HOSTS, ORIGINS = "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS"
MERGED = (HOSTS, ORIGINS)  # what a project says of these is added to what a deploy sets


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A name that leads to a service. It is kept as a browser sends it: lower case, punycode, no dot at its end."""

    name: str  # host, perhaps with a port; "*.example.com" is every name below that one
    works: bool = True  # verified, as far as the provider says
    said: str = ""  # the provider's word where it does not
    redirects: bool = False  # the provider sends its visitors on to another name

    def __post_init__(self) -> None:
        """Raises ValueError for what is no name. No placeholder is looked for: a service may be called your-app."""
        spelled = str(cast("Any", encoding).punycode(self.name.lower().rstrip(".")))
        object.__setattr__(self, "name", spelled)

    @property
    def url(self) -> str:
        return f"https://{self.name}"

    @property
    def host(self) -> str:
        """As ALLOWED_HOSTS has it, without a port; a dot at its beginning stands for every name below."""
        return (urlsplit(self.url).hostname or "").removeprefix("*")

    @property
    def can_be_visited(self) -> bool:
        return not self.name.startswith("*.")


def public_address(where: str, domains: Sequence[Domain], remedy: str) -> str:
    """The address of the first that works, without a slash at the end. remedy: where there is no domain at all."""
    domains = [one for one in domains if one.can_be_visited]
    for one in sorted(domains, key=lambda one: one.redirects):
        if one.works:
            return one.url
    if not domains:
        raise WrongUse(where, "the service has no public domain", remedy)
    pending = ", ".join(f"{one.name} ({one.said})" if one.said else one.name for one in domains)
    what = f"no domain of the service is verified yet: {pending}"
    raise WrongUse(where, what, f"set its DNS records as {where} says, or use the provider's own domain")


def unvisited(domains: Sequence[Domain], allowed: str) -> Iterator[str]:
    """What to say of the names that a proof does not visit. allowed: the release's ALLOWED_HOSTS."""
    if waiting := [f"{one.name} ({one.said})" if one.said else one.name for one in domains if not one.works]:
        yield f"not verified yet, so not visited: {', '.join(waiting)}"
    known = hosts_of(domains)
    for name in allowed.split(","):
        if name and name not in known and not name.startswith((".", "*")):
            yield f"{name} is not a domain of this service, so not visited: add it there"


def hosts_of(domains: Iterable[Domain]) -> tuple[str, ...]:
    """Of all, also of what is not verified yet: the site answers there as soon as the DNS does."""
    return tuple(sorted({one.host for one in domains}))


def origins_of(domains: Iterable[Domain]) -> tuple[str, ...]:
    return tuple(sorted({one.url for one in domains}))


def answering(domains: Iterable[Domain]) -> tuple[str, ...]:
    """The origins of the pages that the site itself answers with now."""
    return origins_of(one for one in domains if one.works and one.can_be_visited and not one.redirects)


def merge(
    hosts: Sequence[str], origins: Sequence[str], given: Iterable[tuple[str, Mapping[str, str | Secret]]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """ALLOWED_HOSTS and CSRF_TRUSTED_ORIGINS of a release: a target's own, then what is given, each once.

    given: where it is said, and the variables said there. Where all of the target's own origins have https, an added
    host is an origin too. Raises WrongUse.
    """
    behind_tls = bool(origins) and all(one.startswith("https://") for one in origins)
    all_hosts, all_origins = [*hosts], [*origins]
    for where, variables in given:
        added = _parsed(where, HOSTS, variables, parsers.hosts)
        trusted = _parsed(where, ORIGINS, variables, parsers.origins)
        if plain_http := [one for one in trusted if behind_tls and one.startswith("http://")]:
            what = f"{plain_http[0]} is plain http, and the site is served over https"
            raise WrongUse(f"{where}, {ORIGINS}", what, "write it with https://")
        all_hosts += added
        all_origins += [*trusted, *(origin for one in added if behind_tls for origin in _origins_of(one))]
    return tuple(dict.fromkeys(all_hosts)), tuple(dict.fromkeys(all_origins))


def _parsed(
    where: str, name: str, variables: Mapping[str, str | Secret], parse: Callable[[str], tuple[str, ...]]
) -> tuple[str, ...]:
    try:
        return parse(plain(variables.get(name, "")).strip())
    except ValueError as problem:
        raise WrongUse(f"{where}, {name}", str(problem), "write it as docs/site.md says") from None


def _origins_of(host: str) -> tuple[str, ...]:
    """A dot at the beginning stands for the domain itself too, which an origin with a wildcard does not."""
    if host == "*":
        return ()
    if host.startswith("."):
        return (f"https://{host[1:]}", f"https://*{host}")
    return (f"https://{host}",)
