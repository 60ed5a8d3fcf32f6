"""What only Railway has: sealed variables, which deployments get and nobody is told."""

import pytest

from stayput.errors import StayputError
from tests.contract.conftest import needs_contract
from tests.standins.instant import VirtualClock, instant_place
from tests.standins.places import THEIRS, release
from tests.standins.sites import DoesNotStart


@pytest.fixture
def place(tmp_path):
    needs_contract("railway")
    made = instant_place("railway", tmp_path, VirtualClock())
    yield made
    made.stand_in.close()
    assert made.stand_in.violations == []


def test_a_sealed_variable_is_there_and_its_value_is_not_known(place):
    place.stand_in.sealed = {"DATABASE_URL"}
    there = place.again().observe().fingerprints
    assert there["DATABASE_URL"] == ""
    assert there["SENTRY_DSN"] != ""
    place.deploy(release(1))
    assert place.hosting.live.variables["DATABASE_URL"] == THEIRS["DATABASE_URL"]


def test_a_sealed_variable_of_another_service_is_not_taken_for_this_one_s(place):
    assert "STAYPUT_KEY" not in place.again().observe().fingerprints


def test_taking_a_release_back_never_deletes_a_sealed_variable(place):
    one, two = release(1), release(2, AWS_S3_CUSTOM_DOMAIN="cdn.example.com", IMAGEKIT_PUBLIC_KEY="public")
    place.deploy(one)
    place.stand_in.variables["AWS_S3_CUSTOM_DOMAIN"] = "set by hand"
    place.stand_in.sealed = {"AWS_S3_CUSTOM_DOMAIN"}
    place.hosting.sites.broken = DoesNotStart("start", ["does not start"])
    with pytest.raises(StayputError, match="ended as"):
        place.deploy(two)
    assert "AWS_S3_CUSTOM_DOMAIN" in place.stand_in.variables
    assert "IMAGEKIT_PUBLIC_KEY" not in place.stand_in.variables  # new with this release, and gone with it
    assert any("AWS_S3_CUSTOM_DOMAIN" in line and "sealed" in line for line in place.said)


def test_a_sealed_variable_of_ours_is_written_by_the_next_release_and_needs_none_by_itself(place):
    one, two = release(1), release(2)
    place.deploy(one)
    place.stand_in.sealed = {"STAYPUT_KEY"}
    place.deploy(one)
    assert len(place.hosting.deploys) == 1
    place.deploy(two)
    assert place.hosting.live.variables["STAYPUT_KEY"] == "stayput-secret-value-2"


def test_sealed_variables_are_found_on_later_pages(place):
    place.stand_in.page = 1
    place.stand_in.sealed = {"DATABASE_URL", "SENTRY_DSN"}
    assert set(place.again().observe().fingerprints) == set(THEIRS)
