"""What an account refuses, in AWS's own words, is one line with the next step, and the next `up` makes it whole."""

import pytest

from stayput.engine import cli, strays
from stayput.engine.account import connect, explaining
from stayput.engine.automation import PulumiEngine
from stayput.errors import StayputError, WrongUse
from stayput.localcloud import server
from tests.integration.clouds import buckets, copy_program, key_ids
from tests.integration.relay import Relayed, iam_error, s3_error

pytestmark = pytest.mark.needs("engine")

SKEWED = "The difference between the request time and the current time is too large."
LATE = "Signature expired: 20261121T120000Z is now earlier than 20261121T124500Z (20261121T130000Z - 15 min.)"
UNKNOWN = "The AWS Access Key Id you provided does not exist in our records."
WRONG = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
)
TAKEN = "The requested bucket name is not available. The bucket namespace is shared by all users of the system."

# What S3 and IAM answer (status, code, message), and what is said of it.
REFUSALS = {
    "an expired session": (
        (400, "ExpiredToken", "The provided token has expired."),
        (403, "ExpiredToken", "The security token included in the request is expired"),
        "the AWS session has expired. Next: log in to AWS again, then run it again",
    ),
    "a wrong key": (
        (403, "InvalidAccessKeyId", UNKNOWN),
        (403, "InvalidClientTokenId", "The security token included in the request is invalid."),
        "AWS does not know the access key. Next: correct the AWS credentials, then run it again",
    ),
    "a wrong secret": (
        (403, "SignatureDoesNotMatch", WRONG),
        (403, "SignatureDoesNotMatch", WRONG),
        "AWS does not accept the secret of the access key. Next: correct the AWS credentials, then run it again",
    ),
    "a clock that is off": (
        (403, "RequestTimeTooSkewed", SKEWED),
        (403, "SignatureDoesNotMatch", LATE),
        "the clock of this machine is off. Next: set it (timedatectl set-ntp true), then run it again",
    ),
    "a region that does not exist": (
        (400, "InvalidLocationConstraint", "The specified location-constraint is not valid"),
        None,
        "there is no such region. Next: correct aws:region",
    ),
    "a bucket of somebody else": (
        (409, "BucketAlreadyExists", TAKEN),
        None,
        "another account has a bucket of that name. Next: choose another: stayput:bucket",
    ),
}


class Refusing(Relayed):
    s3 = iam = None

    def refuse(self, method, path, body):
        if body.startswith(b"Action="):
            return self.iam and (self.iam[0], iam_error(*self.iam[1:]))
        return self.s3 and (self.s3[0], s3_error(*self.s3[1:]))


def refusing(stack, s3, iam):
    engine = Refusing(stack, cli.find())
    engine.s3, engine.iam = s3, iam
    return engine


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A stack that is never whole but after the last test."""
    made = copy_program(tmp_path_factory.mktemp("account"))
    yield made
    server.stop(made.home)


@pytest.mark.parametrize(("s3", "iam", "told"), REFUSALS.values(), ids=REFUSALS)
def test_an_up_that_an_account_refuses_is_one_line_with_the_next_step(stack, s3, iam, told):
    engine = refusing(stack, s3, iam)
    with pytest.raises(StayputError) as refused:
        engine.up(print)
    engine.stop()
    where, _, said = str(refused.value).partition(": ")
    assert said == told
    assert where.split()[0] in ("Bucket", "User", "Group")


def test_after_all_of_these_an_up_makes_it_whole_and_nothing_is_orphaned(stack):
    cloud = PulumiEngine(stack, cli.find()).up(print)
    assert buckets(cloud) == [cloud.outputs.bucket]
    assert key_ids(cloud) == [cloud.outputs.access_key_id]
    iam = connect(cloud.endpoint_url, {"aws:region": "eu-central-1"}).iam
    assert len(iam.list_users()["Users"]) == len(iam.list_groups()["Groups"]) == 1


@pytest.mark.parametrize("name", ["an expired session", "a wrong key", "a clock that is off"])
def test_what_is_asked_beside_the_engine_is_refused_in_the_same_words(tmp_path, name):
    s3, iam, told = REFUSALS[name]
    engine = refusing(copy_program(tmp_path), s3, iam)
    try:
        aws = connect(engine._start_cloud({}, print), {"aws:region": "eu-central-1"})
        with pytest.raises(StayputError) as refused:
            strays.find(aws, {"User": {"uploader"}})
        assert str(refused.value) == f"the uploader's rights: {told}"
        with (
            pytest.raises(StayputError, match=r"^the bucket: AWS does not|^the bucket: the "),
            explaining("the bucket", ""),
        ):
            aws.s3.list_buckets()
    finally:
        engine.stop()
        server.stop(engine.stack.home)


def test_a_profile_that_is_not_there_is_one_line():
    with pytest.raises(WrongUse, match=r"aws:profile: The config profile .nobody. could not be found"):
        connect("", {"aws:region": "eu-central-1", "aws:profile": "nobody"})
