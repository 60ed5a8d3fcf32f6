"""The bucket policy, the CORS rules and the uploader's policy of infra/, before a strict S3 that nobody here wrote."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.integration.strict_aws import Identity

pytestmark = pytest.mark.needs("strict-s3")
ORIGINS = ["https://photos.example.org", "http://localhost:8000"]
LOOK_ALIKES = [
    "https://photos.example.org.evil.example",
    "https://evil-photos.example.org",
    "https://photos.example.or",
    "https://photosXexample.org",
    "https://photos.example.org:8443",
    "http://photos.example.org",
    "https://a.photos.example.org",
    "http://localhost:8001",
    "null",
]


@pytest.fixture(scope="module")
def public(strict_aws):
    made = strict_aws.provision(mode="public", origins=ORIGINS, allowPlainHttp=True)
    made.put("media/a.webp", "incoming/a", "other/a")
    return made


@pytest.fixture(scope="module")
def private(strict_aws):
    made = strict_aws.provision(mode="private", origins=ORIGINS, allowPlainHttp=True)
    made.put("media/a.webp", "incoming/a")
    return made


def refusal(call):
    with pytest.raises(ClientError) as refused:
        call()
    return refused.value.response["Error"]["Code"]


def signed(made, key, seconds=60, who=None, method="get_object"):
    client = made.aws.s3(who or made.uploader)
    return client.generate_presigned_url(method, Params={"Bucket": made.bucket, "Key": key}, ExpiresIn=seconds)


# Signatures


def test_a_wrong_secret_or_an_unknown_key_opens_nothing(public):
    wrong = Identity("", public.uploader.key, "not-the-secret")
    unknown = Identity("", "AKIANOBODYKNOWSIT000", "secret")
    get = {"Bucket": public.bucket, "Key": "media/a.webp"}
    assert refusal(lambda: public.aws.s3(wrong).get_object(**get)) == "SignatureDoesNotMatch"
    assert refusal(lambda: public.aws.s3(unknown).get_object(**get)) == "InvalidAccessKeyId"


def test_a_disabled_key_opens_nothing_and_the_second_key_of_the_user_goes_on(public):
    """What rotate-keys relies on."""
    who = public.aws.user(public.granted)
    second = public.aws.iam().create_access_key(UserName=who.name)["AccessKey"]
    public.aws.iam().update_access_key(UserName=who.name, AccessKeyId=who.key, Status="Inactive")
    write = {"Bucket": public.bucket, "Key": "media/rotated", "Body": b"x"}
    assert refusal(lambda: public.aws.s3(who).put_object(**write)) == "InvalidAccessKeyId"
    public.aws.s3(Identity(who.name, second["AccessKeyId"], second["SecretAccessKey"])).put_object(**write)


# Presigned requests


def test_a_private_picture_is_read_by_its_signed_address_alone(private):
    assert httpx.get(signed(private, "media/a.webp")).content == b"there"
    assert httpx.get(f"{private.url}/media/a.webp").status_code == 403


def test_a_signed_address_of_one_picture_opens_no_other(private):
    private.put("media/b.webp")
    address = signed(private, "media/a.webp").replace("a.webp", "b.webp")
    assert httpx.get(address).status_code == 403


def test_a_signed_address_for_reading_does_not_write(private):
    assert httpx.put(signed(private, "media/a.webp"), content=b"x").status_code == 403
    assert httpx.delete(signed(private, "media/a.webp")).status_code == 403


def test_a_signed_address_ends(private):
    address = signed(private, "media/a.webp", seconds=1)
    time.sleep(2)
    assert httpx.get(address).status_code == 403


def test_the_uploader_cannot_sign_for_more_than_it_may_itself(public):
    assert httpx.get(signed(public, "other/a")).status_code == 403
    assert httpx.put(signed(public, "other/b", method="put_object"), content=b"x").status_code == 403


# CORS


def preflight(made, origin, method):
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    return httpx.options(f"{made.url}/media/a.webp", headers=headers)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("origin", ORIGINS)
def test_pages_of_the_site_may_read_and_post(public, origin, method):
    answer = preflight(public, origin, method)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, origin)
    assert answer.headers["access-control-max-age"] == "3600"


@pytest.mark.parametrize("origin", LOOK_ALIKES)
def test_pages_of_a_look_alike_may_not(public, origin):
    answer = preflight(public, origin, "POST")
    assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (403, None)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_pages_of_the_site_may_do_nothing_else(public, method):
    answer = preflight(public, ORIGINS[0], method)
    assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (403, None)


# Conditional writes


def test_of_many_who_write_one_key_at_once_exactly_one_wins(public):
    def write(content):
        try:
            public.aws.s3(public.uploader).put_object(
                Bucket=public.bucket, Key="media/race", Body=content, IfNoneMatch="*"
            )
        except ClientError as refused:
            assert refused.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict")
            return None
        return content

    with ThreadPoolExecutor(8) as many:
        won = [content for content in many.map(write, [bytes([n]) for n in range(8)]) if content]
    assert len(won) == 1
    assert public.aws.s3().get_object(Bucket=public.bucket, Key="media/race")["Body"].read() == won[0]


# The bucket policy, for somebody with an identity of no rights, and for nobody


def attempts(made, who):
    """What a stranger who signs can do."""
    s3, bucket = made.aws.s3(who), made.bucket
    calls = {
        "read media": lambda: s3.get_object(Bucket=bucket, Key="media/a.webp"),
        "read incoming": lambda: s3.get_object(Bucket=bucket, Key="incoming/a"),
        "write media": lambda: s3.put_object(Bucket=bucket, Key="media/c", Body=b"x"),
        "write incoming": lambda: s3.put_object(Bucket=bucket, Key="incoming/c", Body=b"x"),
        "delete media": lambda: s3.delete_object(Bucket=bucket, Key="media/a.webp"),
        "list": lambda: s3.list_objects_v2(Bucket=bucket),
        "read policy": lambda: s3.get_bucket_policy(Bucket=bucket),
        "write policy": lambda: s3.put_bucket_policy(Bucket=bucket, Policy="{}"),
        "write cors": lambda: s3.delete_bucket_cors(Bucket=bucket),
        "delete bucket": lambda: s3.delete_bucket(Bucket=bucket),
    }
    done = set()
    for name, call in calls.items():
        try:
            call()
            done.add(name)
        except ClientError as refused:
            assert refused.response["Error"]["Code"] == "AccessDenied", f"{name}: {refused}"
    return done


def test_another_user_of_the_account_can_do_what_anyone_can(public, private, strict_aws):
    stranger = strict_aws.user()
    assert attempts(public, stranger) == {"read media"}
    assert attempts(private, stranger) == set()


def anonymous(made):
    requests = {
        "read media": ("GET", "media/a.webp"),
        "read incoming": ("GET", "incoming/a"),
        "list": ("GET", ""),
        "list media": ("GET", "?prefix=media/"),
        "write media": ("PUT", "media/c"),
        "write incoming": ("PUT", "incoming/c"),
        "delete media": ("DELETE", "media/a.webp"),
        "read policy": ("GET", "?policy"),
    }
    answers = {name: httpx.request(method, f"{made.url}/{path}") for name, (method, path) in requests.items()}
    assert {answer.status_code for answer in answers.values()} <= {200, 403}
    return {name for name, answer in answers.items() if answer.status_code == 200}


def test_somebody_without_an_identity_reads_public_pictures_and_nothing_else(public, private):
    assert anonymous(public) == {"read media"}
    assert anonymous(private) == set()


@pytest.mark.parametrize("mode", ["public", "private"])
def test_over_plain_http_not_even_the_uploader_gets_anything(strict_aws, mode):
    """The policy as it is for AWS; this S3 speaks plain HTTP."""
    made = strict_aws.provision(mode=mode)
    made.put("media/a.webp")
    assert attempts(made, made.uploader) == set()
    assert anonymous(made) == set()
