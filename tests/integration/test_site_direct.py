"""Photos that go straight to the bucket: the bucket is a strict S3, which checks every form it is sent."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from app.uploads import store
from app.uploads.models import Image, Sender, State
from stayput.django import storages
from stayput.django.variables import Values
from tests.integration.strict_s3 import REGION, StrictS3
from tests.integration.test_site_api import PHOTO, bearer, upload
from tests.unit.site import pictures

pytestmark = [pytest.mark.django_db, pytest.mark.needs("strict-s3")]
SENTENCE = "This is a PDF, not a photo."


@pytest.fixture(autouse=True)
def bucket(settings: Any, strict_s3: StrictS3) -> Iterator["Bucket"]:
    name = strict_s3.make_bucket(f"direct-{uuid4().hex[:12]}")
    values = Values(
        secret_key="x",
        stayput_key="x",
        use_s3=True,
        aws_access_key_id=strict_s3.access_key_id,
        aws_secret_access_key=strict_s3.secret_access_key,
        aws_storage_bucket_name=name,
        aws_s3_region_name=REGION,
        aws_s3_endpoint_url=strict_s3.endpoint,
    )
    s3 = storages.storages(values, media_root=settings.MEDIA_ROOT)["default"]
    settings.STORAGES = settings.STORAGES | {"default": s3}
    yield Bucket(strict_s3.client, name)
    store.breaker.succeeded()


class Bucket:
    def __init__(self, client: Any, name: str):
        self.client, self.name = client, name

    @property
    def keys(self) -> list[str]:
        return [found["Key"] for found in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]

    def disposition(self, key: str) -> str | None:
        return self.client.head_object(Bucket=self.name, Key=key).get("ContentDisposition")


def begin(client: Client, content_type: str = "image/jpeg", **kinds: Any) -> dict[str, Any]:
    answer = client.post("/api/uploads/", {"content_type": content_type}, headers=bearer(client, **kinds))
    assert answer.status_code == 201, answer.content
    return answer.json()


def send(opened: dict[str, Any], data: bytes = PHOTO, **changed: str) -> httpx.Response:
    form = opened["form"]
    return httpx.post(form["url"], data=form["fields"] | changed, files={"file": ("photo.jpg", data)})


def finish(client: Client, opened: dict[str, Any], **kinds: Any) -> Any:
    return client.post(f"/api/uploads/{opened['id']}/finish/", headers=bearer(client, **kinds))


def error_of(answer: httpx.Response) -> str:
    return answer.text.partition("<Code>")[2].partition("</Code>")[0]


def test_a_photo_goes_to_the_bucket_and_comes_out_as_two_pictures(client: Client, bucket: Bucket):
    opened = begin(client)
    assert (opened["state"], opened["seconds"]) == ("received", 600)
    assert opened["finish"] == f"http://testserver/api/uploads/{opened['id']}/finish/"
    assert send(opened).status_code == 204
    assert bucket.keys == [f"incoming/{opened['id']}"]
    assert bucket.disposition(f"incoming/{opened['id']}") == "attachment"
    answer = finish(client, opened)
    assert (answer.status_code, answer.json()["state"], answer.json()["width"]) == (200, "ready", 600)
    assert bucket.keys == [f"media/{opened['id']}-thumbnail.png", f"media/{opened['id']}.webp"]
    assert [bucket.disposition(key) for key in bucket.keys] == ["inline", "inline"]
    assert client.get("/api/images/").json()["results"] == [answer.json()]


def test_a_picture_is_received_until_it_is_finished(client: Client):
    opened = begin(client)
    body = client.get(f"/api/images/{opened['id']}/").json()
    assert (body["state"], body["url"], body["thumbnail_url"], body["bytes"]) == ("received", None, None, None)
    assert client.get("/api/images/").json()["results"] == []


def test_finishing_twice_answers_the_same_twice(client: Client, bucket: Bucket):
    opened = begin(client)
    send(opened)
    first, second = finish(client, opened), finish(client, opened)
    assert (second.status_code, second.json()) == (200, first.json())
    assert len(bucket.keys) == 2


def test_another_ones_upload_is_not_found(client: Client, django_user_model: Any):
    opened = begin(client)
    send(opened)
    assert finish(client, opened, purpose="smoke-test").status_code == 404
    client.force_login(django_user_model.objects.create_user("eve"))
    assert client.post(f"/api/uploads/{opened['id']}/finish/").status_code == 404
    assert finish(client, opened).status_code == 200


def test_without_rights_there_is_no_form(client: Client):
    assert client.post("/api/uploads/", {"content_type": "image/jpeg"}).status_code == 401
    assert client.post(f"/api/uploads/{uuid4()}/finish/").status_code == 401


def test_finishing_without_sending_says_so_and_can_be_done_later(client: Client):
    opened = begin(client)
    answer = finish(client, opened)
    assert (answer.status_code, answer.json()["detail"][:24]) == (409, "Nothing was sent yet. Po")
    send(opened)
    assert finish(client, opened).status_code == 200


def test_sending_twice_before_finishing_takes_the_last(client: Client):
    opened = begin(client)
    send(opened, b"%PDF-1.7")
    send(opened, PHOTO)
    assert finish(client, opened).status_code == 200


def test_what_is_sent_after_finishing_changes_nothing_and_is_swept_away(client: Client, bucket: Bucket):
    opened = begin(client)
    send(opened)
    ready = finish(client, opened).json()
    send(opened, b"something else")
    assert finish(client, opened).json() == ready
    age(opened, minutes=30)
    sweep()
    assert bucket.keys == [f"media/{opened['id']}-thumbnail.png", f"media/{opened['id']}.webp"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Content-Type": "text/html"}, "AccessDenied"),
        ({"key": "media/evil.webp"}, "AccessDenied"),
        ({"Content-Disposition": "inline; filename=evil.html"}, "AccessDenied"),
        ({"x-amz-signature": "0" * 64}, "SignatureDoesNotMatch"),
    ],
    ids=["another type", "another key", "a name of its own", "a forged signature"],
)
def test_the_form_opens_one_key_for_one_type(client: Client, bucket: Bucket, changed: dict[str, str], code: str):
    assert error_of(send(begin(client), **changed)) == code
    assert bucket.keys == []


@pytest.mark.parametrize(("size", "code"), [(0, "EntityTooSmall"), (2001, "EntityTooLarge")])
def test_the_form_takes_no_more_than_is_taken(client: Client, bucket: Bucket, settings: Any, size: int, code: str):
    settings.UPLOAD_LIMITS = type(settings.UPLOAD_LIMITS)(upload_bytes=2000)
    opened = begin(client)
    assert error_of(send(opened, bytes(size))) == code
    assert send(opened, bytes(2000)).status_code == 204


def test_a_form_dies_after_ten_minutes(client: Client):
    from base64 import b64decode
    from datetime import datetime

    policy = json.loads(b64decode(begin(client)["form"]["fields"]["policy"]))
    left = datetime.fromisoformat(policy["expiration"]) - timezone.now()
    assert timedelta(seconds=590) < left <= timedelta(seconds=600)


def test_what_is_no_picture_is_refused_for_good(client: Client, bucket: Bucket):
    opened = begin(client)
    send(opened, b"%PDF-1.7")
    for _ in range(2):
        answer = finish(client, opened)
        assert (answer.status_code, answer.json()) == (400, {"image": [SENTENCE]})
    body = client.get(f"/api/images/{opened['id']}/").json()
    assert (body["state"], body["url"], body["notes"]) == ("refused", None, [SENTENCE])
    assert bucket.keys == []


def test_more_than_is_taken_is_not_even_read(client: Client, bucket: Bucket, settings: Any):
    opened = begin(client)
    bucket.client.put_object(Bucket=bucket.name, Key=f"incoming/{opened['id']}", Body=bytes(26 * 2**20))
    answer = finish(client, opened)
    assert (answer.status_code, answer.json()) == (400, {"image": ["The file has 26 MB; at most 25 MB are taken."]})
    assert bucket.keys == []


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "image/jpeg; charset=x", "", "IMAGE/JPEG"])
def test_only_types_of_pictures_get_a_form(client: Client, content_type: str):
    answer = client.post("/api/uploads/", {"content_type": content_type}, headers=bearer(client))
    assert (answer.status_code, list(answer.json())) == (400, ["content_type"])


def test_where_there_is_no_bucket_photos_go_to_the_site(client: Client, settings: Any, tmp_path: Any):
    disk = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"default": disk}
    answer = client.post("/api/uploads/", {"content_type": "image/png"}, headers=bearer(client))
    assert (answer.status_code, answer.json()) == (
        409,
        {"detail": "Photos are not kept in S3 here. Send them to /api/images/."},
    )


def test_deleting_a_picture_that_is_on_its_way_leaves_nothing(client: Client, bucket: Bucket):
    opened = begin(client)
    send(opened)
    assert client.delete(f"/api/images/{opened['id']}/", headers=bearer(client)).status_code == 204
    assert (bucket.keys, Image.objects.count()) == ([], 0)
    assert finish(client, opened).status_code == 404


def test_an_ordinary_upload_goes_the_same_way(client: Client, bucket: Bucket):
    body = upload(client).json()
    assert bucket.keys == [f"media/{body['id']}-thumbnail.png", f"media/{body['id']}.webp"]
    found = bucket.client.head_object(Bucket=bucket.name, Key=bucket.keys[1])
    assert (found["ContentType"], found["CacheControl"]) == ("image/webp", "public, max-age=31536000, immutable")


# The sweep


def age(opened: dict[str, Any] | Image, *, minutes: float, **fields: Any) -> None:
    then = timezone.now() - timedelta(minutes=minutes)
    identity = opened.pk if isinstance(opened, Image) else UUID(str(opened["id"]))
    Image.objects.filter(pk=identity).update(changed=then, created=then, **fields)


def sweep() -> str:
    from io import StringIO

    said = StringIO()
    call_command("sweep", stdout=said)
    return said.getvalue().strip()


def test_the_sweep_finishes_what_a_killed_worker_had_begun(client: Client, bucket: Bucket):
    opened = begin(client)
    send(opened)
    half = {"main": f"{opened['id']}.webp", "thumbnail": f"{opened['id']}-thumbnail.png"}
    bucket.client.put_object(Bucket=bucket.name, Key=f"media/{half['main']}", Body=b"half of it")
    age(opened, minutes=20, state=State.PROCESSING, **half)
    assert finish(client, opened).status_code == 409, "somebody may be at it"
    assert sweep() == "1 finished"
    assert bucket.keys == [f"media/{half['thumbnail']}", f"media/{half['main']}"]
    body = client.get(f"/api/images/{opened['id']}/").json()
    assert body["state"] == "ready"
    assert len(default_storage.open(half["main"]).read()) == body["bytes"]


def test_the_sweep_finishes_what_was_sent_and_never_finished(client: Client, bucket: Bucket):
    opened = begin(client)
    send(opened)
    age(opened, minutes=20)
    assert sweep() == "1 finished"
    assert len(bucket.keys) == 2


@pytest.mark.parametrize(
    ("minutes", "said", "rows"), [(5, "nothing to do", 1), (16, "1 kept", 1), (30, "1 removed", 0)]
)
def test_the_sweep_removes_what_never_came(client: Client, minutes: float, said: str, rows: int):
    age(begin(client), minutes=minutes)
    assert (sweep(), Image.objects.count()) == (said, rows)


def test_the_sweep_removes_what_half_an_ordinary_upload_left(client: Client, bucket: Bucket):
    body = upload(client).json()
    age(body, minutes=20, state=State.PROCESSING)
    failed = upload(client).json()
    age(failed, minutes=20, state=State.FAILED)
    assert sweep() == "2 removed"
    assert (bucket.keys, Image.objects.count()) == ([], 0)


def test_the_sweep_leaves_alone_what_is_at_work_or_ready(client: Client, bucket: Bucket):
    ready, working = upload(client).json(), upload(client).json()
    age(working, minutes=5, state=State.PROCESSING)
    age(ready, minutes=3000)
    assert (sweep(), len(bucket.keys), Image.objects.count()) == ("nothing to do", 4, 2)


def test_the_sweep_refuses_what_is_no_picture_and_forgets_it_a_day_later(client: Client, bucket: Bucket):
    opened = begin(client)
    send(opened, pictures.png_that_claims(13_000, 13_000))
    age(opened, minutes=20)
    assert (sweep(), bucket.keys) == ("1 refused", [])
    age(opened, minutes=60)
    assert sweep() == "1 kept"
    age(opened, minutes=25 * 60)
    assert (sweep(), Image.objects.count()) == ("1 removed", 0)


def test_the_sweep_forgets_senders_after_an_hour(client: Client, bucket: Bucket):
    begin(client)
    begin(client, purpose="smoke-test")
    assert Sender.objects.count() == 2
    Sender.objects.filter(pk=Sender.objects.all()[0].pk).update(began=time.time() - 4000)
    sweep()
    assert Sender.objects.count() == 1
