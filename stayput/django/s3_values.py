"""The variables of S3: the name of a bucket, a region, a key, each by itself and then all of them together."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from stayput.django import addresses, parsers
from stayput.django.parsers import Unusable

AWS_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}")
ANY_REGION = re.compile(r"(?![0-9]+$)(?!-)[A-Za-z0-9-]{1,63}(?<!-)")  # all that boto3 takes
AWS_BUCKET = re.compile(r"(?!.*(\.\.|\.-|-\.))[a-z0-9.-]+")
ANY_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
FOUR_NUMBERS = re.compile(r"[0-9]+(\.[0-9]+){3}")
AWS_KEY_ID = re.compile(r"A[KS]IA[A-Z0-9]{12,}")
ENDPOINT_OF_AWS = re.compile(r"https?://s3[.-](dualstack\.)?([a-z0-9-]+)\.amazonaws\.com(\.cn)?")


def bucket(text: str) -> str:
    """The name of a bucket; also as console and command line write it: s3://name, arn:aws:s3:::name."""
    text = re.sub(r"^(s3://|arn:aws[a-z-]*:s3:::)([^/:]+)/?$", r"\2", text)
    if "/" in text or ":" in text:
        raise Unusable("is not the name of a bucket alone: leave out address and path")
    if text and (not ANY_BUCKET.fullmatch(parsers.word(text)) or FOUR_NUMBERS.fullmatch(text)):
        raise Unusable("is not the name of a bucket: 3 to 63 lower-case letters, digits and hyphens")
    return text


def region(text: str) -> str:
    """A region; out of what Amazon's console writes, such as Europe (Frankfurt) eu-central-1, the region alone."""
    found = {part for part in re.split(r"[\s(),]+", text) if AWS_REGION.fullmatch(part)}
    if len(found) == 1 and "/" not in text and ":" not in text:
        return found.pop()
    parsers.placeholder(text)
    return text


def region_of_aws(text: str) -> str:
    """A region of AWS, which a zone's letter, upper case and underscores leave no doubt about."""
    plain = re.sub(r"(?<=-[0-9])[a-z]$", "", text.lower().replace("_", "-"))
    if not AWS_REGION.fullmatch(plain):
        raise Unusable("is not a region of AWS such as eu-central-1; with another S3, set AWS_S3_ENDPOINT_URL too")
    return plain


def region_elsewhere(text: str) -> str:
    if not ANY_REGION.fullmatch(text):
        raise Unusable("is not a region: letters, digits and hyphens")
    return text


def settled_region(values: Mapping[str, Any]) -> str:
    settle = region_elsewhere if values.get("AWS_S3_ENDPOINT_URL") else region_of_aws
    return settle(values["AWS_S3_REGION_NAME"])


def settled_bucket(values: Mapping[str, Any]) -> str:
    name = values["AWS_STORAGE_BUCKET_NAME"]
    if values.get("AWS_S3_ENDPOINT_URL"):
        return name
    if not AWS_BUCKET.fullmatch(name):
        raise Unusable("is not the name of a bucket of AWS: lower-case letters, digits and hyphens")
    if "." in name and not values.get("AWS_S3_CUSTOM_DOMAIN") and not values.get("AWS_QUERYSTRING_AUTH"):
        raise Unusable("has a dot, and no certificate covers its https address: set AWS_S3_CUSTOM_DOMAIN, or rename it")
    return name


def settled_endpoint(values: Mapping[str, Any]) -> str:
    endpoint = values["AWS_S3_ENDPOINT_URL"]
    if addresses.names_bucket(endpoint, values.get("AWS_STORAGE_BUCKET_NAME", "")):
        raise Unusable("holds the name of the bucket, which is added at every request: leave it out")
    of_aws = ENDPOINT_OF_AWS.fullmatch(endpoint)
    if of_aws and values.get("AWS_S3_REGION_NAME", of_aws[2]) != of_aws[2]:
        raise Unusable("is of another region than AWS_S3_REGION_NAME: unset it, or make them agree")
    return endpoint


def settled_key_id(values: Mapping[str, Any]) -> str:
    name, secret = values["AWS_ACCESS_KEY_ID"], values.get("AWS_SECRET_ACCESS_KEY", "")
    if AWS_KEY_ID.fullmatch(secret) and not AWS_KEY_ID.fullmatch(name):
        raise Unusable("and AWS_SECRET_ACCESS_KEY are swapped: the id is the one that begins with AKIA")
    return name


def settled_secret(values: Mapping[str, Any]) -> str:
    secret = values["AWS_SECRET_ACCESS_KEY"]
    if AWS_KEY_ID.fullmatch(secret):
        raise Unusable("is the id of a key: set the secret that AWS showed with it")
    return secret


# In this order: each sees what those before it have put right.
SETTLED: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "AWS_S3_REGION_NAME": settled_region,
    "AWS_STORAGE_BUCKET_NAME": settled_bucket,
    "AWS_S3_ENDPOINT_URL": settled_endpoint,
    "AWS_ACCESS_KEY_ID": settled_key_id,
    "AWS_SECRET_ACCESS_KEY": settled_secret,
}
