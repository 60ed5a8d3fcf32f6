"""What goes wrong with Pulumi's own engine is one line with the next step, and the next `up` puts it right."""

import json
import shutil
import socket
import subprocess

import pytest

from stayput.engine import cli
from stayput.engine.automation import PulumiEngine
from stayput.errors import NeedsAPerson, StayputError
from stayput.localcloud import server
from stayput.localcloud.table import connect
from tests.integration.clouds import buckets, copy_program, edit

pytestmark = pytest.mark.needs("engine")


def pulumi(stack):
    return PulumiEngine(stack, cli.find())


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    made = copy_program(tmp_path_factory.mktemp("faults"))
    pulumi(made).up(print)
    yield made
    server.stop(made.home)


@pytest.fixture
def restored(stack):
    """The stack, with its files as they were when the test is over."""
    kept = {path: path.read_bytes() for path in stack.root.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    yield stack
    for path, content in kept.items():
        path.write_bytes(content)


def refusal(stack):
    with pytest.raises(StayputError) as refused:
        pulumi(stack).up(print)
    assert "\n" not in str(refused.value)
    return refused.value


def test_a_wrong_passphrase(restored):
    (restored.home / "passphrase").write_text("wrong")
    said = refusal(restored)
    assert said.what == "the passphrase is not the one that the stack was encrypted with"
    assert str(restored.home / "passphrase") in said.next_step


def test_a_state_that_cannot_be_read(restored):
    (state,) = (restored.home / ".pulumi" / "stacks").rglob("local.json")
    state.write_text("{")
    said = refusal(restored)
    assert isinstance(said, NeedsAPerson)
    assert said.what == "its state cannot be read"


def test_a_lock_that_somebody_elsewhere_holds_is_named_and_one_of_the_dead_is_taken_away(restored, tmp_path):
    lock = restored.home / ".pulumi" / "locks" / "organization" / "stayput" / "local" / "1.json"
    holder = {"pid": 1, "username": "ada", "hostname": "elsewhere", "timestamp": "2026-01-01T00:00:00Z"}
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(json.dumps(holder))
    try:
        said = refusal(restored)
    finally:
        lock.unlink()
    assert "ada@elsewhere" in said.what
    assert "pulumi cancel" in said.next_step
    lock.write_text(json.dumps({**holder, "hostname": socket.gethostname(), "pid": 2**22}))
    half_written = lock.with_name("2.json")
    half_written.write_text('{"pid": 1')
    killed = subprocess.Popen([shutil.copy2("/bin/sleep", tmp_path / "pulumi"), "60"])
    killed.kill()  # and not reaped yet
    of_the_killed = lock.with_name("3.json")
    of_the_killed.write_text(json.dumps({**holder, "hostname": socket.gethostname(), "pid": killed.pid}))
    pulumi(restored).up(print)
    assert [one.exists() for one in (lock, half_written, of_the_killed)] == [False] * 3
    killed.wait()


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("bucket.py", "json.dumps(document(arn))", "'no policy'", "BucketPolicy media: policy"),
        (
            "bucket.py",
            "document(arn)",
            "document(arn + 'x')",
            "BucketPolicy media: policy",
        ),
        ("policies.py", '"Action": "s3:GetObject"', '"Action": "s3:GetObjekt"', "s3:GetObjekt"),
        ("bucket.py", '"HEAD", "POST"', '"HEAD", "PATCH"', "BucketCorsConfiguration media: "),
        ("bucket.py", "bucket=bucket, force", 'bucket="Our_Photos", force', "Bucket media: bucket"),
        ("bucket.py", "force_destroy=empty_on_destroy", 'force_destroy=True, acl="private"', "does not know it"),
        ("bucket.py", "    return [\n", "    raise ValueError('no\\nway')\n    return [\n", "infra/bucket.py, line "),
    ],
)
def test_what_the_provider_and_s3_refuse_is_refused_here(restored, file, old, new, told):
    edit(restored.root / "infra" / file, old, new)
    assert told in str(refusal(restored))


def test_a_public_policy_against_a_closed_access_block_is_told_by_a_plan_and_refused(restored):
    bucket = pulumi(restored).observe().outputs.bucket
    edit(restored.root / "infra" / "bucket.py", "block_public_policy=closed", "block_public_policy=True")
    with pytest.raises(StayputError) as told:
        pulumi(restored).observe()
    assert told.value.where == "BucketPolicy media"
    assert told.value.what == f"policy is public, and the access block of {bucket} keeps such policies out"
    assert str(refusal(restored)) == str(told.value)


def test_a_bucket_name_that_is_taken_is_told_and_left_alone(restored):
    aws = connect(server.observe(restored.home).url, "eu-central-1")
    aws.s3.create_bucket(Bucket="taken", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    aws.s3.put_object(Bucket="taken", Key="precious", Body=b"precious")
    restored.settings.write_text(restored.settings.read_text() + "  stayput:bucket: taken\n")
    said = refusal(restored)
    assert said.what == "a bucket of that name is yours already"
    assert aws.s3.get_object(Bucket="taken", Key="precious")["Body"].read() == b"precious"


def test_after_all_of_these_an_up_finds_its_way_back(stack):
    cloud = pulumi(stack).up(print)
    assert cloud.outputs.bucket in buckets(cloud)
    assert pulumi(stack).observe().reason == ""
