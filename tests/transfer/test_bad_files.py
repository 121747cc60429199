"""Files that are broken, cut off or not what they claim to be: each gets a sentence that names it."""

from __future__ import annotations

import json
import re
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from graticule.errors import BadRequest, GraticuleError, NotFound
from graticule.transfer import engine
from graticule.transfer.drivers import vector_drivers
from graticule.transfer.reading import list_sublayers, open_source

from .making import geojson, save

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

POINT = {"type": "Point", "coordinates": [1, 2]}
SQUARE = "POLYGON ((0 0, 0 1, 1 1, 1 0, 0 0))"


def shapefile(folder: Path) -> Path:
    return save(folder / "roads.shp", "ESRI Shapefile", ["LINESTRING (0 0, 1 1)"] * 50, name=["abc"] * 50)


def without_index(folder: Path) -> Path:
    path = shapefile(folder)
    path.with_suffix(".shx").unlink()
    return path


def cut(suffix: str, count: int) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = shapefile(folder)
        part = path.with_suffix(suffix)
        part.write_bytes(part.read_bytes()[:-count])
        return path

    return make


def text(name: str, content: str | bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        if name.endswith(".shp"):
            path.with_suffix(".shx").write_bytes(b"also text")
        return path

    return make


def features(*shapes: Any) -> Callable[[Path], Path]:
    return lambda folder: geojson(folder / "f.geojson", *shapes)


def cut_geopackage(folder: Path) -> Path:
    path = save(folder / "a.gpkg", "GPKG", [SQUARE] * 5000, n=list(range(5000)))
    path.write_bytes(path.read_bytes()[:-8192])
    return path


def cut_flatgeobuf(folder: Path) -> Path:
    path = save(folder / "a.fgb", "FlatGeobuf", [SQUARE] * 5000, n=list(range(5000)))
    path.write_bytes(path.read_bytes()[:-8192])
    return path


def nan_point(folder: Path) -> Path:
    path = save(folder / "a.shp", "ESRI Shapefile", ["POINT (1 2)", "POINT (7 8)"], n=[1, 2])
    data = path.read_bytes()
    path.write_bytes(data[:-8] + struct.pack("<d", float("inf")))
    return path


def bomb(folder: Path) -> Path:
    path = folder / "bomb.xlsx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.xml", "w", force_zip64=True) as entry,
    ):
        for _ in range(5):
            entry.write(bytes(16 * 1024 * 1024))
    return path


def other_tables(folder: Path) -> Path:
    path = folder / "view.tab"
    path.write_text('!table\n!version 100\nOpen Table "/etc/secret" Hide\nCreate View x As Select * From y\n')
    path.with_suffix(".dat").write_bytes(b"x")
    return path


