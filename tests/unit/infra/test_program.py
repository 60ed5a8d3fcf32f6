"""What the Pulumi program makes, in each mode and in each cloud."""

import pulumi
import pytest

from tests.unit.infra.program import LOOPBACK, run, run_on_this_machine

ORIGINS = ["https://photos.example.org", "https://www.example.org"]


@pytest.fixture(scope="module")
def public():
    return run(mode="public", origins=ORIGINS)


@pytest.fixture(scope="module")
def private():
    return run(mode="private", origins=ORIGINS)


@pytest.fixture(scope="module", params=["public", "private"])
def either(request):
    return run(mode=request.param, origins=ORIGINS)


def test_the_stack_exports_what_the_rest_relies_on_and_nothing_else(either):
    assert set(either.outputs) == {
        "bucket",
        "region",
        "media_base_url",
        "uploader_name",
        "access_key_id",
        "secret_access_key",
    }


def test_the_secret_of_the_access_key_is_a_secret_output_and_the_only_one(either):
    assert either.secrets == {"secret_access_key"}
    assert either.outputs["secret_access_key"] == "hunter2"


def test_media_is_read_from_the_buckets_regional_address(either):
    assert either.outputs["media_base_url"] == "https://media-1a2b3c4.s3.eu-west-3.amazonaws.com/media/"
    assert either.outputs["region"] == "eu-west-3"


def test_a_bucket_name_is_made_up_unless_it_is_set():
    assert "bucket" not in run().one("Bucket").inputs
    assert run(bucket="our-photos").one("Bucket").inputs["bucket"] == "our-photos"


def test_acls_are_off_so_that_only_policies_say_who_may_what(either):
    assert either.one("BucketOwnershipControls").inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}


def test_public_mode_opens_the_access_block_for_policies_and_not_for_acls(public):
    block = public.one("BucketPublicAccessBlock").inputs
    assert (block["blockPublicAcls"], block["ignorePublicAcls"]) == (True, True)
    assert (block["blockPublicPolicy"], block["restrictPublicBuckets"]) == (False, False)


def test_private_mode_blocks_all_public_access(private):
    block = private.one("BucketPublicAccessBlock").inputs
    assert [value for name, value in block.items() if name != "bucket"] == [True] * 4


def test_the_bucket_policy_waits_for_the_access_block(either):
    assert "BucketPublicAccessBlock" in either.one("BucketPolicy").after


def test_objects_are_encrypted_at_rest_with_a_key_that_does_not_keep_readers_out(either):
    (rule,) = either.one("BucketServerSideEncryptionConfiguration").inputs["rules"]
    assert rule == {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}


def test_what_is_deleted_or_overwritten_can_be_brought_back_for_a_while(either):
    assert either.one("BucketVersioning").inputs["versioningConfiguration"] == {"status": "Enabled"}
    assert rules(either)["old-versions"]["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    assert rules(either)["old-versions"]["filter"] == {"prefix": ""}
    assert "BucketVersioning" in either.one("BucketLifecycleConfiguration").after


def test_no_picture_that_is_shown_ever_expires(either):
    shown = [one for one in rules(either).values() if "media/".startswith(one["filter"]["prefix"])]
    assert [one["expiration"].get("days") for one in shown if "expiration" in one] == [None]


def test_incoming_files_are_gone_after_a_day_with_their_old_versions(either):
    rule = rules(either)["incoming"]
    assert rule["filter"] == {"prefix": "incoming/"}
    assert rule["expiration"] == {"days": 1}
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 1}


