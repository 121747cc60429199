"""Vector files read back: every format, layer, family, projection and encoding."""

from __future__ import annotations

import datetime as dt
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
import shapely

from graticule.errors import BadRequest
from graticule.transfer import shapes
from graticule.transfer.reading import list_sublayers, open_source

from .making import dbf_in, geojson, save

if TYPE_CHECKING:
    from pathlib import Path

    from graticule.transfer.reading import Source

POINTS: list[str | None] = ["POINT (1 2)", "POINT (3 4)", "POINT (5 6)"]
LINES: list[str | None] = ["LINESTRING (0 0, 1 1)", "LINESTRING (2 2, 3 3)"]
SQUARES: list[str | None] = ["POLYGON ((0 0, 0 1, 1 1, 1 0, 0 0))", "POLYGON ((2 2, 2 3, 3 3, 3 2, 2 2))"]


def table(source: Source) -> pa.Table:
    return pa.Table.from_batches(list(source.batches()), schema=source.schema)


def wkt(source: Source) -> list[str | None]:
    found = shapely.from_wkb(table(source)["wkb_geometry"].to_numpy())
    return [None if each is None else shapely.to_wkt(each, rounding_precision=6) for each in found]


FORMATS = [
    ("a.shp", "ESRI Shapefile"), ("a.geojson", "GeoJSON"), ("a.json", "GeoJSON"), ("a.geojsonl", "GeoJSONSeq"),
    ("a.kml", "LIBKML"), ("a.kmz", "LIBKML"), ("a.gpkg", "GPKG"), ("a.fgb", "FlatGeobuf"), ("a.gml", "GML"),
    ("a.tab", "MapInfo File"), ("a.sqlite", "SQLite"), ("a.gmt", "OGR_GMT"), ("a.jml", "JML"), ("a.mapml", "MapML"),
    ("a.gdb", "OpenFileGDB"), ("A.GPKG", "GPKG"), ("Čačak 東京.fgb", "FlatGeobuf"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "driver"), FORMATS)
def test_every_format_gives_its_features(tmp_path: Path, name: str, driver: str) -> None:
    path = save(tmp_path / name, driver, POINTS, code=[7, 8, 9], label=["a", "ž", "東"])
    source = open_source(path)
    rows = table(source)
    assert (source.geometry_type, source.crs, source.has_z) == ("POINT", "EPSG:4326", False)
    assert sorted(wkt(source)) == POINTS
    by_name = {column.name.lower(): column for column in source.columns}
    labels, codes = rows[by_name["label"].name].to_pylist(), rows[by_name["code"].name].to_pylist()
    assert sorted(zip(map(int, codes), labels, strict=True)) == [(7, "a"), (8, "ž"), (9, "東")]
    assert [each.family for each in list_sublayers(path)] == ["point"]


@pytest.mark.parametrize("stem", ["odd !;#?name", "blank ed", "100%", "a.b.c", "x.zip"])
def test_names_that_mean_something_to_gdal(tmp_path: Path, stem: str) -> None:
    save(tmp_path / "plain.shp", "ESRI Shapefile", POINTS, label=["a", "ž", "東"])
    for part in sorted(tmp_path.iterdir()):
        part.rename(tmp_path / (stem + part.suffix))
    source = open_source(tmp_path / f"{stem}.shp")
    assert wkt(source) == POINTS
    assert table(source)["label"].to_pylist() == ["a", "ž", "東"]


@pytest.mark.parametrize(("name", "driver"), [("a.mif", "MapInfo File"), ("a.dgn", "DGN"), ("a.dxf", "DXF")])
def test_formats_without_a_projection_of_their_own(tmp_path: Path, name: str, driver: str) -> None:
    columns = {"label": ["a", "b"]} if driver == "MapInfo File" else {}
    path = save(tmp_path / name, driver, LINES, None, **columns)
    assert wkt(open_source(path, crs="EPSG:3857")) == ["MULTILINESTRING ((0 0, 1 1))", "MULTILINESTRING ((2 2, 3 3))"]
    assert open_source(path, crs="3857").crs in ("EPSG:3857", "EPSG:4326")


