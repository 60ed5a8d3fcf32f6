"""The site on a real PostgreSQL: many at once, and across deploys."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest

from stayput import photo
from stayput.deploy import deploy
from stayput.django import tokens
from tests.integration.checkouts import Checkout

pytestmark = pytest.mark.needs("postgresql")


@pytest.fixture
def checkout(tmp_path, environments):
    made = Checkout(tmp_path / "checkout", environments)
    yield made
    made.clean_up()


def upload(checkout):
    key = checkout.workspace().secrets.stayput_key.value
    headers = {"Authorization": f"Bearer {tokens.sign(key, purpose='upload')}"}
    files = {"image": ("a.jpg", photo.draw())}
    return httpx.post(f"{checkout.url}/api/images/", files=files, headers=headers, timeout=60)


def test_on_postgresql_uploads_sent_at_once_are_all_rows_there_and_outlive_a_deploy(checkout, postgresql_server):
    address = postgresql_server("process")
    database = f"variables.DATABASE_URL={address}"
    code, first = checkout.run(deploy, database, storage="s3")
    assert (code, first["proof"]["ok"]) == (0, True), first

    with ThreadPoolExecutor(4) as senders:
        answers = list(senders.map(upload, [checkout] * 4))
    assert [answer.status_code for answer in answers] == [201] * 4
    pictures = {answer.json()["id"] for answer in answers}
    assert len(pictures) == 4

    code, second = checkout.run(deploy, database, "variables.NEW=1", storage="s3")
    assert (code, second["proof"]["ok"], second["release"] != first["release"]) == (0, True, True), second
    for picture in pictures:
        read = httpx.get(f"{checkout.url}/api/images/{picture}/")
        assert read.status_code == 200
        assert httpx.get(read.json()["url"]).status_code == 200
    with psycopg.connect(address) as connection:
        rows = {str(row[0]) for row in connection.execute("SELECT id FROM uploads_image")}
    assert pictures <= rows
    assert not list(checkout.root.glob(".stayput/**/db.sqlite3"))
