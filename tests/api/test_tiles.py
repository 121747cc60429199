"""Tiles, TileJSON and the MapLibre style (the contract, section 11)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import mapbox_vector_tile
import pytest
from PIL import Image
from tests.answers import refused
from tests.api_data import World, table_layer
from tests.server import Caller, Server
from tests.sharing import got, made, new_layer, new_map

MVT = "application/vnd.mapbox-vector-tile"
STYLES = [{"color": "255,0,0", "labelfield": "name"}]


@dataclass(frozen=True)
class Sheet:
    """A map with a red square between 0 and 45 degrees of longitude and latitude, and an empty layer on top."""

    caller: Caller
    map: str
    layer: str
    empty: str


@pytest.fixture(scope="module")
def sheet(server: Server) -> Iterator[Sheet]:
    with server.new_user() as caller:
        layer = table_layer(caller, "sheet", "POLYGON", {"name": "text", "secret": "text"})
        square = "POLYGON ((0 0, 45 0, 45 45, 0 45, 0 0))"
        sent = {"geometry": square, "data": {"name": "Square", "secret": "not on the map"}}
        made(caller.post(f"layers/{layer}/features", json=sent))
        map_id = got(caller.put(f"layers/{layer}", json={"styles": STYLES, "name": "Sheet"}))["map_id"]
        made(caller.post("tables", json={"name": "empty", "geometry": "point"}))
        yield Sheet(caller, map_id, layer, new_layer(caller, map_id, "empty")["id"])


def decoded(response: httpx.Response) -> dict[str, Any]:
    assert (response.status_code, response.headers["content-type"]) == (200, MVT)
    return dict(mapbox_vector_tile.decode(response.content))


def test_vector_tiles_of_a_layer(sheet: Sheet) -> None:
    tile = decoded(sheet.caller.get(f"layers/{sheet.layer}/tiles/1/1/0.mvt"))
    assert set(tile) == {sheet.layer, f"{sheet.layer}/labels"}
    (feature,) = tile[sheet.layer]["features"]
    assert (feature["id"], feature["properties"]) == (1, {"name": "Square", "__class": 0})
    assert tile[sheet.layer]["extent"] == 4096
    below = sheet.caller.get(f"maps/{sheet.map}/layers/{sheet.layer}/tiles/1/1/0.mvt")
    assert decoded(below) == tile


def test_vector_tiles_of_a_map(sheet: Sheet) -> None:
    assert set(decoded(sheet.caller.get(f"maps/{sheet.map}/tiles/0/0/0.mvt"))) == {
        sheet.layer,
        f"{sheet.layer}/labels",
    }


@pytest.mark.parametrize(
    "path", ["layers/{l}/tiles/3/0/7.mvt", "layers/{e}/tiles/0/0/0.mvt", "maps/{m}/tiles/3/0/7.mvt"]
)
def test_empty_tiles(sheet: Sheet, path: str) -> None:
    response = sheet.caller.get(path.format(l=sheet.layer, e=sheet.empty, m=sheet.map))
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize("base", ["layers/{l}", "maps/{m}/layers/{l}", "maps/{m}"])
@pytest.mark.parametrize(("suffix", "form"), [("png", "PNG"), ("jpg", "JPEG")])
def test_picture_tiles(sheet: Sheet, base: str, suffix: str, form: str) -> None:
    base = base.format(l=sheet.layer, m=sheet.map)
    response = sheet.caller.get(f"{base}/tiles/1/1/0.{suffix}")
    image = Image.open(io.BytesIO(response.content))
    assert (response.status_code, image.format, image.size) == (200, form, (256, 256))
    red, green, blue = image.convert("RGB").getpixel((20, 240))  # type: ignore[misc]
    assert (red > 250, green < 5, blue < 5) == (True, True, True)
    outside = image.convert("RGBA").getpixel((250, 5))
    transparent = suffix == "png" and f"layers/{sheet.layer}" in base
    assert outside[3] == (0 if transparent else 255)  # type: ignore[index]


@pytest.mark.parametrize(
    "address",
    ["25/0/0", "0/1/0", "0/0/1", "1/2/0", "x/0/0", "0/x/0", "0/0/-1", "1/1.0/0", "0/0/%20", "999999999999/0/0"],
)
@pytest.mark.parametrize("base", ["layers/{l}", "maps/{m}"])
def test_tiles_that_are_none(sheet: Sheet, base: str, address: str) -> None:
    for suffix in ("mvt", "png", "jpg"):
        refused(sheet.caller.get(f"{base.format(l=sheet.layer, m=sheet.map)}/tiles/{address}.{suffix}"), 400)


def test_the_deepest_tile(sheet: Sheet) -> None:
    """Where the square's middle is, no edge of it is near."""
    tile = decoded(sheet.caller.get(f"layers/{sheet.layer}/tiles/24/{2**23 + 2**20}/{2**23 - 2**20}.mvt"))
    assert len(tile[sheet.layer]["features"]) == 1


