"""The embedded feature store: one GeoPackage an account, which other programs may open at the same time."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from graticule.errors import Conflict, PreconditionFailed, Unavailable
from graticule.geometry.crs import Crs
from graticule.stores import counting, extent, gpkg_blob, rtree_sample, staged_table
from graticule.stores import gpkg_schema as schema
from graticule.stores.base import CREATED, GEOMETRY, KEY, MODIFIED, OWNER, Change
from graticule.stores.connections import Connections
from graticule.stores.gpkg_query import STATEMENTS
from graticule.stores.gpkg_schema import quoted
from graticule.stores.query import is_filtered, is_plain
from graticule.stores.values import reader, to_batch, to_summary, writer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from graticule.model.features import Batch, Box, Column, Query, Summary, Table


class GeoPackageStore:
    """A ``FeatureStore`` over ``<root>/<account>/data.gpkg``."""

    def __init__(self, root: Path) -> None:
        self._connections = Connections(root)
        self._counts = counting.Remembered()

    def path(self, account: int) -> Path:
        """Where the account's GeoPackage is, or will be."""
        return self._connections.path(account)

    def tables(self, account: int) -> list[str]:
        if not self.path(account).exists():
            return []
        with self._connections.reading(account) as connection:
            rows = connection.execute("SELECT table_name FROM gpkg_contents ORDER BY table_name")
            return [name for (name,) in rows]

    def table(self, account: int, name: str) -> Table:
        with self._connections.reading(account) as connection:
            return staged_table.describe(connection, name)

    def create(self, account: int, table: Table) -> None:
        with self._connections.writing(account) as connection:
            if _exists(connection, table.name):
                raise Conflict(f"There is already a table named {table.name}.", field="name", value=table.name)
            if table.crs is not None:
                table = replace(table, srid=_srid_of(connection, table.crs))
            connection.execute(schema.create_table(table))
            if table.geometry_type:
                connection.execute(schema.create_rtree(table.name))
            _announce(connection, table, features=0, box=None)

    def drop(self, account: int, name: str) -> None:
        if not self.path(account).exists():
            return
        with self._connections.writing(account) as connection:
            for owner in ("gpkg_extensions", "gpkg_geometry_columns", "gpkg_ogr_contents", "gpkg_contents"):
                connection.execute(f"DELETE FROM {owner} WHERE table_name = ?", (name,))
            connection.execute(f"DROP TABLE IF EXISTS {quoted(schema.rtree(name))}")
            connection.execute(f"DROP TABLE IF EXISTS {quoted(name)}")

    def adopt(self, account: int, staged: Path, name: str, rows: int) -> None:
        with self._connections.writing(account, attached=staged) as connection:
            if _exists(connection, name):
                raise Conflict(f"There is already a table named {name}.", field="name", value=name)
            staged_table.check_whole(connection, rows)
            found = staged_table.copy(connection, name)
            box = extent.of_index(connection, name) if found.table.geometry_type else None
            _announce(connection, found.table, features=found.features, box=box)

    def extent(self, account: int, name: str) -> Box | None:
        with self._connections.reading(account) as connection:
            return extent.of_index(connection, name)

    def count(self, account: int, table: Table, query: Query) -> int:
        if not is_filtered(query):
            return self._count_all(account, table)
        statement = STATEMENTS.count(table, query)
        with self._connections.reading(account) as connection:
            return int(connection.execute(statement.sql, statement.values).fetchone()[0])

    def _count_all(self, account: int, table: Table) -> int:
        with self._connections.reading(account) as connection:
            number, stated = counting.rows(connection, table.name), counting.stated(connection, table.name)
        if number != stated:
            with suppress(Unavailable), self._connections.writing(account) as connection:
                counting.correct(connection, table.name)
                self._touch(connection, table)
        return number

    def counts(self, account: int) -> dict[str, int]:
        state = counting.state_of(self.path(account))
        known = self._counts.get(account, state)
        if known is not None or not state:
            return dict(known or {})
        with self._connections.reading(account) as connection:
            names = [name for (name,) in connection.execute("SELECT table_name FROM gpkg_contents")]
            counts = {name: counting.rows(connection, name) for name in names}
        self._counts.keep(account, state, counts)
        return dict(counts)

    def read(self, account: int, table: Table, query: Query, *, batch_size: int = 10_000) -> Iterator[Batch]:
        types = {column.name: column.type for column in table.columns}
        with self._connections.reading(account) as connection:
            statement = STATEMENTS.select(table, query, _sampled(connection, table, query))
            readers = [reader(types.get(name, "integer")) for name in statement.columns]
            cursor = connection.execute(statement.sql, statement.values)
            while rows := cursor.fetchmany(batch_size):
                yield to_batch(rows, statement.columns, readers, gpkg_blob.decode if query.geometry else None)

    def summary(self, account: int, table: Table, query: Query, column: Column) -> Summary:
        statement, ready = STATEMENTS.summary(table, query, column), reader(column.type)
        with self._connections.reading(account) as connection:
            row = connection.execute(statement.sql, statement.values).fetchone()
        return to_summary(row, ready)

    def distinct(self, account: int, table: Table, query: Query, column: Column) -> list[Any]:
        statement, ready = STATEMENTS.distinct(table, query, column), reader(column.type)
        with self._connections.reading(account) as connection:
            rows = connection.execute(statement.sql, statement.values).fetchall()
        return [value if ready is None else ready(value) for (value,) in rows]

    def insert(self, account: int, table: Table, changes: Sequence[Change], owner: int) -> list[int]:
        now = int(time.time())
        with self._connections.writing(account) as connection:
            ids = [_insert(connection, table, change, owner, now) for change in changes]
            self._touch(connection, table)
        return ids

    def update(self, account: int, table: Table, change: Change, expected: str | None = None) -> bool:
        values = _values(table, change)
        with self._connections.writing(account) as connection:
            if not _is_expected(connection, table, change.id, expected):
                return False
            if _holds(connection, table, change.id, values):
                return True
            values[MODIFIED] = int(time.time())
            assignments = ", ".join(f"{quoted(name)} = ?" for name in values)
            connection.execute(
                f"UPDATE {quoted(table.name)} SET {assignments} WHERE {KEY} = ?", (*values.values(), change.id)
            )
            self._touch(connection, table)
        return True

    def delete(self, account: int, table: Table, feature: int, expected: str | None = None) -> bool:
        with self._connections.writing(account) as connection:
            if not _is_expected(connection, table, feature, expected):
                return False
            connection.execute(f"DELETE FROM {quoted(table.name)} WHERE {KEY} = ?", (feature,))
            self._touch(connection, table)
        return True

    def empty(self, account: int, table: Table) -> None:
        with self._connections.writing(account) as connection:
            connection.execute(f"DELETE FROM {quoted(table.name)}")
            self._touch(connection, table)

    def version(self, account: int, table: Table, feature: int) -> str | None:
        with self._connections.reading(account) as connection:
            return _version(connection, table, feature)

    def close(self) -> None:
        self._connections.close()

    @staticmethod
    def _touch(connection: sqlite3.Connection, table: Table) -> None:
        """Keep what the file says of the table true: its extent and the time of its last change."""
        box = extent.of_index(connection, table.name) if table.geometry_type else None
        connection.execute(
            "UPDATE gpkg_contents SET min_x = ?, min_y = ?, max_x = ?, max_y = ?, "
            "last_change = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE table_name = ?",
            (*(box or (None,) * 4), table.name),
        )


