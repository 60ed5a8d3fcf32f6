"""The same upload sent again, and a storage that is left alone while it is down."""

from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.test import Client

from app.uploads import store
from app.uploads.models import Image, State
from tests.integration.test_site_api import PHOTO, TakesAndKeeps, bearer, objects, upload, use_storage
from tests.integration.test_site_api import media as media
from tests.integration.test_site_direct import age
from tests.unit.site import pictures

pytestmark = pytest.mark.django_db
KEY = "0a7e3a0e-3bb5-4a35-9c3e-0f3c4d9d1a55"
OTHER = pictures.with_camera_data(pictures.photo((900, 600)))


def send(client: Client, data: bytes = PHOTO, key: str = KEY, **kinds: Any) -> Any:
    return upload(client, data, headers=bearer(client, **kinds) | {"Idempotency-Key": key})


def test_an_upload_repeated_under_its_key_makes_one_picture(client: Client, media: Any):
    first, second = send(client), send(client)
    assert (second.status_code, second.json()) == (201, first.json())
    assert (len(objects(media)), Image.objects.count()) == (2, 1)


def test_each_key_and_each_sender_makes_a_picture_of_its_own(client: Client):
    answers = [send(client), send(client, key="another"), send(client, purpose="smoke-test"), upload(client)]
    assert len({answer.json()["id"] for answer in answers}) == 4


def test_a_key_is_good_for_one_picture(client: Client, media: Any):
    send(client)
    answer = send(client, OTHER)
    assert answer.status_code == 422
    assert answer.json() == {"detail": "The Idempotency-Key was used for another picture. Please take a new one."}
    assert len(objects(media)) == 2


def test_a_repetition_while_the_first_is_at_work_is_told_to_wait(client: Client):
    body = send(client).json()
    Image.objects.filter(pk=body["id"]).update(state=State.PROCESSING)
    answer = send(client)
    assert (answer.status_code, answer["Retry-After"]) == (409, "2")


def test_a_repetition_takes_over_from_a_worker_that_was_killed(client: Client, media: Any):
    body = send(client).json()
    age(body, minutes=20, state=State.PROCESSING)
    answer = send(client)
    assert answer.status_code == 201
    assert answer.json()["id"] != body["id"]
    assert (len(objects(media)), Image.objects.count()) == (2, 1)


def test_what_was_refused_or_not_stored_can_be_repeated(client: Client, settings: Any, media: Any):
    assert [send(client, b"text").status_code for _ in range(2)] == [400, 400]
    use_storage(settings, "tests.integration.test_site_api.FailsAtTheThumbnail", media)
    assert send(client).status_code == 503
    use_storage(settings, "django.core.files.storage.FileSystemStorage", media)
    assert send(client).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 101, "a b", "clé"])
def test_a_key_that_is_none_is_refused(client: Client, key: str):
    answer = send(client, key=key)
    said = {"key": ["An Idempotency-Key has 1 to 100 visible ASCII characters."]}
    assert (answer.status_code, answer.json()) == (400, said)


class Counting(TakesAndKeeps):
    """A storage that is away for good, and counts how often it is asked."""

    asked = 0

    def _save(self, name: str, content: Any) -> str:
        Counting.asked += 1
        return super()._save(name, content)


def test_a_storage_that_keeps_failing_is_left_alone_for_a_while(
    client: Client, settings: Any, media: Any, monkeypatch: pytest.MonkeyPatch
):
    clock = [1000.0]
    monkeypatch.setattr(store.breaker, "_clock", lambda: clock[0])
    use_storage(settings, f"{__name__}.Counting", media)
    assert [upload(client).status_code for _ in range(2)] == [503, 503]
    asked = Counting.asked
    clock[0] += 4
    answer = upload(client)
    assert (answer.status_code, answer["Retry-After"]) == (503, "6")
    assert Counting.asked == asked, "the storage was asked while it was to be left alone"
    use_storage(settings, "django.core.files.storage.FileSystemStorage", media)
    clock[0] += 6
    assert upload(client).status_code == 201


def test_nothing_is_kept_of_an_upload_that_was_deleted_while_it_was_stored(client: Client, settings: Any, media: Any):
    use_storage(settings, f"{__name__}.DeletedMeanwhile", media)
    answer = upload(client)
    said = {"detail": "The picture was deleted while it was being made."}
    assert (answer.status_code, answer.json()) == (409, said)
    assert (objects(media), Image.objects.count()) == ([], 0)


class DeletedMeanwhile(FileSystemStorage):
    def _save(self, name: str, content: Any) -> str:
        Image.objects.all().delete()
        return super()._save(name, content)
