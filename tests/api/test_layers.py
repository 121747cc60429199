"""Layers (the contract, section 3)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.answers import refused
from tests.api_data import World, table_layer
from tests.server import Caller, Server
from tests.sharing import got, made, new_layer, new_map, new_table, tables_of

TEXTS = {
    "id", "name", "owner", "type", "map_id", "source", "datasource_id", "resource_id", "epsg", "onscale", "offscale",
    "label", "x_min", "x_max", "y_min", "y_max", "textfield", "styles", "alpha", "encoding", "margin", "opened",
    "visible", "lock", "exportable", "parent", "tooltip", "label_placement", "hidegeometry", "geometry_offset",
    "use_info_window", "order", "raster", "grp", "merged", "status", "status_text", "job_id",
}  # fmt: skip
FOLDER = {"type": "folder", "source": {}}
TILE = {"type": "tile", "source": '{"type": "tile","src":"osm"}'}


@pytest.fixture(scope="module")
def folder(server: Server) -> Iterator[tuple[Caller, str]]:
    """A caller with a map and a table to make layers of."""
    with server.new_user() as caller:
        new_table(caller)
        yield caller, new_map(caller)["id"]


def new_folder(caller: Caller, map_id: str, **fields: Any) -> str:
    return str(made(caller.post(f"maps/{map_id}/layers", json=FOLDER | fields))["id"])


def test_fields_of_a_new_layer(folder: tuple[Caller, str]) -> None:
    caller, map_id = folder
    source = '{"type":"pg",  "src":"places"}'
    layer = made(caller.post("layers", json={"mid": int(map_id), "name": "n", "type": "point", "source": source}))
    assert set(layer) == TEXTS | {"created", "modified"}
    assert all(layer[name] is None or isinstance(layer[name], str) for name in TEXTS)
    assert all(isinstance(layer[name], int) for name in ("created", "modified"))
    expected = {
        "name": "n", "type": "point", "map_id": map_id, "source": source, "alpha": "100", "visible": "t",
        "epsg": "4326",
        "parent": None, "styles": None, "status": "ready", "status_text": None, "owner": str(caller.user_id),
        "hidegeometry": "f", "lock": "f",
    }  # fmt: skip
    assert {name: layer[name] for name in expected} == expected
    for path in (f"layers/{layer['id']}", f"maps/{map_id}/layers/{layer['id']}", f"layers/{layer['id']}.json"):
        assert got(caller.get(path)) == layer


@pytest.mark.parametrize(
    ("name", "kind", "many"),
    [
        ("countries.zip", "polygon", 177),
        ("lakes.zip", "polygon", 1355),
        ("cities.geojson", "point", 1000),
        ("borders.gpx", "line", 16),
        ("countries.kml", "polygon", 39),
    ],
)
def test_layers_of_files(world: World, name: str, kind: str, many: int) -> None:
    path = f"layers/{world.layers[name]}"
    layer = got(world.caller.get(path))
    assert (layer["type"], layer["status"], layer["status_text"], layer["epsg"]) == (kind, "ready", None, "4326")
    assert -180.1 < float(layer["x_min"]) < float(layer["x_max"]) < 180.1
    assert -90.1 < float(layer["y_min"]) < float(layer["y_max"]) < 90.1
    assert got(world.caller.get(f"{path}/features?perpage=1"))["total"] == many


def test_layer_of_a_raster(world: World) -> None:
    path = f"layers/{world.layers['earth.tif']}"
    layer = got(world.caller.get(path))
    assert (layer["type"], layer["epsg"], layer["status"]) == ("raster", "4326", "ready")
    assert [float(layer[side]) for side in ("x_min", "y_min", "x_max", "y_max")] == [-180, -90, 180, 90]
    assert got(world.caller.get(f"{path}/columns")) == []
    assert got(world.caller.get(path, params={"expand": "columns"}))["columns"] == {}


def test_columns(world: World) -> None:
    columns = got(world.caller.get(f"layers/{world.countries}/columns.json"))
    assert len(columns) == 168
    assert {column["name"]: column["type"] for column in columns}["POP_EST"] == "real"
    assert {frozenset(column) for column in columns} == {frozenset({"name", "type"})}
    expanded = got(world.caller.get(f"layers/{world.countries}?expand=columns"))["columns"]
    assert list(expanded) == [column["name"] for column in columns]
    assert expanded["NAME"] == {
        "id": list(expanded).index("NAME") + 1, "column": "NAME", "datatype": "text", "alias": None,
        "order": list(expanded).index("NAME") + 1, "enabled": True,
    }  # fmt: skip
    # The shapefile has no attribute table.
    assert got(world.caller.get(f"layers/{world.layers['lakes.zip']}/columns")) == []


def test_types_of_columns(folder: tuple[Caller, str]) -> None:
    caller, _ = folder
    kinds = ("text", "integer", "real", "number", "boolean", "date", "datetime")
    layer = table_layer(caller, "kinds", "POINT", {f"{kind}_": kind for kind in kinds})
    assert [column["type"] for column in got(caller.get(f"layers/{layer}/columns"))] == list(kinds)


def test_expanding(world: World) -> None:
    layer = got(world.caller.get(f"layers/{world.countries}", params={"expand": "form, options,datasource,owner"}))
    assert (layer["options"], layer["form"], layer["datasource"]) == ([], None, None)
    listed = got(world.caller.get(f"maps/{world.map}/layers", params={"expand": "columns"}))["data"]
    assert [len(layer["columns"]) for layer in listed if layer["id"] == world.countries] == [168]


@pytest.mark.parametrize(
    ("wanted", "src", "kind"),
    [("point", "countries.zip", "polygon"), ("line", "cities.geojson", "point"), (None, "borders.gpx", "line")],
)
def test_a_wrong_type_is_corrected(world: World, wanted: str | None, src: str, kind: str) -> None:
    source = got(world.caller.get(f"layers/{world.layers[src]}"))["source"]
    map_id = new_map(world.caller)["id"]
    layer = made(world.caller.post(f"maps/{map_id}/layers", json={"type": wanted, "source": source}))
    assert (layer["type"], layer["source"]) == (kind, source)


@pytest.mark.parametrize("type_", [None, "polygon", "line"])
def test_a_wrong_type_of_a_table_is_corrected(folder: tuple[Caller, str], type_: str | None) -> None:
    caller, map_id = folder
    assert new_layer(caller, map_id, "places", type=type_)["type"] == "point"


SETTABLE: list[tuple[dict[str, Any], dict[str, Any] | None]] = [
    ({"name": "Слой", "tooltip": "name", "textfield": "name", "label": "x"}, None),
    ({"alpha": 0}, {"alpha": "0"}),
    ({"alpha": "55.5"}, None),
    ({"alpha": None}, {"alpha": "100"}),
    ({"onscale": 3, "offscale": "16.0"}, {"onscale": "3", "offscale": "16.0"}),
    ({"visible": False, "lock": 1, "exportable": "true"}, {"visible": "f", "lock": "t", "exportable": "t"}),
    ({"hidegeometry": "t", "use_info_window": "0"}, {"hidegeometry": "t", "use_info_window": "f"}),
    ({"visible": None, "lock": None}, {"visible": "t", "lock": "f"}),
    ({"styles": '[ {"color":"1,2,3", "width":16.0} ]'}, None),
    ({"styles": [{"color": "1,2,3"}]}, {"styles": '[{"color":"1,2,3"}]'}),
    ({"label_placement": '{"a": 16.0}'}, None),
    ({"order": "-5"}, None),
    ({"order": 12}, {"order": "12"}),
    ({"encoding": "utf-8", "margin": 4, "geometry_offset": "1,2"}, {"margin": "4"}),
    ({"x_min": 5, "epsg": "3857", "id": "9", "owner": "1", "status": "busy", "columns": {}}, {"epsg": "4326"}),
]


@pytest.mark.parametrize(("sent", "kept"), SETTABLE, ids=range(len(SETTABLE)))
@pytest.mark.parametrize("verb", ["POST", "PUT"])
def test_settable_fields(
    folder: tuple[Caller, str], verb: str, sent: dict[str, Any], kept: dict[str, Any] | None
) -> None:
    caller, map_id = folder
    if verb == "POST":
        layer = new_layer(caller, map_id, "places", **sent)
    else:
        path = f"layers/{new_layer(caller, map_id, 'places')['id']}"
        layer = got(caller.put(path, json=sent))
    expected = sent if kept is None else kept
    assert {name: layer[name] for name in expected} == expected
    assert got(caller.get(f"layers/{layer['id']}")) == layer
    assert layer["x_min"] is None


BAD: list[tuple[str, Any]] = [
    ("name", []), ("name", "a\0"), ("alpha", 101), ("alpha", -1), ("alpha", "x"), ("alpha", "NaN"), ("onscale", "x"),
    ("onscale", 1e999), ("visible", "x"), ("lock", 7), ("styles", "x"), ("styles", "{"), ("styles", 5), ("styles", "5"),
    ("styles", [5]), ("label_placement", "{"), ("order", "x"), ("order", 1e10),
    ("order", 1.5), ("type", "house"), ("type", []), ("parent", 0.5), ("parent", "x"), ("parent", 10**17),
    ("map_id", "x"),
    ("source", "x"), ("source", []), ("source", "[]"), ("source", 5), ("source", {"type": "magic", "src": "x"}),
    ("source", {"type": "file"}), ("source", {"type": "file", "src": ""}), ("source", {"type": "file", "src": []}),
    ("source", {"type": "file", "src": "/nothing.shp"}), ("source", {"type": "file", "src": "/../../etc/passwd"}),
    ("source", {"type": "file", "src": "/a\0b.shp"}), ("source", {"type": "file", "src": "/"}),
    ("source", {"type": "pg", "src": "nothing"}), ("source", {"type": "pg", "src": "usrsch1.nothing"}),
    ("source", {"type": "pg", "src": "usrsch99999999999999999999.x"}), ("source", {"type": "pg", "src": "\0"}),
    ("source", '{"type": "pg", "src": "\\ud800"}'), ("source", {"type": "tile", "src": "nothing"}),
    ("source", {"type": "tile", "src": "file:///etc/{z}/{x}/{y}"}), ("source", {"type": "tile", "src": "http://[/{z}/{x}/{y}"}),
    ("source", '{"type": "pg", "src": NaN}'), ("source", "[" * 100_000), ("source", {"type": ["pg"], "src": "places"}),
    ("source", {"type": {"a": 1}, "src": "places"}),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), BAD, ids=range(len(BAD)))
def test_fields_that_cannot_be_set(folder: tuple[Caller, str], field: str, value: Any) -> None:
    caller, map_id = folder
    if value == 1e999:
        value = "1e999"
    layer = new_layer(caller, map_id, "places")
    tag = caller.get(f"layers/{layer['id']}").headers["etag"]
    before = got(caller.get(f"maps/{map_id}/layers?perpage=1"))["total"]
    nested = refused(caller.put(f"layers/{layer['id']}", json={"name": "changed", field: value}), 400)
    assert nested["field"] in (field, "src"), nested
    if field != "map_id":
        sent = {"source": {"type": "pg", "src": "places"}, "mid": map_id, field: value}
        refused(caller.post("layers", json=sent), 400)
    assert caller.get(f"layers/{layer['id']}").headers["etag"] == tag
    assert got(caller.get(f"maps/{map_id}/layers?perpage=1"))["total"] == before


def test_what_a_new_layer_needs(folder: tuple[Caller, str], other: Caller, anonymous: Caller) -> None:
    caller, map_id = folder
    source = {"type": "pg", "src": "places"}
    refused(caller.post("layers", json={"source": source}), 400, "mid")
    refused(caller.post("layers", json={"mid": map_id}), 400, "source")
    refused(caller.post("layers", json={"mid": "x", "source": source}), 400, "mid")
    refused(caller.post("layers", json={"mid": 0, "source": source}), 404)
    refused(other.post("layers", json={"mid": map_id, "source": source}), 404)
    refused(anonymous.post("layers", json={"mid": map_id, "source": source}), 403)
    refused(anonymous.post(f"maps/{map_id}/layers", json={"source": source}), 403)


def test_tables_that_cannot_be_drawn(folder: tuple[Caller, str]) -> None:
    caller, map_id = folder
    made(caller.post("tables", json={"name": "plain", "columns": {"a": {"type": "text"}}}))
    response = caller.post("layers", json={"mid": map_id, "source": {"type": "pg", "src": "plain"}})
    refused(response, 400, "source")


def test_a_table_of_any_geometry(folder: tuple[Caller, str]) -> None:
    caller, map_id = folder
    made(caller.post("tables", json={"name": "anything", "geometry": "geometry", "columns": {}}))
    for wanted, kept in ("line", "line"), ("polygon", "polygon"), (None, "polygon"):
        layer = new_layer(caller, map_id, "anything", type=wanted)
        assert layer["type"] == kept
        made(caller.post(f"layers/{layer['id']}/features", json={"geometry": "LINESTRING (1 2, 3 4)"}))


def test_tiles_and_folders(folder: tuple[Caller, str]) -> None:
    caller, map_id = folder
    tile = made(caller.post(f"maps/{map_id}/layers", json=TILE))
    sides = ("x_min", "x_max", "y_min", "y_max")
    assert (tile["type"], tile["epsg"], tile["source"]) == ("tile", "900913", TILE["source"])
    assert [tile[side] for side in sides] == [sign + "20037508.342789" for sign in ("-", "", "-", "")]
    assert got(caller.put(f"layers/{tile['id']}", json={"x_min": 5, "y_max": "6.50"}))["y_max"] == "6.50"
    xyz = {"type": "tile", "source": {"type": "tile", "src": "https://tiles.example/{z}/{x}/{y}.png"}}
    assert made(caller.post(f"maps/{map_id}/layers", json=xyz))["type"] == "tile"
    for sent, kept in (
        ({"type": "folder"}, {"qgis": 0}),
        ({"type": "folder", "source": "{}"}, {"qgis": 0}),
        ({"type": "folder", "source": {"a": 1}}, {"a": 1, "qgis": 0}),
        ({"type": "folder", "source": '{"qgis": 1}'}, {"qgis": 1}),
        ({"source": {"type": "folder"}}, {"type": "folder", "qgis": 0}),
    ):
        layer = made(caller.post(f"maps/{map_id}/layers", json=sent))
        assert (layer["type"], json.loads(layer["source"])) == ("folder", kept)
        assert got(caller.get(f"layers/{layer['id']}/columns")) == []
        refused(caller.get(f"layers/{layer['id']}/features"), 400)


@pytest.mark.parametrize("expand", ["", "columns,options,form,datasource"])
def test_sending_back_what_was_read_changes_nothing(folder: tuple[Caller, str], expand: str) -> None:
    caller, map_id = folder
    parent = new_folder(caller, map_id)
    styles = '[{"color":"1,2,3","labelfield":"name"}]'
    fields = {"styles": styles, "parent": parent, "onscale": 3, "alpha": "50.0", "tooltip": "name", "order": 3}
    ids = [
        new_layer(caller, map_id, "places", **fields)["id"],
        made(caller.post(f"maps/{map_id}/layers", json=TILE))["id"],
        parent,
    ]
    for number in ids:
        path = f"layers/{number}"
        before = caller.get(path)
        read = got(caller.get(path, params={"expand": expand}))
        for back in caller.put(path, json=read), caller.put("layers", json=read):
            assert (got(back), back.headers["etag"]) == (got(before), before.headers["etag"])
        form = {name: value for name, value in got(before).items() if value is not None}
        assert got(caller.put(path, data=form)) == got(before)


def test_sending_back_layers_of_files(world: World) -> None:
    map_tag = world.caller.get(f"maps/{world.map}").headers["etag"]
    for number in world.layers.values():
        before = world.caller.get(f"layers/{number}")
        assert world.caller.put(f"layers/{number}", json=got(before)).headers["etag"] == before.headers["etag"]
    assert world.caller.get(f"maps/{world.map}").headers["etag"] == map_tag


def test_another_source(user: Caller) -> None:
    for name in ("places", "others"):
        new_table(user, name)
    layer = new_layer(user, new_map(user)["id"], "places")
    path = f"layers/{layer['id']}"
    changed = got(user.put(path, json={"source": '{"type":"pg","src":"others"}'}))
    assert changed["source"] == '{"type":"pg","src":"others"}'
    made(user.post(f"{path}/features", json={"geometry": "POINT (1 2)"}))
    assert got(user.get("tables/others?expand=count"))["num_rows"] == 1
    assert got(user.get("tables/places?expand=count"))["num_rows"] == 0
    tile = got(user.put(path, json={"type": "tile", "source": {"type": "tile", "src": "osm"}}))
    assert (tile["type"], tile["epsg"]) == ("tile", "900913")
    refused(user.get(f"{path}/features"), 400)


def test_order(user: Caller) -> None:
    map_id = new_map(user)["id"]
    ids = [new_folder(user, map_id, name=name) for name in "abc"]
    listed = got(user.get(f"maps/{map_id}/layers"))
    assert [layer["id"] for layer in listed["data"]] == ids[::-1]
    assert (listed["type"], listed["total"], listed["page"]) == ("layers", 3, 1)
    orders = [int(layer["order"]) for layer in listed["data"]]
    assert orders == sorted(orders, reverse=True)
    assert len(set(orders)) == 3
    got(user.put(f"layers/{ids[0]}", json={"order": 99}))
    assert [layer["name"] for layer in got(user.get(f"maps/{map_id}/layers"))["data"]] == ["a", "c", "b"]
    assert new_folder(user, map_id, name="d") == got(user.get(f"maps/{map_id}/layers"))["data"][0]["id"]
    by_name = got(user.get(f"maps/{map_id}/layers", params={"order_by": "name", "perpage": 2, "page": 2}))
    assert [layer["name"] for layer in by_name["data"]] == ["c", "d"]
    refused(user.get(f"maps/{map_id}/layers?order_by=nothing"), 400, "order_by")


def test_more_layers_than_a_page(user: Caller) -> None:
    map_id = new_map(user)["id"]
    for _ in range(101):
        new_folder(user, map_id)
    assert len(got(user.get(f"maps/{map_id}/layers"))["data"]) == 101
    assert len(got(user.get("layers?type=private"))["data"]) == 100


def test_folders(user: Caller) -> None:
    map_id, elsewhere = new_map(user)["id"], new_map(user)["id"]
    new_table(user)
    top, strange = new_folder(user, map_id), new_folder(user, elsewhere)
    middle = new_folder(user, map_id, parent=top)
    leaf = new_layer(user, map_id, "places", parent=int(middle))
    assert leaf["parent"] == middle
    for layer, parent in ((top, top), (top, middle), (middle, leaf["id"]), (middle, strange), (leaf["id"], "0.5")):
        refused(user.put(f"layers/{layer}", json={"parent": parent}), 400, "parent")
    refused(user.post(f"maps/{map_id}/layers", json=FOLDER | {"parent": strange}), 400, "parent")
    assert got(user.put(f"layers/{leaf['id']}", json={"parent": top}))["parent"] == top
    assert got(user.put(f"layers/{leaf['id']}", json={"parent": None}))["parent"] is None
    assert got(user.put(f"layers/{leaf['id']}", json={"parent": middle}))["parent"] == middle
    assert user.delete(f"layers/{middle}").status_code == 204
    assert got(user.get(f"layers/{leaf['id']}"))["parent"] == top


def test_moving_to_another_map(user: Caller) -> None:
    map_id, elsewhere = new_map(user)["id"], new_map(user)["id"]
    top = new_folder(user, map_id)
    child = new_folder(user, map_id, parent=top)
    moved = got(user.put(f"layers/{top}", json={"map_id": elsewhere}))
    assert (moved["map_id"], moved["parent"]) == (elsewhere, None)
    assert got(user.get(f"layers/{child}"))["parent"] is None
    refused(user.get(f"maps/{map_id}/layers/{top}"), 404)
    assert got(user.get(f"maps/{elsewhere}/layers/{top}"))["id"] == top
    refused(user.put(f"layers/{child}", json={"mid": 0}), 404)


def test_below_the_map(user: Caller) -> None:
    map_id, elsewhere = new_map(user)["id"], new_map(user)["id"]
    new_table(user)
    layer = new_layer(user, map_id, "places")["id"]
    number = made(user.post(f"maps/{map_id}/layers/{layer}/features", json={"geometry": "POINT (1 2)"}))["__id"]
    for verb, path in (
        ("GET", ""),
        ("PUT", ""),
        ("GET", "/columns"),
        ("GET", "/features"),
        ("GET", "/features.csv"),
        ("POST", "/features"),
        ("GET", f"/features/{number}"),
        ("PUT", f"/features/{number}"),
        ("GET", "/render.png"),
        ("GET", "/render.jpg"),
        ("GET", "/render.iframe"),
        ("GET", "/export.geojson"),
        ("GET", "/tiles/0/0/0.mvt"),
        ("GET", "/tiles/0/0/0.png"),
        ("GET", "/tiles/0/0/0.jpg"),
        ("DELETE", f"/features/{number}"),
        ("DELETE", ""),
    ):
        wrong = user.request(verb, f"maps/{elsewhere}/layers/{layer}{path}", json={} if verb != "GET" else None)
        assert wrong.status_code == 404, (verb, path)
        right = user.request(verb, f"maps/{map_id}/layers/{layer}{path}", json={} if verb != "GET" else None)
        assert right.status_code in (200, 201, 204), (verb, path, right.text)
    refused(user.put(f"maps/{map_id}/layers", json={}), 400, "id")


def test_kinds_of_layers(user: Caller) -> None:
    map_id, archived = new_map(user)["id"], new_map(user)["id"]
    new_table(user)
    new_layer(user, map_id, "places", name="p")
    new_folder(user, map_id, name="f")
    new_folder(user, archived, name="a")
    got(user.put(f"maps/{archived}?archived=1"))

    def names(kind: str) -> list[str]:
        return sorted(layer["name"] for layer in got(user.get("layers", params={"type": kind}))["data"])

    assert names("private") == ["a", "f", "p"]
    assert names("archived") == ["a"]
    assert names("shared") == []
    refused(user.get("layers?type=house"), 400, "type")
    assert [layer["name"] for layer in got(user.get(f"maps/{map_id}/layers?type=point,line"))["data"]] == ["p"]
    assert [layer["name"] for layer in got(user.get(f"maps/{map_id}/layers?query=P"))["data"]] == ["p"]


def test_deleting_a_layer_keeps_its_data(user: Caller) -> None:
    map_id = new_map(user)["id"]
    new_table(user)
    layer = new_layer(user, map_id, "places")["id"]
    path = f"layers/{layer}"
    tag = user.get(path).headers["etag"]
    got(user.put(path, json={"name": "x"}))
    refused(user.delete(path, headers={"If-Match": tag}), 412)
    response = user.delete(f"{path}.json")
    assert (response.status_code, response.content) == (204, b"")
    refused(user.get(path), 403)
    refused(user.delete(path), 404)
    assert len(tables_of(user, user)) == 1


def test_a_style_that_cannot_be_understood(folder: tuple[Caller, str]) -> None:
    caller, map_id = folder
    styles = [{"expression": "nothing = 1", "color": "1,2,3"}, {"color": "4,5,6"}]
    layer = new_layer(caller, map_id, "places", styles=styles)
    assert layer["status"] == "ready"
    assert "nothing = 1" in layer["status_text"]
    assert got(caller.put(f"layers/{layer['id']}", json={"styles": None}))["status_text"] is None


def test_a_file_that_changes(user: Caller, data_dir: Path) -> None:
    def upload(content: bytes) -> None:
        assert user.post("storage/fs/", files={"file": ("a.geojson", content)}).status_code == 201

    def collection(*xs: int) -> bytes:
        point = {"type": "Feature", "properties": {"n": 1}}
        features = [point | {"geometry": {"type": "Point", "coordinates": [x, 1]}} for x in xs]
        return json.dumps({"type": "FeatureCollection", "features": features}).encode()

    upload(collection(1))
    source = {"type": "file", "src": "/a.geojson"}
    layer = made(user.post(f"maps/{new_map(user)['id']}/layers", json={"source": source}))["id"]
    upload(collection(1, 2, 3))
    assert got(user.get(f"layers/{layer}/features"))["total"] == 3
    upload(b"this is no GeoJSON")
    told = got(user.get(f"layers/{layer}"))
    assert told["status"] == "error"
    assert told["status_text"]
    for path in ("features", "features/1", "columns", "export.csv"):
        refused(user.get(f"layers/{layer}/{path}"), 409)
    upload(collection(4, 5))
    assert got(user.get(f"layers/{layer}"))["status"] == "ready"
    assert got(user.get(f"layers/{layer}/features"))["total"] == 2
    assert user.delete("storage/fs/a.geojson").status_code == 204
    assert user.get(f"layers/{layer}").status_code == 200