def _sampled(connection: sqlite3.Connection, table: Table, query: Query) -> NDArray[np.int64] | None:
    """The features that stand for all in a picture of a large table; None where all are to be read."""
    if query.raster is None or not is_plain(table, query):
        return None
    return rtree_sample.sample(connection, table.name, query.boxes, query.raster)


def _exists(connection: sqlite3.Connection, name: str) -> bool:
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE lower(name) = lower(?)", (name,)).fetchone()
    return found is not None


def _srid_of(connection: sqlite3.Connection, crs_text: str) -> int:
    crs = Crs.from_text(crs_text)
    if crs.is_web_mercator:
        crs = Crs.web_mercator()
    organization, code = ("NONE", 0) if crs.epsg is None else ("EPSG", crs.epsg)
    definition = crs.pyproj.to_wkt("WKT1_GDAL", output_axis_rule=True)
    return staged_table.enter_srs(connection, crs.pyproj.name, organization, code, definition)


def _announce(connection: sqlite3.Connection, table: Table, *, features: int, box: Box | None) -> None:
    """Enter a table that now exists into the file's own registers, and set its triggers."""
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, min_x, min_y, max_x, max_y, srs_id) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            table.name,
            "features" if table.geometry_type else "attributes",
            table.name,
            *(box or (None,) * 4),
            table.srid if table.geometry_type else 0,
        ),
    )
    if table.geometry_type:
        connection.execute(
            "INSERT INTO gpkg_geometry_columns VALUES (?, ?, ?, ?, ?, ?)",
            (table.name, GEOMETRY, table.geometry_type, table.srid, 1 if table.has_z else 0, 0),
        )
        connection.execute(
            "INSERT INTO gpkg_extensions VALUES (?, ?, 'gpkg_rtree_index', ?, 'write-only')",
            (table.name, GEOMETRY, schema.RTREE_DEFINITION),
        )
    connection.execute("INSERT INTO gpkg_ogr_contents VALUES (?, ?)", (table.name, features))
    for trigger in schema.create_triggers(table):
        connection.execute(trigger)


