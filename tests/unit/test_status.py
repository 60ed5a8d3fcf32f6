"""What status says of the site that is there, beside what was recorded."""

import json

import pytest

from stayput.ledger import Ledger, Live
from stayput.report import Report
from stayput.status import compare, once, status
from stayput.targets import Observed
from tests.standins.memory import MemoryTarget

AT = {"r1": "2026-05-01T10:00:00.000+00:00", "r2": "2026-05-02T11:30:00.000+00:00"}


def live(release, build, image=""):
    return Live(target="memory", release=release, build=build, parts={}, fingerprints={}, url="", image=image)


def observed(release, build, **more):
    return Observed(url="https://memory.example", release=release, build=build, **{"healthy": True, **more})


PROVEN = (live("r1", "b1"), live("r2", "b2"))


def test_the_release_and_the_build_are_told_with_the_time():
    found = compare(observed("r2", "b2"), PROVEN, AT)
    assert found.sentence == "release r2, build b2, is live and healthy, proven 2026-05-02 11:30 UTC"
    assert (found.proven, found.other_build) == (True, False)


def test_another_build_of_the_same_release_is_not_called_well():
    found = compare(observed("r2", "b1"), PROVEN, AT)
    assert "the site reports build b1, not b2, which was proven 2026-05-02 11:30 UTC" in found.sentence
    assert "healthy" not in found.sentence
    assert (found.proven, found.other_build) == (False, True)


def test_an_earlier_release_is_told_beside_the_last_that_was_proven():
    found = compare(observed("r1", "b1"), PROVEN, AT)
    assert "release r1, build b1" in found.sentence
    assert "the last that was proven is release r2, build b2, 2026-05-02 11:30 UTC" in found.sentence
    assert not found.proven


def test_a_release_that_is_not_in_the_ledger_is_said_not_to_be_proven():
    assert "was not proven from here" in compare(observed("r9", "b9"), (), {}).sentence


def test_what_the_target_says_of_trouble_comes_first():
    assert compare(observed("r2", "b1", healthy=False, said="/healthz answers 502"), PROVEN, AT).sentence == (
        "/healthz answers 502"
    )


def test_a_release_is_listed_once_as_it_was_recorded_last():
    again = (live("r1", "b1"), live("r2", "b2"), live("r1", "b1", image="later"))
    assert [(one.release, one.image) for one in once(again)] == [("r2", ""), ("r1", "later")]


class There(MemoryTarget):
    def __init__(self, observed):
        self.there = observed

    def observe(self):
        return self.there


class Place:
    def __init__(self, target, ledger):
        self.target, self.ledger = target, ledger


@pytest.mark.parametrize(("build", "ok"), [("b1", True), ("b2", False)])
def test_the_document_keeps_its_fields_and_is_not_ok_for_another_build(tmp_path, capsys, build, ok):
    ledger = Ledger(tmp_path)
    for one in (live("r1", "b1"), live("r1", "b1")):
        ledger.append(one)
    report = Report(as_json=True)
    status(Place(There(observed("r1", build)), ledger), report)
    report.close()
    document = json.loads(capsys.readouterr().out)
    assert {"ok", "target", "url", "release", "build", "healthy", "proven", "said"} <= document.keys()
    assert (document["ok"], document["proven"], document["build"]) == (ok, ok, build)
    assert document["recorded"] == document["releases"][0]
    assert len(document["releases"]) == 1
    assert document["recorded"]["at"] == ledger.records()[-1].at
