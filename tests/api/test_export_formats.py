"""/layers/{l}/export.…: every format of every kind of geometry, opened by other programs; and who may have it."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import shapely
from pyogrio import raw
from tests.api_data import World, table_layer, typed_layer
from tests.exports import GPX_LAYERS, Opened, by_csv_reader, by_ogrinfo, by_pyogrio, main_file, received
from tests.server import Caller, Server, wait_until
from tests.sharing import got, made, new_feature, new_layer, new_map, new_row, new_table, share

FORMATS = ("shp", "mif", "kml", "gpx", "dxf", "gml", "csv", "geojson", "gpkg", "fgb", "xlsx")
KINDS = {"cities.geojson": "point", "borders.gpx": "line", "countries.zip": "polygon"}
# The files that each format is made of; more than one come in a zip.
FILES = {
    "shp": {".shp", ".shx", ".dbf", ".prj", ".cpg"},
    "mif": {".mif", ".mid"},
    "gml": {".gml", ".xsd"},
}
TYPES = {
    "kml": "application/vnd.google-earth.kml+xml",
    "gpx": "application/gpx+xml",
    "dxf": "image/vnd.dxf",
    "csv": "text/csv; charset=utf-8",
    "geojson": "application/geo+json",
    "gpkg": "application/geopackage+sqlite3",
    "fgb": "application/flatgeobuf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
NO_PROJECTION = ("dxf", "csv", "xlsx")


@dataclass
class Known:
    """What the API says of a layer: what an export must hold."""

    layer: str
    kind: str
    count: int
    box: tuple[float, ...]
    names: list[str]
    parts: int = 0
    opened: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def known(world: World) -> dict[str, Known]:
    return {file: known_of(world, file, kind) for file, kind in KINDS.items()}


def known_of(world: World, file: str, kind: str) -> Known:
    layer = world.layers[file]
    found = got(world.caller.get(f"layers/{layer}/features?perpage=1000&geometry=geojson&epsg=4326"))
    shapes = [one["__geometry"] for one in found["data"]]
    parts = sum(len(shape["coordinates"]) if shape["type"].startswith("Multi") else 1 for shape in shapes)
    sides = [[one[side] for one in found["data"]] for side in ("__xmin", "__ymin", "__xmax", "__ymax")]
    box = (min(sides[0]), min(sides[1]), max(sides[2]), max(sides[3]))
    names = [name_in(one["data"]) for one in found["data"]]
    return Known(layer, kind, found["total"], box, names, parts)


def name_in(values: dict[str, Any]) -> str:
    return str(next(value for name, value in values.items() if name.lower() == "name") or "")


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("file", KINDS)
def test_format(world: World, known: dict[str, Known], tmp_path: Path, file: str, fmt: str) -> None:
    of = known[file]
    answer = world.caller.get(f"layers/{of.layer}/export.{fmt}")
    if (fmt, of.kind) == ("gpx", "polygon"):
        assert answer.status_code == 400
        assert answer.json()["nested"]["field"] == "format"
        return
    paths = received(answer, tmp_path)
    assert {path.suffix for path in paths} - {".txt"} == FILES.get(fmt, {f".{fmt}"})
    assert len({path.stem for path in paths}) == 1
    if len(paths) == 1:
        assert answer.headers["content-type"] == TYPES[fmt]
    path = main_file(paths, fmt)
    layer = GPX_LAYERS[of.kind] if fmt == "gpx" else None
    seen = by_csv_reader(path) if fmt == "csv" else by_pyogrio(path, layer)
    for found in (seen, by_ogrinfo(path, layer)):
        agrees(found, of, fmt)


def agrees(found: Opened, of: Known, fmt: str) -> None:
    """A drawing has entities, one for each part of a geometry, and no attributes; a workbook has no geometry."""
    assert found.count == (of.parts if fmt == "dxf" else of.count)
    if fmt != "xlsx":
        assert found.box == pytest.approx(of.box, abs=1e-5)
    if fmt not in NO_PROJECTION and found.crs is not None:
        assert "84" in found.crs or found.crs == "EPSG:4326"
    if fmt != "dxf":
        assert sorted(column_of(found)) == sorted(of.names)
    else:
        assert set(found.columns["Layer"]) == {"cities" if of.kind == "point" else found.columns["Layer"][0]}


def column_of(found: Opened) -> list[str]:
    """The names of the features, with an empty one for none; programs differ in what they make of a column of these."""
    names = next((values for name, values in found.columns.items() if name.lower() == "name"), [None] * found.count)
    return ["" if name in (None, "(null)") else str(name) for name in names]


def test_names_beyond_ascii_are_in_the_data(known: dict[str, Known]) -> None:
    assert {"São Paulo", "Bogotá", "Ürümqi"} <= set(known["cities.geojson"].names)


@pytest.mark.parametrize(
    ("words", "inside"),
    [
        (".dxf.zip", {".dxf", ".prj"}),
        (".kml.zip", {".kml"}),
        (".csv?zip", {".csv", ".prj"}),
        (".SHP.ZIP?zip=false", FILES["shp"]),
    ],
)
def test_zips(world: World, known: dict[str, Known], tmp_path: Path, words: str, inside: set[str]) -> None:
    answer = world.caller.get(f"layers/{known['cities.geojson'].layer}/export{words}")
    assert {path.suffix for path in received(answer, tmp_path)} == inside
    assert answer.headers["content-type"] == "application/zip"


@pytest.mark.parametrize("fmt", ["shp", "mif", "gml", "csv", "geojson", "gpkg", "fgb"])
def test_another_projection(world: World, known: dict[str, Known], tmp_path: Path, fmt: str) -> None:
    of = known["cities.geojson"]
    path = main_file(received(world.caller.get(f"layers/{of.layer}/export.{fmt}?epsg=3857"), tmp_path), fmt)
    found = by_csv_reader(path) if fmt == "csv" else by_pyogrio(path)
    assert found.box is not None
    assert found.box[0] == pytest.approx(of.box[0] * 20037508.342789244 / 180, abs=0.05)
    assert found.crs is None or "3857" in found.crs or "Mercator" in found.crs


@pytest.mark.parametrize("fmt", ["kml", "gpx"])
def test_formats_of_one_projection_keep_it(world: World, known: dict[str, Known], tmp_path: Path, fmt: str) -> None:
    of = known["cities.geojson"]
    path = main_file(received(world.caller.get(f"layers/{of.layer}/export.{fmt}?epsg=3857"), tmp_path), fmt)
    assert by_pyogrio(path, GPX_LAYERS["point"] if fmt == "gpx" else None).box == pytest.approx(of.box, abs=1e-5)


def test_below_the_map_it_is_the_same(world: World, known: dict[str, Known]) -> None:
    layer = known["cities.geojson"].layer
    below = world.caller.get(f"maps/{world.map}/layers/{layer}/export.gpx")
    assert below.content == world.caller.get(f"layers/{layer}/export.gpx").content
    elsewhere = new_map(world.caller)["id"]
    assert world.caller.get(f"maps/{elsewhere}/layers/{layer}/export.gpx").status_code == 404


@pytest.mark.parametrize("words", ["tif", "dwg", "shp.gz", "", "geojson?epsg=1", "mif?epsg=3035", "csv?epsg=x", "zip"])
def test_what_cannot_be_is_refused(world: World, known: dict[str, Known], words: str) -> None:
    answer = world.caller.get(f"layers/{known['cities.geojson'].layer}/export.{words}")
    assert answer.status_code in (400, 404)
    assert answer.json()["nested"]["msg"]


# ---------------------------------------------------------------- values, at their limits


@pytest.fixture(scope="module")
def typed(shared: Caller) -> str:
    return typed_layer(shared)


# Column → its values in the file, where these are not those of the API.
DATES = ["2026-02-03", "1000-01-01", None]
TIMES = ["2026-02-03T04:05:06", "1969-12-31T23:59:59", None]
LARGE = [9223372036854775807, -9223372036854775808, None]
REALS, ANSWERS = [1.7e308, -1e-300, None], [True, False, None]
VALUES: dict[str, dict[str, list[Any]]] = {
    "gpkg": {"t": ["ä'ö\"", "", None], "i": LARGE, "r": REALS, "b": ANSWERS},
    "fgb": {"t": ["ä'ö\"", "", None], "r": REALS, "b": ANSWERS},
    "gml": {"t": ["ä'ö\"", None, None], "i": LARGE, "r": REALS, "b": ANSWERS},
    "geojson": {"t": ["ä'ö\"", "", None], "r": REALS, "b": ANSWERS},
    "shp": {"t": ["ä'ö\"", None, None], "r": ["1.7e+308", "-1e-300", None], "b": ANSWERS},
    # Of a feature of several points it makes several; a number that is not there is 0.
    "mif": {
        "t": ["ä'ö\"", "", "", ""],
        "i": [LARGE[0], LARGE[1], LARGE[1], 0],
        "r": [REALS[0], REALS[1], REALS[1], 0],
        "b": ["T", "F", "F", ""],
    },
    # A row without any value is none.
    "xlsx": {"t": ["ä'ö\"", None], "i": [*map(str, LARGE[:2])], "r": REALS[:2]},
}


@pytest.mark.parametrize("fmt", VALUES)
def test_values(shared: Caller, typed: str, tmp_path: Path, fmt: str) -> None:
    found = by_pyogrio(main_file(received(shared.get(f"layers/{typed}/export.{fmt}"), tmp_path), fmt))
    values = {name: [plain(value) for value in found.columns[name]] for name in (*VALUES[fmt], "d", "m")}
    assert {name: values[name] for name in VALUES[fmt]} == VALUES[fmt]
    assert [values["d"][0], values["d"][1]] == DATES[:2]
    assert [value and value[:19] for value in (values["m"][0], values["m"][1])] == TIMES[:2]


def plain(value: Any) -> Any:
    """A value as Python has it, None for numpy's several ways of nothing, dates and times as ISO text."""
    text = str(value)
    if value is None or text in ("nan", "NaT"):
        return None
    if re.match(r"\d{4}[-/]\d\d[-/]\d\d", text):
        return text.replace("/", "-").replace(" ", "T").removesuffix("T00:00:00")
    return value