def _values(table: Table, change: Change) -> dict[str, Any]:
    writers = {column.name: writer(column.type) for column in table.columns}
    values = {name: None if value is None else writers[name](value) for name, value in change.values.items()}
    if change.set_geometry:
        values[GEOMETRY] = gpkg_blob.encode(change.geometry, table.srid or 0)
    return values


def _insert(connection: sqlite3.Connection, table: Table, change: Change, owner: int, now: int) -> int:
    values = _values(table, change) | {CREATED: now, MODIFIED: now, OWNER: owner}
    names = ", ".join(quoted(name) for name in values)
    marks = ", ".join("?" * len(values))
    cursor = connection.execute(f"INSERT INTO {quoted(table.name)} ({names}) VALUES ({marks})", tuple(values.values()))
    return int(cursor.lastrowid or 0)


def _version(connection: sqlite3.Connection, table: Table, feature: int | None) -> str | None:
    row = connection.execute(f"SELECT * FROM {quoted(table.name)} WHERE {KEY} = ?", (feature,)).fetchone()
    return None if row is None else hashlib.blake2b(repr(row).encode(), digest_size=8).hexdigest()


def _holds(connection: sqlite3.Connection, table: Table, feature: int | None, values: dict[str, Any]) -> bool:
    """Whether the feature has these values already, so that nothing is to be changed."""
    names = ", ".join(quoted(name) for name in values) or "NULL"
    row = connection.execute(f"SELECT {names} FROM {quoted(table.name)} WHERE {KEY} = ?", (feature,)).fetchone()
    return not values or row == tuple(values.values())


def _is_expected(connection: sqlite3.Connection, table: Table, feature: int | None, expected: str | None) -> bool:
    """Whether the feature is there; raises ``PreconditionFailed`` when it is another than the one expected."""
    version = _version(connection, table, feature)
    if version is not None and expected not in (None, version):
        raise PreconditionFailed(
            f"Feature {feature} has changed since; read it again.", field="If-Match", value=expected
        )
    return version is not None
