import os
from pathlib import Path

import certifi
import pytest

from tests.standins import koyeb, railway, render
from tests.standins.contracts import FOLDER, is_there
from tests.standins.edge import make_certificate
from tests.standins.instant import VirtualClock, instant_place
from tests.standins.places import PLACES

SCHEMAS = {"koyeb": koyeb.SCHEMA, "railway": railway.SCHEMA, "render": render.SCHEMA}


def needs_contract(provider):
    if not is_there(SCHEMAS[provider]):
        pytest.skip(f"needs {SCHEMAS[provider]} in {FOLDER}; STAYPUT_SCHEMAS names another folder")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """The edge's certificate, trusted by every client of this test run."""
    path = make_certificate(tmp_path_factory.mktemp("edge"))
    before = os.environ.get("SSL_CERT_FILE")
    bundle = path.with_name("bundle.pem")  # image builds are given it, too
    bundle.write_bytes(Path(before or certifi.where()).read_bytes() + path.read_bytes())
    os.environ["SSL_CERT_FILE"] = str(bundle)
    yield path
    if before is None:
        del os.environ["SSL_CERT_FILE"]
    else:
        os.environ["SSL_CERT_FILE"] = before


@pytest.fixture(params=sorted(PLACES))
def make_place(request, tmp_path):
    """Makes a provider's place without a network; the contract has the last word on what was asked and answered."""
    needs_contract(request.param)
    made = []

    def make(**given):
        made.append(instant_place(request.param, tmp_path, VirtualClock(), **given))
        return made[-1]

    yield make
    for one in made:
        _judge(one)


@pytest.fixture
def place(make_place):
    return make_place()


@pytest.fixture
def make_place_by_name(tmp_path):
    """Makes the place of a named provider without a network."""
    made = []

    def make(name, **given):
        needs_contract(name)
        made.append(instant_place(name, tmp_path, VirtualClock(), **given))
        return made[-1]

    yield make
    for one in made:
        _judge(one)


@pytest.fixture
def make_place_on_the_wire(certificate, tmp_path):
    """Makes the place of a provider as a real server, with a light site behind a real edge."""
    made = []

    def make(name, **given):
        needs_contract(name)
        made.append(PLACES[name](certificate, tmp_path, **given))
        return made[-1]

    yield make
    for one in made:
        _judge(one)


def _judge(place):
    place.stand_in.close()
    strange = place.stand_in.STRANGE  # told on purpose by one test
    assert [fault for fault in place.stand_in.violations if strange not in fault] == []