def test_integers_of_geojson_have_all_their_digits(shared: Caller, typed: str) -> None:
    found = json.loads(shared.get(f"layers/{typed}/export.geojson").content)["features"]
    assert [one["properties"]["i"] for one in found] == LARGE


def test_integers_of_a_dbf_have_all_their_digits(shared: Caller, typed: str, tmp_path: Path) -> None:
    paths = received(shared.get(f"layers/{typed}/export.shp"), tmp_path)
    (dbf,) = [path for path in paths if path.suffix == ".dbf"]
    assert b" 9223372036854775807" in dbf.read_bytes()
    assert b"-9223372036854775808" in dbf.read_bytes()
    (notes,) = [path for path in paths if path.suffix == ".txt"]
    assert "“r” is text" in notes.read_text("utf-8")


def test_kml_says_times_as_iso_8601_and_nothing_for_null(shared: Caller, typed: str) -> None:
    text = shared.get(f"layers/{typed}/export.kml").text
    assert '<SimpleData name="m">1969-12-31T23:59:59.500Z</SimpleData>' in text
    assert '<SimpleData name="d">1000-01-01</SimpleData>' in text
    assert text.count('<SimpleData name="i">') == 2
    assert text.count("<Placemark") == 3


def long_layer(caller: Caller, name: str) -> str:
    layer = table_layer(caller, name, "POINT", dict.fromkeys(("opis_mjesta_u_opcini", "opis_mjesta_šđž"), "text"))
    values = {"opis_mjesta_u_opcini": "č" * 300, "opis_mjesta_šđž": "kratko"}
    made(caller.post(f"layers/{layer}/features", json={"data": values, "geometry": "POINT (16 45)"}))
    return layer


