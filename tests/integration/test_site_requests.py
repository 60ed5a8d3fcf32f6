"""What other clients may send, and what may fail them: an answer that says what to do, and nothing left behind."""

import base64
import json
import socket
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.test import Client

from app.uploads.models import Image, State
from stayput.django.s3 import S3MediaStorage
from tests.integration.test_site_api import bearer, objects, upload, use_storage
from tests.integration.test_site_api import media as media
from tests.integration.test_site_direct import age, sweep
from tests.integration.test_site_served import PHOTO, Site
from tests.integration.test_site_served import on_disk as on_disk
from tests.integration.test_site_storages import s3 as s3


@pytest.mark.django_db
@pytest.mark.parametrize("position", ["2020", "\x00", "soon", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_cursor_that_names_no_time_is_no_page(client: Client, position: str):
    cursor = base64.b64encode(urlencode({"p": position}).encode()).decode()
    answer = client.get("/api/images/", {"cursor": cursor})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Invalid cursor"})


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body", ["[" * 100_000, json.dumps({"content_type": "\ud800"}), '{"content_type": {"\\udfff": 1}}', "[1]", "NaN"]
)
def test_json_that_is_no_request_is_refused(client: Client, body: str):
    answer = client.post("/api/uploads/", body, content_type="application/json", headers=bearer(client))
    assert answer.status_code == 400


# Expect: 100-continue, as curl asks with every file of more than 1 MB


def asked(site: Site, *, length: int, headers: dict[str, str], body: bytes = b"") -> list[str]:
    """The status lines of what is answered to a client who waits to be told to go on."""
    lines = {
        "Host": "127.0.0.1",
        "Content-Length": str(length),
        "Expect": "100-continue",
        "Connection": "close",
    } | headers
    head = "POST /api/images/ HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as sender:
        sender.sendall(f"{head}\r\n".encode())
        said = sender.recv(2**16)
        if said.startswith(b"HTTP/1.1 100 "):
            sender.sendall(body)
        sender.shutdown(socket.SHUT_WR)
        while more := sender.recv(2**16):
            said += more
    return [line.split(" ")[1] for line in said.decode().splitlines() if line.startswith("HTTP/1.1 ")]


def test_who_asks_first_is_told_to_go_on_once_the_body_is_wanted(on_disk: Site):
    body = b'--b\r\nContent-Disposition: form-data; name="image"; filename="p"\r\n\r\n' + PHOTO + b"\r\n--b--\r\n"
    form = on_disk.bearer() | {"Content-Type": "multipart/form-data; boundary=b"}
    assert asked(on_disk, length=len(body), headers=form, body=body) == ["100", "201"]


def test_who_asks_first_is_not_told_to_send_what_is_refused_unread(on_disk: Site):
    assert asked(on_disk, length=60_000_000, headers=on_disk.bearer()) == ["413"]
    assert asked(on_disk, length=1000, headers={}) == ["401"]


# Forms as other clients write them

FORM = "multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    "parameters",
    ["; charset=idna", "; charset=utf-16", "; x*=klingon''%ff", "; x*=y; charset*=klingon''%ff", ";BOUNDARY=other"],
)
def test_nothing_beside_its_boundary_matters_of_a_forms_content_type(on_disk: Site, parameters: str):
    body = b'--b\r\nContent-Disposition: form-data; name="image"; filename="p"\r\n\r\n' + PHOTO + b"\r\n--b--\r\n"
    headers = on_disk.bearer() | {"Content-Type": f"Multipart/Form-Data; boundary=b{parameters}"}
    assert on_disk.client.post("/api/images/", content=body, headers=headers).status_code == 201
    assert on_disk.client.get("/", headers={"Content-Type": f"text/plain{parameters}"}).status_code == 200


@pytest.mark.parametrize("name", [b"K\xe4se.jpg", "写真.jpg".encode("shift-jis"), "Käse.jpg".encode()])
def test_a_file_may_have_its_name_in_any_encoding(on_disk: Site, name: bytes):
    part = b'--b\r\nContent-Disposition: form-data; name="%s"; filename="' + name + b'"\r\n\r\n%s\r\n'
    body = part % (b"first", bytes(2**18)) + part % (b"image", PHOTO) + b"--b--\r\n"
    headers = on_disk.bearer() | {"Content-Type": FORM}
    assert on_disk.client.post("/api/images/", content=body, headers=headers).status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="cut"\r\n\r\nx',
        b'--b\nContent-Disposition: form-data; name="image"; filename="p"\n\nx\n--b--\n',
    ],
)
def test_a_form_in_which_no_file_can_be_found_is_told_how_it_should_be(client: Client, body: bytes):
    answer = client.post("/api/images/", body, content_type=FORM, headers=bearer(client))
    sentence = "No file came in the form field “image”: send a picture in it, and the form as a whole."
    assert (answer.status_code, answer.json()) == (400, {"image": [sentence]})


