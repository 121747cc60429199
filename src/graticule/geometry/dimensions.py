"""What of a geometry's coordinates is kept: x, y and a height that is a number; measures are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry


def without_m(geoms: NDArray[np.object_]) -> NDArray[np.object_]:
    """The same geometries without their measures; the array itself when none has any."""
    measured = shapely.has_m(geoms)
    if not measured.any():
        return geoms
    result = geoms.copy()
    both = measured & shapely.has_z(geoms)
    # GEOS drops M and keeps Z only in its writers.
    result[both] = shapely.from_wkb(shapely.to_wkb(geoms[both], output_dimension=3))
    result[measured & ~both] = shapely.force_2d(geoms[measured & ~both])
    return result


def presentable(geoms: NDArray[np.object_]) -> NDArray[np.object_]:
    """The same geometries, fit to be written as text; the array itself when they are.

    Measures are dropped. A geometry whose heights are not all numbers loses them, and so does a collection with
    members of two and of three dimensions, which well-known text cannot hold. A geometry with an x or y that is not
    a finite number becomes the empty one of its type.
    """
    geoms = without_m(geoms)
    high = shapely.has_z(geoms)
    # Points without coordinates inside a multipoint do not show here, and are left to the writers.
    coordinates = shapely.get_coordinates(geoms, include_z=bool(high.any()))
    if np.isfinite(coordinates).all():
        return geoms
    index = shapely.get_coordinates(geoms, return_index=True)[1]
    result = geoms.copy()
    for at in np.unique(index[~np.isfinite(coordinates).all(axis=1)]):
        result[at] = _mended(geoms[at])
    return result


def _mended(geometry: BaseGeometry) -> BaseGeometry:
    if not np.isfinite(shapely.get_coordinates(geometry)).all():
        return shapely.from_wkt(f"{geometry.geom_type} EMPTY")
    high = shapely.get_coordinates(geometry, include_z=geometry.has_z)
    return geometry if np.isfinite(high).all() else shapely.force_2d(geometry)