@pytest.mark.parametrize("program", [by_pyogrio, by_ogrinfo])
def test_long_names_and_texts_of_a_dbf_are_cut_and_said(shared: Caller, tmp_path: Path, program: Any) -> None:
    layer = long_layer(shared, f"long_{program.__name__}")
    paths = received(shared.get(f"layers/{layer}/export.shp"), tmp_path)
    found = program(main_file(paths, "shp"))
    assert found.columns == {"opis_mjest": ["č" * 127], "opis_mje_1": ["kratko"]}
    (notes,) = [path for path in paths if path.suffix == ".txt"]
    assert "“opis_mjesta_šđž” is named “opis_mje_1”" in notes.read_text("utf-8")
    assert "cut to 254 bytes; the longest has 600" in notes.read_text("utf-8")


# ---------------------------------------------------------------- geometries of several kinds, and none

MIXED = [
    {"data": {"n": 1}, "geometry": "POINT (1 2)"},
    {"data": {"n": 2}, "geometry": "LINESTRING (0 0, 1 1)"},
    {"data": {"n": 3}, "geometry": "POLYGON ((0 0, 4 0, 4 4, 0 0), (2 1, 3 1, 3 2, 2 1))"},
    {"data": {"n": 4}, "geometry": None},
]


@pytest.fixture(scope="module")
def mixed(shared: Caller) -> str:
    layer = table_layer(shared, "mixed", "GEOMETRY", {"n": "integer"})
    made(shared.post(f"layers/{layer}/features", json=MIXED))
    return layer


