"""Where a feature's label goes: one place for each feature, so that only the tile that holds it shows the label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LAST_COMPOUND = 7


def label_points(geometry: NDArray[np.object_]) -> NDArray[np.object_]:
    """A point for each geometry, in its coordinates; None for None, for empty ones and for those not finite.

    Of a compound geometry the largest part counts: by dimension, then area or length, then order. A polygon's point is
    its centroid where that lies inside, else one on its surface halfway across (shapely's ``point_on_surface``); a
    line's is halfway along it.
    """
    labels = np.full(len(geometry), None, object)
    kinds = shapely.get_type_id(geometry)
    rows = np.flatnonzero((kinds >= 0) & (kinds <= _LAST_COMPOUND) & np.isfinite(shapely.bounds(geometry)).all(axis=1))
    parts, owners = _largest(geometry[rows])
    points = _places(parts)
    found = ~(shapely.is_missing(points) | shapely.is_empty(points))
    labels[rows[owners[found]]] = points[found]
    return labels


def _largest(geometry: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """The largest simple part of each geometry, and which geometry it is of."""
    parts, owners = geometry, np.arange(len(geometry))
    while (shapely.get_type_id(parts) > 3).any():
        parts, index = shapely.get_parts(parts, return_index=True)
        owners = owners[index]
    dimensions = shapely.get_dimensions(parts)
    order = np.lexsort((-shapely.length(parts), -shapely.area(parts), -dimensions, owners))
    first = order[np.diff(owners[order], prepend=-1).astype(bool)]
    return parts[first], owners[first]


def _places(parts: NDArray[np.object_]) -> NDArray[np.object_]:
    points = parts.copy()
    dimensions = shapely.get_dimensions(parts)
    lines, polygons = dimensions == 1, dimensions == 2
    points[lines] = shapely.line_interpolate_point(parts[lines], 0.5, normalized=True)
    points[polygons] = _inside(parts[polygons])
    return points


def _inside(polygons: NDArray[np.object_]) -> NDArray[np.object_]:
    points: NDArray[np.object_] = shapely.centroid(polygons)
    outside = ~shapely.contains_properly(polygons, points)
    points[outside] = shapely.point_on_surface(polygons[outside])
    return points
