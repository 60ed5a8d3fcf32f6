"""What the checks say of settings that lose uploads, and that they are silent where nothing is wrong."""

from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings
from django.test import override_settings

from stayput.django import checks, disks, modules

DISK = {"BACKEND": checks.FILE_SYSTEM, "OPTIONS": {"location": "/app/media", "base_url": "/media/"}}
STATIC = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


def s3(**options: Any) -> dict[str, Any]:
    plain = {"bucket_name": "media-1", "region_name": "eu-central-1", "access_key": "a", "secret_key": "b"}
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": plain | options}


def found(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str] | None = None, **settings: Any) -> list[str]:
    """The ids that the checks give under these settings and variables."""
    for name, value in (environ or {}).items():
        monkeypatch.setenv(name, value)
    storages = {"STORAGES": {"default": DISK, "staticfiles": STATIC}} | settings
    with override_settings(**storages):
        return [str(message.id) for message in checks.run()]


def test_a_project_on_its_own_disk_has_no_fault(monkeypatch: pytest.MonkeyPatch):
    assert found(monkeypatch) == []


@pytest.mark.skipif(django.VERSION < (5, 1), reason="the setting is still read before Django 5.1")
def test_default_file_storage_is_a_fault_where_django_ignores_it(monkeypatch: pytest.MonkeyPatch):
    assert found(monkeypatch, DEFAULT_FILE_STORAGE="storages.backends.s3.S3Storage") == ["stayput.E001"]


@pytest.mark.skipif(django.VERSION < (5, 1), reason="the setting is still read before Django 5.1")
def test_staticfiles_storage_is_a_fault_where_django_ignores_it(monkeypatch: pytest.MonkeyPatch):
    chosen = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    assert found(monkeypatch, STATICFILES_STORAGE=chosen) == ["stayput.E014"]


@pytest.mark.skipif(django.VERSION < (5, 1), reason="the settings are still read before Django 5.1")
def test_an_old_setting_that_says_what_storages_says_stops_nothing(monkeypatch: pytest.MonkeyPatch):
    old = {"STATICFILES_STORAGE": STATIC["BACKEND"], "DEFAULT_FILE_STORAGE": DISK["BACKEND"]}
    assert found(monkeypatch, **old) == ["stayput.W001", "stayput.W002"]


def test_storages_without_an_entry_for_static_files_is_a_fault_where_they_are_used(monkeypatch: pytest.MonkeyPatch):
    assert found(monkeypatch, STORAGES={"default": DISK}) == ["stayput.E015"]
    without = [app for app in settings.INSTALLED_APPS if app != "django.contrib.staticfiles"]
    assert found(monkeypatch, STORAGES={"default": DISK}, INSTALLED_APPS=without) == []


def test_storages_without_a_default_is_a_fault(monkeypatch: pytest.MonkeyPatch):
    assert found(monkeypatch, STORAGES={"staticfiles": STATIC}) == ["stayput.E002"]


def test_a_storage_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch):
    assert found(monkeypatch, STORAGES={"default": {"BACKEND": "nowhere.Storage"}, "staticfiles": STATIC}) == [
        "stayput.E003"
    ]


def test_s3_chosen_and_the_disk_in_use_is_a_fault(monkeypatch: pytest.MonkeyPatch):
    assert found(monkeypatch, {"USE_S3": "True"}) == ["stayput.E004"]
    assert found(monkeypatch, {"USE_S3": "False"}, AWS_STORAGE_BUCKET_NAME="media-1") == []


def test_two_homes_are_a_fault(monkeypatch: pytest.MonkeyPatch):
    both = {"USE_S3": "True", "IMAGEKIT_PRIVATE_KEY": "private_x"}
    assert found(monkeypatch, both) == ["stayput.E005"]


@pytest.mark.parametrize("variable", checks.PLATFORMS)
def test_disk_and_sqlite_on_a_platform_that_throws_them_away_are_faults(monkeypatch: pytest.MonkeyPatch, variable: str):
    assert found(monkeypatch, {variable: "x"}) == ["stayput.E006", "stayput.E007"]
    assert found(monkeypatch, {variable: "x"}, DEBUG=True) == []


