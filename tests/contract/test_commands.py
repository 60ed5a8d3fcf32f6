"""`./invoke` to a provider, as a person runs it: real images through a registry, real containers behind a TLS edge."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.contract.conftest import needs_contract
from tests.integration.checkouts import ROOT, Checkout
from tests.integration.images import OURS, registry_at, remove_ours
from tests.standins.hosting import STEPS
from tests.standins.places import TOKEN
from tests.standins.render import Render
from tests.standins.sites import ContainerSites

THEIRS = {"DATABASE_URL": "sqlite:////theirs/db.sqlite3"}


class Person:
    """A checkout of the whole project, and what a person types in it."""

    def __init__(self, root, registry, stand_in):
        Checkout(root, ROOT / ".stayput" / "environments")
        for name in ("stayput", "docker"):
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("invoke", "tasks.py"):
            shutil.copy2(ROOT / name, root)
        (root / ".venv").symlink_to(ROOT / ".venv")
        settings = (root / "stayput.toml").read_text().replace("127.0.0.1:5000", registry)
        settings = settings.replace('name = "gallery"', f'name = "{OURS}"')
        (root / "stayput.toml").write_text(settings + '\n[targets.render]\nservice = "gallery"\n')
        self.root = root
        self.env = os.environ | {"RENDER_API_URL": stand_in.url, "RENDER_API_KEY": TOKEN}

    def types(self, *words):
        """(exit code, what is on stdout) of ./invoke TASK --target render ..."""
        command = [self.root / "invoke", words[0], "--target", "render", *words[1:]]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False, timeout=300)
        self.told = done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        assert TOKEN not in done.stdout + done.stderr
        return done.returncode, done.stdout

    def asks(self, *words):
        code, said = self.types(*words, "--json")
        return code, json.loads(said)


@pytest.fixture
def stand_in(tmp_path, certificate):
    needs_contract("render")
    made = Render(certificate, ContainerSites(tmp_path), THEIRS)
    made.hosting.stride = len(STEPS)
    made.listen()
    yield made
    made.close()
    remove_ours()
    assert made.violations == []


@pytest.fixture
def person(tmp_path, stand_in):
    home = Path(tmp_path / "registry")
    home.mkdir()
    with registry_at(home) as registry:
        made = Person(tmp_path / "checkout", registry, stand_in)
        yield made
        made.types("destroy", "--yes")


@pytest.mark.needs("docker")
@pytest.mark.needs("registry")
def test_a_release_goes_live_a_bad_one_is_taken_back_and_every_command_says_how_it_is(person, stand_in):
    code, first = person.asks("deploy")
    assert (code, first["ok"], first["proof"]["ok"]) == (0, True, True), person.told
    assert stand_in.hosting.live.image == first["image"]

    code, again = person.asks("deploy")
    assert (code, again["changed"], len(stand_in.hosting.deploys)) == (0, False, 1)

    nowhere = ("--set", "variables.AWS_S3_CUSTOM_DOMAIN=pictures.invalid")
    code, refused = person.asks("deploy", *nowhere)
    assert (code, refused["ok"]) == (1, False), person.told
    assert httpx.get(f"https://{stand_in.hosting.edge.domain}/healthz").json()["release"] == first["release"]
    assert "AWS_S3_CUSTOM_DOMAIN" not in stand_in.variables

    stand_in.refusal = "its image is not kept any more"
    code, stuck = person.asks("deploy", *nowhere)
    assert code == 3, person.told
    assert "could not be withdrawn: roll back: answers 400 its image is not kept" in stuck["error"]["what"]

    code, drifted = person.asks("drift")
    assert (code, drifted["changed"][0]["resource"]) == (4, "release"), person.told
    code, back = person.asks("rollback", "--to", first["release"])
    assert (code, back["release"], back["build"]) == (0, first["release"], first["build"]), person.told

    code, now = person.asks("status")
    assert (code, now["release"], now["healthy"], now["proven"]) == (0, first["release"], True, True)
    code, lines = person.types("logs")
    assert (code, "gunicorn" in lines) == (0, True)
    code, same = person.asks("drift")
    assert (code, same["changed"]) == (0, []), person.told
    assert person.types("destroy", "--yes")[0] == 0
    assert stand_in.hosting.live is not None
