"""The tile matrix set WebMercatorQuad: which square of EPSG:3857 a tile covers.

Source: OGC Two Dimensional Tile Matrix Set and Tile Set Metadata Standard 2.0 (17-083r4), annex D.1. Tiles count
from the north-west corner, x eastwards and y southwards; level z has 2^z by 2^z of them.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from graticule.errors import BadRequest

if TYPE_CHECKING:
    from graticule.model.features import Box

NAME = "WebMercatorQuad"
MAX_ZOOM = 24
HALF_WORLD = math.pi * 6378137.0  # metres from the origin to each edge of the square world

_DIGITS = re.compile(r"[0-9]{1,9}")


def parse_tile(z: int | str, x: int | str, y: int | str) -> tuple[int, int, int]:
    """The tile's address as numbers; BadRequest naming ``z``, ``x`` or ``y`` when it is not one of the grid's."""
    level = _parse_number("z", z, MAX_ZOOM)
    last = 2**level - 1
    return level, _parse_number("x", x, last), _parse_number("y", y, last)


def _parse_number(field: str, value: int | str, last: int) -> int:
    if _DIGITS.fullmatch(str(value)) and int(value) <= last:
        return int(value)
    raise BadRequest(
        f"{field} of the tile must be a whole number from 0 to {last}.",
        field=field,
        value=value,
        expected=f"a whole number from 0 to {last}",
    )


def tile_box(z: int, x: int, y: int) -> Box:
    """The square that a tile covers, in metres of EPSG:3857.

    Edges are computed from whole counts, so that neighbours share theirs to the last bit.
    """
    return _edge(x, z), -_edge(y + 1, z), _edge(x + 1, z), -_edge(y, z)


def _edge(count: int, z: int) -> float:
    return HALF_WORLD * (count / float(2**z) * 2 - 1)
