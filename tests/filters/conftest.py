"""The table of cases that every executor of the ``where`` language must agree on."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from graticule.filters.check import check
from graticule.filters.parse import parse
from graticule.filters.sqlite_functions import register
from graticule.filters.to_sql import SQLITE, to_sql
from graticule.model.features import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TABLE: dict[str, Any] = json.loads((Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))
# As GeoPackage declares them; the affinities that follow from the names are part of what is tested.
DECLARED = {
    "text": "TEXT",
    "integer": "INTEGER",
    "real": "REAL",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "datetime": "DATETIME",
}


@pytest.fixture(scope="session")
def columns() -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name, kind in TABLE["columns"])


@pytest.fixture(scope="session")
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    register(connection)
    declared = "".join(f', "{name.replace(chr(34), chr(34) * 2)}" {DECLARED[kind]}' for name, kind in TABLE["columns"])
    own = "ogc_fid INTEGER PRIMARY KEY, __owner INTEGER, __created INTEGER, __modified INTEGER"
    connection.execute(f"CREATE TABLE places ({own}{declared})")
    marks = ", ".join("?" * len(TABLE["fields"]))
    connection.executemany(f"INSERT INTO places VALUES ({marks})", TABLE["rows"])
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def select(database: sqlite3.Connection, columns: tuple[Column, ...]) -> Callable[[str], list[int]]:
    """The ids of the rows for which a condition holds, by SQLite, in a statement like those of the stores."""

    def ids(where: str) -> list[int]:
        condition, values = to_sql(check(parse(where), columns), SQLITE)
        hit = f"CASE WHEN t.ogc_fid < 0 THEN 1 WHEN ({condition}) THEN 0 END AS hit"
        inner = f"SELECT t.ogc_fid AS id, {hit} FROM places t WHERE t.ogc_fid > 0 AND ({condition})"
        statement = f"SELECT id FROM ({inner}) WHERE hit = 0 ORDER BY id"
        return [row[0] for row in database.execute(statement, values + values)]

    return ids
