"""KML 2.2 geometries (OGC 07-147r2): longitude, latitude and, where there is one, altitude; always EPSG:4326."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely

from graticule.geometry.notation import Notation, write_all
from graticule.geometry.parsed import Parsed, bad_geometry, checked_depth, line, multi, point, polygon
from graticule.geometry.xml import children, name_of, parse, text_of, tuples

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

EXPECTED = "a KML Point, LineString, LinearRing, Polygon or MultiGeometry"
WGS84 = 4326
CONTAINERS = frozenset({"kml", "Document", "Folder", "Placemark"})


def write(geoms: NDArray[np.object_]) -> list[str | None]:
    """Each geometry, which must be in EPSG:4326, as a KML element without a namespace; None for None.

    Multi-geometries and collections become ``MultiGeometry``. Altitudes are kept, measures dropped.
    """
    return write_all(geoms, lambda _: _NOTATION)


def _coordinates(text: str) -> str:
    return "<coordinates>" + text.replace("],[", " ") + "</coordinates>"


def _polygon(rings: list[str]) -> str:
    linear = ["<LinearRing>" + ring + "</LinearRing>" for ring in rings]
    shell = "".join("<outerBoundaryIs>" + ring + "</outerBoundaryIs>" for ring in linear[:1])
    holes = "".join("<innerBoundaryIs>" + ring + "</innerBoundaryIs>" for ring in linear[1:])
    return "<Polygon>" + shell + holes + "</Polygon>"


def _multi(kind: str, parts: list[str]) -> str:
    name = kind.removeprefix("Multi")
    return _collection([part if name == "Polygon" else f"<{name}>{part}</{name}>" for part in parts])


def _collection(parts: list[str]) -> str:
    return "<MultiGeometry>" + "".join(parts) + "</MultiGeometry>"


def _whole(kind: str, text: str) -> str:
    return f"<{kind}>{text}</{kind}>" if kind in ("Point", "LineString") else text


_NOTATION = Notation(
    point=_coordinates, path=_coordinates, polygon=_polygon, multi=_multi, whole=_whole, collection=_collection
)


def read(text: str | Any) -> Parsed:
    """The one geometry of a KML text or root element, which may stand in a Placemark of a document.

    A MultiGeometry of one kind is read as the multi-geometry of that kind, any other as a collection.
    Raises BadRequest, also for none or several.
    """
    found = _found(parse(text) if isinstance(text, str) else text)
    if len(found) != 1:
        raise bad_geometry(f"The KML holds {len(found)} geometries where one is wanted.", expected=EXPECTED)
    return Parsed(_geometry(found[0], 0), assumed_srid=WGS84)


def _found(root: Any) -> list[Any]:
    if name_of(root) not in CONTAINERS:
        return [root]
    return [
        child
        for element in root.iter()
        if name_of(element) in CONTAINERS
        for child in children(element, *_READERS, "MultiGeometry")
    ]


def _geometry(element: Any, depth: int) -> BaseGeometry:
    name = name_of(element)
    if name == "MultiGeometry":
        parts = children(element, *_READERS, "MultiGeometry")
        return _collected([_geometry(part, checked_depth(depth)) for part in parts])
    if name not in _READERS:
        raise bad_geometry(f"The element {name!r} is no KML geometry.", expected=EXPECTED)
    return _READERS[name](element)


def _collected(parts: list[BaseGeometry]) -> BaseGeometry:
    kinds = {part.geom_type for part in parts}
    if len(kinds) == 1 and kinds <= {"Point", "LineString", "Polygon"}:
        return multi(f"Multi{kinds.pop()}", parts)
    return multi("GeometryCollection", parts)


def _positions(element: Any, where: str) -> NDArray[np.float64]:
    found = [text_of(child) for child in children(element, "coordinates")]
    if len(found) > 1:
        raise bad_geometry(f"{where} has more than one element coordinates.")
    return tuples(found[0] if found else "", where)


def _read_point(element: Any) -> BaseGeometry:
    positions = _positions(element, "the Point")
    if len(positions) > 1:
        raise bad_geometry("The Point has more than one position.")
    return point(positions)


def _read_line(element: Any) -> BaseGeometry:
    name = f"the {name_of(element)}"
    positions = _positions(element, name)
    if name_of(element) == "LinearRing" and len(positions):
        # Checked as a ring, kept as a line: tables have no type for rings.
        return shapely.linestrings(
            shapely.get_coordinates(polygon([positions], name), include_z=positions.shape[1] == 3)
        )
    return line(positions, name)


def _read_polygon(element: Any) -> BaseGeometry:
    boundaries = [*children(element, "outerBoundaryIs"), *children(element, "innerBoundaryIs")]
    rings = [ring for boundary in boundaries for ring in children(boundary, "LinearRing")]
    return polygon([_positions(ring, f"ring {at}") for at, ring in enumerate(rings, 1)], "the Polygon")


_READERS: dict[str, Callable[[Any], BaseGeometry]] = {
    "Point": _read_point,
    "LineString": _read_line,
    "LinearRing": _read_line,
    "Polygon": _read_polygon,
}
