"""GeoJSON (RFC 7946), with the ``crs`` member of the format before it (GeoJSON 2008, section 3)."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from graticule.geometry.crs import named_srid
from graticule.geometry.notation import Notation, write_all
from graticule.geometry.parsed import Parsed, bad_geometry, checked_depth, finite, line, multi, point, polygon
from graticule.geometry.shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

EXPECTED = "a GeoJSON geometry"
WGS84 = 4326


def write(geoms: NDArray[np.object_], epsg: int | None = None) -> list[str | None]:
    """Each geometry as the text of a GeoJSON object; None for None.

    Numbers are the shortest that give the same double again. Measures are dropped, and heights that are not numbers.
    With an ``epsg`` other than 4326 each carries a ``crs`` member.
    """
    texts = write_all(geoms, lambda _: _NOTATION)
    if epsg is None or epsg == WGS84:
        return texts
    end = _crs_member(epsg)
    return [text and text[:-1] + end for text in texts]


def _crs_member(epsg: int) -> str:
    return f',"crs":{{"type":"name","properties":{{"name":"urn:ogc:def:crs:EPSG::{epsg}"}}}}}}'


def _list(parts: list[str]) -> str:
    return "[" + ",".join(parts) + "]"


_NOTATION = Notation(
    point="[{}]".format,
    path=lambda text: "[[" + text + "]]" if text else "[]",
    polygon=_list,
    multi=lambda _, parts: _list(parts),
    whole=lambda kind, text: '{"type":"' + kind + '","coordinates":' + text + "}",
    collection=lambda parts: '{"type":"GeometryCollection","geometries":' + _list(parts) + "}",
)


def read(value: str | bytes | dict[str, Any]) -> Parsed:
    """The geometry of a GeoJSON object or its text; ``srid`` from its ``crs`` member.

    Numbers of a position beyond the third are left out, as RFC 7946 allows. Raises BadRequest.
    """
    loaded = _load(value) if isinstance(value, str | bytes) else value
    geometry = _geometry(loaded, 0)
    return Parsed(geometry, srid_of(loaded), WGS84)


def srid_of(value: dict[str, Any]) -> int | None:
    """The projection's number in the ``crs`` member of any GeoJSON object, None without one. Raises BadRequest."""
    crs = value.get("crs")
    if crs is None:
        return None
    properties = crs.get("properties") if isinstance(crs, dict) else None
    named = properties.get("name", properties.get("code")) if isinstance(properties, dict) else None
    number = named_srid(named if isinstance(named, str) else f"EPSG:{shown(named)}")
    if number is None:
        raise bad_geometry(
            "The crs member does not name a projection.", crs, '{"name": "urn:ogc:def:crs:EPSG::<number>"}'
        )
    return number


def _load(text: str | bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise bad_geometry(f"The GeoJSON text is broken: {error}.", text, EXPECTED) from error
    if not isinstance(value, dict):
        raise bad_geometry("GeoJSON must be an object.", text, EXPECTED)
    return value


def _geometry(value: Any, depth: int) -> BaseGeometry:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "GeometryCollection":
        members = _sequence(value.get("geometries"), "The member geometries")
        return multi(kind, [_geometry(member, checked_depth(depth)) for member in members])
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise bad_geometry(f"The type {shown(kind)[:40]!r} is not one of a GeoJSON geometry.", value, EXPECTED)
    return reader(value.get("coordinates"), f"the {kind}")


def _point(value: Any, where: str) -> BaseGeometry:
    return point(_positions([value] if _sequence(value, where) else [], where))


def _line(value: Any, where: str) -> BaseGeometry:
    return line(_positions(value, where), where)


def _polygon(value: Any, where: str) -> BaseGeometry:
    rings = _sequence(value, where)
    return polygon([_positions(ring, f"ring {at} of {where}") for at, ring in enumerate(rings, 1)], where)


def _multi(kind: str, single: Callable[[Any, str], BaseGeometry], name: str) -> Callable[[Any, str], BaseGeometry]:
    def read_parts(value: Any, where: str) -> BaseGeometry:
        parts = enumerate(_sequence(value, where), 1)
        return multi(kind, [single(part, f"{name} {at} of {where}") for at, part in parts])

    return read_parts


def _multipoint(value: Any, where: str) -> BaseGeometry:
    return multi("MultiPoint", list(map(point, _positions(value, where)[:, np.newaxis, :])))


_READERS: dict[str, Callable[[Any, str], BaseGeometry]] = {
    "Point": _point,
    "LineString": _line,
    "Polygon": _polygon,
    "MultiPoint": _multipoint,
    "MultiLineString": _multi("MultiLineString", _line, "line"),
    "MultiPolygon": _multi("MultiPolygon", _polygon, "polygon"),
}


def _sequence(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise bad_geometry(f"{where[:1].upper()}{where[1:]} must be a list.", value, EXPECTED)
    return list(value)


def _positions(value: Any, where: str) -> NDArray[np.float64]:
    """Coordinates of shape (n, 2 or 3) out of a list of positions; the checks run over them in C."""
    rows = _sequence(value, where)
    if not set(map(type, rows)) <= {list, tuple}:
        raise bad_geometry(f"In {where} every position must be a list of numbers.", value, EXPECTED)
    if not set(map(type, chain.from_iterable(rows))) <= {int, float}:
        raise bad_geometry(f"In {where} every position must hold numbers only.", value, EXPECTED)
    sizes = set(map(len, rows))
    if sizes and (min(sizes) < 2 or min(max(sizes), 3) > min(sizes)):
        raise bad_geometry(f"In {where} every position must have two numbers, or every one three.", value, EXPECTED)
    try:
        numbers = np.array([row[:3] for row in rows] if sizes and max(sizes) > 3 else rows, dtype=np.float64)
    except OverflowError as error:
        raise bad_geometry(f"In {where} a number is too large.", value, EXPECTED) from error
    return finite(numbers.reshape(len(rows), -1) if rows else np.empty((0, 2)), where)
