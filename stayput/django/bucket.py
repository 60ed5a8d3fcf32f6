"""What the checks say of a bucket's settings and of addresses, in whatever way a project writes them down."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Warning

from stayput.django import addresses, parsers, s3_values

# What django-storages reads as settings, as attributes of its storage.
OF_S3 = {
    "AWS_STORAGE_BUCKET_NAME": "bucket_name",
    "AWS_S3_REGION_NAME": "region_name",
    "AWS_S3_ENDPOINT_URL": "endpoint_url",
    "AWS_S3_CUSTOM_DOMAIN": "custom_domain",
    "AWS_LOCATION": "location",
    "AWS_DEFAULT_ACL": "default_acl",
    "AWS_QUERYSTRING_AUTH": "querystring_auth",
    "AWS_S3_FILE_OVERWRITE": "file_overwrite",
}
# Names that people give to them, and that nothing reads.
MEANT = {
    "AWS_BUCKET_NAME": "AWS_STORAGE_BUCKET_NAME",
    "AWS_S3_BUCKET_NAME": "AWS_STORAGE_BUCKET_NAME",
    "AWS_STORAGE_BUCKET": "AWS_STORAGE_BUCKET_NAME",
    "AWS_REGION_NAME": "AWS_S3_REGION_NAME",
    "AWS_S3_REGION": "AWS_S3_REGION_NAME",
    "AWS_STORAGE_REGION": "AWS_S3_REGION_NAME",
    "AWS_S3_ENDPOINT": "AWS_S3_ENDPOINT_URL",
    "AWS_CUSTOM_DOMAIN": "AWS_S3_CUSTOM_DOMAIN",
    "AWS_HEADERS": "AWS_S3_OBJECT_PARAMETERS",
    "AWS_ACL": "AWS_DEFAULT_ACL",
    "AWS_FILE_OVERWRITE": "AWS_S3_FILE_OVERWRITE",
}


def faults(setting: Any, storage: Any) -> Iterator[CheckMessage]:
    """storage: the default one, or None where it cannot be made."""
    yield from written_addresses(setting, storage)
    if hasattr(storage, "bucket_name"):
        yield from names(storage)
        if storage.bucket_name:
            yield from media_address(setting, storage)
        else:
            yield Error("S3 is in use, but no bucket is named", "set AWS_STORAGE_BUCKET_NAME", id="stayput.E008")
        yield from settings_of_s3(setting, storage)


def names(storage: Any) -> Iterator[CheckMessage]:
    """Bucket and region can be names of some S3's, as they are written."""
    elsewhere = bool(getattr(storage, "endpoint_url", ""))
    region = s3_values.region_elsewhere if elsewhere else s3_values.region_of_aws
    for option, setting, parse in (
        ("bucket_name", "AWS_STORAGE_BUCKET_NAME", s3_values.bucket),
        ("region_name", "AWS_S3_REGION_NAME", region),
    ):
        text = str(getattr(storage, option, "") or "")
        if not text or (text.startswith("arn:") and ":accesspoint" in text):
            continue
        try:
            right = parse(parsers.cleaned(text))
        except parsers.Unusable as wrong:
            yield Error(f"the storage's {option} {wrong}", f"correct {setting}", id="stayput.E019")
        else:
            if right != text:
                yield Error(f"the storage's {option} is written as nothing takes it", f"use {right}", id="stayput.E019")


def written_addresses(setting: Any, storage: Any) -> Iterator[CheckMessage]:
    """Addresses that no browser and no client can use as they are written."""
    domain, endpoint = (str(getattr(storage, name, "") or "") for name in ("custom_domain", "endpoint_url"))
    found = {name: addresses.path_fault(str(getattr(setting, name) or "")) for name in ("MEDIA_URL", "STATIC_URL")}
    if (base := str(getattr(storage, "base_url", "") or "")) != setting.MEDIA_URL:
        found["the storage's base_url"] = addresses.path_fault(base)
    found["the storage's endpoint_url"] = addresses.fault(endpoint) if endpoint else ""
    if "//" in domain or domain.lower().startswith(("http:", "https:")):
        found["the storage's custom_domain"] = "is a domain, and no address: leave out what stands before the host"
    for name, what in found.items():
        if what:
            yield Error(f"{name} {what}", "write it as https://host/path", id="stayput.E016")
    if addresses.names_bucket(endpoint, bucket := str(getattr(storage, "bucket_name", "") or "")):
        what = f"the storage's endpoint_url holds the bucket {bucket}, whose name is added to it at every request"
        yield Error(what, "write the endpoint without the bucket: https://host", id="stayput.E017")


def media_address(setting: Any, storage: Any) -> Iterator[CheckMessage]:
    """MEDIA_URL and the bucket agree."""
    bucket, region = storage.bucket_name, getattr(storage, "region_name", "") or ""
    url = addresses.split(str(setting.MEDIA_URL))
    if url is None:
        return  # of which written_addresses tells
    custom = str(getattr(storage, "custom_domain", "") or "").partition("/")[0]
    for name, host in (("MEDIA_URL", url.netloc), ("the storage's custom_domain", custom)):
        if host.endswith("s3.amazonaws.com") and region != "us-east-1":
            want = f"{bucket}.s3.{region or 'REGION'}.amazonaws.com"
            what = f"{name} has no region: {host} does not show pictures of a bucket in {region or 'its region'}"
            yield Error(what, f"use {want}", id="stayput.E009")
            return
        if addresses.needs_other_certificate(host, bucket) and getattr(storage, "url_protocol", "") != "http:":
            what = f"{name} is {host}, and no certificate of Amazon's covers a bucket whose name has a dot"
            hint = "use a bucket without dots, or a domain of your own before it, such as CloudFront's"
            yield Error(what, hint, id="stayput.E018")
            return
    if url.netloc and not addresses.leads_to(url.netloc + url.path, storage):
        what = f"MEDIA_URL leads to {url.netloc}{url.path}, not to the bucket {bucket}"
        yield Error(what, f"use the bucket's own address: {addresses.of_bucket(storage)[0]}", id="stayput.E010")


def settings_of_s3(setting: Any, storage: Any) -> Iterator[CheckMessage]:
    """Settings that the storage in use does not go by: OPTIONS says otherwise, or the name is no setting's."""
    options = setting.STORAGES["default"].get("OPTIONS", {})
    for name, option in OF_S3.items():
        if option in options and setting.is_overridden(name) and getattr(setting, name) != options[option]:
            what = f'{name} is ignored: OPTIONS of STORAGES["default"] has another {option}'
            yield Warning(what, f"remove {name}, or {option} from OPTIONS", id="stayput.W003")
    for name, meant in MEANT.items():
        if setting.is_overridden(name) and not setting.is_overridden(meant) and OF_S3.get(meant, "") not in options:
            yield Warning(f"{name} is read by nothing", f"call it {meant}", id="stayput.W004")
