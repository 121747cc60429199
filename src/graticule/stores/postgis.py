"""The feature store in PostgreSQL with PostGIS: one schema an account, one table a table."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from graticule.errors import Conflict, NotFound, PreconditionFailed, Unavailable
from graticule.filters.identifiers import postgres_name
from graticule.filters.to_sql import POSTGRES
from graticule.geometry.crs import Crs
from graticule.postgres import checked_url
from graticule.stores import pg_load, pg_schema, staged_table
from graticule.stores.base import CREATED, GEOMETRY, KEY, MODIFIED, OWNER, Change
from graticule.stores.pg_connections import PgConnections
from graticule.stores.pg_query import PostgisStatements, quoted, relation, schema_of
from graticule.stores.query import is_plain
from graticule.stores.values import reader, to_batch, to_summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from psycopg import Connection, Cursor

    from graticule.model.features import Batch, Box, Column, Query, Summary, Table
    from graticule.stores.query import Statement

    Row = tuple[Any, ...]

# With fewer features than this nothing is left out of a picture.
FEWEST_TO_THIN = 20_000
# How a value is bound, by the type of its column.
MARKS: dict[str, str] = {"number": POSTGRES.literals["real"]} | dict(POSTGRES.literals.items())


class PostgisStore:
    """A ``FeatureStore`` in a database; ``read_url`` is that of its replica."""

    def __init__(self, url: str, read_url: str | None = None, *, pool_min: int = 1, pool_max: int = 20) -> None:
        checked_url(url)
        self._connections = PgConnections(url, read_url, pool_min, pool_max)

    def tables(self, account: int) -> list[str]:
        with self._connections.reading() as connection:
            return pg_schema.table_names(connection, account)

    def table(self, account: int, name: str) -> Table:
        with self._connections.reading() as connection:
            return pg_schema.describe(connection, account, name)

    def create(self, account: int, table: Table) -> None:
        with self._connections.writing(account) as cursor:
            _refuse_taken(cursor, account, table.name)
            if table.crs is not None:
                table = replace(table, srid=pg_schema.srid_of(cursor, _canonical(table.crs)))
            pg_schema.create(cursor, account, table)
            pg_schema.index(cursor, account, table)

    def drop(self, account: int, name: str) -> None:
        with self._connections.writing(account) as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {relation(account, name)}".replace("%%", "%"))

    def adopt(self, account: int, staged: Path, name: str, rows: int) -> None:
        with closing(sqlite3.connect(":memory:")) as source, self._connections.writing(account) as cursor:
            source.execute(f"ATTACH ? AS {staged_table.STAGED}", (str(staged),))
            staged_table.check_whole(source, rows)
            found = source.execute(f"SELECT table_name FROM {staged_table.STAGED}.gpkg_contents LIMIT 1").fetchone()
            if found is None:
                raise NotFound("The prepared file holds no table.")
            _refuse_taken(cursor, account, name)
            self._load(cursor, account, pg_load.Source(source, staged_table.STAGED, found[0]), name)

    def replace(
        self,
        account: int,
        source: sqlite3.Connection,
        name: str,
        last: int,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Take over a table of an open GeoPackage in place of the one of that name; ids go on after ``last``."""
        with self._connections.writing(account) as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {relation(account, name)}".replace("%%", "%"))
            self._load(cursor, account, pg_load.Source(source, "main", name), name, last, progress)

    @staticmethod
    def _load(
        cursor: Cursor[Row],
        account: int,
        source: pg_load.Source,
        name: str,
        last: int = 0,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        described = staged_table.describe(source.connection, source.name, source.database)
        table = replace(described, name=name)
        if table.crs is not None:
            table = replace(table, srid=pg_schema.srid_of(cursor, table.crs))
        pg_schema.create(cursor, account, table)
        pg_load.load(cursor, account, table, source, progress)
        pg_load.keep_counting(cursor, account, table, last)
        pg_schema.index(cursor, account, table)
        cursor.execute(f"ANALYZE {relation(account, name)}".replace("%%", "%"))

    def extent(self, account: int, name: str) -> Box | None:
        with self._connections.reading() as connection:
            row = connection.execute(_EXTENT.format(relation(account, name)).replace("%%", "%")).fetchone()
        return None if row is None or row[0] is None else (row[0], row[1], row[2], row[3])

    def count(self, account: int, table: Table, query: Query) -> int:
        statement = PostgisStatements(account).count(table, query)
        with self._connections.reading() as connection:
            row = connection.execute(statement.sql, statement.values).fetchone()
        return int((row or (0,))[0])

    def counts(self, account: int) -> dict[str, int]:
        with self._connections.reading() as connection:
            names = pg_schema.table_names(connection, account)
            if not names:
                return {}
            counted = " UNION ALL ".join(
                f"SELECT {at}, count(*) FROM {relation(account, name)}" for at, name in enumerate(names)
            )
            return {names[at]: count for at, count in connection.execute(counted.replace("%%", "%")).fetchall()}

    def read(self, account: int, table: Table, query: Query, *, batch_size: int = 10_000) -> Iterator[Batch]:
        types = {column.name: column.type for column in table.columns}
        with self._connections.reading() as connection:
            thinned = is_plain(table, query) and _are_many(connection, account, table, query)
            statement = PostgisStatements(account, thinned=thinned).select(table, query)
            readers = [reader(types.get(name, "integer")) for name in statement.columns]
            decode = _decode if query.geometry else None
            for rows in _streamed(connection, statement, batch_size, few=_are_few(query, batch_size)):
                yield to_batch(rows, statement.columns, readers, decode)

    def summary(self, account: int, table: Table, query: Query, column: Column) -> Summary:
        statement = PostgisStatements(account).summary(table, query, column)
        with self._connections.reading() as connection:
            row = connection.execute(statement.sql, statement.values).fetchone()
        assert row is not None
        return to_summary(row, reader(column.type))

    def distinct(self, account: int, table: Table, query: Query, column: Column) -> list[Any]:
        statement, ready = PostgisStatements(account).distinct(table, query, column), reader(column.type)
        with self._connections.reading() as connection:
            rows = connection.execute(statement.sql, statement.values).fetchall()
        return [value if ready is None else ready(value) for (value,) in rows]

    def insert(self, account: int, table: Table, changes: Sequence[Change], owner: int) -> list[int]:
        if not changes:
            return []
        now = int(time.time())
        ours = {CREATED: now, MODIFIED: now, OWNER: owner}
        rows = [_values(table, change) | ours for change in changes]
        names = list(dict.fromkeys(name for row in rows for name in row))
        marks = _marks(table)
        sql = (
            f"INSERT INTO {relation(account, table.name)} ({', '.join(map(quoted, names))}) "
            f"VALUES ({', '.join(marks.get(name, '%s') for name in names)}) RETURNING {KEY}"
        )
        with self._connections.writing() as cursor:
            cursor.executemany(sql, [tuple(row.get(name) for name in names) for row in rows], returning=True)
            return _ids(cursor)

    def update(self, account: int, table: Table, change: Change, expected: str | None = None) -> bool:
        values = _values(table, change)
        with self._connections.writing() as cursor:
            if not _is_expected(cursor, account, table, change.id, expected):
                return False
            if values:
                _update(cursor, account, table, change.id, values)
        return True

    def delete(self, account: int, table: Table, feature: int, expected: str | None = None) -> bool:
        with self._connections.writing() as cursor:
            if not _is_expected(cursor, account, table, feature, expected):
                return False
            cursor.execute(f"DELETE FROM {relation(account, table.name)} WHERE {KEY} = %s", (feature,))
        return True

    def empty(self, account: int, table: Table) -> None:
        with self._connections.writing() as cursor:
            cursor.execute(f"DELETE FROM {relation(account, table.name)}".replace("%%", "%"))

    def version(self, account: int, table: Table, feature: int) -> str | None:
        with self._connections.reading() as connection:
            return _version(connection.cursor(), account, table, feature)

    def close(self) -> None:
        self._connections.close()


# In three dimensions it is of doubles; in two of the envelopes that are kept as floats.
_EXTENT = f"""
    SELECT ST_XMin(boxes.box), ST_YMin(boxes.box), ST_XMax(boxes.box), ST_YMax(boxes.box)
    FROM (SELECT ST_3DExtent(t.{GEOMETRY}) AS box FROM {{}} t) AS boxes
"""
_EXISTS = """
    SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND lower(c.relname) = lower(%s)
"""
_ESTIMATE = """
    SELECT c.reltuples FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relname = %s
"""


def _refuse_taken(cursor: Cursor[Row], account: int, name: str) -> None:
    if cursor.execute(_EXISTS, (schema_of(account), postgres_name(name))).fetchone():
        raise Conflict(f"There is already a table named {name}.", field="name", value=name)


def _canonical(crs_text: str) -> str:
    """A projection by its EPSG number where it has one, else as it is."""
    crs = Crs.from_text(crs_text)
    if crs.is_web_mercator:
        return "EPSG:3857"
    return f"EPSG:{crs.epsg}" if crs.epsg else crs_text


def _are_many(connection: Connection[Row], account: int, table: Table, query: Query) -> bool:
    """Whether the query hits more than are ever drawn one by one. Counted so far only, and in large tables only."""
    row = connection.execute(_ESTIMATE, (schema_of(account), postgres_name(table.name))).fetchone()
    if row is None or row[0] < FEWEST_TO_THIN:
        return False
    values: list[Any] = []
    source = PostgisStatements(account).source(table, query, values)
    sql = f"SELECT count(*) FROM (SELECT {source} LIMIT {FEWEST_TO_THIN}) AS hit"
    found = connection.execute(sql, values).fetchone()
    return found == (FEWEST_TO_THIN,)


def _are_few(query: Query, batch_size: int) -> bool:
    """Whether all that can be hit fits into one batch."""
    most = min(len(query.ids) if query.ids is not None else batch_size + 1, query.limit or batch_size + 1)
    return most <= batch_size


def _streamed(connection: Connection[Row], statement: Statement, batch_size: int, *, few: bool) -> Iterator[list[Row]]:
    """The rows in binary form: at once where they are few, else through a cursor in the database."""
    if few:
        with connection.cursor(binary=True) as cursor:
            if rows := cursor.execute(statement.sql, statement.values).fetchall():
                yield rows
        return
    with connection.transaction(), connection.cursor(name="features", binary=True) as named:
        named.execute(statement.sql, statement.values)
        while rows := named.fetchmany(batch_size):
            yield rows


def _decode(wkb: Sequence[bytes | None]) -> NDArray[np.object_]:
    """Shapely geometries (n,) of EWKB."""
    geometry: NDArray[np.object_] = shapely.from_wkb(np.array(wkb, dtype=object), on_invalid="ignore")
    return geometry


def _marks(table: Table) -> dict[str, str]:
    """How a value of each column is bound."""
    marks = {column.name: MARKS[column.type] for column in table.columns}
    return marks | {GEOMETRY: f"ST_GeomFromWKB(%s, {int(table.srid or 0)})"}


def _values(table: Table, change: Change) -> dict[str, Any]:
    types = {column.name: column.type for column in table.columns}
    values = {
        name: bool(value) if types[name] == "boolean" and value is not None else value
        for name, value in change.values.items()
    }
    if change.set_geometry:
        shape = change.geometry
        lost = shape is None or shape.is_empty
        wkb = None if lost else shapely.to_wkb(shape, flavor="iso", output_dimension=3 if shape.has_z else 2)
        values[GEOMETRY] = wkb
    return values


def _ids(cursor: Cursor[Row]) -> list[int]:
    ids = []
    while True:
        row = cursor.fetchone()
        if row is None:
            raise Unavailable("The database did not say what it stored.")
        ids.append(int(row[0]))
        if not cursor.nextset():
            return ids


def _update(cursor: Cursor[Row], account: int, table: Table, feature: int | None, values: dict[str, Any]) -> None:
    """Change a feature, unless it has these values already."""
    marks = _marks(table)
    names = ", ".join(quoted(name) for name in values)
    bound = ", ".join(marks[name] for name in values)
    assignments = ", ".join(f"{quoted(name)} = {marks[name]}" for name in values)
    cursor.execute(
        f"UPDATE {relation(account, table.name)} SET {assignments}, {MODIFIED} = %s "
        f"WHERE {KEY} = %s AND ROW({names}) IS DISTINCT FROM ROW({bound})",
        (*values.values(), int(time.time()), feature, *values.values()),
    )


def _version(
    cursor: Cursor[Row], account: int, table: Table, feature: int | None, *, locked: bool = False
) -> str | None:
    lock = " FOR UPDATE" if locked else ""
    sql = f"SELECT md5(CAST(t.* AS text)) FROM {relation(account, table.name)} t WHERE t.{KEY} = %s{lock}"
    row = cursor.execute(sql, (feature,)).fetchone()
    return None if row is None else str(row[0])[:16]


def _is_expected(cursor: Cursor[Row], account: int, table: Table, feature: int | None, expected: str | None) -> bool:
    """Whether the feature is there, locked from now on; raises ``PreconditionFailed`` when it is not as expected."""
    version = _version(cursor, account, table, feature, locked=True)
    if version is not None and expected not in (None, version):
        raise PreconditionFailed(
            f"Feature {feature} has changed since; read it again.", field="If-Match", value=expected
        )
    return version is not None
