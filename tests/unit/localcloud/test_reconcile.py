"""Create or update, one resource at a time, each step written down before the next."""

from typing import ClassVar

import pytest

from stayput.engine.reconcile import Reconciler
from stayput.engine.state import Entry, State
from stayput.errors import StayputError
from stayput.localcloud.resource import Resource
from stayput.processes import Daemon

BOX = "test:box:Box"


class Box(Resource):
    """A resource in memory: its id is a number, and `in` is what it is made in."""

    type = BOX
    shape: ClassVar = {"in": "In", "label": "Label"}
    identity = ("in",)

    def __init__(self):
        self.world, self.events = {}, []

    def create(self, inputs):
        id = str(len(self.events))
        self.events.append(("create", id))
        self.world[id] = dict(inputs)
        return id, dict(inputs)

    def read(self, id, outputs):
        return self.world.get(id)

    def update(self, id, outputs, inputs):
        self.events.append(("update", id))
        self.world[id] = dict(inputs)
        return dict(inputs)

    def delete(self, id, outputs):
        self.events.append(("delete", id))
        self.world.pop(id, None)

    def leftovers(self, inputs):
        return [id for id, one in self.world.items() if one == inputs]


@pytest.fixture
def box():
    return Box()


@pytest.fixture
def saved():
    return [State(cloud=Daemon(pid=1, started=0, port=1), region="eu-central-1")]


@pytest.fixture
def run(box, saved):
    """Runs a program, given as name → inputs, on what was saved last."""

    def run(**program):
        reconciler = Reconciler({BOX: box}, saved[-1], saved.append, lambda line: None)
        for name, inputs in program.items():
            reconciler.register(f"urn:pulumi:s::p::{BOX}::{name}", BOX, inputs)
        reconciler.prune()

    return run


def test_what_is_made_already_is_left_alone(run, box):
    run(a={"label": "x"})
    run(a={"label": "x"})
    assert box.events == [("create", "0")]


def test_a_creation_is_written_down_before_it_begins_and_when_it_ended(run, saved):
    run(a={"label": "x"})
    assert [[one.id for one in state.resources] for state in saved] == [[], [""], ["0"]]


def test_a_changed_input_updates_in_place(run, box):
    run(a={"label": "x"})
    run(a={"label": "y"})
    assert box.events[1:] == [("update", "0")]


def test_a_changed_identity_makes_a_new_one_and_the_old_goes_after_everything_else(run, box):
    run(a={"in": "r"}, b={"in": "r"})
    run(a={"in": "s"}, b={"in": "s"})
    assert box.events[2:] == [("create", "2"), ("create", "3"), ("delete", "1"), ("delete", "0")]


def test_what_is_no_longer_wanted_goes_the_newest_first(run, box, saved):
    run(a={}, b={"label": "b"}, c={"label": "c"})
    run(b={"label": "b"})
    assert box.events[3:] == [("delete", "2"), ("delete", "0")]
    assert [one.name for one in saved[-1].resources] == ["b"]


def test_what_an_interrupted_creation_left_is_removed_and_made_again(run, box, saved):
    box.world["left"] = {"label": "x"}
    interrupted = Entry(urn=f"urn:pulumi:s::p::{BOX}::a", type=BOX, inputs={"label": "x"})
    saved.append(State(cloud=saved[0].cloud, region="eu-central-1", resources=(interrupted,)))
    run(a={"label": "x"})
    assert box.events == [("delete", "left"), ("create", "1")]


def test_what_another_entry_knows_of_is_not_taken_for_a_leftover(run, box, saved):
    run(a={"label": "x"})
    interrupted = Entry(urn=f"urn:pulumi:s::p::{BOX}::b", type=BOX, inputs={"label": "x"})
    saved.append(State(cloud=saved[0].cloud, region="eu-central-1", resources=(*saved[-1].resources, interrupted)))
    run(a={"label": "x"}, b={"label": "x"})
    assert box.events == [("create", "0"), ("create", "1")]


def test_a_type_that_nobody_can_make_is_one_line(run):
    with pytest.raises(StayputError, match=r"test:lid:Lid a: this machine's cloud cannot make it\. Next: take it out"):
        Reconciler({}, None, None, None).register("urn:pulumi:s::p::test:lid:Lid::a", "test:lid:Lid", {})


def test_inputs_that_cannot_stand_are_told_before_anything_is_made(run, box):
    with pytest.raises(StayputError, match="test:box:Box a: size this machine's cloud does not know it"):
        run(a={"size": 3})
    assert box.events == []
