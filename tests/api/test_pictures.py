"""Pictures and their parameters (the contract, section 2)."""

from __future__ import annotations

import io
from typing import Any

import httpx
import pytest
from PIL import Image
from tests.answers import refused
from tests.api_data import World, table_layer
from tests.server import Caller
from tests.sharing import got, made, new_layer, new_map, new_table

Pixel = tuple[int, ...]
WHITE, RED, BLUE = (255, 255, 255), (255, 0, 0), (0, 0, 255)
SQUARE = "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))"
FILL = [{"color": "255,0,0"}]


def picture(response: httpx.Response, form: str = "PNG") -> Image.Image:
    assert response.status_code == 200, response.text[:300]
    assert response.headers["content-type"] == f"image/{form.lower()}"
    image = Image.open(io.BytesIO(response.content))
    assert image.format == form
    return image.convert("RGB")


def is_near(found: Any, wanted: Pixel, off: int = 3) -> bool:
    return all(abs(one - other) <= off for one, other in zip(found, wanted, strict=True))


@pytest.fixture(scope="module")
def square(server: Any) -> Any:
    """A caller, and the id of a map in EPSG:4326 with a red square from 0, 0 to 10, 10, and of its layer."""
    with server.new_user() as caller:
        layer = table_layer(caller, "square", "POLYGON", {"name": "text"})
        got(caller.put(f"layers/{layer}", json={"styles": FILL, "name": "Square"}))
        made(caller.post(f"layers/{layer}/features", json={"geometry": SQUARE, "data": {"name": "a"}}))
        yield caller, got(caller.get(f"layers/{layer}"))["map_id"], layer


def drawn(square: Any, **query: Any) -> Image.Image:
    caller, map_id, _ = square
    return picture(caller.get(f"maps/{map_id}/render.png", params=query))


def at(image: Image.Image, box: tuple[float, float, float, float], x: float, y: float) -> Any:
    """The pixel at a place of a picture that shows the box."""
    column = int((x - box[0]) / (box[2] - box[0]) * image.width)
    row = int((box[3] - y) / (box[3] - box[1]) * image.height)
    return image.getpixel((column, row))


@pytest.mark.parametrize(
    ("query", "size"),
    [
        ({}, (256, 256)),
        ({"width": "300"}, (300, 256)),
        ({"width": "1", "height": "1"}, (1, 1)),
        ({"width": "4096", "height": "20"}, (4096, 20)),
    ],
)
def test_sizes(square: Any, query: dict[str, str], size: tuple[int, int]) -> None:
    caller, map_id, layer = square
    for path in (f"maps/{map_id}", f"layers/{layer}", f"maps/{map_id}/layers/{layer}"):
        assert picture(caller.get(f"{path}/render.png", params=query)).size == size
        assert picture(caller.get(f"{path}/render.jpg", params=query), "JPEG").size == size


