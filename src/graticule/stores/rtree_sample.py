"""Which features of a large table a small-scale picture needs: read off the nodes of SQLite's R*Tree, not the table.

The nodes are tables of envelopes in binary (the file format is described in SQLite's rtree.c): two bytes depth, two
bytes number of cells, then cells of eight bytes id and four floats, all big-endian. They are read level by level. Where
an envelope is smaller than a cell of the picture's raster, one of those in that cell stands for all, on every level: a
node that is smaller than a pixel is never opened further than to one of its features. So the cost grows with what can
be seen, and hardly with the size of the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from graticule.stores.gpkg_schema import quoted, rtree

if TYPE_CHECKING:
    import sqlite3

    from numpy.typing import NDArray

    from graticule.model.features import Box

HEADER_BYTES = 4
CELL = np.dtype([("id", ">i8"), ("minx", ">f4"), ("maxx", ">f4"), ("miny", ">f4"), ("maxy", ">f4")])
# With fewer leaves than this (some tens of thousands of features) nothing is left out.
FEWEST_LEAVES = 600
NODES_AT_ONCE = 5_000


def sample(
    connection: sqlite3.Connection, name: str, boxes: tuple[Box, ...], raster: tuple[float, float]
) -> NDArray[np.int64] | None:
    """The ids (n,), ascending, of features that touch any of the boxes, thinned to a raster of cells of that size.

    None when there are so few that all should be read.
    """
    row = connection.execute(f"SELECT data FROM {quoted(rtree(name) + '_node')} WHERE nodeno = 1").fetchone()
    if row is None:
        return None
    depth = int.from_bytes(row[0][:2], "big")
    cells = _touching(_cells([row[0]]), boxes)
    for level in range(depth, 0, -1):
        if level == 1 and len(cells) < FEWEST_LEAVES:
            return None
        if len(cells) >= FEWEST_LEAVES:
            cells = _thinned(cells, raster)
        cells = _touching(_children(connection, name, cells), boxes)
    ids: NDArray[np.int64] = np.sort(_thinned(cells, raster)["id"].astype(np.int64))
    return ids if depth else None


def _children(connection: sqlite3.Connection, name: str, cells: NDArray[np.void]) -> NDArray[np.void]:
    """The cells of the nodes that these cells stand for."""
    table = quoted(rtree(name) + "_node")
    nodes = np.sort(cells["id"].astype(np.int64)).tolist()
    parts = []
    for start in range(0, len(nodes), NODES_AT_ONCE):
        wanted = nodes[start : start + NODES_AT_ONCE]
        marks = ",".join(map(str, wanted))
        rows = connection.execute(f"SELECT data FROM {table} WHERE nodeno IN ({marks})").fetchall()
        parts.append(_cells([data for (data,) in rows]))
    return np.concatenate(parts) if parts else np.empty(0, CELL)


def _cells(nodes: list[bytes]) -> NDArray[np.void]:
    """The cells of nodes, which are all of one size."""
    if not nodes:
        return np.empty(0, CELL)
    room = (len(nodes[0]) - HEADER_BYTES) // CELL.itemsize
    raw = np.frombuffer(b"".join(nodes), np.uint8).reshape(len(nodes), len(nodes[0]))
    counts = raw[:, 2].astype(np.int64) * 256 + raw[:, 3]
    body = np.ascontiguousarray(raw[:, HEADER_BYTES : HEADER_BYTES + room * CELL.itemsize])
    cells: NDArray[np.void] = body.view(CELL)[np.arange(room) < counts[:, None]]
    return cells


def _touching(cells: NDArray[np.void], boxes: tuple[Box, ...]) -> NDArray[np.void]:
    hit = np.zeros(len(cells), bool)
    for xmin, ymin, xmax, ymax in boxes:
        across = (cells["maxx"] >= xmin) & (cells["minx"] <= xmax)
        hit |= across & (cells["maxy"] >= ymin) & (cells["miny"] <= ymax)
    return cells[hit]


def _thinned(cells: NDArray[np.void], raster: tuple[float, float]) -> NDArray[np.void]:
    """Of those smaller than a cell of the raster, the last by id in each; all the others."""
    width, height = raster
    minx, miny = cells["minx"].astype(np.float64), cells["miny"].astype(np.float64)
    small = (cells["maxx"] - minx < width) & (cells["maxy"] - miny < height)
    if not small.any():
        return cells
    rows = np.flatnonzero(small)
    rows = rows[np.argsort(-cells["id"][rows].astype(np.int64), kind="stable")]
    column, line = np.floor(minx[rows] / width).astype(np.int64), np.floor(miny[rows] / height).astype(np.int64)
    _, first = np.unique(column * np.int64(2**31) + line, return_index=True)
    return np.concatenate([cells[~small], cells[rows[first]]])
