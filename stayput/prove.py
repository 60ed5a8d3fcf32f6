"""The proof: a real photo through the live site, looked for in the bucket, read back, and taken away again."""

import hashlib
import io
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, TypedDict
from urllib.parse import urlsplit

import httpx

from stayput.authorities import authorities
from stayput.errors import StayputError
from stayput.ledger import Keepsake
from stayput.proof import NO_ANSWER, READ_LOG, Check, Proof, ProofFailed
from stayput.variables import Access

MAIN_BYTES, MAIN_SIDE = 204_800, 800  # the contract of the upload site: bytes, pixels
THUMBNAIL_BYTES, THUMBNAIL_SIDE = 10_240, 50
TOKEN_LIFE = 600  # seconds
NO_UPLOADS = "nothing takes uploads at /api/images/; a site is proven by a photo sent there, as docs/site.md describes"


def prove(address: str, access: Access, *, build: str, release: str, keepsake: Keepsake | None = None) -> Proof:
    """Send a photo through the site at `address` and see that it does all that it should.

    build, release: what the site must report; empty texts accept any. Never raises for what the site does.
    """
    with _visit(address) as site:
        health, reported = _health(site, build, release)
        if not health.ok:
            return Proof(url=address, checks=(health,), **reported)
        walk = _Walk(site, access)
        checks = (health, *walk.checks(keepsake))
        return Proof(url=address, checks=checks, sizes=walk.sizes, **reported)


def get_ready(access: Access) -> None:
    """Load and draw what a proof begins with, while there is time: it takes longer than to send it."""
    from stayput import photo

    photo.draw()
    if access.outputs:
        from stayput.engine.keys import as_uploader

        as_uploader(access.outputs, access.endpoint_url)


def check_health(address: str, *, build: str, release: str) -> Proof:
    """What /healthz of that address reports, against what it should."""
    with _visit(address) as site:
        health, reported = _health(site, build, release)
    return Proof(url=address, checks=(health,), **reported)


def leave_keepsake(address: str, access: Access) -> Keepsake:
    """Upload a picture for the next release to find. Raises ProofFailed."""
    with _visit(address) as site:
        answer = _upload(site, _token(access, "keepsake"))
        if answer.status_code != HTTPStatus.CREATED:
            raise ProofFailed(address, f"keepsake: {_said(answer)}", READ_LOG)
        picture = answer.json()
        content = site.get(picture["url"]).raise_for_status().content
        return Keepsake(id=picture["id"], sha256=_sha256(content), stored_in=access.stored_in)


def find_keepsake(address: str, keepsake: Keepsake) -> Check:
    """Whether a picture that an earlier release took is still there, byte for byte."""
    with _visit(address) as site:
        return _guarded("keepsake", lambda: _keepsake(site, keepsake))


def forget_keepsake(address: str, access: Access, keepsake: Keepsake) -> None:
    """Take an old keepsake away; one that is gone already is no fault."""
    with _visit(address) as site:
        site.delete(f"/api/images/{keepsake.id}/", headers=_bearer(_token(access, "keepsake")))


