"""The embedded engine runs the real program against the real process that plays AWS."""

import importlib
import json
import signal
import stat
import subprocess
import sys

import pytest

from stayput.engine import keys, state
from stayput.engine.embedded import EmbeddedEngine
from stayput.errors import StayputError
from stayput.localcloud import server
from stayput.localcloud.table import connect
from tests.integration.clouds import ROOT, buckets, copy_program, edit, key_ids, kill_cloud


@pytest.fixture
def stack(tmp_path):
    yield (made := copy_program(tmp_path))
    server.stop(made.home)


@pytest.fixture
def said():
    return []


@pytest.fixture
def engine(stack):
    return EmbeddedEngine(stack)


def test_one_up_makes_everything_and_the_next_changes_nothing(engine, stack, said):
    assert engine.observe().reason == "never provisioned"
    first = engine.up(said.append)
    assert len([line for line in said if line.startswith("created")]) == 13
    assert engine.observe() == first
    before = {path: path.read_bytes() for path in stack.home.iterdir() if path.name != "cloud.log"}
    said.clear()
    assert engine.up(said.append) == first
    assert said == []
    assert {path: path.read_bytes() for path in before} == before


def test_what_was_provisioned_is_known_whatever_became_of_the_program(engine, stack):
    assert engine.recall().reason == "never provisioned"
    made = engine.up(print)
    (stack.root / "infra" / "__main__.py").write_text("raise RuntimeError\n")
    assert engine.recall() == made
    with pytest.raises(StayputError):
        engine.up(print)


