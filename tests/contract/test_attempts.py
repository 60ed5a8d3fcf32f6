"""The one deployment of a release: its note lives exactly as long as the release is not recorded."""

import json

import pytest

from stayput.errors import StayputError
from stayput.project import Building
from stayput.steps import Record
from stayput.variables import Access
from tests.standins.commits import LightCommits, LightCommitSites
from tests.standins.places import KEY, reference, release
from tests.standins.server import Fault

CUT_OFF = ("reset before", "500", "502 HTML", "time-out before")


def note(place):
    return place.home / f"{place.target.name}.json"


def cut_off(place, wanted):
    """A deploy that was killed between start and promote."""
    target = place.again()
    target.publish(wanted.build)
    target.inject(wanted)
    target.start(wanted)


def serves(place, wanted):
    there = place.again().observe()
    assert (there.release, there.build) == (wanted.id, wanted.build.id)
    assert {name: there.fingerprints[name] for name in wanted.fingerprints} == wanted.fingerprints
    assert place.hosting.most_underway == 1


def test_a_note_stays_until_its_release_is_recorded(place):
    one = release(1)
    cut_off(place, one)
    place.again().promote(one)
    assert json.loads(note(place).read_text())["release"] == place.again().observe().unrecorded == one.id
    place.again().recorded(one)
    assert not note(place).exists()


def test_the_record_takes_the_note_away_once_the_ledger_has_it(place, monkeypatch):
    one, written = release(1), []
    cut_off(place, one)
    monkeypatch.setattr("stayput.steps.record.check_health", lambda *_, **__: Verified)
    monkeypatch.setattr("stayput.steps.record.leave_keepsake", lambda *_, **__: None)
    access = Access(stayput_key=KEY, outputs=None)
    step = Record(release=one, access=access, keepsake=None, reason="")
    step.perform(place.again(), Journal(lambda event: written.append((event.release, note(place).exists()))))
    assert written == [(one.id, True)]
    assert not note(place).exists()


class Verified:
    @staticmethod
    def or_raise():
        pass


class Journal:
    def __init__(self, append):
        self.append = append


def test_what_was_cut_off_before_promote_is_proven_and_recorded_without_another_deployment(place):
    one, two = release(1), release(2)
    place.deploy(one)
    cut_off(place, two)
    place.deploy(two)
    assert len(place.hosting.deploys) == 2
    assert not note(place).exists()
    serves(place, two)


@pytest.mark.parametrize("recorded", [True, False])
def test_a_change_by_hand_after_that_is_put_right_by_a_deployment(place, recorded):
    one, two = release(1), release(2)
    place.deploy(one)
    cut_off(place, two)
    if recorded:
        place.deploy(two)
    place.stand_in.set_by_hand("STAYPUT_KEY", "by hand")
    count = len(place.hosting.deploys)
    place.deploy(two)
    assert len(place.hosting.deploys) == count + 1
    assert place.hosting.live.variables["STAYPUT_KEY"] == "stayput-secret-value-2"
    serves(place, two)


def test_uploads_that_fail_for_a_moment_leave_the_recorded_release_with_the_traffic(place):
    one, two = release(1), release(2)
    place.deploy(one)
    cut_off(place, two)
    place.deploy(two)
    place.stand_in.unsettle()
    with pytest.raises(StayputError, match="upload") as failed:
        place.deploy(two, proven=False)
    assert failed.value.exit_code == 1
    serves(place, two)


def test_a_build_without_a_cache_is_made_although_the_last_deploy_was_cut_off(make_place):
    place = make_place(images=LightCommits(), sites=LightCommitSites, built=Building(source="repository"))
    place.stand_in.runtime = "docker"
    one = release(1)
    place.images.tree = one.build
    cut_off(place, one)
    place.deploy(one)
    place.built = Building(source="repository", fresh=True)
    with pytest.raises(StayputError, match="does not say what was installed"):
        place.deploy(one)
    assert place.hosting.sites.fresh[:2] == [False, True]
    serves(place, one)


