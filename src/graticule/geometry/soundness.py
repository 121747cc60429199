"""Geometries that can be reckoned with: polygons that cross themselves made ones that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def sound(geoms: NDArray[np.object_]) -> NDArray[np.object_]:
    """The geometries with those mended that are not valid; the array itself when all are. None stays None."""
    bad = ~shapely.is_valid(geoms) & ~shapely.is_missing(geoms)
    if bad.any():
        geoms = geoms.copy()
        geoms[bad] = shapely.make_valid(geoms[bad])
    return geoms
