"""Files that can be used, each in its own way, as the features of a layer."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyogrio
import pyproj
import pytest
import shapely
from tests.server import Caller
from tests.sharing import got, new_file_layer, new_map, upload


def shapefile(folder: Path, stem: str, wkt: list[str], encoding: str, **columns: list[Any]) -> dict[str, bytes]:
    """The parts of a shapefile in EPSG:3857, by name with ``__`` for the dot."""
    shapes = pa.array(shapely.to_wkb(shapely.from_wkt(wkt)), pa.binary())
    kind = shapely.from_wkt(wkt[0]).geom_type
    pyogrio.write_arrow(
        pa.table({**{key: pa.array(values) for key, values in columns.items()}, "shape": shapes}),
        folder / f"{stem}.shp",
        driver="ESRI Shapefile",
        geometry_name="shape",
        geometry_type=kind,
        crs="EPSG:3857",
        encoding=encoding,
    )
    return {f"{stem}__{part.suffix[1:]}": part.read_bytes() for part in folder.glob(f"{stem}.*")}


def shown(caller: Caller, layer: dict[str, Any], **parameters: Any) -> list[dict[str, Any]]:
    sent = {"geometry": "wkt", "epsg": 4326} | parameters
    return list(got(caller.get(f"layers/{layer['id']}/features", params=sent))["data"])


@pytest.fixture(scope="module")
def map_id(shared: Caller) -> str:
    return str(new_map(shared)["id"])


@pytest.mark.parametrize(
    ("encoding", "kept", "word"),
    [
        ("UTF-8", True, "Ελλάδα 日本"),
        ("CP1250", True, "Łódź Žižkov"),
        ("CP1251", True, "Москва"),
        ("ISO-8859-1", True, "Zürich"),
        ("UTF-8", False, "Łódź"),
        ("CP1252", False, "Zürich"),
    ],
)
def test_encodings(shared: Caller, map_id: str, tmp_path: Path, encoding: str, kept: bool, word: str) -> None:
    """Named by a .cpg, or guessed."""
    name = f"e{encoding.replace('-', '').lower()}{int(kept)}"
    parts = shapefile(tmp_path, name, ["POINT (0 0)"], encoding, name=[word])
    if not kept:
        parts.pop(f"{name}__cpg", None)
    upload(shared, "encodings", **parts)
    layer = new_file_layer(shared, map_id, f"/encodings/{name}.shp")
    assert [one["data"]["name"] for one in shown(shared, layer)] == [word]


def test_a_projection_of_its_own(shared: Caller, map_id: str, tmp_path: Path) -> None:
    parts = shapefile(tmp_path, "mercator", ["POINT (1113194.9079327357 0)"], "UTF-8", n=[1])
    upload(shared, "own", **parts)
    layer = new_file_layer(shared, map_id, "/own/mercator.shp")
    assert layer["epsg"] == "3857"
    assert shapely.from_wkt(shown(shared, layer)[0]["__geometry"]).x == pytest.approx(10)


def test_a_projection_that_is_stated(shared: Caller, map_id: str, tmp_path: Path) -> None:
    """Where the file has none and is not in degrees: refused, until the source says which it is."""
    parts = shapefile(tmp_path, "bare", ["POINT (1113194.9079327357 0)"], "UTF-8", n=[1])
    del parts["bare__prj"]
    upload(shared, "bare", **parts)
    source = {"type": "file", "src": "/bare/bare.shp"}
    refused = shared.post(f"maps/{map_id}/layers", json={"source": source})
    assert (refused.status_code, refused.json()["nested"]["field"]) == (400, "epsg")
    layer = shared.post(f"maps/{map_id}/layers", json={"source": source | {"epsg": 3857}}).json()
    assert shapely.from_wkt(shown(shared, layer)[0]["__geometry"]).x == pytest.approx(10)


@pytest.mark.parametrize(
    ("crs", "epsg"),
    [("EPSG:4979", "4326"), ("EPSG:25832+5783", "25832"), ("+proj=eqearth +lon_0=11 +datum=WGS84", None)],
)
def test_projections_that_a_plain_geopackage_has_no_words_for(
    user: Caller, tmp_path: Path, crs: str, epsg: str | None
) -> None:
    geometry = pa.array([shapely.to_wkb(shapely.Point(1, 2))], pa.binary())
    how = {"driver": "GPKG", "geometry_name": "g", "geometry_type": "Point", "crs": crs}
    pyogrio.write_arrow(pa.table({"g": geometry}), tmp_path / "a.gpkg", **how)
    upload(user, "", a__gpkg=(tmp_path / "a.gpkg").read_bytes())
    layer = new_file_layer(user, new_map(user)["id"], "a.gpkg")
    assert layer["epsg"] == epsg
    found = shapely.from_wkt(shown(user, layer)[0]["__geometry"])
    source = pyproj.CRS(crs) if epsg is None else pyproj.CRS(f"EPSG:{epsg}")
    expected = pyproj.Transformer.from_crs(source, "EPSG:4326", always_xy=True).transform(1, 2)
    assert (found.x, found.y) == pytest.approx(expected)


def test_no_projection_but_degrees(shared: Caller, map_id: str, tmp_path: Path) -> None:
    parts = shapefile(tmp_path, "degrees", ["POINT (10 50)"], "UTF-8", n=[1])
    del parts["degrees__prj"]
    upload(shared, "degrees", **parts)
    layer = new_file_layer(shared, map_id, "/degrees/degrees.shp")
    assert (layer["epsg"], shown(shared, layer)[0]["__geometry"]) == ("4326", "POINT (10 50)")


def test_no_attribute_table(shared: Caller, map_id: str, data_dir: Path) -> None:
    with (data_dir / "borders.zip").open("rb") as file:
        assert shared.post("storage/fs/borders", files={"file": ("borders.zip", file)}).status_code == 201
    name = next(one["filename"] for one in got(shared.get("storage/fs/borders"))["data"] if one["extension"] == "shp")
    layer = new_file_layer(shared, map_id, f"/borders/{name}")
    with zipfile.ZipFile(data_dir / "borders.zip") as opened:
        index = next(one for one in opened.infolist() if one.filename.endswith(".shx"))
    answer = got(shared.get(f"layers/{layer['id']}/features?perpage=3&geometry=wkt"))
    assert (layer["type"], answer["total"]) == ("line", (index.file_size - 100) // 8)
    assert [one["data"] for one in answer["data"]] == [{}, {}, {}]
    assert got(shared.get(f"layers/{layer['id']}/columns")) == []


MIXED = [
    "POLYGON ((0 0, 1 0, 1 1, 0 0))",
    "MULTIPOLYGON (((2 2, 3 2, 3 3, 2 2)), ((4 4, 5 4, 5 5, 4 4)))",
    "LINESTRING (0 0, 1 1)",
    "POINT (7 8)",
]


@pytest.mark.parametrize(
    ("wanted", "count", "left_out"), [(None, 2, 2), ("polygon", 2, 2), ("line", 1, 3), ("point", 1, 3)]
)
def test_mixed_geometries(shared: Caller, map_id: str, wanted: str | None, count: int, left_out: int) -> None:
    """One family a layer, single and multi as one; what is left out is counted."""
    features = [
        {"type": "Feature", "properties": {"n": n}, "geometry": json.loads(shapely.to_geojson(shapely.from_wkt(one)))}
        for n, one in enumerate(MIXED)
    ]
    content = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    upload(shared, "mixed", mixed__geojson=content)
    layer = new_file_layer(shared, map_id, "/mixed/mixed.geojson", **({"type": wanted} if wanted else {}))
    assert layer["type"] == (wanted or "polygon")
    assert str(left_out) in layer["status_text"]
    found = shown(shared, layer)
    assert len(found) == count
    assert len({shapely.from_wkt(one["__geometry"]).geom_type for one in found}) == 1


CSVS = {
    "degrees": "name,latitude,longitude\nÅ,50,10\n",
    "short names": "name;lat;lon\nÅ;50;10\n",
    "semicolons and decimal commas": "name;lat;lon\nÅ;50,0;10,0\n",
    "tabs": "name\tY\tX\nÅ\t50\t10\n",
    "quoted": 'name,lon,lat\n"Å","10","50"\n',
    "WKT": "name,wkt\nÅ,POINT (10 50)\n",
    "quoted WKT": 'name,the_geom\nÅ,"POINT (10 50)"\n',
    "byte order mark": "\ufeffname,lat,lng\nÅ,50,10\n",
    "lines of Windows": "name,lat,lon\r\nÅ,50,10\r\n",
}


@pytest.mark.parametrize("case", CSVS)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_csv(shared: Caller, map_id: str, case: str, encoding: str) -> None:
    if case == "byte order mark" and encoding != "utf-8":
        encoding = "utf-16"
    name = f"{list(CSVS).index(case)}{encoding.replace('-', '')}"
    upload(shared, "csv", **{f"{name}__csv": CSVS[case].encode(encoding)})
    layer = new_file_layer(shared, map_id, f"/csv/{name}.csv")
    found = shown(shared, layer)
    assert [(one["data"]["name"], one["__geometry"]) for one in found] == [("Å", "POINT (10 50)")]


def test_csv_whose_columns_are_told(shared: Caller, map_id: str) -> None:
    upload(shared, "told", a__csv=b"a,b,c\n500000,5500000,x\n")
    source = {"type": "file", "src": "/told/a.csv", "x": "a", "y": "b", "epsg": 32632}
    layer = shared.post(f"maps/{map_id}/layers", json={"source": source}).json()
    assert (layer["epsg"], layer["x_min"]) == ("32632", "500000.0")
    assert list(shown(shared, layer)[0]["data"]) == ["a", "b", "c"]


def test_types_of_columns(shared: Caller, map_id: str) -> None:
    rows = "n,x,flag,day,moment,zip,lat,lon\n1,1.5,true,2024-02-29,2024-02-29T12:00:00Z,01234,50,10\n,,,,,,51,11\n"
    upload(shared, "types", types__csv=rows.encode())
    layer = new_file_layer(shared, map_id, "/types/types.csv")
    types = {one["name"]: one["type"] for one in got(shared.get(f"layers/{layer['id']}/columns"))}
    assert types["n"] == "integer"
    assert types["x"] in ("real", "number")
    assert (types["day"], types["moment"], types["zip"]) == ("date", "datetime", "text")
    first, second = shown(shared, layer)
    assert (first["data"]["day"], first["data"]["zip"]) == ("2024-02-29", "01234")
    assert {key for key, value in second["data"].items() if value is None} == {"n", "x", "flag", "day", "moment", "zip"}


def test_z_is_kept(shared: Caller, map_id: str) -> None:
    line = {"type": "LineString", "coordinates": [[0, 0, 5], [1, 1, 6.5]]}
    upload(shared, "z", z__geojson=json.dumps({"type": "Feature", "properties": {}, "geometry": line}).encode())
    layer = new_file_layer(shared, map_id, "/z/z.geojson")
    found = shown(shared, layer, geometry="geojson")[0]["__geometry"]
    assert found["coordinates"] in ([[0, 0, 5], [1, 1, 6.5]], [[[0, 0, 5], [1, 1, 6.5]]])


def test_layers_of_a_file(shared: Caller, map_id: str, tmp_path: Path) -> None:
    path = tmp_path / "two.gpkg"
    for name, wkt in (("first", "POINT (1 1)"), ("second", "LINESTRING (0 0, 1 1)")):
        geometry = pa.array([shapely.to_wkb(shapely.from_wkt(wkt))], pa.binary())
        kind = wkt.split()[0].title().replace("string", "String")
        table = pa.table({"g": geometry, "n": [1]})
        how = {"geometry_name": "g", "geometry_type": kind, "crs": "EPSG:4326", "append": path.exists()}
        pyogrio.write_arrow(table, path, driver="GPKG", layer=name, **how)
    upload(shared, "two", two__gpkg=path.read_bytes())
    types = []
    for extra in ({}, {"layer": "first"}, {"layer": "second"}):
        answer = shared.post(f"maps/{map_id}/layers", json={"source": {"type": "file", "src": "/two/two.gpkg"} | extra})
        types.append(answer.json()["type"])
    assert types == ["point", "point", "line"]
    wrong = {"type": "file", "src": "/two/two.gpkg", "layer": "third"}
    answer = shared.post(f"maps/{map_id}/layers", json={"source": wrong})
    assert (answer.status_code, "first" in answer.text) == (400, True)


def test_a_table_of_a_file_can_be_edited(user: Caller) -> None:
    upload(user, "", a__csv=b"name,lat,lon\none,50,10\ntwo,51,11\n")
    made = user.post("tables", json={"name": "edited", "source": {"type": "file", "src": "a.csv"}})
    assert (made.status_code, made.json()["geometry"]) == (201, "POINT")
    map_id = new_map(user)["id"]
    layer = user.post(f"maps/{map_id}/layers", json={"source": {"type": "pg", "src": "edited"}}).json()
    path = f"layers/{layer['id']}/features"
    added = user.post(path, json={"data": {"name": "three"}, "geometry": "POINT (12 52)"})
    assert added.status_code == 201
    assert user.delete(f"{path}/1").status_code == 204
    assert [one["data"]["name"] for one in got(user.get(path))["data"]] == ["two", "three"]
    of_file = new_file_layer(user, map_id, "a.csv")
    refused = user.post(f"layers/{of_file['id']}/features", json={"geometry": "POINT (1 1)"})
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
