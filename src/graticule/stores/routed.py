"""The store of all features: the server's own tables, and those of other databases, told apart by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graticule.errors import Forbidden
from graticule.stores.external import is_external

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from graticule.model.features import Batch, Box, Column, Query, Summary, Table
    from graticule.stores.base import Change, FeatureStore
    from graticule.stores.external import ExternalTables


class RoutedStore:
    """A ``FeatureStore`` of two; whatever does not concern tables of other databases goes to ``own`` as it is."""

    def __init__(self, own: FeatureStore, external: ExternalTables) -> None:
        self.own, self.external = own, external

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)

    def table(self, account: int, name: str) -> Table:
        return self.external.table(name) if is_external(name) else self.own.table(account, name)

    def extent(self, account: int, name: str) -> Box | None:
        return self.external.extent(name) if is_external(name) else self.own.extent(account, name)

    def count(self, account: int, table: Table, query: Query) -> int:
        if is_external(table.name):
            return self.external.count(table.name, query)
        return self.own.count(account, table, query)

    def read(self, account: int, table: Table, query: Query, *, batch_size: int = 10_000) -> Iterator[Batch]:
        if is_external(table.name):
            return self.external.read(table.name, query, batch_size)
        return self.own.read(account, table, query, batch_size=batch_size)

    def summary(self, account: int, table: Table, query: Query, column: Column) -> Summary:
        if is_external(table.name):
            return self.external.summary(table.name, query, column)
        return self.own.summary(account, table, query, column)

    def distinct(self, account: int, table: Table, query: Query, column: Column) -> list[Any]:
        if is_external(table.name):
            return self.external.distinct(table.name, query, column)
        return self.own.distinct(account, table, query, column)

    def version(self, account: int, table: Table, feature: int) -> str | None:
        if is_external(table.name):
            return self.external.version(table.name, feature)
        return self.own.version(account, table, feature)

    def insert(self, account: int, table: Table, changes: Sequence[Change], owner: int) -> list[int]:
        _only_read(table)
        return self.own.insert(account, table, changes, owner)

    def update(self, account: int, table: Table, change: Change, expected: str | None = None) -> bool:
        _only_read(table)
        return self.own.update(account, table, change, expected)

    def delete(self, account: int, table: Table, feature: int, expected: str | None = None) -> bool:
        _only_read(table)
        return self.own.delete(account, table, feature, expected)

    def empty(self, account: int, table: Table) -> None:
        _only_read(table)
        self.own.empty(account, table)

    def drop(self, account: int, name: str) -> None:
        if not is_external(name):
            self.own.drop(account, name)

    def close(self) -> None:
        self.external.close()
        self.own.close()


def _only_read(table: Table) -> None:
    if is_external(table.name):
        raise Forbidden("Tables of other databases are only read.")
