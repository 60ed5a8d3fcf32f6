"""Two objects and a row: all of them, or none.

The row is written first, with the keys, and goes last, so that whatever a crash leaves behind is known by its row.
"""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from time import perf_counter
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, transaction
from django.utils import timezone

from app.uploads.breaker import Breaker
from app.uploads.events import log
from app.uploads.images import ProcessedImage
from app.uploads.models import Image, State

ABANDONED = timedelta(minutes=15)  # the worker on a picture is dead: no request lives that long
RETRY_AFTER = 10  # seconds
breaker = Breaker(failures=3, seconds=RETRY_AFTER)


class StorageUnavailable(Exception):
    """The storage did not do what it should. Nothing is shown that is not whole.

    retry_after: seconds. unanswered: it may have done it all the same, or may do it yet.
    """

    def __init__(self, action: str, *, unanswered: bool = False):
        super().__init__(action)
        self.unanswered = unanswered
        self.retry_after = math.ceil(breaker.wait()) or RETRY_AFTER


class InProgress(Exception):
    """Another request is at work on this picture."""


class Deleted(Exception):
    """Its text is for the sender of the picture."""

    def __init__(self) -> None:
        super().__init__("The picture was deleted while it was being made.")


class KeyUsed(Exception):
    """The idempotency key came with another picture before."""


def check() -> None:
    """Raise StorageUnavailable if the storage is not to be asked just now."""
    if breaker.wait():
        raise StorageUnavailable("rest")


def receive(*, owner: str, listed: bool, direct: bool = False, key: str | None = None, sha256: str = "") -> Image:
    """A new row; or the one that this owner's key made before, if it is ready.

    What came with its request is at work at once; a direct upload is still on its way.
    Raises InProgress or KeyUsed for a key that is taken, and IntegrityError where the database refuses the row for any
    other reason, as a newer release's table may.
    """
    row = {"owner": owner, "listed": listed, "direct": direct, "idempotency_key": key, "received_sha256": sha256}
    image = Image(**row)
    if not direct:
        image.state, (image.main, image.thumbnail) = State.PROCESSING, names(image)
    try:
        return insert(image)
    except IntegrityError:
        earlier = None if key is None else Image.objects.filter(owner=owner, idempotency_key=key).first()
        if earlier is None:
            raise
    if earlier.received_sha256 != sha256:
        raise KeyUsed
    if earlier.state == State.READY:
        return earlier
    if earlier.state != State.FAILED and earlier.changed > timezone.now() - ABANDONED:
        raise InProgress
    remove(earlier)
    return insert(image)


def insert(image: Image) -> Image:
    with transaction.atomic():
        image.save(force_insert=True)
    return image


def move(image: Image, states: tuple[State, ...], state: State, *, unchanged: bool = False, **fields: Any) -> bool:
    """Give the row another state, if it is in one of `states`: of several who try, one does. Says whether it did.

    unchanged: only if it was not moved since `image` was read.
    """
    fields |= {"state": state, "changed": timezone.now()}
    rows = Image.objects.filter(pk=image.pk, state__in=states)
    moved = (rows.filter(changed=image.changed) if unchanged else rows).update(**fields)
    if moved:
        for name, value in fields.items():
            setattr(image, name, value)
    return bool(moved)


def names(image: Image) -> tuple[str, str]:
    """Of the main picture and of the thumbnail. In the row before anything is under them."""
    return f"{image.pk}.webp", f"{image.pk}-thumbnail.png"


def publish(image: Image, picture: ProcessedImage) -> None:
    """Store both objects and make the picture ready. Raises StorageUnavailable or Deleted; nothing is left of them.

    A database that goes away may have made it ready all the same: the objects then stay, known by the row.
    """
    main, thumbnail = names(image)
    width, height = picture.main_size
    try:
        if image.direct:
            claim(image)
        with storage("write", image):
            image.main = save(main, picture.main, "image/webp")
            image.thumbnail = save(thumbnail, picture.thumbnail, "image/png")
        ready = move(
            image,
            (State.PROCESSING,),
            State.READY,
            main=image.main,
            thumbnail=image.thumbnail,
            width=width,
            height=height,
            bytes=len(picture.main),
            thumbnail_bytes=len(picture.thumbnail),
            notes=list(picture.notes),
        )
        if not ready:
            raise Deleted
    except (OperationalError, InterfaceError):
        raise
    except BaseException:
        with suppress(StorageUnavailable):
            remove_objects(image)
        raise


def claim(image: Image) -> None:
    """Write down what a direct upload's objects will be called; an earlier try may have left some of them."""
    try:
        image.refresh_from_db(fields=("main", "thumbnail"))  # that try may have come after this request read the row
    except Image.DoesNotExist:
        raise Deleted from None
    if image.main:
        remove_objects(image)
    main, thumbnail = names(image)
    if not move(image, (State.PROCESSING,), State.PROCESSING, main=main, thumbnail=thumbnail):
        raise Deleted


def save(name: str, content: bytes, content_type: str) -> str:
    file = ContentFile(content, name=name)
    file.content_type = content_type  # django-storages reads it; guessing by name depends on the system
    return default_storage.save(name, file)


def remove(image: Image) -> None:
    """Remove a picture's objects and then its row. Raises StorageUnavailable; it may then be tried again."""
    move(image, tuple(State), State.FAILED)
    remove_objects(image)
    if image.direct:
        with storage("delete", image):
            default_storage.forget(str(image.pk))
    Image.objects.filter(pk=image.pk).delete()


def remove_objects(image: Image) -> None:
    with storage("delete", image):
        for file in (image.main, image.thumbnail):
            if file:
                default_storage.delete(str(file))


def discard(image: Image, problem: BaseException) -> None:
    """Remove what was half made.

    Where even that fails, or an unanswered write may yet be done, the row stays and shows the sweep what to
    remove.
    """
    with suppress(StorageUnavailable, DatabaseError, InterfaceError):
        if isinstance(problem, StorageUnavailable) and problem.unanswered:
            move(image, tuple(State), State.FAILED)
        else:
            remove(image)


@contextmanager
def storage(action: str, image: Image) -> Iterator[None]:
    check()
    begun = perf_counter()
    try:
        yield
    except Exception as problem:  # each storage raises its own kind
        breaker.failed()
        log(
            "storage.failed",
            level=logging.ERROR,
            id=image.pk,
            action=action,
            error=f"{type(problem).__name__}: {problem}",
            ms=round((perf_counter() - begun) * 1000),
        )
        is_unanswered = getattr(default_storage, "is_unanswered", lambda _: False)
        raise StorageUnavailable(action, unanswered=is_unanswered(problem)) from problem
    breaker.succeeded()
