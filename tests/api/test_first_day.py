"""The first day of a user, on real files: upload, a map, layers, looking, querying, editing, sharing."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import mapbox_vector_tile
import numpy as np
import pytest
from PIL import Image
from tests.server import PASSWORD, Caller, Server

FILES = ("countries.zip", "lakes.zip", "cities.csv", "borders.gpx", "countries.kml", "earth.tif")
# Layers from the bottom up: the file in storage, the type that it turns out to be, how many features, one colour.
LAYERS = (
    ("earth.tif", "raster", None, None),
    ("ne_110m_admin_0_countries.shp", "polygon", 177, {"color": "200,30,30"}),
    ("countries.kml", "polygon", 39, {"color": "30,160,30"}),
    ("ne_10m_lakes.shp", "polygon", 1355, {"color": "30,30,220"}),
    ("borders.gpx", "line", None, {"color": "250,120,0", "width": 4}),
    ("cities.csv", "point", 34006, {"symbol": {"type": "circle", "color": "255,0,255", "size": 4}}),
)
EUROPE_LAEA = "2400000,1300000,7400000,5600000"


@pytest.fixture(scope="module")
def surveyor(server: Server) -> Iterator[Caller]:
    with server.new_user() as caller:
        yield caller


@pytest.fixture(scope="module")
def world(surveyor: Caller, data_dir: Path) -> dict[str, Any]:
    """A map with a layer of each file; its ids by file name."""
    for name in FILES:
        with (data_dir / name).open("rb") as file:
            assert surveyor.post("storage/fs/data", files={"file": (name, file)}).status_code == 201, name
    made = surveyor.post("maps.json", json={"name": "World"}).json()
    layers = {}
    for file, _, _, style in LAYERS:
        sent: dict[str, Any] = {
            "mid": made["id"],
            "name": file,
            "source": json.dumps({"type": "file", "src": f"/data/{file}"}),
        }
        if style:
            sent["styles"] = json.dumps([style])
        answer = surveyor.post("layers.json", json=sent)
        assert answer.status_code == 201, answer.text
        layers[file] = answer.json()
    return {"map": made, "layers": layers}


def image(answer: httpx.Response) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB")).astype(int)


def close(pixels: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (np.abs(pixels - colour) < 12).all(axis=-1)


def test_a_key_by_name_and_password(server: Server, surveyor: Caller) -> None:
    headers = {"api-username": surveyor.username, "api-password": PASSWORD}
    answer = httpx.post(f"{server.url}/1/keys.json", headers=headers)
    assert answer.status_code == 201
    key = answer.json()["value"]
    assert len(key) == 32
    assert int(key, 16)
    assert answer.headers["Location"] == f"1/keys/{answer.json()['id']}"
    current = httpx.get(f"{server.url}/1/users/current.json", params={"api_key": key}).json()
    assert current["username"] == surveyor.username


@pytest.mark.parametrize(("file", "kind", "features", "style"), LAYERS)
def test_each_file_is_a_layer(
    surveyor: Caller, world: dict[str, Any], file: str, kind: str, features: int | None, style: object
) -> None:
    layer = world["layers"][file]
    assert (layer["type"], layer["status"], layer["epsg"]) == (kind, "ready", "4326")
    if features is not None:
        answer = surveyor.get(f"layers/{layer['id']}/features.json", params={"perpage": 1})
        assert answer.json()["total"] == features


def test_populous_countries_of_a_part_of_europe(server: Server, surveyor: Caller, world: dict[str, Any]) -> None:
    layer = world["layers"]["ne_110m_admin_0_countries.shp"]["id"]
    query = "geometry=geojson&epsg=4326&bounds=5,45,17,55&where=POP_EST%3E20000000"
    answer = surveyor.get(f"layers/{layer}/features.json?{query}").json()
    assert {one["data"]["NAME"] for one in answer["data"]} == {"Germany", "France", "Italy", "Poland"}
    assert answer["total"] == 4
    for one in answer["data"]:
        assert one["__geometry"]["type"] == "MultiPolygon"
        assert one["__epsg"] == 4326
        assert one["data"]["POP_EST"] > 20_000_000


def test_addresses_are_taken_as_people_write_them(server: Server, surveyor: Caller, world: dict[str, Any]) -> None:
    """curl sends > as it is, which is no valid address, and servers are strict or not about it."""
    layer = world["layers"]["ne_110m_admin_0_countries.shp"]["id"]
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    path = f"/1/layers/{layer}/features.json?where=POP_EST>1000000000&fields=NAME&order_by=NAME"
    connection.request("GET", path, headers={"API-Key": surveyor.key or ""})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    assert [one["data"] for one in answer["data"]] == [{"NAME": "China"}, {"NAME": "India"}]


def test_the_picture_of_the_map(surveyor: Caller, world: dict[str, Any]) -> None:
    pixels = image(surveyor.get(f"maps/{world['map']['id']}/render.png", params={"width": 1024, "height": 768}))
    assert pixels.shape == (768, 1024, 3)
    # The map is as high as Mercator's square, which is put in the middle; Africa, Greenland, the Pacific.
    assert close(pixels[384 - 40, 512 + 40 : 512 + 80], (200, 30, 30)).any()
    assert close(pixels, (255, 0, 255)).sum() > 5000
    assert close(pixels, (200, 30, 30)).sum() > 50_000
    pacific = pixels[384, 180:200].mean(axis=0)
    assert pacific[2] > pacific[0]


def test_the_picture_in_another_projection(surveyor: Caller, world: dict[str, Any]) -> None:
    asked = {"width": 1024, "height": 768, "epsg": 3035, "bounds": EUROPE_LAEA}
    pixels = image(surveyor.get(f"maps/{world['map']['id']}/render.png", params=asked))
    # The KML of European countries lies above the others, lakes above it: Finland has many.
    assert close(pixels, (30, 160, 30)).sum() > 100_000
    assert close(pixels[100:300, 480:640], (30, 30, 220)).sum() > 200
    # The Atlantic west of Ireland is the satellite picture.
    assert pixels[420, 60, 2] > pixels[420, 60, 0]
    assert not close(pixels[380:460, 20:100], (30, 160, 30)).any()


@pytest.fixture(scope="module")
def sights(surveyor: Caller, world: dict[str, Any]) -> str:
    """The id of a layer on a table that can be edited."""
    table = {"name": "sights", "geometry": "point", "columns": {"name": {"type": "text"}, "height": {"type": "number"}}}
    assert surveyor.post("tables.json", json=table).status_code == 201
    styles = json.dumps([{"symbol": {"type": "box", "color": "0,255,255", "size": 20}}])
    sent = {"mid": world["map"]["id"], "name": "Sights", "source": '{"type":"pg","src":"sights"}', "styles": styles}
    layer: str = surveyor.post("layers.json", json=sent).json()["id"]
    return layer


def test_every_edit_shows_in_the_next_tile_and_picture(surveyor: Caller, world: dict[str, Any], sights: str) -> None:
    def in_tile() -> list[dict[str, Any]]:
        answer = surveyor.get(f"layers/{sights}/tiles/4/8/5.mvt")
        return mapbox_vector_tile.decode(answer.content)[sights]["features"] if answer.content else []

    def in_picture() -> int:
        asked = {"width": 256, "height": 256, "epsg": 4326, "bounds": "5,40,25,50"}
        return int(
            close(image(surveyor.get(f"maps/{world['map']['id']}/render.png", params=asked)), (0, 255, 255)).sum()
        )

    assert (in_tile(), in_picture()) == ([], 0)
    sent = {"data": {"name": "Tower", "height": 57.5}, "geometry": "POINT(10.4 43.7)"}
    answer = surveyor.post(f"layers/{sights}/features.json", json=sent)
    assert answer.status_code == 201
    made = answer.json()["__id"]
    assert answer.headers["Location"] == f"1/layers/{sights}/features/{made}"
    assert [one["id"] for one in in_tile()] == [made]
    assert in_picture() > 200
    before = in_tile()[0]["geometry"]

    moved = surveyor.put(f"layers/{sights}/features/{made}.json", json={"geometry": "POINT(16.4 48.2)"})
    assert moved.status_code == 200
    assert moved.json()["data"] == {"name": "Tower", "height": 57.5}
    assert in_tile()[0]["geometry"] != before
    assert in_picture() > 200

    assert surveyor.delete(f"layers/{sights}/features/{made}.json").status_code == 204
    assert (in_tile(), in_picture()) == ([], 0)


def test_a_map_is_read_without_a_key_after_it_is_shared_and_only_then(
    anonymous: Caller, surveyor: Caller, world: dict[str, Any]
) -> None:
    layer = world["layers"]["ne_110m_admin_0_countries.shp"]["id"]
    paths = (
        f"maps/{world['map']['id']}.json",
        f"maps/{world['map']['id']}/layers.json",
        f"maps/{world['map']['id']}/render.png?width=64&height=64",
        f"maps/{world['map']['id']}/style.json",
        f"maps/{world['map']['id']}/tilejson.json",
        f"maps/{world['map']['id']}/render.iframe",
        f"layers/{layer}/features.json?perpage=1",
        f"layers/{layer}/tiles/0/0/0.mvt",
    )
    assert {anonymous.get(path).status_code for path in paths} == {404}
    shares = f"resources/{world['map']['resource_id']}/permissions"
    share = surveyor.post(f"{shares}.json", json={"username": "anonymous", "permission": "READ"})
    assert share.status_code == 201
    assert [(path, anonymous.get(path).status_code) for path in paths] == [(path, 200) for path in paths]
    assert anonymous.put(paths[0], json={"name": "mine"}).status_code == 403
    assert surveyor.delete(f"{shares}/{share.json()['id']}.json").status_code == 204
    assert {anonymous.get(path).status_code for path in paths} == {404}
