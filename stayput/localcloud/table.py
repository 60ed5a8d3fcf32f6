"""What this machine's cloud can make, whichever engine asks: one object for each type of resource."""

from collections.abc import Mapping
from functools import cache

import boto3
from botocore.config import Config

from stayput.localcloud import iam, s3
from stayput.localcloud.resource import Aws, Resource

NO_ACCOUNT = "this-machine"  # credentials of no account


@cache
def connect(url: str, region: str) -> Aws:
    """Clients of this machine's cloud at that address, past any proxy; the same ones, which any thread may use."""
    session = boto3.Session(NO_ACCOUNT, NO_ACCOUNT, region_name=region)
    config = Config(proxies={}, s3={"addressing_style": "path"}, retries={"total_max_attempts": 2})
    return Aws(
        s3=session.client("s3", endpoint_url=url, config=config),  # pyright: ignore[reportUnknownMemberType]
        iam=session.client("iam", endpoint_url=url, config=config),  # pyright: ignore[reportUnknownMemberType]
        region=region,
    )


def connect_account(config: Mapping[str, str]) -> Aws:
    """Clients of the account that the environment, or the stack's aws:profile, names."""
    region = config["aws:region"]
    session = boto3.Session(profile_name=config.get("aws:profile"), region_name=region)
    return Aws(s3=session.client("s3"), iam=session.client("iam"), region=region)  # pyright: ignore[reportUnknownMemberType]


def table(aws: Aws) -> dict[str, Resource]:
    """Every resource type by its type token."""
    return {one.type: one(aws) for one in (*s3.RESOURCES, *iam.RESOURCES)}