MOUNTS = """\
overlay / overlay rw 0 0
proc /proc proc rw 0 0
tmpfs /data tmpfs rw 0 0
/dev/vdb /data/kept ext4 rw 0 0
/dev/vdb /with\\040blank ext4 rw 0 0
/dev/vdc /twice ext4 rw 0 0
tmpfs /twice tmpfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/app/media", "overlay"),
        ("/data/media", "tmpfs"),
        ("/data/kept/media", "ext4"),
        ("/data/keptnot", "tmpfs"),
        ("/with blank/media", "ext4"),
        ("/twice/media", "tmpfs"),
    ],
)
def test_the_mount_of_a_path_is_the_deepest_and_the_last(path: str, kind: str):
    assert disks.mount_of(Path(path), MOUNTS)[1] == kind


@pytest.mark.skipif(disks.kind_of(Path("/dev/shm")) != "tmpfs", reason="needs a tmpfs at /dev/shm, as Linux has it")
def test_a_volume_in_memory_is_a_throw_away_disk(monkeypatch: pytest.MonkeyPatch):
    disk = {"BACKEND": checks.FILE_SYSTEM, "OPTIONS": {"location": "/dev/shm/media"}}
    platform, storages = {"RENDER": "true"}, {"default": disk, "staticfiles": STATIC}
    assert found(monkeypatch, platform, STORAGES=storages)[:1] == ["stayput.E006"]


def test_a_volume_is_no_throw_away_disk():
    assert disks.on_a_volume(Path("/proc/media"))
    assert not disks.on_a_volume(Path("/nowhere/media"))


@pytest.mark.parametrize(
    ("url", "options", "wanted"),
    [
        ("https://media-1.s3.eu-central-1.amazonaws.com/media/", {}, []),
        ("https://s3.eu-central-1.amazonaws.com/media-1/", {}, []),
        ("https://media-1.s3.amazonaws.com/", {"region_name": "us-east-1"}, []),
        ("https://cdn.example.com/", {"custom_domain": "cdn.example.com"}, []),
        ("http://127.0.0.1:5000/media-1/media/", {"endpoint_url": "http://127.0.0.1:5000"}, []),
        ("", {}, []),
        ("https://media-1.s3.amazonaws.com/", {}, ["stayput.E009"]),
        ("", {"custom_domain": "media-1.s3.amazonaws.com"}, ["stayput.E009"]),
        ("https://media-2.s3.eu-central-1.amazonaws.com/", {}, ["stayput.E010"]),
        ("https://media-12.s3.eu-central-1.amazonaws.com/", {}, ["stayput.E010"]),
        ("", {"bucket_name": ""}, ["stayput.E008"]),
    ],
)
def test_media_url_has_to_lead_to_the_bucket(
    monkeypatch: pytest.MonkeyPatch, url: str, options: dict[str, str], wanted: list[str]
):
    assert found(monkeypatch, STORAGES={"default": s3(**options), "staticfiles": STATIC}, MEDIA_URL=url) == wanted


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"MEDIA_URL": "https//cdn.example.com/media/"}, ["stayput.E016"]),
        ({"MEDIA_URL": "https:/cdn.example.com/media/"}, ["stayput.E016"]),
        ({"MEDIA_URL": "cdn.example.com/media/"}, ["stayput.E016"]),
        ({"STATIC_URL": "https//cdn.example.com/static/"}, ["stayput.E016"]),
        ({"STATIC_URL": "//cdn.example.com/static/"}, []),
        ({"STATIC_URL": "static/"}, []),
        ({"MEDIA_URL": "/files/v1.2/"}, []),
    ],
)
def test_an_address_without_its_colon_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], wanted: list[str]
):
    assert found(monkeypatch, **settings) == wanted


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"endpoint_url": "https//s3.example.com"}, ["stayput.E016"]),
        ({"endpoint_url": "http://my_minio:9000"}, ["stayput.E016"]),
        ({"custom_domain": "https://cdn.example.com"}, ["stayput.E016"]),
        ({"bucket_name": "s3://media-1"}, ["stayput.E019"]),
        ({"bucket_name": "your-bucket-name"}, ["stayput.E019"]),
        ({"bucket_name": "Media_Old"}, []),
        ({"region_name": "Europe (Frankfurt) eu-central-1"}, ["stayput.E019"]),
        ({"region_name": "auto"}, ["stayput.E019"]),
        ({"region_name": "auto", "endpoint_url": "https://s3.example.com"}, []),
        ({"region_name": ""}, []),
        ({"endpoint_url": "https://media-1.fra1.digitaloceanspaces.com"}, ["stayput.E017"]),
        ({"endpoint_url": "https://s3.example.com/media-1"}, ["stayput.E017"]),
        ({"endpoint_url": "https://media.example.com", "bucket_name": "media"}, []),
        ({"endpoint_url": "http://media:9000", "bucket_name": "media"}, []),
        ({"bucket_name": "a.b.c", "custom_domain": "a.b.c.s3.eu-central-1.amazonaws.com"}, ["stayput.E018"]),
        ({"bucket_name": "a.b.c", "custom_domain": "s3.eu-central-1.amazonaws.com/a.b.c"}, []),
        ({"bucket_name": "a.b.c", "custom_domain": "pictures.example.com"}, []),
    ],
)
def test_an_address_of_the_storage_that_cannot_work_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, str], wanted: list[str]
):
    storages = {"default": s3(**options), "staticfiles": STATIC}
    assert found(monkeypatch, STORAGES=storages, MEDIA_URL="") == wanted


def test_a_setting_that_the_storage_does_not_go_by_is_named(monkeypatch: pytest.MonkeyPatch):
    storages = {"STORAGES": {"default": s3(), "staticfiles": STATIC}, "MEDIA_URL": ""}
    assert found(monkeypatch, AWS_STORAGE_BUCKET_NAME="media-2", **storages) == ["stayput.W003"]
    assert found(monkeypatch, AWS_STORAGE_BUCKET_NAME="media-1", **storages) == []
    assert found(monkeypatch, AWS_HEADERS={"x": "y"}, **storages) == ["stayput.W004"]


def test_a_silenced_fault_stops_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("USE_S3", "True")
    with override_settings(STORAGES={"default": DISK, "staticfiles": STATIC}):
        (fault,) = checks.faults()
        assert fault.startswith("(stayput.E004) S3 is chosen, but uploads go to the local disk: ")
        assert fault.endswith('. Next: set STORAGES["default"] to the storage that is meant')
    with override_settings(STORAGES={"default": DISK, "staticfiles": STATIC}, SILENCED_SYSTEM_CHECKS=["stayput.E004"]):
        assert checks.faults() == []


def test_a_package_that_is_missing_or_of_another_major_version_is_a_fault(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(checks.MAJORS, "no-such-package", 1)
    monkeypatch.setitem(checks.MAJORS, "imagekitio", 99)
    (missing,) = checks.major("no-such-package", "no-such-package<2")
    (other,) = checks.major("imagekitio", "imagekitio>=99")
    assert (missing.id, missing.msg) == ("stayput.E011", "no-such-package is used and not installed")
    assert other.id == "stayput.E012"
    assert other.msg.endswith(" is installed, and version 99 is needed")


SOURCE = """
from __future__ import annotations
import os.path
from . import nearby
from PIL import Image
if TYPE_CHECKING:
    import for_types
else:
    import for_real
try:
    import guarded
except ImportError:
    guarded = None
def later():
    import lazily
"""


def test_an_import_that_has_to_succeed_is_found_wherever_it_stands():
    wanted = {"__future__", "os", "PIL", "for_real", "lazily"}
    assert {module for module, _ in modules.needed_by(SOURCE)} == wanted


def test_a_missing_import_names_file_and_line(tmp_path: Path):
    one = modules.Import("magic", tmp_path / "views.py", 3)
    assert modules.missing([one, modules.Import("os", tmp_path / "views.py", 1)]) == [one]
    assert modules.said(one) == f"{tmp_path}/views.py, line 3, imports magic, which is not installed"
    assert "libmagic1" in modules.remedy("magic")
