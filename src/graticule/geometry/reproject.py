"""Coordinates from one projection into another, on whole arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import Transformer
from pyproj.exceptions import ProjError

from graticule.errors import BadRequest
from graticule.geometry.crs import WGS84_RADIUS, Crs
from graticule.geometry.dimensions import without_m

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from graticule.model.features import Box

    Coordinates = NDArray[np.float64]

# Beyond this latitude Mercator has nothing to show, and at the pole itself no finite value.
MERCATOR_MAX_LATITUDE = 89.99
# Digitised poles are a little off: this much beyond 90° is taken as 90°, more is no latitude.
LATITUDE_SLACK = 1e-6


def reproject(geoms: NDArray[np.object_], src: Crs, dst: Crs) -> NDArray[np.object_]:
    """The geometries in another projection; the array itself where the two mean the same.

    Heights stay as they are, measures are dropped, None stays None. A geometry with a position that the projection
    cannot show (its coordinates would not be finite) becomes None. Between EPSG:4326 and EPSG:3857 latitudes are
    held within ±89.99°, and longitudes are not wrapped: a line from 170° to 190° stays in one piece.
    Raises BadRequest when there is no way from the one projection to the other.
    """
    if src.same_as(dst):
        return geoms
    geoms = without_m(geoms)
    high = bool(shapely.has_z(geoms).any())
    coordinates = shapely.get_coordinates(geoms, include_z=high)
    coordinates[:, :2] = reproject_points(coordinates[:, :2], src, dst)
    result: NDArray[np.object_] = shapely.set_coordinates(geoms.copy(), coordinates)
    lost = ~np.isfinite(coordinates[:, :2]).all(axis=1)
    if lost.any():
        index = shapely.get_coordinates(geoms, return_index=True)[1]
        result[np.unique(index[lost])] = None
    return result


def reproject_points(xy: Coordinates, src: Crs, dst: Crs) -> Coordinates:
    """Coordinates of shape (n, 2) in another projection; not finite where it cannot show them. Raises BadRequest."""
    if src.same_as(dst):
        return xy
    xy = np.asarray(xy, dtype=np.float64)
    formula = _FORMULAS.get((src.meaning, dst.meaning))
    return formula(xy) if formula else _by_proj(xy, src, dst)


def _by_proj(xy: Coordinates, src: Crs, dst: Crs) -> Coordinates:
    return np.column_stack(transformer(src, dst).transform(xy[:, 0], xy[:, 1]))


@lru_cache(maxsize=256)
def transformer(src: Crs, dst: Crs) -> Transformer:
    """PROJ's operation between the two; it keeps one context a thread itself. Raises BadRequest where there is none."""
    try:
        return Transformer.from_crs(src.pyproj, dst.pyproj, always_xy=True)
    except ProjError as error:
        raise BadRequest(f"There is no way from the projection {src.name[:80]} to {dst.name[:80]}.") from error


def _to_mercator(xy: Coordinates) -> Coordinates:
    """EPSG:4326 to EPSG:3857: method 1024 of IOGP 373-7-2, x = R·λ, y = R·ln tan(π/4 + φ/2) = R·arsinh(tan φ)."""
    result = np.empty_like(xy)
    np.multiply(xy[:, 0], np.pi / 180 * WGS84_RADIUS, out=result[:, 0])
    latitude = np.clip(xy[:, 1], -MERCATOR_MAX_LATITUDE, MERCATOR_MAX_LATITUDE)
    result[:, 1] = np.arcsinh(np.tan(np.radians(latitude))) * WGS84_RADIUS
    result[np.abs(xy[:, 1]) > 90 + LATITUDE_SLACK] = np.nan
    return result


def _from_mercator(xy: Coordinates) -> Coordinates:
    """EPSG:3857 to EPSG:4326, the inverse of the above: φ = arctan(sinh(y / R))."""
    result = np.empty_like(xy)
    np.multiply(xy[:, 0], 180 / np.pi / WGS84_RADIUS, out=result[:, 0])
    # sinh overflows to infinity far outside the world, which is the pole.
    with np.errstate(over="ignore"):
        result[:, 1] = np.degrees(np.arctan(np.sinh(xy[:, 1] / WGS84_RADIUS)))
    result[~np.isfinite(xy[:, 1])] = np.nan
    return result


_FORMULAS: dict[tuple[int | str, int | str], Callable[[Coordinates], Coordinates]] = {
    (4326, 3857): _to_mercator,
    (3857, 4326): _from_mercator,
}


