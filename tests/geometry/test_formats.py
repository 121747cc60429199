"""Every format writes what it can hold, and reads it back the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from lxml import etree

from graticule.geometry import geojson, gml, kml, wkt
from graticule.geometry.input import read_geometry

if TYPE_CHECKING:
    from pathlib import Path

HELD = (
    "POINT (15.97 45.81)",
    "POINT Z (15.97 45.81 122.5)",
    "POINT (0.1 0.30000000000000004)",
    "POINT (-1e-7 89.99999999999999)",
    "POINT EMPTY",
    "LINESTRING (0 0, 1 1, 2 0)",
    "LINESTRING Z (0 0 1, 1 1 2)",
    "LINESTRING EMPTY",
    "POLYGON ((0 0, 9 0, 9 9, 0 0))",
    "POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0), (1 1, 2 1, 2 2, 1 1), (3 3, 4 3, 4 4, 3 3))",
    "POLYGON Z ((0 0 1, 9 0 2, 9 9 3, 0 0 1), (3 1 4, 4 1 5, 4 2 6, 3 1 4))",
    "POLYGON EMPTY",
    "MULTIPOINT ((1 2))",
    "MULTIPOINT Z ((1 2 3), (4 5 6))",
    "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3, 4 4))",
    "MULTILINESTRING Z ((0 0 1, 1 1 2))",
    "MULTIPOLYGON (((0 0, 9 0, 9 9, 0 0), (3 1, 4 1, 4 2, 3 1)), ((20 0, 29 0, 29 9, 20 0)))",
    "MULTIPOLYGON Z (((0 0 1, 9 0 1, 9 9 1, 0 0 1)))",
    "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (0 0, 1 1), POLYGON ((0 0, 9 0, 9 9, 0 0)))",
    "GEOMETRYCOLLECTION Z (POINT Z (1 2 3), GEOMETRYCOLLECTION Z (POINT Z (1 2 3), LINESTRING Z (1 2 3, 4 5 6)))",
)
# KML has one element for all of these.
HELD_BY_TYPED_FORMATS = (
    "MULTIPOINT EMPTY",
    "MULTILINESTRING EMPTY",
    "MULTIPOLYGON EMPTY",
    "GEOMETRYCOLLECTION EMPTY",
    "GEOMETRYCOLLECTION (POINT (1 2))",
    "GEOMETRYCOLLECTION (MULTIPOINT ((1 2), (3 4)), POINT EMPTY)",
)
WRITERS = {"geojson": geojson.write, "wkt": wkt.write, "kml": kml.write, "gml": gml.write}


def array(*texts: str | None) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.array([None if text is None else shapely.from_wkt(text) for text in texts], dtype=object)


@pytest.mark.parametrize(
    ("name", "text"),
    [(name, text) for name in WRITERS for text in HELD + (() if name == "kml" else HELD_BY_TYPED_FORMATS)],
)
def test_round_trip(name: str, text: str) -> None:
    given = array(text)
    (written,) = WRITERS[name](given)
    read = read_geometry(written).geometry
    assert read.geom_type == given[0].geom_type
    assert shapely.equals_identical(read, given[0]), written


@pytest.mark.parametrize("name", WRITERS)
def test_arrays_keep_their_order(name: str) -> None:
    given = array(None, *HELD, None, *reversed(HELD))
    written = WRITERS[name](given)
    assert written == [WRITERS[name](given[at : at + 1])[0] for at in range(len(given))]
    assert [text is None for text in written] == [geometry is None for geometry in given]
    assert WRITERS[name](array()) == []


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("POINT Z (1 2 NaN)", "POINT (1 2)"),
        ("LINESTRING Z (1 2 3, 4 5 NaN)", "LINESTRING (1 2, 4 5)"),
        ("POINT (NaN 2)", "POINT EMPTY"),
        ("LINESTRING (1 2, Infinity 4)", "LINESTRING EMPTY"),
        ("POINT ZM (1 2 3 4)", "POINT Z (1 2 3)"),
        ("LINESTRING M (1 2 3, 4 5 6)", "LINESTRING (1 2, 4 5)"),
    ],
)
def test_what_is_no_number_is_not_written(name: str, text: str, expected: str) -> None:
    (written,) = WRITERS[name](array(text))
    assert shapely.equals_identical(read_geometry(written).geometry, shapely.from_wkt(expected)), written


@pytest.mark.parametrize("name", ["geojson", "kml", "gml"])
def test_ring_by_itself_is_a_line(name: str) -> None:
    (written,) = WRITERS[name](array("LINEARRING (0 0, 1 1, 1 0, 0 0)"))
    assert shapely.equals_identical(
        read_geometry(written).geometry, shapely.from_wkt("LINESTRING (0 0, 1 1, 1 0, 0 0)")
    )


def test_mixed_dimensions_in_a_collection() -> None:
    given = shapely.geometrycollections([shapely.Point(1, 2), shapely.Point(1, 2, 3)])
    for write in WRITERS.values():
        (written,) = write(np.array([given], dtype=object))
        assert "NaN" not in written
        assert read_geometry(written).geometry.geom_type in ("GeometryCollection", "MultiPoint")


def test_random_polygons_to_the_last_bit() -> None:
    coordinates = np.random.default_rng(3).uniform(-180, 180, (200, 7, 2))
    coordinates[:, -1] = coordinates[:, 0]
    given = shapely.polygons(coordinates)
    for write in WRITERS.values():
        read = [read_geometry(text).geometry for text in write(given)]
        assert shapely.equals_identical(np.array(read), given).all()


# ---- GeoJSON


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("POINT EMPTY", {"type": "Point", "coordinates": []}),
        ("POLYGON EMPTY", {"type": "Polygon", "coordinates": []}),
        ("MULTIPOINT (EMPTY, (1 2))", {"type": "MultiPoint", "coordinates": [[1, 2]]}),
        ("POINT Z (1 2 3)", {"type": "Point", "coordinates": [1, 2, 3]}),
        ("POINT (0.1 -0.2)", {"type": "Point", "coordinates": [0.1, -0.2]}),
        ("GEOMETRYCOLLECTION EMPTY", {"type": "GeometryCollection", "geometries": []}),
    ],
)
def test_geojson_members(text: str, expected: dict) -> None:
    (written,) = geojson.write(array(text))
    assert json.loads(written) == expected


def test_geojson_without_noise() -> None:
    assert geojson.write(array("POINT (15.1 1234567.89)")) == ['{"type":"Point","coordinates":[15.1,1234567.89]}']


def test_geojson_names_its_projection() -> None:
    given = array("POINT (1 2)", None, "GEOMETRYCOLLECTION (POINT (1 2))")
    plain, named = geojson.write(given), geojson.write(given, 900913)
    assert named[1] is None
    assert plain == geojson.write(given, 4326)
    for before, after in ((plain[0], named[0]), (plain[2], named[2])):
        crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::900913"}}
        assert json.loads(after) == json.loads(before) | {"crs": crs}
        assert geojson.read(after).srid == 900913
    assert geojson.read(plain[0]).srid is None
    assert geojson.read(plain[0]).assumed_srid == 4326


@pytest.mark.parametrize(
    ("crs", "srid"),
    [
        (None, None),
        ({"type": "name", "properties": {"name": "EPSG:27700"}}, 27700),
        ({"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}, 4326),
        ({"type": "EPSG", "properties": {"code": 3857}}, 3857),
    ],
)
def test_geojson_crs(crs: dict | None, srid: int | None) -> None:
    assert geojson.read({"type": "Point", "coordinates": [1, 2], "crs": crs}).srid == srid


def test_geojson_more_than_three_numbers() -> None:
    read = geojson.read({"type": "LineString", "coordinates": [[1, 2, 3, 4], [5, 6, 7]]}).geometry
    assert shapely.equals_identical(read, shapely.from_wkt("LINESTRING Z (1 2 3, 5 6 7)"))


# ---- WKT


@pytest.mark.parametrize(
    ("text", "expected", "srid"),
    [
        ("SRID=4326;POINT(1 2)", "POINT (1 2)", 4326),
        (" srid = 3857 ; point z(1 2 3)", "POINT Z (1 2 3)", 3857),
        ("SRID=0;POINT(1 2)", "POINT (1 2)", None),
        ("POINTZ(1 2 3)", "POINT Z (1 2 3)", None),
        ("POINT(1 2 3)", "POINT Z (1 2 3)", None),
        ("POINT ZM (1 2 3 4)", "POINT ZM (1 2 3 4)", None),
        ("MULTIPOINT(1 2,3 4)", "MULTIPOINT ((1 2), (3 4))", None),
        ("LineString(1 2,\n3 4)", "LINESTRING (1 2, 3 4)", None),
        ("MULTIPOLYGON(((0 0,1 0,1 1,0 0)))", "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))", None),
    ],
)
def test_wkt_variants(text: str, expected: str, srid: int | None) -> None:
    parsed = read_geometry(text)
    assert shapely.equals_identical(parsed.geometry, shapely.from_wkt(expected))
    assert (parsed.srid, parsed.assumed_srid) == (srid, None)


# ---- KML

RING = "0,0 9,0 9,9 0,0"
POLYGON = (
    f"<Polygon><extrude>1</extrude><outerBoundaryIs><LinearRing><coordinates>\n {RING}\n</coordinates>"
    "</LinearRing></outerBoundaryIs></Polygon>"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<Point xmlns="http://www.opengis.net/kml/2.2"><coordinates>1,2</coordinates></Point>', "POINT (1 2)"),
        ("<Point><coordinates> 1, 2 ,3 </coordinates></Point>", "POINT Z (1 2 3)"),
        ("<Placemark><name>x</name><Point><coordinates>1,2</coordinates></Point></Placemark>", "POINT (1 2)"),
        (
            '<?xml version="1.0" encoding="iso-8859-1"?><kml xmlns="http://earth.google.com/kml/2.1"><Document>'
            "<Placemark><name>é</name><LineString><coordinates>1,2 3,4</coordinates></LineString></Placemark>"
            "</Document></kml>",
            "LINESTRING (1 2, 3 4)",
        ),
        (f"<LinearRing><coordinates>{RING}</coordinates></LinearRing>", "LINESTRING (0 0, 9 0, 9 9, 0 0)"),
        (POLYGON, "POLYGON ((0 0, 9 0, 9 9, 0 0))"),
        (f"<MultiGeometry>{POLYGON}</MultiGeometry>", "MULTIPOLYGON (((0 0, 9 0, 9 9, 0 0)))"),
        ("<MultiGeometry/>", "GEOMETRYCOLLECTION EMPTY"),
        ("<Point/>", "POINT EMPTY"),
    ],
)
def test_kml_variants(text: str, expected: str) -> None:
    parsed = read_geometry(text)
    assert shapely.equals_identical(parsed.geometry, shapely.from_wkt(expected))
    assert (parsed.srid, parsed.assumed_srid) == (None, 4326)


def test_kml_of_real_countries(data_dir: Path) -> None:
    root = etree.parse(data_dir / "countries.kml").getroot()
    placemarks = [element for element in root.iter() if str(element.tag).endswith("}Placemark")]
    read = [kml.read(placemark).geometry for placemark in placemarks]
    assert len(read) > 30
    assert shapely.is_valid(read).all()
    again = [kml.read(text).geometry for text in kml.write(np.array(read, dtype=object))]
    assert shapely.equals_identical(again, read).all()


# ---- GML


def test_gml_stands_alone_and_names_its_projection() -> None:
    (written,) = gml.write(array("MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))"), 27700)
    root = etree.fromstring(written)
    assert root.tag == "{http://www.opengis.net/gml}MultiSurface"
    assert root.get("srsName") == "EPSG:27700"
    assert gml.read(written).srid == 27700
    assert "srsName" not in gml.write(array("POINT (1 2)"))[0]


@pytest.mark.parametrize(
    ("text", "expected", "srid"),
    [
        ('<gml:Point srsName="EPSG:4326"><gml:pos srsDimension="2">1 2</gml:pos></gml:Point>', "POINT (1 2)", 4326),
        ('<gml:Point srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>1 2</gml:pos></gml:Point>', "POINT (1 2)", 4326),
        (
            '<Point xmlns="http://www.opengis.net/gml/3.2" srsName="http://www.opengis.net/def/crs/EPSG/0/3857">'
            "<pos>1 2 3</pos></Point>",
            "POINT Z (1 2 3)",
            3857,
        ),
        (
            '<gml:Point srsName="http://www.opengis.net/gml/srs/epsg.xml#27700">'
            "<gml:coordinates>1,2</gml:coordinates></gml:Point>",
            "POINT (1 2)",
            27700,
        ),
        ("<LineString><pos>1 2</pos><pos>3 4</pos></LineString>", "LINESTRING (1 2, 3 4)", None),
        (
            '<LineString srsDimension="3"><posList>1 2 3 4 5 6</posList></LineString>',
            "LINESTRING Z (1 2 3, 4 5 6)",
            None,
        ),
        ("<LineString><posList>1 2 3 4 5 6 7 8 9</posList></LineString>", "LINESTRING Z (1 2 3, 4 5 6, 7 8 9)", None),
        (
            "<Curve><segments><LineStringSegment><posList>0 0 1 1</posList></LineStringSegment>"
            "<LineStringSegment><posList>1 1 2 0</posList></LineStringSegment></segments></Curve>",
            "LINESTRING (0 0, 1 1, 2 0)",
            None,
        ),
        (
            "<Surface><patches><PolygonPatch><exterior><LinearRing><posList>0 0 9 0 9 9 0 0</posList></LinearRing>"
            "</exterior></PolygonPatch></patches></Surface>",
            "POLYGON ((0 0, 9 0, 9 9, 0 0))",
            None,
        ),
        (
            '<gml:MultiPolygon xmlns:gml="http://www.opengis.net/gml" srsName="EPSG:4326"><gml:polygonMember>'
            "<gml:Polygon><gml:outerBoundaryIs><gml:LinearRing><gml:coordinates>0,0 9,0 9,9 0,0</gml:coordinates>"
            "</gml:LinearRing></gml:outerBoundaryIs></gml:Polygon></gml:polygonMember></gml:MultiPolygon>",
            "MULTIPOLYGON (((0 0, 9 0, 9 9, 0 0)))",
            4326,
        ),
        (
            "<gml:MultiPoint><gml:pointMembers><gml:Point><gml:pos>1 2</gml:pos></gml:Point>"
            "<gml:Point><gml:pos>3 4</gml:pos></gml:Point></gml:pointMembers></gml:MultiPoint>",
            "MULTIPOINT ((1 2), (3 4))",
            None,
        ),
    ],
)
def test_gml_variants(text: str, expected: str, srid: int | None) -> None:
    parsed = read_geometry(text)
    assert shapely.equals_identical(parsed.geometry, shapely.from_wkt(expected))
    assert (parsed.srid, parsed.assumed_srid) == (srid, None)