@pytest.mark.django_db
def test_what_is_wrong_with_a_form_beside_its_file_is_said(client: Client):
    def said(**form: Any) -> tuple[int, str]:
        answer = client.post("/api/images/", form, headers=bearer(client))
        return answer.status_code, answer.json()["detail"]

    assert said(image="x" * 3_000_000) == (
        400,
        "More than 2.5 MB came outside of a file: send the picture as a file, with a file name.",
    )
    assert said(**{f"file{number}": BytesIO(b"x") for number in range(101)}) == (
        400,
        "The form has too many files: send one.",
    )
    assert said(**dict.fromkeys(map(str, range(1100)), "x")) == (400, "The form has too many fields: send one.")
    answer = client.get("/api/images/", headers={"Host": "elsewhere.example"})
    assert answer.json() == {"detail": "The site is not served under this name: it is not in ALLOWED_HOSTS."}


@pytest.mark.django_db
def test_a_compressed_body_is_refused_as_one(client: Client):
    answer = client.post("/api/images/", b"x", content_type=FORM, headers=bearer(client) | {"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()) == (
        415,
        {"image": ["The body is compressed: send it as it is, without Content-Encoding."]},
    )


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["post", "get", "delete"])
def test_an_address_without_its_slash_is_sent_on_with_the_method_it_came_with(client: Client, method: str):
    answer = getattr(client, method)("/api/images?x=1", headers=bearer(client))
    assert (answer.status_code, answer.headers["location"]) == (308, "/api/images/?x=1")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("get", "x" * 300, 404), ("get", "ü" * 190, 404), ("trace", "x", 405)],
)
def test_of_an_address_where_no_picture_can_be_nothing_is_shown(client: Client, method: str, path: str, status: int):
    assert getattr(client, method)(f"/media/{path}").status_code == status


# What fails


def test_a_database_that_does_not_answer_is_said_with_503(tmp_path: Path):
    site = Site(tmp_path, DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
    assert site.manage("collectstatic", "--noinput").returncode == 0
    with site.start():
        for answer in (site.upload(), site.client.get("/api/images/"), site.client.get("/")):
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert "Traceback" not in site.log


def test_a_write_whose_answer_was_lost_is_known_again(s3: S3MediaStorage):
    retried: list[bool] = []

    def lose_the_answer(**_: Any) -> int | None:
        retried.append(True)
        return 0 if len(retried) == 1 else None  # seconds to wait before it is sent once more

    s3.client.meta.events.register_first("needs-retry.s3.PutObject", lose_the_answer)
    assert s3.save("a.webp", ContentFile(b"mine")) == "a.webp"
    assert len(retried) == 2
    assert [found.key for found in s3.bucket.objects.all()] == ["media/a.webp"]


def test_an_s3_that_calls_every_name_taken_is_not_asked_for_ever(s3: S3MediaStorage):
    s3.save("a.webp", ContentFile(b"first"))
    s3.get_alternative_name = lambda *_: "a.webp"  # as if each were taken
    with pytest.raises(FileExistsError, match="5 names are taken"):
        s3.save("a.webp", ContentFile(b"second"))


class AnswersTooLate(FileSystemStorage):
    """A storage that takes the second object, and says so only when nobody listens any more."""

    def _save(self, name: str, content: Any) -> str:
        if name.endswith(".png"):
            raise TimeoutError("no answer in time")
        return super()._save(name, content)

    def is_unanswered(self, problem: Exception) -> bool:
        return isinstance(problem, TimeoutError)


@pytest.mark.django_db
def test_a_write_that_is_done_after_its_time_out_is_found_by_the_sweep(client: Client, settings: Any, media: Path):
    use_storage(settings, f"{__name__}.{AnswersTooLate.__name__}", media)
    assert upload(client).status_code == 503
    left = Image.objects.get()
    assert (left.state, objects(media)) == (State.FAILED, [])
    (media / str(left.thumbnail)).write_bytes(b"late")
    age(left, minutes=20)
    assert (sweep(), objects(media), Image.objects.count()) == ("1 removed", [], 0)
