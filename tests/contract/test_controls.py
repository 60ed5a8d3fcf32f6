"""A test for each control of AWS Foundational Security Best Practices and CIS that applies, in each mode.

Judged on what the program registers. That the cloud then holds it: test_cloud_engine.py; that the data path obeys:
test_strict_s3_stack.py and test_least_privilege.py.
"""

import json

import pytest

from tests.unit.infra.program import run

ORIGINS = ["https://photos.example.org"]


@pytest.fixture(scope="module", params=["public", "private"])
def either(request):
    return run(mode=request.param, origins=ORIGINS)


@pytest.fixture(scope="module")
def private():
    return run(mode="private", origins=ORIGINS)


@pytest.fixture(scope="module")
def public():
    return run(mode="public", origins=ORIGINS)


def many(value):
    return [value] if isinstance(value, str) else value


def allowed(program, type):
    """Every action that a policy of that type allows."""
    statements = [one for one in program.statements(type) if one["Effect"] == "Allow"]
    return {action for one in statements for action in many(one["Action"])}


def lifecycle(program):
    return program.one("BucketLifecycleConfiguration").inputs["rules"]


def block(program):
    return program.one("BucketPublicAccessBlock").inputs


def test_s3_3_nobody_writes_without_an_identity(either):
    assert allowed(either, "BucketPolicy") <= {"s3:GetObject"}
    assert (block(either)["blockPublicAcls"], block(either)["ignorePublicAcls"]) == (True, True)


def test_s3_5_and_cis_2_1_1_requests_without_tls_are_denied(either):
    (deny,) = [one for one in either.statements("BucketPolicy") if one["Effect"] == "Deny"]
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert (deny["Principal"], deny["Action"], len(deny["Resource"])) == ("*", "s3:*", 2)


def test_s3_6_no_other_account_is_granted_anything(either):
    assert {str(one["Principal"]) for one in either.statements("BucketPolicy")} == {"*"}
    assert allowed(either, "BucketPolicy").isdisjoint(
        {"s3:DeleteBucketPolicy", "s3:PutBucketAcl", "s3:PutBucketPolicy", "s3:PutEncryptionConfiguration"}
    )


def test_s3_10_and_s3_13_a_versioned_bucket_has_lifecycle_rules_for_versions_and_objects(either):
    assert all(rule["status"] == "Enabled" for rule in lifecycle(either))
    assert any("noncurrentVersionExpiration" in rule for rule in lifecycle(either))
    assert any(rule.get("expiration", {}).get("days") for rule in lifecycle(either))


def test_s3_12_access_is_never_said_by_acls(either):
    assert either.one("BucketOwnershipControls").inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    assert [one.type for one in either.resources if "Acl" in one.type] == []


def test_s3_14_versions_are_kept(either):
    assert either.one("BucketVersioning").inputs["versioningConfiguration"] == {"status": "Enabled"}


def test_objects_are_encrypted_at_rest(either):
    (rule,) = either.one("BucketServerSideEncryptionConfiguration").inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}


def test_s3_1_s3_2_and_s3_8_private_mode_blocks_all_public_access(private):
    assert [value for name, value in block(private).items() if name != "bucket"] == [True] * 4
    assert allowed(private, "BucketPolicy") == set()


def test_s3_2_public_mode_breaks_for_one_folder_and_reading_alone(public):
    (allow,) = [one for one in public.statements("BucketPolicy") if one["Effect"] == "Allow"]
    assert (allow["Action"], allow["Resource"].rpartition(":::")[2].partition("/")[2]) == ("s3:GetObject", "media/*")


def test_iam_1_and_iam_21_no_policy_allows_everything_or_all_of_a_service(either):
    for action in allowed(either, "GroupPolicy"):
        assert "*" not in action
    resources = [resource for one in either.statements("GroupPolicy") for resource in many(one["Resource"])]
    assert all(resource.startswith("arn:aws:s3:::media-") for resource in resources)


def test_iam_2_and_cis_1_15_a_user_has_its_rights_from_a_group(either):
    of_users = ("UserPolicy", "UserPolicyAttachment", "PolicyAttachment")
    assert [one.type for one in either.resources if one.type.endswith(of_users)] == []
    assert either.one("UserGroupMembership").inputs["groups"] == [either.one("GroupPolicy").inputs["group"]]


def test_iam_3_keys_can_be_rotated_and_iam_5_and_19_the_user_has_no_console(either):
    assert either.one("AccessKey").name == "uploader-1"
    assert [one.type for one in either.resources if one.type.endswith(("LoginProfile", "SigningCertificate"))] == []


@pytest.mark.parametrize("mode", ["public", "private"])
@pytest.mark.parametrize("previous", [{}, {"previousKey": "active"}, {"previousKey": "inactive"}])
def test_cis_1_13_one_key_is_active_but_while_one_follows_the_other(mode, previous):
    made = run(mode=mode, keyGeneration=2, **previous)
    active = [one for one in made.all("AccessKey") if one.inputs["status"] == "Active"]
    assert len(active) == (2 if previous == {"previousKey": "active"} else 1)


def test_the_secret_of_a_key_is_a_secret_output_and_no_policy_names_it(either):
    assert either.secrets == {"secret_access_key"}
    assert "hunter2" not in json.dumps([one.inputs for one in either.resources])
