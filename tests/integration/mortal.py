"""Lets a worker of a copied site be killed right before a write that a test chooses: the copy itself imports this file.

A write is what others can see afterwards: a statement that changes a picture's row, or a request that changes the
bucket. `dies` beside this file holds how many writes are still done; where there is none, nothing happens.
"""

import os
import signal
from pathlib import Path
from typing import Any

from botocore.client import BaseClient
from django.db.backends.signals import connection_created

DIES = Path(__file__).with_name("dies")
READS = ("GetObject", "HeadObject", "ListObjectsV2")


def before_a_write() -> None:
    if not DIES.exists():
        return
    left = int(DIES.read_text())
    if not left:
        DIES.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    DIES.write_text(str(left - 1))


def row(execute: Any, sql: str, *rest: Any) -> Any:
    if "uploads_image" in sql and not sql.startswith("SELECT"):
        before_a_write()
    return execute(sql, *rest)


def watch(connection: Any, **_: Any) -> None:
    if row not in connection.execute_wrappers:
        connection.execute_wrappers.append(row)


def arm() -> None:
    connection_created.connect(watch)
    ask = BaseClient._make_api_call

    def asked(client: Any, operation: str, parameters: Any) -> Any:
        if operation not in READS:
            before_a_write()
        return ask(client, operation, parameters)

    BaseClient._make_api_call = asked
