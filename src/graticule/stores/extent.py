"""The true extent of a table, found through its R*Tree without reading the table."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from graticule.stores.base import GEOMETRY, KEY
from graticule.stores.gpkg_blob import envelope
from graticule.stores.gpkg_schema import quoted, rtree

if TYPE_CHECKING:
    import sqlite3

    from graticule.model.features import Box

# A node of SQLite's R*Tree: two bytes depth, two bytes number of cells, then cells of an id and four floats.
_HEADER, _CELL = struct.Struct(">HH"), struct.Struct(">q4f")
# The columns of an index, in the order in which envelopes and cells have them.
_SIDES = ("minx", "maxx", "miny", "maxy")


def of_index(connection: sqlite3.Connection, name: str) -> Box | None:
    """The exact envelope of all geometries of the table; None when it has none."""
    root = _root(connection, name)
    if root is None:
        return None
    xmin, xmax, ymin, ymax = (_exact(connection, name, side, bound) for side, bound in enumerate(root))
    return xmin, ymin, xmax, ymax


def _root(connection: sqlite3.Connection, name: str) -> tuple[float, float, float, float] | None:
    """What the root node bounds, in the order of ``_SIDES``: floats rounded outwards."""
    row = connection.execute(f"SELECT data FROM {quoted(rtree(name) + '_node')} WHERE nodeno = 1").fetchone()
    if row is None:
        return None
    _, cells = _HEADER.unpack_from(row[0])
    boxes = [_CELL.unpack_from(row[0], _HEADER.size + index * _CELL.size)[1:] for index in range(cells)]
    if not boxes:
        return None
    minx, maxx, miny, maxy = zip(*boxes, strict=True)
    return min(minx), max(maxx), min(miny), max(maxy)


def _exact(connection: sqlite3.Connection, name: str, side: int, bound: float) -> float:
    """Where a side is exactly, of which the index says that nothing goes beyond ``bound``.

    The features that touch the bound do not settle it: rounding outwards does not keep the order of numbers that are
    close to each other. But what goes further than those is, by the index, at least as far out as they are.
    """
    outwards, further = ("<=", min) if side in (0, 2) else (">=", max)
    column = f"r.{_SIDES[side]}"
    touching = _sides(connection, name, side, f"{column} {outwards} {bound!r}")
    found = further(touching, default=bound)
    if found == bound:
        return found
    between = f"{column} {outwards} {found!r} AND NOT {column} {outwards} {bound!r}"
    return further([found, *_sides(connection, name, side, between)])


def _sides(connection: sqlite3.Connection, name: str, side: int, condition: str) -> list[float]:
    rows = connection.execute(
        f"SELECT t.{GEOMETRY} FROM {quoted(rtree(name))} r JOIN {quoted(name)} t ON t.{KEY} = r.id WHERE {condition}"
    )
    return [box[side] for (blob,) in rows if (box := envelope(blob)) is not None]
