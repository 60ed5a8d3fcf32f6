"""`manage.py migrate_once`: migrates at the start of a release of which several instances may start at once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core import management
from django.core.management.base import BaseCommand, CommandError, SystemCheckError
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from stayput.django import checks

KEY = int.from_bytes(b"stayput")  # of the lock in the database
PATIENCE = 600.0  # seconds
PAUSE = 0.5  # seconds


@contextmanager
def alone() -> Iterator[None]:
    """Hold the database's lock; on SQLite nothing, whose file is one instance's own. Raises CommandError.

    The lock lives in a transaction of a second connection: it ends with the process, and works through a pooler.
    """
    if connection.vendor != "postgresql":
        yield
        return
    guard = connection.copy()
    try:
        guard.set_autocommit(False)
        deadline = time.monotonic() + PATIENCE
        while not _locked(guard):
            if time.monotonic() > deadline:
                raise CommandError(f"another instance has been migrating for {PATIENCE:.0f} s: look at its log")
            time.sleep(PAUSE)
        yield
    finally:
        guard.close()


def _locked(guard: BaseDatabaseWrapper) -> bool:
    """Asked again and again: waiting inside the database would hold up a migration that makes an index concurrently."""
    with guard.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [KEY])
        if cursor.fetchone() == (True,):
            return True
    guard.rollback()
    return False


class Command(BaseCommand):
    help = "Migrates the database while no other instance does; one that comes later waits and finds it done."
    requires_system_checks = ()  # handle runs them: call_command would skip those of migrate

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stop_at_faults()
            with alone():
                management.call_command(
                    "migrate", interactive=False, verbosity=options["verbosity"], stdout=self.stdout, stderr=self.stderr
                )
        except OperationalError as problem:
            raise CommandError(f"the database does not answer: {checks.first_line(problem)}") from problem

    def stop_at_faults(self) -> None:
        """Raises SystemCheckError before anything is migrated. Faults of mounts stop the release itself, at its start:
        a provider's instance for this command has no volume."""
        found = [one for one in checks.of_project(("default",)) if one.id not in checks.OF_MOUNTS]
        if faults := [str(one) for one in found if one.is_serious()]:
            raise SystemCheckError("\n".join(faults))
        for warning in found:
            self.stderr.write(str(warning))
