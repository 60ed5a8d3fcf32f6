"""Addresses as people write them: what is wrong with one, and which of them lead to a bucket."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

WITHOUT_COLON = re.compile(r"(https?)(//|;/|:/?(?!/)|:///|\.//)", re.IGNORECASE | re.ASCII)
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE | re.ASCII)
HOST_LIKE = re.compile(r"([a-z0-9-]+\.)+([a-z]{2,})(:\d+)?", re.IGNORECASE | re.ASCII)
FILE_LIKE = re.compile(r".*\.(html?|php|aspx?|json|xml)", re.IGNORECASE | re.ASCII)


def split(text: str) -> SplitResult | None:
    """The parts of an address with a port that may be; None where it cannot be read."""
    try:
        parts = urlsplit(text)
        return None if parts.port == 0 else parts
    except ValueError:
        return None


def is_host(name: str) -> bool:
    """Whether it is a name that a certificate, a header and boto3 take: labels of letters, digits and hyphens."""
    return len(name) < 254 and all(LABEL.fullmatch(label) for label in name.removesuffix(".").split("."))


def fault(text: str) -> str:
    """What is wrong with an http address, as the end of a sentence; empty where nothing is."""
    if WITHOUT_COLON.match(text):
        return "is not an address: what follows http or https is ://"
    parts = split(text)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        return "is not an address that begins with http:// or https://"
    if not (is_host(parts.hostname) or ":" in parts.hostname):
        return "is not an address: its host has a character that no host may have"
    return ""


def path_fault(text: str) -> str:
    """The same of a setting that may also be a path of this site, such as MEDIA_URL."""
    bare = text.lstrip("/")  # Django puts a slash before what it takes for a path
    if WITHOUT_COLON.match(bare):
        return "is not an address: what follows http or https is ://"
    if text.startswith(("http://", "https://")):
        return fault(text)
    first = bare.partition("/")[0]
    if not text.startswith("//") and HOST_LIKE.fullmatch(first) and not FILE_LIKE.fullmatch(first):
        return f"is a path of this site: before {first} there is no https://"
    return ""


def names_bucket(endpoint: str, bucket: str) -> bool:
    """Whether an S3 endpoint holds the name of the bucket, which boto3 adds by itself.

    A bucket of a plain name may have a namesake: media, on a server called media.example.com.
    """
    parts = split(endpoint)
    if parts is None or not bucket:
        return False
    if bucket in parts.path.split("/"):
        return True
    first, _, rest = (parts.hostname or "").partition(f"{bucket.lower()}.")
    return not first and "." in rest and (not bucket.isalpha() or rest.count(".") > 1)


def needs_other_certificate(host: str, bucket: str) -> bool:
    """Whether a host of Amazon's begins with a bucket whose name has a dot: their certificate covers one label."""
    return "." in bucket and host.startswith(f"{bucket}.") and host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def of_bucket(storage: Any) -> Sequence[str]:
    """Hosts, with a path where need be, under which the bucket's objects are read; the most likely first."""
    bucket, region = storage.bucket_name, getattr(storage, "region_name", "") or "us-east-1"
    endpoint = split(str(getattr(storage, "endpoint_url", "") or ""))
    host = endpoint.netloc if endpoint else ""
    custom = getattr(storage, "custom_domain", "") or ""
    own = [host] if host else [f"s3.{region}.amazonaws.com", f"s3.dualstack.{region}.amazonaws.com"]
    if region == "us-east-1" and not host:
        own.append("s3.amazonaws.com")
    if region.startswith("cn-"):
        own = [f"{one}.cn" for one in own]
    return [*([custom] if custom else []), *(f"{bucket}.{one}" for one in own), *(f"{one}/{bucket}" for one in own)]


def leads_to(address: str, storage: Any) -> bool:
    return any(f"{address}/".startswith(f"{one.rstrip('/')}/") for one in of_bucket(storage))
