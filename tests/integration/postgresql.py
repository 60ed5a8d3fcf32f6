"""A PostgreSQL server of the tests' own: a throw-away cluster on a free port, with a password."""

import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

from stayput.image.builder import connect
from stayput.processes import free_port
from tests.parts import PARTS, postgresql_program


def addresses():
    """Where the server listens: this machine alone and, for containers, the bridge's gateway where it is ours."""
    if not PARTS["docker"].there():
        return ["127.0.0.1"]
    return ["127.0.0.1", connect().networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"]]


@pytest.fixture(scope="session")
def postgresql_server():
    """A function that makes an empty database of that name, and gives the address that leads to it on a host."""
    owner = "postgres" if os.getuid() == 0 else None  # the server refuses to run as root
    home = Path(tempfile.mkdtemp(prefix="stayput-postgresql-"))
    data, log, word, port = home / "data", home / "log", secrets.token_hex(16), free_port()
    (home / "password").write_text(word)
    if owner:
        for path in (home, home / "password"):
            shutil.chown(path, owner)

    def run(name, *arguments):
        subprocess.run([postgresql_program(name), *arguments], user=owner, cwd=home, check=True, stdout=subprocess.PIPE)

    run("initdb", f"--pgdata={data}", "--auth=scram-sha-256", f"--pwfile={home / 'password'}", "--username=owner",
        "--encoding=UTF8", "--locale=C", "--no-sync")  # fmt: skip
    with (data / "pg_hba.conf").open("a") as rules:
        rules.write("host all all 172.16.0.0/12 scram-sha-256\n")
    options = f"-p {port} -k {home} -c listen_addresses={','.join(addresses())} -c fsync=off"
    run("pg_ctl", f"--pgdata={data}", f"--log={log}", "-o", options, "--wait", "start")

    def database(name, host="127.0.0.1"):
        with psycopg.connect(f"postgresql://owner:{word}@127.0.0.1:{port}/postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return f"postgresql://owner:{word}@{host}:{port}/{name}"

    try:
        yield database
    finally:
        run("pg_ctl", f"--pgdata={data}", "--mode=immediate", "stop")
        shutil.rmtree(home)
