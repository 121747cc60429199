"""How many rows a table has.

The file's own register says so too, and its triggers keep it true; but while GDAL adds rows it takes them off, and at
the end writes down what it has counted itself. Rows that were added by others meanwhile are missing there. So they are
counted here, which takes milliseconds for a million, and again only when the file has changed.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from graticule.stores.gpkg_schema import quoted

if TYPE_CHECKING:
    from pathlib import Path


class Connection(sqlite3.Connection):
    """A connection that remembers what was counted, and in which state of the file."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.counted: dict[str, tuple[tuple[int, int], int]] = {}


# How many accounts' counts are remembered.
MOST_REMEMBERED = 10_000
# A file can change again within one tick of its clock: what changed just now is not remembered, in nanoseconds.
TOO_RECENT = 2 * 10**9

State = tuple[tuple[int, int], ...]


class Remembered:
    """The counts of accounts' tables as long as their files stay the same, so that lists of accounts open none."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, tuple[State, dict[str, int]]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, account: int, state: State) -> dict[str, int] | None:
        """What was counted when the files were in that state."""
        with self._lock:
            known, counts = self._known.get(account, (None, None))
            return counts if known == state else None

    def keep(self, account: int, state: State, counts: dict[str, int]) -> None:
        """Remember what was counted; ``state`` was looked at before."""
        if not state or time.time_ns() - max(changed for changed, _ in state) < TOO_RECENT:
            return
        with self._lock:
            self._known[account] = state, counts
            self._known.move_to_end(account)
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)


def state_of(path: Path) -> State:
    """The times and sizes of a GeoPackage and of the log beside it; () when there is none."""
    found = []
    for part in (path, path.with_name(path.name + "-wal")):
        with suppress(FileNotFoundError):
            status = part.stat()
            found.append((status.st_mtime_ns, status.st_size))
    return tuple(found)


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
