"""Every fault on every call of a provider: how a deploy ends under it, and that the next one puts everything right.

A cell that breaks a promise raises AssertionError. Runs in memory, by a clock that only jumps, at the true pace.
"""

from dataclasses import dataclass

from stayput.errors import StayputError
from stayput.secrets import plain
from tests.standins.instant import Folders, VirtualClock, instant_place
from tests.standins.places import THEIRS, reference, release
from tests.standins.server import Fault
from tests.standins.sites import DoesNotStart

ONE, TWO = release(1), release(2, AWS_S3_CUSTOM_DOMAIN="cdn.example.com")  # a variable changes, another is new
MANY = THEIRS | {f"OF_THEIRS_{n:03d}": f"value {n}" for n in range(120)}  # more than a page of them
SKEW = 3600  # seconds that the provider's clock is ahead
EVER = 1_000_000
NO_BODY, LAGS, HIDES = "no body", "lost, list lags", "lost, list lags longer"
# What only a call that makes a deployment can meet: an empty answer; none at all, and a list that does not show it yet,
# for three reads or until shortly before it would be taken for never made.
MAKING = (NO_BODY, LAGS, HIDES)
KINDS = (*Fault.KINDS, *MAKING)
# What happens to the deploy besides the fault, and the exit code without one.
SCENARIOS = {"goes well": 0, "knows no ids": 0, "does not start": 1, "is not proven": 1, "is interrupted": 130}
UNDERWAY = ("queued", "building", "pre-deploy", "starting")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Exit codes of a deploy that met the fault once, and of one that met it to its end; None: does not apply."""

    scenario: str
    call: str
    kind: str
    once: int | None
    lasting: int | None


def rows(name):
    """The cells of one provider, a list for each call that a deploy can make."""
    with Folders() as folders:
        return [[_cell(name, *each, kind, folders) for kind in KINDS] for each in calls(name)]


def calls(name):
    """(scenario, call, whether it makes a deployment) for each call of a deploy, the first time."""
    found = {}
    with Folders() as folders:
        for scenario, code in SCENARIOS.items():
            place = _place(name, folders.new())
            begin = len(place.stand_in.calls)
            assert _run(place, scenario) == (code, place.problem), f"{name}: {scenario}: {place.problem}"
            for call in place.stand_in.calls[begin:]:
                found.setdefault(call, (scenario, call, call in (place.stand_in.START, place.stand_in.BACK)))
    order = list(SCENARIOS)  # within one by name: what is read side by side comes in any order
    return sorted(found.values(), key=lambda one: (order.index(one[0]), one[1]))


def _cell(name, scenario, call, makes, kind, folders):
    once = lasting = None
    if kind in Fault.KINDS:
        once, lasting = (run(name, scenario, call, kind, times, folders.new()) for times in (1, EVER))
    elif makes:
        once = run(name, scenario, call, kind, 1, folders.new())
    return Cell(scenario=scenario, call=call, kind=kind, once=once, lasting=lasting)


def run(name, scenario, call, kind, times, home):
    """The exit code of a deploy that met the fault; after it, another one has converged. Raises AssertionError."""
    story = f"{name}, {call}, {kind} x {times}, and the deploy {scenario}"
    place = _place(name, home)
    stand_in, hosting = place.stand_in, place.hosting
    _arrange(place, call, kind, times)

    code, said = _run(place, scenario)
    assert kind == NO_BODY or stand_in.fault.met, f"{story}: was never met"
    assert not _of(place, TWO)[1:], f"{story}: two deployments in one run"
    assert "\n" not in said, story
    assert not [one for one in ("secret-value", "s3cr3t-of-theirs", "the-token") if one in said], story
    _mend(place)
    if code != 3:
        _serves(place, ONE if code else TWO, story)

    going_on = any(one.state in (*UNDERWAY, "live") for one in _of(place, TWO))
    before = len(_of(place, TWO))
    assert _run(place, "goes well") == (0, ""), f"{story}: the next deploy ended otherwise: {place.problem}"
    _serves(place, TWO, story)
    told = [(one.id, one.image[-6:], one.state) for one in hosting.deploys]
    assert len(_of(place, TWO)) - before == (0 if going_on else 1), f"{story}: {told}"
    assert hosting.most_underway == 1, f"{story}: two at once: {told}"
    stand_in.close()
    return code


def _place(name, home):
    """A provider where release 1 is live, and a setting was changed by hand since."""
    clock = VirtualClock()
    place = instant_place(name, home, clock, variables=MANY)
    place.deploy(ONE)
    place.stand_in.unsettle()
    place.clock, place.problem = clock, ""
    return place


def _arrange(place, call, kind, times):
    place.stand_in.skew = SKEW
    place.stand_in.silent = kind == NO_BODY
    place.hosting.lag = {LAGS: 3, HIDES: 25}.get(kind, 0)
    if kind != NO_BODY:
        place.stand_in.fault = Fault(call, "time-out after" if kind in MAKING else kind, times)


def _mend(place):
    place.stand_in.fault, place.stand_in.silent = None, False
    place.hosting.show()
    place.hosting.sites.broken, place.clock.interrupt = None, lambda: False


def _run(place, scenario):
    """(exit code, the one line)."""
    if scenario == "knows no ids":
        (place.home / f"{place.target.name}-ids.json").unlink()
    if scenario == "does not start":
        place.hosting.sites.broken = DoesNotStart("start", ["No module named magic"])
    if scenario == "is interrupted":
        place.clock.interrupt = lambda: any(one.state == "building" for one in place.hosting.deploys)
    code, place.problem = 0, ""
    try:
        place.deploy(TWO, proven=scenario != "is not proven")
    except StayputError as problem:
        code, place.problem = problem.exit_code, str(problem)
    except KeyboardInterrupt:
        code, place.problem = 130, "interrupted"
    return code, place.problem


def _of(place, wanted):
    """The deployments of that release that were asked for, the way back left out."""
    image = reference(wanted.build.id)
    return [one for one in place.hosting.deploys if one.image == image and one.trigger == "api"]


def _serves(place, wanted, story):
    """That release has the traffic, under its own variables and all of theirs, which are also what is stored."""
    live = place.hosting.live
    assert live is not None and live.image == reference(wanted.build.id), f"{story}: {live}"
    ours = {name: plain(value) for name, value in wanted.variables.items()}
    assert {name: live.variables.get(name) for name in ours} == ours, story
    for deploy in place.hosting.deploys:
        lost = [name for name, value in MANY.items() if deploy.variables.get(name) != value]
        assert not lost, f"{story}: {deploy.id} lost {lost}"
    there = place.again().observe().fingerprints
    astray = [name for name, value in wanted.fingerprints.items() if there.get(name) != value]
    assert not astray, f"{story}: {astray} stored otherwise"
    assert set(MANY) <= set(there), story
