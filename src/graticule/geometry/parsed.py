"""What every reader of a geometry gives back, and the pieces that all of them check and put together alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from graticule.errors import BadRequest
from graticule.geometry.shown import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

# Collections in collections beyond this are nobody's data, and a risk to parsers that recurse.
MAX_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Parsed:
    """A geometry that was read, and the number of the projection that its text names.

    ``assumed_srid`` is the projection that its format stands in when nothing else tells one: 4326 for GeoJSON and KML,
    None for formats that imply none.
    """

    geometry: BaseGeometry
    srid: int | None = None
    assumed_srid: int | None = None


def bad_geometry(message: str, value: Any = None, expected: str | None = None) -> BadRequest:
    """The error for a geometry that cannot be used; of ``value`` the beginning is told."""
    said = None if value is None else shown(value)
    return BadRequest(message, field="geometry", value=said, expected=expected)


def point(position: NDArray[np.float64]) -> BaseGeometry:
    """A point from coordinates of shape (1, 2 or 3), or an empty one from none."""
    return shapely.points(position[0]) if len(position) else shapely.Point()


def line(positions: NDArray[np.float64], where: str) -> BaseGeometry:
    """A line from coordinates of shape (n, 2 or 3). Raises BadRequest for one position alone."""
    if len(positions) == 0:
        return shapely.LineString()
    if len(positions) == 1:
        raise bad_geometry(f"{where} has one position only; a line needs two.")
    return shapely.linestrings(positions)


def polygon(rings: Sequence[NDArray[np.float64]], where: str) -> BaseGeometry:
    """A polygon from its rings, the shell first. Raises BadRequest for a ring that is not closed or too short."""
    if all(len(ring) == 0 for ring in rings):
        return shapely.Polygon()
    names = [f"ring {number} of {where}" for number in range(1, len(rings) + 1)]
    shell, *holes = [_ring(ring, name) for ring, name in zip(rings, names, strict=True)]
    return shapely.polygons(shell, holes=holes or None)


def _ring(positions: NDArray[np.float64], where: str) -> BaseGeometry:
    if len(positions) < 4:
        raise bad_geometry(f"{_sentence(where)} has {len(positions)} positions; a closed ring needs at least four.")
    if not np.array_equal(positions[0, :2], positions[-1, :2]):
        first, last = (", ".join(f"{number:.15g}" for number in positions[at]) for at in (0, -1))
        raise bad_geometry(f"{_sentence(where)} is not closed: it begins at {first} and ends at {last}.")
    # A ring closes in the plane; with two heights at its seam GEOS would add a position.
    return shapely.linearrings(np.concatenate((positions[:-1], positions[:1])))


def multi(kind: str, parts: Sequence[BaseGeometry]) -> BaseGeometry:
    """The multi-geometry or collection of that kind (``MultiPoint`` …) from parts that suit it; empty ones left out."""
    kept = [part for part in parts if kind == "GeometryCollection" or not part.is_empty]
    if not kept:
        return shapely.from_wkt(f"{kind.upper()} EMPTY")
    return _MAKERS[kind](kept)


_MAKERS = {
    "MultiPoint": shapely.multipoints,
    "MultiLineString": shapely.multilinestrings,
    "MultiPolygon": shapely.multipolygons,
    "GeometryCollection": shapely.geometrycollections,
}


def checked_depth(depth: int) -> int:
    """The next depth. Raises BadRequest beyond ``MAX_DEPTH``."""
    if depth >= MAX_DEPTH:
        raise bad_geometry(f"The geometry is nested more than {MAX_DEPTH} levels deep.")
    return depth + 1


def finite(numbers: NDArray[np.float64], where: str) -> NDArray[np.float64]:
    """The same numbers. Raises BadRequest where one is NaN or infinite."""
    if not np.isfinite(numbers).all():
        raise bad_geometry(f"{_sentence(where)} holds a coordinate that is not a finite number.")
    return numbers


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