def test_a_shapefile_of_several_kinds_is_several(shared: Caller, mixed: str, tmp_path: Path) -> None:
    paths = [path for path in received(shared.get(f"layers/{mixed}/export.shp"), tmp_path) if path.suffix == ".shp"]
    found = {path.stem.rpartition("_")[2]: by_pyogrio(path).columns["n"] for path in paths}
    assert found == {"point": [1, 4], "line": [2], "polygon": [3]}


@pytest.mark.parametrize("fmt", ["mif", "kml", "gml", "geojson", "gpkg", "fgb"])
def test_formats_that_hold_all_kinds(shared: Caller, mixed: str, tmp_path: Path, fmt: str) -> None:
    found = by_pyogrio(main_file(received(shared.get(f"layers/{mixed}/export.{fmt}"), tmp_path), fmt))
    assert sorted(map(int, found.columns["n"])) == [1, 2, 3, 4]
    assert found.box == (0, 0, 4, 4)


def test_gpx_refuses_polygons_wherever_they_are(shared: Caller, mixed: str) -> None:
    answer = shared.get(f"layers/{mixed}/export.gpx")
    assert answer.status_code == 400
    assert "polygon" in answer.json()["nested"]["msg"]


def test_what_has_no_place_in_a_drawing_is_said(shared: Caller, mixed: str, tmp_path: Path) -> None:
    paths = received(shared.get(f"layers/{mixed}/export.dxf"), tmp_path)
    (notes,) = [path for path in paths if path.suffix == ".txt"]
    assert "Features without geometry are left out, for the format cannot hold them: 1." in notes.read_text("utf-8")
    assert by_ogrinfo(main_file(paths, "dxf")).count == 3


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_layer_without_features(shared: Caller, tmp_path: Path, fmt: str) -> None:
    layer = table_layer(shared, f"empty_{fmt}", "POINT", {"name": "text"})
    path = main_file(received(shared.get(f"layers/{layer}/export.{fmt}"), tmp_path), fmt)
    found = by_ogrinfo(path, "waypoints" if fmt == "gpx" else None)
    # The only row of a sheet is never taken for its head.
    assert found.count == (1 if fmt == "xlsx" else 0)


@pytest.mark.parametrize("fmt", ["shp", "kml", "dxf", "gml", "geojson", "gpkg", "fgb", "gpx"])
def test_heights_are_kept(shared: Caller, tmp_path: Path, fmt: str) -> None:
    source = b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"up"},"geometry":' + (
        b'{"type":"LineString","coordinates":[[0,0,5],[1,1,6]]}}]}'
    )
    assert shared.post(f"storage/fs/high_{fmt}", files={"file": ("up.geojson", source)}).status_code == 201
    sent = {"mid": new_map(shared)["id"], "source": {"type": "file", "src": f"/high_{fmt}/up.geojson"}}
    layer = made(shared.post("layers", json=sent))["id"]
    path = main_file(received(shared.get(f"layers/{layer}/export.{fmt}"), tmp_path), fmt)
    assert heights(path) == [5, 6]


def heights(path: Path) -> list[float]:
    if path.suffix == ".gpx":
        return [float(height) for height in re.findall("<ele>(.*?)</ele>", path.read_text())]
    found = shapely.from_wkb(raw.read(path)[2])
    return [float(height) for height in shapely.get_coordinates(found, include_z=True)[:, 2]]


