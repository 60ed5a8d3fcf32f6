"""Images in a registry, known by their digests. Credentials come from Docker's own configuration, by Docker itself."""

import re
from collections.abc import Iterator
from typing import Any, cast

from docker.errors import DockerException

from docker import DockerClient
from stayput.errors import StayputError
from stayput.image import Image


def push(client: DockerClient, image: Image, repository: str) -> None:
    """Have the image in that repository under the same digest; what it holds already is not sent again.

    Raises StayputError when the registry refuses, dies, or says another digest afterwards.
    """
    where = f"registry {repository.partition('/')[0]}"
    try:
        client.images.get(image.digest).tag(repository, tag=image.build)
        said = cast("Iterator[dict[str, Any]]", client.images.push(repository, image.build, stream=True, decode=True))
        digest = ""
        for event in said:
            if "error" in event:
                raise StayputError(where, *_told("refused", repository, event["error"]))
            pushed: dict[str, str] = event.get("aux") or {}
            digest = pushed.get("Digest", digest)
    except (DockerException, OSError, ValueError) as problem:
        said = getattr(problem, "explanation", "") or problem
        raise StayputError(where, *_told("did not take", repository, said)) from None
    if digest and digest != image.digest:
        raise StayputError(where, f"holds {digest} instead of {image.digest}", "ask its operator")


AGAIN = "then run this again: what arrived is not sent twice"
KNOWN = (  # words of the engine or of a registry, what they mean, and what to do
    (
        r"gave HTTP response to HTTPS client",
        "it speaks plain HTTP, and Docker asks for TLS",
        'serve it over TLS, use a registry at 127.0.0.1, or name it under "insecure-registries" in daemon.json',
    ),
    (
        r"x509|certificate",
        "Docker does not trust its certificate",
        "add its authority: /etc/docker/certs.d/HOST/ca.crt, on the machine of the engine",
    ),
    (r"toomanyrequests|too many requests|rate.?limit", "it takes no more for now", f"wait, {AGAIN}"),
    (
        r"unauthorized|denied|authentication required|no basic auth|credentials",
        "it does not accept the login",
        f"run docker login with an account that may push there, {AGAIN}",
    ),
    (r"no such host|name resolution", "its name is not known", "look at [registry] repository, and at the DNS"),
    (
        r"connection refused|i/o timeout|deadline exceeded|unreachable",
        "it does not answer",
        f"see that it runs, {AGAIN}",
    ),
)


def explain(said: str) -> tuple[str, str]:
    """(what happened, what to do) of the first line that the engine said of a push. Pure."""
    for words, what, next_step in KNOWN:
        if re.search(words, said, re.IGNORECASE):
            return f"{what} ({said})", next_step
    return said, f"see that it runs and that docker login was done, {AGAIN}"


def _told(verb: str, repository: str, problem: object) -> tuple[str, str]:
    what, next_step = explain((str(problem).strip().splitlines() or ["it said nothing"])[0])
    return f"{verb} {repository}: {what}", next_step
