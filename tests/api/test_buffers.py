"""Buffers of layers (the contract, section 3), on real data, against pyproj.Geod."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyproj import Geod, Transformer
from shapely.geometry import shape
from tests.answers import refused
from tests.api.conftest import layer_of
from tests.api_data import COLUMNS, table_layer, typed_layer
from tests.server import Caller, Server
from tests.sharing import got, made, new_feature, new_layer, new_map, new_table, share, tables_of

GEOD = Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def borders(server: Server, data_dir: Path) -> Iterator[tuple[Caller, str, str]]:
    """A caller with the border lines on a map in Web Mercator: the map and the layer."""
    with server.new_user() as caller:
        map_id = made(caller.post("maps", json={"name": "Borders"}))["id"]
        yield caller, map_id, layer_of(caller, map_id, data_dir / "borders.gpx")["id"]


def features_of(caller: Caller, layer: str) -> list[dict[str, Any]]:
    return list(got(caller.get(f"layers/{layer}/features?geometry=geojson&srid=4326&perpage=1000"))["data"])


def areas_of(caller: Caller, layer: str) -> list[shapely.Geometry]:
    return [shape(one["__geometry"]) for one in features_of(caller, layer)]


def away(area: shapely.Geometry, source: shapely.Geometry, count: int = 100) -> np.ndarray:
    """How far random points of the area's edge are from positions on the source."""
    edge = shapely.boundary(area)
    at = np.random.default_rng(3).uniform(0, edge.length, count)
    lonlat = shapely.get_coordinates(shapely.line_interpolate_point(edge, at))
    inland = lonlat[np.abs(lonlat[:, 0]) < 179.999999]
    dense = shapely.get_coordinates(shapely.segmentize(source, 0.01))
    pairs = np.repeat(inland, len(dense), axis=0), np.tile(dense, (len(inland), 1))
    return GEOD.inv(*pairs[0].T, *pairs[1].T)[2].reshape(len(inland), -1).min(axis=1)


def test_as_the_description_asks(borders: tuple[Caller, str, str]) -> None:
    caller, map_id, layer = borders
    sent = (
        '{"name":"buffer_layer_name","size":"10000","merge_geom":true,"units":"meter","fill_color":"198,45,240",'
        '"border_color":"0,32,96","border_width":1}'
    )
    answer = caller.post(f"layers/{layer}/buffer.json", content=sent)
    buffer = made(answer)
    assert answer.headers["location"] == f"1/maps/{map_id}/layers/{buffer['id']}"
    assert got(caller.get(answer.headers["location"].removeprefix("1/"))) == buffer
    assert (buffer["name"], buffer["type"], buffer["status"]) == ("buffer_layer_name", "polygon", "ready")
    (style,) = json.loads(buffer["styles"])
    assert style == {"color": "198,45,240", "bordercolor": "0,32,96", "borderwidth": 1}
    (area,) = areas_of(caller, buffer["id"])
    lines = shapely.union_all(areas_of(caller, layer))
    distances = away(area, lines)
    assert (distances.min(), distances.max()) == (pytest.approx(10_000, rel=0.01), pytest.approx(10_000, rel=0.01))
    table = json.loads(buffer["source"])["src"]
    assert got(caller.get(f"tables/{table}?expand=count"))["num_rows"] == 1
    assert caller.get(f"layers/{buffer['id']}/render.png?width=64&height=64").status_code == 200


def test_not_merged_the_attributes_are_kept(server: Server) -> None:
    with server.new_user() as caller:
        layer = typed_layer(caller)
        map_id = got(caller.get(f"layers/{layer}"))["map_id"]
        sent = {"name": "Wörter & Zahlen", "size": 2, "units": "kilometer", "merge_geom": "f", "border_width": "4"}
        buffer = made(caller.post(f"maps/{map_id}/layers/{layer}/buffer", data=sent))
        before, after = (features_of(caller, each) for each in (layer, buffer["id"]))
        # Moments before 1970 come in whole seconds.
        before[1]["data"]["m"] = "1969-12-31T23:59:59.000Z"
        assert [one["data"] for one in after] == [one["data"] for one in before]
        types = [column["type"] for column in got(caller.get(f"layers/{buffer['id']}/columns"))]
        assert types == ["real" if kind == "number" else kind for kind in COLUMNS.values()]
        for one, source in zip(after[:2], before[:2], strict=True):
            distances = away(shape(one["__geometry"]), shape(source["__geometry"]))
            assert (distances.min(), distances.max()) == (pytest.approx(2000, rel=0.01), pytest.approx(2000, rel=0.01))
        assert after[2]["__geometry"] is None
        edited = caller.put(f"layers/{buffer['id']}/features/1", json={"data": {"t": "mine"}})
        assert got(edited)["data"]["t"] == "mine"


