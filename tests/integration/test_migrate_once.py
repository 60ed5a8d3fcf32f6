"""`manage.py migrate_once` on a real PostgreSQL: one instance migrates, the others wait and find it done."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).parents[2]
WAITING = 3
# An instance whose migration, once it may go on, makes an index concurrently.
FIRST = """
import django

django.setup()
from django.db import connection
from stayput.django.management.commands.migrate_once import alone

with alone():
    print("migrating", flush=True)
    input()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '20s'")
        cursor.execute("CREATE TABLE their_own (number int)")
        cursor.execute("CREATE INDEX CONCURRENTLY of_their_own ON their_own (number)")
"""

pytestmark = pytest.mark.needs("postgresql")


def started(address, *arguments):
    env = {"PATH": os.defpath, "SECRET_KEY": "k", "STAYPUT_KEY": "k", "DATABASE_URL": address}
    env |= {"DJANGO_SETTINGS_MODULE": "app.config.settings"}
    piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=env, **piped)


def test_instances_that_start_at_once_migrate_one_after_the_other(postgresql_server):
    address = postgresql_server("migrate_once")
    first = started(address, "-c", FIRST)
    assert first.stdout.readline() == "migrating\n"
    others = [started(address, "manage.py", "migrate_once") for _ in range(WAITING)]
    with psycopg.connect(address, autocommit=True) as looking:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = '' AND datname = 'migrate_once'"
        deadline = time.monotonic() + 60
        # The one that migrates, those that wait, and this look.
        while looking.execute(asked).fetchone()[0] < WAITING + 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        assert looking.execute(tables).fetchall() == []
    assert [one.poll() for one in others] == [None] * WAITING
    said, _ = first.communicate("go on\n", timeout=60)
    assert first.returncode == 0, said
    said = [one.communicate(timeout=120)[0] for one in others]
    assert [one.returncode for one in others] == [0] * WAITING, said
    assert sum("Applying uploads.0001_initial" in one for one in said) == 1
    assert sum("No migrations to apply" in one for one in said) == WAITING - 1
