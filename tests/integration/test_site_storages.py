"""The two storages that are ours in part: S3 against a moto server, ImageKit against a stand-in for its HTTP."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import boto3
import flask
import pytest
from botocore.exceptions import ClientError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from imagekitio import APITimeoutError, AuthenticationError, ImageKitError, InternalServerError, RateLimitError
from moto.server import ThreadedMotoServer
from werkzeug.serving import make_server

from app.uploads import store
from app.uploads.models import Image
from stayput.django import storages
from stayput.django.health import reason
from stayput.django.imagekit import ImageKitStorage, NotStored, stored_id
from stayput.django.s3 import S3MediaStorage
from stayput.django.variables import Values
from tests.integration.test_site_api import bearer, upload


@pytest.fixture
def s3() -> Iterator[S3MediaStorage]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    values = Values(
        secret_key="x",
        stayput_key="x",
        use_s3=True,
        aws_access_key_id="id",
        aws_secret_access_key="secret",
        aws_storage_bucket_name="storage-tests",
        aws_s3_region_name="us-east-1",
        aws_s3_endpoint_url=f"http://{host}:{port}",
    )
    keys = {"aws_access_key_id": "id", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    bucket = boto3.resource("s3", endpoint_url=values.aws_s3_endpoint_url, **keys).Bucket("storage-tests")
    bucket.create()
    yield S3MediaStorage(**storages.s3(values)["OPTIONS"])
    bucket.objects.delete()
    bucket.delete()
    server.stop()


def test_s3_never_overwrites_a_name_that_is_taken(s3: S3MediaStorage):
    first = s3.save("a.webp", ContentFile(b"first"))
    second = s3.save("a.webp", ContentFile(b"second"))
    assert first == "a.webp"
    assert second.startswith("a_")
    assert second.endswith(".webp")
    assert (s3.open(first).read(), s3.open(second).read()) == (b"first", b"second")


def test_s3_objects_lie_under_media_with_their_type(s3: S3MediaStorage):
    file = ContentFile(b"x")
    file.content_type = "image/webp"
    name = s3.save("2026/a.webp", file)
    found = s3.bucket.Object(f"media/{name}").get()
    assert (found["ContentType"], found["CacheControl"]) == ("image/webp", "public, max-age=31536000, immutable")
    assert found["ContentDisposition"] == "inline"
    s3.delete(name)
    assert not s3.exists(name)


def test_s3_is_well_when_it_answers_and_not_when_the_bucket_is_gone(s3: S3MediaStorage):
    s3.probe()
    s3.bucket_name = "another-bucket"
    with pytest.raises(ClientError) as gone:
        s3.probe()
    assert reason(gone.value) == "NoSuchBucket"


class Library:
    """What ImageKit's HTTP interface does, as far as a storage needs it.

    status: what it answers, when not 200. slow: seconds before that. answer: what an upload is answered with.
    asked: how many requests came.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.status, self.slow, self.answer, self.asked = 200, 0.0, self.said, 0
        app = flask.Flask("imagekit")
        app.post("/api/v1/files/upload")(self.upload)
        app.get("/v1/files")(self.list)
        app.delete("/v1/files/<path:file_id>")(self.delete)
        app.get("/shown/<path:path>")(self.show)
        app.before_request(self.refuse)
        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.port}"

    def refuse(self) -> Any:
        self.asked += 1
        time.sleep(self.slow)
        return None if self.status == 200 else ("<html>Bad gateway</html>", self.status, {"Retry-After": "2"})

    def upload(self) -> Any:
        form = flask.request.form
        assert (form["useUniqueFileName"], form["overwriteFile"]) == ("false", "false")
        path = f"{form['folder']}/{form['fileName']}"
        self.files[path] = flask.request.files["file"].read()
        return self.answer(path)

    def said(self, path: str) -> Any:
        return {"fileId": path.replace("/", "-"), "filePath": path, "url": f"{self.url}/shown{path}"}

    def list(self) -> Any:
        folder, query = flask.request.args.get("path", ""), flask.request.args.get("searchQuery", "")
        return [
            {"type": "file", "fileId": path.replace("/", "-"), "filePath": path, "size": len(content)}
            for path, content in self.files.items()
            if path.startswith(folder) and (not query or query == f'name="{path.rpartition("/")[2]}"')
        ]

    def delete(self, file_id: str) -> Any:
        self.files = {path: content for path, content in self.files.items() if path.replace("/", "-") != file_id}
        return "", 204

    def show(self, path: str) -> Any:
        return self.files.get(f"/{path}") or ("", 404)


