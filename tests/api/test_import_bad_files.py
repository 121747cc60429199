"""Files that cannot be used: a sentence that names the file and the place in it, and nothing half made."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.server import Caller, Server
from tests.sharing import got, ids, new_map, tables_of, upload

Files = dict[str, bytes]
PointFeature = '{"type": "Feature", "properties": {"n": 1}, "geometry": {"type": "Point", "coordinates": [1, 2]}}'


@pytest.fixture(scope="module")
def lakes(data_dir: Path) -> Files:
    """The parts of a shapefile by their suffix."""
    with zipfile.ZipFile(data_dir / "lakes.zip") as opened:
        return {Path(name).suffix[1:]: opened.read(name) for name in opened.namelist()}


def collection(*geometries: str, crs: str | None = None) -> bytes:
    features = [f'{{"type": "Feature", "properties": {{}}, "geometry": {geometry}}}' for geometry in geometries]
    named = "" if crs is None else f'"crs": {{"type": "name", "properties": {{"name": "{crs}"}}}}, '
    return f'{{"type": "FeatureCollection", {named}"features": [{", ".join(features)}]}}'.encode()


def polygon(*corners: tuple[float, float]) -> str:
    return json.dumps({"type": "Polygon", "coordinates": [corners]})


SQUARE = polygon((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))
OPEN = polygon((0, 0), (1, 0), (1, 1), (0, 1))
SHORT = polygon((0, 0), (1, 0))
HALF = "id,lat,lon\n" + "".join(f"{i},{i},{i}\n" if i % 2 else f"{i},,\n" for i in range(1, 41))

# What is uploaded, which file the layer is to show, and what the sentence must say besides that file's name.
CASES: dict[str, tuple[Callable[[Files], Files], str, tuple[str, ...]]] = {
    "no index": (lambda lakes: {"a.shp": lakes["shp"], "a.prj": lakes["prj"]}, "a.shp", ("a.shx", "missing")),
    "text as shapefile": (
        lambda lakes: {"b.shp": b"Dear Sir or Madam, " * 20, "b.shx": lakes["shx"], "b.prj": lakes["prj"]},
        "b.shp",
        (),
    ),
    "shapefile cut off": (
        lambda lakes: {"c.shp": lakes["shp"][:50_000], "c.shx": lakes["shx"], "c.prj": lakes["prj"]},
        "c.shp",
        ("50,000",),
    ),
    "unknown projection": (
        lambda lakes: {"d.shp": lakes["shp"], "d.shx": lakes["shx"], "d.prj": b'PROJCS["my own grid"]'},
        "d.shp",
        ("d.prj", "projection"),
    ),
    "no projection, not degrees": (
        lambda lakes: {"e.csv": b"x,y\n500000,5000000\n"},
        "e.csv",
        ("500000", "line 2"),
    ),
    "unknown projection in GeoJSON": (
        lambda lakes: {"f.geojson": collection('{"type": "Point", "coordinates": [1, 2]}', crs="EPSG:999999")},
        "f.geojson",
        ("999999",),
    ),
    "half the coordinates missing": (lambda lakes: {"g.csv": HALF.encode()}, "g.csv", ("line 3", "20 of 40")),
    "a ring that is not closed": (
        lambda lakes: {"h.geojson": collection(SQUARE, SQUARE, OPEN)},
        "h.geojson",
        ("feature 3", "ring"),
    ),
    "a ring of two points": (
        lambda lakes: {"i.geojson": collection(SQUARE, SHORT)},
        "i.geojson",
        ("feature 2", "ring"),
    ),
    "GeoJSON cut off": (lambda lakes: {"j.geojson": collection(SQUARE, SQUARE)[:-20]}, "j.geojson", ("line 1",)),
    "KML cut off": (lambda lakes: {"k.kml": b"<kml>\n<Document>\n<Placemark>"}, "k.kml", ("line 3",)),
    "no geometry": (lambda lakes: {"l.csv": b"name,size\na,1\n"}, "l.csv", ("geometry",)),
    "unknown format": (lambda lakes: {"m.docx": b"PK\3\4"}, "m.docx", ("format",)),
    "an image that is none": (lambda lakes: {"n.tif": b"II*\0 and so on"}, "n.tif", ()),
    "a database that is none": (lambda lakes: {"o.gpkg": b"SQLite format 3\0" + b"\0" * 84}, "o.gpkg", ()),
    "a spreadsheet that is none": (lambda lakes: {"p.xlsx": b"PK\3\4 no"}, "p.xlsx", ()),
    "WKT that is none": (
        lambda lakes: {"q.csv": b'id,wkt\n1,POINT (1 2)\n2,"POLYGON ((0 0, 1 1"\n'},
        "q.csv",
        ("line 3",),
    ),
    "latitudes beyond the poles": (lambda lakes: {"r.csv": b"lon,lat\n1,2\n3,95\n"}, "r.csv", ("line 3", "95")),
    "a missing file": (lambda lakes: {}, "nowhere.shp", ()),
}


@pytest.fixture(scope="module")
def work(shared: Caller, lakes: Files) -> str:
    """A map, with all the bad files in storage."""
    for number, (make, _, _) in enumerate(CASES.values()):
        files = make(lakes)
        if files:
            answer = upload(shared, f"bad/{number}", **{name.replace(".", "__"): files[name] for name in files})
            assert answer.status_code == 201, answer.text
    return str(new_map(shared)["id"])


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_read(server: Server, shared: Caller, work: str, case: str) -> None:
    _, name, said = CASES[case]
    path = f"/bad/{list(CASES).index(case)}/{name}"
    source = {"type": "file", "src": path}
    answer = shared.post("layers", json={"mid": work, "name": "bad", "source": source})
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST"), answer.text
    sentence = answer.json()["nested"]["msg"]
    assert [word for word in (name, *said) if word not in sentence] == [], sentence
    assert str(server.data) not in answer.text
    if case != "no geometry":
        assert shared.post("tables", json={"name": "bad", "source": source}).status_code == 400
    assert ids(shared, f"maps/{work}/layers") == []
    assert tables_of(shared, shared) == []
    assert server.tables_in_store(shared.user_id) == []
    staging = server.data / "accounts" / str(shared.user_id) / "staging"
    assert list(staging.iterdir()) == []
    assert shared.get("users/current").status_code == 200


def test_an_empty_file(user: Caller) -> None:
    """It may stand in storage when it was written on purpose, but shows nothing."""
    refused = upload(user, "", empty__geojson=b"")
    assert (refused.status_code, "empty.geojson" in refused.json()["nested"]["msg"]) == (400, True)
    got(user.put("storage/fs/empty.geojson", json={"content": ""}))
    source = {"type": "file", "src": "empty.geojson"}
    answer = user.post("layers", json={"mid": new_map(user)["id"], "source": source})
    assert (answer.status_code, answer.json()["nested"]["msg"]) == (400, "“empty.geojson” is empty.")


@pytest.mark.parametrize("case", ["truncated", "above"])
def test_a_zip_that_cannot_be_unpacked(server: Server, user: Caller, data_dir: Path, case: str) -> None:
    content = (data_dir / "countries.zip").read_bytes()
    if case == "above":
        held = io.BytesIO(content)
        with zipfile.ZipFile(held, "a") as opened:
            opened.writestr("../up.txt", "x")
        content = held.getvalue()
    else:
        content = content[: len(content) // 2]
    answer = user.post("storage/fs/data", files={"file": ("countries.zip", content)})
    assert answer.status_code == 400
    assert "countries.zip" in answer.json()["nested"]["msg"]
    assert case != "above" or "../up.txt" in answer.json()["nested"]["msg"]
    assert got(user.get("storage/fs"))["data"] == []
    assert not list(server.data.rglob("up.txt"))


def test_a_bad_row_far_down(user: Caller) -> None:
    """Found when most has been read: nothing of it stays."""
    rows = [f"{i},{i % 90},{i % 180}" for i in range(1, 20_001)]
    rows[17_122] = "17123,here,there"
    upload(user, "", far__csv="\n".join(["id,lat,lon", *rows]).encode())
    map_id = new_map(user)["id"]
    answer = user.post("layers", json={"mid": map_id, "source": {"type": "file", "src": "far.csv"}})
    assert answer.status_code == 400, answer.text
    assert "line 17124" in answer.json()["nested"]["msg"].replace(",", "")
    assert ids(user, f"maps/{map_id}/layers") == []


def test_a_shapefile_with_a_broken_record_far_down(server: Server, user: Caller, lakes: Files) -> None:
    shape = bytearray(lakes["shp"])
    offset, _ = struct.unpack_from(">ii", lakes["shx"], 100 + 8 * 700)
    struct.pack_into("<i", shape, offset * 2 + 8 + 36, 2_000_000_000)  # its number of parts
    upload(user, "", broken__shp=bytes(shape), broken__shx=lakes["shx"], broken__prj=lakes["prj"])
    source = {"type": "file", "src": "broken.shp"}
    answer = user.post("layers", json={"mid": new_map(user)["id"], "source": source})
    assert answer.status_code == 400, answer.text
    assert "broken.shp" in answer.json()["nested"]["msg"]
    assert server.tables_in_store(user.user_id) == []


def test_what_is_said_of_a_file_that_is_wrong(user: Caller) -> None:
    upload(user, "", a__csv=b"e,n,name\n1,2,a\n")
    map_id = new_map(user)["id"]
    for extra, field in (
        ({"epsg": 999_999}, "epsg"),
        ({"x": "nothing", "y": "n"}, "x"),
        ({"encoding": "no such"}, "encoding"),
    ):
        source = {"type": "file", "src": "a.csv", "x": "e", "y": "n"} | extra
        answer = user.post("layers", json={"mid": map_id, "source": source})
        assert (answer.status_code, field in answer.json()["nested"].get("field", "")) == (400, True), answer.text
    assert ids(user, f"maps/{map_id}/layers") == []
