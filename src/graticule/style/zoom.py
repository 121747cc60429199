"""Zoom levels and scale denominators."""

from __future__ import annotations

import math

# The scale of zoom level 0 of 256 px tiles at the equator for the 0.28 mm pixel of OGC 05-078r4 (SLD) and OGC 07-057r7.
DENOMINATOR_OF_ZOOM_0 = 559_082_264.028_717_8

# Values up to this are zoom levels, larger ones scale denominators.
LAST_ZOOM = 30


def zoom_of_denominator(denominator: float) -> float:
    """The zoom level, not whole in general, of the scale 1:``denominator`` (> 0)."""
    return math.log2(DENOMINATOR_OF_ZOOM_0 / denominator)


def zoom_of_resolution(metres_per_pixel: float) -> float:
    """The zoom level, not whole in general, of a picture with pixels of that size (> 0) at the equator.

    Level 0 is the first: a picture of the world in fewer than 256 pixels shows what that level shows.
    """
    return max(0.0, zoom_of_denominator(metres_per_pixel / 0.00028))


def zoom_of_limit(value: float | None) -> float | None:
    """The zoom level that a layer's ``onscale`` or ``offscale`` means; None when it is none."""
    if value is None or not math.isfinite(value) or value <= 0:
        return None
    return float(value) if value <= LAST_ZOOM else zoom_of_denominator(value)
