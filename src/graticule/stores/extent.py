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


def of_index(connection: sqlite3.Connection, name: str) -> Box | None:
    """The exact envelope of all geometries of the table; None when it has none.

    The root node bounds everything, with floats rounded outwards. The features that touch a side of it, which the
    index finds, say where that side is exactly.
    """
    root = _root(connection, name)
    if root is None:
        return None
    minx, maxx, miny, maxy = root
    sides = (
        (f"minx <= {minx!r}", 0, min),
        (f"miny <= {miny!r}", 2, min),
        (f"maxx >= {maxx!r}", 1, max),
        (f"maxy >= {maxy!r}", 3, max),
    )
    xmin, ymin, xmax, ymax = (choose(_exact(connection, name, condition, side)) for condition, side, choose in sides)
    return xmin, ymin, xmax, ymax


def _root(connection: sqlite3.Connection, name: str) -> tuple[float, float, float, float] | None:
    row = connection.execute(f"SELECT data FROM {quoted(rtree(name) + '_node')} WHERE nodeno = 1").fetchone()
    if row is None:
        return None
    _, cells = _HEADER.unpack_from(row[0])
    boxes = [_CELL.unpack_from(row[0], _HEADER.size + index * _CELL.size)[1:] for index in range(cells)]
    if not boxes:
        return None
    minx, maxx, miny, maxy = zip(*boxes, strict=True)
    return min(minx), max(maxx), min(miny), max(maxy)


def _exact(connection: sqlite3.Connection, name: str, condition: str, side: int) -> list[float]:
    rows = connection.execute(
        f"SELECT t.{GEOMETRY} FROM {quoted(rtree(name))} r JOIN {quoted(name)} t ON t.{KEY} = r.id WHERE r.{condition}"
    )
    return [box[side] for (blob,) in rows if (box := envelope(blob)) is not None]
