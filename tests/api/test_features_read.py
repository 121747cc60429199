"""Reading features (the contract, section 4), on real data and on a small table of every type."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import shapely
from lxml import etree
from pyproj import Transformer
from shapely.geometry import shape
from tests.answers import refused
from tests.api_data import TYPED, World, typed_layer
from tests.server import Caller, Server
from tests.sharing import got

GERMANY = "NAME='Germany'"
MEMBERS = ["__id", "__owner", "__created", "__modified", "__xmin", "__ymin", "__xmax", "__ymax", "data"]


@pytest.fixture(scope="module")
def typed(server: Server) -> Iterator[tuple[Caller, str]]:
    """A caller with a layer that has features of every kind; they are ``TYPED``."""
    with server.new_user() as caller:
        yield caller, typed_layer(caller)


def names(world: World, **query: Any) -> list[str]:
    """The countries that a query hits, by name, alphabetically."""
    listed = got(world.caller.get(f"layers/{world.countries}/features", params={"perpage": 1000} | query))
    return sorted(feature["data"]["NAME"] for feature in listed["data"])


def one(world: World, where: str = GERMANY, **query: Any) -> dict[str, Any]:
    listed = got(world.caller.get(f"layers/{world.countries}/features", params={"where": where} | query))
    assert listed["total"] == 1
    return dict(listed["data"][0])


def test_shape_of_the_list(world: World) -> None:
    listed = got(world.caller.get(f"layers/{world.countries}/features.json"))
    assert {name: listed[name] for name in ("type", "total", "page")} == {"type": "features", "total": 177, "page": 1}
    assert len(listed["data"]) == 100
    first = listed["data"][0]
    assert list(first) == MEMBERS
    assert (first["__id"], first["__owner"]) == (1, world.caller.user_id)
    assert len(first["data"]) == 168
    assert got(world.caller.get(f"layers/{world.countries}/features/1")) == first
    assert got(world.caller.get(f"maps/{world.map}/layers/{world.countries}/features/1.json")) == first


def test_the_same_below_the_map_and_nowhere_else(world: World) -> None:
    below = got(world.caller.get(f"maps/{world.map}/layers/{world.countries}/features?perpage=2"))
    assert below == got(world.caller.get(f"layers/{world.countries}/features?perpage=2"))
    for path in ("features", "features/1", "features.csv"):
        refused(world.caller.get(f"maps/0/layers/{world.countries}/{path}"), 404)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"perpage": 3}, [1, 2, 3]),
        ({"perpage": 3, "page": 2}, [4, 5, 6]),
        ({"perpage": 50, "page": 4}, list(range(151, 178))),
        ({"perpage": 50, "page": 5}, []),
        ({"perpage": 9999}, list(range(1, 178))),
        ({"perpage": 2, "order_by": "FID:desc"}, [177, 176]),
        ({"where": "FID IN (5, 3, 4)", "order_by": "fid:desc"}, [5, 4, 3]),
    ],
)
def test_pages(world: World, query: dict[str, Any], ids: list[int]) -> None:
    listed = got(world.caller.get(f"layers/{world.countries}/features", params=query | {"noattrib": ""}))
    assert [feature["__id"] for feature in listed["data"]] == ids
    assert listed["total"] == (3 if "where" in query else 177)
    assert listed["page"] == query.get("page", 1)
    assert all(feature["data"] == {} for feature in listed["data"])
    assert "total" not in got(world.caller.get(f"layers/{world.countries}/features", params=query | {"nototal": ""}))


WHERE = [
    ("POP_EST > 200000000 AND CONTINENT = 'Asia'", ["China", "India", "Indonesia", "Pakistan"]),
    ("pop_est > 300000000", ["China", "India", "United States of America"]),
    ("\"NAME\" = 'Germany'", ["Germany"]),
    ("name_long LIKE 'Germ%'", ["Germany"]),
    ("NAME ILIKE 'germ%'", ["Germany"]),
    ("lower(NAME) = 'germany'", ["Germany"]),
    ("upper(NAME) IN ('FRANCE', 'ITALY', 'X')", ["France", "Italy"]),
    ("NOT (NAME <> 'Italy')", ["Italy"]),
    ("NAME != 'x' AND POP_EST BETWEEN 83000000 AND 84000000", ["Germany", "Turkey"]),
    ("POP_EST / 1000 > 1300 * 1000", ["China", "India"]),
    ("length(NAME) = 4 AND NAME LIKE '_r%'", ["Iran", "Iraq"]),
    ("NAME = 'Côte d''Ivoire'", ["Côte d'Ivoire"]),
    ("NAME IS NULL OR NAME = 'Peru'", ["Peru"]),
    ("coalesce(NAME, 'x') = 'Peru'", ["Peru"]),
    ("abs(0 - FID) = 1", ["Fiji"]),
    ("NAME = '1; DROP TABLE countries'", []),
]


@pytest.mark.parametrize(("where", "hit"), WHERE, ids=[where for where, _ in WHERE])
def test_conditions(world: World, where: str, hit: list[str]) -> None:
    assert names(world, where=where) == hit


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("POP_EST >", "character 10"),
        ("NAME = 'x", "character 8"),
        ("NOTHING = 1", "character 1"),
        ("1 = 1; DROP TABLE x", "character 6"),
        ("NAME = 'x' -- y", "character 12"),
        ("NAME = (SELECT 1)", "character"),
        ("sqlite_version() = 'x'", "character 1"),
        ("POP_EST = 'many'", "character"),
        ("NAME", "character 1"),
        ("(((", "character 4"),
        ("(" * 500 + "1=1" + ")" * 500, "character"),
        ("NAME = '\0'", "character"),
        (" OR ".join(["FID = 1"] * 2000), "character"),
        ("FID = 99999999999999999999999", "character"),
    ],
    ids=range(14),
)
def test_conditions_that_are_none(world: World, where: str, said: str) -> None:
    for path in ("features", "features.csv"):
        nested = refused(world.caller.get(f"layers/{world.countries}/{path}", params={"where": where}), 400, "where")
        assert said in nested["msg"]


def test_order(world: World) -> None:
    query = {"where": "CONTINENT = 'South America'", "perpage": 3, "fields": "NAME"}
    for order, expected in {
        "NAME": ["Argentina", "Bolivia", "Brazil"],
        "name:DESC": ["Venezuela", "Uruguay", "Suriname"],
        "POP_EST:desc": ["Brazil", "Colombia", "Argentina"],
        "SUBREGION,POP_EST": ["Falkland Is.", "Suriname", "Guyana"],
    }.items():
        listed = got(world.caller.get(f"layers/{world.countries}/features", params=query | {"order_by": order}))
        assert [feature["data"] for feature in listed["data"]] == [{"NAME": name} for name in expected], order
    for order in ("nothing", "NAME:up", "NAME;", "NAME, 1", "NAME:asc:desc"):
        refused(world.caller.get(f"layers/{world.countries}/features", params={"order_by": order}), 400, "order_by")


def test_chosen_columns(world: World) -> None:
    assert one(world, fields="name,Pop_Est, NAME")["data"] == {"NAME": "Germany", "POP_EST": 83132799.0}
    assert one(world, noattrib="1", fields="name")["data"] == {}
    assert len(one(world, noattrib="0")["data"]) == 168
    refused(world.caller.get(f"layers/{world.countries}/features?fields=nothing"), 400, "nothing")
    refused(world.caller.get(f"layers/{world.countries}/features?noattrib=perhaps"), 400, "noattrib")


ITALY_4326 = (6.749955, 36.619987, 18.480247, 47.115393)


@pytest.mark.parametrize("query", [{"epsg": "4326"}, {"srid": "EPSG:4326"}, {"proj4": "+proj=longlat +datum=WGS84"}])
def test_boxes_of_features(world: World, query: dict[str, str]) -> None:
    feature = one(world, "NAME='Italy'", **query)
    assert [feature[side] for side in MEMBERS[4:8]] == pytest.approx(ITALY_4326, abs=1e-5)
    there = Transformer.from_crs(4326, 3857, always_xy=True).transform_bounds(*ITALY_4326)
    feature = one(world, "NAME='Italy'")
    assert [feature[side] for side in MEMBERS[4:8]] == pytest.approx(there, abs=2)


@pytest.mark.parametrize(
    ("query", "member"),
    [
        ({}, {"__epsg": 900913}),
        ({"epsg": 4326}, {"__epsg": 4326}),
        ({"epsg": "3035"}, {"__epsg": 3035}),
        ({"srid": "2056"}, {"__epsg": 2056}),
        ({"proj4": "+proj=laea +lat_0=1 +lon_0=2"}, {"__proj4": "+proj=laea +lat_0=1 +lon_0=2"}),
        ({"proj4": "+proj=longlat +datum=WGS84 +no_defs"}, {"__epsg": 4326}),
    ],
)
@pytest.mark.parametrize("form", ["geojson", "wkt", "gml", "KML"])
def test_geometry_out(world: World, form: str, query: dict[str, str], member: dict[str, Any]) -> None:
    feature = one(world, geometry=form, **query)
    crs = query.get("epsg") or query.get("srid") or query.get("proj4") or 3857
    if form == "KML":
        crs, member = 4326, {"__epsg": 4326}
    told = {name: feature[name] for name in ("__epsg", "__proj4") if name in feature}
    assert told == member
    found = _read(form.lower(), feature["__geometry"], told)
    to_degrees = Transformer.from_crs(crs, 4326, always_xy=True)
    degrees = shapely.transform(found, lambda xy: list(zip(*to_degrees.transform(*xy.T), strict=True)))
    assert degrees.contains(shapely.Point(10.5, 51))
    assert degrees.bounds == pytest.approx((5.98866, 47.30249, 15.01700, 54.98310), abs=1e-4)


def _read(form: str, value: Any, told: dict[str, Any]) -> Any:
    """The geometry, read by other hands than the program's own."""
    if form == "geojson":
        named = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{told.get('__epsg')}"}}
        expected = None if told.get("__epsg") in (None, 4326) else named
        assert value.get("crs") == expected
        return shape(value)
    assert isinstance(value, str)
    if form == "wkt":
        return shapely.from_wkt(value)
    root = etree.fromstring(value)
    if form == "gml":
        assert root.tag.startswith("{http://www.opengis.net/gml}")
        assert root.get("srsName") == (f"EPSG:{told['__epsg']}" if "__epsg" in told else None)
    rings = [element.text for element in root.iter() if str(element.tag).endswith(("posList", "coordinates"))]
    numbers = [[float(word) for word in text.replace(",", " ").split()] for text in rings]
    return shapely.union_all([shapely.Polygon(zip(ring[::2], ring[1::2], strict=True)) for ring in numbers])


