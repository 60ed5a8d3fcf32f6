"""A person with a browser whose photos go straight to a strict S3, which answers the site's own pages alone."""

import re
from contextlib import contextmanager

import pytest

from stayput import photo
from tests.integration.strict_s3 import REGION
from tests.integration.test_site_served import Site

pytestmark = [pytest.mark.needs("browser"), pytest.mark.needs("strict-s3")]
BUCKET = "direct-from-a-browser"


@pytest.fixture(scope="module")
def site(tmp_path_factory, strict_s3):
    site = Site(
        tmp_path_factory.mktemp("direct"),
        USE_S3="True",
        AWS_ACCESS_KEY_ID=strict_s3.access_key_id,
        AWS_SECRET_ACCESS_KEY=strict_s3.secret_access_key,
        AWS_STORAGE_BUCKET_NAME=strict_s3.make_bucket(BUCKET),
        AWS_S3_REGION_NAME=REGION,
        AWS_S3_ENDPOINT_URL=strict_s3.endpoint,
        AWS_QUERYSTRING_AUTH="True",
        DJANGO_SUPERUSER_PASSWORD="correct horse",
    )
    rule = {"AllowedMethods": ["GET", "HEAD", "POST"], "AllowedOrigins": [site.url]}
    strict_s3.client.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})
    with site.served():
        yield site


@pytest.fixture(autouse=True)
def empty(site):
    yield
    for one in pictures(site):
        site.delete(one["id"])


def make_person(site, name):
    made = site.manage("createsuperuser", "--noinput", "--username", name, "--email", "somebody@example.org")
    assert made.returncode == 0, made.stderr
    return name


@pytest.fixture(scope="module")
def person(site):
    return make_person(site, "ada")


@pytest.fixture
def keys(strict_s3):
    def keys():
        return [found["Key"] for found in strict_s3.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    return keys


def pictures(site):
    return site.client.get("/api/images/").json()["results"]


def log_in(page, address, person):
    page.goto(f"{address}/login/")
    page.get_by_label("Name").fill(person)
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_selector("form.upload")


def upload(page, content, name="holiday.jpg"):
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": content})
    page.get_by_role("button", name="Upload").click()


@contextmanager
def posts(page):
    """What the page posts meanwhile: (address without query, status, who may read the answer)."""
    seen = []

    def note(answer):
        if answer.request.method == "POST":
            allowed = answer.headers.get("access-control-allow-origin")
            seen.append((answer.url.partition("?")[0], answer.status, allowed))

    page.on("response", note)
    yield seen
    page.remove_listener("response", note)


def test_a_photo_goes_from_the_page_straight_to_the_bucket_and_is_shown(site, page, person, strict_s3, keys):
    log_in(page, site.url, person)
    with posts(page) as seen:
        upload(page, photo.draw(7))
        page.wait_for_selector(".pictures img")
    (made,) = pictures(site)
    assert seen == [
        (f"{site.url}/api/uploads/", 201, None),
        (f"{strict_s3.endpoint}/{BUCKET}", 204, site.url),
        (f"{site.url}/api/uploads/{made['id']}/finish/", 200, None),
    ]
    assert page.locator(".pictures img").evaluate("one => one.decode().then(() => one.naturalHeight)") == 800
    assert keys() == [f"media/{made['id']}-thumbnail.png", f"media/{made['id']}.webp"]


SEND = """async ([url, fields]) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    body.append("file", new Blob(["not for you"]));
    return fetch(url, { method: "POST", body }).then((answer) => answer.status, (problem) => problem.name);
}"""


@pytest.mark.parametrize(("name", "told"), [("127.0.0.1", 204), ("localhost", "TypeError")], ids=["own", "look-alike"])
def test_the_bucket_answers_the_sites_own_pages_and_no_look_alike(site, page, name, told):
    opened = site.client.post("/api/uploads/", json={"content_type": "image/jpeg"}, headers=site.bearer()).json()
    page.goto(site.url.replace("127.0.0.1", name))
    assert page.evaluate(SEND, [opened["form"]["url"], opened["form"]["fields"]]) == told
    site.delete(opened["id"])


def test_a_photo_is_kept_once_where_the_bucket_does_not_answer_the_page(site, page, person, keys):
    log_in(page, site.url.replace("127.0.0.1", "localhost"), person)
    upload(page, photo.draw(7))
    page.wait_for_selector(".pictures img")
    (made,) = pictures(site)
    assert keys() == [f"media/{made['id']}-thumbnail.png", f"media/{made['id']}.webp"]


def test_a_photo_goes_the_ordinary_way_where_the_bucket_cannot_be_reached(site, page, person, strict_s3):
    log_in(page, site.url, person)
    page.route(f"{strict_s3.endpoint}/**", lambda route: route.abort() if is_post(route) else route.continue_())
    with posts(page) as seen:
        upload(page, photo.draw(7))
        page.wait_for_selector(".pictures img")
    assert [status for _, status, _ in seen] == [201, 409, 302]
    assert len(pictures(site)) == 1


def is_post(route):
    return route.request.method == "POST"


def test_a_photo_goes_the_ordinary_way_without_script(site, browser, person):
    page = browser.new_context(java_script_enabled=False).new_page()
    log_in(page, site.url, person)
    with posts(page) as seen:
        upload(page, photo.draw(7))
        page.wait_for_selector(".pictures img")
    assert seen == [(f"{site.url}/", 302, None)]


def test_what_is_no_photo_is_refused_in_a_sentence_and_another_can_be_sent(site, page, person, keys):
    log_in(page, site.url, person)
    upload(page, b"%PDF-1.7")
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text() == "This is a PDF, not a photo."
    assert keys() == []
    upload(page, photo.draw(7))
    page.wait_for_selector(".pictures img")


FILL = """async (times) => {
    const token = document.querySelector("[data-direct]").csrfmiddlewaretoken.value;
    const ask = () => fetch("/api/uploads/", { method: "POST", headers: { "X-CSRFToken": token }, body: "" });
    const told = new Set();
    for (let n = 0; n < times; n++) told.add((await ask()).status);
    return [...told];
}"""


def test_too_many_uploads_are_told_when_to_come_back(site, page):
    log_in(page, site.url, make_person(site, "bob"))
    assert page.evaluate(FILL, 120) == [400]
    upload(page, photo.draw(7))
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert re.fullmatch(r"That was a lot\. Please wait [1-9][0-9]? seconds\.", alert.inner_text())
    assert pictures(site) == []