@pytest.fixture
def library() -> Iterator[Library]:
    library = Library()
    thread = threading.Thread(target=library.server.serve_forever)
    thread.start()
    yield library
    library.server.shutdown()
    thread.join()


@pytest.fixture
def imagekit(library: Library, monkeypatch: pytest.MonkeyPatch) -> ImageKitStorage:
    monkeypatch.setenv("IMAGE_KIT_BASE_URL", library.url)
    return ImageKitStorage(
        private_key="private", url_endpoint=f"{library.url}/shown", folder="media", timeout=5, retries=0
    )


def test_imagekit_keeps_shows_and_removes_a_picture(imagekit: ImageKitStorage, library: Library):
    name = imagekit.save("2026/a.webp", ContentFile(b"a picture"))
    assert library.files == {"/media/2026/a.webp": b"a picture"}
    assert imagekit.url(name) == f"{library.url}/shown/media/2026/a.webp"
    assert (imagekit.open(name).read(), imagekit.size(name), imagekit.exists(name)) == (b"a picture", 9, True)
    imagekit.delete(name)
    assert (library.files, imagekit.exists(name)) == ({}, False)
    imagekit.delete(name)
    with pytest.raises(FileNotFoundError):
        imagekit.open(name)


def test_imagekit_takes_another_name_for_one_that_is_taken(imagekit: ImageKitStorage, library: Library):
    assert imagekit.save("a.webp", ContentFile(b"1")) != imagekit.save("a.webp", ContentFile(b"2"))
    assert len(library.files) == 2


def test_imagekit_is_well_when_it_answers_and_not_when_its_gateway_does(imagekit: ImageKitStorage, library: Library):
    imagekit.probe()
    library.status = 502
    with pytest.raises(ImageKitError):
        imagekit.probe()
    with pytest.raises(ImageKitError):
        imagekit.save("b.webp", ContentFile(b"x"))


FILE = {"fileId": "f-1", "name": "a.webp", "filePath": "/media/a.webp", "size": 9, "fileType": "image"}
RAW = SimpleNamespace(raw=FILE, http_status_code=200)


@pytest.mark.parametrize(
    "answer",
    [
        FILE,
        {"response": FILE, "error": None},
        {"file_id": "f-1"},
        SimpleNamespace(fileId="f-1"),
        SimpleNamespace(file_id="f-1"),
        SimpleNamespace(file_id=None, response_metadata=RAW),
    ],
    ids=["2.2", "2.x, wrapped", "a dict of our words", "the interface's words", "3.x to 5.x", "4.x, raw only"],
)
def test_a_stored_file_is_known_in_what_each_library_answers(answer: Any):
    assert stored_id(answer) == "f-1"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "",
        "<html>",
        {},
        [],
        {"response": None, "error": {"message": "no"}},
        {"error": "no", "fileId": "f-1"},
        SimpleNamespace(),
        SimpleNamespace(file_id=None, response_metadata=SimpleNamespace(raw=None)),
    ],
)
def test_what_names_no_file_is_no_stored_file(answer: Any):
    assert stored_id(answer) is None


