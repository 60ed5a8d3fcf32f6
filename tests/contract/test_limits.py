"""One limit for all that this process asks of a provider, and troubles that pass."""

import threading
import time

import httpx
import pytest

from stayput.errors import StayputError
from stayput.targets.http import Api, Call, Clock, Refused, Unsure
from tests.standins.instant import VirtualClock
from tests.standins.places import release
from tests.standins.server import Fault

READ = Call(name="read", method="GET", path="/thing")


class Limited:
    """Answers 429 to the first call, with that header, and 200 from then on; keeps when it was asked."""

    def __init__(self, clock, **headers):
        self.clock, self.headers, self.asked = clock, headers, []

    def __call__(self, request):
        self.asked.append((request.url.path, self.clock.now()))
        headers = {name.replace("_", "-"): value for name, value in self.headers.items()}
        return httpx.Response(429, headers=headers) if len(self.asked) == 1 else httpx.Response(200, json={})


def api(server, clock, url="https://limited.example"):
    made = Api("Render", url, {})
    made.clock, made.http = clock, httpx.Client(transport=httpx.MockTransport(server))
    return made


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry_After": "30"},
        {"Retry_After": "Fri, 15 Jan 2027 09:00:30 GMT", "Date": "Fri, 15 Jan 2027 09:00:00 GMT"},
    ],
)
def test_a_429_holds_back_another_client_of_the_same_provider(headers):
    virtual = VirtualClock()
    clients = []

    def sleep(seconds):
        """While the first waits, the second asks for something else."""
        if clients:
            clients.pop().ask(Call(name="read another", method="GET", path="/other"))
        virtual.sleep(seconds)

    clock = Clock(now=virtual.clock.now, today=virtual.today, sleep=sleep)
    server = Limited(clock, **headers)
    one, two = api(server, clock), api(server, clock)
    clients.append(two)
    one.ask(READ)
    assert server.asked[0] == ("/thing", 0)
    assert [(path, when >= 30) for path, when in server.asked[1:]] == [("/other", True), ("/thing", True)]


def test_a_429_holds_back_the_calls_of_other_threads():
    asked, first = [], threading.Event()

    def server(request):
        asked.append((request.url.path, time.monotonic()))
        first.set()
        return httpx.Response(429, headers={"Retry-After": "1"}) if len(asked) == 1 else httpx.Response(200, json={})

    one, two = (api(server, Clock(), "https://threads.example") for _ in range(2))
    beside = threading.Thread(target=one.ask, args=(READ,))
    beside.start()
    first.wait()
    time.sleep(0.05)  # the answer has arrived
    two.ask(Call(name="read another", method="GET", path="/other"))
    beside.join()
    begin = asked[0][1]
    assert [when - begin > 0.9 for _, when in asked[1:]] == [True, True]


def test_a_limit_of_another_provider_holds_nothing_back():
    clock = VirtualClock().clock
    server = Limited(clock, Retry_After="3600")
    with pytest.raises(StayputError, match="asks to wait"):
        api(server, clock, "https://one.example").ask(READ)
    began = clock.now()
    api(server, clock, "https://two.example").ask(READ)
    assert server.asked[-1] == ("/thing", began)


def test_a_limit_that_lasts_too_long_stops_the_next_call_too_without_sending_it():
    clock = VirtualClock().clock
    server = Limited(clock, Retry_After="3600")
    for client in (api(server, clock), api(server, clock)):
        with pytest.raises(StayputError, match=r"Render: read: it asks to wait 3\d\d\d s"):
            client.ask(READ)
    assert len(server.asked) == 1


@pytest.fixture
def railway(make_place_by_name):
    return make_place_by_name("railway")


@pytest.mark.parametrize("said", ["Problem processing request", "Internal server error", "Rate limit exceeded"])
@pytest.mark.parametrize("call", ["variables", "instance", "deployments", "deployment"])
def test_a_read_that_graphql_answers_with_trouble_is_tried_again(railway, said, call):
    railway.deploy(release(1))
    railway.stand_in.fault = Fault(call, f"says {said}", times=2)
    railway.deploy(release(2))
    assert railway.stand_in.fault.met == 2
    assert railway.again().observe().release == release(2).id


def test_a_refused_read_is_not_tried_again_and_names_the_call(railway):
    railway.stand_in.fault = Fault("token", "says Not Authorized", times=9)
    with pytest.raises(Refused, match=r"read the token's place: says Not Authorized. Next: look at the token"):
        railway.target.observe()
    assert railway.stand_in.fault.met == 1


@pytest.mark.parametrize(
    ("said", "error"), [("Not Authorized", Refused), ("Problem processing request", Unsure), ("odd", Unsure)]
)
def test_a_deployment_that_graphql_refuses_is_refused_and_one_in_trouble_is_not_asked_for_twice(railway, said, error):
    railway.stand_in.fault = Fault("deploy", f"says {said}", times=9)
    with pytest.raises(error) as raised:
        railway.target._provider.deploy("image")
    assert type(raised.value) is error
    assert railway.stand_in.fault.met == 1


def test_a_deployment_that_was_limited_was_not_made_and_is_asked_for_again(railway):
    railway.stand_in.fault = Fault("deploy", "says Rate limit exceeded")
    assert railway.target._provider.deploy("image@sha256:0")
    assert len(railway.hosting.deploys) == 1
