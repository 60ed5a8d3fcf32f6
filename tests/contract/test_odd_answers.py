"""Answers that no contract describes: whatever a provider says, a person reads one line that names it and the call."""

import contextlib
import copy
import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stayput.errors import StayputError
from stayput.secrets import Secret
from stayput.targets.http import LARGEST, Api, Call, Unsure
from tests.standins.instant import Folders, VirtualClock, instant_place
from tests.standins.places import PLACES, THEIRS, release

ODD = [
    None,
    [],
    {},
    [None],
    "",
    "odd",
    "\ud800",
    0,
    -1,
    1e308,
    True,
    {"message": None},
    [{}],
    [[]],
    "exa mple.com:99999",
]
BODIES = [b"", b"null", b"[]", b"{}", b"0", b'"text"', b"<html></html>", b"\xff\xfe", b"[" * 100_000, b"9" * 5000]


class Replay:
    """The answers that a stand-in gave to one deploy, by what was asked; one of them is changed by `change`."""

    def __init__(self, name):
        self.clock, self.answers = VirtualClock(), {}
        with Folders() as folders:
            self.place = instant_place(name, folders.new(), self.clock, variables=THEIRS | {"REF": "${{shared.X}}"})
            meet, stand_in = self.place.stand_in.meet, self.place.stand_in

            def recorded(method, target, headers, content):
                answer = meet(method, target, headers, content)
                body = json.loads(content) if content else None
                call = (method, target.partition("?")[0], stand_in.name_of(method, target.partition("?")[0], body))
                self.answers[call] = (answer[1], json.loads(answer[3]) if answer[3] else None)
                return answer

            stand_in.meet = recorded
            self.place.deploy(release(1))
            self.place.deploy(release(2))
            self.ids = [one.id for one in self.place.hosting.list()]
            self.use(self.place.make()._provider)
            self.place.stand_in.close()
        self.name_of, self.change = stand_in.name_of, None

    def use(self, provider):
        """All that a deploy, a withdrawal and `invoke logs` ask of it."""
        for act in (
            lambda: provider.find(provider.find("")),
            provider.url,
            provider.fingerprints,
            lambda: provider.inject({"SECRET_KEY": Secret("new"), "PLAIN": "x"}),
            lambda: provider.deviations("migrate"),
            lambda: provider.settle("registry.example.com/other@sha256:1", "migrate"),
            provider.deployments,
            lambda: provider.deploy("registry.example.com/gallery@sha256:1"),
            lambda: provider.deployment(self.ids[0]),
            lambda: provider.cancel(self.ids[0]),
            lambda: provider.back_to(self.ids[-1]),
            lambda: provider.log("", 10),
            lambda: provider.build_log(self.ids[0]),
            provider.restore,
        ):
            with self.expected():
                act()

    @staticmethod
    def expected():
        return contextlib.suppress(StayputError)

    def serve(self, request):
        path, body = request.url.path, json.loads(request.content) if request.content else None
        call = (request.method, path, self.name_of(request.method, path, body))
        status, answer = self.answers.get(call, (404, {"message": "not found"}))
        if call == self.change[0]:
            return self.change[1](status, answer)
        return httpx.Response(status, json=answer)

    def provider(self):
        made = self.place.make()._provider
        made.api.http = httpx.Client(transport=httpx.MockTransport(self.serve))
        return made


@contextlib.contextmanager
def one_line(name):
    """What goes wrong is said in one line, by the provider's name."""
    try:
        yield
    except StayputError as problem:
        said = str(problem)
        assert name in said.lower(), said
        assert "\n" not in said and said.isprintable(), said
        said.encode()


def places(node, path=()):
    """The paths of all nodes in a JSON document."""
    yield path
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield from places(value, (*path, key))


def put(document, path, value):
    """A copy of it with that value at the path; Ellipsis: without what is there."""
    if not path:
        return None if value is ... else value
    changed = copy.deepcopy(document)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return changed


@pytest.fixture(scope="module", params=sorted(PLACES))
def replay(request):
    made = Replay(request.param)
    made.expected = lambda: one_line(request.param)
    return made


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_an_answer_of_another_shape_is_one_line_that_names_the_provider(replay, data):
    call = data.draw(st.sampled_from(sorted(replay.answers)))
    path = data.draw(st.sampled_from(list(places(replay.answers[call][1]))))
    odd = data.draw(st.sampled_from([*ODD, ...]))
    replay.change = (call, lambda status, answer: httpx.Response(status, content=json.dumps(put(answer, path, odd))))
    replay.use(replay.provider())


def test_a_body_that_is_no_answer_is_one_line_that_names_the_provider(replay):
    odd = [(200, body) for body in BODIES] + [(status, BODIES[-4]) for status in (201, 302, 407, 422, 499, 599)]
    for call in sorted(replay.answers):
        for status, body in odd:
            replay.change = (call, lambda *_, status=status, body=body: httpx.Response(status, content=body))
            replay.use(replay.provider())


def api(answer):
    made = Api("Render", "https://odd.example", {})
    made.clock, made.http = VirtualClock().clock, httpx.Client(transport=httpx.MockTransport(lambda _: answer()))
    return made


def test_an_answer_that_does_not_end_is_given_up():
    def endless():
        while True:
            yield b" " * 2**20

    asked = api(lambda: httpx.Response(200, content=endless()))
    with pytest.raises(StayputError, match="Render: read: broke off"):
        asked.ask(Call(name="read", method="GET", path="/"))
    assert LARGEST < 2**26


def test_a_deployment_that_was_answered_oddly_may_have_been_made():
    asked = api(lambda: httpx.Response(200, content=b"[]"))
    asked.ask(Call(name="start a deployment", method="POST", path="/", repeatable=False))
    assert isinstance(asked.strange(KeyError("id")), Unsure)
