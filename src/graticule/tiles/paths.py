"""Geometries put on a tile's grid: from shapely arrays to runs of whole-number vertices, without a loop over features.

A part is a simple point, line or polygon, a path what is left of a part's line or ring on the grid. Polygons keep the
order exterior, then its holes; exteriors have positive area by the surveyor's formula in the tile's coordinates, in
which y points down, and holes negative, as the Mapbox Vector Tile Specification 2.1, section 4.3.4.4, wants it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from graticule.tiles.varints import spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from graticule.model.features import Box

    Geometries = NDArray[np.object_]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

POINT, LINE, POLYGON = 1, 2, 3
# Families by shapely's type ids: point, line, ring, polygon; the compound ones and what else there is come after them.
_FAMILY = np.array([POINT, LINE, LINE, POLYGON], np.int64)
_LAST_SIMPLE, _LAST_COMPOUND = 3, 7

# Coordinates beyond this many map units are no places on a map; arithmetic on them would overflow.
_FAR = 1e9
# Parts with more vertices than this are simplified, and polygons checked for validity once they are on the grid.
_HEAVY = 32
_TOLERANCE = 0.5  # tile units; a tile shown 512 pixels wide has 8 units a pixel
# Fractions of a tile unit that the clipping rectangle stands out beyond the buffer: GEOS's clip_by_rect loses areas
# when an edge runs through a corner of the rectangle or a vertex lies on a side, and tile-aligned data is common.
_NUDGE = np.array([0.3717, 0.2871])


@dataclass(frozen=True, slots=True)
class Grid:
    """A tile's grid: ``extent`` units along each side of ``box``, and ``buffer`` units around it that are drawn too."""

    box: Box
    extent: int
    buffer: int

    @property
    def unit(self) -> NDArray[np.float64]:
        """Map units per tile unit, in x and y."""
        xmin, ymin, xmax, ymax = self.box
        return np.array([xmax - xmin, ymax - ymin]) / self.extent

    @property
    def reach(self) -> Box:
        """What is kept of geometries: the tile with its buffer."""
        dx, dy = (self.unit * (self.buffer + _NUDGE)).tolist()
        return self.box[0] - dx, self.box[1] - dy, self.box[2] + dx, self.box[3] + dy

    def snap(self, xy: NDArray[np.float64]) -> Ints:
        """Tile coordinates of map coordinates, shape (n, 2); y turns downwards."""
        dx, dy = self.unit
        places = np.empty(xy.shape, np.int64)
        places[:, 0] = np.rint((xy[:, 0] - self.box[0]) / dx)
        places[:, 1] = np.rint((self.box[3] - xy[:, 1]) / dy)
        return places


@dataclass(frozen=True, slots=True)
class Parts:
    """Simple geometries of one family; ``rows`` says of each which row it belongs to, and rises."""

    geometry: Geometries
    rows: Ints

    def take(self, which: Mask) -> Parts:
        return self if which.all() else Parts(self.geometry[which], self.rows[which])


@dataclass(frozen=True, slots=True)
class Paths:
    """Runs of vertices: ``sizes[i]`` of ``xy``, shape (n, 2), are path i, which belongs to ``rows[i]``; rows rise."""

    xy: Ints
    sizes: Ints
    rows: Ints

    @property
    def starts(self) -> Ints:
        return np.cumsum(self.sizes) - self.sizes

    def take(self, which: Ints) -> Paths:
        sizes = self.sizes[which]
        return Paths(self.xy.take(spread(self.starts[which], sizes), axis=0), sizes, self.rows[which])


def parts_by_family(geometry: Geometries, grid: Grid) -> dict[int, Parts]:
    """What of the geometries lies in reach, in simple parts by family; None, empty and unplaceable ones are left out.

    Unplaceable is a geometry with a vertex that is not finite, or absurdly far out.
    """
    rows = np.flatnonzero(_usable(geometry))
    parts = _simple(geometry[rows], rows)
    parts = parts.take(_meets(shapely.bounds(parts.geometry), grid.reach))
    families = _FAMILY[shapely.get_type_id(parts.geometry)]
    present = np.flatnonzero(np.bincount(families)).tolist()
    return {family: _clip(parts.take(families == family), family, grid) for family in present}


