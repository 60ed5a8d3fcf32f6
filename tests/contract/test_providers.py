"""What every provider's target must do, over its stand-in. The contracts judge each request and each answer."""

import json
import threading

import pytest

from stayput.drift import differences
from stayput.errors import StayputError, WrongUse
from stayput.ledger import Live
from stayput.release import name_build
from stayput.secrets import Secret, fingerprint
from tests.standins.places import KEY, THEIRS, reference, release
from tests.standins.server import Fault
from tests.standins.sites import DoesNotStart


def test_a_release_is_one_deployment_by_digest_and_the_public_address_reports_it(place):
    one = release(1)
    place.deploy(one)
    observed = place.again().observe()
    assert (observed.release, observed.build, observed.healthy) == (one.id, one.build.id, True)
    assert observed.image == reference(one.build.id)
    assert [deploy.image for deploy in place.hosting.deploys] == [reference(one.build.id)]


def test_the_next_release_replaces_the_one_before(place):
    place.deploy(release(1))
    place.deploy(release(2))
    assert place.again().observe().release == release(2).id
    assert [deploy.state for deploy in place.hosting.deploys] == ["replaced", "live"]


def test_the_deployment_gets_exactly_the_wanted_variables_beside_theirs(place):
    one = release(1)
    place.deploy(one)
    given = place.hosting.live.variables
    plain = {name: value.value if isinstance(value, Secret) else value for name, value in one.variables.items()}
    assert {name: given[name] for name in plain | THEIRS} == plain | THEIRS


def test_another_build_under_the_right_release_is_named_by_its_build(place):
    one = release(1)
    place.deploy(one)
    place.hosting.site.health["build"] = "another"
    with pytest.raises(StayputError, match=f"serves build another, not {one.build.id}, after"):
        place.again().promote(one)
    assert told(place, one) == {"build": f"another serves, not {one.build.id}"}


def test_only_variables_that_differ_are_written(place):
    place.deploy(release(1))
    there = place.again().observe().fingerprints
    two = release(2)
    differing = {name for name, value in two.fingerprints.items() if there.get(name) != value}
    assert differing == {"STAYPUT_KEY", "STAYPUT_RELEASE"}
    before = dict(place.stand_in.writes)
    place.deploy(two)
    written = {name for name, count in place.stand_in.writes.items() if count != before.get(name, 0)}
    assert written == differing


def test_variables_are_known_by_name_and_fingerprint_only(place):
    one = release(1)
    place.deploy(one)
    observed = place.again().observe()
    assert {name: observed.fingerprints[name] for name in one.fingerprints} == one.fingerprints
    assert "secret-value" not in repr(observed)


def test_a_variable_set_by_hand_is_kept_and_a_known_one_is_not_dropped(place):
    place.deploy(release(1, AWS_S3_CUSTOM_DOMAIN="cdn.example.com"))
    count = len(place.hosting.deploys)
    with pytest.raises(WrongUse, match="AWS_S3_CUSTOM_DOMAIN set there"):
        place.deploy(release(2))
    assert len(place.hosting.deploys) == count
    assert place.hosting.live.variables["SENTRY_DSN"] == THEIRS["SENTRY_DSN"]


def test_without_a_database_of_theirs_nothing_is_started(make_place):
    place = make_place(variables={"SENTRY_DSN": "x"})
    with pytest.raises(WrongUse, match="DATABASE_URL is not set"):
        place.deploy(release(1))
    assert place.hosting.deploys == []


def test_a_deployment_that_fails_is_said_with_its_log_and_the_one_before_serves(place):
    one, two = release(1), release(2)
    place.deploy(one)
    place.hosting.sites.broken = DoesNotStart("start", [f"line {n}" for n in range(70)])
    with pytest.raises(StayputError, match="ended as"):
        place.deploy(two)
    logged = [line.strip().removeprefix("| ") for line in place.said if "| line" in line]
    assert len(logged) <= 50
    assert "line 69" in logged
    observed = place.again().observe()
    assert (observed.release, observed.fingerprints["STAYPUT_KEY"]) == (one.id, one.fingerprints["STAYPUT_KEY"])


