"""A place on the ground: what lies around it, and how far away geometries are, in metres on the ellipsoid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import Geod, Proj

from graticule.errors import BadRequest
from graticule.geometry.bounds import MERCATOR_HALF, NOWHERE, Bounds, boxes_in
from graticule.geometry.crs import Crs
from graticule.geometry.reproject import reproject, reproject_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from graticule.model.features import Box

    Geometries = NDArray[np.object_]
    Metres = NDArray[np.float64]

WGS84 = Geod(ellps="WGS84")
# Half of the way around the Earth by the equator: nothing is further away.
FARTHEST_METRES = 20_037_508.4
# The smallest radius of curvature of WGS 84, along the meridian at the equator: a(1 - e²). With it an angle on the
# ground is never taken too small.
SMALLEST_RADIUS = 6_335_439.0
# An edge of what lies within reach is taken in pieces, this many to the width of the reach, since what is straight in
# one projection is not in another. The error goes with the square of their length: 1/8 · (2/64)² of the reach. Along
# a parallel near a pole no piece is longer than a degree.
PIECES = 64
# Metres: half way to the other side of the Earth.
TORN = 10_000_000.0
POINT, LINE, POLYGON, COLLECTION = 0, 1, 3, 7


@dataclass(frozen=True)
class Place:
    """A point on the globe, in degrees."""

    longitude: float
    latitude: float

    @classmethod
    def at(cls, x: float, y: float, crs: Crs) -> Place:
        """The place that has these coordinates. Raises BadRequest when the projection has no such place."""
        longitude, latitude = reproject_points(np.array([[x, y]]), crs, Crs.wgs84())[0].tolist()
        if not (math.isfinite(longitude) and abs(latitude) <= 90 + 1e-6 and abs(longitude) <= 1e6):
            where = f"EPSG:{crs.epsg}" if crs.epsg else "the projection"
            raise BadRequest(f"There is no place {x:.15g}, {y:.15g} in {where}.", field="srid", value=crs.epsg)
        return cls((longitude + 180) % 360 - 180, min(max(latitude, -90.0), 90.0))

    def bounds(self, metres: float) -> Bounds:
        """Longitudes and latitudes that nothing within so many metres lies beyond; xmin > xmax or ±180 may be passed.

        A circle of the angle δ reaches asin(sin δ / cos φ) to each side, all around where it holds a pole.
        """
        angle = 1.001 * metres / SMALLEST_RADIUS
        south, north = (self.latitude + sign * math.degrees(angle) for sign in (-1, 1))
        if south <= -90 or north >= 90 or angle >= math.pi / 2:
            return Bounds(-180, max(south, -90), 180, min(north, 90))
        beside = 1.001 * math.degrees(math.asin(math.sin(angle) / math.cos(math.radians(self.latitude))))
        return Bounds(self.longitude - beside, south, self.longitude + beside, north)

    def boxes(self, metres: float, crs: Crs) -> tuple[Box, ...]:
        """Boxes in a projection that nothing within so many metres lies outside of.

        Data may go on beyond the antimeridian without a break, so the boxes are also those once around.
        """
        boxes = boxes_in(self.bounds(metres), Crs.wgs84(), crs)
        if boxes == (NOWHERE,):
            return boxes
        grown = [_grown(box) for box in boxes]
        turns = (0.0,) if len(grown) == 1 and _is_all_around(grown[0], crs) else _turns(crs)
        return tuple((xmin + turn, ymin, xmax + turn, ymax) for turn in turns for xmin, ymin, xmax, ymax in grown)

    def distances(self, geoms: Geometries, crs: Crs, metres: float) -> Metres:
        """How far each geometry is, (n,); infinite where it is further than ``metres``, or there is none.

        Exact to about a ten-thousandth of ``metres`` for edges, and to nanometres for points.
        """
        result = np.full(len(geoms), np.inf)
        parts, index = _singles(geoms)
        if len(parts):
            np.minimum.at(result, index, self._distances(parts, crs, metres))
        result[result > metres] = np.inf
        return result

    def _distances(self, parts: Geometries, crs: Crs, metres: float) -> Metres:
        result = np.full(len(parts), np.inf)
        kinds = shapely.get_type_id(parts)
        points = kinds == POINT
        result[points] = self.to_points(shapely.get_coordinates(parts[points]), crs)
        areas = np.flatnonzero(kinds == POLYGON)
        holding = areas[self._inside(parts[areas], crs)]
        edges = np.setdiff1d(np.flatnonzero(~points), holding)
        result[edges] = self._to_edges(_edges(parts[edges]), crs, metres)
        result[holding] = 0.0
        return result

    def to_points(self, xy: NDArray[np.float64], crs: Crs) -> Metres:
        """The distance to each of the points (n, 2)."""
        lonlat = reproject_points(xy, crs, Crs.wgs84())
        known = np.isfinite(lonlat).all(axis=1) & (np.abs(lonlat[:, 1]) <= 90 + 1e-6)
        result = np.full(len(xy), np.inf)
        there = lonlat[known]
        here = np.broadcast_to([[self.longitude], [self.latitude]], (2, len(there)))
        result[known] = WGS84.inv(here[0], here[1], there[:, 0], there[:, 1])[2]
        return result

    def _inside(self, areas: Geometries, crs: Crs) -> NDArray[np.bool_]:
        """Which polygons hold the place, by their edges as they are straight in their projection."""
        x, y = reproject_points(np.array([[self.longitude, self.latitude]]), Crs.wgs84(), crs)[0].tolist()
        inside = np.zeros(len(areas), bool)
        if math.isfinite(x) and math.isfinite(y):
            for turn in _turns(crs):
                inside |= shapely.intersects_xy(areas, x + turn, y)
        return inside

    def _to_edges(self, edges: Geometries, crs: Crs, metres: float) -> Metres:
        nearest = np.full(len(edges), np.inf)
        for box in self.boxes(metres, crs):
            near = shapely.clip_by_rect(edges, *box)
            there = np.flatnonzero(~shapely.is_empty(near) & ~shapely.is_missing(near))
            if len(there):
                step = max(box[2] - box[0], box[3] - box[1]) / PIECES
                step = min(step, crs.half_turn / 180) if crs.is_geographic else step
                lines = shapely.segmentize(shapely.force_2d(near[there]), step)
                nearest[there] = np.minimum(nearest[there], self._to_lines(reproject(lines, crs, Crs.wgs84())))
        return nearest

    def _to_lines(self, lines: Geometries) -> Metres:
        """The distance to lines in degrees: in the projection that keeps distances from the place."""
        parts, of = shapely.get_parts(lines, return_index=True)
        lonlat, part = shapely.get_coordinates(parts, return_index=True)
        flat = np.column_stack(self._around(lonlat[:, 0], lonlat[:, 1]))
        one = np.flatnonzero(part[1:] == part[:-1])
        result = np.full(len(lines), np.inf)
        np.minimum.at(result, of[part[one]], _from_origin(flat[one], flat[one + 1]))
        result[np.isnan(result)] = np.inf
        return result

    @cached_property
    def _around(self) -> Proj:
        return azimuthal(self.longitude, self.latitude)

    def to_envelopes(self, geoms: Geometries, crs: Crs) -> Metres:
        """Roughly how far the geometries are: the distance to the nearest point of each envelope; infinite for none."""
        boxes = shapely.bounds(reproject(geoms, crs, Crs.wgs84()))
        result = np.full(len(geoms), np.inf)
        known = np.isfinite(boxes).all(axis=1)
        xmin, ymin, xmax, ymax = boxes[known].T
        longitudes = np.stack([np.clip(self.longitude + turn, xmin, xmax) - turn for turn in (-360, 0, 360)])
        gaps = np.abs(longitudes - self.longitude)
        nearest = np.take_along_axis(longitudes, gaps.argmin(axis=0)[None], axis=0)[0]
        latitudes = np.clip(np.clip(self.latitude, ymin, ymax), -90, 90)
        result[known] = self.to_points(np.column_stack([nearest, latitudes]), Crs.wgs84())
        return result


def _grown(box: Box) -> Box:
    """A little more than the box, for between two that meet at the antimeridian rounding leaves a gap."""
    xmin, ymin, xmax, ymax = box
    slack = 1e-6 * max(xmax - xmin, ymax - ymin)
    return xmin - slack, ymin - slack, xmax + slack, ymax + slack


def _is_all_around(box: Box, crs: Crs) -> bool:
    """Whether a box of longitudes takes in those beyond the antimeridian already."""
    return crs.is_geographic and box[2] - box[0] >= 4 * crs.half_turn


def azimuthal(longitude: float, latitude: float) -> Proj:
    """The azimuthal equidistant projection of WGS 84 around a place, in metres: true in every direction from it."""
    return Proj(proj="aeqd", ellps="WGS84", lon_0=longitude, lat_0=latitude)


def _from_origin(starts: NDArray[np.float64], ends: NDArray[np.float64]) -> Metres:
    """How far the origin is from each of the edges between positions (n, 2).

    From ``TORN`` on only the ends count: around the place on the other side of the Earth the projection is torn apart.
    """
    along = ends - starts
    lengths = np.maximum((along**2).sum(axis=1), 1e-18)
    share = np.clip(-(starts * along).sum(axis=1) / lengths, 0, 1)
    nearest = np.hypot(*(starts + share[:, None] * along).T)
    at_ends = np.minimum(np.hypot(*starts.T), np.hypot(*ends.T))
    result: Metres = np.where(at_ends > TORN, at_ends, nearest)
    return result


def area_and_perimeter(geoms: Geometries, crs: Crs) -> NDArray[np.float64]:
    """Square metres and metres on the ellipsoid, (n, 2), between positions along geodesics; NaN where there is none.

    Lines have a length and no area. An edge of more than a quarter of the way around goes as it is drawn.
    """
    lonlat = shapely.segmentize(shapely.force_2d(reproject(geoms, crs, Crs.wgs84())), 90.0)
    result = np.zeros((len(geoms), 2))
    result[shapely.is_missing(lonlat)] = np.nan
    parts, index = _singles(lonlat)
    for part, at in zip(parts, index.tolist(), strict=True):
        result[at] += _measured(part)
    return result


def _measured(part: shapely.Geometry) -> tuple[float, float]:
    if part.geom_type == "Point":
        return 0.0, 0.0
    if part.geom_type != "Polygon":
        xy = shapely.get_coordinates(part)
        return 0.0, WGS84.line_length(xy[:, 0], xy[:, 1])
    shell, *holes = [
        WGS84.polygon_area_perimeter(*shapely.get_coordinates(ring).T) for ring in [part.exterior, *part.interiors]
    ]
    area = abs(shell[0]) - sum(abs(hole[0]) for hole in holes)
    return max(area, 0.0), shell[1] + sum(hole[1] for hole in holes)


def _singles(geoms: Geometries) -> tuple[Geometries, NDArray[np.intp]]:
    """The points, lines and polygons that geometries are made of, and which each is of; no empty ones."""
    index = np.flatnonzero(~shapely.is_missing(geoms) & ~shapely.is_empty(geoms))
    parts = geoms[index]
    while (shapely.get_type_id(parts) > POLYGON).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        index = index[inner]
    kept = ~shapely.is_empty(parts)
    return parts[kept], index[kept]


def _edges(parts: Geometries) -> Geometries:
    """Lines as they are, polygons as their rings."""
    areas = shapely.get_type_id(parts) == POLYGON
    edges = parts.copy()
    edges[areas] = shapely.boundary(parts[areas])
    return edges


def _turns(crs: Crs) -> Sequence[float]:
    """How far to go to be at the same place again, once around to the east and to the west."""
    if crs.is_geographic:
        return (0.0, 2 * crs.half_turn, -2 * crs.half_turn)
    return (0.0, 2 * MERCATOR_HALF, -2 * MERCATOR_HALF) if crs.is_web_mercator else (0.0,)