def test_what_the_cloud_holds_is_what_the_program_says(engine):
    cloud = engine.up(print)
    aws, bucket = connect(cloud.endpoint_url, "eu-central-1"), cloud.outputs.bucket
    assert aws.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": False,
        "RestrictPublicBuckets": False,
    }
    assert aws.s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    (encryption,) = aws.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert encryption["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    rules = {one["ID"]: one for one in aws.s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    assert rules["incoming"]["Expiration"] == {"Days": 1}
    (cors,) = aws.s3.get_bucket_cors(Bucket=bucket)["CORSRules"]
    assert cors["AllowedOrigins"] == ["http://127.0.0.1:8000", "http://localhost:8000"]
    (allow,) = json.loads(aws.s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert allow["Resource"] == f"arn:aws:s3:::{bucket}/media/*"
    (group,) = aws.iam.list_groups_for_user(UserName=cloud.outputs.uploader_name)["Groups"]
    assert len(aws.iam.list_group_policies(GroupName=group["GroupName"])["PolicyNames"]) == 1
    assert aws.iam.list_user_policies(UserName=cloud.outputs.uploader_name)["PolicyNames"] == []
    assert key_ids(cloud) == [cloud.outputs.access_key_id]


def test_the_state_is_private_and_the_secret_stands_nowhere_else(engine, stack, said):
    cloud = engine.up(said.append)
    secret = cloud.outputs.secret_access_key.value
    holders = [path for path in stack.root.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert holders == [state.path(stack.home)]
    assert stat.S_IMODE(holders[0].stat().st_mode) == 0o600
    assert secret not in f"{cloud!r} {said}"


def test_the_key_is_told_once_and_known_ever_after(engine):
    first = engine.up(print).outputs
    again = engine.up(print).outputs
    assert again.secret_access_key == first.secret_access_key
    keys.wait_until_usable(again, engine.observe().endpoint_url)


def test_a_changed_setting_is_told_and_changes_only_what_it_is_about(engine, stack, said):
    before = engine.up(print)
    edit(stack.settings, "mode: public", "mode: private")
    assert engine.observe().reason == "Pulumi.local.yaml changed"
    after = engine.up(said.append)
    assert sorted(said) == [
        "deleted BucketPolicy media",
        "updated BucketPublicAccessBlock media: blockPublicPolicy, restrictPublicBuckets",
    ]
    assert (after.outputs, after.signed_addresses) == (before.outputs, True)


def test_a_comment_in_the_settings_is_no_change(engine, stack):
    engine.up(print)
    stack.settings.write_text("# a remark\n" + stack.settings.read_text())
    assert engine.observe().reason == ""


def test_a_changed_file_of_the_program_is_named(engine, stack):
    engine.up(print)
    edit(stack.root / "infra" / "bucket.py", "OLD_VERSIONS_DAYS = 30", "OLD_VERSIONS_DAYS = 7")
    assert engine.observe().reason == "infra/bucket.py changed"


def test_a_resource_that_leaves_the_program_leaves_the_cloud(engine, stack, said):
    cloud = engine.up(print)
    edit(stack.settings, "    - http://127.0.0.1:8000\n    - http://localhost:8000\n", "    []\n")
    engine.up(said.append)
    assert said == ["deleted BucketCorsConfiguration media"]
    aws = connect(cloud.endpoint_url, "eu-central-1")
    with pytest.raises(aws.s3.exceptions.ClientError, match="NoSuchCORSConfiguration"):
        aws.s3.get_bucket_cors(Bucket=cloud.outputs.bucket)


def test_a_new_bucket_name_means_a_new_bucket_and_the_old_one_goes_last(engine, stack, said):
    old = engine.up(print)
    stack.settings.write_text(stack.settings.read_text() + "  stayput:bucket: our-photos\n")
    new = engine.up(said.append)
    assert new.outputs.bucket == "our-photos"
    assert said[0] == "created Bucket media"
    assert said[-1] == "deleted Bucket media"
    assert buckets(new) == ["our-photos"]
    assert new.outputs.access_key_id == old.outputs.access_key_id
    keys.wait_until_usable(new.outputs, new.endpoint_url)


def test_what_was_changed_or_removed_from_outside_is_put_right(engine, said):
    cloud = engine.up(print)
    aws = connect(cloud.endpoint_url, "eu-central-1")
    aws.s3.delete_public_access_block(Bucket=cloud.outputs.bucket)
    aws.s3.put_bucket_versioning(Bucket=cloud.outputs.bucket, VersioningConfiguration={"Status": "Suspended"})
    engine.up(said.append)
    assert sorted(said) == [
        "created BucketPublicAccessBlock media",
        "updated BucketVersioning media: it was changed from outside",
    ]


def test_a_cloud_that_died_is_told_and_made_anew(engine, stack):
    first = engine.up(print)
    kill_cloud(stack)
    observed = engine.observe()
    assert (observed.outputs, observed.reason) == (None, "this machine's cloud died: everything in it is gone")
    second = engine.up(print)
    assert second.outputs.access_key_id != first.outputs.access_key_id
    keys.wait_until_usable(second.outputs, second.endpoint_url)


def test_a_cloud_that_dies_half_way_is_one_line_and_the_next_run_begins_anew(engine, stack):
    def kill_soon(line):
        if line == "created Group uploader":
            kill_cloud(stack)

    with pytest.raises(StayputError) as failed:
        engine.up(kill_soon)
    assert "this machine's cloud stopped answering" in str(failed.value)
    keys.wait_until_usable((cloud := engine.up(print)).outputs, cloud.endpoint_url)


@pytest.mark.parametrize("type", ["Bucket", "BucketPolicy", "User", "UserGroupMembership", "AccessKey"])
def test_a_kill_between_a_creation_and_its_record_orphans_nothing(engine, stack, type):
    """The child makes the resource in the cloud and dies by SIGKILL before it can write it down."""
    child = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from stayput.engine.embedded import EmbeddedEngine\n"
        "from stayput.localcloud import iam, s3\n"
        "from stayput.stack import Stack\n"
        f"kind, = [one for one in (*s3.RESOURCES, *iam.RESOURCES) if one.type.endswith(':{type}')]\n"
        "create = kind.create\n"
        "kind.create = lambda self, inputs: (create(self, inputs), os.kill(os.getpid(), signal.SIGKILL))\n"
        f"EmbeddedEngine(Stack(Path({str(stack.root)!r}))).up(print)\n"
    )
    died = subprocess.run([sys.executable, "-c", child], cwd=ROOT, capture_output=True)
    assert died.returncode == -signal.SIGKILL
    assert engine.observe().reason == "the last run did not end"
    cloud = engine.up(print)
    aws = connect(cloud.endpoint_url, "eu-central-1")
    assert buckets(cloud) == [cloud.outputs.bucket]
    assert [user["UserName"] for user in aws.iam.list_users()["Users"]] == [cloud.outputs.uploader_name]
    assert key_ids(cloud) == [cloud.outputs.access_key_id]
    keys.wait_until_usable(cloud.outputs, cloud.endpoint_url)


def test_destroy_leaves_no_process_and_no_file_and_twice_is_no_error(engine, stack, said):
    cloud = engine.up(print)
    connect(cloud.endpoint_url, "eu-central-1").s3.put_object(Bucket=cloud.outputs.bucket, Key="media/a", Body=b"a")
    process = server.observe(stack.home)
    engine.destroy(said.append)
    assert len([line for line in said if line.startswith("deleted")]) == 13
    assert not process.alive
    assert list(stack.home.iterdir()) == []
    engine.destroy(said.append)
    assert engine.observe().reason == "never provisioned"


def test_destroy_empties_the_bucket_of_all_versions_before_it_goes(engine, stack):
    cloud = engine.up(print)
    aws = connect(cloud.endpoint_url, "eu-central-1")
    for body in (b"one", b"two"):
        aws.s3.put_object(Bucket=cloud.outputs.bucket, Key="media/a", Body=body)
    aws.s3.delete_object(Bucket=cloud.outputs.bucket, Key="media/a")
    kept = []

    def look(line):
        if line == "deleted Bucket media":
            kept.extend(buckets(cloud))

    engine.destroy(look)
    assert kept == []


def test_a_destroy_that_was_cut_short_is_finished_by_the_next(engine, stack):
    engine.up(print)

    def stop_half_way(line):
        if line == "deleted Group uploader":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.destroy(stop_half_way)
    assert [one.name for one in state.load(stack.home).resources]
    engine.destroy(print)
    assert list(stack.home.iterdir()) == []


def test_an_existing_bucket_of_that_name_is_left_as_it_is(engine, stack, said):
    cloud = engine.up(print)
    aws = connect(cloud.endpoint_url, "eu-central-1")
    aws.s3.create_bucket(Bucket="taken", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    aws.s3.put_object(Bucket="taken", Key="precious", Body=b"precious")
    stack.settings.write_text(stack.settings.read_text() + "  stayput:bucket: taken\n")
    for _ in range(2):
        with pytest.raises(StayputError, match=r"^Bucket media: .*BucketAlreadyOwnedByYou"):
            engine.up(print)
    assert aws.s3.get_object(Bucket="taken", Key="precious")["Body"].read() == b"precious"


def test_observing_imports_neither_pulumi_nor_boto3(stack):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from stayput.engine.embedded import EmbeddedEngine\n"
        "from stayput.stack import Stack\n"
        f"EmbeddedEngine(Stack(Path({str(stack.root)!r}))).observe()\n"
        "print(sorted({'pulumi', 'pulumi_aws', 'boto3', 'botocore', 'moto'} & set(sys.modules)))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_what_is_made_has_the_same_names_however_early_pulumi_was_imported(engine, stack):
    """A name that differs is another resource: all would be made a second time, and the first be taken away."""
    importlib.import_module("pulumi")
    engine.up(print)
    assert {entry.urn.split("::")[0] for entry in state.load(stack.home).resources} == {"urn:pulumi:local"}
    assert {entry.urn.split("::")[1] for entry in state.load(stack.home).resources} == {"stayput"}
    again = "import sys; sys.path.insert(0, '.'); from pathlib import Path; from stayput.stack import Stack;"
    again += "from stayput.engine.embedded import EmbeddedEngine; EmbeddedEngine(Stack(Path(sys.argv[1]))).up(print)"
    said = subprocess.run([sys.executable, "-c", again, str(stack.root)], cwd=ROOT, capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (0, "")