def test_a_release_that_is_live_but_not_proven_is_taken_back(place):
    one, two = release(1), release(2)
    place.deploy(one)
    target = place.again()
    target.publish(two.build)
    target.inject(two)
    target.start(two)
    assert target.observe().release == two.id
    target.withdraw(two)
    observed = place.again().observe()
    assert (observed.release, observed.build) == (one.id, one.build.id)
    assert place.hosting.live.variables["STAYPUT_KEY"] == "stayput-secret-value-1"


def test_a_first_release_that_is_live_but_not_proven_is_left_for_a_person(place):
    one = release(1)
    target = place.again()
    target.publish(one.build)
    target.inject(one)
    target.start(one)
    with pytest.raises(StayputError, match="no earlier release"):
        target.withdraw(one)


def test_a_status_that_nobody_knows_is_shown_and_waited_on(place):
    place.hosting.strange = place.stand_in.STRANGE
    place.deploy(release(1))
    assert any(place.stand_in.STRANGE in line for line in place.said)
    assert place.again().observe().release == release(1).id


def test_a_list_that_lags_makes_no_second_deployment(place):
    place.deploy(release(1))
    place.hosting.lag = 3
    place.stand_in.fault = Fault(place.stand_in.START, "time-out after")
    place.deploy(release(2))
    assert len(place.hosting.deploys) == 2


def test_a_command_that_was_cut_off_finds_its_deployment(place):
    one, two = release(1), release(2)
    place.deploy(one)
    target = place.again()
    target.publish(two.build)
    target.inject(two)
    place.stand_in.fault = Fault(place.stand_in.FOLLOW, "500", times=99)
    with pytest.raises(StayputError, match="read a deployment"):
        target.start(two)
    place.stand_in.fault = None
    place.deploy(two)
    assert len(place.hosting.deploys) == 2
    assert place.again().observe().release == two.id


def test_many_variables_are_read_to_the_last_page(make_place):
    place = make_place(variables=THEIRS | {f"OF_THEIRS_{n:03d}": str(n) for n in range(230)})
    place.deploy(release(1))
    there = place.again().observe().fingerprints
    assert there["OF_THEIRS_229"] == fingerprint(KEY, "229")
    assert len([name for name in place.hosting.live.variables if name.startswith("OF_THEIRS")]) == 230


def test_a_limit_given_as_a_date_is_kept_by_their_clock_not_ours(place):
    place.stand_in.skew = 3600
    place.stand_in.fault = Fault(place.stand_in.FOLLOW, "429 with a date")
    place.deploy(release(1))
    assert place.again().observe().release == release(1).id


def test_a_wrong_token_is_said_in_one_line_without_it(place):
    place.stand_in.token = "another"
    with pytest.raises(StayputError) as refused:
        place.target.observe()
    assert "look at the token" in refused.value.next_step
    assert "the-token" not in str(refused.value)


def test_no_secret_is_in_an_address_an_error_or_a_file(place, tmp_path):
    place.deploy(release(1))
    place.hosting.sites.broken = DoesNotStart("start", ["does not start"])
    with pytest.raises(StayputError) as failed:
        place.deploy(release(2))
    kept = "".join(file.read_text() for file in tmp_path.rglob("*") if file.is_file())
    everything = json.dumps([str(failed.value), place.stand_in.paths, place.said, kept])
    assert [s for s in ("secret-value", "s3cr3t-of-theirs", "the-token") if s in everything] == []


def test_nothing_changed_costs_at_most_four_calls(place):
    place.deploy(release(1))
    target, before = place.again(), len(place.stand_in.calls)
    target.observe()
    target.hosts()
    target.origins()
    assert len(place.stand_in.calls) - before <= 4
    ids = json.loads((place.home / f"{target.name}-ids.json").read_text())
    found = len(place.stand_in.calls)
    place.again()._provider.find("")
    looked_up = set(place.stand_in.calls[found:])
    assert looked_up.isdisjoint(place.stand_in.calls[before:found])  # known from the last run
    assert list(ids) == [target._provider.named]


