"""Tables, queries on them and the batches of features that answer a query."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from graticule.filters.nodes import Node

ColumnType = Literal["text", "integer", "real", "number", "boolean", "date", "datetime"]
COLUMN_TYPES: tuple[ColumnType, ...] = ("text", "integer", "real", "number", "boolean", "date", "datetime")

GEOMETRY_TYPES = (
    "POINT",
    "LINESTRING",
    "POLYGON",
    "MULTIPOINT",
    "MULTILINESTRING",
    "MULTIPOLYGON",
    "GEOMETRYCOLLECTION",
    "GEOMETRY",
)

Family = Literal["point", "line", "polygon"]

# Box in x then y, (xmin, ymin, xmax, ymax).
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Column:
    """One attribute of a table."""

    name: str
    type: ColumnType
    not_null: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """What a store knows of one of its tables.

    ``geometry_type`` is one of ``GEOMETRY_TYPES`` or None for a table without geometry. ``srid`` is the number by
    which the store knows the table's projection; ``crs`` what ``geometry.crs.Crs`` can be made of (``EPSG:n`` or WKT).
    """

    name: str
    columns: tuple[Column, ...]
    geometry_type: str | None = None
    srid: int | None = None
    crs: str | None = None
    has_z: bool = False
    has_m: bool = False

    @property
    def family(self) -> Family | None:
        """The geometry family, or None when there is no geometry or it is not known beforehand."""
        return FAMILY_OF_TYPE.get(self.geometry_type or "")


FAMILY_OF_TYPE: dict[str, Family] = {
    "POINT": "point",
    "MULTIPOINT": "point",
    "LINESTRING": "line",
    "MULTILINESTRING": "line",
    "POLYGON": "polygon",
    "MULTIPOLYGON": "polygon",
}


@dataclass(frozen=True, slots=True)
class Order:
    """One term of an ordering; ``column`` is a column's name or a pseudo-column (FID OWNER CREATED MODIFIED)."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Which features of a table, and what of them.

    ``boxes`` are in the table's projection; a feature is hit when its geometry's envelope touches any of them, or with
    ``exact`` the geometry itself; none of them means no spatial filter. ``columns`` None means all of them. ``where``
    has been checked against the table. ``owner`` restricts to the features of one user. ``classes`` adds the column
    ``__class``: the index of the first condition that holds; None in it is the class of all the rest; -1 where there
    is none. ``raster`` is the size, in the table's units across and up, of the cells of what will be drawn: of many
    features smaller than a cell only one a cell need be read.
    """

    columns: tuple[str, ...] | None = None
    ids: tuple[int, ...] | None = None
    boxes: tuple[Box, ...] = ()
    where: Node | None = None
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    owner: int | None = None
    geometry: bool = True
    classes: tuple[Node | None, ...] | None = None
    exact: bool = False
    raster: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """What a column holds in some features: how many there are, how many have a value, how many values differ.

    ``low`` and ``high`` are the smallest and largest value, ready for JSON; ``mean`` and ``total`` are there for
    numbers. None where no feature has a value.
    """

    features: int
    filled: int
    distinct: int
    low: Any = None
    high: Any = None
    mean: float | None = None
    total: float | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Some features, column by column; every member is as long as ``ids``.

    ``geometry`` holds shapely geometries, None where a feature has none; None as a whole when it was not asked for.
    ``columns`` holds values ready for JSON: text, int, float, bool, None; dates as ISO 8601 text.
    """

    ids: NDArray[np.int64]
    geometry: NDArray[np.object_] | None = None
    columns: dict[str, list[Any]] = field(default_factory=dict)
    owner: list[int] | None = None
    created: list[int] | None = None
    modified: list[int] | None = None

    def __len__(self) -> int:
        return len(self.ids)
