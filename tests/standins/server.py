"""What the stand-ins have in common: an HTTP server with faults to order, judged by a contract."""

import email.utils
import json
import socket
import struct
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
SLOW = 1.5  # seconds: longer than the clients in tests wait


class Refusal(Exception):
    """An answer other than 2xx."""

    def __init__(self, status, message):
        self.status, self.message = status, message


class Fault:
    """`kind` for the calls of `method` and `path` (as the contract writes it), so many times."""

    KINDS = (
        "time-out before",
        "time-out after",
        "reset before",
        "reset after",
        "429",
        "429 with a date",
        "500",
        "502 HTML",
        "malformed JSON",
    )

    def __init__(self, call, kind, times=1):
        self.call, self.kind, self.times = call, kind, times
        self.met = 0

    def strikes(self, call):
        if call != self.call or self.met >= self.times:
            return ""
        self.met += 1
        return self.kind


class StandIn:
    """Serves `handle` and keeps what happened: `calls` by name, `violations` of the contract."""

    token = "the-token"

    def __init__(self):
        self.calls, self.violations, self.fault = [], [], None
        self.skew = 0  # seconds that its clock is ahead
        self.user_agents, self.paths = set(), []
        self.writes = Counter()  # of variables, by name
        self._lock = threading.Lock()
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                stand_in._serve(self)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):  # clients that gave up
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.today = time.time
        self._listens = False

    def listen(self):
        """Answer over the network from now on."""
        self._listens = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def root(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        if self._listens:
            self._server.shutdown()
        self._server.server_close()

    # What a provider fills in.

    silent = False  # answers what makes a deployment without a body, where the provider may do so

    def unsettle(self):
        """A setting of the service is not as it should be any more."""

    def name_of(self, method, path, body):
        """The call as faults and counts name it."""
        raise NotImplementedError

    def authorized(self, headers):
        return headers.get("Authorization") == f"Bearer {self.token}"

    def judge_request(self, method, path, query, body):
        return []

    def judge_answer(self, method, path, body, status, answer):
        return []

    def handle(self, method, path, query, body):
        """(status, JSON or None). Raises Refusal."""
        raise NotImplementedError

    def refuse(self, status, message):
        return {"message": message}

    def meet(self, method, target, headers, content):
        """(kind of fault, status, headers, content) of the answer to one request."""
        split = urlsplit(target)
        query, body = dict(parse_qsl(split.query, keep_blank_values=True)), json.loads(content) if content else None
        self.user_agents.add(headers.get("User-Agent"))
        with self._lock:
            call = self.name_of(method, split.path, body)
            self.calls.append(call)
            self.paths.append(target)
            kind = self.fault.strikes(call) if self.fault else ""
            status, answer = 500, None
            if kind in ("", "time-out after", "reset after", "malformed JSON"):
                status, answer = self._answer(method, split.path, query, headers, body)
        return kind, *self._written(kind, status, answer)

    def _answer(self, method, path, query, headers, body):
        if not self.authorized(headers):
            return 401, self.refuse(401, "unknown token")
        self.violations += self.judge_request(method, path, query, body)
        try:
            status, answer = self.handle(method, path, query, body)
        except Refusal as refusal:
            status, answer = refusal.status, self.refuse(refusal.status, refusal.message)
        self.violations += self.judge_answer(method, path, body, status, answer)
        return status, answer

    def _written(self, kind, status, answer):
        now = self.today() + self.skew
        headers = {"Content-Type": "application/json", "Date": email.utils.formatdate(now, usegmt=True)}
        content = json.dumps(answer).encode() if answer is not None else b""
        match kind:
            case "429":
                return 429, headers | {"Retry-After": "1"}, b'{"message": "too many"}'
            case "429 with a date":
                return 429, headers | {"Retry-After": email.utils.formatdate(now + 1, usegmt=True)}, b"{}"
            case "403":
                return 403, headers, b'{"message": "forbidden"}'
            case "500":
                return 500, headers, b'{"message": "internal"}'
            case "502 HTML":
                return 502, headers | {"Content-Type": "text/html"}, HTML
            case "malformed JSON":
                return status, headers, content[: len(content) // 2] + b"\x00{"
            case _ if kind.startswith("says "):  # as GraphQL does, in an answer with status 200
                return 200, headers, json.dumps({"errors": [{"message": kind[5:]}], "data": None}).encode()
            case _ if kind.startswith("answers "):  # the text of the whole body
                return 200, headers, kind[8:].encode()
            case _:
                return status, headers, content

    def _serve(self, handler):
        content = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        kind, status, headers, content = self.meet(handler.command, handler.path, handler.headers, content)
        if kind.startswith("time-out"):
            time.sleep(SLOW)
            handler.close_connection = True
            return
        if kind.startswith("reset"):
            linger = struct.pack("ii", 1, 0)
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            handler.connection.close()
            handler.close_connection = True
            return
        handler.send_response_only(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)