def test_ids_that_are_not_right_any_more_are_looked_up_anew(place):
    place.deploy(release(1))
    file = place.home / f"{place.target.name}-ids.json"
    right = file.read_text()
    (named,) = json.loads(right)
    file.write_text(json.dumps({named: " ".join("gone" for _ in json.loads(right)[named].split())}))
    assert place.again().observe().release == release(1).id
    assert file.read_text() == right


def test_a_service_that_was_renamed_is_not_taken_for_the_one_that_is_named(place):
    place.deploy(release(1))
    place.stand_in.name = "another"
    with pytest.raises(WrongUse, match="no services have the name"):
        place.again().observe()


def test_what_is_there_is_read_side_by_side(place):
    place.deploy(release(1))
    target, meet, lock, two = place.again(), place.stand_in.meet, threading.Lock(), threading.Event()
    underway = []

    def held(*request):
        with lock:
            underway.append(request)
            if len(underway) == 2:
                two.set()
        two.wait(2)
        underway.remove(request)
        return meet(*request)

    place.stand_in.meet = held
    target.observe()
    assert two.is_set()


def test_the_way_back_is_asked_for_with_at_most_three_calls(place):
    place.deploy(release(1))
    two = release(2)
    target = place.again()
    target.publish(two.build)
    target.inject(two)
    target.start(two)
    before = len(place.stand_in.calls)
    target.withdraw(two)
    asked = place.stand_in.calls[before:]
    reads_and_back = [call for call in asked if call not in place.stand_in.WRITES]
    assert reads_and_back.index(place.stand_in.BACK) < 3


def test_one_polite_user_agent(place):
    place.deploy(release(1))
    assert [agent.split(" ")[0] for agent in place.stand_in.user_agents] == ["stayput"]


def test_an_earlier_release_goes_live_again_by_its_digest(place):
    one, two = release(1), release(2)
    place.deploy(one)
    place.deploy(two)
    place.deploy(one)
    assert place.again().observe().release == one.id
    assert place.hosting.live.image == reference(name_build({"source": "1"}).id)


def test_what_the_live_release_writes_can_be_read(place):
    place.deploy(release(1))
    assert "the light site is up" in list(place.again().logs())


def last(wanted):
    return Live(
        target="",
        release=wanted.id,
        build=wanted.build.id,
        parts={},
        fingerprints=wanted.fingerprints,
        url="",
        image=reference(wanted.build.id),
    )


def told(place, wanted):
    return {one.resource: one.what for one in differences(last(wanted), place.again().observe())}


def test_what_was_released_does_not_drift_by_itself(place):
    place.deploy(release(1))
    assert told(place, release(1)) == {}


@pytest.mark.parametrize(("value", "said"), [("another", "is changed"), (None, "is gone")])
def test_a_variable_changed_by_hand_is_told_by_name_and_put_right_by_one_deployment(place, value, said):
    one = release(1)
    place.deploy(one)
    place.stand_in.set_by_hand("STAYPUT_KEY", value)
    count = len(place.hosting.deploys)
    assert told(place, one) == {"variable STAYPUT_KEY": said}
    place.deploy(one)
    assert told(place, one) == {}
    assert place.hosting.live.variables["STAYPUT_KEY"] == "stayput-secret-value-1"
    assert len(place.hosting.deploys) == count + 1


def test_a_setting_changed_by_hand_is_told_and_put_right(place):
    one = release(1)
    place.deploy(one)
    place.stand_in.unsettle()
    assert "/healthz" in next(iter(told(place, one).values()))
    place.deploy(one)
    assert told(place, one) == {}
    count = len(place.hosting.deploys)
    place.deploy(one)
    assert len(place.hosting.deploys) == count


def test_an_image_deployed_by_hand_is_told_by_its_reference(place):
    one, two = release(1), release(2)
    place.deploy(one)
    place.images.publish(two.build)
    place.stand_in.by_hand(reference(two.build.id))
    assert reference(two.build.id) in told(place, one)["image"]
    place.deploy(one)
    assert told(place, one) == {}


def test_what_differs_is_told_without_a_value(place):
    one = release(1)
    place.deploy(one)
    place.stand_in.set_by_hand("STAYPUT_KEY", "a-value-by-hand")
    assert "a-value-by-hand" not in repr(told(place, one)) + repr(place.again().observe())
