"""Faults of the one call that must not be made twice: it ends right or stops clean, and the next run converges."""

import pytest

from stayput.errors import StayputError
from tests.standins.places import THEIRS, release
from tests.standins.server import Fault


@pytest.mark.parametrize("kind", Fault.KINDS)
def test_a_fault_when_a_deployment_is_asked_for_makes_no_second_one_and_loses_no_variable(place, kind):
    one, two = release(1), release(2)
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
