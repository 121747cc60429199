"""Layers of map and feature services of others, asked over HTTP."""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.answers import refused
from tests.api import ogc
from tests.server import Caller, Server, free_port, wait_until
from tests.sharing import feature_ids, got, made, new_map, share

from graticule.catalogue.orm import Layer

RED, GREEN, WHITE = (255, 0, 0), (0, 255, 0), (255, 255, 255)


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that may ask services on this machine."""
    settings = {"GRATICULE_FETCH_PRIVATE_ADDRESSES": "true", "GRATICULE_SERVICE_TIMEOUT": "30"}
    running = Server(tmp_path_factory.mktemp("near"), environment=settings)
    running.new_user(administrator=True).close()
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def author(near: Server) -> Iterator[Caller]:
    with near.new_user() as caller:
        yield caller


@pytest.fixture
def service(data_dir: Path) -> Iterator[ogc.Service]:
    with ogc.running(data_dir) as running:
        yield running


def layer(caller: Caller, source: dict[str, Any], **fields: Any) -> Any:
    """A layer on a map of its own, when it is no longer busy."""
    map_id = new_map(caller, epsg="3857", bgcolor="255,255,255")["id"]
    sent = {"type": source["type"], "source": json.dumps(source), **fields}
    return settled(caller, made(caller.post(f"maps/{map_id}/layers", json=sent)))


def settled(caller: Caller, found: Any) -> Any:
    """The layer when its copy has been made."""
    seen = [found]

    def is_settled() -> bool:
        if seen[-1]["status"] == "busy":
            seen.append(got(caller.get(f"layers/{found['id']}")))
        return bool(seen[-1]["status"] != "busy")

    wait_until(is_settled, "the layer stays busy")
    return seen[-1]


def wms(service: ogc.Service, **fields: Any) -> dict[str, Any]:
    return {"type": "wms", "url": service.url, "layer": "a,b", **fields}


def wfs(service: ogc.Service, **fields: Any) -> dict[str, Any]:
    return {"type": "wfs", "url": service.url, "layer_id": "t:towns", **fields}


def picture(caller: Caller, path: str) -> Image.Image:
    answer = caller.get(path)
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.content)).convert("RGB")


def corners(image: Image.Image) -> list[Any]:
    """The pixels a quarter in from each corner: north-west, north-east, south-west, south-east."""
    places = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)]
    return [image.getpixel((int(x * image.width), int(y * image.height))) for x, y in places]


def bbox(asked: dict[str, str]) -> list[float]:
    return [float(side) for side in asked["BBOX"].split(",")]


BOXES = [
    # epsg and bounds of the picture, of the source srs and version; what is asked for: name, projection, sides.
    ("3857", "0,0,1000,1000", None, None, "SRS", "EPSG:3857", [0, 0, 1000, 1000]),
    ("4326", "10,40,20,50", None, "1.1.1", "SRS", "EPSG:4326", [10, 40, 20, 50]),
    ("4326", "10,40,20,50", None, "1.3.0", "CRS", "EPSG:4326", [40, 10, 50, 20]),
    ("4326", "10,40,20,50", "CRS:84", "1.3.0", "CRS", "CRS:84", [10, 40, 20, 50]),
    ("3857", "0,0,1000,1000", "EPSG:900913", "1.3.0", "CRS", "EPSG:900913", [0, 0, 1000, 1000]),
    ("3035", "4000000,3000000,4100000,3100000", None, "1.3.0", "CRS", "EPSG:3035", [3e6, 4e6, 3.1e6, 4.1e6]),
    ("31467", "3500000,5500000,3600000,5600000", 31467, "1.3.0", "CRS", "EPSG:31467", [5.5e6, 3.5e6, 5.6e6, 3.6e6]),
    ("32633", "500000,5000000,600000,5100000", None, "1.3.0", "CRS", "EPSG:32633", [5e5, 5e6, 6e5, 5.1e6]),
]


@pytest.mark.parametrize(("epsg", "bounds", "srs", "version", "name", "value", "sides"), BOXES)
def test_what_a_map_service_is_asked(
    author: Caller, service: ogc.Service, epsg: str, bounds: str, srs: Any, version: Any, name: str, value: str,
    sides: list[float],
) -> None:  # fmt: skip
    found = layer(author, wms(service, srs=srs, version=version, style="s"))
    assert found["status"] == "ready"
    assert found["status_text"] is None
    image = picture(author, f"layers/{found['id']}/render.png?epsg={epsg}&bounds={bounds}&width=200&height=200")
    assert corners(image) == [RED, GREEN, RED, RED]
    (asked,) = service.requests("GetMap")
    assert asked[name] == value
    assert bbox(asked) == pytest.approx(sides, rel=1e-9)
    assert (asked["LAYERS"], asked["STYLES"], asked["WIDTH"], asked["HEIGHT"]) == ("a,b", "s", "200", "200")
    assert (asked["VERSION"], asked["MAP"]) == (version or "1.1.1", "/a b.map")
    assert ("SRS" in asked, "CRS" in asked) == (name == "SRS", name == "CRS")


def test_a_picture_in_another_projection_is_warped(author: Caller, service: ogc.Service) -> None:
    found = layer(author, wms(service, srs="EPSG:4326"))
    image = picture(author, f"layers/{found['id']}/render.png?epsg=3857&bounds=0,0,1000000,1000000")
    (asked,) = service.requests("GetMap")
    assert bbox(asked) == pytest.approx([0, 0, 8.983153, 8.946574], abs=1e-5)
    assert corners(image) == [RED, GREEN, RED, RED]
    # Beyond the world nothing is asked for, and nothing drawn.
    picture(author, f"layers/{found['id']}/render.png?epsg=3857&bounds=-30000000,-30000000,30000000,30000000")
    west, south, east, north = bbox(service.requests("GetMap")[1])
    assert (west, south) >= (-180, -90)
    assert (east, north) <= (180, 90)


def test_a_map_service_on_maps_tiles_and_styles(author: Caller, service: ogc.Service) -> None:
    found = layer(author, wms(service), alpha="50")
    map_id = found["map_id"]
    assert corners(picture(author, f"maps/{map_id}/tiles/0/0/0.png"))[1] == pytest.approx((127, 255, 127), abs=2)
    style = got(author.get(f"maps/{map_id}/style.json"))
    (tiles,) = style["sources"][found["id"]]["tiles"]
    assert tiles.startswith(f"/1/layers/{found['id']}/tiles/{{z}}/{{x}}/{{y}}.png")
    assert style["sources"][found["id"]]["type"] == "raster"
    assert [one["type"] for one in style["layers"]] == ["background", "raster"]
    assert author.get(f"layers/{found['id']}/tiles/1/1/0.png").status_code == 200
    assert len(service.requests("GetMap")) == 2
    assert got(author.get(f"layers/{found['id']}/columns")) == []
    refused(author.get(f"layers/{found['id']}/features"), 400)
    assert author.get(f"maps/{map_id}/render.iframe").status_code == 200


BROKEN: list[dict[str, Any]] = [
    {"body": b"<ServiceException>no</ServiceException>"},
    {"body": b""},
    {"status": 500},
    {"body": b"\x89PNG\r\n\x1a\n" + b"x" * 100},
]


@pytest.mark.parametrize("broken", BROKEN)
def test_what_a_map_service_fails_to_draw_is_left_out(
    author: Caller, service: ogc.Service, broken: dict[str, Any]
) -> None:
    found = layer(author, wms(service))
    for name, value in broken.items():
        setattr(service, name, value)
    assert corners(picture(author, f"maps/{found['map_id']}/render.png?bounds=0,0,9,9")) == [WHITE] * 4
    assert len(service.requests("GetMap")) == 1


def test_a_map_service_that_does_not_answer_is_said(author: Caller, service: ogc.Service) -> None:
    service.status = 503
    found = layer(author, wms(service))
    assert found["status"] == "error"
    assert "503" in found["status_text"]
    dead = layer(author, {"type": "wms", "url": f"http://127.0.0.1:{free_port()}/", "layer": "x"})
    assert (dead["status"], "does not answer" in dead["status_text"]) == ("error", True)
    assert got(author.get(f"layers/{dead['id']}/columns")) == []
    picture(author, f"maps/{dead['map_id']}/render.png")
    service.status = 200
    picture(author, f"layers/{found['id']}/render.png?bounds=0,0,9,9")
    again = got(author.get(f"layers/{found['id']}"))
    assert (again["status"], again["status_text"]) == ("ready", None)


def test_told_extents(author: Caller, service: ogc.Service) -> None:
    extent = {"x_min": "1.50", "y_min": "2", "x_max": "3", "y_max": "4"}
    for source in (wms(service), wfs(service)):
        found = layer(author, source, **extent)
        assert {name: found[name] for name in extent} == extent
        assert got(author.put(f"layers/{found['id']}", json={"x_min": 0}))["x_min"] == "0"


FORMS = [
    ({"url": "file:///etc/passwd"}, "source.url"), ({"url": "ftp://x.example/"}, "source.url"),
    ({"url": 7}, "source.url"), ({"url": "http://[/"}, "source.url"), ({"url": "http://x:99999/"}, "source.url"),
    ({"url": "https://"}, "source.url"), ({"url": None}, "url"), ({"url": [1]}, "source.url"),
    ({"srs": "EPSG:1"}, "source.srs"), ({"srs": "x"}, "source.srs"), ({"srs": {}}, "source.srs"),
]  # fmt: skip
PRIVATE = [
    "http://127.0.0.1/",
    "http://localhost:8000/x",
    "http://10.1.2.3/",
    "http://[::1]/",
    "http://169.254.169.254/",
]


@pytest.mark.parametrize("kind", ["wms", "wfs"])
def test_forms_and_addresses_are_checked(user: Caller, kind: str) -> None:
    map_id = new_map(user)["id"]
    fine = {"type": kind, "url": "http://x.example/", "layer": "x", "layer_id": "x"}
    cases = [*FORMS, *(({"url": url}, "source.url") for url in PRIVATE)]
    cases += [({"layer": None, "layer_id": None}, "layer" if kind == "wms" else "layer_id")]
    cases += [({"version": "9"}, "source.version"), ({"style": []}, "source.style")] if kind == "wms" else []
    for bad, field in cases:
        refused(user.post(f"maps/{map_id}/layers", json={"source": fine | bad}), 400, field)
    assert got(user.get(f"maps/{map_id}/layers"))["data"] == []
    assert got(user.get("datasources"))["data"] == []


def test_tiles_of_private_networks_are_refused(user: Caller) -> None:
    map_id = new_map(user)["id"]
    for url in PRIVATE:
        source = {"type": "tile", "src": url.rstrip("/") + "/{z}/{x}/{y}.png"}
        refused(user.post(f"maps/{map_id}/layers", json={"source": source}), 400, "source")


def test_features_of_a_service(author: Caller, service: ogc.Service) -> None:
    source = wfs(service)
    found = layer(author, source, name="Towns")
    assert (found["type"], found["status"], found["status_text"], found["epsg"]) == ("wfs", "ready", None, "4326")
    assert found["source"] == json.dumps(source)
    first = service.cities[0]["geometry"]["coordinates"]
    url = f"layers/{found['id']}"
    page = got(author.get(f"{url}/features?epsg=4326&geometry=geojson&perpage=1"))
    assert page["total"] == len(service.cities)
    (town,) = page["data"]
    assert town["__geometry"]["coordinates"] == pytest.approx(first)
    assert (town["data"]["name"], town["data"]["people"]) == ("Shanghai", 0)
    columns = {one["name"]: one["type"] for one in got(author.get(f"{url}/columns"))}
    assert (columns["name"], columns["people"]) == ("text", "integer")
    assert got(author.get(f"{url}/features?where=people=50"))["total"] == 1
    xs = [city["geometry"]["coordinates"][0] for city in service.cities]
    assert float(found["x_min"]) == pytest.approx(min(xs))
    assert float(found["x_max"]) == pytest.approx(max(xs))
    style = got(author.get(f"maps/{found['map_id']}/style.json"))
    assert style["sources"][found["id"]]["type"] == "vector"
    assert author.get(f"{url}/tiles/0/0/0.mvt").status_code == 200
    dark = picture(author, f"{url}/render.png?width=64&height=64").convert("L").getextrema()[0]
    assert dark < 200
    assert len(service.requests("GetFeature")) == 1


def test_features_of_a_service_are_read_only(author: Caller, service: ogc.Service) -> None:
    url = f"layers/{layer(author, wfs(service))['id']}"
    first = feature_ids(author, url.removeprefix("layers/"))[0]
    for answer in (
        author.post(f"{url}/features", json={"data": {}, "geometry": "POINT(1 2)"}),
        author.put(f"{url}/features/{first}", json={"data": {}}),
        author.delete(f"{url}/features/{first}"),
    ):
        assert "WFS" in refused(answer, 403)["msg"]


@pytest.mark.parametrize("version", ["2.0.0", "1.1.0", "1.0.0"])
@pytest.mark.parametrize("pages", [True, False])
@pytest.mark.parametrize("many", [True, False])
def test_pages_of_features(author: Caller, service: ogc.Service, version: str, pages: bool, many: bool) -> None:
    service.version, service.pages, service.many = version, pages, many
    service.cities = service.cities[:100]
    if pages and version != "1.0.0":
        service.most = 40
    found = layer(author, wfs(service))
    assert found["status_text"] is None
    assert got(author.get(f"layers/{found['id']}/features?perpage=1"))["total"] == len(service.cities)
    starts = [one.get("STARTINDEX") for one in service.requests("GetFeature")]
    known = {
        ("2.0.0", True): ["0", "40", "80"], ("1.1.0", True): ["0", "40", "80", "100"],
        ("2.0.0", False): ["0", "100"], ("1.1.0", False): ["0", "100"],
    }  # fmt: skip
    assert starts == known.get((version, pages), [None])


def test_the_projection_of_a_feature_service(author: Caller, service: ogc.Service) -> None:
    found = layer(author, wfs(service, srs="EPSG:4326", layer_id="towns"))
    assert (found["epsg"], found["status_text"]) == ("4326", None)
    (asked,) = service.requests("GetFeature")
    assert (asked["SRSNAME"], asked["TYPENAMES"]) == ("EPSG:4326", "t:towns")


def grow_old(server: Server, layer_id: str, seconds: int) -> None:
    """Let time go by for the copy behind a layer."""
    with server.backend() as backend, backend.catalogue.write() as session:
        dataset = session.get_one(Layer, int(layer_id)).dataset
        assert dataset is not None
        assert dataset.refreshed is not None
        dataset.refreshed -= seconds


def test_a_copy_is_made_anew_when_it_is_old(author: Caller, near: Server, service: ogc.Service) -> None:
    found = layer(author, wfs(service))
    url = f"layers/{found['id']}"
    assert got(author.get(f"{url}/features"))["total"] == 1000
    service.cities = service.cities[:7]
    grow_old(near, found["id"], 3500)
    assert got(author.get(f"{url}/features"))["total"] == 1000
    assert len(service.requests("GetFeature")) == 1
    grow_old(near, found["id"], 101)
    wait_until(lambda: got(author.get(f"{url}/features"))["total"] == 7, "the copy is not made anew", 20)
    assert author.get(f"{url}/features").json()["total"] == 7
    # Whatever happens to the service, what is there stays, and it is said.
    service.status = 500
    grow_old(near, found["id"], 3601)
    wait_until(lambda: got(author.get(url))["status_text"] is not None, "the failure is not told", 20)
    after = got(author.get(url))
    assert (after["status"], "500" in after["status_text"]) == ("ready", True)
    assert got(author.get(f"{url}/features"))["total"] == 7
    service.status = 200
    grow_old(near, found["id"], 61)
    wait_until(lambda: got(author.get(url))["status_text"] is None, "the recovery is not told", 20)


def test_a_service_is_never_asked_twice_at_once(author: Caller, service: ogc.Service) -> None:
    service.answers.clear()
    map_id = new_map(author)["id"]
    found = made(author.post(f"maps/{map_id}/layers", json={"type": "wfs", "source": wfs(service)}))
    assert found["status"] == "busy"
    url = f"layers/{found['id']}"
    for _ in range(5):
        answer = author.get(f"{url}/features")
        refused(answer, 503)
        assert answer.headers["retry-after"]
    refused(author.get(f"{url}/columns"), 503)
    picture(author, f"maps/{map_id}/render.png")
    assert len(service.asked) == 1
    service.answers.set()
    wait_until(lambda: author.get(f"{url}/features").status_code == 200, "the features do not come")
    assert len(service.asked) == 2


ANSWERS = [
    (b"<html>hello</html>", "does not answer as a feature service"),
    (b"hello", "does not answer as a feature service"),
    (b'<WFS_Capabilities version="2.0.0"/>', "no layer t:towns"),
]


@pytest.mark.parametrize(("body", "said"), ANSWERS)
def test_a_feature_service_that_answers_nonsense(author: Caller, service: ogc.Service, body: bytes, said: str) -> None:
    service.body = body
    found = layer(author, wfs(service))
    assert found["status"] == "error"
    assert said in found["status_text"]
    for path in ("features", "columns"):
        assert said in refused(author.get(f"layers/{found['id']}/{path}"), 409)["msg"]
    picture(author, f"maps/{found['map_id']}/render.png")


def test_what_a_feature_service_reports(author: Caller, service: ogc.Service) -> None:
    found = layer(author, wfs(service, layer_id="t:nothing"))
    assert "no such thing" in found["status_text"]
    dead = layer(author, wfs(service) | {"url": f"http://127.0.0.1:{free_port()}/"})
    assert (dead["status"], "does not answer" in dead["status_text"]) == ("error", True)


def test_documents_with_entities_are_not_read(author: Caller, service: ogc.Service, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    held = "<FeatureType><Name>&e;</Name></FeatureType>"
    entity = f'<!DOCTYPE a [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>'
    service.body = f'{entity}<WFS_Capabilities version="2.0.0">{held}</WFS_Capabilities>'.encode()
    found = layer(author, wfs(service, layer_id="secret"))
    assert found["status"] == "error"
    assert "no layer" in found["status_text"]


def test_the_datasource_of_a_feature_service(author: Caller, near: Server, service: ogc.Service) -> None:
    found = layer(author, wfs(service))
    expanded = got(author.get(f"layers/{found['id']}?expand=datasource"))["datasource"]
    assert (expanded["type"], expanded["owner_id"]) == (70, author.user_id)
    # The same source has the same datasource, and the same copy.
    assert layer(author, wfs(service))["datasource_id"] == found["datasource_id"]
    assert len(service.requests("GetFeature")) == 1
    mine = made(author.post("datasources", json={"type": 70, "name": "mine"}))
    wrong = made(author.post("datasources", json={"type": 40}))
    url = f"layers/{found['id']}"
    refused(author.put(url, json={"datasource_id": wrong["id"]}), 400, "datasource_id")
    tag = author.get(url).headers["etag"]
    assert got(author.put(url, json=got(author.get(f"{url}?expand=datasource"))))
    assert author.get(url).headers["etag"] == tag
    moved = got(author.put(url, json={"datasource_id": mine["id"]}))
    assert settled(author, moved)["datasource_id"] == mine["id"]
    assert len(service.requests("GetFeature")) == 2
    assert author.delete(f"datasources/{mine['id']}").status_code == 204
    gone = got(author.get(url))
    assert (gone["status"], gone["datasource_id"]) == ("error", None)
    refused(author.get(f"{url}/features"), 409)


def test_rights_on_the_datasource_hold_for_the_features(author: Caller, near: Server, service: ogc.Service) -> None:
    with near.new_user() as owner:
        source = made(owner.post("datasources", json={"type": 70, "name": "theirs"}))
        share(owner, source["resource_id"], author.username, "READ")
        found = layer(author, wfs(service), datasource_id=source["id"])
        url = f"layers/{found['id']}/features"
        resource = got(author.get(f"maps/{found['map_id']}"))["resource_id"]
        share(author, resource, "anonymous", "READ")
        assert got(author.get(url))["total"] == 1000
        with near.anonymous() as anyone:
            # Who may only read it cannot publish it.
            refused(anyone.get(url), 403)
            share(owner, source["resource_id"], author.username, "SHARE")
            assert got(anyone.get(url))["total"] == 1000


def test_columns_are_refreshed_when_asked_for(author: Caller, service: ogc.Service, near: Server) -> None:
    found = layer(author, wfs(service))
    service.cities = service.cities[:3]
    columns = got(author.put(f"layers/{found['id']}/refresh_columns"))
    wait_until(lambda: author.get(f"layers/{found['id']}/features").json()["total"] == 3, "it is not made anew")
    assert columns == got(author.get(f"layers/{found['id']}/columns"))
    assert got(author.get(f"layers/{found['id']}/features"))["total"] == 3
    assert got(author.put(f"maps/{found['map_id']}/layers/{found['id']}/refresh_columns")) == columns
    with near.anonymous() as anyone:
        refused(anyone.put(f"layers/{found['id']}/refresh_columns"), 404)


def test_a_copy_that_was_being_made_when_the_server_died(service: ogc.Service, tmp_path: Path) -> None:
    settings = {"GRATICULE_FETCH_PRIVATE_ADDRESSES": "true", "GRATICULE_SERVICE_TIMEOUT": "60"}
    server = Server(tmp_path, environment=settings)
    with server.new_user() as made_before:
        key = made_before.key
    server.start()
    try:
        service.answers.clear()
        caller = Caller(server.url, key)
        sent = {"type": "wfs", "source": wfs(service)}
        found = made(caller.post(f"maps/{new_map(caller)['id']}/layers", json=sent))
        assert found["status"] == "busy"
        assert server.process is not None
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()
        service.answers.set()
        server.start()
        url = f"layers/{found['id']}/features"
        wait_until(lambda: caller.get(url).status_code == 200, "the features do not come")
        caller.close()
    finally:
        server.stop()
