"""From an uploaded file to a stored picture: the one way, whether it came through the API or the page."""

import logging

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from app.uploads import images, slots, store
from app.uploads.events import Stopwatch, log
from app.uploads.models import Image


def take(upload: UploadedFile, *, listed: bool = True) -> Image:
    """Process and store. Raises images.InvalidImage, slots.Busy or store.StorageUnavailable.

    The file is read once, and only when there is a slot for it: what waits, waits on disk.
    """
    watch = Stopwatch()
    try:
        picture = process(upload, watch)
    except images.InvalidImage as refusal:
        log("image.refused", received=upload.size, reason=str(refusal))
        raise
    except slots.Busy:
        log("upload.busy", level=logging.WARNING, waited_ms=round(settings.DECODING_PATIENCE * 1000))
        raise
    with watch.time("store_ms"):
        image = store.store(picture, listed=listed)
    log(
        "image.stored",
        id=image.pk,
        received=upload.size,
        bytes=image.bytes,
        thumbnail_bytes=image.thumbnail_bytes,
        width=image.width,
        height=image.height,
        **watch.ms,
    )
    return image


def process(upload: UploadedFile, watch: Stopwatch) -> images.ProcessedImage:
    with (
        slots.one(settings.DECODING_SLOTS, patience=settings.DECODING_PATIENCE) as watch.ms["wait_ms"],
        watch.time("process_ms"),
    ):
        return images.process(upload.read(), settings.UPLOAD_LIMITS)


def remove(image: Image) -> None:
    """Remove a picture and its objects. Raises store.StorageUnavailable."""
    watch = Stopwatch()
    with watch.time("ms"):
        store.remove(image)
    log("image.deleted", id=image.pk, **watch.ms)
