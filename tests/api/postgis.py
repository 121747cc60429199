"""A throw-away PostgreSQL server with PostGIS, which is somebody else's database in these tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.server import free_port

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
PASSWORD = "of the reader"


@contextmanager
def running() -> Iterator[int]:
    """The port on which it listens, with the database gis and the user reader, who must send a password."""
    if not PROGRAMS:
        missing("there is no PostgreSQL here")
    folder = Path(tempfile.mkdtemp(prefix="graticule-external-"))
    folder.chmod(0o755)
    cluster, place, port = folder / "cluster", PROGRAMS[-1].parent, free_port()
    if os.getuid() == 0:
        cluster.mkdir()
        shutil.chown(cluster, "postgres", "postgres")
    run(place / "initdb", "-D", cluster, "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync")
    (cluster / "pg_hba.conf").write_text(
        "host all postgres 127.0.0.1/32 trust\nhost gis reader 127.0.0.1/32 scram-sha-256\n"
    )
    options = f"-c port={port} -c listen_addresses=127.0.0.1 -c fsync=off -c jit=off -k {cluster}"
    run(place / "pg_ctl", "-D", cluster, "-w", "-o", options, "-l", cluster / "log", "start")
    try:
        execute(port, "postgres", "CREATE DATABASE gis")
        try:
            execute(port, "gis", "CREATE EXTENSION postgis")
        except psycopg.Error as error:
            missing(str(error))
        execute(port, "gis", f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
        yield port
    finally:
        run(place / "pg_ctl", "-D", cluster, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def missing(why: str) -> None:
    """Fail in CI, skip elsewhere."""
    if os.environ.get("CI"):
        pytest.fail(f"These tests need PostgreSQL with PostGIS: {why}")
    pytest.skip(f"needs PostgreSQL with PostGIS: {why}")


def run(*command: Any) -> None:
    """Run a program of the server's, which will not be run by root."""
    user: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    words = [str(word) for word in command]
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "cwd": "/", "env": environment}
    done = subprocess.run(words, stderr=subprocess.PIPE, **quiet, **user)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr


def execute(port: int, database: str, statement: str, values: Any = None) -> list[Any]:
    """What a statement of the administrator gives."""
    address = f"host=127.0.0.1 port={port} user=postgres dbname={database}"
    with psycopg.connect(address, autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []
