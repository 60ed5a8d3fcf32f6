"""What was found in an image, beside the image in its registry: documents that refer to its manifest.

OCI distribution 1.1: a manifest with a `subject`. A registry that does not know referrers yet is given the index that
the specification falls back to, under a tag made of the digest.
"""

import base64
import hashlib
import json
import re
from collections.abc import Generator, Mapping
from http import HTTPStatus
from typing import Any, cast

import httpx
from docker.errors import DockerException

from docker import auth
from stayput.errors import StayputError
from stayput.redact import redact

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
SUBJECTS = f"{MANIFEST}, {INDEX}, application/vnd.docker.distribution.manifest.v2+json"
IN_TOTO, CYCLONEDX = "application/vnd.in-toto+json", "application/vnd.cyclonedx+json"
DOCKER_HUB = {"docker.io": "registry-1.docker.io"}
NEXT = "see that the login may push there: docker login; then run this again"


def attach(repository: str, digest: str, documents: Mapping[str, bytes]) -> None:
    """Have each document, by its media type, refer to the image of that digest. Done twice, it is there once.

    Credentials are Docker's own. Raises StayputError when the registry refuses or dies.
    """
    index, name = auth.resolve_repository_name(repository)
    host = DOCKER_HUB.get(index, index)
    scheme = "http" if host.partition(":")[0] in ("127.0.0.1", "localhost") else "https"  # as Docker does
    where = f"registry {index}"
    try:
        login, base_url = _DockerLogin(index), f"{scheme}://{host}/v2/{name}"
        with httpx.Client(base_url=base_url, auth=login, timeout=30, trust_env=scheme == "https") as client:
            subject = _descriptor(client, digest)
            for media_type, content in documents.items():
                _refer(client, subject, media_type, content)
    except httpx.HTTPStatusError as refused:
        said = f"{refused.response.status_code} {redact(refused.response.text).strip()[:120]}".strip()
        raise StayputError(where, f"did not take the attestation of {digest}: {said}", NEXT) from None
    except (httpx.HTTPError, DockerException, ValueError) as problem:
        raise StayputError(where, f"did not take the attestation of {digest}: {problem}", NEXT) from None


def _refer(client: httpx.Client, subject: Mapping[str, Any], media_type: str, content: bytes) -> None:
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": media_type,
        "config": _upload(client, EMPTY, b"{}"),
        "layers": [_upload(client, media_type, content)],
        "subject": subject,
    }
    body = json.dumps(manifest, sort_keys=True).encode()
    known = _put(client, _digest(body), MANIFEST, body)
    if "OCI-Subject" not in known:
        listed = {"mediaType": MANIFEST, "digest": _digest(body), "size": len(body), "artifactType": media_type}
        _list(client, str(subject["digest"]).replace(":", "-"), listed)


def _list(client: httpx.Client, tag: str, descriptor: Mapping[str, Any]) -> None:
    answer = client.get(f"/manifests/{tag}", headers={"Accept": INDEX})
    index: dict[str, Any] = {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}
    if answer.status_code != HTTPStatus.NOT_FOUND:
        index = answer.raise_for_status().json()
    if descriptor not in index["manifests"]:
        index["manifests"].append(descriptor)
        _put(client, tag, INDEX, json.dumps(index, sort_keys=True).encode())


def _descriptor(client: httpx.Client, digest: str) -> dict[str, Any]:
    manifest = client.get(f"/manifests/{digest}", headers={"Accept": SUBJECTS}).raise_for_status()
    return {"mediaType": manifest.headers["Content-Type"], "digest": digest, "size": len(manifest.content)}


def _upload(client: httpx.Client, media_type: str, content: bytes) -> dict[str, Any]:
    digest = _digest(content)
    if client.head(f"/blobs/{digest}").status_code != HTTPStatus.OK:
        place = client.post("/blobs/uploads/").raise_for_status()
        address = place.url.join(place.headers["Location"]).copy_merge_params({"digest": digest})
        client.put(address, content=content, headers={"Content-Type": "application/octet-stream"}).raise_for_status()
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _put(client: httpx.Client, reference: str, media_type: str, body: bytes) -> Mapping[str, str]:
    answer = client.put(f"/manifests/{reference}", content=body, headers={"Content-Type": media_type})
    return answer.raise_for_status().headers


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class _DockerLogin(httpx.Auth):
    """What `docker login` left for a registry, given as the registry asks: Basic, or a token for it."""

    requires_response_body = True

    def __init__(self, index: str) -> None:
        found = cast("dict[str, str]", cast("Any", auth).load_config().resolve_authconfig(index) or {})
        pair = f"{found.get('Username') or found.get('username')}:{found.get('Password') or found.get('password')}"
        self._basic = f"Basic {base64.b64encode(pair.encode()).decode()}" if found else ""
        self._proven = ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._proven:
            request.headers["Authorization"] = self._proven
        answer = yield request
        if answer.status_code != HTTPStatus.UNAUTHORIZED:
            return
        kind, _, rest = answer.headers.get("WWW-Authenticate", "").partition(" ")
        asked = dict(cast("list[tuple[str, str]]", re.findall(r'(\w+)="([^"]*)"', rest)))
        self._proven = self._basic
        if kind.lower() == "bearer" and "realm" in asked:
            wanted = {name: asked[name] for name in ("service", "scope") if name in asked}
            token = yield httpx.Request(
                "GET", asked["realm"], params=wanted, headers={"Authorization": self._basic} if self._basic else {}
            )
            reply = token.raise_for_status().json()
            self._proven = f"Bearer {reply.get('token') or reply.get('access_token')}"
        if self._proven:
            request.headers["Authorization"] = self._proven
            yield request
