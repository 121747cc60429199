"""Geometries to text, for every format that nests positions: the positions of a whole array are written at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import orjson
import shapely

from graticule.geometry.dimensions import presentable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    Offsets = NDArray[np.int64]

POINT, LINE, RING, POLYGON, MULTIPOINT, MULTILINE, MULTIPOLYGON, COLLECTION = range(8)
KINDS = (
    "Point",
    "LineString",
    "LineString",
    "Polygon",
    "MultiPoint",
    "MultiLineString",
    "MultiPolygon",
    "GeometryCollection",
)
SINGLE_OF = {MULTIPOINT: POINT, MULTILINE: LINE, MULTIPOLYGON: POLYGON}

CLOSING_BRACKET = ord("]")


@dataclass(frozen=True, slots=True)
class Notation:
    """How a format writes the pieces of a geometry.

    Positions come as JSON without the outer brackets, several as ``x,y],[x,y``; nothing at all for an empty path.
    ``point`` and ``path`` (a line or a ring) take those. ``polygon`` takes its rings, the shell first.
    ``multi`` takes the kind and the parts. ``whole`` gets the kind and the text of each geometry that is no mere part
    of a multi-geometry; ``collection`` what ``whole`` made of its members.
    """

    point: Callable[[str], str]
    path: Callable[[str], str]
    polygon: Callable[[list[str]], str]
    multi: Callable[[str, list[str]], str]
    whole: Callable[[str, str], str]
    collection: Callable[[list[str]], str]


def write_all(geoms: NDArray[np.object_], notation_of: Callable[[bool], Notation]) -> list[str | None]:
    """The text of every geometry; None for None. ``notation_of`` is asked with whether there are heights."""
    geoms = presentable(geoms)
    types, heights = shapely.get_type_id(geoms), shapely.has_z(geoms)
    texts = np.full(len(geoms), None, dtype=object)
    for kind in np.unique(types[types >= 0]):
        for high in (False, True):
            at = np.flatnonzero((types == kind) & (heights == high))
            if len(at):
                texts[at] = (
                    _collections(geoms[at], notation_of)
                    if kind == COLLECTION
                    else _wholes(geoms[at], int(kind), high, notation_of(high))
                )
    answer: list[str | None] = texts.tolist()
    return answer


def _wholes(geoms: NDArray[np.object_], kind: int, high: bool, notation: Notation) -> NDArray[np.object_]:
    name, whole = KINDS[kind], notation.whole
    return _array(whole(name, text) for text in _texts(geoms, kind, high, notation))


def _collections(geoms: NDArray[np.object_], notation_of: Callable[[bool], Notation]) -> NDArray[np.object_]:
    parts, index = shapely.get_parts(geoms, return_index=True)
    texts = [text or "" for text in write_all(parts, notation_of)]
    collection = notation_of(False).collection
    return _array(map(collection, _cut(texts, _offsets(np.bincount(index, minlength=len(geoms))))))


def _texts(geoms: NDArray[np.object_], kind: int, high: bool, notation: Notation) -> list[str]:
    """The texts of geometries of one kind, without what ``whole`` adds."""
    if kind in SINGLE_OF:
        parts, index = shapely.get_parts(geoms, return_index=True)
        full = ~shapely.is_empty(parts)
        parts, index = parts[full], index[full]
        singles = _texts(parts, SINGLE_OF[kind], high, notation)
        groups = _cut(singles, _offsets(np.bincount(index, minlength=len(geoms))))
        return [notation.multi(KINDS[kind], group) for group in groups]
    if kind == POLYGON:
        rings, index = shapely.get_rings(geoms, return_index=True)
        groups = _cut(_paths(rings, high, notation.path), _offsets(np.bincount(index, minlength=len(geoms))))
        return [notation.polygon(group) for group in groups]
    return _paths(geoms, high, notation.point if kind == POINT else notation.path)


def _paths(lines: NDArray[np.object_], high: bool, write: Callable[[str], str]) -> list[str]:
    """One text for each of some points, lines or rings, cut out of the text of all their positions."""
    coordinates = shapely.get_coordinates(lines, include_z=high)
    if not len(coordinates):
        return [write("") for _ in lines]
    data = orjson.dumps(coordinates, option=orjson.OPT_SERIALIZE_NUMPY)
    # The text is [[x,y],[x,y]]: the last bracket closes the list, each one before it a position.
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == CLOSING_BRACKET)[:-1]
    starts = np.concatenate(([2], ends[:-1] + 3))
    offsets = _offsets(shapely.get_num_coordinates(lines))
    filled = offsets[1:] > offsets[:-1]
    begins = np.where(filled, starts[np.minimum(offsets[:-1], len(starts) - 1)], 0).tolist()
    stops = np.where(filled, ends[offsets[1:] - 1], 0).tolist()
    text = data.decode("ascii")
    return [write(text[begin:stop]) for begin, stop in zip(begins, stops, strict=True)]


def _offsets(counts: NDArray[np.int64]) -> Offsets:
    return np.concatenate(([0], np.cumsum(counts)))


def _cut(texts: list[str], offsets: Offsets) -> list[list[str]]:
    return [texts[begin:stop] for begin, stop in pairwise(offsets.tolist())]


def _array(texts: Iterable[str]) -> NDArray[np.object_]:
    return np.array(list(texts), dtype=object)
