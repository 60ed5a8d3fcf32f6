"""A proof visits each name of a site that should work."""

import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from stayput.domains import Domain
from stayput.proof import Proof
from stayput.proof.domains import by_header, check_domains, of_service
from stayput.prove import prove_names
from tests.standins.edge import Edge
from tests.standins.pictures import PictureSite
from tests.standins.places import PLACES, release
from tests.standins.sites import LightImages, LightSites

ONCE = partial(range, 1)
WANTED = release(1).id, release(1).build.id


@pytest.fixture
def edge(certificate):
    made = Edge(certificate)
    yield made
    made.close()


def visited(edge, served, domains):
    images = LightImages()
    if served:
        images.publish(served.build)
    site = LightSites(images).start(images.reference(served.build), served.variables, "") if served else None
    edge.upstream = site.port if site else 0
    try:
        return list(check_domains(of_service(domains, "https://proven.example"), *WANTED, ONCE))
    finally:
        if site:
            site.stop()


def test_a_domain_that_leads_to_the_release_is_right(edge):
    (found,) = visited(edge, release(1), [Domain(name=edge.domain), Domain(name="soon.example", works=False)])
    assert (found.name, found.ok) == (f"domain {edge.domain}", True), found.detail


def test_a_domain_that_leads_to_another_release_is_wrong(edge):
    (found,) = visited(edge, release(2), [Domain(name=edge.domain)])
    assert not found.ok
    assert found.detail == f"serves release {release(2).id}, not {release(1).id}"


def test_a_domain_that_answers_nothing_is_wrong(edge):
    (found,) = visited(edge, None, [Domain(name=edge.domain)])
    assert (found.ok, found.detail) == (False, "/healthz answers 502")


def test_a_domain_that_is_not_reached_is_wrong_with_what_to_do(edge):
    (found,) = visited(edge, release(1), [Domain(name="nowhere.invalid")])
    assert not found.ok
    assert found.detail.startswith("cannot be reached: ")
    assert "DNS record" in found.remedy


class Switching(PictureSite):
    """Reports the release before in its first answers."""

    late = 0

    @property
    def release(self):
        return "before" if len(self.asked) <= self.late else WANTED[0]

    @release.setter
    def release(self, _):
        """As given by `late`."""


@pytest.fixture
def pictures(edge):
    """A site behind the edge, which reports the release."""
    made = Switching()
    made.build = WANTED[1]
    edge.upstream = urlsplit(made.url).port
    yield made
    made.close()


@pytest.fixture(params=sorted(PLACES))
def second(request, make_place_on_the_wire, edge):
    """A check of the second domain of a provider's service, as often as it is polled."""

    def check():
        place = make_place_on_the_wire(request.param)
        place.stand_in.add_domain(edge.domain)
        target = place.again()
        first = f"https://{place.hosting.edge.domain}"
        proof = Proof(url=first, checks=(), release=WANTED[0], build=WANTED[1])
        (found,) = prove_names(proof, target, (), ()).checks
        return found

    return check


def test_a_second_domain_that_is_served_is_right(second, pictures):
    pictures.pages["/"] = 302, {"Location": "/gallery/"}, ""
    assert second().ok


@pytest.mark.parametrize(
    ("status", "detail"), [(400, "answers 400: it is not among ALLOWED_HOSTS"), (500, "/ answers 500")]
)
def test_a_second_domain_whose_page_fails_is_wrong(second, pictures, status, detail):
    pictures.pages["/"] = status, {}, "sorry"
    found = second()
    assert (found.ok, found.detail) == (False, detail)


def test_a_second_domain_may_lead_to_the_release_before_for_a_while(second, pictures):
    pictures.pages["/"] = 200, {}, "hello"
    pictures.late = 3
    assert second().ok
    assert [path for _, path, _ in pictures.asked] == ["/healthz"] * 4 + ["/"]


def test_a_second_domain_that_stays_with_the_release_before_is_wrong(second, pictures):
    pictures.late = 10**6
    assert second().detail == f"serves release before, not {WANTED[0]}"


@pytest.fixture
def site():
    """Serves one name, as Django does; its address, and what came."""
    came = []

    class Site(BaseHTTPRequestHandler):
        def do_GET(self):
            came.append((self.headers["Host"], self.headers.get("X-Forwarded-Proto")))
            self.send_response(200 if self.headers["Host"] == "gallery.example.com" else 400)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", came
    server.shutdown()
    server.server_close()


def test_added_hosts_are_tried_by_header_over_what_their_origin_says(site):
    address, came = site
    hosts = "127.0.0.1", "gallery.example.com", ".example.org", "www.example.com"
    names = by_header(hosts, ["https://gallery.example.com"], address, ["127.0.0.1"])
    found = list(check_domains(names, *WANTED, ONCE))
    assert [(one.name, one.ok) for one in found] == [
        ("domain gallery.example.com", True),
        ("domain www.example.com", False),
    ]
    assert "ALLOWED_HOSTS" in found[1].remedy
    assert came == [("gallery.example.com", "https"), ("www.example.com", None)]
