from dataclasses import replace

import pytest
from msgspec.structs import replace as replaced

from stayput.ledger import Keepsake
from stayput.plan import OF_THE_TARGET, name_database, plan_cloud, plan_release
from stayput.secrets import Secret
from stayput.targets import Deviation
from tests.unit.builders import OUTPUTS, build, cloud, desired, live, observed, release

KEEPSAKE = Keepsake(id="picture", sha256="ab" * 32, stored_in=OUTPUTS.bucket)  # as an older ledger has it


def names(steps):
    return [step.name for step in steps]


def test_a_stack_that_is_as_it_should_be_needs_no_steps():
    assert plan_cloud(cloud()) == ()


def test_a_stack_that_is_not_there_is_provisioned_for_the_reason_the_engine_gives():
    (step,) = plan_cloud(cloud(outputs=None, reason="never provisioned"))
    assert str(step) == "provision the stack: never provisioned"


def test_a_release_that_is_live_healthy_and_recorded_needs_no_steps():
    here = release()
    assert plan_release(desired(here, last=live(here)), observed(here)) == ()


def test_the_first_release_takes_every_step_in_order():
    steps = plan_release(desired(), observed())
    assert names(steps) == ["publish", "inject", "migrate", "start", "prove", "promote", "record"]


def test_a_build_that_is_there_is_not_made_again():
    here = release()
    steps = plan_release(replace(desired(here), there=True), observed())
    assert "publish" not in names(steps)


def test_a_changed_lock_is_the_reason_for_the_new_build():
    before, after = release(), release(of=build(dependencies="d2"))
    steps = plan_release(desired(after, last=live(before)), observed(before))
    assert str(steps[0]) == f"make build {after.build.id} ready: changed: dependencies"


def test_a_changed_variable_is_named_and_its_value_is_not():
    before = release({"USE_S3": "True", "AWS_SECRET_ACCESS_KEY": Secret("old-secret")})
    after = release({"USE_S3": "True", "AWS_SECRET_ACCESS_KEY": Secret("new-secret"), "EXTRA": "1"})
    steps = plan_release(desired(after, last=live(before)), observed(before))
    said = " ".join(f"{step} {step!r}" for step in steps)
    assert "inject 4 variables: new EXTRA; changed AWS_SECRET_ACCESS_KEY" in said
    assert "old-secret" not in said
    assert "new-secret" not in said


@pytest.mark.parametrize("last", [None, live(release({"ALLOWED_HOSTS": "a.example"}))])
def test_a_value_that_was_set_at_the_target_by_hand_is_named_before_it_is_replaced(last):
    by_hand, after = release({"ALLOWED_HOSTS": "a.example,hand.example"}), release({"ALLOWED_HOSTS": "a.example,b"})
    steps = plan_release(replace(desired(after, last=last), there=True), observed(by_hand))
    assert steps[0].reason == "replaces what was set there in ALLOWED_HOSTS"


def test_a_variable_that_is_no_longer_wanted_is_named():
    before, after = release({"A": "1", "OLD": "1"}), release({"A": "1"})
    steps = plan_release(replace(desired(after, last=live(before)), there=True), observed(before))
    assert steps[0].reason == "removed OLD"


def test_a_build_that_was_proven_on_the_database_of_the_live_release_is_not_migrated_again():
    here, earlier = release(), release(of=build(source="earlier"))
    back = replace(desired(earlier, last=live(here)), there=True, migrated=True)
    there = replace(observed(here), database_known=True)
    assert "migrate" not in names(plan_release(back, there))
    assert "migrate" in names(plan_release(replace(back, migrated=False), there))
    assert "migrate" in names(plan_release(back, replace(there, database_known=False)))
    assert "migrate" in names(plan_release(back, replace(there, healthy=False)))
    assert "migrate" in names(plan_release(back, replace(there, fingerprints={"DATABASE_URL": "another"})))


def test_a_release_that_serves_but_was_never_recorded_is_proven_and_recorded():
    here = release()
    assert names(plan_release(desired(here, last=None), observed(here))) == ["prove", "record"]


def test_a_variable_changed_under_the_live_release_starts_it_anew_and_is_named():
    here = release({"A": "1", "B": "2"})
    there = replace(observed(here), fingerprints={**here.fingerprints, "B": "another"})
    steps = {step.name: step for step in plan_release(desired(here, last=live(here)), there)}
    assert steps["start"].reason == "B stored there otherwise"
    gone = replace(there, fingerprints={name: one for name, one in here.fingerprints.items() if name != "B"})
    assert "start" in names(plan_release(desired(here, last=live(here)), gone))


