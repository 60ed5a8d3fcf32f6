"""A bucket that is taken over: what it loses is named, a line each, before anything is changed."""

import json

import pytest

from stayput.engine import cli
from stayput.engine.automation import PulumiEngine
from stayput.errors import WrongUse
from stayput.localcloud import server
from stayput.localcloud.table import connect
from tests.integration.clouds import copy_program, edit

pytestmark = pytest.mark.needs("engine")
REGION, ARN = "eu-central-1", "arn:aws:s3:::by-hand"


def statement(name, action="s3:GetObject"):
    principal = {"AWS": "arn:aws:iam::123456789012:root"}
    return {"Sid": name, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": f"{ARN}/*"}


@pytest.fixture
def stack(tmp_path):
    made = copy_program(tmp_path)
    made.settings.write_text(made.settings.read_text() + "  stayput:import: by-hand\n")
    yield made
    server.stop(made.home)


@pytest.fixture
def s3(stack):
    s3 = connect(server.start(stack.home).url, REGION).s3
    s3.create_bucket(Bucket="by-hand", CreateBucketConfiguration={"LocationConstraint": REGION})
    return s3


def previewed(stack):
    changes = PulumiEngine(stack, cli.find()).preview()
    return [f"{one.type.rsplit(':', 1)[1]}: {one.why}" for one in changes if one.why]


def test_each_statement_and_setting_that_goes_is_named_before_anything_is_made(stack, s3):
    policy = {"Version": "2012-10-17", "Statement": [statement("Backups"), {**statement(""), "Sid": "Auditors"}]}
    s3.put_bucket_policy(Bucket="by-hand", Policy=json.dumps(policy))
    archive = {
        "ID": "archive",
        "Status": "Enabled",
        "Filter": {"Prefix": "logs/"},
        "Transitions": [{"Days": 90, "StorageClass": "GLACIER"}],
    }
    s3.put_bucket_lifecycle_configuration(Bucket="by-hand", LifecycleConfiguration={"Rules": [archive]})
    rule = {"ID": "partner", "AllowedMethods": ["PUT"], "AllowedOrigins": ["https://partner.example"]}
    s3.put_bucket_cors(Bucket="by-hand", CORSConfiguration={"CORSRules": [rule]})
    s3.put_bucket_tagging(Bucket="by-hand", Tagging={"TagSet": [{"Key": "cost", "Value": "photos"}]})
    kms = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:eu-central-1:123456789012:key/abc"}
    encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": kms}]}
    s3.put_bucket_encryption(Bucket="by-hand", ServerSideEncryptionConfiguration=encryption)
    flags = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket="by-hand", PublicAccessBlockConfiguration=dict.fromkeys(flags, True))
    s3.put_bucket_ownership_controls(
        Bucket="by-hand", OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    )
    before = s3.get_bucket_policy(Bucket="by-hand")["Policy"]
    assert sorted(previewed(stack)) == [
        "Bucket: takes away the tag cost=photos",
        "BucketCorsConfiguration: takes away the rule partner",
        "BucketLifecycleConfiguration: takes away the rule archive",
        "BucketOwnershipControls: makes it BucketOwnerEnforced, was ObjectWriter: ACLs count no more",
        "BucketPolicy: takes away the statement Auditors",
        "BucketPolicy: takes away the statement Backups",
        "BucketPublicAccessBlock: turns BlockPublicPolicy off",
        "BucketPublicAccessBlock: turns RestrictPublicBuckets off",
        "BucketServerSideEncryptionConfiguration: encrypts new objects by AES256, was aws:kms with the key "
        + kms["KMSMasterKeyID"],
        "BucketVersioning: makes versioning Enabled, was off",
    ]
    assert s3.get_bucket_policy(Bucket="by-hand")["Policy"] == before


def test_nothing_is_named_of_a_bucket_that_is_in_the_stack_already(stack, s3):
    PulumiEngine(stack, cli.find()).up(print)
    assert previewed(stack) == []


def test_a_bucket_that_takes_the_place_of_another_is_looked_at_too(stack, s3):
    PulumiEngine(stack, cli.find()).up(print)
    s3.create_bucket(Bucket="another", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_tagging(Bucket="another", Tagging={"TagSet": [{"Key": "cost", "Value": "photos"}]})
    edit(stack.settings, "stayput:import: by-hand", "stayput:import: another")
    assert "Bucket: takes away the tag cost=photos" in previewed(stack)


def test_a_bucket_that_is_not_there_is_one_line_before_anything_is_made(stack):
    server.start(stack.home)
    with pytest.raises(WrongUse, match=r"Pulumi.local.yaml, stayput:import: there is no bucket by-hand. Next: correct"):
        previewed(stack)
