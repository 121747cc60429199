"""What SQLite and its R*Tree want of a query's SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graticule.filters.to_sql import SQLITE
from graticule.stores.base import GEOMETRY, KEY
from graticule.stores.gpkg_schema import quoted, rtree
from graticule.stores.query import Statements

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from graticule.model.features import Box, ColumnType, Query, Table


class GeoPackageStatements(Statements):
    """The statements on a GeoPackage."""

    dialect = SQLITE
    mark = "?"
    false = "0"

    def quoted(self, name: str) -> str:
        return quoted(name)

    def relation(self, table: Table) -> str:
        return quoted(table.name)

    def read_as(self, kind: ColumnType, expression: str) -> str:
        return expression

    def extremes(self, kind: ColumnType, expression: str) -> tuple[str, str]:
        return f"min({expression})", f"max({expression})"

    def among(self, ids: tuple[int, ...], values: list[Any]) -> str:
        values += ids
        return f"t.{KEY} IN ({', '.join('?' * len(ids))})"

    def term(self, column: str, *, descending: bool) -> str:
        return f"t.{quoted(column)} {'DESC' if descending else 'ASC'}"

    def part(self, limit: int | None, offset: int, values: list[Any]) -> str:
        values += [-1 if limit is None else limit, offset]
        return " LIMIT ? OFFSET ?"

    def of_sample(self, table: Table, sampled: NDArray[np.int64], values: list[Any]) -> str:
        values.append(str(sampled.tolist()))
        return f"FROM {quoted(table.name)} t WHERE t.{KEY} IN (SELECT value FROM json_each(?))"

    def in_boxes(self, table: Table, query: Query, values: list[Any]) -> tuple[str, str]:
        name, index = quoted(table.name), quoted(rtree(table.name))
        if len(query.boxes) == 1:
            # CROSS keeps SQLite from walking the table and asking the index for every row.
            source = f"FROM {index} r CROSS JOIN {name} t ON t.{KEY} = r.id"
            return source, _in_box(query.boxes[0], query.exact, values)
        geometry = f"(SELECT g.{GEOMETRY} FROM {name} g WHERE g.{KEY} = r.id)"
        parts = [
            f"SELECT r.id FROM {index} r WHERE {_in_box(box, query.exact, values, geometry)}" for box in query.boxes
        ]
        return f"FROM {name} t", f"t.{KEY} IN ({' UNION '.join(parts)})"


def _in_box(box: Box, exact: bool, values: list[Any], geometry: str = f"t.{GEOMETRY}") -> str:
    xmin, ymin, xmax, ymax = box
    values += [xmin, xmax, ymin, ymax]
    touches = "r.maxx >= ? AND r.minx <= ? AND r.maxy >= ? AND r.miny <= ?"
    if not exact:
        return touches
    # The index rounds envelopes outwards: what lies inside by its word is inside; only the rest needs a closer look.
    values += [xmin, xmax, ymin, ymax, xmin, ymin, xmax, ymax]
    inside = "r.minx >= ? AND r.maxx <= ? AND r.miny >= ? AND r.maxy <= ?"
    return f"{touches} AND (({inside}) OR g_hits({geometry}, ?, ?, ?, ?))"


STATEMENTS = GeoPackageStatements()