def test_osm_topojson_and_georss(tmp_path: Path) -> None:
    osm = tmp_path / "a.osm"
    osm.write_text(
        '<osm version="0.6"><node id="1" lat="2" lon="1"><tag k="name" v="Ana"/></node>'
        '<node id="2" lat="3" lon="2"/><way id="9"><nd ref="1"/><nd ref="2"/><tag k="highway" v="path"/></way></osm>'
    )
    assert wkt(open_source(osm, family="point")) == ["POINT (1 2)"]
    assert wkt(open_source(osm, family="line")) == ["MULTILINESTRING ((1 2, 2 3))"]
    topo = tmp_path / "a.topojson"
    topo.write_text(
        '{"type":"Topology","arcs":[[[0,0],[0,1],[1,1],[0,0]]],'
        '"objects":{"land":{"type":"GeometryCollection","geometries":[{"type":"Polygon","arcs":[[0]],"properties":{"n":1}}]}}}'
    )
    assert wkt(open_source(topo)) == ["MULTIPOLYGON (((0 0, 0 1, 1 1, 0 0)))"]
    rss = tmp_path / "a.rss"
    rss.write_text(
        '<rss version="2.0" xmlns:georss="http://www.georss.org/georss"><channel>'
        "<item><title>x</title><georss:point>2 1</georss:point></item></channel></rss>"
    )
    assert wkt(open_source(rss)) == ["POINT (1 2)"]


@pytest.mark.parametrize(("name", "driver"), [("a.xlsx", "XLSX"), ("a.ods", "ODS")])
def test_workbooks_with_coordinates_are_points(tmp_path: Path, name: str, driver: str) -> None:
    path = save(tmp_path / name, driver, None, town=["Zadar", "Split"], lon=[15.2, 16.4], lat=[44.1, 43.5])
    source = open_source(path)
    assert source.geometry_type == "POINT"
    assert wkt(source) == ["POINT (15.2 44.1)", "POINT (16.4 43.5)"]
    assert [(column.name, column.type) for column in source.columns] == [
        ("town", "text"),
        ("lon", "real"),
        ("lat", "real"),
    ]


def test_types_and_values(tmp_path: Path) -> None:
    when = dt.datetime(2024, 2, 29, 12, 30, 15)
    path = save(
        tmp_path / "t.gpkg", "GPKG", ["POINT (1 2)", None],
        i=[2**40, None], r=[0.5, float("nan")], b=[True, None], d=[dt.date(2024, 2, 29), None],
        t=[when, None], s=["ü", None],
    )  # fmt: skip
    source = open_source(path)
    assert {column.name: column.type for column in source.columns} == {
        "i": "integer", "r": "real", "b": "boolean", "d": "date", "t": "datetime", "s": "text",
    }  # fmt: skip
    first, second = table(source).to_pylist()
    assert {key: first[key] for key in "irbdts"} == {
        "i": 2**40, "r": 0.5, "b": True, "d": dt.date(2024, 2, 29), "t": when, "s": "ü",
    }  # fmt: skip
    assert set(second.values()) == {None}


def test_names_are_unique_and_not_reserved(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_text("ogc_fid,FID,a,A,,__Owner\n1,2,3,4,5,6\n")
    assert [column.name for column in open_source(path).columns] == [
        "ogc_fid_",
        "FID_",
        "a",
        "A_2",
        "column_5",
        "__Owner_",
    ]


def test_mixed_single_and_multi(tmp_path: Path) -> None:
    path = geojson(
        tmp_path / "m.geojson",
        {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]]},
        None,
        {"type": "MultiPolygon", "coordinates": [[[[2, 2], [2, 3], [3, 3], [2, 2]]]]},
        {"type": "GeometryCollection", "geometries": [
            {"type": "Point", "coordinates": [9, 9]},
            {"type": "GeometryCollection", "geometries": [
                {"type": "Polygon", "coordinates": [[[5, 5], [5, 6], [6, 6], [5, 5]]]},
            ]},
        ]},
    )  # fmt: skip
    source = open_source(path)
    assert source.geometry_type == "MULTIPOLYGON"
    assert wkt(source) == [
        "MULTIPOLYGON (((0 0, 0 1, 1 1, 0 0)))", None, "MULTIPOLYGON (((2 2, 2 3, 3 3, 2 2)))",
        "MULTIPOLYGON (((5 5, 5 6, 6 6, 5 5)))",
    ]  # fmt: skip
    assert source.skipped == 0


FAMILIES: list[tuple[Any, str, list[int], int]] = [
    (None, "MULTIPOINT", [0, 2], 2), ("point", "MULTIPOINT", [0, 2], 2), ("line", "MULTILINESTRING", [1], 3),
    ("polygon", "MULTIPOLYGON", [3], 3),
]  # fmt: skip


@pytest.mark.parametrize(("family", "kind", "kept", "skipped"), FAMILIES)
def test_one_family_of_a_mixed_file(tmp_path: Path, family: Any, kind: str, kept: list[int], skipped: int) -> None:
    path = geojson(
        tmp_path / "m.geojson",
        {"type": "Point", "coordinates": [1, 2]},
        {"type": "LineString", "coordinates": [[0, 0], [1, 1]]},
        {"type": "MultiPoint", "coordinates": [[1, 2], [3, 4]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]]},
    )
    source = open_source(path, family=family)
    rows = table(source)
    assert (source.geometry_type, rows["n"].to_pylist(), source.skipped) == (kind, kept, skipped)


