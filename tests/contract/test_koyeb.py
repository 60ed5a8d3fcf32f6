"""What is Koyeb's own: secrets in place of values, one definition for everything, no rollback but the definition."""

import json

import pytest

from stayput.errors import StayputError, WrongUse
from tests.contract.conftest import needs_contract
from tests.standins.instant import VirtualClock, instant_place
from tests.standins.koyeb import APP, SERVICE
from tests.standins.places import THEIRS, reference, release
from tests.standins.server import Fault

START = {"command": "sh", "args": ["-c", "python manage.py migrate_once && exec python -I /entrypoint"]}


@pytest.fixture
def koyeb(tmp_path):
    needs_contract("koyeb")
    place = instant_place("koyeb", tmp_path, VirtualClock())
    yield place
    place.stand_in.close()
    assert place.stand_in.violations == []


def deployed(place):
    return place.hosting.live.settings


def entry(place, name):
    return next(one for one in deployed(place)["env"] if one["key"] == name)


def test_values_lie_in_secrets_and_the_definition_names_them(koyeb):
    one = release(1)
    koyeb.deploy(one)
    written = {each["key"]: each for each in deployed(koyeb)["env"]}
    assert all("value" not in written[name] for name in one.variables)
    assert "secret-value" not in json.dumps(deployed(koyeb))
    assert {name: written[name]["value"] for name in THEIRS} == THEIRS


def test_a_changed_value_is_a_new_secret_and_the_old_one_stays_for_the_way_back(koyeb):
    koyeb.deploy(release(1))
    first = entry(koyeb, "STAYPUT_KEY")["secret"]
    koyeb.deploy(release(2))
    second = entry(koyeb, "STAYPUT_KEY")["secret"]
    values = {name: koyeb.stand_in.secrets[name]["value"] for name in (first, second)}
    assert values == {first: "stayput-secret-value-1", second: "stayput-secret-value-2"}


def test_a_release_is_one_update_of_the_service(koyeb):
    koyeb.deploy(release(1))
    assert koyeb.stand_in.calls.count("PUT /v1/services/{id}") == 1
    assert len(koyeb.hosting.deploys) == 1


def test_a_secret_whose_answer_was_lost_is_not_a_failure(koyeb):
    koyeb.stand_in.fault = Fault("POST /v1/secrets", "time-out after")
    koyeb.deploy(release(1))
    assert koyeb.hosting.live.variables["SECRET_KEY"] == "django-secret-value"


def test_the_organisations_secrets_are_read_to_the_last_page(koyeb):
    for number in range(230):
        koyeb.stand_in._create({"name": f"of-theirs-{number}", "value": "x"})
    koyeb.deploy(release(1))
    koyeb.deploy(release(2))
    count = len(koyeb.stand_in.secrets)
    koyeb.deploy(release(1))
    assert len(koyeb.stand_in.secrets) == count
    assert koyeb.stand_in.calls.count("POST /v1/secrets") == count - 230


def test_what_somebody_saved_without_deploying_is_part_of_the_next_release_however_a_list_lags(koyeb):
    koyeb.deploy(release(1))
    saved = deployed(koyeb)
    koyeb.stand_in.saved = {**saved, "env": [*saved["env"], {"key": "BY_HAND", "value": "just now"}]}
    koyeb.stand_in.hides_saved = True
    koyeb.deploy(release(2))
    assert koyeb.hosting.live.variables["BY_HAND"] == "just now"
    assert koyeb.hosting.live.image == reference(release(2).build.id)


def test_the_image_the_start_command_and_the_health_check_are_put_right_and_said(koyeb):
    of_mail = {"tcp": {"port": 2525}, "grace_period": 9}
    koyeb.stand_in.made_with |= {
        "health_checks": [{"tcp": {"port": 8000}}, of_mail],
        "ports": [{"port": 8000, "protocol": "http"}, {"port": 9025, "protocol": "tcp"}],
    }
    koyeb.stand_in.made_with["docker"] = {"entrypoint": ["/old"], "image_registry_secret": "of-the-registry"}
    koyeb.stand_in.secrets["of-the-registry"] = {"id": "r", "name": "of-the-registry", "type": "REGISTRY"}
    koyeb.deploy(release(1))
    made, image = deployed(koyeb), reference(release(1).build.id)
    assert made["docker"] == {**START, "image": image, "image_registry_secret": "of-the-registry"}
    (check,) = [one for one in made["health_checks"] if one != of_mail]
    assert check["http"] == {"port": 8000, "path": "/healthz"}
    assert of_mail in made["health_checks"]
    assert check["grace_period"] + check["interval"] * check["restart_limit"] >= 300
    said = "\n".join(koyeb.said)
    assert all(word in said for word in ("start command set", "health check set to /healthz"))