def test_unfinished_multipart_uploads_are_aborted_anywhere(either):
    rule = rules(either)["unfinished-uploads"]
    assert rule["filter"] == {"prefix": ""}
    assert rule["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 1}


def test_every_lifecycle_rule_is_on(either):
    assert {one["status"] for one in rules(either).values()} == {"Enabled"}


def test_only_pages_of_the_configured_origins_may_read_and_post(either):
    (rule,) = either.one("BucketCorsConfiguration").inputs["corsRules"]
    assert rule["allowedOrigins"] == ORIGINS
    assert sorted(rule["allowedMethods"]) == ["GET", "HEAD", "POST"]
    assert "allowedHeaders" not in rule


def test_without_origins_no_page_may():
    assert run().all("BucketCorsConfiguration") == []


def test_anyone_reads_media_and_nothing_else_in_public_mode(public):
    (allow,) = [one for one in public.statements("BucketPolicy") if one["Effect"] == "Allow"]
    assert (allow["Principal"], allow["Action"]) == ("*", "s3:GetObject")
    assert allow["Resource"] == "arn:aws:s3:::media-1a2b3c4/media/*"


def test_nobody_reads_without_a_signature_in_private_mode(private):
    assert [one["Effect"] for one in private.statements("BucketPolicy")] == ["Deny"]


def test_plain_http_is_denied_for_the_bucket_and_all_that_is_in_it(either):
    (deny,) = [one for one in either.statements("BucketPolicy") if one["Effect"] == "Deny"]
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert (deny["Principal"], deny["Action"]) == ("*", "s3:*")
    assert deny["Resource"] == ["arn:aws:s3:::media-1a2b3c4", "arn:aws:s3:::media-1a2b3c4/*"]


def test_plain_http_is_allowed_where_the_setting_says_so_and_only_there():
    plain = run_on_this_machine(allowPlainHttp=True)
    assert [one["Effect"] for one in plain.statements("BucketPolicy")] == ["Allow"]
    assert len(run_on_this_machine().statements("BucketPolicy")) == 2


def test_a_bucket_policy_with_nothing_to_say_is_not_made():
    assert run_on_this_machine(mode="private", allowPlainHttp=True).all("BucketPolicy") == []


def test_the_uploader_has_its_rights_from_a_group_and_none_of_its_own(either):
    assert either.one("GroupPolicy").inputs["group"] == either.one("Group").inputs.get("name", "uploader-1a2b3c4")
    assert either.one("UserGroupMembership").inputs == {"user": "uploader-1a2b3c4", "groups": ["uploader-1a2b3c4"]}
    iam = {one.type.rsplit(":", 1)[1] for one in either.resources if one.type.startswith("aws:iam")}
    assert iam == {"User", "Group", "GroupPolicy", "UserGroupMembership", "AccessKey"}


def test_the_uploader_may_store_read_and_remove_objects_in_its_two_folders(either):
    (allow,) = either.statements("GroupPolicy")
    assert allow["Effect"] == "Allow"
    assert sorted(allow["Action"]) == ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    assert allow["Resource"] == ["arn:aws:s3:::media-1a2b3c4/media/*", "arn:aws:s3:::media-1a2b3c4/incoming/*"]


def test_there_is_one_access_key_and_it_comes_when_it_can_do_its_work(either):
    key = either.one("AccessKey")
    assert key.inputs == {"user": "uploader-1a2b3c4", "status": "Active"}
    assert {"GroupPolicy", "UserGroupMembership"} <= key.after


def test_destroying_a_real_stack_takes_no_pictures_and_no_foreign_keys_along(either):
    assert [either.one(kind).inputs["forceDestroy"] for kind in ("Bucket", "User")] == [False, False]


def test_destroying_this_machines_stack_takes_all_of_it():
    here = run_on_this_machine()
    assert [here.one(kind).inputs["forceDestroy"] for kind in ("Bucket", "User")] == [True, True]


def test_a_real_stack_uses_the_provider_that_the_environment_configures(either):
    assert either.all("aws") == []


def test_on_this_machine_every_resource_is_made_through_a_provider_that_can_reach_nothing_else():
    here = run_on_this_machine()
    (provider,) = [one for one in here.resources if one.type == "pulumi:providers:aws"]
    assert provider.inputs["endpoints"] == f'[{{"iam": "{LOOPBACK}", "s3": "{LOOPBACK}", "sts": "{LOOPBACK}"}}]'
    assert (provider.inputs["accessKey"], provider.inputs["secretKey"]) == ("this-machine", "this-machine")
    assert all("::this-machine::" in one.provider for one in here.resources if one is not provider)


def test_media_on_this_machine_is_read_from_its_cloud():
    assert run_on_this_machine().outputs["media_base_url"] == f"{LOOPBACK}/media-1a2b3c4/media/"


@pytest.mark.parametrize("endpoint", ["https://s3.amazonaws.com", "http://10.0.0.1:5000", "", "127.0.0.1:5000"])
def test_this_machines_stack_refuses_a_cloud_elsewhere_before_anything_is_made(endpoint):
    with pytest.raises(pulumi.RunError, match="STAYPUT_CLOUD_URL") as refused:
        run_on_this_machine(endpoint)
    assert refused.value.program.resources == []


def test_a_wrong_setting_stops_the_program_before_anything_is_made():
    with pytest.raises(pulumi.RunError, match="did you mean stayput:origins") as refused:
        run(orgins=[])
    assert refused.value.program.resources == []


def rules(program):
    return {one["id"]: one for one in program.one("BucketLifecycleConfiguration").inputs["rules"]}
