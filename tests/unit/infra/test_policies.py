"""The security controls that the two policies are judged by (AWS FSBP and CIS numbers)."""

import itertools

import pytest

from stayput.infra.policies import bucket_policy, uploader_policy

ARN = "arn:aws:s3:::media-1a2b3c4"
MODES = ("public", "private")


def statements(mode):
    return bucket_policy(ARN, mode=mode)["Statement"]


def many(value):
    return [value] if isinstance(value, str) else value


@pytest.mark.parametrize("mode", MODES)
def test_s3_3_nobody_may_write_without_an_identity(mode):
    allowed = [one for one in statements(mode) if one["Effect"] == "Allow"]
    assert {action for one in allowed for action in many(one["Action"])} <= {"s3:GetObject"}


@pytest.mark.parametrize("mode", MODES)
def test_s3_5_plain_http_is_denied_to_everybody(mode):
    assert [one["Principal"] for one in statements(mode) if "aws:SecureTransport" in str(one.get("Condition"))] == ["*"]


@pytest.mark.parametrize("mode", MODES)
def test_s3_6_no_other_account_is_granted_anything(mode):
    assert "AWS" not in str([one["Principal"] for one in statements(mode)])


def test_s3_2_private_mode_grants_nobody_anything():
    assert [one for one in statements("private") if one["Effect"] == "Allow"] == []


def test_iam_1_and_iam_21_the_uploader_has_no_wildcard_action():
    actions = itertools.chain.from_iterable(many(one["Action"]) for one in uploader_policy(ARN)["Statement"])
    assert [action for action in actions if "*" in action] == []


def test_the_uploader_has_nothing_outside_of_the_buckets_two_folders():
    resources = itertools.chain.from_iterable(many(one["Resource"]) for one in uploader_policy(ARN)["Statement"])
    assert sorted(resources) == [f"{ARN}/incoming/*", f"{ARN}/media/*"]
