"""A table of a GeoPackage, streamed into PostgreSQL by COPY in its binary form.

SQLite lets any column hold anything, and another program may have made use of that: what is not of its column's type
is brought to it, or left empty where that cannot be.
"""

from __future__ import annotations

import math
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import shapely

from graticule.filters.literals import INTEGER_RANGE
from graticule.stores import gpkg_blob
from graticule.stores.base import CREATED, GEOMETRY, KEY, MODIFIED, OWNER
from graticule.stores.gpkg_schema import quoted as sqlite_quoted
from graticule.stores.pg_query import quoted, relation

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from psycopg import Cursor

    from graticule.model.features import ColumnType, Table

    Convert = Callable[[Any], Any]

BATCH = 5_000
# The types of COPY's binary form; of a geometry it is the bytes of WKB, whatever the column is called.
COPY_TYPES: dict[ColumnType, str] = {
    "text": "text",
    "integer": "int8",
    "real": "float8",
    "number": "float8",
    "boolean": "bool",
    "date": "date",
    "datetime": "timestamptz",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A table of an open GeoPackage: its name there, with the name of the database it is attached as."""

    connection: sqlite3.Connection
    database: str
    name: str


def load(
    cursor: Cursor[tuple[Any, ...]],
    account: int,
    table: Table,
    source: Source,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Copy all rows of the source into the empty ``table``, ids and all; answers how many."""
    own = [GEOMETRY] if table.geometry_type else []
    names = [KEY, *own, *(column.name for column in table.columns), CREATED, MODIFIED, OWNER]
    types = [
        "int8", *("bytea" for _ in own), *(COPY_TYPES[column.type] for column in table.columns), "int8", "int8", "int8",
    ]  # fmt: skip
    target = relation(account, table.name)
    listed = ", ".join(map(quoted, names))
    done = 0
    with cursor.copy(f"COPY {target} ({listed}) FROM STDIN (FORMAT BINARY)".replace("%%", "%")) as copy:
        copy.set_types(types)
        for rows in _batches(table, source, names):
            for row in rows:
                copy.write_row(row)
            done += len(rows)
            if progress is not None:
                progress(done)
    return done


def keep_counting(cursor: Cursor[tuple[Any, ...]], account: int, table: Table, last: int = 0) -> None:
    """Have the next id come after all there are, and after ``last``."""
    target = relation(account, table.name)
    cursor.execute(
        f"SELECT setval(pg_get_serial_sequence(%s, '{KEY}'), greatest(max({KEY}), %s)) FROM {target} "
        f"HAVING greatest(max({KEY}), %s) > 0",
        (target.replace("%%", "%"), last, last),
    )


def _batches(table: Table, source: Source, names: list[str]) -> Iterator[list[tuple[Any, ...]]]:
    listed = ", ".join(map(sqlite_quoted, names))
    of = f"{source.database}.{sqlite_quoted(source.name)}"
    converts = [_CONVERTS[column.type] for column in table.columns]
    with closing(source.connection.execute(f"SELECT {listed} FROM {of} ORDER BY {KEY}")) as cursor:
        while rows := cursor.fetchmany(BATCH):
            yield _converted(rows, converts, table)


def _converted(rows: list[tuple[Any, ...]], converts: Sequence[Convert], table: Table) -> list[tuple[Any, ...]]:
    ids, *columns = zip(*rows, strict=True)
    own = [_wkb(columns.pop(0), table.srid or 0)] if table.geometry_type else []
    *values, created, modified, owner = columns
    changed: list[Sequence[Any]] = [
        [None if value is None else convert(value) for value in column]
        for convert, column in zip(converts, values, strict=True)
    ]
    ours = [[_integer(value) for value in column] for column in (created, modified, owner)]
    return list(zip(ids, *own, *changed, *ours, strict=True))


def _wkb(blobs: Sequence[bytes | None], srid: int) -> list[bytes | None]:
    """PostGIS's WKB of the blobs, which holds the projection; None for what is empty or cannot be read."""
    shapes: NDArray[np.object_] = gpkg_blob.decode(blobs)
    shapes[shapely.is_empty(shapes)] = None
    numbered = shapely.set_srid(shapes, srid)
    wkb: list[bytes | None] = shapely.to_wkb(numbered, include_srid=True, output_dimension=3).tolist()
    return wkb


def _text(value: Any) -> str:
    text = value.hex() if isinstance(value, bytes) else str(value)
    # PostgreSQL keeps no zero characters.
    return text.replace("\0", "") if "\0" in text else text


def _integer(value: Any) -> int | None:
    with suppress(TypeError, ValueError, OverflowError):
        number = int(value)
        return number if number in INTEGER_RANGE else None
    return None


def _real(value: Any) -> float | None:
    with suppress(TypeError, ValueError, OverflowError):
        number = float(value)
        return number if math.isfinite(number) else None
    return None


def _date(value: Any) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(str(value)[:10])
    return None


def _datetime(value: Any) -> datetime | None:
    with suppress(ValueError):
        moment = datetime.fromisoformat(str(value))
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return None


_CONVERTS: dict[ColumnType, Convert] = {
    "text": _text,
    "integer": _integer,
    "real": _real,
    "number": _real,
    "boolean": bool,
    "date": _date,
    "datetime": _datetime,
}
