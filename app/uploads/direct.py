"""Photos that a browser sends straight to the bucket: a form to send it with, and what is done when it is there.

The form allows one key, one content type, a bounded size, and ten minutes. What lies under incoming/ is a claim, not
a picture: it is looked at as hard as any other upload, once, and goes when it is done with.
"""

from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage

from app.uploads import images, intake, store
from app.uploads.events import Stopwatch, log
from app.uploads.models import Image, State

FORM_SECONDS = 600


class NotDirect(Exception):
    """The storage takes nothing straight from a browser."""


class NothingSent(Exception):
    """There is no photo under incoming/ yet."""


def possible() -> bool:
    """Whether the storage takes photos straight from a browser."""
    return hasattr(default_storage, "form")


def begin(content_type: str, *, owner: str, listed: bool) -> tuple[Image, dict[str, Any]]:
    """A row that is received, and the form `{"url", "fields"}` to post the photo with, its file last."""
    if not possible():
        raise NotDirect
    image = store.receive(owner=owner, listed=listed, direct=True)
    most = settings.UPLOAD_LIMITS.upload_bytes
    form = default_storage.form(str(image.pk), content_type=content_type, most=most, seconds=FORM_SECONDS)
    log("upload.opened", id=image.pk)
    return image, form


def finish(image: Image) -> Image:
    """Make the picture of what was sent. Done twice, it says the same twice.

    Raises images.InvalidImage or store.Deleted, after which nothing is to be had; or NothingSent, slots.Busy,
    store.InProgress or store.StorageUnavailable, after which it may be tried again.
    """
    if image.state == State.READY:
        return image
    if image.state == State.REFUSED:
        raise images.InvalidImage(image.notes[0])
    store.check()
    watch = Stopwatch()
    with intake.slot(watch):
        if not store.move(image, (State.RECEIVED,), State.PROCESSING):
            raise store.InProgress
        try:
            data = fetch(image)
            picture = intake.process(data, watch)
        except images.InvalidImage as refusal:
            store.move(image, (State.PROCESSING,), State.REFUSED, notes=[str(refusal)])
            forget(image)
            raise
        except BaseException:
            store.move(image, (State.PROCESSING,), State.RECEIVED)
            raise
        received = len(data)
        del data
    try:
        intake.keep(image, picture, received, watch)
    except BaseException:
        store.move(image, (State.PROCESSING,), State.RECEIVED)
        raise
    forget(image)
    return image


def fetch(image: Image) -> bytes:
    """What was sent. Read only when it is no larger than is taken."""
    most = settings.UPLOAD_LIMITS.upload_bytes
    with store.storage("read", image):
        sent = default_storage.sent(str(image.pk), most=most)
    if sent is None:
        raise NothingSent
    if isinstance(sent, int):
        raise images.InvalidImage(images.too_large(sent, most))
    return sent


def forget(image: Image) -> None:
    """Remove what was sent; where that fails, the sweep does it, or the bucket's lifecycle."""
    try:
        with store.storage("delete", image):
            default_storage.forget(str(image.pk))
    except store.StorageUnavailable:
        pass