def _usable(geometry: Geometries) -> Mask:
    kinds = shapely.get_type_id(geometry)
    usable: Mask = (kinds >= 0) & (kinds <= _LAST_COMPOUND)
    if not (np.abs(shapely.get_coordinates(geometry[usable])) <= _FAR).all():
        xy, owners = shapely.get_coordinates(geometry[usable], return_index=True)
        far = owners[~(np.abs(xy) <= _FAR).all(axis=1)]
        usable[np.flatnonzero(usable)[far]] = False
    return usable


def _simple(geometry: Geometries, rows: Ints) -> Parts:
    """Compound geometries taken apart; collections may hold collections."""
    while (shapely.get_type_id(geometry) > _LAST_SIMPLE).any():
        geometry, owners = shapely.get_parts(geometry, return_index=True)
        rows = rows[owners]
    return Parts(geometry, rows)


def _meets(bounds: NDArray[np.float64], box: Box) -> Mask:
    """Whether envelopes touch the box; an empty geometry's, made of NaN, touches nothing."""
    xmin, ymin, xmax, ymax = bounds.T
    mask: Mask = (xmin <= box[2]) & (ymin <= box[3]) & (xmax >= box[0]) & (ymax >= box[1])
    return mask


def _clip(parts: Parts, family: int, grid: Grid) -> Parts:
    """Parts cut off at the edge of the buffer, those whose envelope leaves it."""
    reach = grid.reach
    xmin, ymin, xmax, ymax = shapely.bounds(parts.geometry).T
    leaving = (xmin < reach[0]) | (ymin < reach[1]) | (xmax > reach[2]) | (ymax > reach[3])
    if not leaving.any():
        return parts
    geometry = parts.geometry.copy()
    geometry[leaving] = _cut_polygons(geometry[leaving], reach) if family == POLYGON else _cut(geometry[leaving], reach)
    cut = _simple(geometry, parts.rows)
    kept = ~shapely.is_empty(cut.geometry)
    kept[kept] = _FAMILY[shapely.get_type_id(cut.geometry[kept])] == family
    return cut.take(kept)


def _cut(lines: Geometries, reach: Box) -> Geometries:
    cut: Geometries = shapely.clip_by_rect(lines, *reach)
    return cut


def _cut_polygons(polygons: Geometries, reach: Box) -> Geometries:
    """Clipped polygons; where the quick way fails, or gives an invalid one, the thorough way is taken."""
    try:
        cut = _cut(polygons, reach)
        wrong = ~shapely.is_valid(cut)
    except shapely.GEOSException:  # a ring that crosses itself may leave one of too few points
        cut = polygons.copy()
        wrong = np.ones(len(polygons), bool)
    if wrong.any():
        cut[wrong] = shapely.intersection(_mend(polygons[wrong]), shapely.box(*reach))
    return cut


def _mend(polygons: Geometries) -> Geometries:
    mended: Geometries = shapely.make_valid(polygons, method="structure", keep_collapsed=False)
    return mended


def point_paths(parts: Parts, grid: Grid) -> Paths:
    """One path for all points of a row, less those that fall on the one before."""
    xy = grid.snap(shapely.get_coordinates(parts.geometry))
    kept = _differs(xy) | np.diff(parts.rows, prepend=-1).astype(bool)
    rows, sizes = np.unique(parts.rows[kept], return_counts=True)
    return Paths(xy.compress(kept, axis=0), sizes, rows)


def line_paths(parts: Parts, grid: Grid) -> Paths:
    """The lines on the grid, less those that shrink to a point."""
    xy, owners = shapely.get_coordinates(_thinned(parts.geometry, grid), return_index=True)
    vertices = grid.snap(xy)
    kept = _differs(vertices) | np.diff(owners, prepend=-1).astype(bool)
    sizes = np.bincount(owners[kept], minlength=len(parts.rows))
    paths = Paths(vertices.compress(kept, axis=0), sizes, parts.rows)
    return paths.take(np.flatnonzero(sizes > 1))


