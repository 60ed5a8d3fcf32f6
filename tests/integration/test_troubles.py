"""The five original troubles: a working site, broken as it was broken then, and the one line that names it."""

import re

import httpx
import pytest

from stayput import photo
from stayput.deploy import deploy
from stayput.django import tokens
from tests.integration.checkouts import ROOT

OLD_IMAGEKITIO = "imagekitio==4.2.0 --hash=sha256:23efa970dfb4e4c6828379b0257c305e756e1a836307f48e3fa06bea94eaef06\n"
S3_BY_THE_OLD_NAME = 'DEFAULT_FILE_STORAGE = "stayput.django.s3.S3MediaStorage"'
IN_IMAGEKIT = ("variables.IMAGEKIT_PRIVATE_KEY=private_x", "variables.IMAGEKIT_URL_ENDPOINT=https://ik.imagekit.io/x")


def imagekitio_of_the_wrong_version(checkout):
    lock = checkout.root / "requirements/site.txt"
    pinned = re.compile(r"^imagekitio==.*?(?=^\S)", re.MULTILINE | re.DOTALL)
    old, found = pinned.subn(OLD_IMAGEKITIO, lock.read_text())
    assert found == 1
    lock.write_text(old)
    return IN_IMAGEKIT


def default_file_storage_only(checkout):
    checkout.edit(
        "app/config/settings.py", "STORAGES = storages.storages(VALUES, media_root=MEDIA_ROOT)", S3_BY_THE_OLD_NAME
    )
    return ()


def file_read_twice(checkout):
    checkout.edit("app/uploads/intake.py", "data = upload.read()", "upload.read()\n        data = upload.read()")
    return ()


def magic_missing(checkout):
    checkout.edit("app/uploads/intake.py", "from app.uploads import", "import magic\n\nfrom app.uploads import")
    return ()


def local_disk_on_a_paas(checkout):
    return ("variables.RAILWAY_ENVIRONMENT=production",)


# What is broken, the step that ends with it, and where the site keeps its uploads.
TROUBLES = (
    (imagekitio_of_the_wrong_version, "migrate", "local"),
    (default_file_storage_only, "migrate", "s3"),
    (file_read_twice, "prove", "s3"),
    (magic_missing, "migrate", "local"),
    (local_disk_on_a_paas, "start", "local"),  # the same build: nothing to migrate
)


def lines_of_the_docs():
    """The first column of the table of troubles, as patterns."""
    rows = re.findall(r"^\| `(.+?)` \| .* \| .* \|$", (ROOT / "docs/troubleshooting.md").read_text(), re.MULTILINE)
    return [".+".join(re.escape(part) for part in row.split("…")) for row in rows[: len(TROUBLES)]]


@pytest.mark.parametrize(
    ("trouble", "caught_in", "storage", "line"),
    [(*trouble, line) for trouble, line in zip(TROUBLES, lines_of_the_docs(), strict=True)],
    ids=[trouble[0].__name__ for trouble in TROUBLES],
)
def test_each_trouble_is_named_in_one_line_and_leaves_the_old_release_serving(
    checkout, trouble, caught_in, storage, line
):
    _, good = checkout.run(deploy, storage=storage)
    overrides = trouble(checkout)
    code, broken = checkout.run(deploy, *overrides, storage=storage)
    assert (code, broken["ok"]) == (1, False)
    assert re.fullmatch(line, broken["error"]["what"]), broken["error"]["what"]
    assert (broken["steps"][-1]["name"], broken["steps"][-1]["outcome"]) == (caught_in, "failed")
    assert broken["error"]["next"]
    assert httpx.get(f"{checkout.url}/healthz").json()["release"] == good["release"]
    assert upload(checkout).status_code == 201


def upload(checkout):
    key = checkout.workspace().secrets.stayput_key.value
    headers = {"Authorization": f"Bearer {tokens.sign(key, purpose='upload')}"}
    return httpx.post(
        f"{checkout.url}/api/images/", files={"image": ("a.jpg", photo.draw())}, headers=headers, timeout=30
    )
