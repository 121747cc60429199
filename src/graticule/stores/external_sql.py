"""The SQL by which tables of other PostGIS databases are described and read.

Names come from the database's own catalogue, every value is bound. A table is wrapped in a query that gives its columns
the names and types that all our tables have; PostgreSQL takes the two for one, so that indexes help.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graticule.filters.to_sql import POSTGRES, PSEUDO_COLUMNS, to_sql
from graticule.model.features import Column
from graticule.stores.base import CREATED, GEOMETRY, KEY, MODIFIED, OWNER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graticule.filters.nodes import Node
    from graticule.model.features import ColumnType, Query, Table

CLASS = "__class"
OURS = frozenset({KEY, GEOMETRY, OWNER, CREATED, MODIFIED})
SPATIAL = ("geometry", "geography")
NUMBERS = ("integer", "real", "number")
COLLATION = POSTGRES.text_order
TYPES: dict[str, ColumnType] = {
    **dict.fromkeys(("int2", "int4", "int8"), "integer"),
    **dict.fromkeys(("float4", "float8"), "real"),
    "numeric": "number",
    "bool": "boolean",
    "date": "date",
    **dict.fromkeys(("timestamp", "timestamptz"), "datetime"),
}
_PSEUDO: dict[str, str] = dict(PSEUDO_COLUMNS.items())

# Tables and views that the user may read; those of PostGIS itself are no data.
TABLES = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema'
  AND c.relname NOT IN ('spatial_ref_sys', 'geometry_columns', 'geography_columns')
  AND c.relname NOT IN ('raster_columns', 'raster_overviews')
  AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
ORDER BY 1, 2
"""
# Name, type, whether NOT NULL, the modifier of the type (which PostGIS keeps projection and geometry type in).
COLUMNS = """
SELECT a.attname, t.typname, a.attnotnull, a.atttypmod, c.relkind IN ('v', 'm') AS is_view
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND a.attnum > 0 AND NOT a.attisdropped AND has_column_privilege(c.oid, a.attnum, 'SELECT')
ORDER BY a.attnum
"""
PRIMARY_KEY = """
SELECT a.attname, t.typname FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE n.nspname = %s AND c.relname = %s AND i.indisprimary
"""
GEOMETRY_TYPE = "SELECT postgis_typmod_type(%s), postgis_typmod_srid(%s)"
PROJECTION = "SELECT auth_name, auth_srid, srtext FROM spatial_ref_sys WHERE srid = %s"


@dataclass(frozen=True, slots=True)
class Found:
    """A table of another database. ``key`` is the column of whole numbers that is its primary key, if it has one.

    ``types`` are those of the database by column, ``geometry`` the column that has it.
    """

    schema: str
    name: str
    table: Table
    types: dict[str, str]
    key: str | None = None
    geometry: str | None = None
    is_view: bool = False


def quoted(name: str) -> str:
    """The name as an SQL identifier, in text in which psycopg looks for placeholders."""
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'


def column_of(name: str, kind: str, *, not_null: bool) -> Column:
    return Column(name, TYPES.get(kind, "text"), not_null)


def wrapped(found: Found) -> str:
    """The table as one of ours, called ``t``."""
    key = quoted(found.key) if found.key else "row_number() OVER ()"
    parts = [f"CAST({key} AS bigint) AS {quoted(KEY)}"]
    parts += [f"CAST(0 AS bigint) AS {quoted(name)}" for name in (OWNER, CREATED, MODIFIED)]
    if found.geometry is not None:
        cast = "::geometry" if found.types[found.geometry] == "geography" else ""
        parts.append(f"{quoted(found.geometry)}{cast} AS {quoted(GEOMETRY)}")
    parts += [f"{_typed(column, found.types[column.name])} AS {quoted(column.name)}" for column in found.table.columns]
    return f"(SELECT {', '.join(parts)} FROM {quoted(found.schema)}.{quoted(found.name)}) t"


def _typed(column: Column, kind: str) -> str:
    """The column in the type that conditions are written for."""
    name = quoted(column.name)
    if column.type == "text" and kind not in ("text", "varchar"):
        return f"CAST({name} AS text)"
    if column.type == "integer" and kind != "int8":
        return f"CAST({name} AS bigint)"
    if kind == "float4":
        return f"CAST({name} AS double precision)"
    return f"{name} AT TIME ZONE 'UTC'" if kind == "timestamp" else name


def _told(value: str, kind: ColumnType) -> str:
    """A value of that type as it is answered."""
    if kind == "date":
        return f"to_char({value}, 'YYYY-MM-DD')"
    if kind == "datetime":
        return f"to_char({value} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    return value


def names_of(found: Found, query: Query) -> tuple[str, ...]:
    """The columns that the query gives, in the order they are selected."""
    names = tuple(column.name for column in found.table.columns) if query.columns is None else query.columns
    return names if query.classes is None else (*names, CLASS)


