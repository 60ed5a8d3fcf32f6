"""A site that takes photos, in memory: it keeps the contract of docs/site.md, and breaks it where a test says so."""

import email
import email.policy
import json
import re
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from app.uploads import images
from stayput.django import tokens
from stayput.secrets import Secret
from stayput.variables import Access

KEY = "the site's key"
ACCESS = Access(stayput_key=Secret(KEY), outputs=None)


class PictureSite:
    """`rows`: id → {main, thumbnail, sender}. `pages`: path → (status, headers, text).

    `broken`: (method, path's beginning) → (status, text), answered instead. `answers`: what an upload is answered,
    given what is right, with these `headers`. `trusts`: any token. `asked`: (method, path, headers) of each request.
    """

    def __init__(self):
        self.rows, self.pages, self.broken, self.asked = {}, {}, {}, []
        self.answers, self.headers, self.trusts = lambda body: body, {}, False
        self.build, self.release = "the-build", "the-release"
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                site._meet(self)

            do_POST = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def add(self, photo, sender="upload"):
        """Keep a photo as the site does; returns the id."""
        made, id = images.process(photo), str(uuid.uuid4())
        self.rows[id] = {"main": made.main, "thumbnail": made.thumbnail, "sender": sender}
        self.rows[id] |= {"width": made.main_size[0], "height": made.main_size[1]}
        return id

    def described(self, id):
        row = self.rows[id]
        addresses = {"url": f"{self.url}/media/{id}.webp", "thumbnail_url": f"{self.url}/media/{id}.png"}
        return {"id": id, "state": "ready", **addresses, "width": row["width"], "height": row["height"], "notes": []}

    def _meet(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        method, path = handler.command, handler.path
        self.asked.append((method, path, dict(handler.headers)))
        broken = next((said for (m, p), said in self.broken.items() if m == method and path.startswith(p)), None)
        status, headers, content = (broken[0], {}, broken[1]) if broken else self._answer(handler, method, path, body)
        content = content if isinstance(content, bytes) else content.encode()
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def _answer(self, handler, method, path, body):
        if path == "/healthz":
            return _json(200, {"status": "ok", "build": self.build, "release": self.release, "checks": {}})
        if path == "/api/images/":
            return self._upload(handler, body) if method == "POST" else _json(200, {"results": self._listed()})
        if found := re.fullmatch(r"/api/images/([^/]+)/", path):
            if found[1] not in self.rows:
                return _json(404, {"detail": "There is nothing at this address."})
            if method == "DELETE":
                del self.rows[found[1]]
                return 204, {}, b""
            return _json(200, self.described(found[1]))
        if (found := re.fullmatch(r"/media/([^/]+)\.(webp|png)", path)) and found[1] in self.rows:
            part = "main" if found[2] == "webp" else "thumbnail"
            return 200, {"Content-Type": f"image/{found[2]}"}, self.rows[found[1]][part]
        return self.pages.get(path, (404, {"Content-Type": "text/html"}, "<h1>Not Found</h1>"))

    def _listed(self):
        return [self.described(id) for id, row in self.rows.items() if row["sender"] == "upload"]

    def _upload(self, handler, body):
        try:
            sender = tokens.verify(KEY, handler.headers["Authorization"].removeprefix("Bearer "))
        except tokens.BadToken as problem:
            if not self.trusts:
                return _json(401, {"detail": str(problem)})
            sender = "smoke-test"
        head = f"Content-Type: {handler.headers['Content-Type']}\r\n\r\n".encode()
        form = email.message_from_bytes(head + body, policy=email.policy.HTTP)
        photo = next(form.iter_parts()).get_payload(decode=True)
        answer = self.answers(self.described(self.add(photo, sender)))
        status, headers, content = _json(201, answer) if isinstance(answer, dict) else answer
        return status, headers | self.headers, content


def _json(status, body):
    return status, {"Content-Type": "application/json"}, json.dumps(body)
