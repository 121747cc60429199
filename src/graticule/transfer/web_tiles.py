"""Tiles of other servers for pictures: fetched side by side, and left out when they cannot be had in time."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rasterio.warp import transform_bounds

from graticule.transfer.fetching import Terms, fetch
from graticule.transfer.images import ACCEPTED, decoded, warped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from graticule.model.features import Box

MERCATOR = "EPSG:3857"
HALF_WORLD = math.pi * 6378137.0
TILE = 256
MOST_TILES = 64
MAX_ZOOM = 19
LARGEST_TILE_BYTES = 2 * 1024**2
# In pixels, where a tile's side is that; those for fine screens have 512.
LARGEST_TILE = 2048

_POOL = ThreadPoolExecutor(8, thread_name_prefix="tiles")


@dataclass(frozen=True, slots=True)
class TileServer:
    """Where tiles come from: an address with {z}, {x} and {y} or {-y}.

    ``private`` allows addresses of the machine's own networks, which a map's author must else not reach through us.
    """

    template: str
    timeout: float
    private: bool = False


@dataclass(frozen=True, slots=True)
class _Window:
    """Some tiles of one zoom level, as columns and rows; ends are included."""

    z: int
    xmin: int
    ymin: int
    xmax: int
    ymax: int

    @property
    def box(self) -> Box:
        size = 2 * HALF_WORLD / 2**self.z
        left, top = self.xmin * size - HALF_WORLD, HALF_WORLD - self.ymin * size
        return left, HALF_WORLD - (self.ymax + 1) * size, (self.xmax + 1) * size - HALF_WORLD, top

    @property
    def tiles(self) -> list[tuple[int, int]]:
        return [(x, y) for y in range(self.ymin, self.ymax + 1) for x in range(self.xmin, self.xmax + 1)]


def read_tiles(server: TileServer, box: Box, crs: str, width: int, height: int) -> NDArray[np.uint8] | None:
    """The server's tiles in a box of any projection, as (height, width, 4) bytes RGBA; None when none could be had."""
    window = _window(transform_bounds(crs, MERCATOR, *box, densify_pts=21), max(width, height))
    futures = {_POOL.submit(_fetch, server, window.z, x, y): (x, y) for x, y in window.tiles}
    done, late = wait(futures, timeout=server.timeout)
    for future in late:
        future.cancel()
    columns, rows = window.xmax - window.xmin + 1, window.ymax - window.ymin + 1
    mosaic = np.zeros((4, rows * TILE, columns * TILE), np.uint8)
    found = False
    for future in done:
        if future.exception() is None:
            x, y = futures[future]
            row, column = (y - window.ymin) * TILE, (x - window.xmin) * TILE
            mosaic[:, row : row + TILE, column : column + TILE] = future.result()
            found = True
    return warped(mosaic, window.box, MERCATOR, box, crs, width, height) if found else None


def _window(box: Box, pixels: int) -> _Window:
    """The tiles of the zoom level whose pixels are nearest to the picture's, fewer where they would be too many."""
    limits = [min(max(side, -HALF_WORLD), HALF_WORLD - 1) for side in box]
    span = max(limits[2] - limits[0], limits[3] - limits[1], 1.0)
    zoom = min(MAX_ZOOM, max(0, round(math.log2(2 * HALF_WORLD / span * pixels / TILE))))
    while True:
        size = 2 * HALF_WORLD / 2**zoom
        xmin, xmax = (int((limits[side] + HALF_WORLD) // size) for side in (0, 2))
        ymin, ymax = (int((HALF_WORLD - limits[side]) // size) for side in (3, 1))
        last = 2**zoom - 1
        found = _Window(zoom, max(xmin, 0), max(ymin, 0), min(xmax, last), min(ymax, last))
        if zoom == 0 or len(found.tiles) <= MOST_TILES:
            return found
        zoom -= 1


def _fetch(server: TileServer, z: int, x: int, y: int) -> NDArray[np.uint8]:
    """One tile as (4, 256, 256) bytes. Raises ``Unfetchable``."""
    parts = {"{z}": z, "{x}": x, "{y}": y, "{-y}": 2**z - 1 - y, "{s}": "abc"[(x + y) % 3]}
    url = server.template
    for mark, value in parts.items():
        url = url.replace(mark, str(value))
    return _decoded(fetch(url, Terms(server.timeout, LARGEST_TILE_BYTES, server.private, ACCEPTED)))


def _decoded(body: bytes) -> NDArray[np.uint8]:
    return decoded(body, TILE, TILE, LARGEST_TILE)
