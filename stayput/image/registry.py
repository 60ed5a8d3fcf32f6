"""Images in a registry, known by their digests. Credentials come from Docker's own configuration, by Docker itself."""

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
                raise StayputError(where, f"refused {repository}: {_first_line(event['error'])}", NEXT)
            pushed: dict[str, str] = event.get("aux") or {}
            digest = pushed.get("Digest", digest)
    except (DockerException, OSError, ValueError) as problem:
        what = f"did not take {repository}: {_first_line(getattr(problem, 'explanation', '') or problem)}"
        raise StayputError(where, what, NEXT) from None
    if digest and digest != image.digest:
        raise StayputError(where, f"holds {digest} instead of {image.digest}", "ask its operator")


NEXT = "see that it runs and that docker login was done; then run this again: what arrived is not sent twice"


def _first_line(problem: object) -> str:
    return (str(problem).strip().splitlines() or ["it said nothing"])[0]
