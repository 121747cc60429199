"""What PostgreSQL and PostGIS want of a query's SQL, as psycopg takes it: a percent sign in a name is doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graticule.filters.identifiers import postgres_name
from graticule.filters.literals import INTEGER_RANGE
from graticule.filters.to_sql import POSTGRES
from graticule.stores.base import GEOMETRY, KEY
from graticule.stores.query import Statements, is_plain

if TYPE_CHECKING:
    from graticule.model.features import ColumnType, Query, Table

# How a column is read. Times as the API writes them: ISO 8601, in UTC, to the millisecond. The casts do nothing to
# columns of ours; other programs may have made some of types that we call text or number.
_READ: dict[ColumnType, str] = {
    "text": "CAST({} AS text)",
    "number": "CAST({} AS double precision)",
    "date": "to_char({}, 'YYYY-MM-DD')",
    "datetime": 'to_char({}, \'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\')',
}


def quoted(name: str) -> str:
    """A column's or table's name as an SQL identifier."""
    return '"' + postgres_name(name).replace('"', '""').replace("%", "%%") + '"'


def schema_of(account: int) -> str:
    """The schema that holds an account's tables."""
    return f"usrsch{account}"


def relation(account: int, name: str) -> str:
    """A table's name with its schema."""
    return f"{schema_of(account)}.{quoted(name)}"


class PostgisStatements(Statements):
    """The statements on the tables of an account; ``thinned``: a table so large that not all of it can be drawn."""

    dialect = POSTGRES
    mark = "%s"
    false = "false"

    def __init__(self, account: int, *, thinned: bool = False) -> None:
        self.account = account
        self.thinned = thinned

    def quoted(self, name: str) -> str:
        return quoted(name)

    def relation(self, table: Table) -> str:
        return relation(self.account, table.name)

    def read_as(self, kind: ColumnType, expression: str) -> str:
        return _READ.get(kind, "{}").format(expression)

    def extremes(self, kind: ColumnType, expression: str) -> tuple[str, str]:
        if kind == "boolean":
            return f"bool_and({expression})", f"bool_or({expression})"
        return f"min({expression})", f"max({expression})"

    def among(self, ids: tuple[int, ...], values: list[Any]) -> str:
        values.append([number for number in ids if number in INTEGER_RANGE])
        return f"t.{KEY} = ANY(CAST(%s AS bigint[]))"

    def term(self, column: str, *, descending: bool) -> str:
        return f"t.{quoted(column)} {'DESC NULLS LAST' if descending else 'ASC NULLS FIRST'}"

    def part(self, limit: int | None, offset: int, values: list[Any]) -> str:
        values += [limit, offset]
        return " LIMIT CAST(%s AS bigint) OFFSET CAST(%s AS bigint)"

    def in_boxes(self, table: Table, query: Query, values: list[Any]) -> tuple[str, str]:
        source = f"FROM {self.relation(table)} t"
        if self.thinned and query.raster is not None and is_plain(table, query):
            return source, self._thinned(table, query, query.raster, values)
        return source, _in_boxes(table, query, values)

    def _thinned(self, table: Table, query: Query, raster: tuple[float, float], values: list[Any]) -> str:
        """Of those smaller than a cell of the raster the last by id in each cell; each of the others by itself.

        OFFSET 0 keeps PostgreSQL from asking each envelope for its sides again wherever one is named.
        """
        width, height = (repr(float(size)) for size in raster)
        where = _in_boxes(table, query, values)
        boxes = f"SELECT t.{KEY} AS id, box3d(box2d(t.{GEOMETRY})) AS box FROM {self.relation(table)} t WHERE {where}"
        small = f"ST_XMax(b.box) - ST_XMin(b.box) < {width} AND ST_YMax(b.box) - ST_YMin(b.box) < {height}"
        sides = f"SELECT b.id, ST_XMin(b.box) AS x, ST_YMin(b.box) AS y, {small} AS small FROM ({boxes} OFFSET 0) AS b"
        cell = f"CASE WHEN s.small THEN floor(s.x / {width}) END"
        line = f"CASE WHEN s.small THEN floor(s.y / {height}) ELSE s.id END"
        return f"t.{KEY} IN (SELECT max(s.id) FROM ({sides} OFFSET 0) AS s GROUP BY {cell}, {line})"


def _in_boxes(table: Table, query: Query, values: list[Any]) -> str:
    parts = []
    for box in query.boxes:
        envelope = f"ST_MakeEnvelope(%s, %s, %s, %s, {int(table.srid or 0)})"
        values += map(float, box)
        parts.append(f"ST_Intersects(t.{GEOMETRY}, {envelope})" if query.exact else f"t.{GEOMETRY} && {envelope}")
    return f"({' OR '.join(parts)})"
