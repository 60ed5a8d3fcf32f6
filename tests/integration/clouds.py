"""The Pulumi program in a folder of its own, to be provisioned, changed and broken."""

import shutil
from pathlib import Path

from stayput.localcloud import server
from stayput.localcloud.table import connect
from stayput.stack import Stack

ROOT = Path(__file__).parents[2]


def copy_program(root: Path) -> Stack:
    """With components of its own, so that a test may change them: copies of stayput.infra in the program's folder."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "stayput" / "infra", root / "infra", ignore=ignored)
    shutil.copytree(ROOT / "infra", root / "infra", ignore=ignored, dirs_exist_ok=True)
    for file in (root / "infra").glob("*.py"):
        file.write_text(file.read_text().replace("stayput.infra.", "infra."))
    for name in ("Pulumi.yaml", "Pulumi.local.yaml"):
        shutil.copy2(ROOT / name, root / name)
    return Stack(root)


def kill_cloud(stack):
    process = server.observe(stack.home).process()
    process.kill()
    process.wait(timeout=10)


def buckets(cloud):
    return [one["Name"] for one in connect(cloud.endpoint_url, "eu-central-1").s3.list_buckets()["Buckets"]]


def key_ids(cloud):
    iam = connect(cloud.endpoint_url, "eu-central-1").iam
    return [
        one["AccessKeyId"] for one in iam.list_access_keys(UserName=cloud.outputs.uploader_name)["AccessKeyMetadata"]
    ]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path.name} has no {old!r}"
    path.write_text(text.replace(old, new))
