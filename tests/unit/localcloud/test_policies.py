"""What AWS refuses and the process that plays it does not."""

import json

import pytest

from stayput.localcloud.policies import bucket_policy_faults, identity_policy_faults, is_action, is_public


def policy(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


READ = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::photos/media/*"}


def test_a_policy_of_this_bucket_has_no_fault():
    assert list(bucket_policy_faults("photos", policy(**READ))) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"Statement": []}', '{"Statement": "all"}', "null"])
def test_what_is_no_policy_document_is_refused(text):
    assert list(bucket_policy_faults("photos", text)) == ["is no policy document"]
    assert list(identity_policy_faults(text)) == ["is no policy document"]


@pytest.mark.parametrize("resource", ["arn:aws:s3:::other/*", "arn:aws:s3:::photos-2/media/*", "*"])
def test_a_policy_about_another_bucket_is_refused(resource):
    (fault,) = bucket_policy_faults("photos", policy(**READ | {"Resource": ["arn:aws:s3:::photos", resource]}))
    assert resource in fault


def test_a_bucket_policy_with_an_action_of_another_service_is_refused():
    (fault,) = bucket_policy_faults("photos", policy(**READ | {"Action": "iam:CreateUser"}))
    assert "iam:CreateUser" in fault


def test_an_identity_policy_names_no_principal():
    assert list(identity_policy_faults(policy(**READ))) == ["names a principal, which an identity's own policy cannot"]


@pytest.mark.parametrize(
    ("change", "public"),
    [
        ({}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, False),
        ({"Effect": "Deny"}, False),
        ({"Principal": {"AWS": ["arn:aws:iam::123456789012:root", "*"]}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}}, True),
        ({"Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}, True),
        ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, True),
        ({"Condition": {"StringLike": {"aws:SourceArn": "arn:aws:s3:::*"}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": ["123456789012"]}}}, False),
    ],
)
def test_a_policy_is_public_when_it_lets_anyone_in(change, public):
    assert is_public(policy(**READ | change)) is public


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:getobject", "s3:Get*", "s3:*", "s3:ListBucket", "sqs:Anything"])
def test_an_action_that_aws_knows_is_one(action):
    assert is_action(action)


@pytest.mark.parametrize("action", ["s3:GetObjekt", "s3:Fetch*", "iam:MakeUser"])
def test_an_action_that_aws_does_not_know_is_none(action):
    assert not is_action(action)
