"""Another checkout, or a person, deploys to the same service at the same time: nothing of theirs is written over."""

import pytest

from stayput.errors import StayputError
from stayput.targets.provider import Phase
from tests.contract.conftest import needs_contract
from tests.standins.instant import VirtualClock, instant_place
from tests.standins.places import reference, release

TWO = release(2, AWS_S3_CUSTOM_DOMAIN="cdn.example.com")


def begin_another(place, number=9):
    """A deployment that somebody else has just asked for."""
    wanted = release(number)
    place.images.publish(wanted.build)
    image, stand_in = reference(wanted.build.id), place.stand_in
    if hasattr(stand_in, "definition"):
        return stand_in.deploy({**stand_in.definition, "docker": {"image": image}})
    return place.hosting.deploy(image, stand_in.variables, "manual")


def finish(place, deploy):
    while deploy.state != "live":
        place.hosting.advance(deploy)


def take_over(place):
    """Somebody else writes a variable and deploys, while ours goes on or has just gone live."""
    for one in place.hosting.deploys:
        if one.state not in ("live", "replaced"):
            one.state = "canceled"
    place.stand_in.set_by_hand("STAYPUT_KEY", "of the other")
    another = begin_another(place)
    finish(place, another)
    return another


def test_a_deployment_of_somebody_else_is_waited_for_before_anything_is_written(place):
    place.deploy(release(1))
    another, written = begin_another(place), []
    meet = place.stand_in.meet

    def watched(*request):
        seen = len(place.stand_in.calls)
        answer = meet(*request)
        if place.stand_in.calls[seen] in (*place.stand_in.WRITES[:1], place.stand_in.START):
            written.append(another.state)
        return answer

    place.stand_in.meet = watched
    place.deploy(TWO)
    assert set(written) <= {"live", "replaced"}
    assert any(another.id in line and "waiting for it" in line for line in place.said)
    assert (place.hosting.most_underway, place.again().observe().release) == (1, TWO.id)


def test_one_that_does_not_end_is_refused_by_its_id_and_time_and_nothing_is_written(place):
    place.deploy(release(1))
    another = begin_another(place)
    place.hosting.stride = 0
    before, count = dict(place.stand_in.writes), len(place.hosting.deploys)
    with pytest.raises(StayputError, match="still says") as refused:
        place.deploy(TWO)
    assert refused.value.exit_code == 1
    assert another.id in refused.value.what
    assert another.created in refused.value.what
    assert dict(place.stand_in.writes) == before
    assert len(place.hosting.deploys) == count


def test_values_that_somebody_wrote_before_the_start_are_ours_again_in_our_deployment(place):
    place.deploy(release(1))
    target = place.again()
    target.publish(TWO.build)
    target.inject(TWO)
    place.stand_in.set_by_hand("STAYPUT_KEY", "of the other")
    target.start(TWO)
    assert place.hosting.live.variables["STAYPUT_KEY"] == "stayput-secret-value-2"


def test_who_took_over_is_said_where_our_deployment_was_replaced_on_its_way(place, monkeypatch):
    place.deploy(release(1))
    advance, taken = place.hosting.advance, []

    def once(deploy, before=""):
        if deploy.image == reference(TWO.build.id) and not taken:
            taken.append(None)
            taken[0] = take_over(place)
        advance(deploy, before)

    monkeypatch.setattr(place.hosting, "advance", once)
    with pytest.raises(StayputError, match="took over") as lost:
        place.deploy(TWO)
    assert lost.value.exit_code == 1
    assert taken[0].id in lost.value.what
    assert taken[0].image in lost.value.what
    _is_left_alone(place, taken[0])


def test_a_release_that_somebody_replaced_before_it_was_proven_is_not_taken_back_over_theirs(place):
    place.deploy(release(1))
    target = place.again()
    target.publish(TWO.build)
    target.inject(TWO)
    target.start(TWO)
    another = take_over(place)
    with pytest.raises(StayputError, match="took over"):
        target.promote(TWO)
    target.withdraw(TWO)
    assert any(another.id in line and "took over" in line for line in place.said)
    _is_left_alone(place, another)


