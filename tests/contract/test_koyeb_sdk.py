"""Koyeb's own SDK as a judge: it reads what the stand-in answers, and writes what the stand-in is asked."""

import json

import httpx
import pytest
from koyeb.api.models import (
    GetDeploymentReply,
    GetServiceReply,
    ListAppsReply,
    ListDeploymentsReply,
    ListSecretsReply,
    ListServicesReply,
    QueryLogsReply,
    UpdateService,
)

from stayput.targets.koyeb import update_service
from tests.contract.conftest import needs_contract
from tests.standins.koyeb import APP, SERVICE
from tests.standins.places import PLACES, reference, release


@pytest.fixture
def koyeb(certificate, tmp_path):
    needs_contract("koyeb")
    place = PLACES["koyeb"](certificate, tmp_path)
    yield place
    place.stand_in.close()


def test_the_sdk_reads_what_the_stand_in_answers(koyeb):
    one = release(1)
    koyeb.deploy(one)
    stand_in, live = koyeb.stand_in, koyeb.hosting.live

    def read(kind, path):
        answer = httpx.get(f"{stand_in.url}{path}", headers={"Authorization": f"Bearer {stand_in.token}"})
        return kind.from_dict(answer.json())

    assert [app.name for app in read(ListAppsReply, "/v1/apps").apps] == ["gallery", "gallery-staging"]
    assert read(ListServicesReply, f"/v1/services?app_id={APP}").services[0].name == "web"
    assert read(GetServiceReply, f"/v1/services/{SERVICE}").service.latest_deployment_id == live.id
    secrets = {secret.name for secret in read(ListSecretsReply, "/v1/secrets?limit=100").secrets}
    listed = read(ListDeploymentsReply, f"/v1/deployments?service_id={SERVICE}&limit=20").deployments
    assert {entry.secret for entry in listed[0].definition.env if entry.secret} == secrets
    deployment = read(GetDeploymentReply, f"/v1/deployments/{live.id}").deployment
    assert deployment.status.value == "HEALTHY"
    assert deployment.definition.docker.image == reference(one.build.id)
    logged = read(QueryLogsReply, f"/v1/streams/logs/query?deployment_id={live.id}&limit=5").data
    assert [line.msg for line in logged] == ["the light site is up"]


def test_the_sdk_says_the_update_in_the_same_words(koyeb):
    koyeb.deploy(release(1))
    asked = update_service(SERVICE, koyeb.hosting.live.settings).body
    assert json.loads(UpdateService.from_dict(asked).to_json()) == asked
