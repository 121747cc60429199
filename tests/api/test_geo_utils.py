"""Location queries (the contract, sections 10 and 11), on real places and countries, against pyproj.Geod."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyproj import Geod, Transformer
from shapely.geometry import shape
from tests.answers import refused
from tests.api_data import World, table_layer
from tests.server import Caller, Server
from tests.sharing import got, made, new_feature, new_layer, new_map, new_table, share

GEOD = Geod(ellps="WGS84")
ZAGREB = (15.97798, 45.81444)
MEMBERS = ["__layerId", "__id", "__owner", "__created", "__modified", "__xmin", "__ymin", "__xmax", "__ymax", "data"]


@pytest.fixture(scope="module")
def places(data_dir: Path) -> np.ndarray:
    """Number, longitude and latitude of each place, (n, 3)."""
    with (data_dir / "cities.csv").open(encoding="utf-8") as file:
        return np.array([[row["geonameid"], row["longitude"], row["latitude"]] for row in csv.DictReader(file)], float)


@pytest.fixture(scope="module")
def edge(server: Server) -> Iterator[tuple[Caller, str, str]]:
    """A caller with a layer of points and lines where the world ends, and one in Web Mercator of areas."""
    with server.new_user() as caller:
        ends = table_layer(caller, "ends", "GEOMETRY", {"name": "text"})
        shapes = {
            "west": "POINT (-179.999 60)",
            "east": "POINT (179.999 60)",
            "pole": "POINT (77 89.999)",
            "border": "LINESTRING (-179.99 -10, -179.99 10)",
            "beyond": "POLYGON ((179.5 20, 180.5 20, 180.5 21, 179.5 21, 179.5 20))",
        }
        sent = [{"data": {"name": name}, "geometry": text} for name, text in shapes.items()]
        made(caller.post(f"layers/{ends}/features", json=[*sent, {"data": {"name": "none"}, "geometry": None}]))
        areas = table_layer(caller, "areas", "POLYGON", {"name": "text"}, 3857)
        square = {"data": {"name": "square"}, "geometry": "POLYGON ((0 0, 0 1000, 1000 1000, 1000 0, 0 0))"}
        made(caller.post(f"layers/{areas}/features", json=square))
        yield caller, ends, areas


def at_point(caller: Caller, layers: str, x: float, y: float, buffer: str, **params: Any) -> list[dict[str, Any]]:
    asked = {"layer_id": layers, "point_x": x, "point_y": y, "buffer": buffer} | params
    return list(got(caller.get("geo_utils/features_at_point", params=asked)))


def within(places: np.ndarray, x: float, y: float, metres: float) -> list[int]:
    """The numbers of the places that are within reach, the nearest first."""
    here = np.full(len(places), x), np.full(len(places), y)
    away = GEOD.inv(*here, places[:, 1], places[:, 2])[2]
    order = np.argsort(away, kind="stable")
    return places[order, 0][away[order] <= metres].astype(int).tolist()


AT = [
    (*ZAGREB, "30000", 30_000),
    (*ZAGREB, "30km", 30_000),
    (*ZAGREB, " 30.5 KM ", 30_500),
    (10.75, 59.9, "50km", 50_000),
]
AT += [(179.9, -17, "300km", 300_000), (0, 89.9, "2500km", 2_500_000), (-179.9, 66, "1500km", 1_500_000)]
AT += [(*ZAGREB, "30000m.json", 30_000), (*ZAGREB, "5000.json", 5_000), (*ZAGREB, ".5km", 500)]


@pytest.mark.parametrize(("x", "y", "buffer", "metres"), AT, ids=str)
def test_features_at_a_point(cities: World, places: np.ndarray, x: float, y: float, buffer: str, metres: float) -> None:
    layer = cities.layers["cities.csv"]
    found = at_point(cities.caller, layer, x, y, buffer, perpage=1000)
    assert [one["data"]["geonameid"] for one in found] == within(places, x, y, metres)
    assert all(list(one) == MEMBERS and one["__layerId"] == int(layer) for one in found)


def test_as_the_description_asks(cities: World) -> None:
    query = f"layer_id={cities.layers['cities.csv']}&point_x=16&point_y=18&buffer=1000.json"
    assert got(cities.caller.get(f"geo_utils/features_at_point?{query}")) == []


def test_pages_of_what_is_at_a_point(cities: World, places: np.ndarray) -> None:
    layer, every = cities.layers["cities.csv"], within(places, *ZAGREB, 100_000)
    pages = [at_point(cities.caller, layer, *ZAGREB, "100km", perpage=7, page=page) for page in (1, 2, 99)]
    assert [[one["data"]["geonameid"] for one in page] for page in pages] == [every[:7], every[7:14], []]


def test_other_projections_and_formats(cities: World) -> None:
    to_mercator = Transformer.from_crs(4326, 3857, always_xy=True)
    x, y = to_mercator.transform(*ZAGREB)
    for srid in ({"srid": 3857}, {"proj4": "+proj=merc +a=6378137 +b=6378137 +units=m"}):
        asked = {"geometry": "geojson", "noattrib": "", "perpage": 1} | srid
        (one,) = at_point(cities.caller, cities.layers["cities.csv"], x, y, "2km", **asked)
        assert one["data"] == {}
        assert (one["__xmin"], one["__ymin"]) == pytest.approx((x, y))
        assert one["__geometry"]["coordinates"] == pytest.approx([x, y])


def test_where_and_several_layers(cities: World, world: World) -> None:
    hits = at_point(world.caller, world.countries, 16, 45, "1m", where="POP_EST > 0")
    assert [one["data"]["NAME"] for one in hits] == ["Bosnia and Herz."]
    assert at_point(world.caller, world.countries, 16, 45, "1m", where="NAME = 'Italy'") == []
    layers = f"{world.layers['lakes.zip']},{world.countries}, {world.countries}"
    found = at_point(world.caller, layers, 30.3, 60.9, "10km", noattrib="")
    assert [str(one["__layerId"]) for one in found] == [world.countries, world.layers["lakes.zip"]]


EDGES = [
    ("180 60", (180, 60), "60m", ["east", "west"]),
    ("-180 60", (-180, 60), "60m", ["east", "west"]),
    ("from the east", (179.9985, 60), "200m", ["east", "west"]),
    ("too near for the other", (179.9985, 60), "100m", ["east"]),
    ("over the pole", (-103, 89.999), "230m", ["pole"]),
    ("not over the pole", (-103, 89.999), "220m", []),
    ("to an edge", (179.99, 5), "2300m", ["border"]),
    ("not to an edge", (179.99, 5), "2200m", []),
    ("in what goes beyond", (-179.6, 20.5), "0", ["beyond"]),
    ("beside what goes beyond", (-179.499, 20.5), "110m", ["beyond"]),
    ("in it on this side", (179.6, 20.5), "0m", ["beyond"]),
]


@pytest.mark.parametrize(("place", "buffer", "expected"), [case[1:] for case in EDGES], ids=[case[0] for case in EDGES])
def test_where_the_world_ends(
    edge: tuple[Caller, str, str], place: tuple[float, float], buffer: str, expected: list[str]
) -> None:
    found = at_point(edge[0], edge[1], *place, buffer)
    assert sorted(one["data"]["name"] for one in found) == expected


def test_metres_are_metres_in_a_projection_that_stretches(edge: tuple[Caller, str, str]) -> None:
    caller, _, areas = edge
    north = "POLYGON ((0 8399737.9, 0 8400000, 100 8400000, 100 8399737.9, 0 8399737.9))"
    made(caller.post(f"layers/{areas}/features", json={"data": {"name": "at 60°"}, "geometry": north}))
    # 600 units east of it are 300 metres at this latitude.
    for buffer, expected in (("290m", []), ("310m", ["at 60°"])):
        found = at_point(caller, areas, 700, 8399800, buffer, srid=3857)
        assert [one["data"]["name"] for one in found] == expected


def test_who_may_not_read_a_layer_finds_none(user: Caller, other: Caller, anonymous: Caller) -> None:
    made_map = new_map(user)
    new_table(user)
    layer = new_layer(user, made_map["id"], "places")["id"]
    new_feature(user, layer, 16, 45, name="here")
    calls = [f"{name}?layer_id={layer}&point_x=16&point_y=45" for name in ("features_at_point", "nearest")]
    calls += [f"area?layer_id={layer}", f"feature_bounds?layer_id={layer}"]
    calls += [f"spatial_filter?layer_id={layer}&shape=POINT(16 45)"]
    for call in calls:
        got(user.get(f"geo_utils/{call}"))
        for caller in (other, anonymous):
            refused(caller.get(f"geo_utils/{call}"), 404)
        refused(user.get(f"geo_utils/{call.replace(layer, '99999999')}"), 404)
    refused(user.get(f"geo_utils/features_at_point?layer_id={layer},99999999&point_x=16&point_y=45"), 404)
    share(user, made_map["resource_id"], other.username, "READ")
    for call in calls:
        got(other.get(f"geo_utils/{call}"))


@pytest.mark.parametrize("place", [ZAGREB, (-150.0, 0.0), (179.9, -40.0), (0.0, 90.0)], ids=str)
def test_nearest(cities: World, places: np.ndarray, place: tuple[float, float]) -> None:
    asked = {"layer_id": cities.layers["cities.csv"], "point_x": place[0], "point_y": place[1]}
    found = got(cities.caller.get("geo_utils/nearest", params=asked | {"limit": 5}))
    assert [one["data"]["geonameid"] for one in found] == within(places, *place, 3e7)[:5]
    for one in found:
        assert one["__distance"] == pytest.approx(GEOD.inv(*place, one["__xmin"], one["__ymin"])[2], abs=1e-6)
    assert got(cities.caller.get("geo_utils/nearest", params=asked)) == found[:1]
    near = found[0]["__distance"] + 1
    assert got(cities.caller.get("geo_utils/nearest", params=asked | {"k": 9, "buffer": near})) == found[:1]


def test_nearest_of_few(edge: tuple[Caller, str, str]) -> None:
    caller, ends, _ = edge
    found = got(caller.get(f"geo_utils/nearest?layer_id={ends}&point_x=180&point_y=60&limit=10"))
    assert sorted(one["data"]["name"] for one in found) == ["beyond", "border", "east", "pole", "west"]
    away = [one["__distance"] for one in found]
    assert away == sorted(away)


def test_spatial_filter(cities: World, world: World, places: np.ndarray) -> None:
    geometry = f"layers/{world.countries}/features?where=NAME='Croatia'&geometry=geojson&srid=4326"
    croatia = shape(got(world.caller.get(geometry))["data"][0]["__geometry"])
    inside = shapely.intersects_xy(croatia, places[:, 1], places[:, 2])
    asked = {"layer_id": cities.layers["cities.csv"], "shape": croatia.wkt, "perpage": 1000}
    found = got(cities.caller.get("geo_utils/spatial_filter", params=asked))
    assert sorted(one["data"]["geonameid"] for one in found) == sorted(places[inside, 0].astype(int).tolist())
    paged = [
        got(cities.caller.get("geo_utils/spatial_filter", params=asked | {"perpage": 10, "page": page}))
        for page in (1, 2)
    ]
    assert paged[0] + paged[1] == found[:20]
    large = got(cities.caller.get("geo_utils/spatial_filter", params=asked | {"where": "population > 100000"}))
    assert 0 < len(large) < len(found)


def test_the_shape_may_be_called_geometry(world: World) -> None:
    asked = {"layer_id": world.countries, "geometry": "POINT (16.5 48)", "srid": 4326}
    (one,) = got(world.caller.get("geo_utils/spatial_filter", params=asked))
    assert (one["data"]["NAME"], "__geometry" in one) == ("Austria", False)
    point = {"shape": '{"type": "Point", "coordinates": [16.5, 48]}', "geometry": "wkt"}
    (one,) = got(world.caller.get("geo_utils/spatial_filter", params=asked | point))
    assert one["__geometry"].startswith("MULTIPOLYGON")


def test_relations_between_layers(world: World) -> None:
    def names(relation: str) -> set[str]:
        asked = {
            "layer_id": world.countries,
            "filter_layer_id": world.countries,
            "filter_where": "NAME = 'Austria'",
            "relation": relation,
        }
        return {one["data"]["NAME"] for one in got(world.caller.get("geo_utils/spatial_filter", params=asked))}

    neighbours = {"Austria", "Germany", "Italy", "Slovakia", "Czechia", "Slovenia", "Hungary", "Switzerland"}
    assert names("intersects") == neighbours
    assert names("within") == names("contains") == {"Austria"}
    asked = {"layer_id": world.countries, "shape": "SRID=3857;POINT (1800000 5800000)", "relation": "contains"}
    (one,) = got(world.caller.get("geo_utils/spatial_filter", params=asked))
    assert one["data"]["NAME"] == "Croatia"
    ids = {"layer_id": world.countries, "filter_layer_id": world.countries, "filter_feature_id": one["__id"]}
    assert len(got(world.caller.get("geo_utils/spatial_filter", params=ids))) > 3


def test_a_large_shape_as_a_form(world: World) -> None:
    """A form that is sent in place of a query that would be too long."""
    dense = shapely.segmentize(shapely.box(9, 40, 20, 48), 0.005).wkt
    assert len(dense) > 80_000
    sent = {"layer_id": world.countries, "shape": dense, "relation": "within"}
    found = got(world.caller.post("geo_utils/spatial_filter?_method=GET", data=sent))
    assert {"Austria", "Croatia", "Slovenia"} & {one["data"]["NAME"] for one in found} >= {"Croatia"}


def test_area(world: World) -> None:
    listed = got(world.caller.get(f"layers/{world.countries}/features?geometry=geojson&srid=4326&perpage=1000"))["data"]
    found = got(world.caller.get(f"geo_utils/area?layer_id={world.countries}&perpage=1000"))
    assert [one["__id"] for one in found] == [one["__id"] for one in listed]
    for one, feature in zip(found, listed, strict=True):
        drawn = shapely.segmentize(shape(feature["__geometry"]), 90)
        parts = [shapely.geometry.polygon.orient(part) for part in shapely.get_parts(drawn)]
        assert one["area"] == pytest.approx(sum(abs(GEOD.geometry_area_perimeter(part)[0]) for part in parts))
        assert one["perimeter"] == pytest.approx(sum(GEOD.geometry_length(part.boundary) for part in parts))
    some = got(world.caller.get(f"geo_utils/area?layer_id={world.countries}&feature_id=7,3"))
    assert some == [found[2], found[6]]
    one = got(world.caller.get(f"geo_utils/area?layer_id={world.countries}&where=NAME='Peru'"))
    assert one[0]["area"] == pytest.approx(1.285e12, rel=0.03)


def test_area_of_a_shape(world: World) -> None:
    square = "POLYGON ((0 0, 0 1000, 1000 1000, 1000 0, 0 0))"
    found = got(world.caller.get("geo_utils/area", params={"shape": square, "srid": 3857}))
    assert found == {"area": pytest.approx(1e6, rel=0.01), "perimeter": pytest.approx(4000, rel=0.01)}
    line = got(world.caller.get("geo_utils/area", params={"shape": "LINESTRING (0 0, 1 0)"}))
    assert line == {"area": 0, "perimeter": pytest.approx(GEOD.inv(0, 0, 1, 0)[2])}


def test_feature_bounds(world: World, edge: tuple[Caller, str, str]) -> None:
    listed = got(world.caller.get(f"layers/{world.countries}/features?where=NAME IN ('Austria','Italy')&srid=3857"))
    ids = ",".join(str(one["__id"]) for one in listed["data"])
    box = got(world.caller.get(f"geo_utils/feature_bounds?layer_id={world.countries}&feature_id={ids}&srid=3857"))
    for name, further in (("xmin", min), ("ymin", min), ("xmax", max), ("ymax", max)):
        assert box[name] == further(one[f"__{name}"] for one in listed["data"])
    caller, ends, _ = edge
    none = got(caller.get(f"geo_utils/feature_bounds?layer_id={ends}&where=name='none'"))
    assert none == dict.fromkeys(("xmin", "ymin", "xmax", "ymax"))
    refused(caller.get(f"geo_utils/feature_bounds?layer_id={ends}&feature_id=1,999"), 404)


POINT = "layer_id={ends}&point_x=1&point_y=1"
REFUSED = [
    ("features_at_point?point_x=1&point_y=1", "layer_id"),
    ("features_at_point?layer_id=x&point_x=1&point_y=1", "layer_id"),
    ("features_at_point?layer_id={ends}&point_y=1", "point_x"),
    ("features_at_point?layer_id={ends}&point_x=1", "point_y"),
    ("features_at_point?layer_id={ends}&point_x=1&point_y=inf", "point_y"),
    ("features_at_point?layer_id={ends}&point_x=1&point_y=91", "srid"),
    (f"features_at_point?{POINT}&buffer=-1", "buffer"),
    (f"features_at_point?{POINT}&buffer=1 mile", "buffer"),
    (f"features_at_point?{POINT}&buffer=1e5", "buffer"),
    (f"features_at_point?{POINT}&buffer=nan", "buffer"),
    (f"features_at_point?{POINT}&where=x=", "where"),
    (f"features_at_point?{POINT}&srid=x", "srid"),
    (f"features_at_point?{POINT}&geometry=x", "geometry"),
    (f"features_at_point?{POINT}&perpage=0", "perpage"),
    (f"nearest?{POINT}&limit=0", "limit"),
    (f"nearest?{POINT}&k=x", "k"),
    ("spatial_filter?layer_id={ends}", "shape"),
    ("spatial_filter?layer_id={ends}&shape=POINT(x)", "shape"),
    ("spatial_filter?layer_id={ends}&shape=POINT(1 100)", "shape"),
    ("spatial_filter?layer_id={ends}&shape=POINT(1 1)&relation=near", "relation"),
    ("spatial_filter?layer_id={ends}&filter_layer_id=x", "filter_layer_id"),
    ("spatial_filter?layer_id={ends}&filter_layer_id={ends}&filter_feature_id=x", "filter_feature_id"),
    ("area", "layer_id"),
    ("area?shape=nothing", "shape"),
    ("area?layer_id={ends}&feature_id=1,x", "feature_id"),
    ("feature_bounds?layer_id={ends}&feature_id=99999999999999999999", "feature_id"),
]


@pytest.mark.parametrize(("call", "field"), REFUSED, ids=[call for call, _ in REFUSED])
def test_bad_input(edge: tuple[Caller, str, str], call: str, field: str) -> None:
    refused(edge[0].get(f"geo_utils/{call.format(ends=edge[1])}"), 400, field)


def test_layers_without_features(world: World) -> None:
    call = f"geo_utils/features_at_point?layer_id={world.layers['earth.tif']}&point_x=1&point_y=1"
    refused(world.caller.get(call), 400)
