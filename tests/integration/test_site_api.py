"""The site's HTTP interface, through Django's test client and a real storage on disk."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from app.config.logs import OneLine
from app.uploads import intake, slots, store
from app.uploads.auth import UploadThrottle
from app.uploads.models import Image, State
from stayput.django import tokens
from tests.unit.site import pictures

PHOTO = pictures.with_camera_data(pictures.photo(), orientation=6)

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at:UserWarning")]


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """The folder that holds the pictures of this test."""
    use_storage(settings, "django.core.files.storage.FileSystemStorage", tmp_path)
    yield tmp_path
    store.breaker.succeeded()


def use_storage(settings: Any, backend: str, folder: Path) -> None:
    default = {"BACKEND": backend, "OPTIONS": {"location": str(folder), "base_url": "/media/"}}
    settings.MEDIA_ROOT = folder
    settings.STORAGES = settings.STORAGES | {"default": default}


class FailsAtTheThumbnail(FileSystemStorage):
    """A storage that takes the first object and not the second."""

    def _save(self, name: str, content: Any) -> str:
        if name.endswith(".png"):
            raise ConnectionError("the storage went away")
        return super()._save(name, content)


class TakesAndKeeps(FailsAtTheThumbnail):
    """It went away for good: what was written cannot be removed either."""

    def delete(self, name: str) -> None:
        raise ConnectionError("the storage is away")


def token(purpose: Any = "upload", *, age: float = 0) -> str:
    import time

    return tokens.sign("stayput-for-tests", purpose=purpose, issued_at=time.time() - age)


def bearer(client: Client, **kinds: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(**kinds)}"}


def upload(client: Client, data: bytes = PHOTO, *, name: str = "photo.jpg", headers: dict[str, str] | None = None):
    file = SimpleUploadedFile(name, data, "image/jpeg")
    return client.post("/api/images/", {"image": file}, headers=bearer(client) if headers is None else headers)


def objects(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_an_upload_answers_with_the_picture_and_its_addresses(client: Client, media: Path):
    answer = upload(client)
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"id", "state", "url", "thumbnail_url", "width", "height", "bytes", "thumbnail_bytes", "notes"}
    assert (body["state"], body["width"], body["height"]) == ("ready", 600, 800)
    assert body["url"] == f"http://testserver/media/{body['id']}.webp"
    assert body["thumbnail_url"] == f"http://testserver/media/{body['id']}-thumbnail.png"
    assert objects(media) == [f"{body['id']}-thumbnail.png", f"{body['id']}.webp"]
    assert (media / f"{body['id']}.webp").stat().st_size == body["bytes"] <= 204_800
    assert (media / f"{body['id']}-thumbnail.png").stat().st_size == body["thumbnail_bytes"] <= 10_240


def test_local_pictures_are_served_by_the_site_itself_with_their_type(client: Client):
    body = upload(client).json()
    for address, kind in ((body["url"], "image/webp"), (body["thumbnail_url"], "image/png")):
        answer = client.get(address)
        assert (answer.status_code, answer["Content-Type"]) == (200, kind)
        assert len(b"".join(answer.streaming_content)) in (body["bytes"], body["thumbnail_bytes"])
    assert client.get("/media/../manage.py").status_code == 400


class ReadOnce(SimpleUploadedFile):
    """A file whose handle is spent after one reading, as a stream's is."""

    spent = False

    def read(self, *args: Any) -> bytes:
        assert not self.spent, "the upload was read twice"
        self.spent = True
        return super().read(*args)


def test_an_upload_is_read_once(media: Path):
    image = intake.take(ReadOnce("photo.jpg", PHOTO))
    assert len(objects(media)) == 2
    assert image.state == State.READY


def test_reading_is_public(client: Client):
    first, second = upload(client).json(), upload(client).json()
    assert client.get("/api/images/").json() == {"next": None, "previous": None, "results": [second, first]}
    assert client.get(f"/api/images/{first['id']}/").json() == first
    assert client.get("/api/images/00000000-0000-4000-8000-000000000000/").status_code == 404


@pytest.mark.parametrize("purpose", ["smoke-test", "keepsake"])
def test_pictures_of_the_deployer_are_found_by_their_id_alone(client: Client, purpose: str):
    body = upload(client, headers=bearer(client, purpose=purpose)).json()
    assert client.get("/api/images/").json()["results"] == []
    assert str(body["id"]) not in client.get("/").content.decode()
    assert client.get(f"/api/images/{body['id']}/").json() == body


