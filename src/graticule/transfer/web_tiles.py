"""Tiles of other servers for pictures: fetched side by side, and left out when they cannot be had in time."""

from __future__ import annotations

import ipaddress
import math
import socket
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import rasterio
import urllib3
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.transform import from_bounds
from rasterio.warp import reproject, transform_bounds
from urllib3.connection import HTTPConnection, HTTPSConnection

from graticule import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

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
HEADERS = {"User-Agent": f"Graticule/{__version__}", "Accept": "image/png,image/jpeg,image/webp;q=0.5"}

_POOL = ThreadPoolExecutor(8, thread_name_prefix="tiles")


class Unfetchable(Exception):
    """A tile that is not to be had; the sentence says why."""


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
    return _warped(mosaic, window.box, box, crs, width, height) if found else None


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


def _warped(mosaic: NDArray[np.uint8], own: Box, box: Box, crs: str, width: int, height: int) -> NDArray[np.uint8]:
    target = np.zeros((4, height, width), np.uint8)
    _, rows, columns = mosaic.shape
    reproject(
        mosaic,
        target,
        src_transform=from_bounds(*own, columns, rows),
        src_crs=MERCATOR,
        dst_transform=from_bounds(*box, width, height),
        dst_crs=crs,
        resampling=Resampling.bilinear,
    )
    return np.ascontiguousarray(target.transpose(1, 2, 0))


def _fetch(server: TileServer, z: int, x: int, y: int) -> NDArray[np.uint8]:
    """One tile as (4, 256, 256) bytes. Raises ``Unfetchable``."""
    parts = {"{z}": z, "{x}": x, "{y}": y, "{-y}": 2**z - 1 - y, "{s}": "abc"[(x + y) % 3]}
    url = server.template
    for mark, value in parts.items():
        url = url.replace(mark, str(value))
    return _decoded(_download(url, server))


def _download(url: str, server: TileServer) -> bytes:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    address = _address(parts.hostname or "", port, private=server.private)
    options: dict[str, Any] = {"server_hostname": parts.hostname, "assert_hostname": parts.hostname} if secure else {}
    kind = HTTPSConnection if secure else HTTPConnection
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    headers = HEADERS | {"Host": parts.netloc.rpartition("@")[2]}
    try:
        with closing(kind(address, port, timeout=server.timeout, **options)) as connection:
            connection.connect()
            with _ended_after(server.timeout, connection.sock):
                connection.request("GET", path, headers=headers, preload_content=False, decode_content=False)
                answer = connection.getresponse()
                body = answer.read(LARGEST_TILE_BYTES + 1)
    except (urllib3.exceptions.HTTPError, HTTPException, OSError) as error:
        raise Unfetchable(f"{parts.hostname} does not answer") from error
    if answer.status != 200 or len(body) > LARGEST_TILE_BYTES:
        raise Unfetchable(f"{parts.hostname} answers {answer.status}")
    return body


@contextmanager
def _ended_after(seconds: float, connection: socket.socket) -> Iterator[None]:
    """End the connection after that time: the timeout of a socket begins anew with every byte that drips in."""

    def end() -> None:
        with suppress(OSError):  # the other side was faster
            connection.shutdown(socket.SHUT_RDWR)

    watch = threading.Timer(seconds, end)
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _address(host: str, port: int, *, private: bool) -> str:
    """The address to connect to: looked up once, checked, and then used, so that it cannot change in between."""
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError as error:
        raise Unfetchable(f"{host} is not known") from error
    if not private and not all(ipaddress.ip_address(str(address).partition("%")[0]).is_global for address in found):
        raise Unfetchable(f"{host} is in a private network")
    return str(sorted(found, key=lambda address: ":" in str(address))[0])


def _decoded(body: bytes) -> NDArray[np.uint8]:
    try:
        # No other driver: a description of a virtual image could name any file of this machine, or any address.
        with (
            rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
            MemoryFile(body) as memory,
            memory.open(driver=["PNG", "JPEG", "WEBP"]) as image,
        ):
            if max(image.width, image.height) > LARGEST_TILE:
                raise Unfetchable("the image is too large for a tile")
            bands: NDArray[np.uint8] = image.read(out_shape=(image.count, TILE, TILE)).astype(np.uint8)
            palette = image.colormap(1) if image.count == 1 and image.colorinterp[0].name == "palette" else None
    except RasterioError as error:
        raise Unfetchable("what came is no image") from error
    if palette is not None:
        table = np.array([palette.get(index, (0, 0, 0, 0)) for index in range(256)], np.uint8)
        return np.ascontiguousarray(table[bands[0]].transpose(2, 0, 1))
    opaque = np.full((1, TILE, TILE), 255, np.uint8)
    if len(bands) in (1, 2):
        bands = np.concatenate([bands[:1]] * 3 + [bands[1:]])
    return bands[:4] if len(bands) >= 4 else np.concatenate([bands[:3], opaque])
