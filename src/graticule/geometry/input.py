"""Geometries as they come in: which format, and whether they fit where they are to be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from graticule.errors import BadRequest
from graticule.geometry import geojson, gml, kml, wkt
from graticule.geometry.crs import Crs
from graticule.geometry.dimensions import without_m
from graticule.geometry.parsed import Parsed, bad_geometry
from graticule.geometry.reproject import reproject_points
from graticule.geometry.xml import name_of, parse

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from graticule.model.features import Family

EXPECTED = "a geometry as GeoJSON, WKT, EWKT, KML or GML"

GML_NAMES = frozenset({"pos", "posList", "exterior", "interior", "segments", "patches"})

# Once around beyond the antimeridian is taken (data that crosses it does so); 1e-6° beyond a pole is digitising.
SLACK = 1e-6
# No projection of the Earth in use has coordinates of more metres (zone numbers before eastings reach 61 million).
MAX_METRES = 1e8
# How far, in metres and as part of itself, a coordinate may be off after a way to degrees and back.
RETURN_METRES, RETURN_PART = 1000.0, 0.01


def read_geometry(value: Any) -> Parsed:
    """The geometry in a GeoJSON object, or in a text of any format that is known. Raises BadRequest on ``geometry``."""
    if isinstance(value, dict):
        return geojson.read(value)
    if not isinstance(value, str) or not value.strip():
        raise bad_geometry("There is no geometry in what was sent.", value, EXPECTED)
    start = value.lstrip("\ufeff \t\r\n")
    if start.startswith("{"):
        return geojson.read(start)
    return _read_xml(start) if start.startswith("<") else wkt.read(start)


def _read_xml(text: str) -> Parsed:
    root = parse(text)
    return gml.read(root) if _is_gml(root) else kml.read(root)


def _is_gml(root: Any) -> bool:
    """By namespace; without one by what only GML has. What may be either is KML, which says where it is."""
    namespace = str(root.tag).rpartition("}")[0]
    if "kml" in namespace or "opengis.net/gml" in namespace:
        return "kml" not in namespace
    return any(
        element.get("srsName") or name_of(element) in GML_NAMES or name_of(element).endswith(("Member", "Members"))
        for element in root.iter()
    )


def check_fits(geometry: BaseGeometry, geometry_type: str, crs: Crs, *, has_z: bool = False) -> BaseGeometry:
    """The geometry as a column of that type (one of ``GEOMETRY_TYPES``) and projection keeps it.

    Single geometries enter multi columns; heights are kept with ``has_z`` and else dropped, measures dropped.
    Raises BadRequest for another type, and for coordinates that cannot be in the projection.
    """
    kept = without_m(np.array([geometry], dtype=object))
    kept = kept if has_z else shapely.force_2d(kept)
    check_coordinates(kept, crs)
    if geometry_type == "GEOMETRY":
        return kept[0]
    if geometry_type in _FAMILIES:
        kept = promote(kept, _FAMILIES[geometry_type])
    found = kept[0].geom_type.upper()
    if found != geometry_type:
        raise bad_geometry(f"A {found} does not fit where {geometry_type} is kept.", found, geometry_type)
    return kept[0]


_FAMILIES: dict[str, Family] = {"MULTIPOINT": "point", "MULTILINESTRING": "line", "MULTIPOLYGON": "polygon"}


def check_coordinates(geoms: NDArray[np.object_], crs: Crs) -> None:
    """Raise BadRequest when a position of the geometries cannot be in that projection."""
    xy = shapely.get_coordinates(geoms)
    wrong = np.flatnonzero(~(_on_globe(xy, crs) if crs.is_geographic else _on_map(xy, crs)))
    if len(wrong):
        x, y = xy[wrong[0]].tolist()
        where = f"EPSG:{crs.epsg}" if crs.epsg else "the projection"
        raise bad_geometry(
            f"The position {x:.15g}, {y:.15g} is not possible in {where}.", f"{x:.15g} {y:.15g}", f"x and y of {where}"
        )


def _on_globe(xy: NDArray[np.float64], crs: Crs) -> NDArray[np.bool_]:
    limits = np.array([2 * crs.half_turn, crs.half_turn / 2]) + SLACK
    within: NDArray[np.bool_] = np.all(np.abs(xy) <= limits, axis=1)
    return within


def _on_map(xy: NDArray[np.float64], crs: Crs) -> NDArray[np.bool_]:
    if crs.is_web_mercator:
        return _on_mercator(xy)
    try:
        degrees = reproject_points(xy, crs, Crs.wgs84())
        back = reproject_points(degrees, Crs.wgs84(), crs)
    except BadRequest:
        # Another planet's: nothing is known of its coordinates.
        degrees = back = xy
    metres = np.abs(xy) * crs.metres_per_unit
    with np.errstate(invalid="ignore"):
        off = np.abs(back - xy) * crs.metres_per_unit
    near = (off <= RETURN_METRES + RETURN_PART * metres.max(axis=1, keepdims=True)).all(axis=1)
    possible: NDArray[np.bool_] = near & (metres <= MAX_METRES).all(axis=1) & np.isfinite(degrees).all(axis=1)
    return possible


def _on_mercator(xy: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Twice the world wide, as degrees may be; as high as PROJ puts the pole."""
    within: NDArray[np.bool_] = np.all(np.abs(xy) <= np.array([40_075_017.0, 242_528_682.0]), axis=1)
    return within


_SINGLES: dict[Family, tuple[int, Any, BaseGeometry]] = {
    "point": (shapely.GeometryType.POINT, shapely.multipoints, shapely.MultiPoint()),
    "line": (shapely.GeometryType.LINESTRING, shapely.multilinestrings, shapely.MultiLineString()),
    "polygon": (shapely.GeometryType.POLYGON, shapely.multipolygons, shapely.MultiPolygon()),
}


def promote(geoms: NDArray[np.object_], family: Family) -> NDArray[np.object_]:
    """The geometries with the single ones of a family made multi; all others and None as they are."""
    kind, make, nothing = _SINGLES[family]
    single = shapely.get_type_id(geoms) == kind
    if not single.any():
        return geoms
    result = geoms.copy()
    empty = single & shapely.is_empty(geoms)
    result[empty] = nothing
    at = np.flatnonzero(single & ~empty)
    if len(at):
        result[at] = make(geoms[at], indices=np.arange(len(at)))
    return result
