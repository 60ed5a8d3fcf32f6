"""The switch before process and docker releases: one public port, and no request lost between two releases.

server.py is the proxy, a process of its own that outlives the command. Here is how a command has it started, asks it
and commands it: over /-stayput/ on the public port, with the token from its private record.
"""

import os
import sys
import time
from pathlib import Path

import httpx
import msgspec

from stayput import loopback, processes
from stayput.errors import StayputError, WrongUse

ADMIN = "/-stayput/"
START_SECONDS = 15.0
DRAIN_SECONDS = 130.0  # longer than the site's own worker timeout


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """The release that has the traffic, and the ports of 127.0.0.1 where its instances listen."""

    release: str
    ports: tuple[int, ...]


class FrontDoor:
    """The front as a command sees it: started when needed, asked, commanded. `home` is the target's private folder."""

    def __init__(self, home: Path, port: int) -> None:
        self._home, self.port = home, port
        self._record, self._state = home / "front.json", home / "upstream.json"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def upstream(self) -> Upstream | None:
        """What has the traffic; None when nothing has, or the front is not running."""
        daemon = processes.load(self._record)
        if daemon is None or not daemon.alive:
            return None
        try:
            answer = self._ask(daemon, "GET", "status")
        except StayputError:
            if processes.load(self._record) is None or not daemon.alive:  # stopped while it was asked
                return None
            raise
        return msgspec.json.decode(answer.content, type=Upstream | None)

    def ensure(self) -> None:
        """Have the front listening on its port. Raises WrongUse when another program does."""
        daemon = processes.load(self._record)
        if daemon is not None and daemon.alive:
            if daemon.port == self.port:
                return
            processes.stop(daemon)
        if processes.answers(self.port):
            next_step = f"end it, or choose another port: --set targets.process.port={self.port + 1}"
            raise WrongUse(f"port {self.port}", "is taken by another program", next_step)
        token = os.urandom(24).hex()
        processes.start(
            [sys.executable, "-m", "stayput.front.server", str(self._state), str(self.port)],
            record=self._record,
            log=self._home / "front.log",
            port=self.port,
            token=token,
            ready=lambda: processes.answers(self.port),
            name="front",
            env={**os.environ, "STAYPUT_FRONT_TOKEN": token},
        )

    def switch(self, upstream: Upstream | None, *, drain: tuple[int, ...] = ()) -> None:
        """Give the traffic to `upstream`; return when nothing is under way on the ports in `drain`."""
        self.ensure()
        daemon = processes.load(self._record)
        assert daemon is not None
        self._ask(daemon, "POST", "switch", msgspec.json.encode(upstream))
        if drain:
            self._ask(daemon, "POST", "drain", msgspec.json.encode(drain))

    def stop(self) -> None:
        """End the front and forget which release it served."""
        daemon = processes.load(self._record)
        if daemon is not None:
            processes.stop(daemon, grace=2)
        self._record.unlink(missing_ok=True)
        self._state.unlink(missing_ok=True)

    def _ask(self, daemon: processes.Daemon, method: str, verb: str, body: bytes | None = None) -> httpx.Response:
        headers, timeout = {"Authorization": f"Bearer {daemon.token}"}, DRAIN_SECONDS + 10
        deadline = time.monotonic() + START_SECONDS  # one that a killed command started may not listen yet
        while daemon.alive and not processes.answers(daemon.port) and time.monotonic() < deadline:
            time.sleep(0.05)
        try:
            url = f"{daemon.url}{ADMIN}{verb}"
            answer = loopback.client().request(method, url, content=body, headers=headers, timeout=timeout)
            return answer.raise_for_status()
        except httpx.HTTPError as problem:
            what = f"does not answer on {daemon.url}: {problem}"
            raise StayputError("front", what, f"read {self._home / 'front.log'}") from None