BOUNDS = [
    ("4326", "12,41,13,42", ["Italy"]),
    ("4326", "12, 41,  13 , 42", ["Italy"]),
    ("4326", "12,42,13,41", ["Italy"]),
    ("900913", "1335833,5012341,1447153,5160979", ["Italy"]),
    ("900913", "1447153,5160979,1335833,5012341", ["Italy"]),
    ("3035", "4300000,3200000,4350000,3300000", ["Germany"]),
    ("4326", "178,-18,-178,-16", ["Fiji"]),
    ("4326", "178,-18,182,-16", ["Fiji"]),
    ("4326", "-182,-18,-178,-16", ["Fiji"]),
    ("4326", "538,-18,542,-16", ["Fiji"]),
    ("4326", "-0.5,-0.5,0.5,0.5", []),
    ("4326", "13,41,12,42", None),
    ("4326", "-180,-90,180,90", 177),
    ("4326", "-400,-90,400,90", 177),
    ("4326", "0,-90,360,90", 177),
]


@pytest.mark.parametrize(("epsg", "bounds", "hit"), BOUNDS)
@pytest.mark.parametrize("form", [None, "kml", "geojson"])
def test_bounds(world: World, epsg: str, bounds: str, hit: Any, form: str | None) -> None:
    query = {"bounds": bounds, "epsg": epsg, "fields": "NAME"} | ({"geometry": form} if form else {})
    found = names(world, **query)
    if isinstance(hit, list):
        assert found == hit
    elif hit is None:
        # All the way around but for one degree.
        assert {"Canada", "China", "Italy", "Spain", "Turkey"} < set(found)
        assert "Brazil" not in found
    else:
        assert len(found) == hit


