"""Making, changing and deleting features (the contract, section 4)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import shapely
from pyproj import Transformer
from tests.answers import refused
from tests.api_data import COLUMNS, TYPED, World, table_layer, typed_layer
from tests.server import Caller, Server
from tests.sharing import got, made

MERCATOR = Transformer.from_crs(4326, 3857, always_xy=True)
X, Y = MERCATOR.transform(15, 45)
LAEA = Transformer.from_crs(4326, 3035, always_xy=True).transform(15, 45)
KML = '<Point xmlns="http://www.opengis.net/kml/2.2"><coordinates>15,45,0</coordinates></Point>'
NAMED = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}
GML = '<gml:Point xmlns:gml="http://www.opengis.net/gml"{srs}><gml:pos>{x} {y}</gml:pos></gml:Point>'


@pytest.fixture(scope="module")
def layers(server: Server) -> Iterator[tuple[Caller, dict[str, str]]]:
    """A caller with a layer of each kind of table, by its name."""
    kinds = {"points": "POINT", "lines": "multilinestring", "areas": "MultiPolygon", "any": "GEOMETRY"}
    with server.new_user() as caller:
        made_ids = {name: table_layer(caller, name, kind, COLUMNS) for name, kind in kinds.items()}
        made_ids["mercator"] = table_layer(caller, "mercator", "POINT", COLUMNS, 3857)
        made_ids["strict"] = strict_layer(caller)
        yield caller, made_ids


def strict_layer(caller: Caller) -> str:
    """A layer whose column ``must`` cannot be empty."""
    columns = {"must": {"type": "text", "not_null": True}, "may": {"type": "integer"}}
    made(caller.post("tables", json={"name": "strict", "geometry": "point", "columns": columns}))
    map_id = made(caller.post("maps"))["id"]
    return str(made(caller.post("layers", json={"mid": map_id, "source": {"type": "pg", "src": "strict"}}))["id"])


def new_feature(caller: Caller, layer: str, sent: dict[str, Any]) -> str:
    """The path of a new feature."""
    return f"layers/{layer}/features/{made(caller.post(f'layers/{layer}/features', json=sent))['__id']}"


def count(caller: Caller, layer: str) -> int:
    return int(got(caller.get(f"layers/{layer}/features?perpage=1"))["total"])


@pytest.mark.parametrize(
    ("table", "query", "body"),
    [
        ("points", {}, {"geometry": "POINT (15 45)"}),
        ("points", {}, {"__geometry": "point(15 45)"}),
        ("points", {}, {"geometry": "SRID=4326;POINT(15 45)"}),
        ("points", {}, {"geometry": f"SRID=3857;POINT({X} {Y})"}),
        ("points", {}, {"geometry": {"type": "Point", "coordinates": [15, 45]}}),
        ("points", {}, {"geometry": '{"type": "Point", "coordinates": [15, 45]}'}),
        ("points", {}, {"geometry": {"type": "Point", "coordinates": [X, Y], "crs": NAMED}}),
        ("points", {}, {"geometry": KML}),
        ("points", {}, {"geometry": "<Point><coordinates>15,45</coordinates></Point>"}),
        ("points", {}, {"geometry": GML.format(srs="", x=15, y=45)}),
        ("points", {}, {"geometry": GML.format(srs=' srsName="EPSG:3857"', x=X, y=Y)}),
        ("points", {}, {"geometry": GML.format(srs=' srsName="urn:ogc:def:crs:EPSG::3035"', x=LAEA[0], y=LAEA[1])}),
        ("points", {"srid": "3857"}, {"geometry": f"POINT ({X} {Y})"}),
        ("points", {"epsg": "900913"}, {"geometry": f"POINT ({X} {Y})"}),
        ("points", {"proj4": "+proj=merc +a=6378137 +b=6378137 +units=m"}, {"geometry": f"POINT ({X} {Y})"}),
        ("points", {"srid": "3857"}, {"geometry": f"SRID=4326;POINT ({X} {Y})", "srid": 3035}),
        ("points", {}, {"geometry": f"POINT ({X} {Y})", "srid": 3857}),
        ("points", {}, {"geometry": f"SRID=4326;POINT ({X} {Y})", "epsg": "EPSG:3857"}),
        ("points", {}, {"geometry": f"POINT ({X} {Y})", "__epsg": 3857}),
        ("points", {}, {"geometry": "SRID=4326;POINT (15 45)", "__epsg": 3857}),
        ("points", {}, {"geometry": {"type": "Point", "coordinates": [15, 45, 7]}}),
        ("mercator", {}, {"geometry": f"POINT ({X} {Y})"}),
        ("mercator", {}, {"geometry": {"type": "Point", "coordinates": [15, 45]}}),
        ("mercator", {}, {"geometry": KML}),
        ("mercator", {}, {"geometry": {"type": "Point", "coordinates": [X, Y]}, "__epsg": 900913}),
    ],
    ids=range(25),
)
def test_geometry_in(
    layers: tuple[Caller, dict[str, str]], table: str, query: dict[str, str], body: dict[str, Any]
) -> None:
    caller, ids = layers
    response = caller.post(f"layers/{ids[table]}/features", params=query, json=body)
    path = f"layers/{ids[table]}/features/{made(response)['__id']}"
    assert response.headers["location"] == f"1/{path}"
    found = got(caller.get(path, params={"geometry": "geojson", "epsg": "4326"}))["__geometry"]
    assert found["type"] == "Point"
    assert found["coordinates"] == pytest.approx([15, 45], abs=1e-8)


SHAPES = [
    ("any", "POINT (1 2)", "POINT (1 2)"),
    ("any", "LINESTRING (1 2, 3 4)", "LINESTRING (1 2, 3 4)"),
    ("any", "POLYGON ((0 0, 1 0, 1 1, 0 0))", "POLYGON ((0 0, 1 0, 1 1, 0 0))"),
    ("any", "GEOMETRYCOLLECTION (POINT (1 2))", "GEOMETRYCOLLECTION (POINT (1 2))"),
    ("lines", "LINESTRING (1 2, 3 4)", "MULTILINESTRING ((1 2, 3 4))"),
    ("lines", "MULTILINESTRING ((1 2, 3 4), (5 6, 7 8))", "MULTILINESTRING ((1 2, 3 4), (5 6, 7 8))"),
    (
        "areas",
        "POLYGON ((0 0, 9 0, 9 9, 0 0), (2 1, 3 1, 3 2, 2 1))",
        "MULTIPOLYGON (((0 0, 9 0, 9 9, 0 0), (2 1, 3 1, 3 2, 2 1)))",
    ),
    ("points", "POINT Z (1 2 3)", "POINT (1 2)"),
    ("points", "POINT (190 2)", "POINT (190 2)"),
]


@pytest.mark.parametrize(("table", "sent", "kept"), SHAPES)
@pytest.mark.parametrize("form", ["wkt", "geojson", "kml", "gml"])
def test_shapes_in_and_out(layers: tuple[Caller, dict[str, str]], table: str, sent: str, kept: str, form: str) -> None:
    caller, ids = layers
    number = made(caller.post(f"layers/{ids[table]}/features", json={"geometry": sent}))["__id"]
    path = f"layers/{ids[table]}/features/{number}"
    assert got(caller.get(path, params={"geometry": "wkt"}))["__geometry"] == kept
    told = got(caller.get(path, params={"geometry": form}))["__geometry"]
    copied = made(caller.post(f"layers/{ids[table]}/features", json={"geometry": told}))["__id"]
    again = got(caller.get(f"layers/{ids[table]}/features/{copied}", params={"geometry": "wkt"}))["__geometry"]
    assert shapely.equals(shapely.from_wkt(again), shapely.from_wkt(kept))


BAD_GEOMETRY: list[tuple[str, Any]] = [
    ("points", "POINT (15)"),
    ("points", "POINT (15 45"),
    ("points", "hello"),
    ("points", 5),
    ("points", True),
    ("points", []),
    ("points", {}),
    ("points", {"type": "Point"}),
    ("points", {"type": "Point", "coordinates": "x"}),
    ("points", {"type": "Point", "coordinates": [1, None]}),
    ("points", {"type": "Point", "coordinates": [1, [2]]}),
    ("points", {"type": "Pt", "coordinates": [1, 2]}),
    ("points", "POINT (nan 1)"),
    ("points", "POINT (1e999 1)"),
    ("points", "POINT (15 95)"),
    ("points", "POINT (1670000 5600000)"),
    ("points", "LINESTRING (1 2, 3 4)"),
    ("points", "MULTIPOINT (1 2, 3 4)"),
    ("points", "POINT (1 2)\0"),
    ("points", "<Point><coordinates>15</coordinates></Point>"),
    ("points", "<Point><coordinates>15,45"),
    ("points", "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><Point><coordinates>&y;</coordinates></Point>"),
    ("points", "<a/>"),
    ("points", GML.format(srs=' srsName="nothing"', x=15, y=45)),
    ("points", "SRID=1;POINT (1 2)"),
    ("mercator", "POINT (99999999999 0)"),
    ("lines", "LINESTRING (1 2)"),
    ("areas", "POLYGON ((0 0, 1 0, 1 1, 0 1))"),
    ("areas", {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}),
    ("areas", {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0]]]}),
    ("areas", "CURVEPOLYGON (CIRCULARSTRING (0 0, 1 1, 2 0, 1 -1, 0 0))"),
    ("any", "GEOMETRYCOLLECTION (" * 100 + "POINT (1 2)" + ")" * 100),
]


@pytest.mark.parametrize(("table", "geometry"), BAD_GEOMETRY, ids=range(len(BAD_GEOMETRY)))
def test_geometry_that_is_refused(layers: tuple[Caller, dict[str, str]], table: str, geometry: Any) -> None:
    caller, ids = layers
    before = count(caller, ids[table])
    for body in ({"geometry": geometry}, [{"geometry": None}, {"geometry": geometry}]):
        refused(caller.post(f"layers/{ids[table]}/features", json=body), 400, "geometry")
    assert count(caller, ids[table]) == before


@pytest.mark.parametrize(
    ("column", "sent", "kept"),
    [
        ("t", "ž\n\t€", "ž\n\t€"),
        ("t", 5, "5"),
        ("t", 1.50, "1.5"),
        ("t", True, "true"),
        ("t", {"a": [1]}, '{"a":[1]}'),
        ("t", "", ""),
        ("i", "7", 7),
        ("i", -9.0, -9),
        ("i", " 12 ", 12),
        ("n", "0.25", 0.25),
        ("n", 3.0, 3),
        ("r", "1e3", 1000.0),
        ("r", 3, 3.0),
        ("b", "t", True),
        ("b", 0, False),
        ("b", "false", False),
        ("d", "2026-02-03", "2026-02-03"),
        ("d", "2026-02-03T10:00:00Z", "2026-02-03"),
        ("m", "2026-02-03T10:00:00+02:00", "2026-02-03T08:00:00.000Z"),
        ("m", "2026-02-03 10:00", "2026-02-03T10:00:00.000Z"),
        ("m", 0, "1970-01-01T00:00:00.000Z"),
        ("T", "other case", "other case"),
    ],
)
def test_values_in(layers: tuple[Caller, dict[str, str]], column: str, sent: Any, kept: Any) -> None:
    caller, ids = layers
    feature = made(caller.post(f"layers/{ids['points']}/features", json={"data": {column: sent}}))
    assert feature["data"] == dict.fromkeys(COLUMNS) | {column.lower(): kept}
    assert type(feature["data"][column.lower()]) is type(kept)


BAD_VALUES: list[tuple[str, Any]] = [
    ("nothing", 1), ("ogc", 1), ("t", "a\0b"), ("t", "x" * 1_000_001),
    ("i", "x"), ("i", 1.5), ("i", 2**63), ("i", True), ("i", []), ("i", "1" * 400), ("i", 1e300),
    ("n", "x"), ("n", "nan"), ("n", "inf"), ("n", False), ("n", {}), ("r", "1e999"), ("r", []),
    ("b", "perhaps"), ("b", 2), ("b", 1.0), ("b", []),
    ("d", "x"), ("d", "2026-02-30"), ("d", 5.5), ("d", []), ("m", "x"), ("m", "2026-13-01T00:00"), ("m", 1e300),
    ("m", {}),
    ("m", "9999-12-31T23:59:59-14:00"),
    ("m", "0001-01-01T00:00:00+14:00"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value"), BAD_VALUES, ids=[f"{name}={str(value)[:12]}" for name, value in BAD_VALUES]
)
def test_values_that_are_refused(layers: tuple[Caller, dict[str, str]], column: str, value: Any) -> None:
    caller, ids = layers
    path = f"layers/{ids['lines']}/features"
    before = count(caller, ids["lines"])
    nested = refused(caller.post(path, json={"data": {column: value}}), 400, column)
    assert column in nested["msg"]
    refused(caller.post(path, json=[{"data": {}}, {"data": {column: value}}]), 400, column)
    assert count(caller, ids["lines"]) == before


@pytest.mark.parametrize(
    "body",
    [
        "5",
        "[5]",
        '["x"]',
        "[[]]",
        '{"data": 5}',
        '{"data": [1]}',
        '{"data": "x"}',
        '{"type": "FeatureCollection"}',
        '{"type": "FeatureCollection", "features": {}}',
        '{"type": "FeatureCollection", "features": [7]}',
        '{"type": "FeatureCollection", "crs": 5, "features": []}',
        '{"type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": "x"}}, "features": []}',
        '{"srid": "x", "geometry": "POINT (1 2)"}',
        '{"__epsg": [], "geometry": "POINT (1 2)"}',
        '{"proj4": {"a": 1}, "geometry": "POINT (1 2)"}',
    ],
)
def test_what_is_no_feature(layers: tuple[Caller, dict[str, str]], body: str) -> None:
    caller, ids = layers
    before = count(caller, ids["points"])
    refused(caller.post(f"layers/{ids['points']}/features", content=body), 400)
    assert count(caller, ids["points"]) == before


def test_several_at_once(user: Caller) -> None:
    layer = table_layer(user, "several", "POINT", {"name": "text"})
    path = f"layers/{layer}/features"
    response = user.post(path, json=[{"data": {"name": str(n)}, "geometry": f"POINT ({n} 1)"} for n in range(5)])
    assert response.headers["location"] == f"1/{path}"
    assert made(response) == [{"__id": number} for number in range(1, 6)]
    collection = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "EPSG:3857"}},
        "features": [
            {"type": "Feature", "properties": {"name": "a"}, "geometry": {"type": "Point", "coordinates": [X, Y]}},
            {"type": "Feature", "properties": None, "geometry": None},
        ],
    }
    response = user.post(path, json=collection)
    assert made(response) == [{"__id": 6}, {"__id": 7}]
    sixth, seventh = got(user.get(path, params={"where": "FID > 5"}))["data"]
    assert (sixth["data"], sixth["__xmin"]) == ({"name": "a"}, pytest.approx(15))
    assert (seventh["data"], seventh["__xmin"]) == ({"name": None}, None)
    nested = refused(user.post(path, json=[{"data": {"name": "x"}}] * 3 + [{"data": {"nam": "x"}}]), 400, "nam")
    assert "Feature 4" in nested["msg"]
    assert count(user, layer) == 7
    assert made(user.post(path, json=[])) == []


def test_changing(user: Caller) -> None:
    layer = typed_layer(user)
    path = f"layers/{layer}/features/1"
    before = got(user.get(path, params={"geometry": "wkt"}))
    changed = got(user.put(path, json={"data": {"T": "new"}}))
    assert changed["data"] == TYPED[0]["data"] | {"t": "new"}  # type: ignore[operator]
    assert got(user.get(path, params={"geometry": "wkt"}))["__geometry"] == before["__geometry"]
    moved = got(user.put(path, json={"geometry": "POINT (1 2)"}))
    assert (moved["__xmin"], moved["data"]) == (1, changed["data"])
    cleared = got(user.put(path, json={"geometry": None}))
    assert (cleared["__xmin"], cleared["data"]) == (None, changed["data"])
    assert got(user.put(path, json={"data": {"t": None}}))["data"]["t"] is None
    assert got(user.put(f"layers/{layer}/features", json={"__id": 1, "data": {"t": "by id"}}))["data"]["t"] == "by id"
    assert got(user.put(f"layers/{layer}/features", json={"id": "1", "data": {"t": "too"}}))["data"]["t"] == "too"
    refused(user.put(f"layers/{layer}/features", json={"data": {"t": "x"}}), 400, "id")
    for body, field in ({"data": {"x": 1}}, "x"), ({"data": {"i": "x"}}, "i"), ({"geometry": "x"}, "geometry"):
        refused(user.put(path, json=body | {"__owner": 7}), 400, field)
    assert got(user.get(path))["data"]["t"] == "too"
    assert got(user.get(path))["__owner"] == user.user_id
    refused(user.put(f"layers/{layer}/features/99", json={"data": {}}), 404)


@pytest.mark.parametrize("form", [None, "geojson", "wkt", "kml", "gml"])
@pytest.mark.parametrize("epsg", ["4326", "3857", "3035", "2056"])
def test_sending_back_what_was_read_changes_nothing(
    layers: tuple[Caller, dict[str, str]], form: str | None, epsg: str
) -> None:
    caller, ids = layers
    sent = {"data": {"t": "x", "r": 0.1}, "geometry": "POLYGON ((7.1 46.3, 8.123456789 46.4, 8.2 47.77, 7.1 46.3))"}
    path = new_feature(caller, ids["areas"], sent)
    before = caller.get(path, params={"geometry": "wkt"})
    read = got(caller.get(path, params={"epsg": epsg} | ({"geometry": form} if form else {})))
    written = caller.put(path, json=read)
    assert written.status_code == 200
    after = caller.get(path, params={"geometry": "wkt"})
    assert (after.text, after.headers["etag"]) == (before.text, before.headers["etag"])


def test_a_small_move_is_a_move(user: Caller) -> None:
    layer = table_layer(user, "moves", "POINT", {"name": "text"})
    path = new_feature(user, layer, {"geometry": "POINT (7 46)"})
    read = got(user.get(path, params={"geometry": "geojson", "epsg": "3857"}))
    read["__geometry"]["coordinates"][0] += 1e-6
    got(user.put(path, json=read))
    assert 7 < got(user.get(path))["__xmin"] < 7 + 1e-10


def test_stale_changes(user: Caller) -> None:
    layer = table_layer(user, "stale", "POINT", {"name": "text"})
    made(user.post(f"layers/{layer}/features", json={"data": {"name": "a"}}))
    path = f"layers/{layer}/features/1"
    tag = user.get(path, params={"geometry": "wkt"}).headers["etag"]
    changed = user.put(path, json={"data": {"name": "b"}}, headers={"If-Match": tag})
    assert changed.status_code == 200
    refused(user.put(path, json={"data": {"name": "c"}}, headers={"If-Match": tag}), 412)
    refused(user.delete(path, headers={"If-Match": tag}), 412)
    assert got(user.get(path))["data"] == {"name": "b"}
    assert (
        user.put(path, json={"data": {"name": "d"}}, headers={"If-Match": changed.headers["etag"]}).status_code == 200
    )
    assert user.delete(path, headers={"If-Match": "*"}).status_code == 204


def test_deleting(user: Caller) -> None:
    layer = table_layer(user, "gone", "POINT", {"name": "text"})
    path = f"layers/{layer}/features"
    made(user.post(path, json=[{"geometry": "POINT (1 2)"}, {"geometry": "POINT (3 4)"}]))
    response = user.delete(f"{path}/1.json")
    assert (response.status_code, response.content) == (204, b"")
    refused(user.get(f"{path}/1"), 404)
    refused(user.delete(f"{path}/1"), 404)
    assert [one["__id"] for one in got(user.get(path))["data"]] == [2]
    assert made(user.post(path, json={"geometry": "POINT (1 2)"}))["__id"] == 3


def test_columns_that_must_have_a_value(layers: tuple[Caller, dict[str, str]]) -> None:
    caller, ids = layers
    path = f"layers/{ids['strict']}/features"
    refused(caller.post(path, json={"data": {"may": 1}}), 400, "must")
    refused(caller.post(path, json={"data": {"must": None}}), 400, "must")
    number = made(caller.post(path, json={"data": {"must": "x"}}))["__id"]
    refused(caller.put(f"{path}/{number}", json={"data": {"must": None}}), 400, "must")
    assert got(caller.put(f"{path}/{number}", json={"data": {"may": 2}}))["data"] == {"must": "x", "may": 2}


def test_features_of_files_are_read_only(world: World) -> None:
    for name in ("countries.zip", "borders.gpx", "countries.kml"):
        path = f"layers/{world.layers[name]}/features"
        for response in (
            world.caller.post(path, json={"data": {}}),
            world.caller.put(f"{path}/1", json={"data": {}}),
            world.caller.delete(f"{path}/1"),
        ):
            assert "file" in refused(response, 403)["msg"]


def test_the_answer_to_a_new_feature(user: Caller) -> None:
    layer = table_layer(user, "answer", "POINT", {"name": "text"})
    asked = {"geometry": "geojson", "epsg": "4326"}
    sent = {"data": {"name": "x"}, "geometry": json.dumps({"type": "Point", "coordinates": [15, 45]})}
    feature = made(user.post(f"layers/{layer}/features", params=asked, json=sent))
    assert feature["__geometry"] == {"type": "Point", "coordinates": [15.0, 45.0]}
    assert feature == got(user.get(f"layers/{layer}/features/{feature['__id']}", params=asked))
