"""The uploader's own key, used: AWS takes some seconds until every part of S3 knows a new one."""

import functools
import time
import uuid
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from stayput.engine import Outputs
from stayput.errors import StayputError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CHECKSUMS = ("request_checksum_calculation", "response_checksum_validation")
NOT_YET = {"InvalidAccessKeyId", "AccessDenied", "403", "SignatureDoesNotMatch"}  # all of them said of a key too young


@functools.cache
def as_uploader(outputs: Outputs, endpoint_url: str = "") -> "S3Client":
    """S3 with the uploader's own key. endpoint_url: of this machine's cloud; empty for AWS."""
    patience = Config(connect_timeout=3, read_timeout=15, retries={"total_max_attempts": 3})
    sparing: dict[str, Any] = dict.fromkeys(CHECKSUMS, "when_required")  # another S3 may refuse their headers
    local = Config(proxies={}, s3={"addressing_style": "path"}, **sparing) if endpoint_url else None
    session = boto3.Session(outputs.access_key_id, outputs.secret_access_key.value, region_name=outputs.region)
    return session.client("s3", endpoint_url=endpoint_url or None, config=patience.merge(local) if local else patience)


def wait_until_usable(outputs: Outputs, endpoint_url: str = "", timeout: float = 60, every: float = 1) -> None:
    """Return when the uploader's own key can write, read and delete in incoming/.

    endpoint_url: of this machine's cloud; empty for AWS. timeout, every: seconds. Raises StayputError when time is up,
    or at once for what waiting does not cure.
    """
    s3 = as_uploader(outputs, endpoint_url)
    key = f"incoming/stayput-probe-{uuid.uuid4()}"
    deadline = time.monotonic() + timeout
    while True:
        try:
            s3.put_object(Bucket=outputs.bucket, Key=key, Body=b"probe")
            s3.get_object(Bucket=outputs.bucket, Key=key)["Body"].read()
            s3.delete_object(Bucket=outputs.bucket, Key=key)
        except (ClientError, BotoCoreError) as error:
            code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None
            if code not in NOT_YET or time.monotonic() > deadline:
                raise _refused(outputs.access_key_id, outputs.bucket, error) from None
            time.sleep(every)
        else:
            return


def _refused(key: str, bucket: str, error: Exception) -> StayputError:
    return StayputError(
        f"key {key}, bucket {bucket}",
        f"the uploader cannot use its key: {error}",
        "see whether someone changed the key or the policies, and run it again: invoke deploy",
    )
