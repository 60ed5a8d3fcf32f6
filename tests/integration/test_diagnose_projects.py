"""The checks and the diagnosis in Django projects that are not Stayput's own, on the Djangos that they may have."""

import json
import sys

import pytest

from tests.integration.projects import ROOT, Project, environment, python_for_django_6

COPY = (ROOT / "docs/diagnose.py").read_bytes()
MARK = b"\xef\xbb\xbf"
OLD_NAME = 'DEFAULT_FILE_STORAGE = "gallery.storage.Mine"'
NEWER = python_for_django_6()
DJANGOS = [
    pytest.param("4.2", id="Django 4.2"),
    pytest.param("5.0", id="Django 5.0"),
    pytest.param("5.1", id="Django 5.1"),
    pytest.param("5.2", id="Django 5.2"),
    pytest.param(
        "6.0",
        id="Django 6.0",
        marks=pytest.mark.skipif(not NEWER, reason="Django 6.0 needs Python 3.12 or newer, and none is here"),
    ),
]


@pytest.fixture(scope="module", params=DJANGOS)
def django(request, tmp_path_factory):
    """(version, python of an environment with that Django)."""
    base = NEWER if request.param == "6.0" else sys.executable
    folder = tmp_path_factory.mktemp("django")
    return request.param, environment(folder, f"Django~={request.param}.0", "Pillow", base=base)


@pytest.fixture
def project(django, tmp_path):
    return Project(tmp_path, django[1], stayput=True)


@pytest.fixture
def stranger(django, tmp_path):
    return Project(tmp_path, django[1], stayput=False)


def test_default_file_storage_is_worded_by_the_version_of_django(django, project):
    (project.folder / "gallery/storage.py").write_text(
        "from django.core.files.storage import FileSystemStorage\nclass Mine(FileSystemStorage): pass\n"
    )
    project.add(OLD_NAME)
    done = project.manage("migrate")
    if django[0] in ("4.2", "5.0"):
        assert done.returncode == 0
        assert b"(stayput.W001) DEFAULT_FILE_STORAGE is deprecated in Django 4.2 and gone in 5.1" in done.stderr
    else:
        assert done.returncode == 1
        assert b"(stayput.E001) DEFAULT_FILE_STORAGE was removed in Django 5.1 and is ignored" in done.stderr
        assert b"uploads go to django.core.files.storage.FileSystemStorage, not to gallery.storage.Mine" in done.stderr


def test_a_missing_package_stops_a_migration_also_where_it_is_imported_late(project):
    (project.folder / "gallery/views.py").write_text("def upload(request):\n    import magic\n")
    done = project.manage("migrate")
    assert done.returncode == 1
    assert b"(stayput.E011) gallery/views.py, line 2, imports magic, which is not installed" in done.stderr


def test_the_command_tells_all_five_sections_and_takes_away_what_it_writes(project):
    done = project.manage("diagnose")
    said = done.stdout.decode()
    assert done.returncode == 0, said
    assert [line for line in said.splitlines() if line[0].isdigit()] == [
        "1 Configuration",
        "2 Storage",
        "3 Image optimisation",
        "4 Storage upload",
        "5 Upload flow",
    ]
    assert list(project.folder.glob("media/*")) == []


def test_rows_whose_file_is_gone_are_counted(project):
    rows = "from gallery.models import Picture; [Picture.objects.create(file=n) for n in ('a', 'b', 'c')]"
    project.manage("shell", "-c", rows)
    (project.folder / "media").mkdir()
    (project.folder / "media/a").write_bytes(b"still there")
    done = project.manage("diagnose", "--json")
    found = {line["name"]: line for line in json.loads(done.stdout)["lines"]}
    assert done.returncode == 1
    assert found["gallery.Picture"]["detail"] == "2 of 3 rows have lost their file"
    assert found["gallery.Picture"]["remedy"]


def test_a_disk_that_nobody_may_write_to_is_said_with_exit_code_one(project):
    (project.folder / "media").write_text("a file where the folder should be")
    done = project.manage("diagnose", PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert b"FAIL storage upload: " in done.stdout
    assert done.stdout.isascii()


WAYS = pytest.mark.parametrize("whole", [True, False], ids=["read as a whole", "line by line, as on Windows"])


@WAYS
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"], ids=["unix line ends", "windows line ends"])
def test_the_copy_can_be_piped_into_a_project_without_stayput(stranger, whole, ends):
    done = stranger.shell("shell", piped=COPY.replace(b"\n", ends), whole=whole)
    said = done.stdout.decode()
    assert done.returncode == 0, said + done.stderr.decode()
    assert "5 Upload flow" in said
    assert "✗" not in said
    assert "Traceback" not in done.stderr.decode()
    assert done.stderr.startswith(b"Python ") is not whole  # its console's greeting
    assert list(stranger.folder.glob("media/*")) == []


@WAYS
def test_the_copy_may_begin_with_a_byte_order_mark(stranger, whole):
    encoding = "utf-8-sig" if whole else "utf-8"
    piped = MARK + COPY.replace(b"\n", b"\r\n")
    done = stranger.shell("shell", piped=piped, whole=whole, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr.decode()
    assert "5 Upload flow" in done.stdout.decode()


@WAYS
def test_the_piped_copy_finds_the_fault_and_ends_with_one(stranger, whole):
    stranger.add('STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}')
    done = stranger.shell("shell", piped=COPY, whole=whole)
    assert done.returncode == 1
    assert '✗ stayput.E002: STORAGES has no "default": nothing can be uploaded' in done.stdout.decode()
