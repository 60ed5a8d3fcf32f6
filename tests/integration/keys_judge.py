"""A judge before this machine's cloud that treats access keys as AWS does: a disabled or deleted one opens nothing.

The process that plays AWS stores whether a key is active and lets every key in. Requests pass through here on their
way to it; those signed with a key that is not active are refused and remembered.
"""

import dataclasses
import functools
import http.client
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from stayput.localcloud.table import connect
from tests.integration.checkouts import Checkout
from tests.integration.relay import s3_error

UNKNOWN = s3_error("InvalidAccessKeyId", "no such key")  # said of a young key, too: it is waited for
DISABLED = s3_error("AllAccessDisabled", "All access to this object has been disabled")  # no waiting cures that


class KeysJudge:
    """Listens on a port of its own; `cloud_url` is set once the cloud is there."""

    def __init__(self) -> None:
        self.cloud_url = ""
        self.forget()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def forget(self) -> None:
        """Begin anew with what was seen."""
        self.refused: list[str] = []  # "KEY METHOD PATH"
        self.wrote: list[str] = []  # the key of each object that was put, in order
        self.most_keys = 0  # that the uploader ever had at a request
        self.admits_while = lambda keys: True  # a further condition on all keys of the cloud

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @functools.cached_property
    def _iam(self):
        return connect(self.cloud_url, "eu-central-1").iam  # once: to make a client takes longer than any request

    def keys(self) -> dict[str, str]:
        """Every access key in the cloud, and whether it is "Active" or "Inactive"."""
        iam = self._iam
        users = [user["UserName"] for user in iam.list_users()["Users"]]
        found = [key for user in users for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]]
        return {key["AccessKeyId"]: key["Status"] for key in found}

    def refusal(self, key: str, method: str, path: str) -> bytes:
        """What the request is answered with; empty: it is let in."""
        keys = self.keys()
        self.most_keys = max(self.most_keys, len(keys))
        if key and not (keys.get(key) == "Active" and self.admits_while(keys)):
            self.refused.append(f"{key} {method} {path}")
            return DISABLED if keys.get(key) == "Active" else UNKNOWN
        if key and method == "PUT":
            self.wrote.append(key)
        return b""

    def _handler(judge):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # S3's clients wait a second for "100 Continue" before they send an object

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                signed = f"{self.headers.get('Authorization', '')}&{self.path}".replace("%2F", "/")
                (key,) = re.findall(r"Credential=(\w+)/", signed) or [""]
                if refusal := judge.refusal(key, self.command, self.path):
                    self.answer(403, [("Content-Type", "application/xml")], refusal)
                else:
                    self.answer(*self.forwarded(body))

            def forwarded(self, body):
                connection = http.client.HTTPConnection(urlsplit(judge.cloud_url).netloc, timeout=30)
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                content = answer.read()
                connection.close()
                return answer.status, answer.getheaders(), content

            def answer(self, status, headers, content):
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Connection", "close")
                self.close_connection = True
                self.end_headers()
                self.wfile.write(content if self.command != "HEAD" else b"")

            def log_message(self, *args):
                pass

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

        return Handler


class JudgedEngine:
    """Any engine, its cloud reached through the judge."""

    def __init__(self, engine, judge_url):
        self._engine, self._url = engine, judge_url

    def recall(self):
        return self._judged(self._engine.recall())

    def observe(self):
        return self._judged(self._engine.observe())

    def preview(self):
        return self._engine.preview()

    def drift(self):
        return self._engine.drift()

    def up(self, say):
        return self._judged(self._engine.up(say))

    def check_destroy(self, **options):
        self._engine.check_destroy(**options)

    def destroy(self, say, **options):
        self._engine.destroy(say, **options)

    def _judged(self, cloud):
        return dataclasses.replace(cloud, endpoint_url=self._url) if cloud.outputs else cloud


def judged(workspace, judge_url):
    return dataclasses.replace(workspace, engine=JudgedEngine(workspace.engine, judge_url))


class JudgedCheckout(Checkout):
    """A checkout that keeps uploads in a bucket behind the judge."""

    judge: KeysJudge

    def workspace(self, *overrides, storage="s3"):
        return judged(super().workspace(*overrides, storage="s3"), self.judge.url)

    def deploy_first(self, command, engine):
        """The first deploy, after the stack, so that the judge knows where the cloud is.

        engine: what makes one of a stack; the stack stays with it.
        """
        self.judge.cloud_url = engine(super().workspace().stack).up(lambda line: None).endpoint_url
        code, document = self.run(command)
        assert code == 0, document
        return document