@pytest.mark.parametrize(
    "answer",
    [
        FILE,
        {**FILE, "size": None, "AITags": None, "versionInfo": {"id": "v", "name": "Version 1"}},
        {"fileId": "f-1"},
        {**FILE, "height": "600", "unheardOf": [1]},
        {"response": FILE, "error": None},
    ],
    ids=["plain", "nulls", "bare", "wrong types and new fields", "wrapped"],
)
def test_imagekit_may_answer_an_upload_in_any_shape(imagekit: ImageKitStorage, library: Library, answer: Any):
    library.answer = lambda path: answer
    assert imagekit.save("a.webp", ContentFile(b"a picture")) == "a.webp"


@pytest.mark.parametrize("answer", ["<html>All is well</html>", {}, {"error": {"message": "no space"}}])
def test_an_upload_that_names_no_file_has_failed_whatever_its_status(
    imagekit: ImageKitStorage, library: Library, answer: Any
):
    library.answer = lambda path: answer
    with pytest.raises((NotStored, ImageKitError)):
        imagekit.save("a.webp", ContentFile(b"a picture"))


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, AuthenticationError), (429, RateLimitError), (500, InternalServerError), (502, InternalServerError)],
)
def test_imagekit_refusing_is_an_error_at_once(library: Library, at_site: None, status: int, error: Any):
    library.status = status
    with pytest.raises(error):
        default_storage.save("a.webp", ContentFile(b"a picture"))
    assert library.asked == 1, "it was waited out"


def test_imagekit_is_not_waited_for_longer_than_was_said(library: Library, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("IMAGE_KIT_BASE_URL", library.url)
    hasty = ImageKitStorage(private_key="p", url_endpoint=library.url, folder="media", timeout=0.2, retries=0)
    library.slow = 1.0
    with pytest.raises(APITimeoutError):
        hasty.save("a.webp", ContentFile(b"a picture"))


# The site on ImageKit


@pytest.fixture
def at_site(library: Library, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The site's storage is ImageKit, with what is set for it."""
    monkeypatch.setenv("IMAGE_KIT_BASE_URL", library.url)
    values = Values(
        secret_key="x",
        stayput_key="x",
        imagekit_private_key="private",
        imagekit_url_endpoint=f"{library.url}/shown",
    )
    chosen = storages.storages(values, media_root=settings.MEDIA_ROOT)["default"]
    chosen["OPTIONS"]["timeout"] = 0.5
    settings.STORAGES = settings.STORAGES | {"default": chosen}
    yield
    store.breaker.succeeded()


@pytest.mark.django_db
def test_the_site_keeps_shows_and_removes_a_picture_in_imagekit(client: Client, library: Library, at_site: None):
    body = upload(client).json()
    assert sorted(library.files) == [f"/media/{body['id']}-thumbnail.png", f"/media/{body['id']}.webp"]
    assert body["url"] == f"{library.url}/shown/media/{body['id']}.webp"
    assert client.delete(f"/api/images/{body['id']}/", headers=bearer(client)).status_code == 204
    assert library.files == {}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 401},
        {"status": 429},
        {"status": 500},
        {"status": 502},
        {"slow": 1.0},
        {"answer": lambda path: "<html>All is well</html>"},
        {"answer": lambda path: {}},
        {"answer": lambda path: {"error": {"message": "no space"}}},
        {"answer": lambda path: {"response": None, "error": {"message": "no space"}}},
    ],
    ids=["401", "429", "500", "502 in HTML", "slow", "200 in HTML", "200, empty", "200, an error", "200, error of 2.x"],
)
def test_an_upload_that_imagekit_does_not_take_is_told_and_leaves_nothing(
    client: Client, library: Library, at_site: None, trouble: dict[str, Any]
):
    well = {name: getattr(library, name) for name in trouble}
    vars(library).update(trouble)
    answer = upload(client)
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    vars(library).update(well)
    store.breaker.succeeded()
    Image.objects.update(changed=timezone.now() - timedelta(minutes=30))  # where it could not even clean up
    call_command("sweep", stdout=StringIO())
    assert (library.files, Image.objects.count()) == ({}, 0)