def test_bounds_hit_shapes_and_not_their_boxes(world: World) -> None:
    box = one(world, "NAME='Italy'", epsg=4326)
    corner = f"{box['__xmin']},{box['__ymin']},{box['__xmin'] + 0.5},{box['__ymin'] + 0.3}"
    assert "Italy" not in names(world, bounds=corner, epsg=4326)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"bounds": "1,2,3"}, "bounds"),
        ({"bounds": "1,2,3,x"}, "bounds"),
        ({"bounds": "1,2,3,NaN"}, "bounds"),
        ({"bounds": "1,2,inf,4"}, "bounds"),
        ({"bounds": "1,100,2,200", "epsg": 4326}, "bounds"),
        ({"epsg": "1"}, "epsg"),
        ({"epsg": "x"}, "epsg"),
        ({"srid": "-4326"}, "srid"),
        ({"proj4": "longlat"}, "proj4"),
        ({"geometry": "shape"}, "geometry"),
        ({"page": "0"}, "page"),
    ],
)
def test_parameters_that_are_wrong(world: World, query: dict[str, str], field: str) -> None:
    refused(world.caller.get(f"layers/{world.countries}/features", params=query), 400, field)
    if field in ("epsg", "srid", "proj4", "geometry"):
        refused(world.caller.get(f"layers/{world.countries}/features/1", params=query), 400, field)