def reproject_box(box: Box, src: Crs, dst: Crs, densify: int = 21) -> Box | None:
    """The box of a box in another projection: ``reproject_boxes`` as one, which across the antimeridian is all around.

    None when the projection can show nothing of it.
    """
    boxes = reproject_boxes(box, src, dst, densify)
    if len(boxes) < 2:
        return boxes[0] if boxes else None
    return -dst.half_turn, boxes[0][1], dst.half_turn, boxes[0][3]


def reproject_boxes(box: Box, src: Crs, dst: Crs, densify: int = 21) -> tuple[Box, ...]:
    """What covers a box in another projection: one box; two where it crosses the antimeridian; none where nothing does.

    ``densify`` points are put on each side, and on as many lines between, so that curved sides and bulges inside
    count; what lies between the points is covered by growing the result by their curvature. Raises BadRequest.
    """
    if src.same_as(dst):
        return (box,)
    formula = _FORMULAS.get((src.meaning, dst.meaning))
    if formula is not None:
        (xmin, ymin), (xmax, ymax) = formula(np.array(box, dtype=np.float64).reshape(2, 2)).tolist()
        return ((xmin, ymin, xmax, ymax),) if np.isfinite([xmin, ymin, xmax, ymax]).all() else ()
    if dst.is_geographic and not src.is_geographic:
        return _on_the_globe(box, src, dst, densify)
    sampled = _sampled(box, src, dst, densify)
    return () if sampled is None else (sampled,)


def _on_the_globe(box: Box, src: Crs, dst: Crs, densify: int) -> tuple[Box, ...]:
    """PROJ's own bounds, which know of poles and of the antimeridian (there xmin > xmax)."""
    try:
        xmin, ymin, xmax, ymax = transformer(src, dst).transform_bounds(*box, densify_pts=4 * densify)
    except ProjError:
        return ()
    half = dst.half_turn
    if not np.isfinite([xmin, ymin, xmax, ymax]).all():
        sampled = _sampled(box, src, dst, densify)
        return () if sampled is None else ((-half, sampled[1], half, sampled[3]),)
    # Four times the points leave a sixteenth of the curvature between them.
    slack = 1e-4
    dx, dy = slack * ((xmax - xmin) % (2 * half)), slack * (ymax - ymin)
    ymin, ymax = max(ymin - dy, -half / 2), min(ymax + dy, half / 2)
    if xmin <= xmax:
        return ((max(xmin - dx, -half), ymin, min(xmax + dx, half), ymax),)
    return (xmin - dx, ymin, half, ymax), (-half, ymin, xmax + dx, ymax)


def _sampled(box: Box, src: Crs, dst: Crs, densify: int) -> Box | None:
    """The box of a grid of points of the box, those left out that do not come back to where they were."""
    side = densify + 2
    # On the rim of the world itself rounding keeps some projections from coming back.
    inset = 1e-9 * max(box[2] - box[0], box[3] - box[1])
    xs = np.linspace(box[0] + inset, box[2] - inset, side)
    ys = np.linspace(box[1] + inset, box[3] - inset, side)
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    there = reproject_points(grid, src, dst)
    there[~_comes_back(grid, there, src, dst)] = np.nan
    shown = there[np.isfinite(there).all(axis=1)]
    if not len(shown):
        return None
    slack = _curvature(there.reshape(side, side, 2)) + 1e-8 * np.ptp(shown, axis=0)
    (xmin, ymin), (xmax, ymax) = (shown.min(axis=0) - slack).tolist(), (shown.max(axis=0) + slack).tolist()
    return xmin, ymin, xmax, ymax


def _comes_back(here: Coordinates, there: Coordinates, src: Crs, dst: Crs) -> NDArray[np.bool_]:
    """Which positions are where they were after a way there and back, within 100 m: elsewhere a projection folds."""
    away = np.abs(reproject_points(there, dst, src) - here)
    away[~np.isfinite(away)] = np.inf
    if src.is_geographic:
        turn = 2 * src.half_turn
        around = np.minimum(away[:, 0], np.abs(turn - away[:, 0]))
        away[:, 0] = around * np.cos(here[:, 1] * np.pi / src.half_turn)
    near: NDArray[np.bool_] = np.all(away <= 100 / src.metres_per_unit, axis=1)
    return near


def _curvature(grid: NDArray[np.float64]) -> Coordinates:
    """How far a curve through points (n, m, 2) can stand out beyond them: a quarter of the second difference at most.

    (An eighth is the bound of linear interpolation; the rest is for what bends within a step.)
    """
    bends = [np.abs(np.diff(grid, 2, axis=axis)).reshape(-1, 2) for axis in (0, 1)]
    both = np.concatenate(bends)
    both = both[np.isfinite(both).all(axis=1)]
    most: Coordinates = both.max(axis=0) / 4 if len(both) else np.zeros(2)
    return most
