"""What a release does before it takes traffic: it checks itself, then tries what it is there for.

In wsgi.py: `start.check()` once the application is made. In the server's configuration, where there is one process
yet (gunicorn: on_starting): `start.rehearse()`.
"""

import contextlib
import logging
import os
import signal
import sys
import time
from typing import Any, cast

from django import urls
from django.core.files.storage import storages

from stayput.django import checks, diagnose

PATIENCE = 10.0  # seconds

logger = logging.getLogger("stayput.diagnose")


def check() -> None:
    """Raises SystemExit with every fault that the checks find, a line each."""
    if faults := checks.faults():
        sys.exit("\n".join(f"site: {fault}" for fault in faults))


def rehearse() -> None:
    """Write the diagnosis to the log. Raises SystemExit where this release must not get traffic.

    A storage that does not answer stops nothing: it may come back, and the rest of the site is well. It is done in a
    child process, whose connections end with it and which is not waited for longer than PATIENCE.
    """
    _load()
    child = os.fork()
    if not child:
        os._exit(_write_down())
    deadline = time.monotonic() + PATIENCE
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            logger.error("the diagnosis was not done within %.0f s: something it asked does not answer", PATIENCE)
            return
        time.sleep(0.02)
    if os.waitstatus_to_exitcode(ended[1]):
        sys.exit(3)


def _load() -> None:
    """Have the one process that will fork load what each worker would at its first request, each for itself.

    The storage's client has no connection yet.
    """
    with contextlib.suppress(Exception):  # whatever stands against it, the diagnosis names it
        cast("Any", urls).get_resolver().url_patterns  # noqa: B018
        cast("Any", storages["default"]).client  # noqa: B018


def _write_down() -> int:
    stops: list[str] = []
    try:
        for line in diagnose.diagnose():
            level = logging.ERROR if line.ok is False else logging.INFO
            logger.log(level, "%s", diagnose.shown(line, sys.stdout.encoding))
            if line.stops and line.ok is False:
                stops.append(f"site: {line.name}: {line.detail}. Next: {line.remedy}\n")
        sys.stderr.write("".join(stops))
        sys.stderr.flush()
        sys.stdout.flush()
    except BaseException:  # a diagnosis that breaks must not stop a release that may be well
        logger.exception("the diagnosis itself failed")
    return bool(stops)
