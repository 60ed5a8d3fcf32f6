"""Render's own SDK as a judge: it reads what the stand-in answers."""

import httpx
import pytest
from render.public_api.models.deploy import Deploy
from render.public_api.models.env_var_with_cursor import EnvVarWithCursor
from render.public_api.models.service_with_cursor import ServiceWithCursor

from tests.contract.conftest import needs_contract
from tests.standins.places import PLACES, reference, release


@pytest.fixture
def render(certificate, tmp_path):
    needs_contract("render")
    place = PLACES["render"](certificate, tmp_path)
    yield place
    place.stand_in.close()


def test_the_sdk_reads_the_stand_ins_service_variables_and_deployment(render):
    one = release(1)
    render.deploy(one)
    stand_in = render.stand_in

    def read(path):
        return httpx.get(f"{stand_in.url}{path}", headers={"Authorization": f"Bearer {stand_in.token}"}).json()

    assert ServiceWithCursor.from_dict(read("/services?name=gallery")[0]).service.name == "gallery"
    names = {EnvVarWithCursor.from_dict(each).env_var.key for each in read("/services/srv-1/env-vars?limit=100")}
    assert set(one.variables) <= names
    live = Deploy.from_dict(read(f"/services/srv-1/deploys/{render.hosting.live.id}"))
    assert (live.status.value, live.image.ref) == ("live", reference(one.build.id))
