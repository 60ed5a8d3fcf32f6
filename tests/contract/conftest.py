import os

import pytest

from tests.standins import railway, render
from tests.standins.contracts import FOLDER, is_there
from tests.standins.edge import make_certificate
from tests.standins.places import PLACES

SCHEMAS = {"railway": railway.SCHEMA, "render": render.SCHEMA}


def needs_contract(provider):
    if not is_there(SCHEMAS[provider]):
        pytest.skip(f"needs {SCHEMAS[provider]} in {FOLDER}; STAYPUT_SCHEMAS names another folder")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """The edge's certificate, trusted by every client of this test run."""
    path = make_certificate(tmp_path_factory.mktemp("edge"))
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(path)
    yield path
    if before is None:
        del os.environ["SSL_CERT_FILE"]
    else:
        os.environ["SSL_CERT_FILE"] = before


@pytest.fixture(params=sorted(PLACES))
def make_place(request, certificate, tmp_path):
    """Makes a provider's place; the contract has the last word on what was asked and answered there."""
    needs_contract(request.param)
    made = []

    def make(**given):
        made.append(PLACES[request.param](certificate, tmp_path, **given))
        return made[-1]

    yield make
    for one in made:
        one.stand_in.close()
        strange = one.stand_in.STRANGE  # told on purpose by one test
        assert [fault for fault in one.stand_in.violations if strange not in fault] == []


@pytest.fixture
def place(make_place):
    return make_place()
