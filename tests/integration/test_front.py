"""The front as a process of its own, before releases that are real HTTP servers."""

import http.client
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from stayput import processes
from stayput.errors import WrongUse
from stayput.front import FrontDoor, Upstream
from stayput.processes import free_port


class Release:
    """A small HTTP server that says its name, and how it was asked."""

    def __init__(self, name):
        self.name, self.port, self.asked = name, free_port(), []
        self.taken = threading.Event()
        release = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if self.path.startswith("/slow"):
                    release.taken.set()
                    time.sleep(1.5)
                self.answer(release.name.encode())

            def do_POST(self):
                length = self.headers.get("Content-Length")
                release.asked.append(dict(self.headers))
                self.answer(str(len(self.rfile.read(int(length)))).encode() if length else b"no length")

            def answer(self, body):
                release.asked.append({**self.headers, "path": self.path})
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Set-Cookie", "a=1")
                self.send_header("Set-Cookie", "b=2")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def upstream(self):
        return Upstream(release=self.name, ports=(self.port,))


@pytest.fixture
def front(tmp_path):
    door = FrontDoor(tmp_path, free_port())
    door.ensure()
    yield door
    door.stop()


def test_before_any_release_the_front_says_so_and_when_to_come_back(front):
    answer = httpx.get(front.url)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert front.upstream() is None


def test_a_switch_sends_the_next_request_to_the_other_release(front):
    one, two = Release("one"), Release("two")
    front.switch(one.upstream)
    assert httpx.get(front.url).text == "one"
    front.switch(two.upstream, drain=(one.port,))
    assert httpx.get(front.url).text == "two"
    assert front.upstream() == two.upstream


def test_no_request_is_lost_while_releases_change_places(front):
    one, two = Release("one"), Release("two")
    front.switch(one.upstream)
    done, answers = threading.Event(), []

    def visit():
        with httpx.Client() as client:
            while not done.is_set():
                try:
                    answers.append(client.get(front.url).text)
                except httpx.HTTPError as problem:
                    answers.append(repr(problem))

    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    for _ in range(20):
        front.switch(two.upstream, drain=(one.port,))
        front.switch(one.upstream, drain=(two.port,))
    done.set()
    for visitor in visitors:
        visitor.join()
    assert set(answers) == {"one", "two"}


def test_a_switch_waits_until_the_old_release_has_answered_everybody(front):
    one, two = Release("one"), Release("two")
    front.switch(one.upstream)
    answers = []
    slow = threading.Thread(target=lambda: answers.append(httpx.get(front.url + "/slow", timeout=10).text))
    slow.start()
    assert one.taken.wait(10)
    front.switch(two.upstream, drain=(one.port,))
    one.server.shutdown()
    one.server.server_close()
    slow.join()
    assert answers == ["one"]


def test_a_body_arrives_whole_and_with_its_length(front):
    one = Release("one")
    front.switch(one.upstream)
    assert httpx.post(front.url, content=b"x" * 3_000_000).text == "3000000"


def test_a_body_without_a_length_is_passed_on_without_one(front):
    one = Release("one")
    front.switch(one.upstream)
    assert httpx.post(front.url, content=iter([b"x" * 10])).text == "no length"
    assert one.asked[-1]["Transfer-Encoding"] == "chunked"


def test_the_release_learns_who_asked_and_how(front):
    one = Release("one")
    front.switch(one.upstream)
    httpx.get(front.url + "/a%2Fb?q=%20", headers={"Host": "gallery.example", "X-Forwarded-Proto": "https"})
    asked = one.asked[-1]
    assert (asked["Host"], asked["X-Forwarded-Proto"], asked["X-Forwarded-For"]) == (
        "gallery.example",
        "https",
        "127.0.0.1",
    )
    assert asked["path"] == "/a%2Fb?q=%20"


def test_several_headers_of_one_name_are_kept(front):
    one = Release("one")
    front.switch(one.upstream)
    assert httpx.get(front.url).headers.get_list("Set-Cookie") == ["a=1", "b=2"]


def test_traffic_is_shared_between_the_instances_of_a_release(front):
    one, two = Release("one"), Release("two")
    front.switch(Upstream(release="both", ports=(one.port, two.port)))
    assert {httpx.get(front.url).text for _ in range(4)} == {"one", "two"}


def test_a_release_that_is_dead_is_a_502_and_not_a_hang(front):
    front.switch(Upstream(release="dead", ports=(free_port(),)))
    assert httpx.get(front.url).status_code == 502


def test_nobody_without_the_token_may_switch(front):
    refused = httpx.post(front.url + "/-stayput/switch", content=b"null", headers={"Authorization": "Bearer guess"})
    assert refused.status_code == 404


def test_a_front_that_was_killed_comes_back_with_the_release_it_had(front, tmp_path):
    one = Release("one")
    front.switch(one.upstream)
    daemon = processes.load(tmp_path / "front.json")
    daemon.process().kill()
    daemon.process() and daemon.process().wait()
    assert front.upstream() is None
    front.ensure()
    assert httpx.get(front.url).text == "one"


def test_a_port_that_somebody_else_has_is_named_with_the_way_out(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(
            WrongUse, match=f"port {port}: is taken by another program. Next: .*targets.process.port={port + 1}"
        ):
            FrontDoor(tmp_path, port).ensure()


def test_a_client_that_goes_away_does_not_keep_a_release_from_draining(front):
    one, two = Release("one"), Release("two")
    front.switch(one.upstream)
    gone = http.client.HTTPConnection("127.0.0.1", front.port)
    gone.putrequest("POST", "/")
    gone.putheader("Content-Length", "1000000")
    gone.endheaders()
    gone.send(b"x")
    time.sleep(0.2)
    gone.close()
    front.switch(two.upstream, drain=(one.port,))
    assert httpx.get(front.url).text == "two"
