"""Django's STORAGES, chosen by variables: local disk, S3 or ImageKit for pictures, whitenoise for static files."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stayput.django.variables import Values

LOCATION = "media"  # where pictures lie in the bucket
S3_CONNECT_TIMEOUT, S3_READ_TIMEOUT, S3_ATTEMPTS = 3, 15, 2  # seconds, seconds, times: far below a worker's 120 s
IMAGEKIT_TIMEOUT, IMAGEKIT_RETRIES = 10, 1  # seconds, times


def storages(values: Values, *, media_root: Path) -> dict[str, dict[str, Any]]:
    """The value of STORAGES. media_root: where pictures lie on local disk."""
    if values.use_s3:
        default = s3(values)
    elif values.imagekit_private_key:
        default = imagekit(values)
    else:
        default = {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(media_root), "base_url": "/media/"},
        }
    return {
        "default": default,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }


def s3(values: Values) -> dict[str, Any]:
    from botocore.config import Config

    signed = values.aws_querystring_auth
    # Another S3 may refuse the headers of the checksums that Amazon's takes with every object.
    checksums = "when_required" if values.aws_s3_endpoint_url else "when_supported"
    return {
        "BACKEND": "stayput.django.s3.S3MediaStorage",
        "OPTIONS": {
            "access_key": values.aws_access_key_id,
            "secret_key": values.aws_secret_access_key,
            "bucket_name": values.aws_storage_bucket_name,
            "region_name": values.aws_s3_region_name,
            "endpoint_url": values.aws_s3_endpoint_url or None,
            "location": LOCATION,
            "file_overwrite": False,
            "default_acl": None,
            "querystring_auth": signed,
            "custom_domain": None if signed else s3_domain(values),
            "url_protocol": "http:" if plain_http(values) else "https:",
            "object_parameters": {
                "CacheControl": f"{'private' if signed else 'public'}, max-age=31536000, immutable",
                "ContentDisposition": "inline",  # shown, and under no name that an uploader chose
            },
            "client_config": Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if values.aws_s3_endpoint_url else "virtual"},
                request_checksum_calculation=checksums,
                response_checksum_validation=checksums,
                connect_timeout=S3_CONNECT_TIMEOUT,
                read_timeout=S3_READ_TIMEOUT,
                retries={"total_max_attempts": S3_ATTEMPTS, "mode": "standard"},
            ),
        },
    }


def s3_domain(values: Values) -> str:
    """Host, and path if need be, under which anyone reads the bucket; without scheme."""
    bucket, region = values.aws_storage_bucket_name, values.aws_s3_region_name
    if values.aws_s3_custom_domain:
        return values.aws_s3_custom_domain
    if values.aws_s3_endpoint_url:
        return f"{values.aws_s3_endpoint_url.partition('://')[2]}/{bucket}"
    return f"{bucket}.s3.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


def plain_http(values: Values) -> bool:
    return urlsplit(values.aws_s3_endpoint_url).scheme == "http" and not values.aws_s3_custom_domain


def imagekit(values: Values) -> dict[str, Any]:
    return {
        "BACKEND": "stayput.django.imagekit.ImageKitStorage",
        "OPTIONS": {
            "private_key": values.imagekit_private_key,
            "url_endpoint": values.imagekit_url_endpoint,
            "folder": LOCATION,
            "timeout": IMAGEKIT_TIMEOUT,
            "retries": IMAGEKIT_RETRIES,
        },
    }


def media_url(values: Values) -> str:
    """The address under which pictures lie, with a slash at its end."""
    if values.use_s3:
        return f"{'http' if plain_http(values) else 'https'}://{s3_domain(values)}/{LOCATION}/"
    if values.imagekit_private_key:
        return f"{values.imagekit_url_endpoint}/{LOCATION}/"
    return "/media/"
