"""What every feature store can do. The embedded one keeps a GeoPackage for each account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from graticule.model.features import Batch, Box, Column, Query, Summary, Table

# The columns that every table has besides the user's own.
KEY = "ogc_fid"
GEOMETRY = "wkb_geometry"
OWNER, CREATED, MODIFIED = "__owner", "__created", "__modified"


@dataclass(frozen=True, slots=True)
class Change:
    """A new feature (``id`` None) or new values for one.

    ``values`` has the columns to set; with ``set_geometry`` the geometry (a shapely geometry or None) is set too.
    """

    values: dict[str, Any]
    geometry: Any = None
    set_geometry: bool = False
    id: int | None = None


class FeatureStore(Protocol):
    """Tables of features, by account. Every method may be called from any thread."""

    def tables(self, account: int) -> list[str]:
        """The names of the account's tables."""

    def table(self, account: int, name: str) -> Table:
        """What is known of a table. Raises ``NotFound``."""

    def create(self, account: int, table: Table) -> None:
        """Make an empty table with a spatial index. Raises ``Conflict`` when the name is taken."""

    def drop(self, account: int, name: str) -> None:
        """Remove a table with all that belongs to it; nothing happens when it is not there."""

    def adopt(self, account: int, staged: Path, name: str, rows: int) -> None:
        """Take over the one table of a GeoPackage that was prepared elsewhere, index and all, in one transaction.

        Raises ``Unavailable`` when it does not hold that many rows, all of them indexed: what wrote it may have met a
        full disk and not said so.
        """

    def extent(self, account: int, name: str) -> Box | None:
        """The envelope of all its geometries in its own projection; None when it has none."""

    def count(self, account: int, table: Table, query: Query) -> int:
        """How many features the query hits, limit and offset aside."""

    def counts(self, account: int) -> dict[str, int]:
        """How many features each of the account's tables has, by its name."""

    def read(self, account: int, table: Table, query: Query, *, batch_size: int = 10_000) -> Iterator[Batch]:
        """The features, in batches, all from one state of the table."""

    def summary(self, account: int, table: Table, query: Query, column: Column) -> Summary:
        """What a column holds in the features that the query hits, limit and offset aside."""

    def distinct(self, account: int, table: Table, query: Query, column: Column) -> list[Any]:
        """The different values of a column in them, in order, limited as the query says; NULL is none."""

    def insert(self, account: int, table: Table, changes: Sequence[Change], owner: int) -> list[int]:
        """Add features, all or none; answers their ids in order."""

    def update(self, account: int, table: Table, change: Change, expected: str | None = None) -> bool:
        """Change one feature; False when it is not there. ``expected``: see ``version``.

        Where it has all these values already nothing changes, the time of its last change neither.
        """

    def delete(self, account: int, table: Table, feature: int, expected: str | None = None) -> bool:
        """Remove one feature; False when it was not there. ``expected``: see ``version``."""

    def empty(self, account: int, table: Table) -> None:
        """Remove all features, keep the table."""

    def version(self, account: int, table: Table, feature: int) -> str | None:
        """A word that changes with the feature's content; None when there is no such feature.

        Given back as ``expected``, a change is refused with ``PreconditionFailed`` when the content differs by then.
        """

    def close(self) -> None:
        """Let go of all connections."""
