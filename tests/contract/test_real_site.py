"""The whole road to a provider: its stand-in starts the real site, and a real photo goes through it into a bucket."""

import contextlib
import dataclasses
import io
import json

import httpx
import pytest

from stayput import photo
from stayput.deploy import deploy, destroy, rollback, smoke_test
from stayput.django import tokens
from stayput.report import Report, reporting
from stayput.status import status
from stayput.workspace import Workspace
from tests.contract.conftest import needs_contract
from tests.integration.checkouts import Checkout
from tests.standins.places import PLACES
from tests.standins.sites import ProcessImages, ProcessSites, reference


class BuiltAsProcess(Workspace):
    """Its images are builds of the process target under an image's name: nothing is built or attested by Docker."""

    def desired(self, cloud, build, **options):
        return dataclasses.replace(super().desired(cloud, build, **options), in_image=False)

    def image(self, build):
        return reference(build.id)


class Road:
    """A checkout whose target is a provider."""

    def __init__(self, checkout, name, certificate, environments):
        self.checkout = checkout
        self._base = checkout.workspace(storage="s3")
        home = self._base.stack.home
        self.place = PLACES[name](
            certificate,
            home,
            sites=ProcessSites(home, environments),
            images=ProcessImages(self._base.target),
            variables={"DATABASE_URL": f"sqlite:///{checkout.root / 'theirs.sqlite3'}", "SENTRY_DSN": ""},
            key=self._base.secrets.fingerprint_key,
            timeout=60,
        )
        self.url = f"https://{self.place.hosting.edge.domain}"

    def workspace(self, *overrides):
        """As the next command opens it; the stack's secrets are those that the place was made with."""
        given = self.checkout.workspace(*overrides, storage="s3")
        return BuiltAsProcess(
            project=given.project,
            stack=given.stack,
            secrets=self._base.secrets,
            engine=given.engine,
            target=self.place.again(),
            ledger=given.ledger,
        )

    def run(self, command, *overrides, **options):
        out, code = io.StringIO(), 0
        with contextlib.redirect_stdout(out):
            try:
                with reporting(True) as report:
                    command(self.workspace(*overrides), report, **options)
            except SystemExit as ended:
                code = ended.code
        return code, json.loads(out.getvalue())

    def upload(self):
        key = self._base.secrets.stayput_key.value
        headers = {"Authorization": f"Bearer {tokens.sign(key, purpose='upload')}"}
        files = {"image": ("a.jpg", photo.draw())}
        return httpx.post(f"{self.url}/api/images/", files=files, headers=headers, timeout=30)


@pytest.fixture(scope="module")
def environments(tmp_path_factory):
    return tmp_path_factory.mktemp("environments")


@pytest.fixture(params=sorted(PLACES))
def road(request, tmp_path, environments, certificate):
    needs_contract(request.param)
    made = Road(Checkout(tmp_path / "checkout", environments), request.param, certificate, environments)
    yield made
    destroy(made.workspace(), Report(True))
    made.place.stand_in.close()
    assert made.place.stand_in.violations == []


def test_photos_outlive_releases_and_a_broken_release_is_taken_back(road):
    code, first = road.run(deploy)
    assert (code, first["ok"], first["proof"]["ok"]) == (0, True, True)
    taken = road.upload()
    assert taken.status_code == 201

    code, again = road.run(deploy)
    assert (code, again["changed"]) == (0, False)

    road.checkout.append("app/config/urls.py", "# another build\n")
    code, second = road.run(deploy)
    assert (code, second["ok"]) == (0, True)
    assert second["build"] != first["build"]
    assert "the picture that the last release took is still there" in str(second["proof"])
    assert httpx.get(taken.json()["url"]).status_code == 200

    before = len(road.place.hosting.deploys)
    road.checkout.edit("app/uploads/images.py", "def process(", "def process(*_):\n    1 / 0\n\n\ndef another(")
    code, broken = road.run(deploy)
    assert (code, broken["ok"]) == (1, False)
    assert "upload" in broken["error"]["what"]
    assert len(road.place.hosting.deploys) == before + 2  # the broken one, and the way back
    assert httpx.get(f"{road.url}/healthz").json()["release"] == second["release"]
    assert road.upload().status_code == 201
    assert road.run(smoke_test)[0] == 0

    code, back = road.run(rollback)
    assert (code, back["build"]) == (0, first["build"])
    code, now = road.run(status)
    assert (code, now["release"], now["proven"]) == (0, back["release"], True)


def test_a_release_that_does_not_start_shows_the_end_of_its_log(road):
    _, first = road.run(deploy)
    road.checkout.edit("app/config/urls.py", "urlpatterns", "import magic\n\nurlpatterns")
    code, broken = road.run(deploy)
    assert (code, broken["ok"]) == (1, False)
    assert any("| " in line and "magic" in line for line in road.place.said), road.place.said
    assert httpx.get(f"{road.url}/healthz").json()["release"] == first["release"]
