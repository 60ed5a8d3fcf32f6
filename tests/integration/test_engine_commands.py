"""The commands that ask Pulumi's own engine before they touch anything: `drift` and `destroy`, on a live release."""

import httpx
import pytest

from stayput.deploy import deploy, destroy
from stayput.drift import drift
from stayput.errors import DifferencesFound, WrongUse
from stayput.localcloud import server
from stayput.localcloud.table import connect
from stayput.report import Report
from tests.integration.checkouts import Checkout

pytestmark = pytest.mark.needs("engine")
REGION = "eu-central-1"


@pytest.fixture(scope="module")
def site(tmp_path_factory, environments):
    """A live release whose bucket was made by hand, and holds what its proof left in it."""
    made = Checkout(tmp_path_factory.mktemp("commands") / "checkout", environments)
    aws = connect(server.start(made.workspace().stack.home).url, REGION)
    aws.s3.create_bucket(Bucket="by-hand", CreateBucketConfiguration={"LocationConstraint": REGION})
    made.append("Pulumi.local.yaml", "  stayput:import: by-hand\n")
    code, said = made.run(deploy, storage="s3")
    assert code == 0, said
    yield made
    destroy(made.workspace(), Report(True), with_objects=True)


def cloud_of(site):
    return connect(server.observe(site.workspace().stack.home).url, REGION)


def written(site):
    """Every file that says what was made."""
    home = site.workspace().stack.home
    files = [home / "applied.json", *(home / ".pulumi" / "stacks").rglob("*.json")]
    assert len(files) > 1
    return {file: file.read_bytes() for file in files}


def test_drift_says_that_there_is_none(site):
    code, said = site.run(drift, storage="s3")
    assert (code, said["ok"], said["drift"], said["changes"]) == (0, True, [], [])


def test_drift_tells_a_changed_rule_with_its_exit_code_and_changes_nothing(site):
    s3 = cloud_of(site).s3
    before = s3.get_bucket_cors(Bucket="by-hand")["CORSRules"]
    opened = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]
    s3.put_bucket_cors(Bucket="by-hand", CORSConfiguration={"CORSRules": opened})
    state = written(site)
    code, said = site.run(drift, storage="s3")
    assert code == DifferencesFound.exit_code == 4
    (told,) = said["drift"]
    assert told["resource"] == "BucketCorsConfiguration media"
    assert told["what"].startswith('corsRules is [{"allowedMethods": ["GET"], "allowedOrigins": ["*"]')
    assert said["error"]["next"] == "put it right: invoke deploy"
    assert s3.get_bucket_cors(Bucket="by-hand")["CORSRules"] == opened
    assert written(site) == state
    assert site.run(deploy, storage="s3")[0] == 0
    assert s3.get_bucket_cors(Bucket="by-hand")["CORSRules"] == before
    assert site.run(drift, storage="s3")[0] == 0


def test_a_bucket_that_may_not_go_is_told_before_the_release_is_taken_off(site):
    s3 = cloud_of(site).s3
    s3.put_object(Bucket="by-hand", Key="media/a", Body=b"precious")
    code, said = site.run(destroy, storage="s3")
    assert code == WrongUse.exit_code
    assert said["error"]["where"] == "the bucket by-hand"
    assert "bytes), old versions included, which would be lost" in said["error"]["what"]
    assert "--with-objects" in said["error"]["next"]
    assert httpx.get(site.url).status_code == 200
    assert s3.get_object(Bucket="by-hand", Key="media/a")["Body"].read() == b"precious"
