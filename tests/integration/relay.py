"""A server before this machine's cloud that answers some requests as AWS would, and passes on all others."""

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from stayput.engine.automation import PulumiEngine

PASSED = ("content-type", "etag", "location")
Refuse = Callable[[str, str, bytes], "tuple[int, bytes] | None"]  # method, path, body → status and body, or pass on


def s3_error(code: str, message: str) -> bytes:
    """Source: Amazon S3 API Reference, "Error responses"."""
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()


def iam_error(code: str, message: str) -> bytes:
    """Source: AWS Query protocol, as IAM and STS speak it."""
    said = f"<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
    return f"<ErrorResponse><Error>{said}</Error><RequestId>1</RequestId></ErrorResponse>".encode()


def relay(to: str, refuse: Refuse) -> ThreadingHTTPServer:
    class Relay(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if refused := refuse(self.command, self.path, body):
                return self.answer(refused[0], [("Content-Type", "text/xml")], refused[1])
            connection = http.client.HTTPConnection(urlsplit(to).netloc)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            headers = [(name, value) for name, value in answer.getheaders() if name.lower() in PASSED]
            return self.answer(answer.status, headers, answer.read())

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = pass_on

        def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if self.command != "HEAD" else b"")

        def log_message(self, *_: object) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", 0), Relay)


class Relayed(PulumiEngine):
    """The engine whose `up` reaches the cloud through a relay."""

    refuse: Refuse

    def _start_cloud(self, config, say):
        self.relay = relay(super()._start_cloud(config, say), self.refuse)
        threading.Thread(target=self.relay.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.relay.server_port}"

    def stop(self) -> None:
        self.relay.shutdown()
        self.relay.server_close()
