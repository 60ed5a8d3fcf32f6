"""Pulumi's own engine runs the real program against this machine's cloud, through the stand-in provider."""

import json
import stat
import subprocess

import psutil
import pytest

from stayput.engine import cli, keys, shell
from stayput.engine.automation import PulumiEngine
from stayput.engine.choice import engine_for
from stayput.engine.embedded import EmbeddedEngine
from stayput.errors import StayputError, WrongUse
from stayput.localcloud import server
from stayput.localcloud.table import connect
from tests.integration.clouds import buckets, copy_program, edit, key_ids, kill_cloud

pytestmark = pytest.mark.needs("engine")
REGION = "eu-central-1"
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def pulumi(stack):
    """The engine as a new command finds it."""
    return PulumiEngine(stack, cli.find())


@pytest.fixture
def stack(tmp_path):
    yield (made := copy_program(tmp_path))
    server.stop(made.home)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A stack that is provisioned once, for tests that put back what they change."""
    made = copy_program(tmp_path_factory.mktemp("kept"))
    pulumi(made).up(print)
    yield made
    server.stop(made.home)


def inventory(cloud):
    """Everything in the cloud, with the made-up names and ids taken out."""
    aws, outputs = connect(cloud.endpoint_url, REGION), cloud.outputs
    bucket, user = outputs.bucket, outputs.uploader_name
    (group,) = [one["GroupName"] for one in aws.iam.list_groups_for_user(UserName=user)["Groups"]]
    (policy,) = aws.iam.list_group_policies(GroupName=group)["PolicyNames"]
    asked = {
        "buckets": buckets(cloud),
        "users": [one["UserName"] for one in aws.iam.list_users()["Users"]],
        "keys": len(key_ids(cloud)),
        "block": aws.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
        "ownership": aws.s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"],
        "encryption": aws.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"],
        "versioning": aws.s3.get_bucket_versioning(Bucket=bucket)["Status"],
        "lifecycle": aws.s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
        "cors": aws.s3.get_bucket_cors(Bucket=bucket)["CORSRules"],
        "policy": json.loads(aws.s3.get_bucket_policy(Bucket=bucket)["Policy"]),
        "group policy": aws.iam.get_group_policy(GroupName=group, PolicyName=policy)["PolicyDocument"],
    }
    return json.loads(json.dumps(asked).replace(bucket, "BUCKET").replace(user, "USER"))


def test_where_pulumi_is_it_runs_the_stack(stack):
    assert isinstance(engine_for(stack), PulumiEngine)


def test_a_plan_before_the_first_up_names_every_resource_and_leaves_nothing_behind(stack):
    engine = pulumi(stack)
    assert engine.observe().reason == "never provisioned"
    planned = engine.preview()
    assert {one.action for one in planned} == {"create"}
    assert len(planned) == 13
    assert not stack.home.exists()


def test_what_was_provisioned_is_known_whatever_became_of_the_program(kept):
    made, settings = pulumi(kept).observe(), kept.root / "infra" / "settings.py"
    settings.rename(settings.with_suffix(".gone"))
    try:
        assert pulumi(kept).recall() == made
        with pytest.raises(StayputError):
            pulumi(kept).observe()
    finally:
        settings.with_suffix(".gone").rename(settings)


def test_after_an_up_there_is_nothing_to_do_and_the_key_works(kept):
    observed = pulumi(kept).observe()
    assert (observed.changes, observed.drift, observed.reason) == ((), (), "")
    keys.wait_until_usable(observed.outputs, observed.endpoint_url)


def test_both_engines_make_the_same_and_say_the_same(kept, stack):
    real, embedded = pulumi(kept).observe(), EmbeddedEngine(stack).up(print)
    assert inventory(real) == inventory(embedded)
    shape = {name: type(value) for name, value in vars(real.outputs).items()}
    assert shape == {name: type(value) for name, value in vars(embedded.outputs).items()}
    assert real.outputs.region == embedded.outputs.region
    assert (real.signed_addresses, real.reason) == (embedded.signed_addresses, embedded.reason)


def test_a_stack_stays_with_the_engine_that_made_it(stack):
    EmbeddedEngine(stack).up(print)
    assert isinstance(engine_for(stack), EmbeddedEngine)


def test_the_secret_is_encrypted_at_rest_and_the_checkout_stays_as_it_is(kept):
    secret = pulumi(kept).observe().outputs.secret_access_key.value
    files = [path for path in kept.root.rglob("*") if path.is_file()]
    assert [path for path in files if secret.encode() in path.read_bytes()] == []
    assert stat.S_IMODE((kept.home / "passphrase").stat().st_mode) == 0o600
    assert "encryptionsalt" not in kept.settings.read_text()


def test_a_changed_name_is_a_replacement_and_a_changed_mode_is_not(kept):
    before = kept.settings.read_text()
    try:
        kept.settings.write_text(before.replace("mode: public", "mode: private") + "  stayput:bucket: our-photos\n")
        changes = {(one.type.rsplit(":", 1)[1], one.action) for one in pulumi(kept).observe().changes}
    finally:
        kept.settings.write_text(before)
    assert {("Bucket", "replace"), ("BucketPolicy", "delete"), ("GroupPolicy", "update")} <= changes
    assert not {("User", "replace"), ("AccessKey", "replace")} & changes


def meddle(cloud):
    """Five changes behind the stack's back; the id of the key that is one of them."""
    aws, outputs, user = connect(cloud.endpoint_url, REGION), cloud.outputs, cloud.outputs.uploader_name
    opened = {"BlockPublicAcls": False, "IgnorePublicAcls": True}
    aws.s3.put_public_access_block(Bucket=outputs.bucket, PublicAccessBlockConfiguration=opened)
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
    aws.s3.put_bucket_cors(Bucket=outputs.bucket, CORSConfiguration={"CORSRules": [rule]})
    aws.s3.delete_bucket_policy(Bucket=outputs.bucket)
    second = aws.iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    aws.iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=json.dumps(ALL))
    return second


