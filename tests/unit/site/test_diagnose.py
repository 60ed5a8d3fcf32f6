"""How the diagnosis says what it found, and that no secret is in it."""

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    SSLError,
)
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, storages
from django.test import override_settings

from stayput import diagnosis
from stayput.django import diagnose, disks, refusals, script

ROOT = Path(__file__).parents[3]


def answer(code: str, status: int, message: str) -> ClientError:
    said = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, "PutObject")  # pyright: ignore[reportArgumentType]


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


@pytest.mark.parametrize("code", refusals.REMEDIES)
def test_what_s3_refuses_for_good_stops_the_release_and_has_its_remedy(code: str):
    line = diagnose.failed("storage upload", ClientError({"Error": {"Code": code}}, "PutObject"))
    assert (line.ok, line.stops, line.remedy) == (False, True, refusals.REMEDIES[code])


@pytest.mark.parametrize(
    ("refusal", "remedy"),
    [
        (ParamValidationError(report="Invalid bucket name"), "AWS_STORAGE_BUCKET_NAME"),
        (InvalidRegionError(region_name="Europe (Frankfurt)"), "AWS_S3_REGION_NAME"),
        (NoCredentialsError(), "AWS_ACCESS_KEY_ID"),
        (ValueError("Invalid endpoint: https//s3.example.com"), "AWS_S3_ENDPOINT_URL"),
        (SSLError(endpoint_url="https://a.b", error="CERTIFICATE_VERIFY_FAILED"), "certificate"),
        (HTTPClientError(error=ValueError("Invalid header value b'x'")), "access key"),
        (answer("AccessDenied", 403, "is not authorized to perform: kms:GenerateDataKey"), "kms:GenerateDataKey"),
        (answer("InvalidArgument", 400, "Unsupported header 'x-amz-checksum-crc32'"), "CHECKSUM_CALCULATION"),
        (answer("NotImplemented", 501, "A header you provided"), "header"),
        (answer("NobodyKnowsThis", 400, ""), "the line names"),
        (answer("403", 403, "Forbidden"), "key's user"),
        (answer("301", 301, "Moved Permanently"), "AWS_S3_REGION_NAME"),
        (PermissionError(13, "Permission denied"), "write there"),
        (OSError(20, "Not a directory"), "write there"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_a_client_or_a_storage_refuses_for_good_stops_the_release(refusal: Exception, remedy: str):
    line = diagnose.failed("storage upload", refusal)
    assert (line.ok, line.stops) == (False, True)
    assert remedy in line.remedy


@pytest.mark.skipif(disks.kind_of(Path("/dev/shm")) != "tmpfs", reason="needs a tmpfs at /dev/shm, as Linux has it")
@pytest.mark.parametrize(("folder", "kept"), [("/dev/shm", False), ("/proc", True)])
def test_a_folder_in_memory_is_a_fault_and_no_tick(folder: str, kept: bool):
    disk = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": folder}}
    with override_settings(STORAGES={"default": disk}, DEBUG=False):
        found = list(itertools.takewhile(lambda line: line.name != "uploads.Image", lines_of_storage()))
    assert [line.ok for line in found if line.name == "disk"] == ([] if kept else [False])


def lines_of_storage() -> Iterator[diagnose.Line]:
    """Up to where it asks the database, which a unit test has not."""
    with contextlib.suppress(RuntimeError):
        yield from diagnose.storage()


def test_a_refusal_is_known_through_what_was_made_of_it():
    try:
        try:
            raise ClientError({"Error": {"Code": "NoSuchBucket"}}, "PutObject")
        except ClientError as problem:
            raise RuntimeError("write") from problem
    except RuntimeError as made:
        assert diagnose.failed("upload flow", made).stops


def test_a_password_in_an_address_is_not_shown():
    address = {"AWS_S3_ENDPOINT_URL": "https://user:hunter2@s3.example.com"}
    assert diagnose.masked(address) == {"AWS_S3_ENDPOINT_URL": "https://****@s3.example.com"}
    line = diagnose.failed("storage", ValueError("Invalid endpoint: https://user:hunter2@s3 example"))
    assert "hunter2" not in line.detail
    assert "hunter2" not in diagnose.masked({"AWS_CLOUDFRONT_KEY": "hunter2"})["AWS_CLOUDFRONT_KEY"]


@pytest.mark.parametrize(
    "outage",
    [
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
        ConnectTimeoutError(endpoint_url="http://127.0.0.1:1"),
        ReadTimeoutError(endpoint_url="http://127.0.0.1:1"),
        ConnectionClosedError(endpoint_url="http://127.0.0.1:1"),
        answer("SlowDown", 503, ""),
        answer("InternalError", 500, ""),
        answer("RequestTimeout", 400, ""),
        answer("503", 503, "Service Unavailable"),
        answer("TooManyRequests", 429, ""),
        TimeoutError("timed out"),
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


class ElsewhereStorage(InMemoryStorage):
    """Answers a write with the name of another file."""

    def save(self, name: str | None, content: object, max_length: int | None = None) -> str:
        return "of-a-visitor.jpg"


def test_a_file_that_the_diagnosis_did_not_write_is_left_alone(settings: Any):
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": f"{__name__}.ElsewhereStorage"}}
    theirs = InMemoryStorage.save(storages["default"], "of-a-visitor.jpg", ContentFile(b"theirs"))
    *_, last = diagnose.upload()
    assert (last.name, last.ok, last.detail) == (
        "clean-up",
        False,
        "of-a-visitor.jpg is left alone: it is not what was written",
    )
    assert storages["default"].exists(theirs)