def test_deleting_removes_the_row_and_both_objects(client: Client, media: Path):
    body = upload(client).json()
    answer = client.delete(f"/api/images/{body['id']}/", headers=bearer(client))
    assert (answer.status_code, answer.content) == (204, b"")
    assert (objects(media), Image.objects.count()) == ([], 0)
    assert client.delete(f"/api/images/{body['id']}/", headers=bearer(client)).status_code == 404


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({}, "Authentication credentials were not provided."),
        ({"Authorization": "Bearer forged"}, "The upload token was not signed by this site's STAYPUT_KEY."),
        ({"Authorization": "Bearer"}, "The upload token was not signed by this site's STAYPUT_KEY."),
        ({"Authorization": "Basic dTpw"}, "Authentication credentials were not provided."),
    ],
)
def test_without_rights_nothing_is_written(client: Client, headers: dict[str, str], sentence: str, media: Path):
    kept = upload(client).json()
    for answer in (upload(client, headers=headers), client.delete(f"/api/images/{kept['id']}/", headers=headers)):
        assert (answer.status_code, answer.json()) == (401, {"detail": sentence})
        assert answer["WWW-Authenticate"] == 'Bearer realm="uploads"'
    assert len(objects(media)) == 2


def test_an_expired_token_opens_nothing(client: Client):
    answer = upload(client, headers=bearer(client, age=601))
    assert (answer.status_code, answer.json()) == (
        401,
        {"detail": "The upload token has expired: a token lives ten minutes."},
    )


def test_a_session_may_write_and_needs_the_forms_secret(django_user_model: Any):
    client = Client(enforce_csrf_checks=True)
    client.force_login(django_user_model.objects.create_user("ada"))
    assert upload(client, headers={}).status_code == 403
    client.get("/")
    assert upload(client, headers={"X-CSRFToken": client.cookies["csrftoken"].value}).status_code == 201


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("photo.jpg", b"Dear Sir or Madam", "This is a text file, not a photo."),
        ("photo.jpg", b"", "The file is empty."),
        ("photo.jpg", PHOTO[:5000], "The picture is damaged, or was cut off on its way. Please send it again."),
        (
            "x.png",
            pictures.png_that_claims(13_000, 13_000),
            "The picture is 13,000 x 13,000 pixels; at most 50 million",
        ),
    ],
)
def test_a_bad_picture_is_refused_in_a_sentence(client: Client, name: str, data: bytes, sentence: str, media: Path):
    answer = upload(client, data, name=name)
    assert answer.status_code == 400
    assert list(answer.json()) == ["image"]
    assert answer.json()["image"][0].startswith(sentence)
    assert (objects(media), Image.objects.count()) == ([], 0)


@pytest.mark.parametrize("body", [{}, {"image": "text"}, {"picture": "x"}])
def test_a_form_without_a_file_says_so(client: Client, body: dict[str, str]):
    answer = client.post("/api/images/", body, headers=bearer(client))
    assert answer.status_code == 400
    assert "form field “image”" in answer.json()["image"][0]


def test_what_is_no_form_is_refused(client: Client):
    answer = client.post("/api/images/", PHOTO, content_type="image/jpeg", headers=bearer(client))
    assert answer.status_code == 415
    broken = client.post("/api/images/", b"x", content_type="multipart/form-data; boundary=b", headers=bearer(client))
    assert broken.status_code == 400


def test_a_failure_after_the_first_object_leaves_nothing(client: Client, settings: Any, media: Path):
    use_storage(settings, f"{__name__}.{FailsAtTheThumbnail.__name__}", media)
    answer = upload(client)
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert (objects(media), Image.objects.count()) == ([], 0)


def test_what_cannot_be_removed_is_shown_to_nobody_and_known_by_its_row(client: Client, settings: Any, media: Path):
    use_storage(settings, f"{__name__}.{TakesAndKeeps.__name__}", media)
    assert upload(client).status_code == 503
    left = Image.objects.get()
    assert (left.state, objects(media)) == (State.FAILED, [left.main.name])
    assert client.get("/api/images/").json()["results"] == []
    body = client.get(f"/api/images/{left.id}/").json()
    assert (body["state"], body["url"], body["thumbnail_url"]) == ("failed", None, None)


