"""The switch before process and docker releases: one public port, and no request lost between two releases.

It runs as a process of its own and outlives the command that started it. Commands speak to it over /-stayput/ on
the public port with a token from its private record. Run as: python -m stayput.front STATE_FILE PORT
"""

import asyncio
import hmac
import itertools
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import httpx
import msgspec
from aiohttp import web
from yarl import URL

from stayput import processes
from stayput.errors import StayputError, WrongUse
from stayput.secrets import write_private

ADMIN = "/-stayput/"
START_SECONDS = 15.0
DRAIN_SECONDS = 130.0  # longer than the site's own worker timeout
# Headers of one connection, not of the message (RFC 9110, 7.6.1).
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"}
    | {"te", "trailer", "transfer-encoding", "upgrade"}
)


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """The release that has the traffic, and the ports of 127.0.0.1 where its instances listen."""

    release: str
    ports: tuple[int, ...]


class Front:
    """The proxy itself: forwards each request to the upstream of that moment and counts those under way."""

    def __init__(self, state: Path, token: str) -> None:
        self._state, self._token = state, token
        self._under_way: Counter[int] = Counter()  # by port
        self._turns = itertools.count()
        self._client: aiohttp.ClientSession
        try:
            self._upstream = msgspec.json.decode(state.read_bytes(), type=Upstream | None)
        except (FileNotFoundError, msgspec.DecodeError):
            self._upstream = None

    def app(self) -> web.Application:
        app = web.Application(client_max_size=0)
        app.router.add_get(ADMIN + "status", self._status)
        app.router.add_post(ADMIN + "switch", self._switch)
        app.router.add_post(ADMIN + "drain", self._drain)
        app.router.add_route("*", "/{path:.*}", self._forward)
        app.cleanup_ctx.append(self._with_client)
        return app

    async def _with_client(self, app: web.Application):  # type: ignore[no-untyped-def]
        # A new connection a request: an idle one that the release is just closing would lose a POST.
        connector = aiohttp.TCPConnector(force_close=True, limit=0)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as self._client:
            yield

    def _allowed(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
            raise web.HTTPNotFound

    async def _status(self, request: web.Request) -> web.Response:
        self._allowed(request)
        return web.Response(body=msgspec.json.encode(self._upstream), content_type="application/json")

    async def _switch(self, request: web.Request) -> web.Response:
        """All new requests go to the upstream in the body (or to none, for null) from this moment on."""
        self._allowed(request)
        upstream = msgspec.json.decode(await request.content.read(), type=Upstream | None)
        write_private(self._state, msgspec.json.encode(upstream))
        self._upstream = upstream
        return web.Response(status=204)

    async def _drain(self, request: web.Request) -> web.Response:
        """Answer when no request is under way on the ports in the body, or after DRAIN_SECONDS."""
        self._allowed(request)
        ports = msgspec.json.decode(await request.content.read(), type=list[int])
        deadline = asyncio.get_running_loop().time() + DRAIN_SECONDS
        while any(self._under_way[port] for port in ports) and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        return web.json_response({"left": sum(self._under_way[port] for port in ports)})

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        upstream = self._upstream
        if upstream is None:
            return web.Response(status=503, text="No release is live here yet.\n", headers={"Retry-After": "5"})
        port = upstream.ports[next(self._turns) % len(upstream.ports)]
        self._under_way[port] += 1
        try:
            return await self._relay(request, port)
        finally:
            self._under_way[port] -= 1

    async def _relay(self, request: web.Request, port: int) -> web.StreamResponse:
        url = f"http://127.0.0.1:{port}{request.raw_path}"
        body = request.content if request.body_exists else None
        try:
            answer = await self._client.request(
                request.method,
                URL(url, encoded=True),
                headers=_forwarded(request),
                data=body,
                allow_redirects=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        except aiohttp.ClientError as problem:
            return web.Response(status=502, text=f"The release did not answer: {type(problem).__name__}.\n")
        async with answer:
            response = web.StreamResponse(status=answer.status, reason=answer.reason)
            for name, value in answer.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    response.headers.add(name, value)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
        return response


def _forwarded(request: web.Request) -> Mapping[str, str]:
    """The request's headers as the release should see them: as sent, plus who asked and how."""
    headers = request.headers.copy()
    for name in HOP_BY_HOP | {h.strip().lower() for h in headers.get("Connection", "").split(",")}:
        headers.popall(name, None)
    before = headers.get("X-Forwarded-For")
    headers["X-Forwarded-For"] = f"{before}, {request.remote}" if before else str(request.remote)
    headers.setdefault("X-Forwarded-Proto", request.scheme)
    return headers


class FrontDoor:
    """The front as a command sees it: started when needed, asked, told. `home` is the target's private folder."""

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
        answer = self._ask(daemon, "GET", "status")
        return msgspec.json.decode(answer.content, type=Upstream | None)

    def ensure(self) -> None:
        """Have the front listening on its port. Raises WrongUse when somebody else does."""
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
            [sys.executable, "-m", "stayput.front", str(self._state), str(self.port)],
            record=self._record,
            log=self._home / "front.log",
            port=self.port,
            token=token,
            ready=lambda: processes.answers(self.port),
            name="front",
            env={**os.environ, "STAYPUT_FRONT_TOKEN": token, "PYTHONPATH": str(Path(__file__).parent.parent)},
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
            answer = httpx.request(method, url, content=body, headers=headers, timeout=timeout, trust_env=False)
            return answer.raise_for_status()
        except httpx.HTTPError as problem:
            what = f"does not answer on {daemon.url}: {problem}"
            raise StayputError("front", what, f"read {self._home / 'front.log'}") from None


def main(state: str, port: str) -> None:
    token = os.environ.pop("STAYPUT_FRONT_TOKEN")
    front = Front(Path(state), token)
    web.run_app(
        front.app(),
        host="127.0.0.1",
        port=int(port),
        print=None,
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=1,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
