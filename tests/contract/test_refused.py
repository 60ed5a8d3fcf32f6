"""What a deploy to a provider is refused with, before anything is provisioned, built or written."""

import pytest

from stayput.deploy import travel
from stayput.errors import WrongUse
from stayput.ledger import Ledger
from stayput.loopback import leads_here
from stayput.project import Project, Registry, Site
from stayput.secrets import StackSecrets
from stayput.targets import refuse
from stayput.targets.pushed import PushedImages
from stayput.variables import database
from stayput.workspace import Workspace
from tests.contract.conftest import needs_contract
from tests.standins.instant import VirtualClock, instant_place
from tests.standins.places import KEY, THEIRS, Quiet, release

SITE = Site(sources=(), requirements="", start="")


class NoCloud:
    """An engine that nobody may ask yet."""

    def observe(self):
        raise AssertionError("the cloud was asked before the target was looked at")


@pytest.fixture
def make_one(tmp_path):
    made = []

    def make(name, **given):
        needs_contract(name)
        made.append(instant_place(name, tmp_path, VirtualClock(), **given))
        return made[-1]

    yield make
    for one in made:
        one.stand_in.close()
        assert one.stand_in.violations == []


def road(place, project):
    secrets = StackSecrets(secret_key=KEY, stayput_key=KEY, fingerprint_key=KEY)
    workspace = Workspace(
        project=project,
        stack=None,
        secrets=secrets,
        engine=NoCloud(),
        target=place.target,
        ledger=Ledger(place.home / "ledger"),
    )
    travel(workspace, Quiet(True), lambda steps: None)


def test_a_missing_database_is_refused_before_the_cloud_is_touched(make_place):
    place = make_place(variables={"SENTRY_DSN": "x"})
    with pytest.raises(WrongUse, match="DATABASE_URL is not set"):
        road(place, Project(name="gallery", site=SITE))
    assert not place.stand_in.writes


def test_a_database_that_a_deploy_should_bring_and_does_not_is_refused_before_the_cloud_is_touched(place, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(WrongUse, match="no DATABASE_URL in the environment"):
        road(place, Project(name="gallery", site=SITE, database="ours"))
    assert place.stand_in.calls == []


def test_a_database_of_ours_is_a_secret_of_the_release():
    assert database("theirs", {"DATABASE_URL": "postgresql://user:word@db/app"}) == {}
    (brought,) = database("ours", {"DATABASE_URL": "postgresql://user:word@db/app"}).values()
    assert brought.value == "postgresql://user:word@db/app"
    assert "word" not in repr(brought)


def test_a_database_of_ours_takes_the_place_of_theirs(place):
    one = release(1, DATABASE_URL="postgresql://ours@db/app")
    place.deploy(one)
    assert place.hosting.live.variables["DATABASE_URL"] == "postgresql://ours@db/app"


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("railway", {"cron": "0 4 * * *"}, "cron schedule is 0 4"),
        ("railway", {"target_port": 3000, "port": "8080"}, "led to port 3000"),
        ("render", {"suspended": True}, "the service is suspended"),
        ("render", {"maintenance": True}, "maintenance mode is on"),
        ("koyeb", {"status": "PAUSED"}, "the service is paused"),
    ],
)
def test_a_setting_under_which_no_release_can_serve_is_refused(make_one, name, change, message):
    place = make_one(name, variables=THEIRS | ({"PORT": change["port"]} if "port" in change else {}))
    place.stand_in.settings_by_hand(**change)
    with pytest.raises(WrongUse, match=message):
        road(place, Project(name="gallery", site=SITE))
    with pytest.raises(WrongUse, match=message):
        place.deploy(release(1))
    assert place.hosting.deploys == []


def test_a_domain_that_leads_to_the_port_of_the_site_is_not_spoken_of(make_one):
    place = make_one("railway", variables=THEIRS | {"PORT": "8080"})
    place.stand_in.target_port = 8080
    refuse("", place.target.observe().deviations)


@pytest.mark.parametrize("repository", ["", "127.0.0.1:5000/gallery", "localhost/gallery", "[::1]:5000/gallery"])
def test_a_registry_of_this_machine_is_refused_for_a_provider_that_is_elsewhere(repository):
    there = Images(repository)
    with pytest.raises(WrongUse, match="the registry's repository is"):
        refuse("", PushedImages(there, pulled_here=False).deviations())


def test_a_registry_that_a_provider_can_reach_is_taken():
    assert PushedImages(Images("ghcr.io/team/gallery"), pulled_here=False).deviations() == []
    assert PushedImages(Images("127.0.0.1:5000/gallery"), pulled_here=True).deviations() == []


class Images:
    def __init__(self, repository):
        self.project = Project(name="gallery", site=SITE, registry=Registry(repository=repository))


@pytest.mark.parametrize(("host", "here"), [("127.0.0.1:5000", True), ("localhost", True), ("ghcr.io", False)])
def test_a_host_is_known_for_this_machine_by_its_name(host, here):
    assert leads_here(host) is here
