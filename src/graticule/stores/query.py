"""A query on a table as SQL text and bound values. Every name in the text comes from the table, never from a client.

What the engines write differently is in ``gpkg_query.py`` and ``pg_query.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graticule.filters.to_sql import PSEUDO_COLUMNS, to_sql
from graticule.stores.base import CREATED, GEOMETRY, KEY, MODIFIED, OWNER

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from graticule.filters.nodes import Node
    from graticule.filters.to_sql import Dialect
    from graticule.model.features import Column, ColumnType, Order, Query, Table

CLASS = "__class"
NUMBERS = ("integer", "real", "number")
_PSEUDO: dict[str, str] = dict(PSEUDO_COLUMNS.items())


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with its bound values, and the names of the user's columns in the order they are selected."""

    sql: str
    values: tuple[Any, ...]
    columns: tuple[str, ...] = ()


def is_filtered(query: Query) -> bool:
    """Whether the query leaves out any rows, limit and offset aside."""
    return bool(query.boxes or query.where or query.ids is not None or query.owner is not None)


def is_plain(table: Table, query: Query) -> bool:
    """Whether one feature may stand for its neighbours: something drawn by boxes alone."""
    plain = query.where is None and query.ids is None and query.owner is None and query.limit is None
    return query.raster is not None and bool(query.boxes) and plain and table.geometry_type is not None


class Statements(ABC):
    """Writes the statements of one engine. Each part adds its values as it is written, in the order of the marks."""

    dialect: Dialect
    mark: str
    false: str

    @abstractmethod
    def quoted(self, name: str) -> str:
        """A column's name."""

    @abstractmethod
    def relation(self, table: Table) -> str:
        """A table's name."""

    @abstractmethod
    def read_as(self, kind: ColumnType, expression: str) -> str:
        """A value of a column of the user's as it is read."""

    @abstractmethod
    def extremes(self, kind: ColumnType, expression: str) -> tuple[str, str]:
        """The least and the greatest of the values of a column."""

    @abstractmethod
    def in_boxes(self, table: Table, query: Query, values: list[Any]) -> tuple[str, str]:
        """What to read from, with the table as ``t``, and the condition that a feature hits any of the boxes."""

    @abstractmethod
    def among(self, ids: tuple[int, ...], values: list[Any]) -> str:
        """The condition that a feature is one of these."""

    @abstractmethod
    def term(self, column: str, *, descending: bool) -> str:
        """A term of ORDER BY; what is empty comes first, and last when descending."""

    @abstractmethod
    def part(self, limit: int | None, offset: int, values: list[Any]) -> str:
        """LIMIT and OFFSET."""

    def select(self, table: Table, query: Query, sampled: NDArray[np.int64] | None = None) -> Statement:
        """SELECT key, owner, created, modified, [geometry,] columns…, [class] of what the query hits.

        ``sampled`` are the ids that were found already for its boxes.
        """
        names = tuple(column.name for column in table.columns) if query.columns is None else query.columns
        wanted = [f"t.{name}" for name in (KEY, OWNER, CREATED, MODIFIED)]
        if query.geometry:
            wanted.append(f"t.{GEOMETRY}" if table.geometry_type else "NULL")
        kinds = {column.name: column.type for column in table.columns}
        wanted += [self.read_as(kinds.get(name, "integer"), f"t.{self.quoted(name)}") for name in names]
        values: list[Any] = []
        if query.classes is not None:
            wanted.append(f"{self._class_of(query.classes, values)} AS {CLASS}")
            names = (*names, CLASS)
        source = self.source(table, query, values) if sampled is None else self.of_sample(table, sampled, values)
        order = f"ORDER BY {', '.join(self._order(table, query))}"
        limit = self.part(query.limit, query.offset, values) if query.limit is not None or query.offset else ""
        return Statement(f"SELECT {', '.join(wanted)} {source} {order}{limit}", tuple(values), names)

    def count(self, table: Table, query: Query) -> Statement:
        """SELECT count(*) of what the query hits."""
        values: list[Any] = []
        return Statement(f"SELECT count(*) {self.source(table, query, values)}", tuple(values))

    def summary(self, table: Table, query: Query, column: Column) -> Statement:
        """SELECT count of all, count of values, count of different ones, least, greatest, mean, sum of a column."""
        values: list[Any] = []
        name, kind = f"t.{self.quoted(column.name)}", column.type
        low, high = (self.read_as(kind, found) for found in self.extremes(kind, name))
        number = self.dialect.as_double.format(name)
        # Not avg: PostgreSQL's sums squares too, which overflow long before the sum does.
        computed = f"sum({number}) / count({name}), sum({number})" if kind in NUMBERS else "NULL, NULL"
        counts = f"count(*), count({name}), count(DISTINCT {name})"
        sql = f"SELECT {counts}, {low}, {high}, {computed} {self.source(table, query, values)}"
        return Statement(sql, tuple(values))

    def distinct(self, table: Table, query: Query, column: Column) -> Statement:
        """SELECT the different values of a column, in order."""
        values: list[Any] = []
        name = f"t.{self.quoted(column.name)}"
        source = self.source(table, query, values)
        joint = "AND" if is_filtered(query) else "WHERE"
        part = self.part(query.limit, query.offset, values)
        wanted = self.read_as(column.type, name)
        return Statement(
            f"SELECT DISTINCT {wanted} {source} {joint} {name} IS NOT NULL ORDER BY 1{part}", tuple(values)
        )

    def source(self, table: Table, query: Query, values: list[Any]) -> str:
        """FROM and WHERE."""
        conditions: list[str] = []
        source = f"FROM {self.relation(table)} t"
        if query.boxes and not table.geometry_type:
            conditions.append(self.false)
        elif query.boxes:
            source, condition = self.in_boxes(table, query, values)
            conditions.append(condition)
        if query.ids is not None:
            conditions.append(self.among(query.ids, values))
        if query.owner is not None:
            conditions.append(f"t.{OWNER} = {self.mark}")
            values.append(query.owner)
        if query.where is not None:
            sql, bound = to_sql(query.where, self.dialect)
            conditions.append(f"({sql})")
            values += bound
        return f"{source} WHERE {' AND '.join(conditions)}" if conditions else source

    def of_sample(self, table: Table, sampled: NDArray[np.int64], values: list[Any]) -> str:
        """FROM and WHERE for features whose ids are known."""
        raise NotImplementedError

    def _class_of(self, classes: tuple[Node | None, ...], values: list[Any]) -> str:
        rest = next((index for index, node in enumerate(classes) if node is None), -1)
        branches = []
        for index, node in enumerate(classes):
            if node is not None:
                sql, bound = to_sql(node, self.dialect)
                values += bound
                branches.append(f"WHEN {sql} THEN {index}")
        return f"CASE {' '.join(branches)} ELSE {rest} END" if branches else str(rest)

    def _order(self, table: Table, query: Query) -> list[str]:
        own = {column.name for column in table.columns}
        terms = [self.term(_column_of(order, own), descending=order.descending) for order in query.order_by]
        return [*terms, f"t.{KEY}"]


def _column_of(order: Order, own: set[str]) -> str:
    return order.column if order.column in own else _PSEUDO.get(order.column, order.column)