def test_settings_that_are_right_are_not_spoken_of(koyeb):
    koyeb.deploy(release(1))
    koyeb.said.clear()
    koyeb.deploy(release(2))
    assert [line for line in koyeb.said if " set to " in line] == []


def test_sleep_is_said(koyeb):
    koyeb.stand_in.made_with |= {"instance_types": [{"type": "free"}], "scalings": [{"min": 0, "max": 1}]}
    koyeb.deploy(release(1))
    assert any("instance type is free" in line for line in koyeb.said)
    assert any("scaling is to zero" in line for line in koyeb.said)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"routes": []}, "public route / is not set"),
        ({"ports": [{"port": 3000, "protocol": "http"}, {"port": 8000, "protocol": "http"}]}, "listens on is 3000"),
        ({"docker": {"image": "x", "image_registry_secret": "gone"}}, "registry's secret gone is not there"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_started(koyeb, settings, message):
    koyeb.stand_in.made_with |= settings
    with pytest.raises(WrongUse, match=message):
        koyeb.deploy(release(1))
    assert koyeb.hosting.deploys == []


def test_a_paused_service_is_refused(koyeb):
    koyeb.stand_in.status = "PAUSED"
    with pytest.raises(WrongUse, match="is paused"):
        koyeb.deploy(release(1))


def test_a_port_of_their_own_is_kept_where_visitors_are_sent_there(koyeb):
    koyeb.stand_in.made_with["env"] = [
        *koyeb.stand_in.made_with["env"],
        {"key": "PORT", "value": "8000", "scopes": ["region:fra"]},
    ]
    koyeb.stand_in.made_with["ports"] = [{"port": 3000, "protocol": "tcp"}, {"port": 8000, "protocol": "http"}]
    koyeb.deploy(release(1))
    assert entry(koyeb, "PORT") == {"key": "PORT", "value": "8000", "scopes": ["region:fra"]}


def test_secrets_that_only_forgotten_deployments_used_are_taken_away(koyeb):
    first = release(1, FORGOTTEN="one")
    koyeb.deploy(first)
    old = entry(koyeb, "FORGOTTEN")["secret"]
    kept = entry(koyeb, "SECRET_KEY")["secret"]
    definition = {**deployed(koyeb), "env": [one for one in deployed(koyeb)["env"] if one["key"] != "FORGOTTEN"]}
    for _ in range(20):
        koyeb.hosting.deploys[-1].state = "replaced"
        koyeb.stand_in.deploy(definition).state = "live"
    orphan = {"name": f"stayput-{SERVICE[:8]}-of-a-run-under-way-0123456789abcdef", "value": "x"}
    koyeb.stand_in._create(orphan)
    koyeb.deploy(release(2))
    assert old not in koyeb.stand_in.secrets
    assert {kept, orphan["name"]} <= koyeb.stand_in.secrets.keys()


def test_app_and_service_are_found_by_id_too(koyeb):
    provider = koyeb.target._provider
    provider._named = (APP, SERVICE)
    assert provider.url() == f"https://{koyeb.hosting.edge.domain}"
    assert provider.deployments()[0].said == "ERROR"


@pytest.mark.parametrize(
    ("app", "service", "message"),
    [
        ("galery", "web", r"no apps have the name galery; found: gallery \(.+\), gallery-staging"),
        ("gallery", "wep", r"no services have the name wep; found: web \(.+\), web-worker"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(koyeb, app, service, message):
    koyeb.target._provider._named = (app, service)
    with pytest.raises(WrongUse, match=message):
        koyeb.target.observe()


def test_a_domain_of_their_own_is_the_public_address(koyeb):
    pending = {"name": "soon.example.com", "status": "PENDING", "type": "CUSTOM"}
    own = {"name": "photos.example.com", "status": "ACTIVE", "type": "CUSTOM"}
    koyeb.stand_in.domains += [pending, own]
    assert koyeb.target._provider.url() == "https://photos.example.com"
    koyeb.stand_in.domains.clear()
    with pytest.raises(WrongUse, match="no public domain"):
        koyeb.again().hosts()


def test_an_earlier_definition_comes_back_whole(koyeb):
    one, two = release(1), release(2)
    koyeb.deploy(one)
    before = deployed(koyeb)
    target = koyeb.again()
    target.publish(two.build)
    target.inject(two)
    target.start(two)
    target.withdraw(two)
    assert deployed(koyeb) == before
    assert koyeb.again().observe().fingerprints["STAYPUT_KEY"] == one.fingerprints["STAYPUT_KEY"]


def test_a_refusal_repeats_no_value_of_theirs(koyeb):
    koyeb.deploy(release(1))
    koyeb.stand_in.refusal = f"env is too long: {THEIRS['DATABASE_URL']}"
    with pytest.raises(StayputError, match="env is too long") as refused:
        koyeb.deploy(release(2))
    assert "s3cr3t" not in str(refused.value)
