"""How many rows a table has.

The file's own register says so too, and its triggers keep it true; but while GDAL adds rows it takes them off, and at
the end writes down what it has counted itself. Rows that were added by others meanwhile are missing there. So they are
counted here, which takes milliseconds for a million, and again only when the file has changed.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from graticule.stores.gpkg_schema import quoted


class Connection(sqlite3.Connection):
    """A connection that remembers what was counted, and in which state of the file."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.counted: dict[str, tuple[tuple[int, int], int]] = {}


def rows(connection: Connection, name: str) -> int:
    """The exact number of rows; to be called inside a transaction."""
    # The first changes with the commits of others, the second with what this connection does itself.
    state = (int(connection.execute("PRAGMA data_version").fetchone()[0]), connection.total_changes)
    known, number = connection.counted.get(name, (None, 0))
    if known != state:
        (number,) = connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()
        connection.counted[name] = (state, number)
    return number


def stated(connection: Connection, name: str) -> int | None:
    """What the file's register says."""
    row = connection.execute("SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = ?", (name,)).fetchone()
    return row[0] if row else None


def correct(connection: Connection, name: str) -> None:
    """Have the register say what is true."""
    connection.execute(
        "INSERT INTO gpkg_ogr_contents (table_name, feature_count) VALUES (?, ?) "
        "ON CONFLICT (table_name) DO UPDATE SET feature_count = excluded.feature_count",
        (name, rows(connection, name)),
    )
