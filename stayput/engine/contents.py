"""What a bucket holds, counted before it is lost."""

from stayput.engine.account import MAY, explaining
from stayput.errors import WrongUse
from stayput.localcloud.resource import Aws, unless_gone
from stayput.localcloud.s3 import Bucket


def check_empty(aws: Aws, name: str) -> None:
    """Whether nothing is lost with a bucket; one that is gone holds nothing. Raises WrongUse, StayputError."""
    with explaining(f"the bucket {name}", MAY):
        objects, size = unless_gone(lambda: _count(aws, name)) or (0, 0)
    if objects:
        what = f"holds {objects:,} objects ({size:,} bytes), old versions included, which would be lost"
        raise WrongUse(f"the bucket {name}", what, "save them; then destroy with --with-objects")


def delete_bucket(aws: Aws, name: str, *, with_objects: bool) -> None:
    """Delete a bucket; one with objects only when asked to. Gone already is no error. Raises WrongUse, StayputError."""
    if not with_objects:
        check_empty(aws, name)
    with explaining(f"the bucket {name}", MAY):
        Bucket(aws).delete(name, {"forceDestroy": with_objects})


def _count(aws: Aws, name: str) -> tuple[int, int]:
    objects = size = 0
    for page in aws.s3.get_paginator("list_object_versions").paginate(Bucket=name):
        for version in page.get("Versions", ()):
            objects, size = objects + 1, size + version.get("Size", 0)
    return objects, size
