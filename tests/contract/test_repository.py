"""Releases of a service that builds the repository itself: a commit, built there, and what the live site says of it."""

import hashlib
import shutil

import pytest

from stayput.errors import StayputError, WrongUse
from stayput.project import Building
from stayput.release import name_build, name_release
from stayput.secrets import Secret
from stayput.workspace import open_workspace
from tests.contract.conftest import needs_contract
from tests.integration.checkouts import ROOT
from tests.standins.commits import LightCommits, LightCommitSites
from tests.standins.instant import VirtualClock, instant_place
from tests.standins.places import KEY, PLACES

CACHED, FRESH = Building(source="repository"), Building(source="repository", fresh=True)
LOCK, OTHER = hashlib.sha256(b"lock").hexdigest(), hashlib.sha256(b"another").hexdigest()


def release(number):
    build = name_build({"source": str(number), "dependencies": LOCK})
    return name_release(build, {"STAYPUT_KEY": Secret(f"stayput-secret-value-{number}")}, KEY)


@pytest.fixture(params=sorted(PLACES))
def place(request, tmp_path):
    needs_contract(request.param)
    made = instant_place(
        request.param, tmp_path, VirtualClock(), images=LightCommits(), sites=LightCommitSites, built=CACHED
    )
    made.stand_in.runtime = "docker"
    yield made
    made.stand_in.close()
    assert made.stand_in.violations == []


def commit_of(wanted):
    return hashlib.sha1(wanted.build.id.encode()).hexdigest()


def test_a_release_is_one_deployment_of_its_commit_and_the_way_back_is_the_one_before(place):
    one, two = release(1), release(2)
    place.deploy(one)
    assert [deploy.image for deploy in place.hosting.deploys] == [commit_of(one)]
    observed = place.again().observe()
    assert (observed.release, observed.build, observed.image) == (one.id, one.build.id, commit_of(one))
    assert observed.built_by == place.target.name
    with pytest.raises(StayputError, match="upload"):
        place.deploy(two, proven=False)
    assert [deploy.image for deploy in place.hosting.deploys] == [commit_of(each) for each in (one, two, one)]
    assert place.again().observe().release == one.id


def test_a_stale_layer_is_told_and_taken_back_and_goes_with_the_cache(place):
    one, two = release(1), release(2)
    place.deploy(one)
    place.hosting.sites.stale = True
    with pytest.raises(StayputError, match=f"serves build {one.build.id}, not {two.build.id}") as stale:
        place.deploy(two)
    assert "--fresh" in stale.value.next_step
    assert place.again().observe().release == one.id
    place.built = FRESH
    place.hosting.sites.locks = {commit_of(two): LOCK}
    place.deploy(two)
    assert place.again().observe().build == two.build.id
    assert any("46 distributions as locked" in line for line in place.said)


def test_what_is_live_is_built_again_where_the_cache_is_to_be_cleared(place):
    one = release(1)
    place.deploy(one)
    place.deploy(one)
    assert len(place.hosting.deploys) == 1
    place.built, place.hosting.sites.locks = FRESH, {commit_of(one): LOCK}
    place.deploy(one)
    assert len(place.hosting.deploys) == 2
    assert place.again().observe().release == one.id


@pytest.mark.parametrize(
    ("built", "lock", "said"), [(CACHED, OTHER, "another lock"), (FRESH, None, "does not say what was installed")]
)
def test_a_build_log_that_does_not_name_the_lock_takes_the_release_back(place, built, lock, said):
    one, two = release(1), release(2)
    place.deploy(one)
    assert any("kept from an earlier build" in line for line in place.said)
    place.built, place.hosting.sites.locks = built, {commit_of(two): lock}
    with pytest.raises(StayputError, match=said):
        place.deploy(two)
    assert place.again().observe().release == one.id


def test_a_service_that_runs_images_is_refused(place):
    place.stand_in.runtime = "image"
    with pytest.raises(WrongUse, match=r"the runtime is image|the service's repository is not set"):
        place.deploy(release(1))
    assert place.hosting.deploys == []


def test_what_clears_the_cache_is_of_one_deployment_alone(place):
    one, two = release(1), release(2)
    place.deploy(one)
    there = set(place.again().observe().fingerprints)
    place.built, place.hosting.sites.locks = FRESH, {commit_of(two): OTHER}
    with pytest.raises(StayputError):
        place.deploy(two)
    assert set(place.again().observe().fingerprints) == there
    place.hosting.sites.locks = {commit_of(two): LOCK}
    place.deploy(two)
    assert set(place.again().observe().fingerprints) == there
    place.built = CACHED
    place.deploy(release(3))
    assert place.hosting.sites.fresh[-2:] == [True, False]


def test_what_is_pushed_is_not_deployed_by_itself(place):
    place.deploy(release(1))
    told = {one.setting for one in place.again().observe().deviations}
    assert "automatic deploy" not in told


@pytest.mark.parametrize("table", ["render.service=web", "koyeb={app='a',service='b'}"])
def test_a_table_says_whether_the_provider_builds(table, monkeypatch, tmp_path):
    monkeypatch.setenv("RENDER_API_KEY", "the-token")
    monkeypatch.setenv("KOYEB_TOKEN", "the-token")
    shutil.copy2(ROOT / "stayput.toml", tmp_path)
    name = table.partition(".")[0].partition("=")[0]
    given, source = [f"targets.{table}"], f'targets.{name}.source="repository"'
    assert open_workspace(tmp_path, name, "local", given).target.runs_images
    assert not open_workspace(tmp_path, name, "local", [*given, source]).target.runs_images
    with pytest.raises(WrongUse, match='is for source = "repository"'):
        open_workspace(tmp_path, name, "local", [*given, f"targets.{name}.fresh=true"])
