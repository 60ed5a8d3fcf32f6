"""What happens to an uploaded file: it waits for a slot, becomes two pictures, and is kept."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from app.uploads import images, slots, store
from app.uploads.events import Stopwatch, log
from app.uploads.models import Image, State


def take(upload: UploadedFile, *, owner: str = "", listed: bool = True, key: str | None = None) -> Image:
    """Process and store. key: an idempotency key; sent again, it gives the picture that it made before.

    The file is read once, and only when there is a slot for it: what waits, waits on disk.
    Raises images.InvalidImage, slots.Busy, store.StorageUnavailable, store.InProgress, store.KeyUsed or store.Deleted.
    """
    store.check()
    watch = Stopwatch()
    with slot(watch):
        data = upload.read()
        image = store.receive(owner=owner, listed=listed, key=key, sha256=sha256(data).hexdigest() if key else "")
        if image.state == State.READY:
            return image
        try:
            picture = process(data, watch)
        except BaseException:
            image.delete()  # there is nothing else of it
            raise
        received = len(data)
        del data  # outside of the slot, nothing large is held
    try:
        keep(image, picture, received, watch)
    except BaseException as problem:
        store.discard(image, problem)
        raise
    return image


@contextmanager
def slot(watch: Stopwatch) -> Iterator[None]:
    """A place among those who work on pictures. Raises slots.Busy."""
    try:
        with slots.one(settings.DECODING_SLOTS, patience=settings.DECODING_PATIENCE) as watch.ms["wait_ms"]:
            yield
    except slots.Busy:
        log("upload.busy", level=logging.WARNING, waited_ms=round(settings.DECODING_PATIENCE * 1000))
        raise


def process(data: bytes, watch: Stopwatch) -> images.ProcessedImage:
    try:
        with watch.time("process_ms"):
            return images.process(data, settings.UPLOAD_LIMITS)
    except images.InvalidImage as refusal:
        log("image.refused", received=len(data), reason=str(refusal))
        raise


def keep(image: Image, picture: images.ProcessedImage, received: int, watch: Stopwatch) -> None:
    with watch.time("store_ms"):
        store.publish(image, picture)
    log(
        "image.stored",
        id=image.pk,
        received=received,
        bytes=image.bytes,
        thumbnail_bytes=image.thumbnail_bytes,
        width=image.width,
        height=image.height,
        **watch.ms,
    )


def remove(image: Image) -> None:
    """Remove a picture and its objects. Raises store.StorageUnavailable."""
    watch = Stopwatch()
    with watch.time("ms"):
        store.remove(image)
    log("image.deleted", id=image.pk, **watch.ms)
