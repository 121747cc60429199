"""GML: written as 3.1.1 (OGC 03-105r1), read as 2 and 3. Coordinates are x then y, whatever form ``srsName`` has."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from graticule.geometry.crs import named_srid
from graticule.geometry.notation import Notation, write_all
from graticule.geometry.parsed import Parsed, bad_geometry, checked_depth, line, multi, point, polygon
from graticule.geometry.xml import children, name_of, numbers, parse, text_of, tuples

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

NAMESPACE = "http://www.opengis.net/gml"
EXPECTED = "a GML Point, LineString, Curve, Polygon, Surface, one of their multi-geometries or a MultiGeometry"


def write(geoms: NDArray[np.object_], epsg: int | None = None) -> list[str | None]:
    """Each geometry as a GML 3.1.1 element that stands alone; None for None.

    ``epsg`` goes into ``srsName`` as ``EPSG:n``. Lines are ``LineString``, several of them ``MultiCurve``, several
    polygons ``MultiSurface``, collections ``MultiGeometry``. Heights are kept, measures dropped.
    """
    srs = "" if epsg is None else f' srsName="EPSG:{epsg}"'
    attributes = f' xmlns:gml="{NAMESPACE}"{srs}>'
    texts = write_all(geoms, lambda high: _HIGH if high else _FLAT)
    return [text and text.replace(">", attributes, 1) for text in texts]


MEMBERS = {
    "MultiPoint": ("gml:MultiPoint", "gml:pointMember", "gml:Point"),
    "MultiLineString": ("gml:MultiCurve", "gml:curveMember", "gml:LineString"),
    "MultiPolygon": ("gml:MultiSurface", "gml:surfaceMember", ""),
}


def _positions_text(tag: str, attribute: str, text: str) -> str:
    return "<" + tag + attribute + ">" + text.replace("],[", " ").replace(",", " ") + "</" + tag + ">" if text else ""


def _polygon(rings: list[str]) -> str:
    linear = ["<gml:LinearRing>" + ring + "</gml:LinearRing>" for ring in rings]
    shell = "".join("<gml:exterior>" + ring + "</gml:exterior>" for ring in linear[:1])
    holes = "".join("<gml:interior>" + ring + "</gml:interior>" for ring in linear[1:])
    return "<gml:Polygon>" + shell + holes + "</gml:Polygon>"


def _element(tag: str, text: str) -> str:
    return f"<{tag}>{text}</{tag}>" if tag else text


def _multi(kind: str, parts: list[str]) -> str:
    outer, member, inner = MEMBERS[kind]
    return _element(outer, "".join(_element(member, _element(inner, part)) for part in parts))


def _collection(parts: list[str]) -> str:
    return _element("gml:MultiGeometry", "".join(_element("gml:geometryMember", part) for part in parts))


def _whole(kind: str, text: str) -> str:
    return _element(f"gml:{kind}", text) if kind in ("Point", "LineString") else text


def _notation(attribute: str) -> Notation:
    return Notation(
        point=partial(_positions_text, "gml:pos", attribute),
        path=partial(_positions_text, "gml:posList", attribute),
        polygon=_polygon,
        multi=_multi,
        whole=_whole,
        collection=_collection,
    )


_FLAT = _notation("")
_HIGH = _notation(' srsDimension="3"')


def read(text: str | Any) -> Parsed:
    """The geometry of a GML text or root element; ``srid`` from ``srsName``, of the root or the first that has one.

    Curves and surfaces must be made of straight segments. Raises BadRequest.
    """
    root = parse(text) if isinstance(text, str) else text
    named = next((value for element in root.iter() if (value := element.get("srsName"))), None)
    return Parsed(_geometry(root, 0), None if named is None else _srid(named))


def _srid(name: str) -> int:
    number = named_srid(name)
    if number is None:
        raise bad_geometry("The srsName is not one that is known.", name, "EPSG:<number> or its urn or address")
    return number


def _geometry(element: Any, depth: int) -> BaseGeometry:
    name = name_of(element)
    if name in MULTI:
        return _read_multi(element, MULTI[name], checked_depth(depth))
    if name not in _READERS:
        raise bad_geometry(f"The element {name[:80]!r} is no GML geometry that is supported.", expected=EXPECTED)
    return _READERS[name](element)


MULTI = {
    "MultiPoint": "MultiPoint",
    "MultiLineString": "MultiLineString",
    "MultiCurve": "MultiLineString",
    "MultiPolygon": "MultiPolygon",
    "MultiSurface": "MultiPolygon",
    "MultiGeometry": "GeometryCollection",
}


def _read_multi(element: Any, kind: str, depth: int) -> BaseGeometry:
    members = [child for child in element if name_of(child).endswith(("Member", "Members"))]
    parts = [_geometry(child, depth) for member in members for child in member]
    if kind != "GeometryCollection" and any(part.geom_type != kind.removeprefix("Multi") for part in parts):
        raise bad_geometry(f"The {name_of(element)} holds a member of another kind.", expected=EXPECTED)
    return multi(kind, parts)


def _positions(element: Any, where: str) -> NDArray[np.float64]:
    """The coordinates that stand right below an element, as posList, several pos, or coordinates."""
    for child in children(element, "posList"):
        words = text_of(child).split()
        return numbers(words, _dimension(child, words), where)
    if found := list(children(element, "pos")):
        words = " ".join(text_of(child) for child in found).split()
        return numbers(words, 3 if len(words) == 3 * len(found) else 2, where)
    for child in children(element, "coordinates"):
        if (child.get("cs", ","), child.get("ts", " ").strip(), child.get("decimal", ".")) != (",", "", "."):
            raise bad_geometry(f"In {where} the separators are not the usual ones.", expected="x,y x,y")
        return tuples(text_of(child), where)
    return np.empty((0, 2))


def _dimension(element: Any, words: list[str]) -> int:
    """Numbers in a position: what the element or one around it says, else 2, else 3 where only that divides them."""
    while element is not None:
        said = element.get("srsDimension") or element.get("dimension")
        if said is not None:
            if said not in ("2", "3"):
                raise bad_geometry("The srsDimension is not 2 or 3.", said)
            return int(said)
        element = element.getparent()
    return 3 if len(words) % 2 and len(words) % 3 == 0 else 2


def _read_point(element: Any) -> BaseGeometry:
    positions = _positions(element, "the Point")
    if len(positions) > 1:
        raise bad_geometry("The Point has more than one position.")
    return point(positions)


def _read_line(element: Any) -> BaseGeometry:
    return line(_positions(element, "the LineString"), "the LineString")


def _read_curve(element: Any) -> BaseGeometry:
    segments = [child for part in children(element, "segments") for child in part]
    for segment in segments:
        if name_of(segment) != "LineStringSegment":
            raise bad_geometry(f"Curves such as {name_of(segment)} are not supported.", expected="LineStringSegment")
    paths = [_positions(segment, "the Curve") for segment in segments]
    # A segment begins where the one before it ends.
    later = [path[1:] if len(path) else path for path in paths[1:]]
    return line(_joined([*paths[:1], *later]), "the Curve")


def _joined(paths: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    if len({path.shape[1] for path in paths}) > 1:
        raise bad_geometry("The Curve mixes positions of two and three numbers.")
    return np.concatenate(paths) if paths else np.empty((0, 2))


def _read_polygon(element: Any) -> BaseGeometry:
    outer = children(element, "exterior", "outerBoundaryIs")
    boundaries = [*outer, *children(element, "interior", "innerBoundaryIs")]
    rings = [ring for boundary in boundaries for ring in boundary]
    for ring in rings:
        if name_of(ring) != "LinearRing":
            raise bad_geometry(f"The boundary {name_of(ring)} is not supported.", expected="LinearRing")
    return polygon([_positions(ring, f"ring {at}") for at, ring in enumerate(rings, 1)], "the Polygon")


def _read_surface(element: Any) -> BaseGeometry:
    patches = [child for part in children(element, "patches") for child in part]
    if any(name_of(patch) != "PolygonPatch" for patch in patches):
        raise bad_geometry("Only surfaces of PolygonPatch are supported.", expected="PolygonPatch")
    polygons = [_read_polygon(patch) for patch in patches]
    return polygons[0] if len(polygons) == 1 else multi("MultiPolygon", polygons)


_READERS: dict[str, Callable[[Any], BaseGeometry]] = {
    "Point": _read_point,
    "LineString": _read_line,
    "Curve": _read_curve,
    "Polygon": _read_polygon,
    "Surface": _read_surface,
}
