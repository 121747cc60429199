"""Tables in PostgreSQL: how they are made and what the database says of them.

A column is of the PostgreSQL type of its own; "number" is a domain over double precision, so that it can be told from
"real". The geometry has the table's type and projection. Where some features have heights and others not PostGIS
cannot say that in a type; there conditions of the column say the rest. Names that PostgreSQL does not take are cut
(``filters/identifiers.py``); a comment then holds the whole.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pyproj.exceptions import CRSError

from graticule.errors import BadRequest, NotFound
from graticule.filters.identifiers import postgres_name
from graticule.geometry.crs import Crs
from graticule.model.features import Column, ColumnType, Table
from graticule.postgres import lock_key
from graticule.stores.base import CREATED, GEOMETRY, KEY, MODIFIED, OWNER
from graticule.stores.pg_connections import PREPARED
from graticule.stores.pg_query import quoted, relation, schema_of

if TYPE_CHECKING:
    from psycopg import Connection, Cursor

    Row = tuple[Any, ...]

SQL_TYPES: dict[ColumnType, str] = {
    "text": 'text COLLATE "C"',
    "integer": "bigint",
    "real": "double precision",
    "number": f"{PREPARED}.number",
    "boolean": "boolean",
    "date": "date",
    "datetime": "timestamptz(3)",
}
# As format_type says them, without what stands in parentheses; anything else is text.
COLUMN_TYPES: dict[str, ColumnType] = {
    "bigint": "integer",
    "integer": "integer",
    "smallint": "integer",
    "double precision": "real",
    "real": "real",
    f"{PREPARED}.number": "number",
    "numeric": "number",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "datetime",
    "timestamp with time zone": "datetime",
    "timestamp without time zone": "datetime",
}
OURS = frozenset({KEY, GEOMETRY, CREATED, MODIFIED, OWNER})
# PostGIS has no larger numbers for projections; ours, which EPSG does not know, begin at the second.
LARGEST_SRID, FIRST_OWN_SRID = 998_999, 920_000
LONGEST_SRTEXT = 2048

DESCRIBE = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, col_description(c.oid, a.attnum),
           CASE a.atttypid WHEN to_regtype('geometry') THEN postgis_typmod_type(a.atttypmod) END,
           CASE a.atttypid WHEN to_regtype('geometry') THEN postgis_typmod_srid(a.atttypmod) END
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
NAMES = """
    SELECT c.relname, obj_description(c.oid, 'pg_class') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relkind IN ('r', 'p')
"""


def table_names(connection: Connection[Row], account: int) -> list[str]:
    rows = connection.execute(NAMES, (schema_of(account),)).fetchall()
    return sorted(_whole(name, comment) for name, comment in rows)


def describe(connection: Connection[Row], account: int, name: str) -> Table:
    """What the database says of a table. Raises ``NotFound``."""
    rows = connection.execute(DESCRIBE, (schema_of(account), postgres_name(name))).fetchall()
    if not rows:
        raise NotFound(f"There is no table named {name}.", field="table", value=name)
    columns = tuple(
        Column(_whole(column, comment), COLUMN_TYPES.get(sql_type.partition("(")[0], "text"), not_null)
        for column, sql_type, not_null, comment, _, _ in rows
        if column not in OURS
    )
    for column, _, _, comment, kind, srid in rows:
        if column == GEOMETRY:
            kind, has_z, srid = _of_comment(comment) if kind in (None, "Geometry") and comment else (kind, False, srid)
            return Table(name, columns, str(kind).upper(), srid, crs_of(connection, srid), has_z)
    return Table(name, columns)


def _of_comment(comment: str) -> tuple[str, bool, int]:
    """What ``create`` writes beside a column of geometries with and without heights."""
    kind, _, srid = comment.split(" ")
    return kind, True, int(srid)


def _whole(name: str, comment: str | None) -> str:
    """The name that was cut, where the comment is that."""
    return comment if comment is not None and name != comment and postgres_name(comment) == name else name


def crs_of(connection: Connection[Row], srid: int) -> str:
    """The projection of that number, as ``geometry.crs.Crs`` can be made of it."""
    row = connection.execute(f"SELECT definition FROM {PREPARED}.projections WHERE srid = %s", (srid,)).fetchone()
    return f"EPSG:{srid}" if row is None else str(row[0])


def create(cursor: Cursor[Row], account: int, table: Table) -> None:
    """Make an empty table without an index; ``table.srid`` is the database's number of its projection."""
    cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {schema_of(account)}")
    name = relation(account, table.name)
    parts = [f"{KEY} bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"]
    if table.geometry_type:
        parts.append(_geometry(table))
    parts += [
        f"{quoted(column.name)} {SQL_TYPES[column.type]}{' NOT NULL' if column.not_null else ''}"
        for column in table.columns
    ]
    parts += [f"{own} bigint" for own in (CREATED, MODIFIED, OWNER)]
    cursor.execute(_plain(f"CREATE TABLE {name} ({', '.join(parts)})"))
    if table.geometry_type and table.has_z:
        _comment(cursor, f"COLUMN {name}.{GEOMETRY}", f"{table.geometry_type} Z {table.srid}")
    if postgres_name(table.name) != table.name:
        _comment(cursor, f"TABLE {name}", table.name)
    for column in table.columns:
        if postgres_name(column.name) != column.name:
            _comment(cursor, f"COLUMN {name}.{quoted(column.name)}", column.name)


