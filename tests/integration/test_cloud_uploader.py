"""What the uploader's own key can and cannot do, judged by moto with IAM enforcement on.

moto evaluates identity policies for requests signed in the header, and nothing else of it is asked here.
"""

import http.client
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from stayput.engine.embedded import EmbeddedEngine
from stayput.engine.keys import wait_until_usable
from stayput.errors import StayputError
from stayput.localcloud import server
from stayput.localcloud.table import connect
from tests.integration.clouds import copy_program


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """A provisioned stack with an object outside of the uploader's folders, and enforcement on."""
    stack = copy_program(tmp_path_factory.mktemp("stack"))
    made = EmbeddedEngine(stack).up(print)
    admin = connect(made.endpoint_url, "eu-central-1")
    admin.s3.create_bucket(Bucket="other", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    for bucket, key in ((made.outputs.bucket, "static/site.css"), ("other", "media/a.webp")):
        admin.s3.put_object(Bucket=bucket, Key=key, Body=b"not the uploader's")
    enforce(made.endpoint_url)
    yield made
    server.stop(stack.home)


@pytest.fixture
def bucket(cloud):
    return cloud.outputs.bucket


@pytest.fixture
def s3(cloud):
    return client(cloud, "s3")


@pytest.fixture
def iam(cloud):
    return client(cloud, "iam")


@pytest.mark.parametrize("key", ["media/2026/a.webp", "incoming/b"])
def test_the_site_can_store_read_and_remove_a_picture(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=b"picture", ContentType="image/webp", IfNoneMatch="*")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"picture"
    assert s3.head_object(Bucket=bucket, Key=key)["ContentType"] == "image/webp"
    s3.delete_object(Bucket=bucket, Key=key)


def test_the_key_is_found_usable(cloud):
    wait_until_usable(cloud.outputs, cloud.endpoint_url, timeout=0)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda s3, bucket: s3.put_object(Bucket=bucket, Key="static/site.css", Body=b""),
        lambda s3, bucket: s3.put_object(Bucket=bucket, Key="index.html", Body=b""),
        lambda s3, bucket: s3.put_object(Bucket=bucket, Key="media-2/a", Body=b""),
        lambda s3, bucket: s3.get_object(Bucket=bucket, Key="static/site.css"),
        lambda s3, bucket: s3.delete_object(Bucket=bucket, Key="static/site.css"),
        lambda s3, bucket: s3.get_object(Bucket="other", Key="media/a.webp"),
        lambda s3, bucket: s3.put_object(Bucket="other", Key="media/b.webp", Body=b""),
        lambda s3, bucket: s3.list_objects_v2(Bucket=bucket),
        lambda s3, bucket: s3.list_objects_v2(Bucket=bucket, Prefix="media/"),
        lambda s3, bucket: s3.list_object_versions(Bucket=bucket),
        lambda s3, bucket: s3.list_buckets(),
        lambda s3, bucket: s3.create_bucket(Bucket="a-new-one"),
        lambda s3, bucket: s3.delete_bucket(Bucket=bucket),
        lambda s3, bucket: s3.get_bucket_policy(Bucket=bucket),
        lambda s3, bucket: s3.put_bucket_policy(Bucket=bucket, Policy="{}"),
        lambda s3, bucket: s3.delete_bucket_policy(Bucket=bucket),
        lambda s3, bucket: s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": []}),
        lambda s3, bucket: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}),
        lambda s3, bucket: s3.delete_public_access_block(Bucket=bucket),
    ],
)
def test_the_site_can_do_nothing_else_in_s3(s3, bucket, attempt):
    assert_denied(lambda: attempt(s3, bucket))


@pytest.mark.parametrize(
    "attempt",
    [
        lambda iam, me: iam.create_access_key(UserName=me),
        lambda iam, me: iam.list_access_keys(UserName=me),
        lambda iam, me: iam.list_users(),
        lambda iam, me: iam.create_user(UserName="another"),
        lambda iam, me: iam.add_user_to_group(UserName=me, GroupName="admins"),
        lambda iam, me: iam.attach_user_policy(UserName=me, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"),
    ],
)
def test_the_site_can_do_nothing_at_all_in_iam(iam, cloud, attempt):
    assert_denied(lambda: attempt(iam, cloud.outputs.uploader_name))


def test_a_key_that_may_not_write_is_told_in_one_line_when_the_time_is_up(cloud):
    """The group's policy is taken away, as it is in the first seconds of a key's life."""
    enforce(cloud.endpoint_url, on=False)
    admin, outputs = connect(cloud.endpoint_url, "eu-central-1"), cloud.outputs
    (group,) = admin.iam.list_groups_for_user(UserName=outputs.uploader_name)["Groups"]
    admin.iam.remove_user_from_group(UserName=outputs.uploader_name, GroupName=group["GroupName"])
    enforce(cloud.endpoint_url)
    try:
        with pytest.raises(StayputError, match=r"the uploader cannot use its key: .*AccessDenied") as failed:
            wait_until_usable(outputs, cloud.endpoint_url, timeout=0.1, every=0.05)
        assert "\n" not in str(failed.value)
        assert outputs.secret_access_key.value not in str(failed.value)
    finally:
        enforce(cloud.endpoint_url, on=False)
        admin.iam.add_user_to_group(UserName=outputs.uploader_name, GroupName=group["GroupName"])
        enforce(cloud.endpoint_url)


def client(cloud, service):
    outputs = cloud.outputs
    return boto3.client(
        service,
        endpoint_url=cloud.endpoint_url,
        region_name=outputs.region,
        aws_access_key_id=outputs.access_key_id,
        aws_secret_access_key=outputs.secret_access_key.value,
        config=Config(proxies={}, s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


def assert_denied(attempt):
    with pytest.raises(ClientError) as refused:
        attempt()
    assert refused.value.response["Error"]["Code"] in ("AccessDenied", "403")


def enforce(url, on=True):
    """Switch moto's IAM enforcement: after how many requests it begins."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.request("POST", "/moto-api/reset-auth", "0" if on else "inf", {"Content-Type": "text/plain"})
    assert connection.getresponse().status == 200
    connection.close()