BAD = [
    ("width", "0"), ("width", "4097"), ("height", "-1"), ("height", "x"), ("width", "1.5"), ("height", "NaN"),
    ("epsg", "1"), ("epsg", "x"), ("proj4", "x"), ("proj4", "+proj=geocent"), ("srid", "x"),
    ("bounds", "1,2,3"), ("bounds", "1,2,3,x"), ("bounds", "1,2,3,inf"), ("bound", "x"), ("bounds", "1,1,1,1"),
    ("bounds", "0,100,10,200"), ("numscale", "x"), ("numscale", "-5"), ("numscale", "1e99"), ("numscale", "nan"),
    ("download", "x"), ("invalidate", "x"), ("layerlist", "x"), ("phender", "x"), ("justgenerate", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD)
def test_parameters_that_are_wrong(square: Any, name: str, value: str) -> None:
    caller, map_id, layer = square
    query = {name: value} | ({"bounds": "1,2,3,4"} if name == "srid" else {})
    field = "bounds" if name == "bound" else name
    for path in (f"maps/{map_id}/render.png", f"layers/{layer}/render.jpg"):
        refused(caller.get(path, params=query), 400, field)


@pytest.mark.parametrize(
    ("query", "box"),
    [
        ({"bounds": "-5,-5,15,15"}, (-5, -5, 15, 15)),
        ({"bound": "-5, -5, 15 ,15"}, (-5, -5, 15, 15)),
        ({"bounds": "-5,15,15,-5"}, (-5, -5, 15, 15)),
        ({"bounds": "-5,0,15,10"}, (-5, -5, 15, 15)),
        ({"bounds": "0,-5,10,15"}, (-5, -5, 15, 15)),
        ({"bounds": "-5,-5,15,15", "width": "512"}, (-15, -5, 25, 15)),
        ({"bounds": "-180,-90,180,90", "width": "512"}, (-180, -90, 180, 90)),
        ({"bounds": "-556597.45,-557305.26,1669792.36,1689200.14", "srid": "3857"}, (-5, -5, 15, 15)),
        ({"bounds": "4,4,6,6", "numscale": "50000000"}, (-11.1, -11.1, 21.1, 21.1)),
    ],
)
def test_what_part_is_shown(square: Any, query: dict[str, str], box: tuple[float, float, float, float]) -> None:
    image = drawn(square, **query)
    unit = (box[2] - box[0]) / image.width * 3
    for x, y in ((unit, unit), (10 - unit, 10 - unit), (unit, 10 - unit), (5, 5)):
        assert at(image, box, x, y) == RED, (x, y)
    for x, y in ((-unit, 5), (10 + unit, 5), (5, -unit), (5, 10 + unit)):
        if box[0] < x < box[2] and box[1] < y < box[3]:
            assert at(image, box, x, y) == WHITE, (x, y)


def test_a_picture_across_the_antimeridian(square: Any) -> None:
    # From 5° eastward to -5°, all but once around the world; the square begins at the left edge.
    image = drawn(square, bounds="5,-5,-5,15", width=350, height=20)
    assert [image.getpixel((column, 10)) for column in (2, 8)] == [RED, WHITE]
    image = drawn(square, bounds="0,-90,360,90", width=360, height=180)
    assert [image.getpixel((column, 85)) for column in (5, 15)] == [RED, WHITE]


def test_projections(square: Any) -> None:
    there = "-556597.45,-557305.26,1669792.36,1689200.14"
    for query in ({"epsg": "3857"}, {"proj4": "+proj=merc +a=6378137 +b=6378137 +units=m"}):
        image = drawn(square, bounds=there, **query)
        assert at(image, (-556597, -557305, 1669792, 1689200), 550000, 550000) == RED
        assert at(image, (-556597, -557305, 1669792, 1689200), -100000, 550000) == WHITE
    image = drawn(square, epsg=3857, srid=4326, bounds="-5,-5,15,15")
    assert at(image, (-556597, -557305, 1669792, 1689200), 1000000, 1000000) == RED
    image = drawn(square, proj4="+proj=laea +lat_0=5 +lon_0=5", bounds="-1000000,-1000000,1000000,1000000")
    assert image.getpixel((128, 128)) == RED
    assert image.getpixel((128, 40)) == WHITE


def test_where_a_map_is_shown_without_bounds(user: Caller) -> None:
    layer = table_layer(user, "square", "POLYGON", {})
    path = f"maps/{got(user.get(f'layers/{layer}'))['map_id']}"
    got(user.put(f"layers/{layer}", json={"styles": FILL}))
    assert picture(user.get(f"{path}/render.png")).getpixel((128, 128)) == WHITE
    made(user.post(f"layers/{layer}/features", json={"geometry": SQUARE}))
    image = picture(user.get(f"{path}/render.png"))
    assert [image.getpixel(place) for place in ((20, 20), (235, 235), (1, 1))] == [RED, RED, WHITE]
    got(user.put(path, json={"bounds": {"xmin": -10, "ymin": -10, "xmax": 10, "ymax": 10}}))
    image = picture(user.get(f"{path}/render.png"))
    assert [image.getpixel(place) for place in ((64, 192), (192, 64))] == [WHITE, RED]
    assert picture(user.get(f"layers/{layer}/render.png")).getpixel((20, 235)) == RED


def test_layers_on_top_of_each_other(user: Caller) -> None:
    lower = table_layer(user, "lower", "POLYGON", {})
    map_id = got(user.get(f"layers/{lower}"))["map_id"]
    made(user.post("tables", json={"name": "upper", "geometry": "POLYGON"}))
    folder = made(user.post(f"maps/{map_id}/layers", json={"type": "folder"}))["id"]
    blue = [{"color": "0,0,255"}]
    upper = new_layer(user, map_id, "upper", type="polygon", styles=blue, parent=folder)["id"]
    got(user.put(f"layers/{lower}", json={"styles": FILL}))
    for layer in (lower, upper):
        made(user.post(f"layers/{layer}/features", json={"geometry": SQUARE}))

    def middle(path: str = f"maps/{map_id}") -> Any:
        return picture(user.get(f"{path}/render.png")).getpixel((128, 128))

    assert middle() == BLUE
    got(user.put(f"layers/{upper}", json={"order": -1}))
    assert middle() == RED
    got(user.put(f"layers/{upper}", json={"order": 9, "alpha": 50}))
    assert is_near(middle(), (128, 0, 128))
    got(user.put(f"layers/{upper}", json={"alpha": None, "visible": False}))
    assert (middle(), middle(f"layers/{upper}")) == (RED, BLUE)
    got(user.put(f"layers/{upper}", json={"visible": True}))
    got(user.put(f"layers/{folder}", json={"visible": False}))
    assert middle() == RED
    got(user.put(f"maps/{map_id}", json={"bgcolor": "10,20,30"}))
    assert picture(user.get(f"maps/{map_id}/render.png?bounds=50,50,60,60")).getpixel((5, 5)) == (10, 20, 30)


def test_download(square: Any) -> None:
    caller, map_id, layer = square
    got(caller.put(f"maps/{map_id}", json={"name": 'Karte/ü "1"'}))
    for query in ("download", "download=true", "download=1"):
        told = caller.get(f"maps/{map_id}/render.png?{query}").headers["content-disposition"]
        assert told == "attachment; filename*=UTF-8''Karte%2F%C3%BC%20%221%22.png"
    assert "Square.jpg" in caller.get(f"layers/{layer}/render.jpg?download").headers["content-disposition"]
    assert "content-disposition" not in caller.get(f"maps/{map_id}/render.png?download=false").headers


def test_tags_and_stamps(square: Any) -> None:
    caller, map_id, _ = square
    first = caller.get(f"maps/{map_id}/render.png")
    again = caller.get(f"maps/{map_id}/render.png", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    stamped = caller.get(f"maps/{map_id}/render.png?timestamp=1&justgenerate")
    assert stamped.content == first.content
    assert "private" in stamped.headers["cache-control"]
    assert "max-age" in stamped.headers["cache-control"]
    assert "max-age" not in first.headers["cache-control"]
    refused(caller.get(f"maps/{map_id}/render.png?phender=false"), 404)
    assert caller.get(f"maps/{map_id}/render.png?phender=true").status_code == 200


def test_the_legend_beside(square: Any) -> None:
    plain, beside = (drawn(square, width=300, bounds="40,40,50,50", layerlist=word) for word in ("0", "true"))
    assert RED not in {color for _, color in plain.getcolors(100_000) or []}
    assert RED in {color for _, color in beside.getcolors(100_000) or []}
    assert beside.height == plain.height


def test_storing_a_picture(square: Any, other: Caller, anonymous: Caller) -> None:
    caller, map_id, _ = square
    path = f"maps/{map_id}/render"
    stored = caller.get(f"{path}.png", params={"saveto": "/pictures/a map.png"})
    assert caller.get("storage/fs/pictures/a%20map.png").content == stored.content
    again = caller.get(f"{path}.png", params={"saveto": "pictures/a map.png", "width": "20"})
    assert caller.get("storage/fs/pictures/a map.png").content == again.content
    assert caller.get(f"{path}.jpg", params={"saveto": "x.jpeg"}).status_code == 200
    for form, wrong in ("png", "a.jpg"), ("jpg", "a.png"), ("png", "a.txt"), ("png", "a"), ("png", "../a.png"):
        refused(caller.get(f"{path}.{form}", params={"saveto": wrong}), 400)
    made(caller.post("storage/fs/folder.png/mkdir"))
    refused(caller.get(f"{path}.png", params={"saveto": "folder.png"}), 409, "saveto")
    made(caller.post(f"resources/{got(caller.get(f'maps/{map_id}'))['resource_id']}/permissions",
                     json={"username": "anonymous", "permission": "READ"}))  # fmt: skip
    refused(anonymous.get(f"{path}.png", params={"saveto": "a.png"}), 403)
    assert other.get(f"{path}.png", params={"saveto": "mine.png"}).status_code == 200
    assert other.get("storage/fs/mine.png").status_code == 200
    refused(caller.get("storage/fs/mine.png"), 404)
    refused(other.get(f"{path}.png?invalidate=true"), 403)
    assert caller.get(f"{path}.png?invalidate=true").status_code == 200


def test_pictures_of_what_is_not_there(user: Caller) -> None:
    for form in ("png", "jpg"):
        refused(user.get(f"maps/0/render.{form}"), 404)
        refused(user.get(f"layers/0/render.{form}"), 404)
    refused(user.get(f"maps/{new_map(user)['id']}/render.gif"), 404)
    page = user.get("maps/0/render.iframe")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_a_map_without_layers_and_one_of_an_empty_folder(user: Caller) -> None:
    map_id = new_map(user)["id"]
    assert picture(user.get(f"maps/{map_id}/render.png")).getpixel((9, 9)) == WHITE
    made(user.post(f"maps/{map_id}/layers", json={"type": "folder"}))
    assert picture(user.get(f"maps/{map_id}/render.png")).getpixel((9, 9)) == WHITE


def test_a_picture_without_its_raster(user: Caller, world: World) -> None:
    content = world.caller.get("storage/fs/earth_tif/earth.tif").content
    assert user.post("storage/fs/", files={"file": ("earth.tif", content)}).status_code == 201
    new_table(user)
    map_id = new_map(user)["id"]
    source = {"type": "file", "src": "/earth.tif"}
    layer = made(user.post(f"maps/{map_id}/layers", json={"source": source}))["id"]
    assert user.get(f"maps/{map_id}/render.png").headers.get("x-layers-missing") is None
    assert user.delete("storage/fs/earth.tif").status_code == 204
    response = user.get(f"maps/{map_id}/render.png")
    assert (response.status_code, response.headers["x-layers-missing"]) == (200, layer)


@pytest.mark.parametrize(
    "query",
    [
        "toolbar&layerlist=1&popups=true&popupus&scalebar=0&visibility=1,2&layerlist_expanded",
        "bounds=0,0,10,10&width=100%25&height=300",
        "bounds=1000000,1000000,2000000,2000000&width=20em&height=50vh",
    ],
)
def test_parameters_of_the_interactive_map(square: Any, query: str) -> None:
    caller, map_id, layer = square
    for path in (f"maps/{map_id}", f"layers/{layer}"):
        response = caller.get(f"{path}/render.iframe?{query}")
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("name", "value"),
    [("toolbar", "x"), ("bounds", "1,2"), ("width", "5 px"), ("height", "1;x"), ("visibility", "x"), ("scalebar", "7")],
)
def test_wrong_parameters_of_the_interactive_map(square: Any, name: str, value: str) -> None:
    caller, map_id, layer = square
    for path in (f"maps/{map_id}", f"layers/{layer}"):
        refused(caller.get(f"{path}/render.iframe", params={name: value}), 400, name)