def test_a_family_that_is_not_there_is_corrected(tmp_path: Path) -> None:
    assert open_source(save(tmp_path / "a.gpkg", "GPKG", LINES, n=[1, 2]), family="polygon").family == "line"


def test_layers_are_chosen(tmp_path: Path, data_dir: Path) -> None:
    gpx = data_dir / "borders.gpx"
    names = {each.name: (each.family, each.feature_count) for each in list_sublayers(gpx)}
    assert names["routes"] == ("line", 16)
    assert names["waypoints"] == (None, 0)
    assert open_source(gpx).layer == "routes"
    assert open_source(gpx, family="point").layer == "route_points"
    assert open_source(gpx, layer="tracks").geometry_type == "MULTILINESTRING"
    with pytest.raises(BadRequest, match=r"no layer “roads” in “borders\.gpx”") as error:
        open_source(gpx, layer="roads")
    assert "routes" in str(error.value.expected)
    one = geojson(tmp_path / "one.geojson", {"type": "Point", "coordinates": [1, 2]})
    assert open_source(one, layer="one").layer == "one"
    with pytest.raises(BadRequest, match="no layer “two”"):
        open_source(one, layer="two")


def test_kml_folders_are_layers(tmp_path: Path) -> None:
    path = tmp_path / "f.kml"
    mark = "<Placemark><name>{0}</name><Point><coordinates>{1}</coordinates></Point></Placemark>"
    path.write_text(
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        f"<Folder><name>one</name>{mark.format('a', '1,2')}</Folder>"
        f"<Folder><name>two</name>{mark.format('b', '3,4,5')}</Folder></Document></kml>"
    )
    assert [each.name for each in list_sublayers(path)] == ["one", "two"]
    assert table(open_source(path, layer="two"))["Name"].to_pylist() == ["b"]


def test_z_is_kept_and_m_dropped(tmp_path: Path) -> None:
    path = save(
        tmp_path / "z.gpkg", "GPKG", ["LINESTRING ZM (0 0 5 7, 1 1 6 8)", "LINESTRING M (0 0 7, 1 1 8)"], n=[1, 2]
    )
    source = open_source(path)
    assert source.has_z
    assert wkt(source) == ["MULTILINESTRING Z ((0 0 5, 1 1 6))", "MULTILINESTRING ((0 0, 1 1))"]


@pytest.mark.parametrize("x", [0, 500_000])
def test_arcs_become_lines(x: int) -> None:
    arc = (
        bytes.fromhex("0108000000")
        + (3).to_bytes(4, "little")
        + np.array([x, x, x + 1, x + 1, x + 2, x], "<f8").tobytes()
    )
    line = shapes.parse(pa.array([arc, None, shapely.to_wkb(shapely.Point(1, 2))], pa.binary()))
    assert line[0].geom_type == "LineString"
    assert line[0].length == pytest.approx(np.pi, rel=1e-3)
    assert line[0].coords[0] == (x, x)
    assert (line[1], line[2]) == (None, shapely.Point(1, 2))


PROJECTIONS = [
    ("EPSG:3765", "EPSG:3765"), ("EPSG:2154", "EPSG:2154"), ("EPSG:27700", "EPSG:27700"), ("EPSG:32633", "EPSG:32633"),
    ("EPSG:3857", "EPSG:3857"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "found"), PROJECTIONS)
@pytest.mark.parametrize("name", ["a.shp", "a.gpkg", "a.fgb"])
def test_projections_are_recognised(tmp_path: Path, name: str, given: str, found: str) -> None:
    driver = {"a.shp": "ESRI Shapefile", "a.gpkg": "GPKG", "a.fgb": "FlatGeobuf"}[name]
    path = save(tmp_path / name, driver, ["POINT (500000 5000000)"], given, n=[1])
    assert open_source(path, crs="EPSG:4326").crs == found


def test_a_projection_that_is_none_of_epsg_stays_wkt(tmp_path: Path) -> None:
    own = "+proj=laea +lat_0=12.5 +lon_0=33.3 +x_0=7 +y_0=9 +ellps=GRS80 +units=m"
    crs = open_source(save(tmp_path / "a.gpkg", "GPKG", ["POINT (5 5)"], own, n=[1])).crs
    assert crs is not None
    assert "12.5" in crs
    assert not crs.startswith("EPSG")


