"""One PostgreSQL server for a whole run of tests, shared by all its processes; a database for whoever wants one.

The first that asks starts it (``scripts/postgres``); the process that began the run stops it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "postgres"
# Where the server of this run is, or would be; and where the tests' servers are to keep their data.
FOLDER, STORE = "GRATICULE_TEST_POSTGRES", "GRATICULE_TEST_STORE"
# The process that began the run.
RUN = "GRATICULE_TEST_RUN"
TEMPLATE = "graticule_template"


def begin(store: str) -> None:
    """Called once, in the process that begins the run."""
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="graticule-postgres-")
    os.environ[STORE] = store
    os.environ[RUN] = str(os.getpid())


def end() -> None:
    """Stop the server, if any test has wanted it."""
    folder = Path(os.environ[FOLDER])
    if (folder / "cluster").exists():
        subprocess.run([sys.executable, SCRIPT, "stop", folder], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def is_wanted() -> bool:
    """Whether the tests' servers are to keep their data in PostgreSQL."""
    return os.environ.get(STORE) == "postgis"


def server_url() -> str:
    """The address of the server, started if it was not yet. Skips the test where it cannot be, unless in CI."""
    folder = Path(os.environ[FOLDER])
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = folder / "url"
        if not known.exists():
            known.write_text(_started(folder))
        url = known.read_text()
    if not url.startswith("postgresql://"):
        missing(url)
    return url


def missing(why: str) -> None:
    """Fail in CI, skip elsewhere."""
    if os.environ.get("CI"):
        pytest.fail(f"These tests need PostgreSQL with PostGIS: {why}")
    pytest.skip(f"needs PostgreSQL with PostGIS: {why}")


def _started(folder: Path) -> str:
    """The address of a new server with the template of all databases; what went wrong where there is none."""
    done = subprocess.run([sys.executable, SCRIPT, "start", folder, os.environ[RUN]], capture_output=True, text=True)
    if done.returncode:
        return done.stderr.strip()
    url = done.stdout.strip()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    with psycopg.connect(of_database(url, TEMPLATE), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION postgis")
    return url


def of_database(url: str, name: str) -> str:
    return f"{url.rpartition('/')[0]}/{name}"


def database_of(data: Path) -> str:
    """The address of the database that belongs to a data directory, made when it is new."""
    url = server_url()
    name = "t" + hashlib.md5(str(data.resolve()).encode()).hexdigest()
    with psycopg.connect(url, autocommit=True) as connection:
        # Copying the template twice at once is refused.
        connection.execute("SELECT pg_advisory_lock(1)")
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
    return of_database(url, name)


def tables_in(url: str, schema: str) -> list[str]:
    """The names of the tables of a schema."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema,)).fetchall()
    return [name for (name,) in rows]
