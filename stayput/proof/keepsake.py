"""The keepsake: a picture that a release leaves, and the next one must still have."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import httpx

from stayput.ledger import Keepsake
from stayput.proof import READ_LOG, UNPROVEN, ProofCheck, ProofFailed
from stayput.proof.upload import Picture, send, shows, taken, there_already
from stayput.proof.visit import (
    Unproven,
    Wrong,
    bare,
    bearer,
    guarded,
    parsed,
    refuse_outage,
    said,
    sha256,
    visit,
)
from stayput.variables import Access

THE_PICTURE = "the picture that the last release took"
ON_PURPOSE = "; if it was taken away on purpose, go on without it: invoke deploy --without-keepsake"


def leave_keepsake(address: str, access: Access, *, database: str = "", last: Keepsake | None = None) -> Keepsake:
    """Upload a picture for the next release to find. Raises ProofFailed.

    database: where the site keeps its rows, as the ledger names it. last: the keepsake of the release before.
    """
    from stayput import photo

    sent = photo.unique()
    with visit(address) as site, _as_failure(address):
        before = there_already(site, [last.id] if last else [])
        picture = taken(send(site, sent, bearer(access, "keepsake")), before)
        content = _content(site, picture)
        if not shows(content, sent):
            raise Wrong(f"{bare(picture.url or '')} is not made of the photo that was sent")
        return Keepsake(id=str(picture.id), sha256=sha256(content), stored_in=access.stored_in, database=database)


def find_keepsake(address: str, keepsake: Keepsake) -> ProofCheck:
    """Whether a picture that an earlier release took is still there, byte for byte."""
    with visit(address) as site:
        return check_keepsake(site, keepsake)


def check_keepsake(site: httpx.Client, keepsake: Keepsake) -> ProofCheck:
    return guarded("keepsake", lambda: _find(site, keepsake))


def forget_keepsake(address: str, access: Access, keepsake: Keepsake) -> None:
    """Take an old keepsake away where it is still what was left; one that is gone or another is no fault here."""
    with visit(address) as site:
        if check_keepsake(site, keepsake).ok:
            guarded("clean-up", lambda: said(site.delete(_path(keepsake), headers=bearer(access, "keepsake"))))


def _find(site: httpx.Client, keepsake: Keepsake) -> str:
    answer = site.get(_path(keepsake))
    _refuse_trouble(answer)
    if answer.status_code != HTTPStatus.OK:
        raise Wrong(f"{THE_PICTURE} is not known any more: {said(answer)}", _remedy(keepsake, "rows"))
    content = site.get(parsed(answer, Picture).url or "")
    _refuse_trouble(content)
    if content.status_code != HTTPStatus.OK:
        what = f"{THE_PICTURE} is gone: its address answers {content.status_code}"
        raise Wrong(what, _remedy(keepsake, "objects"))
    if (found := sha256(content.content)) != keepsake.sha256:
        what = f"{THE_PICTURE} is not the same any more: SHA-256 {found[:12]}…, not {keepsake.sha256[:12]}…"
        raise Wrong(what, _remedy(keepsake, "objects"))
    return f"{THE_PICTURE} is still there, byte for byte"


def _remedy(keepsake: Keepsake, kind: str) -> str:
    """What to do about a lost row, or a lost object; empty: the usual."""
    if not keepsake.stored_in:
        return ""
    if kind == "rows":
        return f"see whether DATABASE_URL leads to the database of before{ON_PURPOSE}"
    return f"see who writes to the bucket {keepsake.stored_in}{ON_PURPOSE}"


def _refuse_trouble(answer: httpx.Response) -> None:
    """A site that fails says nothing about whether a picture is kept."""
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unproven(f"the site answers {said(answer)}")
    refuse_outage(answer)


def _content(site: httpx.Client, picture: Picture) -> bytes:
    answer = site.get(picture.url or "")
    refuse_outage(answer)
    if answer.status_code != HTTPStatus.OK:
        raise Wrong(f"{bare(picture.url or '')} answers {answer.status_code}")
    return answer.content


def _path(keepsake: Keepsake) -> str:
    return Picture(id=keepsake.id, url=None, thumbnail_url=None, width=None, height=None).path


@contextmanager
def _as_failure(address: str) -> Iterator[None]:
    """What keeps a keepsake from being left, as ProofFailed."""
    try:
        yield
    except Wrong as finding:
        raise ProofFailed(address, f"keepsake: {finding}", finding.remedy or READ_LOG) from None
    except (Unproven, httpx.HTTPError, httpx.InvalidURL) as problem:
        what = str(problem) or type(problem).__name__
        raise ProofFailed(address, f"keepsake: {UNPROVEN}: {what}", READ_LOG) from None