def test_a_variable_that_cannot_be_read_is_taken_to_be_as_it_was_written():
    here = release({"A": "1", "B": "2"})
    there = replace(observed(here), fingerprints={**here.fingerprints, "B": ""})
    assert plan_release(desired(here, last=live(here)), there) == ()


def test_a_setting_changed_at_the_target_is_put_right_and_what_is_left_to_a_person_is_not():
    here, path = release(), Deviation(setting="health check path", there="/", wanted="/healthz")
    steps = plan_release(desired(here, last=live(here)), replace(observed(here), deviations=(path,)))
    assert next(one for one in steps if one.name == "start").reason == "health check path is /, not /healthz"
    asleep = Deviation(setting="plan", there="free", remedy="it sleeps")
    assert plan_release(desired(here, last=live(here)), replace(observed(here), deviations=(asleep,))) == ()


def test_an_unhealthy_release_is_started_anew_although_it_is_the_right_one():
    here = release()
    steps = plan_release(desired(here, last=live(here)), observed(here, healthy=False))
    assert "start" in names(steps)


def test_a_site_that_answers_with_another_build_under_the_right_release_is_not_taken_for_it():
    here = release()
    impostor = observed(here)
    impostor = type(impostor)(**{**vars(impostor), "build": "another"})
    steps = {step.name: step for step in plan_release(desired(here, last=live(here)), impostor)}
    assert steps["start"].reason == "the site serves build another under its name"


def test_the_keepsake_of_the_last_release_must_be_found_by_the_next():
    before, after = release(), release({"NEW": "1"})
    steps = plan_release(desired(after, last=live(before, KEEPSAKE)), observed(before))
    assert [step.keepsake for step in steps if step.name in ("prove", "record")] == [KEEPSAKE, KEEPSAKE]


def test_a_keepsake_stored_elsewhere_is_not_looked_for():
    before, after = release(), release({"NEW": "1"})
    steps = plan_release(desired(after, last=live(before, KEEPSAKE), outputs=None), observed(before))
    assert [step.keepsake for step in steps if step.name in ("prove", "record")] == [None, None]


def looked_for(last, **more):
    """(the keepsake that is looked for, why the release is proven, the database that is written down)"""
    after = replace(desired(release({"NEW": "1"}), last=last), **more)
    steps = {step.name: step for step in plan_release(after, observed(release()))}
    return steps["prove"].keepsake, steps["prove"].reason, steps["record"].database


def test_a_keepsake_of_another_database_is_not_looked_for_and_the_plan_says_why():
    last = live(release(), replaced(KEEPSAKE, database="one"))
    assert looked_for(last, database="one")[0] == last.keepsake
    found, why, database = looked_for(last, database="two")
    assert (found, database) == (None, "two")
    assert why.endswith("is not looked for: the database is another one since")


def test_a_keepsake_whose_database_is_not_known_is_looked_for():
    assert looked_for(live(release(), KEEPSAKE), database="one")[0] == KEEPSAKE
    known = replaced(KEEPSAKE, database="one")
    assert looked_for(live(release(), known))[0] == known


def test_the_database_of_a_release_is_what_it_brings_or_the_target_s_own_or_what_a_provider_shows():
    there = observed(release())
    shown = replace(there, fingerprints={"DATABASE_URL": "fingerprint"})
    assert name_database("brought", replace(shown, database_known=True)) == "brought"
    assert name_database("", replace(there, database_known=True)) == OF_THE_TARGET
    assert (name_database("", shown), name_database("", there)) == ("fingerprint", "")


def test_a_waived_keepsake_is_not_looked_for_and_a_new_one_is_left_although_nothing_else_changed():
    here = release()
    last = live(here, replaced(KEEPSAKE, waived="ada on laptop: deleted by hand"))
    steps = plan_release(desired(here, last=last), observed(here))
    assert names(steps) == ["prove", "record"]
    assert [step.keepsake for step in steps] == [None, None]
    assert steps[0].reason.endswith("was waived by ada on laptop: deleted by hand")


def test_the_proof_visits_the_pages_of_the_project_under_the_address_that_people_type():
    steps = plan_release(replace(desired(), pages=("/", "/login/")), observed())
    (verify,) = [step for step in steps if step.name == "prove"]
    assert (verify.pages, verify.public) == (("/", "/login/"), "http://127.0.0.1:8000")
