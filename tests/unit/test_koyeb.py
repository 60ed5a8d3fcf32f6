import re

import pytest

from stayput.targets.koyeb_definition import (
    FINGERPRINT,
    HEALTH_WANTED,
    health_check,
    name_secret,
    parse_deployment,
    settle,
    standing,
)
from stayput.targets.provider import Phase

SERVICE = "5e000000-0000-4000-8000-000000000001"


def deployment(status, release="one", succeeded=False, **variables):
    """As Koyeb lists it."""
    env = [{"key": "STAYPUT_RELEASE", "secret": release}, *({"key": k, "value": v} for k, v in variables.items())]
    told = {"succeeded_at": "2026-11-01T00:00:00Z"} if succeeded else {}
    return {"id": "d", "status": status, "definition": {"env": env}} | told


@pytest.mark.parametrize(
    ("status", "succeeded", "phase"),
    [
        ("STARTING", False, Phase.UNDERWAY),
        ("WARMING_UP", False, Phase.UNDERWAY),
        ("HEALTHY", True, Phase.LIVE),
        ("SLEEPING", True, Phase.LIVE),
        ("DEGRADED", True, Phase.LIVE),
        ("DEGRADED", False, Phase.FAILED),
        ("STOPPED", True, Phase.REPLACED),
        ("STOPPED", False, Phase.FAILED),
        ("ERROR", False, Phase.FAILED),
        ("CANCELED", False, Phase.FAILED),
    ],
)
def test_a_status_is_read_by_whether_the_deployment_once_succeeded(status, succeeded, phase):
    assert parse_deployment(deployment(status, succeeded=succeeded)).phase is phase


def test_a_failure_is_said_with_its_last_message():
    failed = deployment("ERROR") | {"messages": ["pulling", "the image is not there"]}
    assert parse_deployment(failed).said == "ERROR: the image is not there"


@pytest.mark.parametrize("status", ["ERROR", "STARTING"])
def test_a_release_that_failed_or_is_not_live_yet_is_not_gone_on_from(status):
    live = deployment("HEALTHY", succeeded=True)
    assert standing([deployment(status, release="two"), live]) == live["definition"]


@pytest.mark.parametrize("status", ["STASHED", "ERROR", "STARTING"])
def test_what_somebody_changed_by_hand_is_gone_on_from_however_it_ended(status):
    by_hand, live = deployment(status, BY_HAND="x"), deployment("HEALTHY", succeeded=True)
    assert standing([by_hand, live]) == by_hand["definition"]


def test_what_somebody_saved_on_top_of_a_release_that_failed_is_gone_on_from():
    saved, live = deployment("STASHED", release="two", BY_HAND="x"), deployment("HEALTHY", succeeded=True)
    assert standing([saved, deployment("ERROR", release="two"), live]) == saved["definition"]


def test_where_nothing_is_live_the_newest_is_gone_on_from():
    newest = deployment("ERROR", release="two")
    assert standing([newest, deployment("ERROR")]) == newest["definition"]
    assert standing([]) == {}


@pytest.mark.parametrize("variable", ["STAYPUT_KEY", "_x_", "A" * 80, "A_LONG_NAME_THAT_ENDS_HERE_____AND_ON"])
def test_a_secrets_name_is_one_by_rfc_1123_and_tells_the_fingerprint(variable):
    name = name_secret(SERVICE, variable, "0123456789abcdef")
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name)
    assert FINGERPRINT.fullmatch(name)[1] == "0123456789abcdef"


def test_a_patient_health_check_keeps_its_times_and_an_impatient_one_does_not():
    patient = {"grace_period": 120, "interval": 60, "restart_limit": 3, "http": {"port": 8000, "path": "/healthz"}}
    assert health_check(patient, 8000) == patient
    assert health_check({"tcp": {"port": 8000}}, 8000) == HEALTH_WANTED | {"http": {"port": 8000, "path": "/healthz"}}
    asks_elsewhere = health_check(patient | {"http": {"port": 8000, "path": "/", "method": "HEAD"}}, 8000)
    assert asks_elsewhere == patient | {"http": {"port": 8000, "path": "/healthz", "method": "HEAD"}}


def test_a_definition_that_was_settled_is_not_spoken_of_again_and_keeps_the_rest():
    definition = {"routes": [{"port": 8000, "path": "/"}], "regions": ["fra"], "volumes": [{"id": "v"}]}
    once, said = settle(definition, "r/i@sha256:1", "migrate")
    assert len(said) == 2
    assert settle(once, "r/i@sha256:1", "migrate") == (once, [])
    assert once["volumes"] == [{"id": "v"}]
    assert "docker" not in definition
