"""Photos that go straight to the bucket, under the rights that the uploader really has.

The bucket is a strict S3, and the site has the uploader's own key under the policy that infra/ makes. One thing is
added for this S3 alone: it judges a posted form by the bucket, where AWS judges it by the key that the form names. For
AWS the addition opens nothing, as s3:PutObject is of objects; for a form, the signed policy still binds the key.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from stayput.django import tokens
from tests.integration.strict_aws import Provisioned, StrictAws
from tests.integration.strict_s3 import REGION
from tests.integration.test_site_served import KEY, PHOTO, Site

pytestmark = pytest.mark.needs("strict-s3")


@pytest.fixture(scope="module")
def made(strict_aws: StrictAws) -> Provisioned:
    made = strict_aws.provision(mode="public", origins=["https://photos.example.org"], allowPlainHttp=True)
    form = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{made.bucket}"}
    strict_aws.allow(made.uploader, made.granted | {"Statement": [*made.granted["Statement"], form]})
    return made


@pytest.fixture
def site(tmp_path: Path, made: Provisioned) -> Site:
    return Site(
        tmp_path,
        USE_S3="True",
        AWS_ACCESS_KEY_ID=made.uploader.key,
        AWS_SECRET_ACCESS_KEY=made.uploader.secret,
        AWS_STORAGE_BUCKET_NAME=made.bucket,
        AWS_S3_REGION_NAME=REGION,
        AWS_S3_ENDPOINT_URL=made.aws.s3_url,
    )


@pytest.fixture
def keys(made: Provisioned) -> Iterator[Callable[[], list[str]]]:
    def there() -> list[str]:
        return [found["Key"] for found in made.aws.s3().list_objects_v2(Bucket=made.bucket).get("Contents", [])]

    yield there
    for key in there():
        made.aws.s3().delete_object(Bucket=made.bucket, Key=key)


def bearer() -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.sign(KEY, purpose='upload')}"}


def send_directly(client: httpx.Client) -> dict[str, Any]:
    opened = client.post("/api/uploads/", json={"content_type": "image/jpeg"}, headers=bearer())
    assert opened.status_code == 201, opened.text
    form = opened.json()["form"]
    sent = httpx.post(form["url"], data=form["fields"], files={"file": ("photo.jpg", PHOTO)})
    assert sent.status_code == 204, sent.text
    return opened.json()


def finish(client: httpx.Client, opened: dict[str, Any]) -> httpx.Response:
    return client.post(f"/api/uploads/{opened['id']}/finish/", headers=bearer())


def test_the_uploaders_own_key_takes_a_photo_all_the_way(site: Site, made: Provisioned, keys: Callable[[], list[str]]):
    with site.served():
        opened = send_directly(site.client)
        assert keys() == [f"incoming/{opened['id']}"]
        answer = finish(site.client, opened)
        assert (answer.status_code, answer.json()["state"]) == (200, "ready"), answer.text
        assert keys() == [f"media/{opened['id']}-thumbnail.png", f"media/{opened['id']}.webp"]
        shown = httpx.get(answer.json()["url"])
        assert (shown.status_code, shown.headers["content-disposition"]) == (200, "inline")
        nothing = finish(
            site.client, site.client.post("/api/uploads/", json={"content_type": "image/png"}, headers=bearer()).json()
        )
        assert nothing.status_code == 409
        assert site.client.delete(f"/api/images/{opened['id']}/", headers=bearer()).status_code == 204
        assert keys() == []
