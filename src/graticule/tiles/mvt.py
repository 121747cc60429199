"""A batch of features as one layer of a vector tile, made on arrays as a whole: no Python loop over features.

Source: Mapbox Vector Tile Specification 2.1. A tile is a run of layers, so layers are put into one by joining bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from graticule.tiles import varints
from graticule.tiles.commands import Shapes, commands, in_row_order
from graticule.tiles.paths import (
    POINT,
    POLYGON,
    Grid,
    Parts,
    Paths,
    line_paths,
    parts_by_family,
    point_paths,
    polygon_paths,
)
from graticule.tiles.tags import Tags, factorise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from graticule.model.features import Box

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
EXTENT = 4096
BUFFER = 64

_LAYER, _NAME, _FEATURE, _KEY, _EXTENT, _VERSION = 3, 1, 2, 3, 5, 15  # numbers of fields, of Tile and of Layer
_ID, _TAGS, _TYPE, _GEOMETRY = 1 << 3, 2 << 3 | 2, 3 << 3, 4 << 3 | 2  # tags of a Feature's fields


def encode_layer(
    name: str,
    ids: NDArray[np.int64],
    geometry: NDArray[np.object_],
    columns: dict[str, list[Any]],
    box: Box,
    *,
    extent: int = EXTENT,
    buffer: int = BUFFER,
    mark_tiny: bool = False,
) -> bytes:
    """One layer of a tile, or nothing at all when no feature shows in it.

    ``geometry`` are shapely geometries in the coordinates of ``box``, of any types, None allowed; ``ids``, ``geometry``
    and every column have the same length n. Values are str, int, float, bool; None leaves the attribute out, a whole
    number beyond 64 bits becomes a double; TypeError for anything else. ``extent`` and ``buffer`` are in tile units.

    Features keep their order. A geometry collection gives one feature, with the same id and attributes, for each of
    points, lines and polygons in it. What leaves the tile by more than the buffer is cut off; vertices closer together
    than the grid are dropped. Lines shrunk to a point are left out, and so are polygons shrunk to no area, unless
    ``mark_tiny``: then each cell of a 1024 by 1024 raster shows at most one of the latter, as a rectangle at least two
    units (of 4096) wide, so that a dense layer of small polygons reads as a texture instead of going blank.
    Geometries with vertices that are not finite are left out.
    """
    grid = Grid(box, extent, buffer)
    shapes = _shapes(geometry, grid, mark_tiny=mark_tiny)
    if shapes is None:
        return b""
    tags = factorise(columns, shapes.rows)
    body = (
        bytes((_VERSION << 3, 2)),
        varints.delimited(_NAME, name.encode("utf-8", "replace")),
        _features(ids[shapes.rows].astype(np.int64).view(np.uint64), tags, shapes),
        *(varints.delimited(_KEY, key.encode("utf-8", "replace")) for key in tags.keys),
        tags.values,
        bytes((_EXTENT << 3,)) + varints.one(extent),
    )
    return varints.delimited(_LAYER, b"".join(body))


def _shapes(geometry: NDArray[np.object_], grid: Grid, *, mark_tiny: bool) -> Shapes | None:
    families = parts_by_family(geometry, grid)
    paths = {family: _paths(parts, family, grid, mark_tiny) for family, parts in families.items()}
    shapes = [commands(run, family) for family, run in paths.items() if len(run.rows)]
    return in_row_order(shapes) if shapes else None


def _paths(parts: Parts, family: int, grid: Grid, mark_tiny: bool) -> Paths:
    if family == POINT:
        return point_paths(parts, grid)
    return polygon_paths(parts, grid, mark_tiny=mark_tiny) if family == POLYGON else line_paths(parts, grid)


def _features(ids: NDArray[np.uint64], tags: Tags, shapes: Shapes) -> bytes:
    """All features, each a run of varints: tag of Feature, length; id; tags; type; geometry.

    Lengths are of bytes, and known only once everything else is in its place: first 0, a single byte, stands for them.
    """
    lengths = 10 + tags.counts + shapes.counts
    ends = np.cumsum(lengths)
    start = ends - lengths
    tag_at, type_at, shape_at = start + 6, start + 6 + tags.counts, start + 10 + tags.counts
    tokens = np.empty(int(lengths.sum()), np.uint64)
    heads: tuple[int | NDArray[np.uint64], ...] = (_FEATURE << 3 | 2, 0, _ID, ids, _TAGS, 0)
    for place, head in enumerate(heads):
        tokens[start + place] = head
    middle: tuple[int | NDArray[np.uint64], ...] = (_TYPE, shapes.kinds.view(np.uint64), _GEOMETRY, 0)
    for place, head in enumerate(middle):
        tokens[type_at + place] = head
    tokens[varints.spread(tag_at, tags.counts)] = tags.tokens
    tokens[varints.spread(shape_at, shapes.counts)] = shapes.tokens

    sizes = varints.sizes(tokens)
    before = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
    tag_bytes = (before[type_at] - before[tag_at]).view(np.uint64)
    shape_bytes = (before[ends] - before[shape_at]).view(np.uint64)
    inner = varints.sizes(tag_bytes).astype(np.int64) + varints.sizes(shape_bytes) - 2
    feature_bytes = (before[ends] - before[start + 2] + inner).view(np.uint64)
    for place, counted in ((start + 1, feature_bytes), (start + 5, tag_bytes), (shape_at - 1, shape_bytes)):
        tokens[place] = counted
        sizes[place] = varints.sizes(counted)
    return varints.encode(tokens, sizes)
