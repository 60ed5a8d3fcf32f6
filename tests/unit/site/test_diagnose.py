"""How the diagnosis says what it found, and that no secret is in it."""

from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from stayput import diagnosis
from stayput.django import diagnose, script

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "name",
    ["SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "STAYPUT_PRIVATE_KEY", "DATABASE_URL", "secret_key", "access_key", "token"],
)
def test_a_secret_is_shown_by_its_length_alone(name: str):
    assert diagnose.masked({name: "hunter2"}) == {name: "**** (7 characters)"}


def test_what_is_no_secret_is_shown():
    plain = {"AWS_STORAGE_BUCKET_NAME": "media-1", "AWS_ACCESS_KEY_ID": "AKIA1", "USE_S3": "True"}
    assert diagnose.masked(plain) == plain


@pytest.mark.parametrize(
    ("encoding", "wanted"),
    [("utf-8", "\u2713 a: b"), ("ascii", "ok   a: b"), ("cp1252", "ok   a: b"), (None, "ok   a: b")],
)
def test_a_terminal_that_cannot_show_a_tick_gets_ascii(encoding: str | None, wanted: str):
    assert diagnose.shown(diagnose.Line("a", True, "b"), encoding) == wanted


def test_a_detail_that_a_terminal_cannot_show_does_not_break_it():
    assert diagnose.shown(diagnose.Line("a", False, "b\u00e9", "c"), "ascii") == "FAIL a: b\\xe9. Next: c"


@pytest.mark.parametrize("code", diagnose.REMEDIES)
def test_what_s3_refuses_for_good_stops_the_release_and_has_its_remedy(code: str):
    line = diagnose.failed("storage upload", ClientError({"Error": {"Code": code}}, "PutObject"))
    assert (line.ok, line.stops, line.remedy) == (False, True, diagnose.REMEDIES[code])


@pytest.mark.parametrize(
    "outage",
    [
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
        ClientError({"Error": {"Code": "SlowDown"}}, "PutObject"),
        ConnectionResetError("reset"),
    ],
)
def test_a_storage_that_is_down_stops_no_release(outage: Exception):
    line = diagnose.failed("storage upload", outage)
    assert (line.ok, line.stops) == (False, False)


def test_the_copy_that_can_be_piped_is_made_from_the_one_source():
    said = (ROOT / "docs/diagnose.py").read_text("utf-8")
    assert said == script.piped(), "make it anew: python manage.py diagnose --script > docs/diagnose.py"
    assert said.isascii()


def test_the_tool_names_the_sections_as_the_site_does():
    assert tuple(name.lower() for name in diagnosis.SECTIONS) == diagnose.SECTIONS
