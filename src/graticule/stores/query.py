"""A query on a table as SQL text and bound values. Every name in the text comes from the table, never from a client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graticule.filters.to_sql import PSEUDO_COLUMNS, SQLITE, to_sql
from graticule.stores.base import CREATED, GEOMETRY, KEY, MODIFIED, OWNER
from graticule.stores.gpkg_schema import quoted, rtree

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from graticule.filters.nodes import Node
    from graticule.filters.to_sql import Dialect
    from graticule.model.features import Box, Column, Query, Table

CLASS = "__class"
NUMBERS = ("integer", "real", "number")
_PSEUDO: dict[str, str] = dict(PSEUDO_COLUMNS.items())


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with its bound values, and the names of the user's columns in the order they are selected."""

    sql: str
    values: tuple[Any, ...]
    columns: tuple[str, ...] = ()


def select(table: Table, query: Query, sampled: NDArray[np.int64] | None = None) -> Statement:
    """SELECT key, owner, created, modified, [geometry,] columns…, [class] of what the query hits.

    ``sampled`` are the ids that were found already for its boxes.
    """
    names = tuple(column.name for column in table.columns) if query.columns is None else query.columns
    wanted = [f"t.{name}" for name in (KEY, OWNER, CREATED, MODIFIED)]
    if query.geometry:
        wanted.append(f"t.{GEOMETRY}" if table.geometry_type else "NULL")
    wanted += [f"t.{quoted(name)}" for name in names]
    values: list[Any] = []
    if query.classes is not None:
        wanted.append(f"{_class_of(query.classes, values)} AS {CLASS}")
        names = (*names, CLASS)
    if sampled is None:
        source = _source(table, query, values)
    else:
        source = f"FROM {quoted(table.name)} t WHERE t.{KEY} IN (SELECT value FROM json_each(?))"
        values.append(str(sampled.tolist()))
    limit = ""
    if query.limit is not None or query.offset:
        limit = " LIMIT ? OFFSET ?"
        values += [-1 if query.limit is None else query.limit, query.offset]
    return Statement(f"SELECT {', '.join(wanted)} {source} {_order(table, query)}{limit}", tuple(values), names)


def is_filtered(query: Query) -> bool:
    """Whether the query leaves out any rows, limit and offset aside."""
    return bool(query.boxes or query.where or query.ids is not None or query.owner is not None)


def count(table: Table, query: Query) -> Statement:
    """SELECT count(*) of what the query hits."""
    values: list[Any] = []
    return Statement(f"SELECT count(*) {_source(table, query, values)}", tuple(values))


def summary(table: Table, query: Query, column: Column) -> Statement:
    """SELECT what ``aggregates`` says of a column."""
    values: list[Any] = []
    name = f"t.{quoted(column.name)}"
    source = _source(table, query, values)
    return Statement(f"SELECT {aggregates(name, name, column, SQLITE)} {source}", tuple(values))


def distinct(table: Table, query: Query, column: Column) -> Statement:
    """SELECT the different values of a column, in order."""
    values: list[Any] = []
    name = f"t.{quoted(column.name)}"
    source = _source(table, query, values)
    joint = "AND" if is_filtered(query) else "WHERE"
    values += [-1 if query.limit is None else query.limit, query.offset]
    value = compared(name, name, column, SQLITE)
    sql = f"SELECT DISTINCT {value} {source} {joint} {name} IS NOT NULL ORDER BY 1 LIMIT ? OFFSET ?"
    return Statement(sql, tuple(values))


def aggregates(name: str, told: str, column: Column, dialect: Dialect) -> str:
    """The count of all, of values, of different ones, the least, the greatest, the mean and the sum of a column.

    ``name`` is the column as it is stored, ``told`` as it is read.
    """
    value = compared(name, told, column, dialect)
    value = f"CAST({name} AS integer)" if column.type == "boolean" else value
    number = dialect.as_double.format(name)
    mean_and_sum = f"avg({number}), sum({number})" if column.type in NUMBERS else "NULL, NULL"
    counts = f"count(*), count({name}), count(DISTINCT {name})"
    return f"{counts}, min({value}), max({value}), {mean_and_sum}"


def compared(name: str, told: str, column: Column, dialect: Dialect) -> str:
    """A column as values that are compared alike by every engine: texts by code point, times as they are told."""
    if column.type == "text":
        return name + dialect.text_order
    return dialect.number_column.format(name) if column.type == "number" else told


def _source(table: Table, query: Query, values: list[Any]) -> str:
    conditions: list[str] = []
    source = f"FROM {quoted(table.name)} t"
    if query.boxes and not table.geometry_type:
        conditions.append("0")
    elif len(query.boxes) == 1:
        # CROSS keeps SQLite from walking the table and asking the index for every row.
        source = f"FROM {quoted(rtree(table.name))} r CROSS JOIN {quoted(table.name)} t ON t.{KEY} = r.id"
        conditions.append(_in_box(query.boxes[0], query.exact, values))
    elif query.boxes:
        conditions.append(_in_boxes(table, query, values))
    if query.ids is not None:
        conditions.append(f"t.{KEY} IN ({', '.join('?' * len(query.ids))})")
        values += query.ids
    if query.owner is not None:
        conditions.append(f"t.{OWNER} = ?")
        values.append(query.owner)
    if query.where is not None:
        sql, bound = to_sql(query.where, SQLITE)
        conditions.append(f"({sql})")
        values += bound
    return f"{source} WHERE {' AND '.join(conditions)}" if conditions else source


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


def _in_boxes(table: Table, query: Query, values: list[Any]) -> str:
    index = quoted(rtree(table.name))
    geometry = f"(SELECT g.{GEOMETRY} FROM {quoted(table.name)} g WHERE g.{KEY} = r.id)"
    parts = [f"SELECT r.id FROM {index} r WHERE {_in_box(box, query.exact, values, geometry)}" for box in query.boxes]
    return f"t.{KEY} IN ({' UNION '.join(parts)})"


def _class_of(classes: tuple[Node | None, ...], values: list[Any]) -> str:
    rest = next((index for index, node in enumerate(classes) if node is None), -1)
    branches = []
    for index, node in enumerate(classes):
        if node is not None:
            sql, bound = to_sql(node, SQLITE)
            values += bound
            branches.append(f"WHEN {sql} THEN {index}")
    return f"CASE {' '.join(branches)} ELSE {rest} END" if branches else str(rest)


def _order(table: Table, query: Query) -> str:
    own = {column.name for column in table.columns}
    terms = []
    for order in query.order_by:
        name = order.column if order.column in own else _PSEUDO.get(order.column, order.column)
        terms.append(f"t.{quoted(name)} {'DESC' if order.descending else 'ASC'}")
    return f"ORDER BY {', '.join([*terms, f't.{KEY}'])}"