def test_what_others_changed_is_told_in_words_and_the_next_up_puts_it_right(kept):
    before = pulumi(kept).observe()
    outputs, user, second = before.outputs, before.outputs.uploader_name, meddle(before)
    observed = pulumi(kept).observe()
    told = {f"{one.resource} {one.what}" for one in observed.drift}
    assert "BucketPublicAccessBlock media blockPublicAcls is off, was on" in told
    assert any(
        line.startswith('BucketCorsConfiguration media corsRules is [{"allowedMethods": ["GET"]') for line in told
    )
    assert "BucketPolicy media is gone" in told
    assert f"User {user} has a key {second} (active) that the stack did not make" in told
    assert f"User {user} has a policy of its own, all" in told
    assert len(told) == 5
    pulumi(kept).up(print)
    after = pulumi(kept).observe()
    assert (after.drift, after.reason, after.outputs) == ((), "", outputs)
    assert key_ids(after) == [outputs.access_key_id]


def test_both_engines_tell_the_same_of_what_others_changed_and_put_it_right(kept, stack):
    pulumi(kept).up(print)
    said = []
    for engine, cloud in (
        (pulumi(kept), pulumi(kept).observe()),
        (EmbeddedEngine(stack), EmbeddedEngine(stack).up(print)),
    ):
        second = meddle(cloud)
        lines = "\n".join(sorted(f"{one.resource} {one.what}" for one in engine.drift()))
        said.append(lines.replace(cloud.outputs.uploader_name, "USER").replace(second, "KEY"))
        engine.up(print)
        assert engine.drift() == ()
        assert key_ids(cloud) == [cloud.outputs.access_key_id]
    assert len(said[0].splitlines()) == 5
    assert said[0] == said[1]


def test_a_key_that_somebody_deleted_is_told_and_made_anew(kept):
    before = pulumi(kept).observe()
    aws = connect(before.endpoint_url, REGION)
    aws.iam.delete_access_key(UserName=before.outputs.uploader_name, AccessKeyId=before.outputs.access_key_id)
    assert [(one.resource, one.what) for one in pulumi(kept).observe().drift] == [("AccessKey uploader-1", "is gone")]
    after = pulumi(kept).up(print)
    assert key_ids(after) == [after.outputs.access_key_id] != [before.outputs.access_key_id]
    keys.wait_until_usable(after.outputs, after.endpoint_url)


