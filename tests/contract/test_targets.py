"""What every target promises, whatever runs its releases: a process, a container, a provider, or nothing but memory."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from stayput import secrets
from stayput.errors import StayputError
from stayput.plan import plan_release
from stayput.release import name_build, name_release
from stayput.secrets import Secret
from stayput.steps import Attest, BuildImage
from stayput.workspace import open_workspace
from tests.contract.conftest import needs_contract
from tests.integration.checkouts import ROOT, Checkout
from tests.integration.images import OURS, remove_ours
from tests.standins.instant import VirtualClock, instant_place
from tests.standins.memory import MemoryTarget
from tests.standins.places import KEY, PLACES
from tests.standins.sites import DoesNotStart
from tests.unit.builders import desired, live


@dataclass
class Subject:
    """again: the target as the next command has it. key: of the fingerprints. broken: what keeps a release down."""

    again: Callable[[], Any]
    key: Secret = KEY
    broken: tuple = ("BROKEN", "yes")
    breaks: Callable[[], None] = lambda: None
    mended: Callable[[], None] = lambda: None

    def release(self, number, **more):
        """Of this tree's build, under variables of that number."""
        target = self.again()
        variables = {
            "SECRET_KEY": Secret("django-secret-value"),
            "STAYPUT_KEY": Secret(f"stayput-secret-value-{number}"),
            "USE_S3": "False",
            "ALLOWED_HOSTS": ",".join(target.hosts()),
            "CSRF_TRUSTED_ORIGINS": ",".join(target.origins()),
        }
        return name_release(target.measure(), {**variables, **more}, self.key)

    def put(self, release):
        """All of a release, after a command that was cut off before it started."""
        cut_off = self.again()
        cut_off.publish(release.build)
        cut_off.inject(release)
        target = self.again()
        target.publish(release.build)
        for step in ("inject", "migrate", "start", "promote", "retire", "recorded"):
            getattr(target, step)(release)


def memory(tmp_path):
    target = MemoryTarget()
    yield Subject(lambda: target)


def provider(name):
    def make(tmp_path):
        needs_contract(name)
        place = instant_place(name, tmp_path, VirtualClock())
        sites = place.hosting.sites

        def fall():
            sites.broken = DoesNotStart("start", ["does not start"])

        def stand():
            sites.broken = None

        yield Subject(place.again, breaks=fall, mended=stand)
        place.stand_in.close()
        assert place.stand_in.violations == []

    return make


def checkout(name, *overrides):
    def make(tmp_path):
        environments = tmp_path / "environments"
        environments.mkdir()
        made = Checkout(tmp_path / "checkout", environments)
        shutil.copytree(ROOT / "docker", made.root / "docker")
        settings = ["storage=local", f"name={OURS}", f"targets.{name}.port={made.port}", *overrides]

        def opened():
            return open_workspace(made.root, name, "local", settings)

        workspace = opened()
        secrets.keep(workspace.stack.secrets, workspace.secrets)
        if name == "docker":
            build = workspace.target.measure()
            BuildImage(build=build, reason="").perform(workspace.images)
            Attest(build=build, reason="").perform(workspace.images)
        key = workspace.secrets.fingerprint_key
        yield Subject(lambda: opened().target, key=key, broken=("DATABASE_URL", "sqlite:////nowhere/at/all"))
        opened().target.destroy()
        if name == "docker":
            remove_ours()

    return make


SUBJECTS = [
    pytest.param(memory, id="memory"),
    pytest.param(checkout("process"), id="process"),
    pytest.param(checkout("docker"), id="docker", marks=pytest.mark.needs("docker")),
    *(pytest.param(provider(name), id=name) for name in sorted(PLACES)),
]


@pytest.fixture(params=SUBJECTS)
def subject(request, tmp_path):
    yield from request.param(tmp_path)


def test_a_target_keeps_the_promises_of_its_protocol(subject):
    target, one = subject.again(), subject.release(1)
    nothing = target.observe()
    assert not target.has(name_build({"source": "of nobody"}))
    assert (nothing.release, urlsplit(nothing.url).hostname in target.hosts()) == ("", True)
    assert nothing.url in target.origins()

    subject.put(one)
    there = subject.again().observe()
    assert (there.release, there.build, there.healthy) == (one.id, one.build.id, True)
    assert subject.again().has(one.build)
    assert {name: there.fingerprints[name] for name in one.fingerprints} == one.fingerprints
    assert "secret-value" not in repr(there)
    assert plan_release(desired(one, last=live(one), outputs=None), there) == ()

    two = subject.release(2, NOTE="a second one")
    subject.put(two)
    assert subject.again().observe().release == two.id
    list(subject.again().logs())

    three = subject.release(3)
    _is_taken_back(subject, three, two)
    _does_not_start(subject, two)

    try:
        said = subject.again().manage("check")
        assert all(isinstance(line, str) for line in said)
    except StayputError as problem:
        assert problem.next_step

    for _ in range(2):
        subject.again().destroy()


def _is_taken_back(subject, release, before):
    """Injecting starts nothing; what was started is gone without a trace."""
    target = subject.again()
    target.inject(release)
    assert subject.again().observe().release == before.id
    target.migrate(release)
    target.start(release)
    assert target.address(release)
    target.withdraw(release)
    _serves(subject, before)


def _does_not_start(subject, before):
    broken = subject.release(4, **dict([subject.broken]))
    subject.breaks()
    target = subject.again()
    target.publish(broken.build)
    target.inject(broken)
    with pytest.raises(StayputError) as failed:
        target.migrate(broken)
        target.start(broken)
    assert "\n" not in str(failed.value)
    assert "secret-value" not in str(failed.value)
    target.withdraw(broken)
    subject.mended()
    _serves(subject, before)


def _serves(subject, release):
    there = subject.again().observe()
    assert (there.release, there.build, there.healthy) == (release.id, release.build.id, True)
    assert {name: there.fingerprints.get(name) for name in release.fingerprints} == release.fingerprints
