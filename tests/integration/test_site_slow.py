"""Many clients that send a byte now and then, and the uploads of everybody else meanwhile."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from stayput.django import tokens
from tests.integration.test_site_served import KEY, Site
from tests.unit.site import pictures

PHOTO = pictures.with_camera_data(pictures.photo((1600, 1200)))
SENDERS = 60


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("slow")
    site = Site(folder)
    pace = folder / "app/config/pace.py"
    text = pace.read_text().replace("GRACE = 20.0", "GRACE = 6.0")  # what a test waits for
    assert "GRACE = 6.0" in text
    pace.write_text(text)
    with site.served():
        yield site


def head(length: int) -> bytes:
    token = tokens.sign(KEY, purpose="smoke-test")
    lines = (
        "POST /api/images/ HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {token}",
        f"Content-Length: {length}",
        "Content-Type: multipart/form-data; boundary=b",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


@contextmanager
def sending_slowly(site: Site, count: int, beginning: bytes) -> Iterator[list[socket.socket]]:
    """`count` connections that have sent `beginning`, and from then on a byte a second each."""
    over = threading.Event()
    with ExitStack() as stack:
        senders = [stack.enter_context(socket.create_connection(("127.0.0.1", site.port))) for _ in range(count)]
        for sender in senders:
            sender.sendall(beginning)

        def drip() -> None:
            while not over.wait(1):
                for sender in senders:
                    with suppress(OSError):  # the site gave it up
                        sender.send(b"-")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield senders
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("beginning", [head(1_000_000), b"POST /api/im"], ids=["in the body", "in the head"])
def test_normal_uploads_go_on_while_many_send_a_byte_a_second(site: Site, beginning: bytes):
    with sending_slowly(site, SENDERS, beginning):
        time.sleep(1)  # all of them are being read
        answers = [site.upload(PHOTO).status_code for _ in range(8)]
        assert site.client.get("/healthz").status_code == 200
    assert answers == [201] * 8


def test_who_stays_too_slow_is_told_and_given_up(site: Site):
    with sending_slowly(site, 1, head(1_000_000)) as (sender,):
        sender.settimeout(30)
        answer = b"".join(iter(lambda: sender.recv(2**16), b"")).decode()
    assert answer.startswith("HTTP/1.1 408 ")
    assert "came too slowly" in answer
    assert '"event": "upload.too_slow"' in site.log


def test_a_sender_who_goes_away_is_no_fault_of_the_site(site: Site):
    with socket.create_connection(("127.0.0.1", site.port)) as sender:
        sender.sendall(head(1_000_000) + b"--b\r\n")
        sender.shutdown(socket.SHUT_WR)
        sender.settimeout(20)
        assert sender.recv(2**16).startswith(b"HTTP/1.1 400 ")
    assert "Traceback" not in Path(site.folder / "log").read_text()
