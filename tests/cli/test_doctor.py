"""``graticule doctor`` finds what is wrong, names it, and never falls over itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from graticule.catalogue.database import MIGRATIONS, NEWEST
from tests.cli.conftest import Run


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def scribble(path: Path) -> None:
    """Write over what stands behind the first page."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    content[5000:9000] = b"\xff" * 4000
    path.write_bytes(content)


@pytest.fixture
def filled(run: Run, data: Path, data_dir: Path) -> Path:
    assert run("import", data_dir / "countries.kml", "--data", data).code == 0
    return data


def test_all_is_well(run: Run, filled: Path) -> None:
    done = run("doctor", "--data", filled)
    assert [line for line in done.lines if not line.startswith("ok ")] == []
    assert done.code == 0
    subjects = ("Python", "SQLite", "GDAL", "projections", "Mapnik", "web front end", "catalogue", "account 1")
    assert [subject for subject in subjects if subject not in done.out] == []
    assert f"{filled} on /" in done.out
    assert "GiB free" in done.out


WAITING = (
    "INSERT INTO jobs (owner_id, kind, state, percentage, rows, arguments, cancelled, attempts, created, version) "
    "VALUES (1, 'import', 'queued', 0, 0, '{}', 0, 0, 0, 1)"
)

BROKEN: list[tuple[str, Callable[[Path], object], str]] = [
    ("no catalogue", lambda data: (data / "catalogue.sqlite").unlink(), "catalogue.sqlite is not there"),
    ("text", lambda data: (data / "catalogue.sqlite").write_text("hello" * 100), "file is not a database"),
    ("cut", lambda data: scribble(data / "catalogue.sqlite"), "is damaged"),
    (
        "older",
        lambda data: execute(data / "catalogue.sqlite", "UPDATE alembic_version SET version_num = '0000'"),
        "0000",
    ),
    ("empty", lambda data: execute(data / "catalogue.sqlite", "DROP TABLE alembic_version"), "migration none"),
    ("waiting", lambda data: execute(data / "catalogue.sqlite", WAITING), "graticule worker --data"),
    ("features", lambda data: scribble(data / "accounts/1/data.gpkg"), "account 1: "),
    ("alien", lambda data: execute(data / "accounts/1/data.gpkg", "PRAGMA application_id = 7"), "is no GeoPackage"),
    ("bare", lambda data: execute(data / "accounts/1/data.gpkg", "DROP TABLE gpkg_contents"), "no such table"),
]


@pytest.mark.parametrize(("name", "breaking", "said"), BROKEN, ids=[row[0] for row in BROKEN])
def test_what_is_broken_is_named(
    run: Run, filled: Path, name: str, breaking: Callable[[Path], object], said: str
) -> None:
    breaking(filled)
    done = run("doctor", "--data", filled)
    wrong = [line for line in done.lines if line.startswith("wrong")]
    assert len(wrong) == 1, done.out
    assert said in wrong[0]
    assert done.code == 1
    assert done.err == ""


def test_no_data_directory(run: Run, tmp_path: Path) -> None:
    done = run("doctor", "--data", tmp_path / "none")
    assert done.code == 1
    assert f"graticule init --data {tmp_path / 'none'}" in done.out
    assert not (tmp_path / "none").exists()


def test_a_setting_that_cannot_be_used(run: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRATICULE_THREADS", "many")
    done = run("doctor", "--data", data)
    assert done.code == 1
    assert [line for line in done.lines if line.startswith("wrong")] == [
        "wrong settings: These environment variables cannot be used: GRATICULE_THREADS."
    ]


def test_files_of_migrations_are_named_by_their_revisions() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == NEWEST


def test_a_database(run: Run, data: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRATICULE_DATABASE_URL", database_url)
    assert "migration none" in run("doctor", "--data", data).out
    assert run("user", "list", "--data", data).code == 0
    done = run("doctor", "--data", data)
    assert (done.code, "PostGIS 3" in done.out, "newest migration" in done.out) == (0, True, True), done.out


def test_a_database_that_is_not_there(run: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRATICULE_DATABASE_URL", "postgresql://me:hidden@127.0.0.1:1/x")
    done = run("doctor", "--data", data)
    assert (done.code, "postgresql://me@127.0.0.1:1/x" in done.out, "hidden" in done.out) == (1, True, False), done.out
