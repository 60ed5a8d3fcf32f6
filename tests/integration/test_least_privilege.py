"""The uploader's policy is neither too wide nor too narrow. A judge each: a linter for its text, a strict S3 with IAM
for each right the site needs (signed requests, forms and addresses alike). What is denied: test_cloud_uploader.py
and here, by two judges.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

import httpx
import parliament
import pytest
from botocore.exceptions import ClientError
from django.core.cache import cache
from django.test import Client

from app.uploads import store
from stayput.django import storages
from stayput.django.variables import Values
from stayput.infra.policies import bucket_policy, uploader_policy
from tests.integration.strict_aws import Provisioned, StrictAws
from tests.integration.strict_s3 import REGION
from tests.integration.test_site_api import PHOTO, bearer, upload
from tests.integration.test_site_direct import begin, finish

ARN = "arn:aws:s3:::media-1a2b3c4"
strict = [pytest.mark.django_db, pytest.mark.needs("strict-s3")]


def findings(policy: dict[str, Any]) -> list[str]:
    analyzed = parliament.analyze_policy_string(json.dumps(policy), include_community_auditors=True)
    return [f"{found.issue} {found.detail}" for found in analyzed.findings]


def test_the_linter_has_nothing_to_say_of_the_uploaders_policy():
    assert findings(uploader_policy(ARN)) == []


@pytest.mark.parametrize("mode", ["public", "private"])
def test_the_linter_has_nothing_to_say_of_the_bucket_policy(mode):
    assert findings(bucket_policy(ARN, mode=mode)) == []


@pytest.mark.parametrize(
    ("action", "resource", "said"),
    [
        ("s3:PutObjekt", f"{ARN}/media/*", "UNKNOWN_ACTION"),
        ("s3:*", "*", "RESOURCE_STAR"),
    ],
)
def test_the_linter_would_say_so(action, resource, said):
    policy = uploader_policy(ARN)
    policy["Statement"].append({"Effect": "Allow", "Action": action, "Resource": resource})
    assert said in " ".join(findings(policy))


# Each right of the policy, and what the site can no longer do without it

NEEDED = {
    ("s3:PutObject", "media/"): "take a picture",
    ("s3:GetObject", "media/"): "show a picture by its signed address",
    ("s3:DeleteObject", "media/"): "remove a picture",
    ("s3:PutObject", "incoming/"): "let a browser send a photo to the bucket",
    ("s3:GetObject", "incoming/"): "make pictures of what a browser sent",
    ("s3:DeleteObject", "incoming/"): "remove what a browser sent",
}


def rights(policy: dict[str, Any], bucket: str) -> list[tuple[str, str]]:
    folder = f"arn:aws:s3:::{bucket}/"
    return [
        (action, resource.removeprefix(folder).removesuffix("*"))
        for statement in policy["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    ]


def without(policy: dict[str, Any], right: tuple[str, str] | None) -> dict[str, Any]:
    """The same policy, one statement a right, with that one left out."""
    changed = copy.deepcopy(policy)
    (statement,) = changed["Statement"]
    changed["Statement"] = [
        {"Effect": "Allow", "Action": action, "Resource": resource}
        for action in statement["Action"]
        for resource in statement["Resource"]
        if right is None or (action, right[1]) != right or not resource.endswith(f"/{right[1]}*")
    ]
    return changed


@pytest.fixture
def stack(settings: Any, strict_aws: StrictAws) -> Iterator[Provisioned]:
    """A private bucket, and this process's site with the uploader's own key."""
    made = strict_aws.provision(mode="private", allowPlainHttp=True)
    values = Values(
        secret_key="x",
        stayput_key="x",
        use_s3=True,
        aws_access_key_id=made.uploader.key,
        aws_secret_access_key=made.uploader.secret,
        aws_storage_bucket_name=made.bucket,
        aws_s3_region_name=REGION,
        aws_s3_endpoint_url=strict_aws.s3_url,
        aws_querystring_auth=True,
    )
    picture_storage = storages.storages(values, media_root=settings.MEDIA_ROOT)["default"]
    settings.STORAGES = settings.STORAGES | {"default": picture_storage}
    yield made
    cache.clear()
    store.breaker.succeeded()


def use_the_site(client: Client, made: Provisioned) -> set[str]:
    """What the site could not do, of all that it does in the bucket."""
    failed: set[str] = set()

    def see(what: str, ok: bool) -> bool:
        store.breaker.succeeded()  # each use for itself
        if not ok:
            failed.add(what)
        return ok

    taken = upload(client)
    if see("take a picture", taken.status_code == 201):
        picture = taken.json()
        shown = [httpx.get(picture[name]).status_code for name in ("url", "thumbnail_url")]
        see("show a picture by its signed address", shown == [200, 200])
        client.delete(f"/api/images/{picture['id']}/", headers=bearer(client))
        see("remove a picture", not any(picture["id"] in key for key in keys(made)))

    opened = begin(client)
    if see("let a browser send a photo to the bucket", put(made, opened)):
        answer = finish(client, opened)
        if answer.status_code != 503:  # pictures cannot be written at all: told above
            made_of_it = see("make pictures of what a browser sent", answer.status_code == 200)
            if made_of_it:
                see("remove what a browser sent", f"incoming/{opened['id']}" not in keys(made))
    return failed


def put(made: Provisioned, opened: dict[str, Any]) -> bool:
    """What the form of `opened` does, by a signed PUT: AWS asks the same right of both, this S3 another of a form."""
    try:
        key = opened["form"]["fields"]["key"]
        made.aws.s3(made.uploader).put_object(Bucket=made.bucket, Key=key, Body=PHOTO)
    except ClientError as refused:
        assert refused.response["Error"]["Code"] == "AccessDenied"
        return False
    return True


def keys(made: Provisioned) -> list[str]:
    return [found["Key"] for found in made.aws.s3().list_objects_v2(Bucket=made.bucket).get("Contents", [])]


class TestEachRight:
    pytestmark = strict

    def test_all_that_the_site_does_is_allowed(self, client: Client, stack: Provisioned):
        assert use_the_site(client, stack) == set()
        stack.aws.allow(stack.uploader, without(stack.granted, None))
        assert use_the_site(client, stack) == set()

    @pytest.mark.parametrize("right", NEEDED)
    def test_without_one_of_them_the_site_fails_at_what_needs_it(self, client, stack, right):
        stack.aws.allow(stack.uploader, without(stack.granted, right))
        assert use_the_site(client, stack) == {NEEDED[right]}

    def test_no_right_is_granted_that_is_not_in_the_table(self, stack: Provisioned):
        assert sorted(rights(stack.granted, stack.bucket)) == sorted(NEEDED)


DENIED = {
    "read outside of its folders": lambda s3, bucket: s3.get_object(Bucket=bucket, Key="static/site.css"),
    "write outside of its folders": lambda s3, bucket: s3.put_object(Bucket=bucket, Key="index.html", Body=b""),
    "write beside its folder": lambda s3, bucket: s3.put_object(Bucket=bucket, Key="media-2/a", Body=b""),
    "delete outside of its folders": lambda s3, bucket: s3.delete_object(Bucket=bucket, Key="static/site.css"),
    "copy from outside": lambda s3, bucket: s3.copy_object(
        Bucket=bucket, Key="media/css", CopySource=f"{bucket}/static/site.css"
    ),
    "copy to the outside": lambda s3, bucket: s3.copy_object(
        Bucket=bucket, Key="static/a", CopySource=f"{bucket}/media/a.webp"
    ),
    "read another bucket": lambda s3, bucket: s3.get_object(Bucket="another-bucket", Key="media/a.webp"),
    "write another bucket": lambda s3, bucket: s3.put_object(Bucket="another-bucket", Key="media/b", Body=b""),
    "list": lambda s3, bucket: s3.list_objects_v2(Bucket=bucket),
    "list its own folder": lambda s3, bucket: s3.list_objects_v2(Bucket=bucket, Prefix="media/"),
    "list versions": lambda s3, bucket: s3.list_object_versions(Bucket=bucket),
    "list unfinished uploads": lambda s3, bucket: s3.list_multipart_uploads(Bucket=bucket),
    "delete a version": lambda s3, bucket: s3.delete_object(Bucket=bucket, Key="media/a.webp", VersionId="null"),
    "read a version": lambda s3, bucket: s3.get_object(Bucket=bucket, Key="media/a.webp", VersionId="null"),
    "list all buckets": lambda s3, bucket: s3.list_buckets(),
    "make a bucket": lambda s3, bucket: s3.create_bucket(
        Bucket="a-new-bucket", CreateBucketConfiguration={"LocationConstraint": REGION}
    ),
    "delete the bucket": lambda s3, bucket: s3.delete_bucket(Bucket=bucket),
    "read the policy": lambda s3, bucket: s3.get_bucket_policy(Bucket=bucket),
    "change the policy": lambda s3, bucket: s3.put_bucket_policy(Bucket=bucket, Policy="{}"),
    "remove the policy": lambda s3, bucket: s3.delete_bucket_policy(Bucket=bucket),
    "read the CORS rules": lambda s3, bucket: s3.get_bucket_cors(Bucket=bucket),
    "change the CORS rules": lambda s3, bucket: s3.put_bucket_cors(
        Bucket=bucket, CORSConfiguration={"CORSRules": [{"AllowedMethods": ["PUT"], "AllowedOrigins": ["*"]}]}
    ),
    "suspend versioning": lambda s3, bucket: s3.put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}
    ),
    "change who owns objects": lambda s3, bucket: s3.put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    ),
    "read an ACL": lambda s3, bucket: s3.get_object_acl(Bucket=bucket, Key="media/a.webp"),
    "tag an object": lambda s3, bucket: s3.put_object_tagging(
        Bucket=bucket, Key="media/a.webp", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}
    ),
}
DENIED_IAM = {
    "list users": lambda iam, me: iam.list_users(),
    "make a user": lambda iam, me: iam.create_user(UserName="another"),
    "make itself a key": lambda iam, me: iam.create_access_key(UserName=me),
    "list its keys": lambda iam, me: iam.list_access_keys(UserName=me),
    "give itself rights": lambda iam, me: iam.put_user_policy(UserName=me, PolicyName="own", PolicyDocument="{}"),
    "read its rights": lambda iam, me: iam.get_user_policy(UserName=me, PolicyName="own"),
}


@pytest.fixture(scope="module")
def public(strict_aws):
    made = strict_aws.provision(mode="public", origins=["https://photos.example.org"], allowPlainHttp=True)
    made.put("media/a.webp", "static/site.css")
    strict_aws.s3().create_bucket(Bucket="another-bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    return made


@pytest.mark.needs("strict-s3")
class TestDenied:
    @pytest.mark.parametrize("what", DENIED)
    def test_the_uploader_cannot(self, public, what):
        self.assert_denied(lambda: DENIED[what](public.aws.s3(public.uploader), public.bucket))

    @pytest.mark.parametrize("what", DENIED_IAM)
    def test_the_uploader_cannot_in_iam(self, public, what):
        self.assert_denied(lambda: DENIED_IAM[what](public.aws.iam(public.uploader), public.uploader.name))

    @staticmethod
    def assert_denied(attempt):
        with pytest.raises(ClientError) as refused:
            attempt()
        assert refused.value.response["Error"]["Code"] == "AccessDenied", refused.value