class _Walk:
    """One picture's way through the site; what an earlier check learned, a later one uses."""

    def __init__(self, site: httpx.Client, access: Access) -> None:
        self.site, self.access = site, access
        self.sizes: dict[str, int] = {}
        self.picture: dict[str, Any] = {}
        self.served: dict[str, bytes] = {}

    def checks(self, keepsake: Keepsake | None) -> Iterator[Check]:
        if keepsake:
            yield _guarded("keepsake", lambda: _keepsake(self.site, keepsake))
        if self.access.outputs:
            yield _guarded("key", self._key)
        yield _guarded("forged token", lambda: self._refused(_token(self.access, "smoke-test")[:-2] + "xx"))
        yield _guarded("expired token", lambda: self._refused(_token(self.access, "smoke-test", age=TOKEN_LIFE + 60)))
        uploaded = _guarded("upload", self._upload)
        yield uploaded
        if not uploaded.ok:
            return
        try:
            yield _guarded("main", lambda: self._main(MAIN_SIDE, MAIN_BYTES))
            yield _guarded("thumbnail", lambda: self._thumbnail(THUMBNAIL_SIDE, THUMBNAIL_BYTES))
            if self.access.outputs:
                yield _guarded("objects", self._objects)
        finally:
            cleaned = _guarded("clean-up", self._clean_up)
        yield cleaned

    def _key(self) -> str:
        from stayput.engine.keys import wait_until_usable

        assert self.access.outputs
        wait_until_usable(self.access.outputs, self.access.endpoint_url)
        return f"{self.access.outputs.access_key_id} can write, read and delete"

    def _refused(self, token: str) -> str:
        answer = _upload(self.site, token)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise _Unproven(NO_UPLOADS)
        if answer.status_code not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise _Unproven(f"was not refused: {_said(answer)}")
        return f"refused with {answer.status_code}"

    def _upload(self) -> str:
        answer = _upload(self.site, _token(self.access, "smoke-test"), sizes=self.sizes)
        if answer.status_code != HTTPStatus.CREATED:
            raise _Unproven(_said(answer))
        self.picture = answer.json()
        seconds = answer.elapsed.total_seconds()
        return f"{self.sizes['photo']:,} bytes taken in {seconds:.2f} s, state {self.picture['state']}"

    def _main(self, side: int, limit: int) -> str:
        return self._fetch(
            "main", self.picture["url"], "WEBP", side, limit, (self.picture["width"], self.picture["height"])
        )

    def _thumbnail(self, side: int, limit: int) -> str:
        return self._fetch("thumbnail", self.picture["thumbnail_url"], "PNG", side, limit, None)

    def _fetch(self, name: str, url: str, kind: str, side: int, limit: int, told: tuple[int, int] | None) -> str:
        """Get one of the two pictures from its public address and hold it against the contract."""
        from PIL import Image

        answer = self.site.get(url)
        if answer.status_code != HTTPStatus.OK:
            raise _Unproven(f"{_bare(url)} answers {answer.status_code}")
        content = self.served[name] = answer.content
        self.sizes[name] = len(content)
        type_ = answer.headers.get("content-type", "").partition(";")[0]
        with Image.open(io.BytesIO(content)) as opened:
            size, found, metadata = opened.size, opened.format, opened.getexif()
        faults = [
            (found != kind, f"it is {found}, not {kind}"),
            (type_ != f"image/{kind.lower()}", f"its content type is {type_ or 'missing'}"),
            (len(content) > limit, f"it has {len(content):,} bytes, more than {limit:,}"),
            (max(size) > side, f"it is {size[0]} x {size[1]} pixels, more than {side}"),
            (told is not None and size != told, f"it is {size[0]} x {size[1]} pixels, the site said {told}"),
            (size[0] >= size[1], "it lies on its side: the photo was taken upright"),
            (len(metadata) > 0, "it still carries metadata of the photo"),
        ]
        if wrong := [fault for is_wrong, fault in faults if is_wrong]:
            raise _Unproven(f"{_bare(url)}: {'; '.join(wrong)}")
        return f"{kind} {size[0]} x {size[1]}, {len(content):,} bytes"

    def _objects(self) -> str:
        """Both objects, read from the bucket with the uploader's own key, against what the public address gave."""
        from botocore.exceptions import BotoCoreError, ClientError

        from stayput.engine.keys import as_uploader

        assert self.access.outputs
        bucket, s3 = self.access.outputs.bucket, as_uploader(self.access.outputs, self.access.endpoint_url)
        keys = {"main": _key_of(self.picture["url"]), "thumbnail": _key_of(self.picture["thumbnail_url"])}
        for name, key in keys.items():
            try:
                stored = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            except (ClientError, BotoCoreError) as problem:
                raise _Unproven(f"{key} is not in {bucket}: {problem}") from None
            if stored != self.served.get(name):
                raise _Unproven(f"{key} in {bucket} is not what the public address serves")
        return f"both in {bucket}, byte for byte"

    def _clean_up(self) -> str:
        answer = self.site.delete(
            f"/api/images/{self.picture['id']}/", headers=_bearer(_token(self.access, "smoke-test"))
        )
        if answer.status_code != HTTPStatus.NO_CONTENT:
            raise _Unproven(f"the test picture stays: {_said(answer)}")
        for url in (self.picture["url"], self.picture["thumbnail_url"]):
            left = self.site.get(url, headers={"Cache-Control": "no-cache"}).status_code
            if left not in (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN):
                raise _Unproven(f"{_bare(url)} still answers {left}")
        return "the test picture is gone"


