"""The events that the site logs: their names, and what each says. No secret, no file name, no person."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter

EVENTS: Mapping[str, str] = {
    "image.stored": "a picture was made small and stored: id, received, bytes, thumbnail_bytes, width, height, "
    "wait_ms, process_ms, store_ms",
    "image.refused": "a file was not taken: received, reason",
    "image.deleted": "a picture and its objects were removed: id, ms",
    "upload.too_large": "a body was refused before it was read: length",
    "upload.opened": "a form was given out to send a photo straight to the bucket with: id",
    "upload.too_slow": "a sender did not keep up with the least pace: length",
    "upload.busy": "an upload found no free slot to be decoded in: waited_ms",
    "storage.failed": "the storage did not do what it should: id, action, error, ms",
    "sweep.done": "what crashes left was looked after: how many were finished, refused, removed, kept, left",
}

logger = logging.getLogger("uploads")


def log(event: str, *, level: int = logging.INFO, **fields: object) -> None:
    """Log one of EVENTS; sizes in bytes, durations (`..._ms`) in milliseconds."""
    if event not in EVENTS:
        raise KeyError(event)
    logger.log(level, event, extra={"fields": fields})


class Stopwatch:
    """Milliseconds that parts of an upload took."""

    def __init__(self) -> None:
        self.ms: dict[str, int] = {}

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        begun = perf_counter()
        try:
            yield
        finally:
            self.ms[name] = round((perf_counter() - begun) * 1000)