def _differs(xy: Ints) -> Mask:
    """Whether a vertex differs from the one before it."""
    mask = np.ones(len(xy), bool)
    mask[1:] = (xy[1:, 0] != xy[:-1, 0]) | (xy[1:, 1] != xy[:-1, 1])
    return mask


def _thinned(lines: Geometries, grid: Grid) -> Geometries:
    """Lines or rings without the vertices that the grid could not show (Douglas and Peucker)."""
    heavy = shapely.get_num_coordinates(lines) > _HEAVY
    if heavy.any():
        lines = lines.copy()
        tolerance = _TOLERANCE * float(grid.unit.min())
        lines[heavy] = shapely.simplify(lines[heavy], tolerance, preserve_topology=False)
    return lines


def polygon_paths(parts: Parts, grid: Grid, *, mark_tiny: bool) -> Paths:
    """The polygons' rings on the grid, holes after their exterior, wound as the format wants them.

    Polygons too small for the grid are left out, or marked (see ``_marks``). Rounding makes some rings cross: big
    polygons that become invalid are mended on the grid; small ones are left alone, no eye could tell.
    """
    corners = grid.snap(shapely.bounds(parts.geometry).reshape(-1, 2)).reshape(-1, 2, 2)
    tiny = (corners[:, 0] == corners[:, 1]).any(axis=1)
    rings, polygons = _rings(parts.geometry[~tiny])
    xy, owners = shapely.get_coordinates(_thinned(rings, grid), return_index=True)
    paths = _mended(_wound(grid.snap(xy), np.bincount(owners, minlength=len(rings)), polygons))
    paths = Paths(paths.xy, paths.sizes, parts.rows[~tiny][paths.rows])
    return _merged(paths, _marks(corners[tiny], parts.rows[tiny], grid)) if mark_tiny and tiny.any() else paths


def _rings(polygons: Geometries) -> tuple[Geometries, Ints]:
    """Rings, exteriors first, and the polygon of each. A light polygon without holes stands for its own exterior."""
    if shapely.get_num_interior_rings(polygons).any():
        rings, owners = shapely.get_rings(polygons, return_index=True)
        return rings, owners
    heavy = shapely.get_num_coordinates(polygons) > _HEAVY
    rings = polygons.copy()
    # Simplifying a polygon repairs it as well, and may lose half of it; simplifying a ring does not.
    rings[heavy] = shapely.get_exterior_ring(polygons[heavy])
    return rings, np.arange(len(polygons))


def _wound(xy: Ints, lengths: Ints, polygons: Ints) -> Paths:
    """Closed rings, ``lengths[i]`` vertices of ``polygons[i]``, as open paths without repeated vertices, rightly wound.

    Rings without area go, and the holes of an exterior without area with it.
    """
    kept = _differs(xy)
    kept[(np.cumsum(lengths) - lengths)[lengths > 0]] = False
    vertices = xy.compress(kept, axis=0)
    sizes = np.bincount(np.repeat(np.arange(len(lengths)), lengths)[kept], minlength=len(lengths))
    outer = np.diff(polygons, prepend=-1).astype(bool)
    area = _doubled_areas(vertices, sizes)
    solid = (area[outer] != 0)[np.cumsum(outer) - 1]
    return _turned(Paths(vertices, sizes, polygons), (area > 0) != outer, np.flatnonzero(solid & (area != 0)))


def _doubled_areas(xy: Ints, sizes: Ints) -> Ints:
    """Twice the signed area of each open ring, by the surveyor's formula; whole numbers."""
    filled = sizes > 0
    ends = np.cumsum(sizes)[filled] - 1
    following = np.arange(1, len(xy) + 1)
    following[ends] = ends - sizes[filled] + 1
    x, y = xy.T
    terms = x * y.take(following) - x.take(following) * y
    sums = np.concatenate(([0], np.cumsum(terms)))
    last = np.cumsum(sizes)
    areas: Ints = sums[last] - sums[last - sizes]
    return areas


