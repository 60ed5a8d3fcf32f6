"""The release before, on the table of the next one: between migrate and promote, and after every rollback."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.models import CharField
from django.test import Client

from app.uploads import intake
from app.uploads.models import Image, Sender, State
from tests.integration.databases import site_database
from tests.integration.test_site_again import OTHER, send
from tests.integration.test_site_api import PHOTO, bearer, objects, upload
from tests.integration.test_site_api import media as media
from tests.integration.test_site_direct import age

pytestmark = pytest.mark.filterwarnings("ignore:No directory at:UserWarning")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def database(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any
) -> Iterator[str]:
    """Runs each test on both: they tell of the same refusal in different words, at different moments."""
    address = f"sqlite:///{tmp_path_factory.mktemp('rows')}/rows.sqlite3"
    if request.param == "postgresql":
        address = request.getfixturevalue("postgresql_server")(f"newer-{uuid4().hex[:8]}")
    with django_db_blocker.unblock(), site_database(address):
        yield request.param


@pytest.fixture
def client(database: str) -> Client:
    return Client(raise_request_exception=False)


def needs_a_value() -> None:
    """As AddField does it: NOT NULL, and no default left in the database."""
    field = CharField(default="", max_length=9)
    field.set_attributes_from_name("place")
    with connection.schema_editor() as editor:
        editor.add_field(Image, field)


def allows_no_second() -> None:
    execute("CREATE UNIQUE INDEX one_listed ON uploads_image (listed)")


def refuses_at_once() -> None:
    refuse("INSERT", "state <> 'processing'")


def refuses_when_it_is_ready() -> None:
    refuse("UPDATE", "width IS NULL OR width = 600")


def is_too_narrow() -> None:
    if connection.vendor == "sqlite":  # which knows no length
        return refuse("INSERT", "length(main) <= 20")
    return execute("ALTER TABLE uploads_image ALTER COLUMN main TYPE varchar(20) USING ''")


def renamed() -> None:
    execute("ALTER TABLE uploads_image RENAME COLUMN owner TO sender")


def refuse(action: str, unless: str) -> None:
    """A CHECK constraint; on SQLite, which adds none to a table, a trigger that raises the same error."""
    if connection.vendor != "sqlite":
        return execute(f"ALTER TABLE uploads_image ADD CONSTRAINT newer CHECK ({unless}) NOT VALID")
    for column in ("state", "width", "main"):
        unless = unless.replace(column, f"NEW.{column}")
    when = f"BEFORE {action} ON uploads_image WHEN NOT ({unless})"
    return execute(f"CREATE TRIGGER newer {when} BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: newer'); END")


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


NEWER = [needs_a_value, allows_no_second, refuses_at_once, refuses_when_it_is_ready, is_too_narrow, renamed]


@pytest.fixture(params=NEWER, ids=[change.__name__ for change in NEWER])
def migrate(request: pytest.FixtureRequest) -> Callable[[], None]:
    return request.param


def rows() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM uploads_image")
        return [str(UUID(str(row[0]))) for row in cursor.fetchall()]


@pytest.mark.parametrize("key", [None, "new"])
def test_an_upload_that_the_table_refuses_is_to_be_sent_again_and_leaves_nothing(
    client: Client, media: Path, migrate: Callable[[], None], key: str | None
):
    kept = upload(client).json()
    before = objects(media)
    migrate()
    answer = upload(client, OTHER) if key is None else send(client, OTHER, key=key)
    assert answer.status_code >= 500, answer.content
    assert (objects(media), rows()) == (before, [kept["id"]])


def test_a_form_on_the_page_that_the_table_refuses_says_so_and_leaves_nothing(
    client: Client, media: Path, migrate: Callable[[], None]
):
    client.force_login(get_user_model().objects.create_user("ada"))
    assert client.post("/", {"image": SimpleUploadedFile("a.jpg", PHOTO)}).url == "/"
    before = objects(media), rows()
    migrate()
    answer = client.post("/", {"image": SimpleUploadedFile("a.jpg", OTHER)})
    assert answer.status_code >= 500
    assert "Please go back and try again in a moment." in answer.content.decode()
    assert (objects(media), rows()) == before


def test_the_rehearsal_of_a_diagnosis_removes_nothing_that_it_did_not_make(client: Client, media: Path):
    intake.take(SimpleUploadedFile("a.jpg", PHOTO))  # of no sender, as the rehearsal's
    before = objects(media), rows()
    needs_a_value()
    call_command_failing("diagnose")
    assert (objects(media), rows()) == before


def call_command_failing(name: str) -> None:
    with pytest.raises(SystemExit):
        call_command(name)


def test_a_key_that_was_used_is_still_known_on_a_table_that_takes_no_new_row(client: Client, media: Path):
    first = send(client).json()
    needs_a_value()
    assert (send(client).status_code, send(client).json()) == (201, first)
    assert send(client, OTHER).status_code == 422
    Image.objects.update(state=State.FAILED)
    assert send(client).status_code >= 500
    assert (objects(media), rows()) == ([], [])


def test_a_key_that_is_no_key_of_this_sender_gives_no_picture(client: Client):
    others = send(client, purpose="smoke-test").json()
    allows_no_second()
    answer = send(client, purpose="keepsake")
    assert answer.status_code >= 500
    assert others["id"] not in answer.content.decode()


def test_a_sender_that_cannot_be_counted_is_to_try_again(client: Client):
    field = CharField(default="", max_length=9)
    field.set_attributes_from_name("place")
    with connection.schema_editor() as editor:
        editor.add_field(Sender, field)
    assert upload(client).status_code >= 500
    assert rows() == []


def test_reading_and_deleting_on_a_renamed_column_fail_and_lose_nothing(client: Client, media: Path):
    kept = upload(client).json()
    renamed()
    address = f"/api/images/{kept['id']}/"
    answers = [client.get("/api/images/"), client.get(address), client.delete(address, headers=bearer(client))]
    assert all(answer.status_code >= 500 and "detail" in answer.json() for answer in answers)
    assert (len(objects(media)), rows()) == (2, [kept["id"]])
    assert client.get("/").status_code >= 500


def test_the_sweep_looks_after_the_others_where_the_table_refuses_one(client: Client, media: Path):
    held, free = upload(client).json(), upload(client).json()
    age(held, minutes=30, state=State.FAILED)
    age(free, minutes=20, state=State.FAILED)
    kind = "char(32)" if connection.vendor == "sqlite" else "uuid"
    execute(f"CREATE TABLE album (cover {kind} NOT NULL REFERENCES uploads_image (id))")
    execute("INSERT INTO album SELECT id FROM uploads_image ORDER BY created LIMIT 1")
    call_command("sweep")
    assert (objects(media), rows()) == ([], [held["id"]])


class Lost:
    """The database makes a picture ready, and goes away before it says so: for a moment, or for good."""

    def __init__(self, *, for_good: bool):
        self.for_good, self.away = for_good, False

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if self.away and self.for_good:
            raise OperationalError("the connection is closed")
        done = execute(sql, params, many, context)
        if sql.startswith("UPDATE") and '"width"' in sql:
            self.away = True
            raise OperationalError("server closed the connection unexpectedly")
        return done


@pytest.mark.parametrize("for_good", [False, True])
def test_a_picture_that_became_ready_without_the_site_knowing_is_whole_or_gone(
    client: Client, media: Path, for_good: bool
):
    with connection.execute_wrapper(Lost(for_good=for_good)):
        assert send(client).status_code == 503
    left = [str(row.pk) for row in Image.objects.filter(state=State.READY)]
    assert (len(left), rows(), len(objects(media))) == ((1, left, 2) if for_good else (0, [], 0))
    again = send(client)
    assert (again.status_code, len(rows()), len(objects(media))) == (201, 1, 2)
