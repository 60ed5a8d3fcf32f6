import stat

import pytest

from stayput.errors import StayputError
from stayput.secrets import Secret, fingerprint, keep, load_or_draw
from stayput.steps import Inject
from stayput.variables import wanted
from tests.unit.builders import SECRETS, cloud, release


def test_a_secret_is_equal_by_value_and_printed_never():
    assert Secret("hunter2") == Secret("hunter2")
    assert "hunter2" not in f"{Secret('hunter2')} {Secret('hunter2')!r}"


def test_a_step_never_prints_the_secret_it_carries():
    step = Inject(release=release({"DATABASE_URL": Secret("hunter2")}), reason="new DATABASE_URL")
    assert "hunter2" not in f"{step} {step!r}"


def test_fingerprints_of_one_value_differ_between_stacks():
    assert fingerprint(Secret("one"), "value") != fingerprint(Secret("two"), "value")


def test_the_stacks_secrets_are_made_once_and_only_their_owner_may_read_them(tmp_path):
    path = tmp_path / "home" / "secrets.json"
    first = load_or_draw(path)
    assert not path.exists()
    keep(path, first)
    assert load_or_draw(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len({first.secret_key.value, first.stayput_key.value, first.fingerprint_key.value}) == 3


def test_secrets_that_another_command_kept_meanwhile_are_not_written_over(tmp_path):
    path = tmp_path / "secrets.json"
    keep(path, SECRETS)
    with pytest.raises(StayputError, match="by another command"):
        keep(path, load_or_draw(tmp_path / "elsewhere.json"))
    assert load_or_draw(path) == SECRETS


def test_the_secret_output_of_the_stack_becomes_a_secret_variable():
    assert wanted(cloud(), SECRETS, ["h"], ["o"])["AWS_SECRET_ACCESS_KEY"] == Secret("hunter2")


def test_without_a_bucket_no_variable_of_it_is_injected():
    names = set(wanted(None, SECRETS, ["h"], ["o"]))
    assert names == {"SECRET_KEY", "STAYPUT_KEY", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "USE_S3"}


def test_a_private_bucket_makes_the_site_sign_its_addresses():
    assert wanted(cloud(private=True), SECRETS, ["h"], ["o"])["AWS_QUERYSTRING_AUTH"] == "True"
    assert "AWS_QUERYSTRING_AUTH" not in wanted(cloud(), SECRETS, ["h"], ["o"])
