"""`manage.py migrate_once` stops at a fault before it migrates, and knows that its instance may have no volume."""

import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from tests.integration.projects import FILES, ROOT


@pytest.fixture
def project(tmp_path):
    """A project with the Django side of Stayput that was never migrated, and a way to run its manage.py."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "stayput").mkdir()
    (tmp_path / "stayput/__init__.py").touch()
    shutil.copytree(ROOT / "stayput/django", tmp_path / "stayput/django")

    def run(settings, *command, **environ):
        added = 'INSTALLED_APPS = ["django.contrib.contenttypes", "stayput.django", "gallery"]\n'
        (tmp_path / "project/settings.py").write_text(f"{FILES['project/settings.py']}{added}{settings}\n")
        env = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **environ}
        done = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60
        )
        with sqlite3.connect(tmp_path / "db.sqlite3") as there:
            tables = [name for (name,) in there.execute("SELECT name FROM sqlite_master")]
        return done.returncode, done.stderr, "django_migrations" in tables

    return run


def test_a_fault_stops_it_before_anything_is_migrated(project):
    code, said, migrated = project('STORAGES = {"default": {"BACKEND": "nowhere.Storage"}}', "migrate_once")
    assert (code, migrated) == (1, False)
    assert "(stayput.E003) the storage nowhere.Storage cannot be loaded" in said
    assert "Traceback" not in said


def test_a_fault_of_the_projects_own_stops_it_too(project):
    code, said, migrated = project('AUTH_USER_MODEL, CSRF_TRUSTED_ORIGINS = "auth.User", ["a.example"]', "migrate_once")
    assert (code, migrated) == (1, False)
    assert "(4_0.E001)" in said


def test_a_volume_that_only_the_running_service_mounts_stops_no_migration(project):
    code, said, migrated = project('MEDIA_ROOT = "/data/media"', "migrate_once", RENDER="true")
    assert (code, migrated) == (0, True), said
    code, said, _ = project('MEDIA_ROOT = "/data/media"', "check", RENDER="true")
    assert (code, "stayput.E006" in said) == (1, True)


def test_a_silenced_fault_stops_no_migration(project):
    silenced = 'SILENCED_SYSTEM_CHECKS = ["stayput.E004"]'
    assert project("", "migrate_once", USE_S3="True")[::2] == (1, False)
    assert project(silenced, "migrate_once", USE_S3="True")[::2] == (0, True)