class _Reported(TypedDict):
    build: str
    release: str


class _Unproven(Exception):
    """A check's own finding, in words."""


def _guarded(name: str, check: Callable[[], str]) -> Check:
    """Run one check: what it finds, what the site breaks and what the network does all become its detail."""
    try:
        return Check(name=name, ok=True, detail=check())
    except (_Unproven, StayputError) as finding:
        return Check(name=name, ok=False, detail=str(finding))
    except httpx.HTTPError as problem:
        return Check(name=name, ok=False, detail=f"{NO_ANSWER}: {problem or type(problem).__name__}")
    except (KeyError, ValueError, TypeError, OSError) as problem:
        return Check(
            name=name, ok=False, detail=f"an answer that is not in the contract: {type(problem).__name__} {problem}"
        )


def _health(site: httpx.Client, build: str, release: str) -> tuple[Check, "_Reported"]:
    reported = _Reported(build="", release="")

    def ask() -> str:
        answer = site.get("/healthz")
        body = answer.json()
        reported.update(build=str(body["build"]), release=str(body["release"]))
        failing = [f"{name}: {check['detail']}" for name, check in body["checks"].items() if not check["ok"]]
        if answer.status_code != HTTPStatus.OK:
            raise _Unproven(f"answers {answer.status_code}: {'; '.join(failing) or body['status']}")
        for name, wanted in (("release", release), ("build", build)):
            if wanted and reported[name] != wanted:
                raise _Unproven(f"serves {name} {reported[name] or 'unknown'}, not {wanted}")
        return f"{body['status']}, release {reported['release']}, build {reported['build']}" + "".join(
            f"; {f}" for f in failing
        )

    return _guarded("health", ask), reported


def _keepsake(site: httpx.Client, keepsake: Keepsake) -> str:
    answer = site.get(f"/api/images/{keepsake.id}/")
    if answer.status_code != HTTPStatus.OK:
        raise _Unproven(f"the picture that the last release took is not known any more: {_said(answer)}")
    content = site.get(answer.json()["url"])
    if content.status_code != HTTPStatus.OK:
        raise _Unproven(f"the picture that the last release took is gone: its address answers {content.status_code}")
    if _sha256(content.content) != keepsake.sha256:
        raise _Unproven("the picture that the last release took is not the same any more")
    return "the picture that the last release took is still there, byte for byte"


def _visit(address: str) -> httpx.Client:
    """A client with a new connection each time: a kept one that the server is just closing would look like a fault."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(
        base_url=address,
        timeout=30,
        headers={"User-Agent": "stayput-smoke-test"},
        limits=limits,
        verify=authorities(),
    )


def _upload(site: httpx.Client, token: str, sizes: dict[str, int] | None = None) -> httpx.Response:
    from stayput import photo

    content = photo.draw()
    if sizes is not None:
        sizes["photo"] = len(content)
    return site.post("/api/images/", files={"image": ("photo.jpg", content, "image/jpeg")}, headers=_bearer(token))


def _token(access: Access, purpose: str, age: float = 0) -> str:
    from stayput.django import tokens

    return tokens.sign(access.stayput_key.value, purpose=purpose, issued_at=time.time() - age)  # type: ignore[arg-type]


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _key_of(url: str) -> str:
    """The object's key: all from media/ on, without host, bucket and signature."""
    return "media/" + urlsplit(url).path.rpartition("/media/")[2]


def _bare(url: str) -> str:
    """An address without its query: a presigned one carries a signature."""
    return urlsplit(url)._replace(query="").geturl()


def _said(answer: httpx.Response) -> str:
    text = " ".join(answer.text.split())
    return f"{answer.status_code} {text[:200]}".strip()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
