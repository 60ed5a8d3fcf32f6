"""Two objects and a row: all of them, or none.

The row is written first, with the keys, and goes last, so that whatever a crash leaves behind is known by its row.
"""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import perf_counter

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from app.uploads.events import log
from app.uploads.images import ProcessedImage
from app.uploads.models import Image, State


class StorageUnavailable(Exception):
    """The storage did not take, or did not remove, an object. Nothing is shown that is not whole."""


def store(picture: ProcessedImage, *, listed: bool) -> Image:
    """Keep a picture. Raises StorageUnavailable."""
    width, height = picture.main_size
    identity = uuid.uuid4()
    image = Image.objects.create(
        id=identity,
        state=State.PROCESSING,
        main=f"{identity}.webp",
        thumbnail=f"{identity}-thumbnail.png",
        width=width,
        height=height,
        bytes=len(picture.main),
        thumbnail_bytes=len(picture.thumbnail),
        listed=listed,
    )
    try:
        with storage("write", image):
            image.main = save(image.main.name, picture.main, "image/webp")
            image.thumbnail = save(image.thumbnail.name, picture.thumbnail, "image/png")
        image.state = State.READY
        image.save()
    except BaseException:
        discard(image)
        raise
    return image


def save(name: str, content: bytes, content_type: str) -> str:
    file = ContentFile(content, name=name)
    file.content_type = content_type  # django-storages reads it; guessing by name depends on the system
    return default_storage.save(name, file)


def remove(image: Image) -> None:
    """Remove a picture's objects and then its row. Raises StorageUnavailable; it may then be tried again."""
    Image.objects.filter(pk=image.pk).update(state=State.FAILED)
    with storage("delete", image):
        default_storage.delete(image.main.name)
        default_storage.delete(image.thumbnail.name)
    Image.objects.filter(pk=image.pk).delete()


def discard(image: Image) -> None:
    """Remove what was half made. Where even that fails, the row stays as failed and tells what to remove."""
    with suppress(StorageUnavailable):
        remove(image)


@contextmanager
def storage(action: str, image: Image) -> Iterator[None]:
    begun = perf_counter()
    try:
        yield
    except Exception as problem:  # each storage raises its own kind
        log(
            "storage.failed",
            level=logging.ERROR,
            id=image.pk,
            action=action,
            error=f"{type(problem).__name__}: {problem}",
            ms=round((perf_counter() - begun) * 1000),
        )
        raise StorageUnavailable(action) from problem