def test_layers_without_features(world: World) -> None:
    for path in ("features", "features/1", "features.csv"):
        refused(world.caller.get(f"layers/{world.layers['earth.tif']}/{path}"), 400)
    refused(world.caller.get(f"layers/{world.countries}/features/0"), 404)
    refused(world.caller.get(f"layers/{world.countries}/features/178"), 404)
    refused(world.caller.get(f"layers/{world.countries}/features/99999999999999999"), 404)


def test_values_of_every_type(typed: tuple[Caller, str]) -> None:
    caller, layer = typed
    listed = got(caller.get(f"layers/{layer}/features"))["data"]
    assert [feature["data"] for feature in listed] == [sent["data"] for sent in TYPED]
    assert [{key: type(value) for key, value in feature["data"].items()} for feature in listed] == [
        {key: type(value) for key, value in sent["data"].items()} for sent in TYPED
    ]


@pytest.mark.parametrize("form", ["geojson", "wkt", "kml", "gml"])
def test_features_without_geometry(typed: tuple[Caller, str], form: str) -> None:
    caller, layer = typed
    bare = got(caller.get(f"layers/{layer}/features", params={"where": "t IS NULL", "geometry": form}))["data"][0]
    assert [bare[side] for side in MEMBERS[4:8]] == [None] * 4
    assert bare["__geometry"] is None
    script = caller.get(f"layers/{layer}/features", params={"where": "t IS NULL", "geometry": form, "callback": "f"})
    inside = json.loads(script.text[6:-2])["data"][0]["__geometry"]
    assert inside == ({"type": "GeometryCollection", "geometries": []} if form == "geojson" else None)


def test_a_map_in_a_projection_of_its_own(user: Caller) -> None:
    layer = typed_layer(user)
    laea = "+proj=laea +lat_0=45 +lon_0=15"
    got(user.put(f"maps/{got(user.get(f'layers/{layer}'))['map_id']}", json={"proj4": laea}))
    feature = got(user.get(f"layers/{layer}/features/1", params={"geometry": "wkt"}))
    assert feature["__proj4"] == laea
    assert "__epsg" not in feature
    assert [feature[side] for side in MEMBERS[4:8]] == pytest.approx([0] * 4, abs=1e-6)
    assert got(user.get(f"layers/{layer}/features", params={"bounds": "-10,-10,10,10"}))["total"] == 1


def test_conditions_on_every_type(typed: tuple[Caller, str]) -> None:
    caller, layer = typed
    for where, many in {
        "b": 1,
        "b = TRUE": 1,
        "NOT b": 1,
        "d = '2026-02-03'": 1,
        "d < '2026-02-04' AND d >= '2026-02-03'": 1,
        "m >= '2026-02-03T04:05:06Z'": 1,
        "i = 9223372036854775807": 1,
        "r > 1e300": 1,
        "t = 'ä''ö\"'": 1,
        "t IS NULL": 1,
        f"OWNER = {caller.user_id}": 3,
        "CREATED > 1700000000 AND MODIFIED >= CREATED": 3,
    }.items():
        assert got(caller.get(f"layers/{layer}/features", params={"where": where}))["total"] == many, where


def test_csv(world: World) -> None:
    query = {"where": "NAME IN ('Germany', 'Italy')", "order_by": "NAME", "fields": "NAME,POP_EST", "epsg": "4326"}
    for base in (f"layers/{world.countries}", f"maps/{world.map}/layers/{world.countries}"):
        response = world.caller.get(f"{base}/features.csv", params=query)
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/csv")
        header, *rows = csv.reader(io.StringIO(response.text))
        assert header == ["ogc_fid", "NAME", "POP_EST", "wkb_geometry"]
        assert [row[1] for row in rows] == ["Germany", "Italy"]
        assert shapely.from_wkt(rows[0][3]).contains(shapely.Point(10.5, 51))
        bare = world.caller.get(f"{base}/features.csv", params=query | {"noattrib": ""})
        header, *rows = csv.reader(io.StringIO(bare.text))
        assert (header, len(rows)) == (["ogc_fid", "wkb_geometry"], 2)


def test_tags_of_a_feature(world: World) -> None:
    path = f"layers/{world.countries}/features/1"
    tag = world.caller.get(path).headers["etag"]
    again = world.caller.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    other = world.caller.get(path, params={"geometry": "wkt"}).headers["etag"]
    assert other != tag
    assert other.split("-")[0] == tag.split("-")[0]
