"""What only Railway has: sealed variables, which deployments get and nobody is told, and two kinds of tokens."""

import pytest

from stayput.errors import StayputError, WrongUse
from stayput.secrets import Secret
from stayput.targets import railway
from stayput.tokens import Token
from tests.contract.conftest import needs_contract
from tests.standins.instant import VirtualClock, instant_place
from tests.standins.places import THEIRS, TOKEN, release
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


def opened(place, *names, kind=0):
    """The service of these names, with that kind of token."""
    api = place.again()._provider.api
    api.headers = railway.connect(Token(kind=railway.TOKENS[kind], secret=Secret(TOKEN), place="")).headers
    return railway.Railway(api, *names, str)


def test_an_account_s_token_finds_the_project_on_the_last_page(place):
    place.stand_in.others, place.stand_in.page = 230, 100
    assert opened(place, "gallery", "production", "web", kind=1).deployments() == []
    with pytest.raises(WrongUse, match=r"no projects have the name nowhere; found: other-0 .*gallery \(p1\)"):
        opened(place, "nowhere", "production", "web", kind=1).deployments()


def test_a_project_s_token_of_another_environment_is_said(place):
    with pytest.raises(WrongUse, match="RAILWAY_TOKEN is of another environment than staging"):
        opened(place, "gallery", "staging", "web").deployments()


def test_a_list_that_gives_the_same_page_again_is_not_followed_for_ever(place):
    place.stand_in.others, place.stand_in.page = 5, 0
    with pytest.raises(StayputError, match="gives the same page again"):
        opened(place, "gallery", "production", "web").deployments()


REFERENCE = "${{Postgres.DATABASE_URL}}"


@pytest.fixture
def referring(make_place_by_name):
    """DATABASE_URL and PORT are references, as Railway's own guide has them."""
    place = make_place_by_name("railway", variables=THEIRS | {"DATABASE_URL": REFERENCE, "PORT": "${{shared.PORT}}"})
    place.stand_in.elsewhere = {"Postgres": {"DATABASE_URL": "postgresql://rendered@db"}, "shared": {"PORT": "8080"}}
    return place


def test_a_reference_of_theirs_stays_one_and_the_deployment_gets_its_value(referring):
    referring.deploy(release(1))
    assert referring.stand_in.variables["DATABASE_URL"] == REFERENCE
    assert referring.hosting.live.variables["DATABASE_URL"] == "postgresql://rendered@db"


def test_taking_a_release_back_puts_the_reference_back_not_what_it_gave(referring):
    ours = {"DATABASE_URL": "postgresql://ours@db", "OTHER": "of-this-release"}
    referring.stand_in.variables["OTHER"] = "at ${{shared.PORT}}"
    referring.deploy(release(1))
    with pytest.raises(StayputError):
        referring.deploy(release(2, **ours), proven=False)
    assert referring.hosting.deploys[1].variables["DATABASE_URL"] == "postgresql://ours@db"
    assert referring.stand_in.variables["DATABASE_URL"] == REFERENCE
    assert referring.stand_in.variables["OTHER"] == "at ${{shared.PORT}}"


def test_a_reference_of_ours_is_compared_as_it_was_written(referring):
    one = release(1, PGHOST="${{Postgres.PGHOST}}")
    referring.deploy(one)
    count = len(referring.hosting.deploys)
    referring.stand_in.elsewhere["Postgres"]["PGHOST"] = "moved.example.com"
    assert referring.again().observe().differing(one.fingerprints) == []
    referring.deploy(one)
    assert len(referring.hosting.deploys) == count


def test_a_reference_that_was_replaced_by_its_value_is_a_difference(referring):
    one = release(1, PGHOST="${{Postgres.PGHOST}}")
    referring.deploy(one)
    referring.stand_in.variables["PGHOST"] = referring.stand_in.rendered["PGHOST"]
    assert referring.again().observe().differing(one.fingerprints) == ["PGHOST"]


def test_a_port_that_is_a_reference_is_compared_by_its_value(referring):
    referring.stand_in.target_port = 8080
    assert [one for one in referring.again().observe().deviations if one.refused] == []
    referring.stand_in.target_port = 3000
    assert [one.there for one in referring.again().observe().deviations if one.refused] == ["led to port 3000"]


def test_a_database_whose_reference_gives_nothing_is_refused(referring):
    referring.stand_in.elsewhere["Postgres"].clear()
    with pytest.raises(WrongUse, match=r"DATABASE_URL is \$\{\{Postgres.DATABASE_URL\}\}, which gives nothing"):
        referring.deploy(release(1))
    assert referring.hosting.deploys == []