def _turned(paths: Paths, backwards: Mask, which: Ints) -> Paths:
    """The paths ``which``, those marked ``backwards`` in reverse order of their vertices."""
    sizes, flips = paths.sizes[which], backwards[which]
    first = paths.starts[which] + np.where(flips, sizes - 1, 0)
    within = spread(np.zeros_like(sizes), sizes)
    order = np.repeat(first, sizes) + within * np.repeat(np.where(flips, -1, 1), sizes)
    return Paths(paths.xy.take(order, axis=0), sizes, paths.rows[which])


def _mended(rings: Paths) -> Paths:
    """Rings in which those of big polygons that are invalid on the grid have been mended; rows are polygons."""
    vertices = np.bincount(rings.rows, rings.sizes)
    suspect = ((vertices > _HEAVY) | (np.bincount(rings.rows) > 1))[rings.rows]
    if not suspect.any():
        return rings
    suspects = rings.take(np.flatnonzero(suspect))
    numbers = np.unique(suspects.rows)
    polygons = _polygons(suspects)
    invalid = ~shapely.is_valid(polygons)
    if not invalid.any():
        return rings
    sound = rings.take(np.flatnonzero(~np.isin(rings.rows, numbers[invalid])))
    return _merged(sound, _regridded(_mend(polygons[invalid]), numbers[invalid]))


def _polygons(rings: Paths) -> Geometries:
    """The polygons that the rings make, one for each row."""
    order = spread(rings.starts, rings.sizes + 1)
    closing = np.cumsum(rings.sizes + 1) - 1
    order[closing] = rings.starts
    ring_offsets = np.concatenate(([0], closing + 1))
    polygon_offsets = np.append(np.flatnonzero(np.diff(rings.rows, prepend=-1)), len(rings.rows))
    coordinates = rings.xy.take(order, axis=0).astype(np.float64)
    polygons: Geometries = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, coordinates, (ring_offsets, polygon_offsets)
    )
    return polygons


def _regridded(polygons: Geometries, rows: Ints) -> Paths:
    """Valid polygons in tile units as rings on the grid that are valid too."""
    parts = _simple(shapely.set_precision(polygons, 1), rows)
    parts = parts.take(~shapely.is_empty(parts.geometry))
    rings, owners = shapely.get_rings(parts.geometry, return_index=True)
    xy, ring_of = shapely.get_coordinates(rings, return_index=True)
    paths = _wound(np.rint(xy).astype(np.int64), np.bincount(ring_of, minlength=len(rings)), owners)
    return Paths(paths.xy, paths.sizes, parts.rows[paths.rows])


def _merged(first: Paths, second: Paths) -> Paths:
    """Both, in the order of their rows."""
    joined = Paths(*(np.concatenate((getattr(first, n), getattr(second, n))) for n in ("xy", "sizes", "rows")))
    return joined.take(np.argsort(joined.rows, kind="stable"))


def _marks(corners: Ints, rows: Ints, grid: Grid) -> Paths:
    """Small rectangles that stand for polygons with no area on the grid, so that many of them still show as a texture.

    They are the polygons' envelopes, ``corners`` of shape (n, 2, 2), widened to 2 units of a 4096-unit tile. A raster
    of 1024 by 1024 cells thins them: of all whose centre is in a cell only the longest is kept.
    """
    low, high = corners.min(axis=1), corners.max(axis=1)
    cells = (low + high) // (2 * max(1, grid.extent // 1024))
    order = np.argsort(-(high - low).max(axis=1), kind="stable")
    first = np.unique(cells[order], axis=0, return_index=True)[1]
    kept = np.sort(order[first])
    start = low[kept]
    end = np.maximum(high[kept], start + max(1, grid.extent // 2048))
    columns = np.stack((start[:, 0], end[:, 0], end[:, 0], start[:, 0]), axis=1)
    lines = np.stack((start[:, 1], start[:, 1], end[:, 1], end[:, 1]), axis=1)
    return Paths(np.stack((columns, lines), axis=-1).reshape(-1, 2), np.full(len(kept), 4), rows[kept])
