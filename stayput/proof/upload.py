"""One photo's way through a site: a photo like no other, so that what comes back is known to have come from it."""

import io
from collections.abc import Collection, Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

import httpx
import msgspec

from stayput.django import tokens
from stayput.proof import Check
from stayput.proof.visit import Unproven, Wrong, bare, bearer, guarded, parsed, refuse_outage, said
from stayput.variables import Access

if TYPE_CHECKING:
    from stayput.photo import Photo

MAIN_BYTES, MAIN_SIDE = 204_800, 800  # the contract of the upload site: bytes, pixels
THUMBNAIL_BYTES, THUMBNAIL_SIDE = 10_240, 50
TOKEN_LIFE = 600  # seconds
SKEW = timedelta(minutes=5)  # by which the clocks of a site and its edge may differ
NO_UPLOADS = "nothing takes uploads at /api/images/; a site is proven by a photo sent there, as docs/site.md describes"
UPLOADS = "/media/"  # where a site shows its uploads, unless its own answer says otherwise


class Picture(msgspec.Struct, frozen=True):
    """What the site answers an upload with."""

    id: str | int
    url: str | None
    thumbnail_url: str | None
    width: int | None
    height: int | None
    state: str = "ready"

    @property
    def path(self) -> str:
        return f"/api/images/{quote(str(self.id), safe='')}/"


class Listed(msgspec.Struct, frozen=True):
    id: str | int


class Page(msgspec.Struct, frozen=True):
    results: list[Listed]


def there_already(site: httpx.Client, known: Collection[str] = ()) -> frozenset[str]:
    """The ids of the newest pictures. known: of those that are not listed. Never raises: a site may list none."""
    try:
        answer = site.get("/api/images/")
    except httpx.HTTPError:
        return frozenset(known)
    try:
        found = msgspec.json.decode(answer.content, type=Page | list[Listed])
        ids = [str(one.id) for one in (found.results if isinstance(found, Page) else found)]
    except msgspec.DecodeError:
        ids = []
    return frozenset([*known, *ids])


def send(site: httpx.Client, photo: "Photo", headers: dict[str, str]) -> httpx.Response:
    files = {"image": ("photo.jpg", photo.content, "image/jpeg")}
    return site.post("/api/images/", files=files, headers=headers)


def taken(answer: httpx.Response, before: Collection[str]) -> Picture:
    """The new picture that a site answers an upload with. Raises Wrong for any other, and for a refusal.

    before: ids that were there before.
    """
    refuse_outage(answer)
    if answer.status_code == HTTPStatus.NOT_FOUND:
        raise Wrong(NO_UPLOADS)
    if answer.status_code != HTTPStatus.CREATED:
        raise Wrong(said(answer))
    picture = parsed(answer, Picture)
    if str(picture.id) in before or _is_old(answer):
        raise Wrong(f"answered with picture {picture.id}, which was there before: the photo that was sent is lost")
    if picture.state != "ready" or not picture.url or not picture.thumbnail_url:
        raise Wrong(f"answered with picture {picture.id} in state {picture.state}, without its addresses")
    return picture


