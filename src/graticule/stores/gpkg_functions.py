"""The SQL functions that a connection to a GeoPackage needs.

The triggers of its R*Tree call ``ST_IsEmpty``, ``ST_MinX`` and so on (OGC 12-128r19, annex F.3); ``g_hits`` tests a
geometry itself against a box, where the index knows only envelopes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from graticule.filters.sqlite_functions import register as register_filters
from graticule.stores.gpkg_blob import decode, envelope

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable


def register(connection: sqlite3.Connection) -> None:
    """Make the functions known to the connection."""
    for index, name in enumerate(("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY")):
        connection.create_function(name, 1, _side(index), deterministic=True)
    connection.create_function("ST_IsEmpty", 1, _is_empty, deterministic=True)
    connection.create_function("g_hits", 5, _hits, deterministic=True)
    register_filters(connection)


def _side(index: int) -> Callable[[bytes | None], float | None]:
    def side(blob: bytes | None) -> float | None:
        box = envelope(blob)
        return None if box is None else box[index]

    return side


def _is_empty(blob: bytes | None) -> int | None:
    return None if blob is None else int(envelope(blob) is None)


def _hits(blob: bytes | None, xmin: float, ymin: float, xmax: float, ymax: float) -> int:
    geometry = decode([blob])[0]
    return int(bool(shapely.intersects(geometry, shapely.box(xmin, ymin, xmax, ymax))))
