"""The site's storage on an S3 that is not Amazon's: what it refuses, what it does not know, and what that means."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import override_settings

from stayput.django import diagnose, health, storages
from stayput.django.variables import read


class OtherS3(BaseHTTPRequestHandler):
    """Keeps objects; answers 501 to conditional writes and 400 to checksums, or `refusal` to everything."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        if "100-continue" in self.headers.get("Expect", ""):
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        checksums = [name for name in self.headers if name.lower().startswith(("x-amz-checksum", "x-amz-sdk-checksum"))]
        if self.server.refusal:
            self.answer(*self.server.refusal)
        elif checksums or "aws-chunked" in self.headers.get("Content-Encoding", ""):
            self.answer(400, "InvalidArgument")
        elif self.headers.get("If-None-Match"):
            self.answer(501, "NotImplemented")
        else:
            self.server.objects[self.path] = body
            self.answer(200)

    def do_GET(self):
        if self.server.refusal:
            self.answer(*self.server.refusal)
        elif self.path in self.server.objects:
            self.answer(200, body=self.server.objects[self.path])
        else:
            self.answer(404, "NoSuchKey")

    do_HEAD = do_GET

    def do_DELETE(self):
        self.server.objects.pop(self.path, None)
        self.answer(204)

    def answer(self, status, code="", body=b""):
        body = f"<Error><Code>{code}</Code><Message>said</Message></Error>".encode() if code else body
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def other_s3(monkeypatch):
    """The server, with the site's settings for it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(health, "has_answered", threading.Event())
    server = ThreadingHTTPServer(("127.0.0.1", 0), OtherS3)
    server.objects, server.refusal = {}, None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    values = read(
        {
            "SECRET_KEY": "x",
            "STAYPUT_KEY": "y",
            "USE_S3": "True",
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "of-nobody",
            "AWS_STORAGE_BUCKET_NAME": "media-abc",
            "AWS_S3_REGION_NAME": "eu-central-003",
            "AWS_S3_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        }
    )
    with override_settings(STORAGES=storages.storages(values, media_root=Path("/nowhere"))):
        yield server
    server.shutdown()
    server.server_close()


def test_an_upload_arrives_without_checksums_and_without_a_conditional_write(other_s3):
    assert default_storage.save("a.webp", ContentFile(b"first")) == "a.webp"
    second = default_storage.save("a.webp", ContentFile(b"second"))
    assert second != "a.webp"
    assert other_s3.objects == {"/media-abc/media/a.webp": b"first", f"/media-abc/media/{second}": b"second"}


@pytest.mark.parametrize(
    "refusal",
    [(403, "SignatureDoesNotMatch"), (404, "NoSuchBucket"), (301, "PermanentRedirect"), (403, "RequestTimeTooSkewed")],
    ids=lambda value: value[1],
)
def test_a_refusal_stops_the_start_and_fails_the_health_of_a_new_release_alone(other_s3, refusal):
    other_s3.refusal = refusal
    assert health.storage_answers().at_fault
    (line,) = (line for line in diagnose.diagnose() if line.name == "storage upload")
    assert (line.ok, line.stops) == (False, True), line
    other_s3.refusal = None
    assert health.storage_answers().ok
    other_s3.refusal = refusal  # what worked was changed by others: every instance at once would go down
    after = health.storage_answers()
    assert (after.ok, after.at_fault) == (False, False)


def test_an_outage_stops_nothing(other_s3):
    other_s3.refusal = (503, "SlowDown")
    found = health.storage_answers()
    assert (found.ok, found.at_fault) == (False, False)
    (line,) = (line for line in diagnose.diagnose() if line.name == "storage upload")
    assert (line.ok, line.stops) == (False, False), line