def test_a_deployment_that_starts_while_ours_is_taken_back_is_left_alone(place):
    place.deploy(release(1))
    target = place.again()
    target.publish(TWO.build)
    target.inject(TWO)
    target.start(TWO)
    another = begin_another(place)
    count = len(place.hosting.deploys)
    target.withdraw(TWO)
    assert len(place.hosting.deploys) == count
    finish(place, another)
    assert place.hosting.live is another


def _is_left_alone(place, another):
    assert place.hosting.live is another
    assert another.variables["STAYPUT_KEY"] == "of the other"
    assert place.hosting.deploys[-1] is another
    there = place.again()._provider
    there.fingerprints()
    if hasattr(place.stand_in, "variables"):
        assert place.stand_in.variables["STAYPUT_KEY"] == "of the other"
    assert [one.id for one in there.deployments() if one.phase is Phase.LIVE] == [another.id]
    assert not (place.home / f"{place.target.name}.json").exists()


@pytest.fixture(params=["railway", "render"])
def with_variables(request, tmp_path):
    """A provider that keeps variables apart from deployments."""
    needs_contract(request.param)
    made = instant_place(request.param, tmp_path, VirtualClock())
    yield made
    made.stand_in.close()
    assert made.stand_in.violations == []


def test_only_values_that_are_still_this_run_s_own_are_put_back(with_variables):
    place, one = with_variables, release(1)
    place.deploy(one)
    target = place.again()
    target.publish(TWO.build)
    target.inject(TWO)
    place.stand_in.set_by_hand("STAYPUT_KEY", "of the other")
    target.withdraw(TWO)
    assert place.stand_in.variables["STAYPUT_KEY"] == "of the other"
    assert place.stand_in.variables["STAYPUT_RELEASE"] == one.id
    assert "AWS_S3_CUSTOM_DOMAIN" not in place.stand_in.variables


def test_a_conflict_at_render_is_waited_for_and_said(tmp_path):
    needs_contract("render")
    place = instant_place("render", tmp_path, VirtualClock())
    place.deploy(release(1))
    place.stand_in.conflicts = 3
    place.deploy(TWO)
    assert len([line for line in place.said if "conflicting deploy" in line]) == 1
    assert len(place.hosting.deploys) == 2
    assert place.again().observe().release == TWO.id
    place.stand_in.conflicts = 1000
    with pytest.raises(StayputError, match="answers 409"):
        place.deploy(release(3, AWS_S3_CUSTOM_DOMAIN="cdn.example.com"))
    assert place.stand_in.violations == []
    place.stand_in.close()


def test_a_service_of_the_other_kind_is_refused_by_name_before_anything_is_written(place):
    place.stand_in.runtime = "docker"
    observed = place.again().observe()
    (refused,) = [one for one in observed.deviations if one.refused]
    assert 'source = "repository"' in refused.remedy
    with pytest.raises(StayputError, match="is built there of"):
        place.deploy(release(1))
    assert (place.hosting.deploys, dict(place.stand_in.writes)) == ([], {})


@pytest.mark.parametrize(
    ("name", "word", "next_step"),
    [
        ("railway", "SKIPPED", "Watch Paths"),
        ("railway", "NEEDS_APPROVAL", "approve it"),
        ("render", "canceled", "see in its Events by whom"),
        ("koyeb", "CANCELED", "see its Activity"),
    ],
)
def test_a_deployment_that_ends_without_failing_says_its_own_next_step(tmp_path, name, word, next_step):
    needs_contract(name)
    place = instant_place(name, tmp_path, VirtualClock())
    place.deploy(release(1))
    place.hosting.strange = place.stand_in.STRANGE = word
    with pytest.raises(StayputError, match=f"ended as {word}") as ended:
        place.deploy(TWO)
    assert next_step in ended.value.next_step
    assert not [line for line in place.said if "    | " in line]
    place.stand_in.close()