# ---------------------------------------------------------------- names of files


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Ceste i putovi", "Ceste_i_putovi"),
        ("東京 / नमस्ते", "東京_नमस्ते"),
        ('a"; filename=x.exe\r\nSet-Cookie: a=b', "a_filename_x.exe_Set-Cookie_a_b"),
        ("../../etc/passwd", "etc_passwd"),
        ("x" * 250, "x" * 120),
        ("...", ""),
        ("gpkg_contents", "gpkg_contents"),
    ],
)
def test_file_names(shared: Caller, tmp_path: Path, name: str, stem: str) -> None:
    table = f"names_{abs(hash(name)) % 10**9}"
    new_table(shared, table)
    new_row(shared, table, name="one")
    layer = new_layer(shared, new_map(shared)["id"], table, name=name)["id"]
    answer = shared.get(f"layers/{layer}/export.gpkg")
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    said = re.fullmatch(
        r'attachment; filename="[\w.-]+"; filename\*=UTF-8\'\'(.+)', answer.headers["content-disposition"]
    )
    assert said is not None
    assert unquote(said[1]) == (stem or f"layer_{layer}") + ".gpkg"
    zipped = tmp_path / "x.zip"
    zipped.write_bytes(shared.get(f"layers/{layer}/export.gml").content)
    with zipfile.ZipFile(zipped) as archive:
        assert {Path(each).stem for each in archive.namelist()} == {stem or f"layer_{layer}"}


# ---------------------------------------------------------------- who may have it


@dataclass(frozen=True)
class Lent:
    """A layer of somebody, another one that is exportable, and those who have a permission on their map, or none."""

    closed: str
    open: str
    callers: dict[str | None, Caller]


@pytest.fixture(scope="module")
def lent(server: Server) -> Iterator[Lent]:
    names: tuple[str | None, ...] = (None, "READ", "EXPORT")
    with server.new_user() as owner, ExitStack() as until_the_end:
        callers = {name: until_the_end.enter_context(server.new_user()) for name in names}
        found = new_map(owner)
        new_table(owner)
        closed, opened = (new_layer(owner, found["id"], "places", exportable=word)["id"] for word in "ft")
        new_feature(owner, closed, name="secret")
        for name in names[1:]:
            share(owner, found["resource_id"], callers[name].username, str(name))
        yield Lent(closed, opened, callers)


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("permission", "closed", "opened"), [(None, 404, 404), ("READ", 403, 200), ("EXPORT", 200, 200)]
)
def test_who_may_export(lent: Lent, fmt: str, permission: str | None, closed: int, opened: int) -> None:
    for layer, status in ((lent.closed, closed), (lent.open, opened)):
        answer = lent.callers[permission].get(f"layers/{layer}/export.{fmt}")
        assert answer.status_code == status
        assert status == 200 or b"secret" not in answer.content


def test_nothing_is_left_in_the_account(server: Server, shared: Caller, mixed: str) -> None:
    staging = server.data / "accounts" / str(shared.user_id) / "staging"
    for fmt in FORMATS:
        shared.get(f"layers/{mixed}/export.{fmt}")
    # An answer is with its caller a moment before the server is done with it.
    wait_until(lambda: not list(staging.iterdir()), f"{list(staging.iterdir())} is left")


def test_tables_as_csv_say_their_name(shared: Caller) -> None:
    made(shared.post("tables", json={"name": "županije", "columns": {"name": {"type": "text"}}}))
    answer = shared.get("tables/županije/export.csv")
    assert answer.headers["content-disposition"].endswith("filename*=UTF-8''%C5%BEupanije.csv")


def test_features_as_csv(world: World, known: dict[str, Known]) -> None:
    of = known["cities.geojson"]
    answer = world.caller.get(f"layers/{of.layer}/features.csv?where=name='Bogotá'&fields=name,country")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.splitlines()[0] == "ogc_fid,name,country,wkb_geometry"[: len(answer.text.splitlines()[0])]
    assert "Bogotá" in answer.text.splitlines()[1]
    assert json.dumps(answer.text).count("\\r\\n") == 2
