"""A worker that is killed (SIGKILL) before any one of the writes of its work: the next sweep finishes or cleans up.

Every place is tried: the work is done again and again, each time killed a write later, until it is done.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from stayput.django import tokens
from tests.integration.strict_s3 import REGION, StrictS3
from tests.integration.test_site_served import KEY, Site, with_s3
from tests.unit.site import pictures

pytestmark = pytest.mark.needs("strict-s3")
PHOTO = pictures.with_camera_data(pictures.photo((800, 600)))
MOST = 30  # writes, far more than any work here has


class Mortal:
    """The site with its bucket, whose workers die when told to."""

    def __init__(self, folder: Path, s3: StrictS3):
        self.bucket, self.s3 = s3.make_bucket(f"killed-{uuid4().hex[:12]}"), s3.client
        self.site = Site(
            folder,
            **with_s3(s3.endpoint)
            | {
                "AWS_ACCESS_KEY_ID": s3.access_key_id,
                "AWS_SECRET_ACCESS_KEY": s3.secret_access_key,
                "AWS_STORAGE_BUCKET_NAME": self.bucket,
                "AWS_S3_REGION_NAME": REGION,
            },
        )
        self.dies = folder / "dies"
        shutil.copy(Path(__file__).with_name("mortal.py"), folder / "mortal.py")
        with (folder / "app/config/gunicorn.py").open("a") as configuration:
            configuration.write("\n\ndef post_worker_init(worker):\n    import mortal\n\n    mortal.arm()\n")

    def post(self, path: str, **content: Any) -> httpx.Response:
        return self.ask("POST", path, **content)

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **content: Any) -> httpx.Response:
        """Over a connection of its own: a killed worker's is of no use to the next."""
        bearer = {"Authorization": f"Bearer {tokens.sign(KEY, purpose='upload')}"}
        url = self.site.url + path
        return httpx.request(method, url, headers=bearer | (headers or {}), timeout=60, **content)

    def killed_before_each_write(self, work: Callable[[], httpx.Response]) -> int:
        """Do `work`, killed before its first write, its second, and so on, until it is done. Returns how many."""
        for writes in range(MOST):
            self.dies.write_text(str(writes))
            try:
                answer = work()
            except httpx.TransportError:
                assert not self.dies.exists(), "it was not the kill that broke the connection"
                continue
            assert answer.is_success, answer.text
            self.dies.unlink()
            return writes
        raise AssertionError("there is no end to the writes")

    def a_while_later(self) -> None:
        """So much later that nobody can be at work on anything, and no form is good any more."""
        with closing(sqlite3.connect(self.site.folder / "db.sqlite3")) as rows, rows:
            ago = "strftime('%Y-%m-%d %H:%M:%f', 'now', '-30 minutes') || '001'"  # as Django writes a time
            rows.execute(f"UPDATE uploads_image SET changed = {ago}, created = {ago}")

    def sweep(self) -> str:
        self.a_while_later()
        done = self.site.manage("sweep")
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1]

    def send_directly(self) -> str:
        opened = self.post("/api/uploads/", json={"content_type": "image/jpeg"}).json()
        form = opened["form"]
        sent = httpx.post(form["url"], data=form["fields"], files={"file": ("photo.jpg", PHOTO)})
        assert sent.status_code == 204, sent.text
        return opened["id"]

    def state(self, identity: str) -> str | None:
        answer = self.ask("GET", f"/api/images/{identity}/")
        return answer.json()["state"] if answer.status_code == 200 else None

    @property
    def rows(self) -> dict[str, str]:
        """State by id."""
        with closing(sqlite3.connect(self.site.folder / "db.sqlite3")) as rows:
            return dict(rows.execute("SELECT id, state FROM uploads_image").fetchall())

    @property
    def objects(self) -> set[str]:
        return {found["Key"] for found in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])}

    def assert_whole(self) -> None:
        """Every row is ready, and there are its two objects and no others."""
        states = self.rows
        assert set(states.values()) <= {"ready"}, states
        names = [f"media/{UUID(identity)}" for identity in states]
        assert self.objects == {f"{name}{end}" for name in names for end in (".webp", "-thumbnail.png")}


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory, strict_s3: StrictS3) -> Iterator[Mortal]:
    mortal = Mortal(tmp_path_factory.mktemp("killed"), strict_s3)
    with mortal.site.served():
        yield mortal


def test_an_upload_is_whole_or_gone_and_can_be_sent_again(mortal: Mortal):
    keys: list[str] = []

    def work() -> httpx.Response:
        keys.append(uuid4().hex)
        return upload(mortal, keys[-1])

    assert mortal.killed_before_each_write(work) >= 4
    mortal.sweep()
    mortal.assert_whole()
    answers = [upload(mortal, key) for key in keys]
    assert [answer.status_code for answer in answers] == [201] * len(keys)
    mortal.assert_whole()
    assert len(mortal.rows) == len(keys)


def upload(mortal: Mortal, key: str) -> httpx.Response:
    files = {"image": ("photo.jpg", PHOTO, "image/jpeg")}
    return mortal.post("/api/images/", files=files, headers={"Idempotency-Key": key})


def test_a_photo_in_the_bucket_always_becomes_its_picture(mortal: Mortal):
    sent: list[str] = []

    def work() -> httpx.Response:
        sent.append(mortal.send_directly())
        return mortal.post(f"/api/uploads/{sent[-1]}/finish/")

    mortal.killed_before_each_write(work)
    mortal.sweep()
    assert [mortal.state(identity) for identity in sent] == ["ready"] * len(sent)
    mortal.assert_whole()


def test_a_picture_that_was_being_deleted_is_whole_or_gone(mortal: Mortal):
    taken: list[str] = []

    def work() -> httpx.Response:
        taken.append(upload(mortal, uuid4().hex).json()["id"])
        return mortal.ask("DELETE", f"/api/images/{taken[-1]}/")

    mortal.killed_before_each_write(work)
    mortal.sweep()
    mortal.assert_whole()
