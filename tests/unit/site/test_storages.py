"""Where pictures are kept, for each way of choosing."""

from pathlib import Path
from typing import Any

import pytest

from stayput.django import storages
from stayput.django.variables import Values, read
from tests.unit.site.test_variables import IMAGEKIT, KEYS, S3

MEDIA = Path("/data/media")


def options(environ: dict[str, str]) -> dict[str, Any]:
    return storages.storages(read(environ), media_root=MEDIA)["default"]["OPTIONS"]


def s3_storage(environ: dict[str, str]) -> Any:
    from stayput.django.s3 import S3MediaStorage

    return S3MediaStorage(**options(environ))


def test_without_s3_pictures_are_on_local_disk():
    chosen = storages.storages(read(KEYS), media_root=MEDIA)
    assert chosen["default"]["BACKEND"] == "django.core.files.storage.FileSystemStorage"
    assert chosen["default"]["OPTIONS"] == {"location": "/data/media", "base_url": "/media/"}


@pytest.mark.parametrize("environ", [KEYS, S3, IMAGEKIT])
def test_static_files_are_served_by_whitenoise_whatever_holds_the_pictures(environ: dict[str, str]):
    chosen = storages.storages(read(environ), media_root=MEDIA)
    assert chosen["staticfiles"] == {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    assert set(chosen) == {"default", "staticfiles"}


def test_s3_overwrites_nothing_sets_no_acl_and_gives_up_in_time():
    chosen = options(S3)
    assert (chosen["location"], chosen["file_overwrite"], chosen["default_acl"]) == ("media", False, None)
    assert chosen["object_parameters"] == {
        "CacheControl": "public, max-age=31536000, immutable",
        "ContentDisposition": "inline",
    }
    config = chosen["client_config"]
    assert (config.signature_version, config.connect_timeout, config.read_timeout) == ("s3v4", 3, 15)
    assert config.retries["total_max_attempts"] == 2


def test_a_public_address_has_bucket_and_region_and_no_signature():
    address = "https://gallery-media.s3.eu-central-1.amazonaws.com/media/"
    assert s3_storage(S3).url("a b.webp") == address + "a%20b.webp"
    assert storages.media_url(read(S3)) == address


def test_an_address_in_china_ends_in_cn():
    values = read(S3 | {"AWS_S3_REGION_NAME": "cn-north-1"})
    assert storages.media_url(values) == "https://gallery-media.s3.cn-north-1.amazonaws.com.cn/media/"


def test_a_private_address_is_signed_and_has_the_region():
    url = s3_storage(S3 | {"AWS_QUERYSTRING_AUTH": "True"}).url("a.webp")
    assert url.startswith("https://gallery-media.s3.eu-central-1.amazonaws.com/media/a.webp?X-Amz-Algorithm=AWS4-HMAC")
    assert "%2Feu-central-1%2Fs3%2F" in url
    assert "X-Amz-Signature=" in url


def test_another_s3_is_addressed_by_path_and_amazons_by_host():
    other = S3 | {"AWS_S3_ENDPOINT_URL": "http://127.0.0.1:5000/"}
    assert options(other)["client_config"].s3 == {"addressing_style": "path"}
    assert options(S3)["client_config"].s3 == {"addressing_style": "virtual"}
    assert s3_storage(other).url("a.webp") == "http://127.0.0.1:5000/gallery-media/media/a.webp"
    assert storages.media_url(read(other)) == "http://127.0.0.1:5000/gallery-media/media/"


def test_checksums_are_sent_to_amazon_and_to_another_s3_only_where_it_needs_them():
    other = S3 | {"AWS_S3_ENDPOINT_URL": "https://s3.example.com", "AWS_S3_REGION_NAME": "eu-central-003"}
    for environ, wanted in ((S3, "when_supported"), (other, "when_required")):
        config = options(environ)["client_config"]
        assert (config.request_checksum_calculation, config.response_checksum_validation) == (wanted, wanted)


def test_a_cdn_stands_in_every_address():
    behind_cdn = S3 | {"AWS_S3_CUSTOM_DOMAIN": "pictures.example.com"}
    assert s3_storage(behind_cdn).url("a.webp") == "https://pictures.example.com/media/a.webp"
    local = behind_cdn | {"AWS_S3_ENDPOINT_URL": "http://127.0.0.1:5000"}
    assert storages.media_url(read(local)) == "https://pictures.example.com/media/"


def test_imagekit_gives_up_long_before_a_worker_does():
    chosen = options(IMAGEKIT)
    assert (chosen["timeout"], chosen["retries"]) == (10, 1)
    assert storages.media_url(read(IMAGEKIT)) == "https://ik.imagekit.io/gallery/media/"


def test_values_made_by_hand_serve_as_well_as_those_that_were_read():
    values = Values(secret_key="x", stayput_key="x")
    assert storages.media_url(values) == "/media/"
