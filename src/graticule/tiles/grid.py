"""The tile matrix set WebMercatorQuad: which square of EPSG:3857 a tile covers, and zoom levels against scales.

Source: OGC Two Dimensional Tile Matrix Set and Tile Set Metadata Standard 2.0 (17-083r4), annex D.1. Tiles count
from the north-west corner, x eastwards and y southwards; level z has 2^z by 2^z of them. Scales and resolutions are
those of tiles 256 pixels wide with the standard's pixel of 0.28 mm, at the equator.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graticule.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graticule.model.features import Box

NAME = "WebMercatorQuad"
MAX_ZOOM = 24
TILE_PIXELS = 256
PIXEL_METRES = 0.00028
HALF_WORLD = math.pi * 6378137.0  # metres from the origin to each edge of the square world

_DIGITS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class TileRange:
    """The tiles of one level in a rectangle, ends included; empty when an end lies before its start."""

    z: int
    xmin: int
    ymin: int
    xmax: int
    ymax: int

    def __len__(self) -> int:
        return max(0, self.xmax - self.xmin + 1) * max(0, self.ymax - self.ymin + 1)

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """Every tile as (z, x, y), row by row from the north."""
        for y in range(self.ymin, self.ymax + 1):
            for x in range(self.xmin, self.xmax + 1):
                yield self.z, x, y

    def __contains__(self, tile: tuple[int, int, int]) -> bool:
        z, x, y = tile
        return z == self.z and self.xmin <= x <= self.xmax and self.ymin <= y <= self.ymax


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


def tiles_of(box: Box, z: int) -> TileRange:
    """The tiles of level ``z`` whose squares share more than an edge with ``box`` (EPSG:3857 metres).

    A box without width or height counts as lying in the tile to the east, or the south, of an edge that it is on.
    Beyond the world's square there are no tiles: a box that lies there gives an empty range.
    """
    xmin, ymin, xmax, ymax = box
    left, right = _span(xmin, xmax, z)
    top, bottom = _span(-ymax, -ymin, z)
    return TileRange(z, left, top, right, bottom)


def _span(low: float, high: float, z: int) -> tuple[int, int]:
    count = 2**z
    if not (low <= HALF_WORLD and high >= -HALF_WORLD):
        return 0, -1
    start, end = ((min(max(v, -HALF_WORLD), HALF_WORLD) / HALF_WORLD + 1) / 2 * count for v in (low, high))
    first = min(math.floor(start), count - 1)
    return first, max(first, math.ceil(end) - 1)


def resolution(z: float) -> float:
    """Metres per pixel at the equator, of tiles 256 pixels wide."""
    return float(2 * HALF_WORLD / TILE_PIXELS / 2**z)


def scale_of_zoom(zoom: float) -> float:
    """The scale denominator of a zoom level, fractions allowed: 559 082 264.03 at level 0, half of it at 1."""
    return resolution(zoom) / PIXEL_METRES


def zoom_of_scale(denominator: float) -> float:
    """The zoom level of a scale denominator, with its fraction; BadRequest unless it is a finite number above 0."""
    if not (math.isfinite(denominator) and denominator > 0):
        raise BadRequest(
            "A scale denominator must be a number above 0.",
            field="scale",
            value=denominator,
            expected="a number above 0",
        )
    return math.log2(scale_of_zoom(0) / denominator)
