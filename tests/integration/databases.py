"""A database of a test's own in the place of the site's, on SQLite and on PostgreSQL alike."""

from collections.abc import Iterator
from contextlib import contextmanager

import dj_database_url
from django.core.management import call_command
from django.db import connections


@contextmanager
def site_database(address: str) -> Iterator[None]:
    """Migrated, and the default connection of this thread."""
    kept = connections["default"]
    configured = connections.configure_settings({"default": dj_database_url.parse(address)})["default"]
    connections.settings["default"], before = configured, connections.settings["default"]
    connections["default"] = own = connections.create_connection("default")
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        own.close()
        connections["default"], connections.settings["default"] = kept, before
