"""The whole road where the provider builds: its stand-in builds pushed commits by the Dockerfile's own recipe."""

import contextlib
import io
import json
import shutil
import subprocess

import httpx
import pytest

from stayput.deploy import deploy, destroy, rollback
from stayput.project import Building
from stayput.report import Report, reporting
from stayput.targets.repository import Repository
from stayput.workspace import Workspace
from tests.contract.conftest import needs_contract
from tests.integration.checkouts import ROOT, Checkout
from tests.standins.commits import CommitSites
from tests.standins.places import PLACES

CACHED, FRESH = Building(source="repository"), Building(source="repository", fresh=True)


class Road:
    """A checkout under git with a remote, whose target builds what the remote has."""

    def __init__(self, folder, name, certificate, environments):
        self.checkout, self.remote = Checkout(folder / "checkout", environments), folder / "remote"
        root = self.checkout.root
        for there in ("stayput", "docker"):
            shutil.copytree(ROOT / there, root / there, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy2(ROOT / ".gitignore", root)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("init", "--quiet", "--bare", str(self.remote))
        self.git("remote", "add", "origin", str(self.remote))
        self._base = self.checkout.workspace(storage="s3")
        self._base.target.publish(self._base.target.measure())  # for its environment
        home = self._base.stack.home
        self.place = PLACES[name](
            certificate,
            home,
            sites=CommitSites(home, environments, self.remote),
            images=Repository(root, self._base.project, home),
            variables={"DATABASE_URL": f"sqlite:///{folder / 'theirs.sqlite3'}", "SENTRY_DSN": ""},
            key=self._base.secrets.fingerprint_key,
            timeout=60,
            built=CACHED,
        )
        self.place.stand_in.runtime = "docker"

    def git(self, *words):
        who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
        subprocess.run(["git", "-C", self.checkout.root, *who, *words], check=True, capture_output=True)

    def commit(self):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=a change")

    def push(self):
        self.git("push", "--quiet", "--set-upstream", "origin", "main")

    def run(self, command, **options):
        out, code = io.StringIO(), 0
        with contextlib.redirect_stdout(out):
            try:
                with reporting(True) as report:
                    command(self._workspace(), report, **options)
            except SystemExit as ended:
                code = ended.code
        return code, json.loads(out.getvalue())

    def _workspace(self):
        given = self.checkout.workspace(storage="s3")
        return Workspace(
            project=given.project,
            stack=given.stack,
            secrets=self._base.secrets,
            engine=given.engine,
            target=self.place.again(),
            ledger=given.ledger,
        )

    @property
    def health(self):
        return httpx.get(f"https://{self.place.hosting.edge.domain}/healthz").json()

    def close(self):
        destroy(self._workspace(), Report(True))
        self.place.stand_in.close()
        assert self.place.stand_in.violations == []


@pytest.fixture(scope="module")
def environments(tmp_path_factory):
    return tmp_path_factory.mktemp("environments")


@pytest.fixture(params=["render"])
def road(request, tmp_path, environments, certificate):
    needs_contract(request.param)
    made = Road(tmp_path, request.param, certificate, environments)
    yield made
    made.close()


def test_a_pushed_commit_is_built_there_proven_and_a_stale_layer_taken_back(road):
    refused = []
    for pushed in (lambda: None, road.commit, lambda: road.checkout.append("manage.py", "\n"), road.commit):
        pushed()
        code, answer = road.run(deploy)
        refused.append((code, answer["error"]["what"], answer["steps"]))
    no_branch = "is on no branch of a remote"
    said = ["has no commit that a platform could build", no_branch, "manage.py is not committed", no_branch]
    assert refused == [(2, one, []) for one in said]  # nothing is provisioned either
    assert not road.place.hosting.deploys
    road.push()

    code, first = road.run(deploy)
    assert (code, first["ok"], first["proof"]["ok"]) == (0, True, True), first
    assert [one["name"] for one in first["steps"]][1:4] == ["publish", "inject", "migrate"]  # no image is made here
    assert "verified by the Dockerfile's verify stages at render" in first["steps"][4]["reason"]
    assert road.health["build"] == first["build"]
    locked = [line for line in road.place.said if "distributions as locked" in line]
    assert len(locked) == 1, road.place.said
    assert road.run(deploy)[1]["changed"] is False

    road.checkout.append("app/config/urls.py", "# another build\n")
    road.commit()
    road.push()
    road.place.hosting.sites.stale = True
    code, stale = road.run(deploy)
    assert (code, "serves build" in stale["error"]["what"]) == (1, True), stale
    assert road.health["release"] == first["release"]

    road.place.built = FRESH
    code, second = road.run(deploy)
    assert (code, second["ok"]) == (0, True), second
    assert road.health["build"] == second["build"] != first["build"]

    road.place.built, road.place.hosting.sites.stale = CACHED, False
    code, back = road.run(rollback)
    assert (code, back["build"], road.health["build"]) == (0, first["build"], first["build"]), back
