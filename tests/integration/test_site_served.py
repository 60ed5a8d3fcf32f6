"""The site as it is deployed: a copy of its own under gunicorn, with S3 from a moto server or with local disk."""

import contextlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer
from PIL import Image

from stayput.django import tokens
from tests.unit.site import pictures

ROOT = Path(__file__).parents[2]
KEY = "the key of a served site"
BUCKET, REGION = "gallery-media", "eu-central-1"
PHOTO = pictures.with_camera_data(pictures.photo((4000, 3000)), orientation=6)


class Site:
    """A release: the files that an image holds, in a folder of its own, served on a port of its own."""

    def __init__(self, folder: Path, **environ: str):
        self.folder = folder
        for package in ("app", "stayput/django"):
            shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("manage.py", "stayput/__init__.py"):
            shutil.copy(ROOT / file, folder / file)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environ = {"PATH": os.environ["PATH"], "SECRET_KEY": "x", "STAYPUT_KEY": KEY, **environ}
        self.client = httpx.Client(base_url=self.url, timeout=60)

    def manage(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=self.folder, env=self.environ | environ, capture_output=True, text=True)

    @contextlib.contextmanager
    def served(self) -> Iterator["Site"]:
        assert self.manage("collectstatic", "--noinput").returncode == 0
        assert self.manage("migrate").returncode == 0
        with self.start(), self.client:
            yield self

    @contextlib.contextmanager
    def start(self) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "gunicorn", "-c", "app/config/gunicorn.py", "app.config.wsgi"]
        command += ["--bind", f"127.0.0.1:{self.port}"]
        with (self.folder / "log").open("wb") as log:
            server = subprocess.Popen(command, cwd=self.folder, env=self.environ, stdout=log, stderr=log)
        try:
            while server.poll() is None and not self.answers():
                time.sleep(0.05)
            yield server
        finally:
            server.terminate()
            server.wait(30)

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def bearer(self, **kinds: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {tokens.sign(KEY, **{'purpose': 'upload'} | kinds)}"}

    def upload(self, data: bytes = PHOTO, **kinds: Any) -> httpx.Response:
        return self.post(data, headers=self.bearer(**kinds))

    def delete(self, identity: str) -> httpx.Response:
        return self.client.delete(f"/api/images/{identity}/", headers=self.bearer())

    def post(self, data: bytes, headers: dict[str, str]) -> httpx.Response:
        return self.client.post("/api/images/", files={"image": ("photo.jpg", data, "image/jpeg")}, headers=headers)


READ_BY_ANYONE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/media/*"}
    ],
}


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 with the bucket in it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    httpx.post(f"{endpoint}/moto-api/reset").raise_for_status()  # what it holds, it holds for the whole process
    made = bucket(endpoint)
    made.create(CreateBucketConfiguration={"LocationConstraint": REGION})
    made.Policy().put(Policy=json.dumps(READ_BY_ANYONE))
    yield endpoint
    server.stop()


def bucket(endpoint: str) -> Any:
    keys = {"aws_access_key_id": "id", "aws_secret_access_key": "secret", "region_name": REGION}
    return boto3.resource("s3", endpoint_url=endpoint, **keys).Bucket(BUCKET)


def with_s3(endpoint: str) -> dict[str, str]:
    return {
        "USE_S3": "True",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_STORAGE_BUCKET_NAME": BUCKET,
        "AWS_S3_REGION_NAME": REGION,
        "AWS_S3_ENDPOINT_URL": endpoint,
    }


@pytest.fixture(scope="module")
def on_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("on-disk")
    (folder / "stayput-build.json").write_text('{"build": "b-123"}')
    with Site(folder, STAYPUT_RELEASE="r-456").served() as site:
        yield site


@pytest.fixture(scope="module")
def on_s3(tmp_path_factory: pytest.TempPathFactory, s3: str) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("on-s3"), **with_s3(s3)).served() as site:
        yield site


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def test_a_photo_on_local_disk_is_read_back_through_the_site(on_disk: Site):
    answer = on_disk.upload()
    assert answer.status_code == 201, answer.text
    body = answer.json()
    main, thumbnail = (httpx.get(body[name]) for name in ("url", "thumbnail_url"))
    assert (main.headers["content-type"], thumbnail.headers["content-type"]) == ("image/webp", "image/png")
    assert (opened(main.content).size, opened(thumbnail.content).size) == ((600, 800), (38, 50))
    assert (len(main.content), len(thumbnail.content)) == (body["bytes"], body["thumbnail_bytes"])
    assert (on_disk.folder / "media" / f"{body['id']}.webp").read_bytes() == main.content


def test_a_photo_on_s3_becomes_two_objects_under_media(on_s3: Site, s3: str):
    body = on_s3.upload().json()
    assert body["url"] == f"{s3}/{BUCKET}/media/{body['id']}.webp"
    for name, kind, size in (("url", "image/webp", "bytes"), ("thumbnail_url", "image/png", "thumbnail_bytes")):
        found = bucket(s3).Object(body[name].removeprefix(f"{s3}/{BUCKET}/")).get()
        assert (found["ContentType"], found["ContentLength"]) == (kind, body[size])
        assert found["CacheControl"] == "public, max-age=31536000, immutable"
    on_s3.client.delete(f"/api/images/{body['id']}/", headers=bearer())
    assert [o.key for o in bucket(s3).objects.filter(Prefix=f"media/{body['id']}")] == []


def bearer() -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.sign(KEY, purpose='upload')}"}


def test_health_says_what_runs_over_any_host_and_without_redirect(on_disk: Site):
    answer = on_disk.client.get("/healthz", headers={"Host": "10.0.0.7:1"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["build"], body["release"]) == ("ok", "b-123", "r-456")
    assert {name: check["ok"] for name, check in body["checks"].items()} == {
        "settings": True,
        "migrations": True,
        "database": True,
        "storage": True,
    }


def test_the_page_comes_with_its_style(on_disk: Site):
    page = on_disk.client.get("/").text
    style = page.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = on_disk.client.get(style)
    assert (answer.status_code, "immutable" in answer.headers["cache-control"]) == (200, True)


def test_a_body_without_length_is_refused(on_disk: Site):
    answer = on_disk.client.post("/api/images/", content=iter([PHOTO]), headers=bearer())
    assert (answer.status_code, list(answer.json())) == (411, ["image"])


def test_a_60_mb_file_is_refused_before_it_is_read(on_disk: Site):
    answer = on_disk.upload(bytes(60 * 2**20))
    assert answer.status_code == 413
    assert answer.json() == {"image": ["The file has over 60 MB; at most 25 MB are taken."]}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"Dear Sir or Madam", "This is a text file, not a photo."),
        (b"", "The file is empty."),
        (PHOTO[:50_000], "The picture is damaged, or was cut off on its way. Please send it again."),
        (
            pictures.png_that_claims(13_000, 13_000),
            "The picture is 13,000 x 13,000 pixels; at most 50 million are taken.",
        ),
    ],
    ids=["text named .jpg", "empty", "truncated JPEG", "169 megapixels"],
)
def test_bad_files_are_refused_and_leave_nothing(on_s3: Site, s3: str, data: bytes, sentence: str):
    before = [found.key for found in bucket(s3).objects.all()]
    answer = on_s3.upload(data)
    assert (answer.status_code, answer.json()) == (400, {"image": [sentence]})
    assert [found.key for found in bucket(s3).objects.all()] == before


def test_forged_and_expired_tokens_are_refused(on_disk: Site):
    forged = {"Authorization": f"Bearer {tokens.sign('another key', purpose='upload')}"}
    for answer in (on_disk.post(PHOTO, forged), on_disk.upload(issued_at=time.time() - 700)):
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="uploads"')


def test_of_many_uploads_at_once_no_more_are_taken_than_the_throttle_lets_through(on_disk: Site):
    with ThreadPoolExecutor(24) as pool:
        answers = Counter(pool.map(lambda _: on_disk.upload(b"text", purpose="keepsake").status_code, range(160)))
    assert answers == {400: 120, 429: 40}


def test_a_storage_that_is_down_is_said_with_503_and_leaves_nothing(tmp_path: Path, s3: str):
    away = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)  # another door to the bucket of `s3`
    away.start()
    host, port = away.get_host_and_port()
    before = len(list(bucket(s3).objects.all()))
    with Site(tmp_path, **with_s3(f"http://{host}:{port}")).served() as site:
        assert site.upload().status_code == 201
        away.stop()
        answer = site.upload()
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        assert len(site.client.get("/api/images/").json()["results"]) == 1
        assert len(list(bucket(s3).objects.all())) == before + 2
        failed = [line for line in map(json.loads, site.log.splitlines()) if line["event"] == "storage.failed"]
        assert {line["action"] for line in failed} == {"write", "delete"}


def test_health_answers_while_the_storage_never_does(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Site(tmp_path, **with_s3(endpoint)).served() as site:
            answer = site.client.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["storage"] == {"ok": False, "detail": "no answer for 2 s"}


def test_a_release_whose_migrations_are_missing_is_failing(tmp_path: Path):
    site = Site(tmp_path)
    with site.start():
        answer = site.client.get("/healthz")
        assert (answer.status_code, answer.json()["status"]) == (503, "failing")
        assert answer.json()["checks"]["migrations"]["detail"].endswith("run manage.py migrate")
        assert site.manage("migrate").returncode == 0
        while site.client.get("/healthz").status_code == 503:
            time.sleep(0.2)


def test_behind_an_edge_that_ends_tls_plain_http_is_sent_to_https_once(tmp_path: Path):
    host = {"Host": "gallery.example.com"}
    edge = host | {"X-Forwarded-Proto": "https"}
    public = {"CSRF_TRUSTED_ORIGINS": "https://gallery.example.com", "ALLOWED_HOSTS": "gallery.example.com"}
    with Site(tmp_path, **public).served() as site:
        plain = site.client.get("/", headers=host | {"X-Forwarded-Proto": "http"})
        assert (plain.status_code, plain.headers["location"]) == (301, "https://gallery.example.com/")
        page = site.client.get("/login/", headers=edge)
        assert page.status_code == 200
        assert "Secure" in page.headers["set-cookie"]
        assert site.client.get("/healthz", headers={"Host": "10.0.0.7"}).status_code == 200
        assert site.client.get("/", headers=edge | {"Host": "evil.example"}).status_code == 400
        answer = site.post(PHOTO, edge | bearer())
        assert answer.json()["url"].startswith("https://gallery.example.com/media/")


def test_a_wrong_variable_ends_the_start_with_one_line(tmp_path: Path):
    site = Site(tmp_path, USE_S3="True")
    with site.start() as server:
        assert server.wait(30) == 1
    said = [line for line in site.log.splitlines() if "AWS_ACCESS_KEY_ID is missing (get it: " in line]
    assert len(said) == 1
    assert "Traceback" not in site.log
    done = site.manage("migrate")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("manage.py: the site cannot start: AWS_ACCESS_KEY_ID is missing")


def test_the_bare_keys_are_enough_to_collect_static_files(tmp_path: Path):
    site = Site(tmp_path)
    assert site.manage("collectstatic", "--noinput", STAYPUT_KEY="x").returncode == 0
    assert (tmp_path / "staticfiles" / "staticfiles.json").is_file()


def test_a_token_from_the_command_line_uploads(on_disk: Site):
    token = on_disk.manage("upload_token").stdout.strip()
    assert on_disk.post(PHOTO, {"Authorization": f"Bearer {token}"}).status_code == 201
    assert token not in on_disk.log