def test_pulumis_own_commands_work_on_the_stack_in_a_shell(stack):
    settings = "\n".join(shell.lines(shell.environment(stack)))

    def typed(command):
        script = f"{settings}\n{command}"
        ran = subprocess.run(["sh", "-c", script], cwd=stack.root, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    assert "+ 17 to create" in typed("pulumi preview")
    assert "+ 17 created" in typed("pulumi up --yes --skip-preview")
    outputs = json.loads(typed("pulumi stack output --json --show-secrets"))
    observed = pulumi(stack).observe()
    assert outputs["secret_access_key"] == observed.outputs.secret_access_key.value
    assert observed.reason == ""
    connect(observed.endpoint_url, REGION).s3.delete_bucket_cors(Bucket=outputs["bucket"])
    assert "- 1 deleted" in typed("pulumi refresh --yes --skip-preview")
    assert "- 16 deleted" in typed("pulumi destroy --yes --skip-preview")
    assert buckets(observed) == []


def test_the_official_plugin_which_this_machines_cloud_does_not_need_is_not_looked_for(kept):
    settings = "\n".join(shell.lines(shell.environment(kept)))
    script = f"{settings}\npulumi preview --refresh --logtostderr -v=9"
    ran = subprocess.run(["sh", "-c", script], cwd=kept.root, capture_output=True, text=True, check=True)
    assert "package aws-" in ran.stderr  # it is known to be required
    assert [line for line in ran.stderr.splitlines() if "pulumi-resource-aws-v" in line] == []


def test_an_engine_killed_in_the_middle_is_one_line_and_the_next_up_orphans_nothing(stack):
    def kill(line):
        if line == "created UserGroupMembership uploader":
            for child in psutil.Process().children(recursive=True):
                if child.name() == "pulumi":
                    child.kill()

    with pytest.raises(StayputError) as failed:
        pulumi(stack).up(kill)
    assert "\n" not in str(failed.value)
    assert pulumi(stack).observe().reason == "the last run did not end"
    cloud = pulumi(stack).up(print)
    assert buckets(cloud) == [cloud.outputs.bucket]
    users = connect(cloud.endpoint_url, REGION).iam.list_users()["Users"]
    assert [one["UserName"] for one in users] == [cloud.outputs.uploader_name]
    assert key_ids(cloud) == [cloud.outputs.access_key_id]
    keys.wait_until_usable(cloud.outputs, cloud.endpoint_url)


def test_a_cloud_that_died_is_told_and_made_anew(stack):
    pulumi(stack).up(print)
    kill_cloud(stack)
    observed = pulumi(stack).observe()
    assert (observed.outputs, observed.reason) == (None, "this machine's cloud died: everything in it is gone")
    second = pulumi(stack).up(print)
    keys.wait_until_usable(second.outputs, second.endpoint_url)
    assert pulumi(stack).observe().reason == ""


def test_destroy_leaves_no_process_and_no_file_and_twice_is_no_error(stack):
    cloud = pulumi(stack).up(print)
    connect(cloud.endpoint_url, REGION).s3.put_object(Bucket=cloud.outputs.bucket, Key="media/a", Body=b"a")
    process, said = server.observe(stack.home), []
    pulumi(stack).destroy(said.append)
    assert len([line for line in said if line.startswith("deleted")]) == 13
    assert not process.alive
    assert list(stack.home.iterdir()) == []
    pulumi(stack).destroy(said.append)
    assert pulumi(stack).observe().reason == "never provisioned"


def test_a_bucket_made_by_hand_is_taken_over_and_goes_only_when_told_so_with_its_objects(stack):
    aws = connect(server.start(stack.home).url, REGION)
    aws.s3.create_bucket(Bucket="by-hand", CreateBucketConfiguration={"LocationConstraint": REGION})
    aws.s3.put_object(Bucket="by-hand", Key="media/a", Body=b"precious")
    stack.settings.write_text(stack.settings.read_text() + "  stayput:import: by-hand\n")
    said = []
    assert pulumi(stack).up(said.append).outputs.bucket == "by-hand"
    assert "took over Bucket media" in said
    assert pulumi(stack).observe().reason == ""
    with pytest.raises(WrongUse, match=r"the bucket by-hand: holds 1 objects \(8 bytes\).*--with-objects"):
        pulumi(stack).destroy(print)
    assert aws.s3.get_object(Bucket="by-hand", Key="media/a")["Body"].read() == b"precious"
    aws.s3.create_bucket(Bucket="another", CreateBucketConfiguration={"LocationConstraint": REGION})
    edit(stack.settings, "stayput:import: by-hand", "stayput:import: another")
    assert pulumi(stack).up(print).outputs.bucket == "another"
    assert aws.s3.get_object(Bucket="by-hand", Key="media/a")["Body"].read() == b"precious"
    pulumi(stack).destroy(print)
    assert list(stack.home.iterdir()) == []
