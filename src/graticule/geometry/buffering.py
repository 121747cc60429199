"""Buffers: what lies within a distance of geometries, true on the ground at any latitude, as polygons in degrees.

The globe is divided into cells of about 5° each way, and the geometries at their borders. All pieces in one cell are
taken into the projection that keeps distances around the cell's middle, buffered there, and taken back. At the corner
of a cell, some 400 km out, that projection is a thousandth off. The buffers of the pieces together are the buffer of
the whole. What comes out is cut at the antimeridian and closed around the poles.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely

from graticule.geometry.place import azimuthal
from graticule.geometry.soundness import sound

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import Proj

    Geometries = NDArray[np.object_]
    Lonlat = NDArray[np.float64]

# Degrees from south to north of a cell, and about as much from west to east.
CELL = 5.0
# Beyond this latitude a pole has one cell for all around it.
POLAR = 87.5
# Further than this a buffer could hold both poles.
MOST_METRES = 5_000_000.0
MOST_DEGREES = 45.0
# Chords to a quarter of a circle: they come 0.12 % nearer than the circle itself.
QUARTER = 16
# How far, as a part of the distance, an edge may be off that is straight in degrees.
EDGE_ERROR = 0.003
EARTH_RADIUS = 6_371_000.0
# Metres: what is narrower than some centimetres is not worth more positions.
SHORTEST_STEP = 100.0
DEGREE_METRES = EARTH_RADIUS * np.pi / 180
LINE, COLLECTION = 1, 7
# Into how many pieces one edge is taken.
MOST_SPLIT = 1000
# What may be taken from the antimeridian by rounding.
TINY = 1e-12


def buffer_metres(lonlat: Geometries, metres: float) -> Geometries:
    """Polygons or multipolygons, one for each geometry; None where there is none.

    ``lonlat`` are in degrees of WGS 84, their edges straight in them. ``metres`` is more than 0, ``MOST_METRES`` at
    most.
    """
    return _together(*_buffered(lonlat, metres), len(lonlat))


def buffer_metres_merged(lonlat: Geometries, metres: float) -> shapely.Geometry:
    """The same as one geometry, which is empty when there is none."""
    return union(_buffered(lonlat, metres, merge=True)[0])


def union(areas: Geometries) -> shapely.Geometry:
    """All areas as one; those that touch no others are not looked at twice."""
    return shapely.disjoint_subset_union_all(areas)


def buffer_degrees(lonlat: Geometries, degrees: float) -> Geometries:
    """The same by a distance in degrees, whatever these are on the ground. ``MOST_DEGREES`` at most."""
    result = np.full(len(lonlat), None, dtype=object)
    there = np.flatnonzero(~shapely.is_missing(lonlat) & ~shapely.is_empty(lonlat))
    result[there] = _within_world(shapely.buffer(shapely.force_2d(lonlat[there]), degrees, quad_segs=QUARTER))
    return result


def straight_step(metres: float) -> float:
    """How long, in metres, an edge may be that is straight in some projection, to be straight enough in degrees."""
    return max(float(np.sqrt(8 * EARTH_RADIUS * EDGE_ERROR * metres)), SHORTEST_STEP)


def _buffered(lonlat: Geometries, metres: float, *, merge: bool = False) -> tuple[Geometries, NDArray[np.intp]]:
    """The buffers of all pieces, and of which geometry each is; with ``merge`` one for each cell."""
    pieces, cells, index = _pieces(lonlat)
    made, of = [np.empty(0, dtype=object)], [np.empty(0, dtype=np.intp)]
    order = np.argsort(cells, kind="stable")
    for same in np.split(order, np.flatnonzero(np.diff(cells[order])) + 1) if len(order) else []:
        cell = _cells()[int(cells[same[0]])]
        flat = _buffered_in(cell, pieces[same], metres)
        flat, whose = (np.array([union(flat)]), same[:1]) if merge else (flat, same)
        made.append(_on_globe(_near_pole(flat, cell, metres), cell))
        of.append(index[whose])
    return np.concatenate(made), np.concatenate(of)


def _together(made: Geometries, index: NDArray[np.intp], count: int) -> Geometries:
    result = np.full(count, None, dtype=object)
    order = np.argsort(index, kind="stable")
    for same in np.split(order, np.flatnonzero(np.diff(index[order])) + 1) if len(order) else []:
        result[index[same[0]]] = made[same[0]] if len(same) == 1 else union(made[same])
    return result


class _Cell:
    """A part of the globe between two parallels and two meridians."""

    def __init__(self, west: float, south: float, east: float, north: float) -> None:
        self.box = (west, south, east, north)
        polar = east - west >= 360
        self.latitude = (np.sign(south) * 90.0) if polar else (south + north) / 2
        self.longitude = (west + east) / 2
        # Where a degree of longitude is longest.
        self.widest = min(abs(south), abs(north)) if south * north >= 0 else 0.0
        self.highest = self.widest if polar else max(abs(south), abs(north))

    @property
    def projection(self) -> Proj:
        return azimuthal(self.longitude, self.latitude)

    @property
    def shrink(self) -> float:
        """Metres of a degree of longitude to those of one of latitude, at most."""
        return max(float(np.cos(np.radians(self.widest))), 0.01)

    def step(self, metres: float) -> float:
        """The length in degrees of latitude of edges that are straight enough: s² tan φ / 8R off at most."""
        bend = np.tan(np.radians(min(max(self.highest, 5.0), 89.0)))
        return max(straight_step(metres) / float(np.sqrt(bend)), SHORTEST_STEP) / DEGREE_METRES


@lru_cache(maxsize=1)
def _cells() -> tuple[_Cell, ...]:
    """All cells of the globe."""
    cells = [_Cell(-180, -90, 180, -POLAR), _Cell(-180, POLAR, 180, 90)]
    for south in np.arange(-POLAR, POLAR, CELL).tolist():
        north = south + CELL
        widest = 0.0 if south < 0 < north else min(abs(south), abs(north))
        count = int(np.ceil(360 * np.cos(np.radians(widest)) / CELL))
        edges = np.linspace(-180, 180, count + 1).tolist()
        cells += [_Cell(west, south, east, north) for west, east in pairwise(edges)]
    return tuple(cells)


@lru_cache(maxsize=1)
def _cell_tree() -> shapely.STRtree:
    return shapely.STRtree([shapely.box(*cell.box) for cell in _cells()])


def _pieces(lonlat: Geometries) -> tuple[Geometries, NDArray[np.intp], NDArray[np.intp]]:
    """The geometries cut at the cells: the pieces, the cell of each, and of which geometry it is."""
    index = np.flatnonzero(~shapely.is_missing(lonlat) & ~shapely.is_empty(lonlat))
    whole = sound(_turned_home(shapely.force_2d(lonlat[index])))
    whole, index = _without_collections(whole, index)
    at, cells = _cell_tree().query(whole, predicate="intersects")
    alone = np.bincount(at, minlength=len(whole))[at] == 1
    pieces = whole[at]
    boxes = _cell_tree().geometries[cells[~alone]]
    pieces[~alone] = shapely.intersection(pieces[~alone], boxes)
    kept = ~shapely.is_empty(pieces)
    return pieces[kept], cells[kept], index[at[kept]]


def _without_collections(geoms: Geometries, index: NDArray[np.intp]) -> tuple[Geometries, NDArray[np.intp]]:
    """Collections taken apart, for GEOS does not cut them; what is in them has the index of the whole."""
    while (mixed := shapely.get_type_id(geoms) == COLLECTION).any():
        parts, of = shapely.get_parts(geoms[mixed], return_index=True)
        index = np.concatenate([index[~mixed], index[mixed][of]])
        geoms = np.concatenate([geoms[~mixed], parts])
    return geoms, index


def _turned_home(geoms: Geometries) -> Geometries:
    """What goes on beyond the antimeridian, or a hair beyond a pole, brought within the world."""
    xmin, ymin, xmax, ymax = shapely.bounds(geoms).T
    beyond = np.flatnonzero((xmin < -180) | (xmax > 180) | (ymin < -90) | (ymax > 90))
    if not len(beyond):
        return geoms
    result = geoms.copy()
    result[beyond] = [_at_home(one) for one in sound(geoms[beyond])]
    return result


def _at_home(geometry: shapely.Geometry) -> shapely.Geometry:
    """One geometry cut at every antimeridian, and its parts moved to where they are between -180° and 180°."""
    singles, _ = _without_collections(np.array([geometry], dtype=object), np.zeros(1, np.intp))
    return shapely.union_all([part for one in singles for part in _turned(one)])


def _turned(geometry: shapely.Geometry) -> list[shapely.Geometry]:
    if geometry.is_empty:
        return []
    xmin, _, xmax, _ = geometry.bounds
    first, last = np.floor((xmin + 180) / 360), np.floor((xmax + 180) / 360)
    parts = []
    for turn in np.arange(first, last + 1) * 360:
        part = shapely.intersection(geometry, shapely.box(turn - 180, -90, turn + 180, 90))
        parts.append(shapely.transform(part, lambda lonlat, turn=turn: lonlat - [turn, 0]))
    return parts


def _buffered_in(cell: _Cell, pieces: Geometries, metres: float) -> Geometries:
    """The buffers in the cell's own projection."""
    shrink = np.array([cell.shrink, 1.0])
    if (shapely.get_dimensions(pieces) >= LINE).any():
        squeezed = shapely.transform(pieces, lambda lonlat: lonlat * shrink)
        pieces = shapely.transform(shapely.segmentize(squeezed, cell.step(metres)), lambda lonlat: lonlat / shrink)
    projection = cell.projection
    flat = shapely.transform(pieces, lambda lonlat: np.column_stack(projection(lonlat[:, 0], lonlat[:, 1])))
    buffers: Geometries = shapely.buffer(flat, metres, quad_segs=QUARTER)
    return buffers


