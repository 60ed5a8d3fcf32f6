"""A person with a browser: logs in, uploads a photo, and still sees it after the next deploy."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from stayput import photo
from stayput.deploy import deploy

pytestmark = pytest.mark.needs("browser")


def deployed(checkout, *overrides, storage="s3"):
    """Deploy in a thread of its own: Playwright keeps an event loop in this one, and Pulumi wants to run another."""
    with ThreadPoolExecutor(1) as aside:
        code, document = aside.submit(checkout.run, deploy, *overrides, storage=storage).result()
    assert code == 0, document
    return document


def make_person(checkout, release):
    home = checkout.root / ".stayput/local/process"
    env = json.loads((home / f"variables/{release}.json").read_text()) | {"DJANGO_SUPERUSER_PASSWORD": "correct horse"}
    (python,) = (checkout.root / ".stayput/environments").glob("*/bin/python")
    command = [python, "manage.py", "createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.org"]
    subprocess.run(command, cwd=home / f"releases/{release}", env=env, check=True, capture_output=True)


def shown(page):
    """Pixels of the pictures that the browser really decoded."""
    script = "all => all.map(one => one.decode().then(() => [one.naturalWidth, one.naturalHeight]))"
    return page.evaluate(
        "(script) => Promise.all(eval(script)([...document.querySelectorAll('.pictures img')]))", script
    )


def test_a_photo_uploaded_by_hand_is_seen_again_after_the_next_deploy(checkout, page, tmp_path):
    first = deployed(checkout)
    make_person(checkout, first["release"])
    (tmp_path / "holiday.jpg").write_bytes(photo.draw(7))

    page.goto(checkout.url)
    page.get_by_role("link", name="Log in").click()
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Log in").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "holiday.jpg")
    page.get_by_role("button", name="Upload").click()
    page.wait_for_selector(".pictures img")
    assert shown(page) == [[600, 800]]

    second = deployed(checkout, "variables.NEW=1")
    assert second["release"] != first["release"]
    page.goto(checkout.url)
    assert shown(page) == [[600, 800]]


def test_what_is_no_picture_is_refused_in_a_sentence_on_the_page(checkout, page, tmp_path):
    first = deployed(checkout, storage="local")
    make_person(checkout, first["release"])
    (tmp_path / "holiday.jpg").write_text("this is text")
    page.goto(f"{checkout.url}/login/")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Log in").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "holiday.jpg")
    page.get_by_role("button", name="Upload").click()
    assert page.get_by_role("alert").inner_text().strip() != ""
    assert page.locator(".pictures img").count() == 0