def select(found: Found, query: Query) -> tuple[str, list[Any]]:
    """SELECT key, geometry or NULL, columns…, [class] of what the query hits."""
    by_name = {column.name: column for column in found.table.columns}
    values: list[Any] = []
    geometry = query.geometry and found.geometry is not None
    wanted = [f"t.{quoted(KEY)}", f"ST_AsBinary(ST_CurveToLine(t.{quoted(GEOMETRY)}))" if geometry else "NULL"]
    names = by_name if query.columns is None else query.columns
    wanted += [_told(f"t.{quoted(name)}", by_name[name].type) for name in names]
    if query.classes is not None:
        wanted.append(_class_of(query.classes, values))
    sql = f"SELECT {', '.join(wanted)} FROM {wrapped(found)}{_where(found, query, values)} {_order(query, by_name)}"
    if query.limit is not None or query.offset:
        sql += " LIMIT %s OFFSET %s"
        values += [query.limit, query.offset]
    return sql, values


def count(found: Found, query: Query) -> tuple[str, list[Any]]:
    """SELECT count(*) of what the query hits."""
    values: list[Any] = []
    return f"SELECT count(*) FROM {wrapped(found)}{_where(found, query, values)}", values


def summary(found: Found, query: Query, column: Column) -> tuple[str, list[Any]]:
    """SELECT count of all, count of values, count of different ones, least, greatest, mean, sum of a column."""
    values: list[Any] = []
    name, boolean = f"t.{quoted(column.name)}", column.type == "boolean"
    ordered = f"CAST({name} AS integer)" if boolean else name + (COLLATION if column.type == "text" else "")
    ends = [f"CAST({end}({ordered}) AS boolean)" if boolean else f"{end}({ordered})" for end in ("min", "max")]
    low, high = (_told(end, column.type) for end in ends)
    number = f"CAST({name} AS double precision)" if column.type in NUMBERS else "CAST(NULL AS double precision)"
    wanted = f"count(*), count({name}), count(DISTINCT {name}), {low}, {high}, avg({number}), sum({number})"
    return f"SELECT {wanted} FROM {wrapped(found)}{_where(found, query, values)}", values


def distinct(found: Found, query: Query, column: Column) -> tuple[str, list[Any]]:
    """SELECT the different values of a column, in order."""
    values: list[Any] = []
    name = f"t.{quoted(column.name)}"
    inner = f"SELECT DISTINCT {name} AS v FROM {wrapped(found)}{_where(found, query, values)}"
    order = f"v{COLLATION if column.type == 'text' else ''}"
    values += [query.limit, query.offset]
    told = _told("v", column.type)
    return f"SELECT {told} FROM ({inner}) d WHERE v IS NOT NULL ORDER BY {order} LIMIT %s OFFSET %s", values


def extent(found: Found) -> str:
    """The sides of what holds all geometry."""
    sides = ", ".join(f"ST_{side}(e)" for side in ("XMin", "YMin", "XMax", "YMax"))
    return f"SELECT {sides} FROM (SELECT ST_Extent(t.{quoted(GEOMETRY)}) AS e FROM {wrapped(found)}) x"


def version(found: Found) -> str:
    """A word that changes with a row."""
    return f"SELECT md5(CAST(t AS text)) FROM {wrapped(found)} WHERE t.{quoted(KEY)} = %s"


def _where(found: Found, query: Query, values: list[Any]) -> str:
    conditions = []
    if query.boxes:
        conditions.append(_in_boxes(found, query, values))
    if query.ids is not None:
        conditions.append(f"t.{quoted(KEY)} = ANY (CAST(%s AS bigint[]))")
        values.append(list(query.ids))
    if query.owner is not None:
        conditions.append(f"t.{quoted(OWNER)} = %s")
        values.append(query.owner)
    if query.where is not None:
        sql, bound = to_sql(query.where, POSTGRES)
        conditions.append(f"({sql})")
        values += bound
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _in_boxes(found: Found, query: Query, values: list[Any]) -> str:
    if found.geometry is None:
        return "false"
    name = f"t.{quoted(GEOMETRY)}"
    parts = []
    for box in query.boxes:
        envelope = "ST_MakeEnvelope(%s, %s, %s, %s, %s)"
        parts.append(f"{name} && {envelope}" + (f" AND ST_Intersects({name}, {envelope})" if query.exact else ""))
        values += [*map(float, box), found.table.srid or 0] * (2 if query.exact else 1)
    return f"({' OR '.join(f'({part})' for part in parts)})"


def _class_of(classes: Sequence[Node | None], values: list[Any]) -> str:
    rest = next((index for index, node in enumerate(classes) if node is None), -1)
    branches = []
    for index, node in enumerate(classes):
        if node is not None:
            sql, bound = to_sql(node, POSTGRES)
            values += bound
            branches.append(f"WHEN {sql} THEN {index}")
    return f"CASE {' '.join(branches)} ELSE {rest} END" if branches else str(rest)


def _order(query: Query, own: dict[str, Column]) -> str:
    terms = []
    for order in query.order_by:
        name = order.column if order.column in own else _PSEUDO.get(order.column, order.column)
        collation = COLLATION if name in own and own[name].type == "text" else ""
        terms.append(f"t.{quoted(name)}{collation} {'DESC NULLS LAST' if order.descending else 'ASC NULLS FIRST'}")
    return f"ORDER BY {', '.join([*terms, f't.{quoted(KEY)}'])}"
