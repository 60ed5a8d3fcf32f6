"""The front itself: forwards each request to the release of that moment. python -m stayput.front.server STATE PORT"""

import asyncio
import hmac
import itertools
import os
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import msgspec
from aiohttp import web
from yarl import URL

from stayput.front import ADMIN, DRAIN_SECONDS, Upstream
from stayput.kept import recall
from stayput.secrets import write_private

# Headers of one connection, not of the message (RFC 9110, 7.6.1).
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"}
    | {"te", "trailer", "transfer-encoding", "upgrade"}
)


class Front:
    """The proxy itself: forwards each request to the upstream of that moment and counts those under way."""

    def __init__(self, state: Path, token: str) -> None:
        self._state, self._token = state, token
        self._under_way: Counter[int] = Counter()  # by port
        self._turns = itertools.count()
        self._client: aiohttp.ClientSession
        self._upstream = recall(state, Upstream)

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