def _geometry(table: Table) -> str:
    if not table.has_z:
        return f"{GEOMETRY} geometry({table.geometry_type}, {table.srid})"
    checks = [f"ST_SRID({GEOMETRY}) = {table.srid}"]
    if table.geometry_type != "GEOMETRY":
        checks.append(f"GeometryType({GEOMETRY}) = '{table.geometry_type}'")
    return f"{GEOMETRY} geometry " + " ".join(f"CHECK ({check})" for check in checks)


def _plain(sql: str) -> str:
    """The text where no value is bound, so that psycopg leaves percent signs as they are."""
    return sql.replace("%%", "%")


def _comment(cursor: Cursor[Row], subject: str, text: str) -> None:
    literal = text.replace("'", "''")
    cursor.execute(_plain(f"COMMENT ON {subject} IS ") + f"'{literal}'")


def index(cursor: Cursor[Row], account: int, table: Table) -> None:
    """Make the spatial index."""
    if table.geometry_type:
        cursor.execute(_plain(f"CREATE INDEX ON {relation(account, table.name)} USING gist ({GEOMETRY})"))


def srid_of(cursor: Cursor[Row], crs_text: str) -> int:
    """The database's number of a projection, which is entered there if it is new."""
    epsg = crs_text.removeprefix("EPSG:")
    if epsg.isdigit() and crs_text.startswith("EPSG:") and int(epsg) <= LARGEST_SRID:
        _register(cursor, int(epsg), crs_text, "EPSG")
        return int(epsg)
    known = f"SELECT srid FROM {PREPARED}.projections WHERE definition = %s"
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key(f"{PREPARED} projections"),))
    row = cursor.execute(known, (crs_text,)).fetchone()
    if row is not None:
        return int(row[0])
    cursor.execute(
        f"INSERT INTO {PREPARED}.projections SELECT coalesce(max(srid) + 1, %s), %s FROM {PREPARED}.projections "
        "RETURNING srid",
        (FIRST_OWN_SRID, crs_text),
    )
    srid = int((cursor.fetchone() or (0,))[0])
    _register(cursor, srid, crs_text, "graticule")
    return srid


def _register(cursor: Cursor[Row], srid: int, crs_text: str, authority: str) -> None:
    """Have PostGIS know the projection too, for other programs: ours take it from the table."""
    if cursor.execute("SELECT 1 FROM spatial_ref_sys WHERE srid = %s", (srid,)).fetchone():
        return
    allowed = "SELECT has_table_privilege('spatial_ref_sys', 'INSERT')"
    if cursor.execute(allowed).fetchone() != (True,):
        return
    with suppress(BadRequest):
        crs = Crs.from_text(crs_text)
        cursor.execute(
            "INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            (srid, authority, srid, _srtext(crs), crs.proj4),
        )


def _srtext(crs: Crs) -> str:
    """The definition as PostGIS keeps it; nothing where the WKT of 1999 has no words for it, or too many."""
    try:
        srtext = crs.pyproj.to_wkt("WKT1_GDAL", output_axis_rule=True) or ""
    except CRSError:
        return ""
    return srtext if len(srtext) <= LONGEST_SRTEXT else ""