def test_without_a_prj(tmp_path: Path) -> None:
    near = save(tmp_path / "near.shp", "ESRI Shapefile", POINTS, None, n=[1, 2, 3])
    assert open_source(near).crs == "EPSG:4326"
    far = save(tmp_path / "far.shp", "ESRI Shapefile", ["POINT (500000 5000000)"], None, n=[1])
    assert open_source(far, crs="EPSG:3765").crs == "EPSG:3765"
    with pytest.raises(BadRequest, match=r"“far\.shp” does not say its projection"):
        open_source(far)
    with pytest.raises(BadRequest, match="projection “EPSG:999999” is not known"):
        open_source(far, crs="EPSG:999999")
    far.with_suffix(".prj").write_text('PROJCS["nonsense"]')
    with pytest.raises(BadRequest, match=r"projection in “far\.prj” is not known"):
        open_source(far)


def test_the_crs_member_of_old_geojson_counts(tmp_path: Path) -> None:
    named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}
    path = geojson(tmp_path / "old.geojson", {"type": "Point", "coordinates": [500000, 5000000]}, crs=named)
    assert open_source(path).crs == "EPSG:3857"


NAMES = {
    "cp1250": ["Dvořákova", "Čačak", "Łódź", "Šibenik", "Žilina"],
    "cp1252": ["Müllerstraße", "Genève", "São Paulo", "Málaga", "København"],
    "cp1251": ["Москва", "Тверь", "Новосибирск"],
    "shift_jis": ["東京", "大阪", "横浜市"],
    "gb18030": ["北京", "上海", "广州"],
    "cp949": ["서울", "부산"],
    "cp1253": ["Αθήνα", "Πάτρα"],
    "utf-8": ["Čačak", "東京", "Москва"],
}
LANGUAGES = {"cp1250": 0xC8, "cp1252": 0x03, "cp1251": 0xC9, "shift_jis": 0x13}


@pytest.mark.parametrize("language", [0, 0x57])
@pytest.mark.parametrize("encoding", NAMES)
def test_an_encoding_that_nothing_states_is_guessed(tmp_path: Path, encoding: str, language: int) -> None:
    path = dbf_in(tmp_path / "e.shp", encoding, NAMES[encoding], language=language)
    assert table(open_source(path))["name"].to_pylist() == NAMES[encoding]


@pytest.mark.parametrize("encoding", LANGUAGES)
def test_an_encoding_that_is_stated(tmp_path: Path, encoding: str) -> None:
    path = dbf_in(tmp_path / "e.shp", encoding, [NAMES[encoding][0]], language=LANGUAGES[encoding])
    wanted = [NAMES[encoding][0]]
    assert table(open_source(path))["name"].to_pylist() == wanted
    path.with_suffix(".cpg").write_text("KOI8-R")
    assert table(open_source(path))["name"].to_pylist() != wanted
    assert table(open_source(path, encoding=encoding))["name"].to_pylist() == wanted
    path.with_suffix(".cpg").write_text({"cp1250": "ANSI 1250", "shift_jis": "932"}.get(encoding, encoding[2:]))
    assert table(open_source(path))["name"].to_pylist() == wanted
    with pytest.raises(BadRequest, match="encoding “klingon” is not known"):
        open_source(path, encoding="klingon")


def test_text_that_breaks_its_stated_encoding_is_mended(tmp_path: Path) -> None:
    path = dbf_in(tmp_path / "e.shp", "cp1250", ["Čačak"])
    path.with_suffix(".cpg").write_text("UTF-8")
    values = table(open_source(path))["name"].to_pylist()
    assert values[0] is not None
    assert values[0].endswith("ak")


def test_the_real_files(tmp_path: Path, data_dir: Path) -> None:
    for name in ("countries", "lakes", "borders"):
        zipfile.ZipFile(data_dir / f"{name}.zip").extractall(tmp_path)
    countries = open_source(tmp_path / "ne_110m_admin_0_countries.shp")
    rows = table(countries)
    assert (len(rows), len(countries.columns), countries.geometry_type) == (177, 168, "MULTIPOLYGON")
    assert "ألمانيا" in rows["NAME_AR"].to_pylist()
    for name, count, kind in (("lakes", 1355, "MULTIPOLYGON"), ("admin_0_boundary_lines_land", 515, "MULTILINESTRING")):
        source = open_source(tmp_path / f"ne_10m_{name}.shp")
        assert (len(table(source)), source.columns, source.geometry_type) == (count, (), kind)
    kml = open_source(data_dir / "countries.kml", family="polygon")
    assert (len(table(kml)), kml.geometry_type) == (39, "MULTIPOLYGON")
    cities = open_source(data_dir / "cities.csv")
    assert (len(table(cities)), cities.geometry_type, cities.crs) == (34006, "POINT", "EPSG:4326")


def test_progress_is_told(data_dir: Path) -> None:
    told: list[int] = []
    list(open_source(data_dir / "cities.geojson").batches(told.append))
    assert told[-1] == 1000
