"""Batches taken apart into the simple geometries that are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from graticule.model.features import Batch, Box, Family

CLASS_COLUMN = "__class"

# Larger than this many pictures in one direction, and a geometry is cut; at this many pictures around the picture.
CUT_LARGER_THAN = 8.0
CUT_MARGIN = 1.0

_COLLECTIONS = (4, 5, 6, 7)
_SIMPLE_TYPES: dict[Family, tuple[int, ...]] = {"point": (0,), "line": (1, 2), "polygon": (3,)}


@dataclass(frozen=True, slots=True)
class Parts:
    """Simple geometries of one family, finite and not empty, with their envelopes, classes and rows in the batch."""

    geometry: NDArray[np.object_]
    bounds: NDArray[np.float64]
    classes: NDArray[np.int64]
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.geometry)

    def pick(self, which: NDArray[Any]) -> Parts:
        """Those that a mask or an array of indexes says."""
        return Parts(self.geometry[which], self.bounds[which], self.classes[which], self.rows[which])


def take_apart(batch: Batch, family: Family, box: Box) -> Parts:
    """The parts of a batch that are of the family and touch the box."""
    geometry = np.array([], dtype=object) if batch.geometry is None else batch.geometry
    geometry, rows = _simple(geometry, family)
    geometry, rows = _finite(geometry, rows)
    bounds = shapely.bounds(geometry).reshape(-1, 4)
    parts = Parts(geometry, bounds, _classes(batch)[rows], rows)
    return parts.pick(_touching(bounds, box))


def _classes(batch: Batch) -> NDArray[np.int64]:
    column = batch.columns.get(CLASS_COLUMN)
    return np.zeros(len(batch), np.int64) if column is None else np.array(column, np.int64)


def _simple(geometry: NDArray[np.object_], family: Family) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """The simple geometries of a family, however deep in collections, and the row each is of."""
    rows = np.arange(len(geometry), dtype=np.int64)
    while np.isin(types := shapely.get_type_id(geometry), _COLLECTIONS).any():
        geometry, index = shapely.get_parts(geometry, return_index=True)
        rows = rows[index]
    mine = np.isin(types, _SIMPLE_TYPES[family]) & ~shapely.is_empty(geometry)
    return geometry[mine], rows[mine]


def _finite(geometry: NDArray[np.object_], rows: NDArray[np.int64]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Without those that have a coordinate which is not a number, or endless: they could not be projected."""
    coordinates, index = shapely.get_coordinates(geometry, return_index=True)
    bad = ~np.isfinite(coordinates).all(axis=1)
    if not bad.any():
        return geometry, rows
    good = np.ones(len(geometry), bool)
    good[index[bad]] = False
    return geometry[good], rows[good]


def _touching(bounds: NDArray[np.float64], box: Box) -> NDArray[np.bool_]:
    xmin, ymin, xmax, ymax = box
    within = (bounds[:, 0] <= xmax) & (bounds[:, 2] >= xmin) & (bounds[:, 1] <= ymax) & (bounds[:, 3] >= ymin)
    return np.asarray(within)


def cut_large(parts: Parts, box: Box) -> Parts:
    """Geometries much larger than the picture are cut, well outside it, so that far vertices cost nothing."""
    xmin, ymin, xmax, ymax = box
    width, height = xmax - xmin, ymax - ymin
    size = parts.bounds[:, 2:] - parts.bounds[:, :2]
    large = (size[:, 0] > CUT_LARGER_THAN * width) | (size[:, 1] > CUT_LARGER_THAN * height)
    if not large.any():
        return parts
    cut = _clipped(parts.geometry[large], grown(box, CUT_MARGIN * width, CUT_MARGIN * height))
    pieces, index = shapely.get_parts(cut, return_index=True)
    mine = (shapely.get_dimensions(pieces) == shapely.get_dimensions(parts.geometry[large])[index]) & (
        shapely.get_num_geometries(pieces) == 1
    )
    pieces, index = pieces[mine], np.flatnonzero(large)[index[mine]]
    geometry = np.concatenate([parts.geometry[~large], pieces])
    order = np.concatenate([np.flatnonzero(~large), index])
    kept = parts.pick(order)
    return Parts(geometry, kept.bounds, kept.classes, kept.rows).pick(np.argsort(order, kind="stable"))


def _clipped(geometry: NDArray[np.object_], box: Box) -> NDArray[np.object_]:
    try:
        return np.asarray(shapely.clip_by_rect(geometry, *box))
    except shapely.GEOSException:  # an invalid polygon: slow to draw whole, but right
        return geometry


def grown(box: Box, dx: float, dy: float) -> Box:
    """The box with that much more on each side."""
    return (box[0] - dx, box[1] - dy, box[2] + dx, box[3] + dy)


def largest_of_each(parts: Parts, family: Family) -> Parts:
    """One part of each feature: the largest polygon, the longest line, the first point."""
    order = np.lexsort((-size_of(parts.geometry, family), parts.rows))
    _, first = np.unique(parts.rows[order], return_index=True)
    return parts.pick(order[first])


def size_of(geometry: NDArray[np.object_], family: Family) -> NDArray[np.float64]:
    """Areas of polygons, lengths of lines, 0 for points, in map units."""
    if family == "point":
        return np.zeros(len(geometry))
    return np.asarray(shapely.area(geometry) if family == "polygon" else shapely.length(geometry))