UNITS = [("meter", "100000", 100_000), (None, 500, 500), ("Mile", 3, 4828.032), ("kilometer", 0.25, 250)]


@pytest.mark.parametrize(("unit", "size", "metres"), UNITS, ids=str)
@pytest.mark.parametrize("place", [(0, 60), (180, -17), (12, 89.9)], ids=str)
def test_units_are_true_on_the_ground(
    shared: Caller, place: tuple[float, float], unit: str | None, size: Any, metres: float
) -> None:
    layer = table_layer(shared, f"p{abs(hash((place, unit)))}", "POINT", {"name": "text"})
    new_feature(shared, layer, *place)
    sent = {"name": "b", "size": size} | ({"units": unit} if unit else {})
    (area,) = areas_of(shared, made(shared.post(f"layers/{layer}/buffer", json=sent))["id"])
    distances = away(area, shapely.Point(place)) if area.covers(shapely.Point(0, 90)) is False else np.array([metres])
    assert (distances.min(), distances.max()) == (pytest.approx(metres, rel=0.01), pytest.approx(metres, rel=0.01))
    size_on_ground = sum(
        abs(GEOD.geometry_area_perimeter(shapely.geometry.polygon.orient(part))[0]) for part in shapely.get_parts(area)
    )
    assert size_on_ground == pytest.approx(np.pi * metres**2, rel=0.01)


def test_degrees_against_metres_at_60_degrees_north(shared: Caller) -> None:
    layer = table_layer(shared, "north", "POINT", {"name": "text"})
    new_feature(shared, layer, 10, 60)
    degrees, metres = (
        areas_of(
            shared, made(shared.post(f"layers/{layer}/buffer", json={"name": "b", "size": size, "units": unit}))["id"]
        )[0]
        for size, unit in ((1, "degree"), (111_320, "meter"))
    )
    assert degrees.bounds == pytest.approx((9, 59, 11, 61))
    assert metres.bounds[2] - metres.bounds[0] == pytest.approx(4, rel=0.03)
    assert metres.bounds[3] - metres.bounds[1] == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize("srid", [32633, 3857, 3035])
def test_the_projection_of_the_data_does_not_count(shared: Caller, srid: int) -> None:
    layer = table_layer(shared, f"line{srid}", "LINESTRING", {"name": "text"}, srid)
    line = {"geometry": "LINESTRING (12 58, 18 62)", "srid": 4326}
    made(shared.post(f"layers/{layer}/features", json=line))
    buffer = made(shared.post(f"layers/{layer}/buffer", json={"name": "b", "size": 20, "units": "kilometer"}))
    assert buffer["epsg"] == "4326"
    stored = got(shared.get(f"layers/{layer}/features?geometry=wkt&srid={srid}"))["data"][0]["__geometry"]
    from_table = shapely.segmentize(shapely.from_wkt(stored), 1000)
    back = Transformer.from_crs(srid, 4326, always_xy=True)
    source = shapely.transform(from_table, lambda xy: np.column_stack(back.transform(*xy.T)))
    distances = away(areas_of(shared, buffer["id"])[0], source)
    assert (distances.min(), distances.max()) == (pytest.approx(20_000, rel=0.01), pytest.approx(20_000, rel=0.01))


def test_countries_across_the_antimeridian(server: Server, data_dir: Path) -> None:
    with server.new_user() as caller:
        map_id = new_map(caller)["id"]
        layer = layer_of(caller, map_id, data_dir / "countries.zip")["id"]
        buffer = made(
            caller.post(
                f"layers/{layer}/buffer", json={"name": "b", "size": 50, "units": "kilometer", "merge_geom": False}
            )
        )
        listed = {one["data"]["NAME"]: shape(one["__geometry"]) for one in features_of(caller, buffer["id"])}
        assert len(listed) == 177
        assert all(area.is_valid for area in listed.values())
        assert listed["Fiji"].bounds[::2] == (-180, 180)
        assert listed["Fiji"].area < 20
        assert listed["Antarctica"].covers(shapely.LineString([(-180, -89.9), (180, -89.9)]))
        assert listed["Russia"].covers(shapely.Point(-169.2, 66))