def test_deleting_while_the_storage_is_away_can_be_tried_again(client: Client, settings: Any, media: Path):
    body = upload(client).json()
    use_storage(settings, f"{__name__}.{TakesAndKeeps.__name__}", media)
    answer = client.delete(f"/api/images/{body['id']}/", headers=bearer(client))
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    use_storage(settings, "django.core.files.storage.FileSystemStorage", media)
    assert client.delete(f"/api/images/{body['id']}/", headers=bearer(client)).status_code == 204
    assert (objects(media), Image.objects.count()) == ([], 0)


def test_too_many_uploads_are_told_when_to_come_back(client: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(UploadThrottle, "THROTTLE_RATES", {"uploads": "2/min"})
    assert [upload(client, b"text").status_code for _ in range(3)] == [400, 400, 429]
    assert 0 < int(upload(client)["Retry-After"]) <= 60
    assert upload(client, headers=bearer(client, purpose="smoke-test")).status_code == 201, "counted for itself"
    assert client.get("/api/images/").status_code == 200


def test_the_page_sends_nothing_straight_where_pictures_are_on_local_disk(client: Client, django_user_model: Any):
    client.force_login(django_user_model.objects.create_user("ada"))
    page = client.get("/").content.decode()
    assert '<form class="upload" method="post" enctype="multipart/form-data">' in page
    assert "<script" not in page


def test_the_page_says_when_an_upload_may_be_tried_again(
    client: Client, django_user_model: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(UploadThrottle, "THROTTLE_RATES", {"uploads": "1/min"})
    client.force_login(django_user_model.objects.create_user("ada"))
    first, second = (client.post("/", {"image": SimpleUploadedFile("photo.jpg", PHOTO)}) for _ in range(2))
    assert (first.status_code, second.status_code, Image.objects.count()) == (302, 429, 1)
    assert 0 < int(second["Retry-After"]) <= 61
    assert f"That was a lot. Please wait {second['Retry-After']} seconds." in second.content.decode()


def test_uploads_wait_for_a_slot_and_are_told_when_none_comes_free(client: Client, settings: Any):
    settings.DECODING_SLOTS, settings.DECODING_PATIENCE = 1, 0.1
    with slots.one(1, patience=5):
        answer = upload(client)
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert upload(client).status_code == 201


def test_a_body_that_says_it_is_too_large_is_refused_unread(client: Client, settings: Any):
    settings.BODY_LIMIT = 1000
    answer = upload(client)
    assert (answer.status_code, list(answer.json())) == (413, ["image"])


def test_the_page_shows_pictures_to_all_and_the_form_to_whoever_is_logged_in(client: Client, django_user_model: Any):
    body = upload(client).json()
    page = client.get("/").content.decode()
    assert f"/media/{body['id']}.webp" in page
    assert 'type="file"' not in page
    assert client.post("/", {"image": SimpleUploadedFile("a.jpg", PHOTO)}).url == "/login/"
    django_user_model.objects.create_user("ada", password="lovelace")
    assert "do not go together" in client.post("/login/", {"username": "ada", "password": "x"}).content.decode()
    assert client.post("/login/", {"username": "ada", "password": "lovelace"}).url == "/"
    assert 'type="file"' in client.get("/").content.decode()
    assert client.post("/", {"image": SimpleUploadedFile("a.jpg", PHOTO)}).url == "/"
    refused = client.post("/", {"image": SimpleUploadedFile("a.jpg", b"%PDF-1.7")})
    assert (refused.status_code, "This is a PDF, not a photo." in refused.content.decode()) == (400, True)
    assert client.post("/").status_code == 400
    assert Image.objects.count() == 2


def test_every_upload_is_one_line_in_the_log_without_any_secret(client: Client, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO):
        sent = token()
        stored = upload(client, headers={"Authorization": f"Bearer {sent}"}).json()
        upload(client, b"%PDF-1.7", name="my diary.pdf")
    lines = [OneLine().format(record) for record in caplog.records]
    events = {line["event"]: line for line in map(json.loads, lines)}
    assert events["image.stored"].items() >= {"id": stored["id"], "received": len(PHOTO), "width": 600}.items()
    assert {"wait_ms", "process_ms", "store_ms"} <= set(events["image.stored"])
    assert events["image.refused"]["reason"] == "This is a PDF, not a photo."
    assert not [line for line in lines if "\n" in line or sent in line or "diary" in line]
