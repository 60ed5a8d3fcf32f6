"""What a bucket holds, counted before it is lost."""

from botocore.exceptions import BotoCoreError, ClientError

from stayput.errors import StayputError, WrongUse
from stayput.localcloud.resource import Aws, unless_gone
from stayput.localcloud.s3 import Bucket


def delete_bucket(aws: Aws, name: str, *, with_objects: bool) -> None:
    """Delete a bucket; one with objects only when told so. Gone already is no error. Raises WrongUse, StayputError."""
    try:
        objects, size = unless_gone(lambda: _count(aws, name)) or (0, 0)
        if objects and not with_objects:
            what = f"holds {objects:,} objects ({size:,} bytes), old versions included, which would be lost"
            raise WrongUse(f"the bucket {name}", what, "save them; then destroy with --with-objects")
        Bucket(aws).delete(name, {"forceDestroy": with_objects})
    except (ClientError, BotoCoreError) as error:
        said = " ".join(str(error).split())
        raise StayputError(f"the bucket {name}", said, "see whether your key may do that, then run it again") from None


def _count(aws: Aws, name: str) -> tuple[int, int]:
    objects = size = 0
    for page in aws.s3.get_paginator("list_object_versions").paginate(Bucket=name):
        for version in page.get("Versions", ()):
            objects, size = objects + 1, size + version.get("Size", 0)
    return objects, size