def test_of_nothing_comes_nothing(shared: Caller) -> None:
    layer = table_layer(shared, "nothing", "POINT", {"name": "text"})
    for merge in (True, False):
        buffer = made(shared.post(f"layers/{layer}/buffer", json={"name": "b", "size": 1, "merge_geom": merge}))
        assert features_of(shared, buffer["id"]) == []
    made(shared.post(f"layers/{layer}/features", json={"data": {"name": "no place"}}))
    buffer = made(shared.post(f"layers/{layer}/buffer", json={"name": "b", "size": 1}))
    assert features_of(shared, buffer["id"]) == []


REFUSED = [
    ({"size": 1}, "name"),
    ({"name": "", "size": 1}, "name"),
    ({"name": ["x"], "size": 1}, "name"),
    ({"name": "x"}, "size"),
    ({"name": "x", "size": None}, "size"),
    ({"name": "x", "size": "wide"}, "size"),
    ({"name": "x", "size": 0}, "size"),
    ({"name": "x", "size": -1}, "size"),
    ({"name": "x", "size": True}, "size"),
    ({"name": "x", "size": [1]}, "size"),
    ({"name": "x", "size": 1e300}, "size"),
    ({"name": "x", "size": "nan"}, "size"),
    ({"name": "x", "size": 46, "units": "degree"}, "size"),
    ({"name": "x", "size": 1, "units": "foot"}, "units"),
    ({"name": "x", "size": 1, "units": ["meter"]}, "units"),
    ({"name": "x", "size": 1, "merge_geom": "maybe"}, "merge_geom"),
    ({"name": "x", "size": 1, "border_width": 0}, "border_width"),
    ({"name": "x", "size": 1, "border_width": "5"}, "border_width"),
    ({"name": "x", "size": 1, "border_width": 1.5}, "border_width"),
    ({"name": "x", "size": 1, "border_color": "1,2"}, "border_color"),
    ({"name": "x", "size": 1, "border_color": "1,2,256"}, "border_color"),
    ({"name": "x", "size": 1, "fill_color": {"r": 1}}, "fill_color"),
    ({"name": "x", "size": 1, "fill_color": "red"}, "fill_color"),
]


@pytest.mark.parametrize(("sent", "field"), REFUSED, ids=[str(sent) for sent, _ in REFUSED])
def test_bad_input_makes_nothing(borders: tuple[Caller, str, str], sent: dict[str, Any], field: str) -> None:
    caller, map_id, layer = borders
    before = [got(caller.get(path)) for path in (f"maps/{map_id}/layers", "tables")]
    refused(caller.post(f"layers/{layer}/buffer", json=sent), 400, field)
    assert [got(caller.get(path)) for path in (f"maps/{map_id}/layers", "tables")] == before


def test_who_may(user: Caller, other: Caller, anonymous: Caller) -> None:
    made_map = new_map(user)
    new_table(user)
    layer = new_layer(user, made_map["id"], "places")["id"]
    new_feature(user, layer)
    sent = {"name": "b", "size": 1}
    for path in (f"layers/{layer}/buffer", f"maps/{made_map['id']}/layers/{layer}/buffer"):
        for caller in (other, anonymous):
            refused(caller.post(path, json=sent), 404)
    refused(user.post(f"maps/{new_map(user)['id']}/layers/{layer}/buffer", json=sent), 404)
    share(user, made_map["resource_id"], "anonymous", "READ")
    for caller in (other, anonymous):
        refused(caller.post(f"layers/{layer}/buffer", json=sent), 403)
    share(user, made_map["resource_id"], other.username, "EDIT")
    buffer = made(other.post(f"layers/{layer}/buffer", json=sent))
    assert (buffer["map_id"], buffer["owner"]) == (made_map["id"], str(other.user_id))
    assert len(tables_of(other, other)) == 1
    assert len(features_of(user, buffer["id"])) == 1


def test_rasters_have_no_buffer(world: Any) -> None:
    refused(world.caller.post(f"layers/{world.layers['earth.tif']}/buffer", json={"name": "b", "size": 1}), 400)
