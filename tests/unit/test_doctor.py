"""What the doctor makes of what it finds."""

import dataclasses
import threading
from datetime import UTC, datetime, timedelta

import pytest

from stayput import doctor
from stayput.doctor import Finding, clock, disk, engine, key_age, key_use, names, python, side_by_side, target_settings
from stayput.errors import WrongUse
from stayput.image.registry import explain
from stayput.targets import Deviation
from tests.standins.memory import MemoryTarget

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("days", "ok"), [(0, True), (90, True), (91, False)])
def test_iam_3_a_key_older_than_ninety_days_is_to_be_rotated(days, ok):
    found = key_age("AKIA1", NOW - timedelta(days=days), NOW)
    assert (found.ok, found.detail) == (ok, f"AKIA1 is {days} days old")
    assert "invoke rotate-keys" in found.remedy


@pytest.mark.parametrize(("days", "ok"), [(0, True), (45, True), (46, False)])
def test_iam_8_and_iam_22_a_key_that_nobody_uses_is_told(days, ok):
    then, made = NOW - timedelta(days=days), NOW - timedelta(days=300)
    used, never = key_use("AKIA1", made, then, NOW), key_use("AKIA1", then, None, NOW)
    assert (used.ok, used.detail) == (ok, f"AKIA1 was last used {days} days ago")
    assert (never.ok, never.detail) == (ok, f"AKIA1 was never used in its {days} days")
    assert "invoke destroy" in used.remedy


@pytest.mark.parametrize(
    ("date", "ok"),
    [
        ("Fri, 01 May 2026 12:00:30 GMT", True),
        ("Fri, 01 May 2026 12:05:00 GMT", False),
        ("Fri, 01 May 2026 11:55:00 GMT", False),
        ("", None),
        ("yesterday", None),
    ],
)
def test_a_clock_that_differs_from_the_servers_is_said(date, ok):
    assert clock(date, NOW).ok is ok


def test_too_old_a_python_and_too_full_a_disk_are_faults():
    assert [python((3, 10, 9)).ok, python((3, 11, 0)).ok, python((3, 14, 0)).ok] == [False, True, True]
    assert [disk(10**9).ok, disk(10**10).ok] == [False, True]


def test_pulumi_is_only_needed_where_the_cloud_is_not_this_machines():
    assert [engine(None, needed=True).ok, engine(None, needed=False).ok] == [False, None]


def test_every_fault_comes_with_a_remedy():
    lacking = [engine(None, needed=True), disk(0), python((3, 9)), key_age("A", NOW - timedelta(days=100), NOW)]
    assert [found for found in lacking if found.ok or not found.remedy] == []


def test_a_probe_that_hangs_or_breaks_holds_nobody_up():
    hangs = threading.Event()

    def never():
        hangs.wait()
        yield Finding(name="never", ok=True, detail="")

    def breaks():
        raise ValueError("of the probe")
        yield

    probes = {"never": never, "breaks": breaks, "python": lambda: iter((python((3, 12, 0)),))}
    found = {one.name: one for one in side_by_side(probes, 0.2)}
    hangs.set()
    assert found["never"].detail == "no answer within 0.2 s"
    assert found["breaks"].detail == "ValueError: of the probe"
    assert found["python"].ok


def test_the_probes_have_to_answer_before_five_seconds():
    assert doctor.PROBE_SECONDS < doctor.SECONDS < 5


class Place(MemoryTarget):
    def __init__(self, *deviations):
        super().__init__()
        self._deviations = deviations

    def observe(self):
        return dataclasses.replace(super().observe(), deviations=self._deviations)


class Work:
    """A workspace, as far as the probe of the target looks into it."""

    theirs, database = {}, {}

    def __init__(self, target):
        self.target = target


def test_what_a_deploy_would_refuse_is_a_fault_with_its_remedy():
    refused = Deviation(setting="DATABASE_URL", remedy="set it there", refused=True)
    settled = Deviation(setting="health check path", wanted="/healthz")
    found = list(target_settings(Work(Place(settled, refused))))
    assert [(one.ok, one.detail, one.remedy) for one in found if one.ok is not None] == [
        (False, "DATABASE_URL is not set", "set it there")
    ]
    assert [one.detail for one in found if one.ok is None] == [f"{settled}; a deploy sets it"]


def test_a_target_that_a_deploy_would_take_is_well():
    assert [one.ok for one in target_settings(Work(Place()))] == [True]


class Named:
    """A workspace, as far as the probe of the names looks into it."""

    def unvisited(self):
        return iter(["not verified yet, so not visited: soon.example.com (unverified)"])

    def missing_origins(self):
        return "Pulumi.live.yaml: stayput:origins does not name https://gallery.example.com"


def test_names_that_do_not_work_everywhere_are_told_and_no_fault():
    found = list(names(Named()))
    assert [(one.name, one.ok) for one in found] == [("domains", None), ("origins", None)]
    assert "soon.example.com" in found[0].detail


def test_what_a_probe_is_refused_with_is_said_in_its_own_words():
    def refuses():
        raise WrongUse("stayput.toml", "there is no DATABASE_URL", "export it")
        yield

    (found,) = side_by_side({"target": refuses}, 1)
    assert (found.detail, found.remedy) == ("stayput.toml: there is no DATABASE_URL", "export it")


def test_two_clocks_have_two_names():
    date = "Fri, 01 May 2026 12:00:30 GMT"
    assert clock(date, NOW).name != clock(date, NOW, of="render's").name


@pytest.mark.parametrize(
    ("said", "what", "next_step"),
    [
        (
            'Get "https://registry.lan:5000/v2/": http: server gave HTTP response to HTTPS client',
            "plain HTTP",
            "insecure-registries",
        ),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "certificate", "certs.d"),
        ("unauthorized: authentication required", "login", "docker login"),
        ("denied: requested access to the resource is denied", "login", "docker login"),
        ("dial tcp 127.0.0.1:5000: connect: connection refused", "does not answer", "see that it runs"),
        ("dial tcp: lookup registry.lan: no such host", "name is not known", "DNS"),
    ],
)
def test_what_a_registry_refuses_has_the_next_step_that_fits(said, what, next_step):
    explained, remedy = explain(said)
    assert what in explained
    assert next_step in remedy