def shows(content: bytes, photo: "Photo") -> bool:
    """Whether those bytes are a picture that was made of that photo."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as opened:
            return photo.is_shown_by(opened)
    except OSError:
        return False


class Upload:
    """A picture's way through the site; what an earlier check learned, a later one uses.

    known: ids of pictures that are there already. Nothing is deleted but what is known to be made of this photo.
    """

    def __init__(self, site: httpx.Client, access: Access, known: Collection[str] = ()) -> None:
        from stayput import photo

        self.site, self.access, self.known = site, access, known
        self.photo = photo.unique()
        self.sizes: dict[str, int] = {"photo": len(self.photo.content)}
        self.served: dict[str, bytes] = {}
        self.picture: Picture | None = None

    @property
    def uploads(self) -> str:
        """The path below which this site itself shows uploads."""
        path = urlsplit(urljoin("/", self.picture.url or "")).path if self.picture else ""
        folder = path.split("/")[1] if path.count("/") > 1 else ""
        return f"/{folder}/" if folder else UPLOADS

    def checks(self) -> Iterator[Check]:
        yield guarded("forged token", self._forged)
        yield guarded("expired token", self._expired)
        uploaded = guarded("upload", self._upload)
        yield uploaded
        if self.picture is None:
            return
        picture = self.picture
        try:
            yield guarded("main", lambda: self._main(picture))
            yield guarded("thumbnail", lambda: self._thumbnail(picture))
            if self.access.outputs:
                yield guarded("objects", lambda: self._objects(picture))
        finally:
            cleaned = guarded("clean-up", lambda: self._clean_up(picture))
        yield cleaned

    def _forged(self) -> str:
        headers = bearer(self.access, "smoke-test")
        body, _, signature = headers["Authorization"].rpartition(":")
        other = "A" if signature[:1] != "A" else "B"
        return self._refused({"Authorization": f"{body}:{other}{signature[1:]}"})

    def _expired(self) -> str:
        return self._refused(bearer(self.access, "smoke-test", age=TOKEN_LIFE + tokens.CLOCK_SKEW))

    def _refused(self, headers: dict[str, str]) -> str:
        answer = send(self.site, self.photo, headers)
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unproven(f"the site answers {said(answer)}")
        refuse_outage(answer)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise Wrong(NO_UPLOADS)
        if answer.is_success:
            raise Wrong(f"was not refused: the upload is answered with {answer.status_code}")
        if answer.status_code not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise Wrong(f"was not refused: {said(answer)}")
        return f"refused with {answer.status_code}"

    def _upload(self) -> str:
        before = there_already(self.site, self.known)
        answer = send(self.site, self.photo, bearer(self.access, "smoke-test"))
        self.picture = taken(answer, before)
        seconds = answer.elapsed.total_seconds()
        return f"{self.sizes['photo']:,} bytes taken in {seconds:.2f} s, state {self.picture.state}"

    def _main(self, picture: Picture) -> str:
        stated = (picture.width, picture.height)
        return self._fetch("main", picture.url or "", "WEBP", MAIN_SIDE, MAIN_BYTES, stated)

    def _thumbnail(self, picture: Picture) -> str:
        return self._fetch("thumbnail", picture.thumbnail_url or "", "PNG", THUMBNAIL_SIDE, THUMBNAIL_BYTES, None)

    def _fetch(
        self, name: str, url: str, kind: str, side: int, limit: int, stated: tuple[int | None, int | None] | None
    ) -> str:
        """Get one of the two pictures from its public address and hold it against the contract."""
        from PIL import Image

        answer = self.site.get(url)
        refuse_outage(answer)
        if answer.status_code != HTTPStatus.OK:
            raise Wrong(f"{bare(url)} answers {answer.status_code}")
        content = self.served[name] = answer.content
        self.sizes[name] = len(content)
        type_ = answer.headers.get("content-type", "").partition(";")[0]
        try:
            with Image.open(io.BytesIO(content)) as opened:
                size, found, metadata = opened.size, opened.format, opened.getexif()
        except OSError:
            raise Wrong(f"{bare(url)}: {len(content):,} bytes of {type_ or 'no type'}, which are no picture") from None
        faults = [
            (not shows(content, self.photo), "it is not made of the photo that was sent"),
            (found != kind, f"it is {found}, not {kind}"),
            (type_ != f"image/{kind.lower()}", f"its content type is {type_ or 'missing'}"),
            (len(content) > limit, f"it has {len(content):,} bytes, more than {limit:,}"),
            (max(size) > side, f"it is {size[0]} x {size[1]} pixels, more than {side}"),
            (stated is not None and size != stated, f"it is {size[0]} x {size[1]} pixels, the site said {stated}"),
            (size[0] >= size[1], "it lies on its side: the photo was taken upright"),
            (len(metadata) > 0, "it still carries metadata of the photo"),
        ]
        if wrong := [fault for is_wrong, fault in faults if is_wrong]:
            raise Wrong(f"{bare(url)}: {'; '.join(wrong)}")
        return f"{kind} {size[0]} x {size[1]}, {len(content):,} bytes"

    def _objects(self, picture: Picture) -> str:
        """Both objects, read from the bucket with the uploader's own key, against what the public address gave."""
        assert self.access.outputs
        bucket = self.access.outputs.bucket
        for name, url in (("main", picture.url), ("thumbnail", picture.thumbnail_url)):
            key = _key_of(url or "")
            if self._stored(key) != self.served.get(name):
                raise Wrong(f"{key} in {bucket} is not what the public address serves")
        return f"both in {bucket}, byte for byte"

    def _stored(self, key: str) -> bytes:
        """An object, read with the uploader's own key."""
        from botocore.exceptions import BotoCoreError, ClientError

        from stayput.engine.keys import as_uploader

        assert self.access.outputs
        bucket, s3 = self.access.outputs.bucket, as_uploader(self.access.outputs, self.access.endpoint_url)
        try:
            body: Any = s3.get_object(Bucket=bucket, Key=key)["Body"]
            return body.read()
        except (ClientError, BotoCoreError) as problem:
            raise Wrong(f"{key} is not in {bucket}: {problem}") from None

    def _is_ours(self, picture: Picture) -> bool:
        """Whether the picture of that id is known to be made of the photo that was sent, and may be deleted."""
        answer = self.site.get(picture.path)
        refuse_outage(answer)
        if answer.status_code != HTTPStatus.OK or bare(parsed(answer, Picture).url or "") != bare(picture.url or ""):
            return False
        if self.served or not self.access.outputs:
            return any(shows(content, self.photo) for content in self.served.values())
        try:
            return shows(self._stored(_key_of(picture.url or "")), self.photo)
        except Wrong:
            return False

    def _clean_up(self, picture: Picture) -> str:
        if not self._is_ours(picture):
            raise Wrong(f"picture {picture.id} is left alone: it is not known to be made of the photo that was sent")
        answer = self.site.delete(picture.path, headers=bearer(self.access, "smoke-test"))
        refuse_outage(answer)
        if answer.status_code != HTTPStatus.NO_CONTENT:
            raise Wrong(f"the test picture stays: {said(answer)}")
        for url in (picture.url or "", picture.thumbnail_url or ""):
            left = self.site.get(url, headers={"Cache-Control": "no-cache"}).status_code
            if left not in (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN):
                raise Wrong(f"{bare(url)} still answers {left}")
        return "the test picture is gone"


def _is_old(answer: httpx.Response) -> bool:
    """Whether a site says of what it just made that it was made long before; False where it says nothing."""
    try:
        made, now = (parsedate_to_datetime(answer.headers[name]) for name in ("last-modified", "date"))
        return made < now - SKEW
    except (KeyError, ValueError, TypeError):
        return False


def _key_of(url: str) -> str:
    """The object's key: all from media/ on, without host, bucket and signature."""
    return "media/" + urlsplit(url).path.rpartition("/media/")[2]
