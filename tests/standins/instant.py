"""A provider without a network, a site or waiting: the same stand-in, met in memory, by a clock that only jumps."""

import itertools
import tempfile
from pathlib import Path

import httpx

from stayput.targets.http import Clock
from tests.standins.places import PLACES
from tests.standins.sites import LightImages, LightSites

BEGIN = 1_800_000_000.0  # seconds since the epoch


class VirtualClock:
    """Time passes where somebody sleeps, and nowhere else."""

    def __init__(self):
        self._gone = 0.0
        self.interrupt = lambda: False  # True: somebody presses Ctrl-C in this sleep
        self.clock = Clock(now=lambda: self._gone, today=self.today, sleep=self.sleep)

    def today(self):
        return BEGIN + self._gone

    def sleep(self, seconds):
        self._gone += seconds
        if self.interrupt():
            self.interrupt = lambda: False
            raise KeyboardInterrupt

    def client(self, stand_in):
        """An HTTP client that meets the stand-in without a network; its faults are the network's own."""
        return httpx.Client(transport=httpx.MockTransport(lambda request: self._meet(stand_in, request)))

    def _meet(self, stand_in, request):
        target = request.url.raw_path.decode()
        kind, status, headers, content = stand_in.meet(request.method, target, request.headers, request.content)
        if kind.startswith("time-out"):
            self.sleep(30)
            raise httpx.ReadTimeout("timed out", request=request)
        if kind.startswith("reset"):
            raise httpx.ReadError("connection reset by peer", request=request)
        return httpx.Response(status, headers=headers, content=content, request=request)


class InstantSites(LightSites):
    """Sites that answer as soon as they are started, and only through `Hosting.reported`."""

    def open(self, health):
        return InstantSite(health)


class InstantSite:
    port = 0

    def __init__(self, health):
        self.health = health

    def log(self):
        return ["the light site is up"]

    def stop(self):
        pass


class Folders:
    """A new one for each place; gone with the `with` block."""

    def __enter__(self):
        self._kept = tempfile.TemporaryDirectory()
        self._numbers = itertools.count()
        return self

    def new(self):
        folder = Path(self._kept.name) / str(next(self._numbers))
        folder.mkdir()
        return folder

    def __exit__(self, *_):
        self._kept.cleanup()


def instant_place(name, home, clock, images=None, sites=InstantSites, **given):
    images = images or LightImages()
    place = PLACES[name](None, home, sites=sites(images), images=images, clock=clock, **given)
    place.clock = clock
    return place
