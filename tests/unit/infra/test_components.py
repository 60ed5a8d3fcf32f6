"""The components in a program that is not ours: plain arguments, no settings."""

from tests.unit.infra.program import run

PROGRAM = """
import pulumi
from stayput.infra.bucket import MediaBucket
from stayput.infra.uploader import Uploader

for site in ("shop", "blog"):
    media = MediaBucket(site, mode="private", origins=[f"https://{site}.example.org"], bucket=f"{site}-media")
    uploader = Uploader(site, bucket_arn=media.arn)
    pulumi.export(site, uploader.access_key_id)
"""


def test_a_program_of_anyone_makes_several_sites_from_plain_arguments(tmp_path):
    program = tmp_path / "__main__.py"
    program.write_text(PROGRAM)
    made = run(main=program)
    assert {one.inputs["bucket"] for one in made.all("Bucket")} == {"shop-media", "blog-media"}
    assert {one.name for one in made.all("User")} == {"shop", "blog"}
    rules = [one.inputs["corsRules"][0]["allowedOrigins"] for one in made.all("BucketCorsConfiguration")]
    assert sorted(rules) == [["https://blog.example.org"], ["https://shop.example.org"]]
    policies = {one.name: one.inputs["policy"] for one in made.all("GroupPolicy")}
    assert all(f"arn:aws:s3:::{name}-media/media/*" in policy for name, policy in policies.items())
    assert set(made.outputs) == {"shop", "blog"}
