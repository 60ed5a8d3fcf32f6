"""What a crash left behind, finished or cleaned up: `manage.py sweep`, from a scheduler or by hand."""

import logging
import time
from collections import Counter
from datetime import timedelta

from django.db import DatabaseError
from django.utils import timezone

from app.uploads import direct, store
from app.uploads.events import log
from app.uploads.images import InvalidImage
from app.uploads.models import Image, Sender, State
from app.uploads.slots import Busy

FORM_EXPIRED = timedelta(seconds=direct.FORM_SECONDS) + store.ABANDONED  # nothing more can come under incoming/
REFUSED_KEPT = timedelta(days=1)
SENDER_KEPT = 3600  # seconds; what is counted is over in a minute
logger = logging.getLogger("site")


def sweep() -> Counter[str]:
    """Go through all abandoned pictures that are not as they should be. Says how many became what.

    Safe at any time, twice at once, and after being killed itself.
    """
    done: Counter[str] = Counter()
    now = timezone.now()
    left = Image.objects.exclude(state=State.READY).filter(changed__lt=now - store.ABANDONED)
    for image in left.iterator():
        done[settle(image)] += 1
    for image in Image.objects.filter(direct=True, state=State.READY, created__lt=now - FORM_EXPIRED).iterator():
        direct.forget(image)  # what was sent once more after the picture was made
        Image.objects.filter(pk=image.pk).update(direct=False)
    Sender.objects.filter(began__lt=time.time() - SENDER_KEPT).delete()
    log("sweep.done", **done)
    return done


def settle(image: Image) -> str:
    """Finish or clean up one abandoned picture."""
    try:
        if image.state == State.REFUSED and image.changed > timezone.now() - REFUSED_KEPT:
            return "kept"
        if image.direct and image.state in (State.RECEIVED, State.PROCESSING):
            return finish(image)
        store.remove(image)
    except (store.StorageUnavailable, store.InProgress, Busy):
        return "left"
    except DatabaseError:  # a newer release's table may refuse this one row, and take the others
        logger.exception("the database refuses to have %s looked after", image.pk)
        return "left"
    except store.Deleted:  # by another request, while it was being made
        pass
    return "removed"


def finish(image: Image) -> str:
    """The photo may be there, and the process that was to make a picture of it is gone."""
    if image.state == State.PROCESSING and not store.move(image, (image.state,), State.RECEIVED, unchanged=True):
        raise store.InProgress
    try:
        direct.finish(image)
    except direct.NothingSent:
        if image.created > timezone.now() - FORM_EXPIRED:
            return "kept"
        store.remove(image)
        return "removed"
    except InvalidImage:
        return "refused"
    return "finished"