def test_what_the_last_run_left_under_way_of_another_release_is_canceled_first(place):
    one, two, three = release(1), release(2), release(3)
    place.deploy(one)
    place.stand_in.fault = Fault(place.stand_in.FOLLOW, "500", times=99)
    with pytest.raises(StayputError, match="read a deployment"):
        cut_off(place, two)
    place.stand_in.fault = None
    place.deploy(three)
    assert [deploy.state for deploy in place.hosting.deploys] == ["replaced", "canceled", "live"]
    serves(place, three)


def test_a_deployment_that_is_still_under_way_keeps_what_serves_from_counting_as_done(place):
    one = release(1)
    place.deploy(one)
    place.stand_in.set_by_hand("STAYPUT_KEY", "by hand")
    count = len(place.hosting.deploys)
    place.stand_in.fault = Fault(place.stand_in.FOLLOW, "500", times=99)
    with pytest.raises(StayputError, match="read a deployment"):
        cut_off(place, one)
    place.stand_in.fault = None
    assert "the deployment of the last run is under way, not live" in [
        str(one) for one in place.again().observe().deviations
    ]
    place.deploy(one)
    assert [deploy.state for deploy in place.hosting.deploys[count:]] == ["live"]
    assert not note(place).exists()


@pytest.mark.parametrize("kind", CUT_OFF)
def test_a_deployment_that_was_never_made_is_asked_for_once_more(place, kind):
    one, two = release(1), release(2)
    place.deploy(one)
    place.stand_in.fault = Fault(place.stand_in.START, kind)
    place.deploy(two)
    assert len(place.hosting.deploys) == 2
    assert any("asking once more" in line for line in place.said)
    serves(place, two)


def test_a_list_that_is_as_late_as_a_list_may_be_makes_no_second_deployment(place):
    one, two = release(1), release(2)
    place.deploy(one)
    place.hosting.lag, began = 25, place.clock.today()
    place.stand_in.fault = Fault(place.stand_in.START, "time-out after")
    place.deploy(two)
    assert len(place.hosting.deploys) == 2
    assert place.clock.today() - began > 90
    serves(place, two)


def test_a_deployment_that_cannot_be_asked_for_twice_in_a_row_ends_the_command(place):
    place.deploy(release(1))
    place.stand_in.fault = Fault(place.stand_in.START, "500", times=99)
    with pytest.raises(StayputError, match="start a deployment: answers 500"):
        place.deploy(release(2))
    assert place.stand_in.fault.met == 2
    serves(place, release(1))


@pytest.mark.parametrize("call", ["START", "WRITES"])
def test_a_write_that_is_refused_has_changed_nothing(place, call):
    one, two = release(1), release(2)
    place.deploy(one)
    refused = getattr(place.stand_in, call)
    place.stand_in.fault = Fault(refused[0] if call == "WRITES" else refused, "403", times=99)
    with pytest.raises(StayputError, match="look at the token") as problem:
        place.deploy(two)
    assert problem.value.exit_code == 1
    assert not note(place).exists()
    place.stand_in.fault = None
    serves(place, one)


def test_a_deployment_of_another_image_is_said_by_name_and_taken_back(place, monkeypatch):
    one, two, other = release(1), release(2), release(3)
    place.deploy(one)
    place.images.publish(other.build)
    deploy = place.hosting.deploy

    def otherwise(image, *given, **more):
        made = deploy(image, *given, **more)
        if image == reference(two.build.id):
            made.image = reference(other.build.id)
            made.settings = more.get("settings") and {**made.settings, "docker": {"image": made.image}}
        return made

    monkeypatch.setattr(place.hosting, "deploy", otherwise)
    with pytest.raises(StayputError) as problem:
        place.deploy(two)
    assert reference(other.build.id) in problem.value.what
    assert reference(two.build.id) in problem.value.what
    serves(place, one)