def test_tags_of_tiles(sheet: Sheet) -> None:
    for suffix in ("mvt", "png"):
        path = f"layers/{sheet.layer}/tiles/1/1/0.{suffix}"
        tag = sheet.caller.get(path).headers["etag"]
        assert sheet.caller.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_tiles_of_rasters_and_of_what_is_not_there(world: World) -> None:
    raster = world.layers["earth.tif"]
    assert world.caller.get(f"layers/{raster}/tiles/0/0/0.mvt").status_code == 204
    image = Image.open(io.BytesIO(world.caller.get(f"layers/{raster}/tiles/0/0/0.jpg").content)).convert("RGB")
    red, green, blue = image.getpixel((5, 128))  # type: ignore[misc]
    assert blue > red
    assert blue > green
    for path in ("layers/0/tiles/0/0/0.mvt", "maps/0/tiles/0/0/0.png", "maps/0/tilejson.json", "maps/0/style.json"):
        refused(world.caller.get(path), 404)


def test_tilejson(server: Server, sheet: Sheet) -> None:
    told = got(sheet.caller.get(f"maps/{sheet.map}/tilejson.json"))
    assert (told["tilejson"], told["scheme"], told["minzoom"]) == ("3.0.0", "xyz", 0)
    assert told["tiles"] == [f"{server.url}/1/maps/{sheet.map}/tiles/{{z}}/{{x}}/{{y}}.mvt"]
    west, south, east, north = told["bounds"]
    assert -2 < west < 0.1
    assert -2 < south < 0.1
    assert 44.9 < east < 47
    assert 44.9 < north < 47
    fields = {layer["id"]: layer["fields"] for layer in told["vector_layers"]}
    assert fields == {sheet.layer: {"name": "text"}, sheet.empty: {}}
    address = told["tiles"][0].format(z=1, x=1, y=0)
    assert sheet.layer in decoded(httpx.get(address, headers={"API-Key": sheet.caller.key or ""}))


def test_the_style(server: Server, sheet: Sheet) -> None:
    style = got(sheet.caller.get(f"maps/{sheet.map}/style.json"))
    assert style["version"] == 8
    assert set(style["sources"]) == {sheet.layer, sheet.empty}
    source = style["sources"][sheet.layer]
    assert source["type"] == "vector"
    path = source["tiles"][0].format(z=1, x=1, y=0)
    tile = decoded(httpx.get(server.url + path, headers={"API-Key": sheet.caller.key or ""}))
    told = {layer["source-layer"] for layer in style["layers"] if layer.get("source") == sheet.layer}
    assert told == set(tile)
    assert len({layer["id"] for layer in style["layers"]}) == len(style["layers"])
    kinds = [layer["type"] for layer in style["layers"]]
    assert kinds[0] == "background"
    assert kinds == sorted(kinds, key=lambda kind: kind == "symbol")
    before = source["tiles"]
    got(sheet.caller.put(f"layers/{sheet.layer}", json={"styles": [*STYLES, {"expression": "name='x'"}]}))
    assert got(sheet.caller.get(f"maps/{sheet.map}/style.json"))["sources"][sheet.layer]["tiles"] != before
    got(sheet.caller.put(f"layers/{sheet.layer}", json={"styles": STYLES}))


def test_tiles_show_the_layers_look(user: Caller) -> None:
    layer = table_layer(user, "look", "POINT", {"kind": "text"})
    for kind in "ab":
        made(user.post(f"layers/{layer}/features", json={"data": {"kind": kind}, "geometry": "POINT (10 10)"}))
    got(user.put(f"layers/{layer}", json={"tooltip": "kind", "styles": [{"expression": "kind = 'a'"}]}))
    features = decoded(user.get(f"layers/{layer}/tiles/0/0/0.mvt"))[layer]["features"]
    assert sorted((one["properties"]["kind"], one["properties"]["__class"]) for one in features) == [
        ("a", 0),
        ("b", -1),
    ]
    got(user.put(f"layers/{layer}", json={"tooltip": None}))
    features = decoded(user.get(f"layers/{layer}/tiles/0/0/0.mvt"))[layer]["features"]
    assert {name for one in features for name in one["properties"]} == {"__class"}


def test_a_hidden_layer(user: Caller) -> None:
    layer = table_layer(user, "hidden", "POINT", {})
    made(user.post(f"layers/{layer}/features", json={"geometry": "POINT (10 10)"}))
    map_id = got(user.put(f"layers/{layer}", json={"visible": False}))["map_id"]
    style = got(user.get(f"maps/{map_id}/style.json"))
    hidden = [one for one in style["layers"] if one.get("source") == layer]
    assert hidden
    assert {one["layout"]["visibility"] for one in hidden} == {"none"}
    assert layer in decoded(user.get(f"layers/{layer}/tiles/0/0/0.mvt"))


def test_folders_are_no_source(user: Caller) -> None:
    map_id = new_map(user)["id"]
    made(user.post(f"maps/{map_id}/layers", json={"type": "folder"}))
    made(user.post(f"maps/{map_id}/layers", json={"source": {"type": "tile", "src": "osm"}}))
    style = got(user.get(f"maps/{map_id}/style.json"))
    (source,) = style["sources"].values()
    assert source["type"] == "raster"
    assert "OpenStreetMap" in source["attribution"]