ODD_RING = {"type": "Polygon", "coordinates": [[[0, 0], "x"]]}
ODD_POINT = {"type": "Point", "coordinates": [1, "x"]}
NAN = {"type": "Point", "coordinates": [1, float("nan")]}
NAN_LINE = {"type": "LineString", "coordinates": [[1, 2], [1, float("nan")]]}
RING = {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [1, 0]]]}
SHORT = {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [0, 0]]]}
ENTITIES = '<!DOCTYPE kml [<!ENTITY a "aaaa">]><kml><Document><name>&a;</name></Document></kml>'
WHOLE = json.dumps(
    {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": POINT}]}
)

CASES: list[tuple[str, Callable[[Path], Path], str]] = [
    ("no index", without_index, r"“roads\.shp” needs the file “roads\.shx” beside it, which is missing"),
    ("cut shp", cut(".shp", 60), r"“roads\.shp” is cut off"),
    ("cut shx", cut(".shx", 8), r"“roads\.shx” is cut off"),
    ("cut dbf", cut(".dbf", 200), r"“roads\.dbf” is cut off"),
    ("text as shp", text("a.shp", "I am no shapefile\n" * 9), r"“a\.shp” is not a part of an ESRI Shapefile"),
    ("nothing", text("a.geojson", ""), r"“a\.geojson” is empty"),
    ("nothing as csv", text("a.csv", ""), r"“a\.csv” is empty"),
    ("blank csv", text("a.csv", "\n\n \n"), r"“a\.csv” is not a table of text"),
    ("binary csv", text("a.csv", b"\x00\x01\x02" * 99), r"“a\.csv” is not a table of text"),
    ("cut json", text("a.geojson", WHOLE[:-30]), r"“a\.geojson”, line 1, character \d+: the GeoJSON is broken there"),
    ("bad json", text("a.geojson", WHOLE.replace(": {}", ": ,\n", 1)), r"“a\.geojson”, line \d, character \d+"),
    ("no geojson", text("a.geojson", '{"a": 1}'), r"“a\.geojson” cannot be read as GeoJSON"),
    ("open ring", features(POINT, RING), r"“f\.geojson”, feature 2 has a ring that is not closed"),
    ("short ring", features(POINT, POINT, SHORT), r"“f\.geojson”, feature 3 has a ring of too few points"),
    ("odd ring", features(POINT, ODD_RING), r"“f\.geojson”, feature 2 has a broken"),
    ("odd point", features(None, POINT, ODD_POINT), r"“f\.geojson”, feature 3 has a broken"),
    ("nan", features(POINT, NAN), r"“f\.geojson”, line 1, character \d+: no JSON"),
    ("nan in a line", features(POINT, NAN_LINE), r"feature 2 .*not a finite"),
    ("infinite", nan_point, r"“a\.shp”, feature 2 has a coordinate that is not a finite number"),
    ("cut kml", text("a.kml", "<kml>\n<Document><Placemark>"), r"“a\.kml”, line 2: not well-formed XML"),
    ("text as gpx", text("a.gpx", "hello"), r"“a\.gpx”, line 1: not well-formed XML"),
    ("entities", text("a.kml", ENTITIES), r"“a\.kml” declares a document type"),
    ("other xml", text("a.gpx", "<html></html>"), r"“a\.gpx” cannot be read as GPX"),
    ("text as gpkg", text("a.gpkg", "hello" * 50), r"“a\.gpkg” is not a GeoPackage file"),
    ("broken gpkg", text("a.gpkg", b"SQLite format 3\0" + b"x" * 3000), r"“a\.gpkg” (is cut off|cannot be read)"),
    ("cut gpkg", cut_geopackage, r"“a\.gpkg” is cut off"),
    ("cut fgb", cut_flatgeobuf, r"“a\.fgb” is cut off: \d+ of its \d+ features are there"),
    ("text as xlsx", text("a.xlsx", "hello"), r"“a\.xlsx” is damaged"),
    ("bomb", bomb, r"“bomb\.xlsx” unpacks to more than 64 MB"),
    ("view", other_tables, r"“view\.tab” only refers to other tables"),
    ("vrt", text("a.vrt", "<OGRVRTDataSource/>"), r"“a\.vrt” is not of a vector format"),
    ("vrt as gml", text("a.gml", "<OGRVRTDataSource></OGRVRTDataSource>"), r"“a\.gml” cannot be read"),
    ("wfs as json", text("a.json", "WFS:http://127.0.0.1:9/"), r"“a\.json” cannot be read"),
    ("image", text("a.png", "x"), r"“a\.png” is not of a vector format"),
    ("dbf text", text("a.dbf", "hello"), r"“a\.dbf” is not a dBASE table"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_bad_file_is_refused_by_name(
    tmp_path: Path, make: Callable[[Path], Path], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graticule.transfer.checks.MAX_UNPACKED", 64 * 1024 * 1024)
    path = make(tmp_path)
    with pytest.raises(BadRequest, match=message) as error:
        for _ in open_source(path).batches():
            pass
    said = f"{error.value.message} {error.value.value} {error.value.expected}"
    assert str(tmp_path) not in said


def test_an_unknown_format_says_what_can_be_read(tmp_path: Path) -> None:
    path = text("a.docx", "x")(tmp_path)
    with pytest.raises(BadRequest) as error:
        list_sublayers(path)
    assert {"shp", "geojson", "gpkg", "csv"} <= set(str(error.value.expected).split())


@pytest.mark.parametrize("name", ["/vsicurl/http://127.0.0.1:9/a.geojson", "/vsimem/a.gpkg", "missing.shp"])
def test_no_such_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound, match=re.escape(name.rpartition("/")[2])):
        open_source(tmp_path / name)


def test_only_the_drivers_of_the_table_are_left() -> None:
    left = set(engine.pyogrio.list_drivers())
    assert left - {"MEM"} <= vector_drivers()
    assert vector_drivers() <= left


def test_random_damage_never_raises_anything_else(tmp_path: Path) -> None:
    whole = {
        "GPKG": save(tmp_path / "a.gpkg", "GPKG", [SQUARE] * 20, n=["x"] * 20),
        "FlatGeobuf": save(tmp_path / "a.fgb", "FlatGeobuf", [SQUARE] * 20, n=["x"] * 20),
        "ESRI Shapefile": save(tmp_path / "a.shp", "ESRI Shapefile", [SQUARE] * 20, n=["x"] * 20),
        "GeoJSON": save(tmp_path / "a.geojson", "GeoJSON", [SQUARE] * 20, n=["x"] * 20),
        "MapInfo File": save(tmp_path / "a.tab", "MapInfo File", [SQUARE] * 20, n=["x"] * 20),
    }
    for path in whole.values():
        data = path.read_bytes()
        for at in range(0, len(data), max(1, len(data) // 25)):
            path.write_bytes(data[:at] + bytes([data[at] ^ 0x5A]) + data[at + 1 :])
            try:
                for batch in open_source(path).batches():
                    batch.validate(full=True)
            except GraticuleError as error:
                assert path.name in error.message or path.stem in error.message
                assert str(tmp_path) not in error.message
