"""The table of resources against the provider's own package and the program."""

import inspect
import re

import pulumi_aws
import pytest

from stayput.localcloud.names import named
from stayput.localcloud.table import connect, table
from tests.unit.infra.program import run_on_this_machine

TABLE = table(connect("http://127.0.0.1:9", "eu-central-1"))  # the discard port: these tests ask the cloud nothing


@pytest.mark.parametrize("type", TABLE)
def test_every_property_in_the_table_is_one_of_the_providers(type):
    _, module, cls = re.fullmatch(r"(aws):(\w+)/\w+:(\w+)", type).groups()
    arguments = inspect.signature(getattr(getattr(pulumi_aws, module), cls)._internal_init).parameters
    spelled = {re.sub("_(.)", lambda match: match[1].upper(), name) for name in arguments}
    assert set(TABLE[type].shape) <= spelled
    assert {*TABLE[type].required, *TABLE[type].identity} <= set(TABLE[type].shape)


@pytest.mark.parametrize("mode", ["public", "private"])
def test_the_table_knows_every_resource_of_the_program_and_every_input(mode):
    program = run_on_this_machine(mode=mode, origins=["https://a.example"])
    for one in program.resources:
        if not one.type.startswith("pulumi:"):
            resource = TABLE[one.type]
            assert resource.check(named("media", resource.named_by, one.inputs, None)) == []


def test_an_input_that_the_table_does_not_know_is_a_failure():
    failures = TABLE["aws:s3/bucket:Bucket"].check({"bucket": "photos", "acl": "public-read"})
    assert [(one.property, one.reason) for one in failures] == [("acl", "this machine's cloud does not know it")]


def test_an_input_that_is_missing_is_a_failure():
    failures = TABLE["aws:iam/accessKey:AccessKey"].check({})
    assert [(one.property, one.reason) for one in failures] == [("user", "is missing")]


def test_a_policy_that_aws_would_refuse_is_a_failure():
    (failure,) = TABLE["aws:s3/bucketPolicy:BucketPolicy"].check({"bucket": "photos", "policy": "{"})
    assert (failure.property, failure.reason) == ("policy", "is no policy document")


def test_a_difference_says_what_changed_and_what_of_it_needs_a_new_resource():
    bucket = TABLE["aws:s3/bucket:Bucket"]
    same, renamed = {"bucket": "a", "forceDestroy": True}, {"bucket": "b", "forceDestroy": False}
    assert not bucket.diff(same, same).changed
    assert bucket.diff(same, renamed).changed == ("bucket", "forceDestroy")
    assert bucket.diff(same, renamed).replaces == ("bucket",)
