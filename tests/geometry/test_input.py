"""Bad geometries are refused, good ones are made to fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely

from graticule.errors import BadRequest
from graticule.geometry.crs import Crs
from graticule.geometry.input import check_coordinates, check_fits, promote, read_geometry

WGS84 = Crs.wgs84()
MERCATOR = Crs.web_mercator()


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"type": "Point", "coordinates": [1, 2]}
    for _ in range(depth):
        value = {"type": "GeometryCollection", "geometries": [value]}
    return value


def deep_list(depth: int) -> list[Any]:
    value: list[Any] = [1, 2]
    for _ in range(depth):
        value = [value]
    return value


BAD = [
    # Nothing, or no format at all
    (None, "no geometry"),
    ("", "no geometry"),
    ("   ", "no geometry"),
    (7, "no geometry"),
    ([1, 2], "no geometry"),
    (b"POINT(1 2)", "no geometry"),
    ("hello", "well-known text"),
    ("123", "well-known text"),
    # GeoJSON
    ("{", "broken"),
    ("{}", "type"),
    ('{"type":"Point","coordinates":[NaN,1]}', "broken"),
    ({"type": "Circle", "coordinates": [1, 2]}, "'Circle'"),
    ({"type": ["Point"], "coordinates": [1, 2]}, "type"),
    ({"type": "Feature", "geometry": None}, "'Feature'"),
    ({"type": "Point"}, "the Point must be a list"),
    ({"type": "Point", "coordinates": None}, "must be a list"),
    ({"type": "Point", "coordinates": "1,2"}, "must be a list"),
    ({"type": "Point", "coordinates": [1]}, "two numbers"),
    ({"type": "Point", "coordinates": ["1", "2"]}, "numbers only"),
    ({"type": "Point", "coordinates": [True, 2]}, "numbers only"),
    ({"type": "Point", "coordinates": [None, 2]}, "numbers only"),
    ({"type": "Point", "coordinates": [float("nan"), 2]}, "finite"),
    ({"type": "Point", "coordinates": [float("inf"), 2]}, "finite"),
    ({"type": "Point", "coordinates": [1, 2, float("nan")]}, "finite"),
    ({"type": "Point", "coordinates": [10**400, 2]}, "too large"),
    ({"type": "Point", "coordinates": [[1, 2]]}, "numbers only"),
    ({"type": "LineString", "coordinates": [[1, 2]]}, "one position"),
    ({"type": "LineString", "coordinates": [1, 2]}, "list of numbers"),
    ({"type": "LineString", "coordinates": ["ab", "cd"]}, "list of numbers"),
    ({"type": "LineString", "coordinates": [{}, {}]}, "list of numbers"),
    ({"type": "LineString", "coordinates": [[1, 2], [3, 4, 5]]}, "every one three"),
    ({"type": "LineString", "coordinates": [[], []]}, "two numbers"),
    ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1]]]}, "at least four"),
    ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}, "ring 1 of the polygon is not closed"),
    (
        {"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [9, 9], [0, 0]], [[1, 1], [2, 1], [2, 2], [1, 2]]]},
        "ring 2 of the polygon is not closed: it begins at 1, 1 and ends at 1, 2",
    ),
    ({"type": "Polygon", "coordinates": [[], [[0, 0], [1, 0], [1, 1], [0, 0]]]}, "ring 1"),
    ({"type": "Polygon", "coordinates": [[0, 0], [1, 0], [1, 1], [0, 0]]}, "list of numbers"),
    ({"type": "MultiPolygon", "coordinates": [[[[0, 0], [1, 0], [1, 1], [0, 1]]]]}, "ring 1 of polygon 1"),
    ({"type": "GeometryCollection"}, "must be a list"),
    ({"type": "GeometryCollection", "geometries": [None]}, "type"),
    (nested(40), "nested"),
    ({"type": "Point", "coordinates": deep_list(900)}, "numbers only"),
    ({"type": 10**5000}, "type"),
    ({"type": "X" * 1000}, "type"),
    ({"type": "Point", "coordinates": [1, 2], "crs": {"type": "link", "properties": {"href": "x"}}}, "crs"),
    ({"type": "Point", "coordinates": [1, 2], "crs": "EPSG:4326"}, "crs"),
    ({"type": "Point", "coordinates": [1, 2], "crs": {"properties": {"code": 10**5000}}}, "crs"),
    ('{"type":"GeometryCollection","geometries":[' * 5000, "broken"),
    # WKT
    ("POINT(1)", "cannot be read"),
    ("POINT(1 2", "cannot be read"),
    ("POINT(1 2) x", "cannot be read"),
    ("POINT(1 2)\0", "well-known text"),
    ("POINT(a b)", "cannot be read"),
    ("POINT(NaN 2)", "finite"),
    ("POINT(1 inf)", "finite"),
    ("POINT(1e400 2)", "finite"),
    ("POINT Z (1 2 1e400)", "finite"),
    ("POINT(\ud800 2)", "cannot be read"),
    ("LINESTRING(1 2)", "cannot be read"),
    ("POLYGON((0 0,1 0,1 1,0 1))", "ring 1 is not closed"),
    ("POLYGON((0 0,9 0,9 9,0 0),(1 1,2 1,2 2,1 2))", "ring 2 is not closed"),
    ("POLYGON((0 0,1 1,0 0))", "fewer than four"),
    ("CIRCULARSTRING(0 0,1 1,2 0)", "curves"),
    ("CURVEPOLYGON((0 0,1 1,2 0,0 0))", "curves"),
    ("GEOMETRYCOLLECTION(CIRCULARSTRING(0 0,1 1,2 0))", "curves"),
    ("SRID=abc;POINT(1 2)", "cannot be read"),
    ("SRID=4326;", "cannot be read"),
    ("TIN EMPTY", "cannot be read"),
    ("X" * 10_000, "cannot be read"),
    ("GEOMETRYCOLLECTION(" * 200_000, "nested"),
    ("010100000000000000000000000000000000000000", "well-known text"),
    # XML
    ("<Point>", "broken"),
    ("<", "broken"),
    ("<Point><coordinates>1,2</coordinates></Point><x/>", "broken"),
    ("<!DOCTYPE x SYSTEM 'file:///etc/passwd'><Point><coordinates>1,2</coordinates></Point>", "type definition"),
    ("<!DOCTYPE x [<!ENTITY e '1,2'>]><Point><coordinates>&e;</coordinates></Point>", "type definition"),
    ("<Point><coordinates>&e;</coordinates></Point>", "broken"),
    ("<Point>\x01</Point>", "broken"),
    ("<Point>\ud800</Point>", "broken"),
    ("<a>" * 100_000, "broken"),
    ("<MultiGeometry>" * 100 + "</MultiGeometry>" * 100, "nested"),
    ("<gml:MultiGeometry><gml:geometryMember>" * 50 + "</gml:geometryMember></gml:MultiGeometry>" * 50, "nested"),
    ("<html/>", "'html'"),
    # KML
    ("<kml><Document/></kml>", "0 geometries"),
    ("<kml>" + "<Placemark><Point><coordinates>1,2</coordinates></Point></Placemark>" * 2 + "</kml>", "2 geometries"),
    ("<Point><coordinates>1</coordinates></Point>", "two numbers"),
    ("<Point><coordinates>1,2,3,4</coordinates></Point>", "two numbers"),
    ("<Point><coordinates>1,2 3,4</coordinates></Point>", "more than one"),
    ("<Point><coordinates>1,2</coordinates><coordinates>1,2</coordinates></Point>", "more than one"),
    ("<Point><coordinates>a,b</coordinates></Point>", "not a number"),
    ("<Point><coordinates>1,,</coordinates></Point>", "not a number"),
    ("<Point><coordinates>nan,2</coordinates></Point>", "finite"),
    ("<LineString><coordinates>1,2</coordinates></LineString>", "one position"),
    ("<LineString><coordinates>1,2 3,4,5</coordinates></LineString>", "every one three"),
    (
        "<Polygon><outerBoundaryIs><LinearRing><coordinates>0,0 1,0 1,1 0,1</coordinates></LinearRing>"
        "</outerBoundaryIs></Polygon>",
        "not closed",
    ),
    # GML
    ("<gml:Point><gml:pos>1</gml:pos></gml:Point>", "do not make positions"),
    ("<gml:Point><gml:pos>1 b</gml:pos></gml:Point>", "not a number"),
    ('<gml:Point srsName="Mars"><gml:pos>1 2</gml:pos></gml:Point>', "srsName"),
    ('<gml:LineString srsDimension="7"><gml:posList>1 2 3 4</gml:posList></gml:LineString>', "srsDimension"),
    ("<gml:LineString><gml:posList>1 2 3 4 5</gml:posList></gml:LineString>", "do not make positions"),
    ('<gml:Point><gml:coordinates cs=" " ts=";">1 2</gml:coordinates></gml:Point>', "separators"),
    ("<gml:Curve><gml:segments><gml:Arc/></gml:segments></gml:Curve>", "arc"),
    ("<gml:Surface><gml:patches><gml:Triangle/></gml:patches></gml:Surface>", "polygonpatch"),
    ("<gml:Polygon><gml:exterior><gml:Ring/></gml:exterior></gml:Polygon>", "ring is not supported"),
    ("<gml:Envelope><gml:pos>1 2</gml:pos></gml:Envelope>", "'envelope'"),
    (
        "<gml:MultiPoint><gml:pointMember><gml:LineString><gml:posList>1 2 3 4</gml:posList></gml:LineString>"
        "</gml:pointMember></gml:MultiPoint>",
        "another kind",
    ),
    (
        "<gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>0 0 1 0 1 1 0 1</gml:posList></gml:LinearRing>"
        "</gml:exterior></gml:Polygon>",
        "ring 1 of the polygon is not closed",
    ),
]


@pytest.mark.parametrize(("value", "said"), BAD, ids=range(len(BAD)))
def test_bad(value: Any, said: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_geometry(value)
    assert said.lower() in caught.value.message.lower()
    assert caught.value.field == "geometry"
    assert len(caught.value.message) < 400
    assert len(caught.value.value or "") <= 200


@pytest.mark.parametrize(
    ("text", "into", "expected"),
    [
        ("POINT (1 2)", "POINT", "POINT (1 2)"),
        ("POINT (1 2)", "MULTIPOINT", "MULTIPOINT ((1 2))"),
        ("LINESTRING (1 2, 3 4)", "MULTILINESTRING", "MULTILINESTRING ((1 2, 3 4))"),
        ("POLYGON ((0 0, 1 0, 1 1, 0 0))", "MULTIPOLYGON", "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))"),
        ("MULTIPOINT ((1 2))", "MULTIPOINT", "MULTIPOINT ((1 2))"),
        ("POINT EMPTY", "MULTIPOINT", "MULTIPOINT EMPTY"),
        ("POINT Z (1 2 3)", "POINT", "POINT (1 2)"),
        ("POINT ZM (1 2 3 4)", "GEOMETRY", "POINT (1 2)"),
        ("LINESTRING (1 2, 3 4)", "GEOMETRY", "LINESTRING (1 2, 3 4)"),
        ("GEOMETRYCOLLECTION (POINT (1 2))", "GEOMETRYCOLLECTION", "GEOMETRYCOLLECTION (POINT (1 2))"),
    ],
)
def test_fits(text: str, into: str, expected: str) -> None:
    assert shapely.equals_identical(check_fits(shapely.from_wkt(text), into, WGS84), shapely.from_wkt(expected))


def test_heights_are_kept_where_there_is_room() -> None:
    kept = check_fits(shapely.from_wkt("POINT ZM (1 2 3 4)"), "MULTIPOINT", WGS84, has_z=True)
    assert shapely.equals_identical(kept, shapely.from_wkt("MULTIPOINT Z ((1 2 3))"))


@pytest.mark.parametrize(
    ("text", "into"),
    [
        ("POINT (1 2)", "LINESTRING"),
        ("MULTIPOINT ((1 2))", "POINT"),
        ("LINESTRING (1 2, 3 4)", "MULTIPOLYGON"),
        ("GEOMETRYCOLLECTION (POINT (1 2))", "MULTIPOINT"),
        ("POINT (1 2)", "GEOMETRYCOLLECTION"),
    ],
)
def test_wrong_type(text: str, into: str) -> None:
    with pytest.raises(BadRequest) as caught:
        check_fits(shapely.from_wkt(text), into, WGS84)
    assert caught.value.expected == into


@pytest.mark.parametrize(
    ("epsg", "xy", "possible"),
    [
        (4326, (180, 90), True),
        (4326, (-360, -90), True),
        (4326, (200, 0), True),
        (4326, (361, 0), False),
        (4326, (0, 90.1), False),
        (4326, (1777000, 5741000), False),
        (4807, (200, 100), True),
        (3857, (1777000, 5741000), True),
        (3857, (20037508.3428, 20037508.3428), True),
        (3857, (-20037508.3428, -242528680.94), True),
        (3857, (1e8, 0), False),
        (900913, (0, 1e9), False),
        (27700, (400000, 300000), True),
        (27700, (-1e6, 2e6), True),
        (27700, (1e9, 1e9), False),
        (3035, (4321000, 3210000), True),
        (3035, (5e7, 5e7), False),
        (31467, (3500000, 5400000), True),
        (5652, (33500000, 5400000), True),
        (3031, (0, 0), True),
    ],
)
def test_coordinates(epsg: int, xy: tuple[float, float], possible: bool) -> None:
    geoms = np.array([shapely.Point(*xy)], dtype=object)
    if possible:
        check_coordinates(geoms, Crs.from_epsg(epsg))
    else:
        with pytest.raises(BadRequest, match="not possible"):
            check_coordinates(geoms, Crs.from_epsg(epsg))


def test_promote() -> None:
    texts = ["POINT (1 2)", "POINT EMPTY", "LINESTRING (0 0, 1 1)", "MULTIPOINT ((3 4))", "POINT Z (1 2 3)"]
    given = np.array([*map(shapely.from_wkt, texts), None], dtype=object)
    expected = [
        "MULTIPOINT ((1 2))",
        "MULTIPOINT EMPTY",
        "LINESTRING (0 0, 1 1)",
        "MULTIPOINT ((3 4))",
        "MULTIPOINT Z ((1 2 3))",
    ]
    made = promote(given, "point")
    assert shapely.equals_identical(made[:-1], shapely.from_wkt(expected)).all()
    assert made[-1] is None
    assert given[0].geom_type == "Point"
    assert promote(given, "polygon") is given