def _near_pole(flat: Geometries, cell: _Cell, metres: float) -> Geometries:
    """The buffers with more positions where they come near a pole, where an edge that is straight in degrees bends.

    At the distance ρ from the pole an edge of the length s is s² / 8ρ off; very near, half its length at most.
    """
    if (90 - cell.highest) * DEGREE_METRES > 2 * metres and cell.highest < POLAR:
        return flat
    pole = np.array(cell.projection(0.0, float(np.copysign(90.0, cell.latitude))))
    parts, of = shapely.get_parts(flat, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    starts, along = xy[:-1], np.diff(xy, axis=0)
    lengths = np.hypot(*along.T)
    away = np.maximum(np.hypot(*(starts + along / 2 - pole).T) - lengths / 2, 0)
    steps = np.maximum(np.sqrt(8 * EDGE_ERROR * away * metres), EDGE_ERROR * metres)
    count = np.ones(len(xy), np.intp)
    count[:-1] = np.where(np.diff(ring) == 0, np.ceil(lengths / steps), 1).clip(1, MOST_SPLIT)
    first = np.repeat(np.cumsum(count) - count, count)
    share = (np.arange(count.sum()) - first) / np.repeat(count, count)
    split = np.repeat(xy, count, axis=0) + share[:, None] * np.repeat(np.vstack([along, [[0, 0]]]), count, axis=0)
    rings = shapely.linearrings(split, indices=np.repeat(ring, count))
    result: Geometries = shapely.multipolygons(shapely.polygons(rings, indices=part), indices=of)
    return result


def _on_globe(flat: Geometries, cell: _Cell) -> Geometries:
    """Buffers from the cell's projection in degrees, within the world and cut at the antimeridian."""
    projection = cell.projection

    def back(xy: NDArray[np.float64]) -> Lonlat:
        longitude, latitude = projection(xy[:, 0], xy[:, 1], inverse=True)
        beside = (longitude - cell.longitude + 180) % 360 - 180
        return np.column_stack([cell.longitude + beside, latitude])

    turned = shapely.transform(flat, back)
    around = _goes_around(turned)
    result: Geometries = turned.copy()
    result[~around] = _within_world(turned[~around])
    result[around] = [_unrolled(one) for one in turned[around]]
    return result


def _goes_around(turned: Geometries) -> NDArray[np.bool_]:
    """Which polygons have an edge that jumps from one side of the world to the other."""
    parts, of = shapely.get_parts(turned, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    jumps = (np.abs(np.diff(xy[:, 0])) > 180) & (np.diff(ring) == 0)
    around = np.zeros(len(turned), bool)
    around[of[part[ring[1:][jumps]]]] = True
    return around


def _unrolled(jumping: shapely.Geometry) -> shapely.Geometry:
    """Polygons whose rings jump: each ring taken on without a jump, around the pole where it goes around it."""
    areas = []
    for polygon in shapely.get_parts(jumping):
        shell, *holes = [_enclosed(ring) for ring in shapely.get_rings(polygon)]
        areas.append(shapely.difference(shell, shapely.union_all(holes)) if holes else shell)
    return union(np.array(areas, dtype=object))


def _enclosed(ring: shapely.Geometry) -> shapely.Geometry:
    """What a ring encloses, within the world."""
    lonlat = shapely.get_coordinates(ring)
    lonlat[:, 0] = np.unwrap(lonlat[:, 0], period=360)
    turn = round((lonlat[-1, 0] - lonlat[0, 0]) / 360) * 360
    if turn:
        lonlat = _from_antimeridian(lonlat, turn)
        pole = np.copysign(90.0, lonlat[:, 1].mean())
        lonlat = np.concatenate([lonlat, [[lonlat[-1, 0], pole], [lonlat[0, 0], pole]]])
    return _at_home(sound(np.array([shapely.polygons(lonlat)]))[0])


def _from_antimeridian(lonlat: Lonlat, turn: float) -> Lonlat:
    """A ring once around a pole, made to begin and end at the antimeridian, where it is cut anyhow."""
    world = np.floor((lonlat[:, 0] + 180) / 360)
    at = int(np.flatnonzero(np.diff(world))[0])
    edge = max(world[at], world[at + 1]) * 360 - 180
    (west, south), (east, north) = lonlat[at], lonlat[at + 1]
    crossing = [edge, south + (north - south) * (edge - west) / (east - west)]
    rest = np.concatenate([lonlat[at + 1 : -1], lonlat[: at + 1] + np.array([turn, 0])])
    begun = np.concatenate([[crossing], rest, [[edge + turn, crossing[1]]]])
    begun[:, 0] += np.copysign(180.0, -turn) - edge
    return begun


def _within_world(areas: Geometries) -> Geometries:
    """Polygons with what reaches beyond the antimeridian brought to the other side, valid and without slivers."""
    xmin, ymin, xmax, ymax = shapely.bounds(areas).T
    beyond = (xmin < -180 - TINY) | (xmax > 180 + TINY) | (ymin < -90) | (ymax > 90)
    result = _areas_of(sound(areas))
    result[beyond] = _areas_of(np.array([_at_home(one) for one in result[beyond]], dtype=object))
    return result


def _areas_of(geoms: Geometries) -> Geometries:
    """The polygons of the geometries; what cutting or mending leaves of lines and points is none."""
    mixed = np.flatnonzero(shapely.get_type_id(geoms) == COLLECTION)
    result = geoms.copy()
    for at in mixed:
        parts = shapely.get_parts(geoms[at])
        result[at] = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    return result
