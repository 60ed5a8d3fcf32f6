"""Every call of a provider may fail in every way: a deploy ends right or stops clean, and the next one converges."""

from pathlib import Path

import pytest

from bench import calls, faults
from stayput.errors import StayputError
from tests.contract.conftest import needs_contract
from tests.standins.places import PLACES, THEIRS, release
from tests.standins.server import Fault

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(PLACES))
def test_under_every_fault_of_every_call_all_promises_hold_and_the_page_tells_how_it_ends(name):
    needs_contract(name)
    assert faults.table(name) in (ROOT / faults.PAGE).read_text(), "write it anew: ./invoke bench --faults"


def test_each_deploy_makes_as_many_calls_as_the_page_tells():
    for name in PLACES:
        needs_contract(name)
    assert calls.run(ROOT) in (ROOT / "docs/paas.md").read_text(), "write it anew: ./invoke bench -s calls"


@pytest.mark.parametrize("kind", Fault.KINDS)
def test_a_fault_on_the_wire_is_the_fault_that_the_table_has(make_place_on_the_wire, kind):
    place, one, two = make_place_on_the_wire("render"), release(1), release(2)
    place.deploy(one)
    place.stand_in.fault = Fault(place.stand_in.START, kind)
    try:
        place.deploy(two)
    except StayputError:
        assert place.again().observe().release == one.id
        place.deploy(two)
    assert place.stand_in.fault.met == 1
    assert place.again().observe().release == two.id
    of_two = [deploy for deploy in place.hosting.deploys if deploy.variables["STAYPUT_RELEASE"] == two.id]
    assert [deploy.state for deploy in of_two] == ["live"]
    assert all(deploy.variables[name] == value for deploy in of_two for name, value in THEIRS.items())
