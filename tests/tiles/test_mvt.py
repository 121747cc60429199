"""Layers of vector tiles, read back with an independent decoder."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import shapely
from mapbox_vector_tile import decode  # type: ignore[import-untyped]

from graticule.tiles.mvt import encode_layer

BOX = (0.0, 0.0, 4096.0, 4096.0)  # one tile unit is one map unit, y turned round
REACH = shapely.box(-64, -64, 4160, 4160)


def encode(wkt: list[str | None], columns: dict[str, list[Any]] | None = None, **options: Any) -> bytes:
    geometry = np.array([None if text is None else shapely.from_wkt(text) for text in wkt], dtype=object)
    return encode_layer("things", np.arange(1, len(wkt) + 1), geometry, columns or {}, BOX, **options)


def read(layer: bytes) -> list[dict[str, Any]]:
    """The features of the layer, in tile coordinates with y downwards."""
    (content,) = decode(layer, default_options={"y_coord_down": True}).values()
    features: list[dict[str, Any]] = content["features"]
    return features


def drawn(wkt: list[str | None], **options: Any) -> list[Any]:
    """The shapes, as the map would have them: y upwards."""
    return [upright(feature) for feature in read(encode(wkt, **options))]


def upright(feature: dict[str, Any]) -> Any:
    return shapely.transform(shapely.geometry.shape(feature["geometry"]), lambda xy: xy * (1, -1) + (0, 4096))


@pytest.mark.parametrize(
    ("wkt", "expected"),
    [
        ("POINT (5 10)", {"type": "Point", "coordinates": [5, 4086]}),
        ("POINT Z (5 10 3)", {"type": "Point", "coordinates": [5, 4086]}),
        ("POINT (5.6 10.4)", {"type": "Point", "coordinates": [6, 4086]}),
        ("MULTIPOINT (1 4095, 3 4094, 2 4000)", {"type": "MultiPoint", "coordinates": [[1, 1], [3, 2], [2, 96]]}),
        ("MULTIPOINT (1 4095, 1.2 4095, 2 4000)", {"type": "MultiPoint", "coordinates": [[1, 1], [2, 96]]}),
        (
            "LINESTRING (0 4096, 10 4096, 10.2 4096.1, 10 4090)",
            {"type": "LineString", "coordinates": [[0, 0], [10, 0], [10, 6]]},
        ),
        (
            "MULTILINESTRING ((0 4096, 10 4096), (7 4000, 7.1 4000), (20 4095, 30 4095))",
            {"type": "MultiLineString", "coordinates": [[[0, 0], [10, 0]], [[20, 1], [30, 1]]]},
        ),
        (
            "LINEARRING (0 4096, 10 4096, 10 4090, 0 4096)",
            {"type": "LineString", "coordinates": [[0, 0], [10, 0], [10, 6], [0, 0]]},
        ),
        (
            "GEOMETRYCOLLECTION (POINT (1 4095), GEOMETRYCOLLECTION (MULTIPOINT (3 4095, 4 4095), POINT EMPTY))",
            {"type": "MultiPoint", "coordinates": [[1, 1], [3, 1], [4, 1]]},
        ),
    ],
)
def test_points_and_lines(wkt: str, expected: dict[str, Any]) -> None:
    (feature,) = read(encode([wkt]))
    assert feature["geometry"] == expected


@pytest.mark.parametrize(
    "wkt",
    [
        "POLYGON ((100 100, 600 100, 600 600, 100 600, 100 100))",
        "POLYGON ((100 100, 100 600, 600 600, 600 100, 100 100))",
        "POLYGON ((100 100, 600 100, 600 600, 100 600, 100 100), (200 200, 300 200, 300 300, 200 200))",
        "POLYGON ((100 100, 600 100, 600 600, 100 100), (400 200, 400 300, 500 300, 500 200, 400 200),"
        " (400 350, 500 350, 500 400, 400 350))",
        "MULTIPOLYGON (((100 100, 600 100, 600 600, 100 100)),"
        " ((1000 1000, 1000 2000, 2000 2000, 2000 1000, 1000 1000), (1200 1200, 1300 1200, 1300 1300, 1200 1200)))",
        "GEOMETRYCOLLECTION (POLYGON ((0 0, 9 0, 9 9, 0 0)), MULTIPOLYGON (((20 20, 30 20, 30 30, 20 20))))",
    ],
)
def test_polygons_come_back_whole(wkt: str) -> None:
    (shape,) = drawn([wkt])
    assert shapely.is_valid(shape)
    assert shape.symmetric_difference(shapely.unary_union(shapely.from_wkt(wkt))).area == 0


def rings(layer: bytes) -> list[list[list[int]]]:
    (feature,) = read(layer)
    rings: list[list[list[int]]] = feature["geometry"]["coordinates"]
    return rings


def doubled_area(ring: list[list[int]]) -> int:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))


@pytest.mark.parametrize("ccw", [True, False])
def test_exteriors_wind_clockwise_on_the_screen_and_holes_against_them(ccw: bool) -> None:
    polygon = shapely.box(100, 100, 600, 600, ccw=ccw) - shapely.box(200, 200, 300, 300, ccw=ccw)
    (exterior, hole) = rings(encode([polygon.wkt, None]))
    assert doubled_area(exterior) == 2 * 500 * 500
    assert doubled_area(hole) == -2 * 100 * 100


@pytest.mark.parametrize(
    "wkt",
    [
        None,
        "POINT EMPTY",
        "LINESTRING EMPTY",
        "POLYGON EMPTY",
        "MULTIPOLYGON EMPTY",
        "GEOMETRYCOLLECTION EMPTY",
        "POINT (5000 10)",
        "LINESTRING (10 10, 10.3 10.1)",
        "LINESTRING (-200 0, -100 10)",
        "LINESTRING (-200 0, 0 -200)",
        "POLYGON ((10 10, 10.3 10, 10.3 10.3, 10 10))",
        "POLYGON ((10 10, 900 10, 900 10.3, 10 10))",
        "POLYGON ((10 10, 900 900.3, 900 900, 10 10))",
        "POLYGON ((-200 -100, -100 -100, -100 -200, -200 -100))",
        "POLYGON ((-200 0, 0 -200, -200 -200, -200 0))",
    ],
)
def test_what_does_not_show_is_left_out(wkt: str | None) -> None:
    assert encode([wkt]) == b""
    assert [feature["id"] for feature in read(encode([wkt, "POINT (1 1)"]))] == [2]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e300])
def test_geometries_with_a_vertex_nowhere_are_left_out(bad: float) -> None:
    with np.errstate(invalid="ignore"):
        shapes = [
            shapely.Point(bad, 3),
            shapely.LineString([(0, 0), (10, bad)]),
            shapely.Polygon([(0, 0), (9, 0), (9, bad), (3, 3)]),
            shapely.MultiPoint([(1, 1), (bad, 1)]),
            shapely.Point(1, 1),
        ]
    layer = encode_layer("l", np.arange(5), np.array(shapes), {"n": list("abcde")}, BOX)
    assert [(f["id"], f["properties"]["n"]) for f in read(layer)] == [(4, "e")]


def test_no_features() -> None:
    assert encode([]) == b""


def test_holes_that_vanish_go_alone_and_with_their_exterior() -> None:
    hole = "(20 20, 20.2 20, 20.2 20.2, 20 20)"
    (shape,) = drawn([f"POLYGON ((10 10, 50 10, 50 50, 10 10), {hole})"])
    assert len(shape.interiors) == 0
    assert encode([f"POLYGON ((10 10, 900 900.3, 900 900, 10 10), {hole})"]) == b""


def test_mixed_geometries_keep_their_order_and_their_ids() -> None:
    wkt = ["POLYGON ((0 0, 9 0, 9 9, 0 0))", "POINT (1 1)", "LINESTRING (0 0, 9 9)", "POINT (2 2)", None]
    features = read(encode(wkt, {"n": [0, 1, 2, 3, 4]}))
    assert [f["geometry"]["type"] for f in features] == ["Polygon", "Point", "LineString", "Point"]
    assert [f["id"] for f in features] == [1, 2, 3, 4]
    assert [f["properties"]["n"] for f in features] == [0, 1, 2, 3]


def test_a_mixed_collection_gives_a_feature_of_each_family() -> None:
    wkt = "GEOMETRYCOLLECTION (POLYGON ((0 0, 9 0, 9 9, 0 0)), POINT (1 1), LINESTRING (0 0, 9 9), POINT (2 2))"
    features = read(encode(["POINT (7 7)", wkt], {"n": ["a", "b"]}))
    assert [f["geometry"]["type"] for f in features] == ["Point", "MultiPoint", "LineString", "Polygon"]
    assert [f["id"] for f in features] == [1, 2, 2, 2]
    assert [f["properties"]["n"] for f in features] == ["a", "b", "b", "b"]


VALUES: dict[str, list[Any]] = {
    "text": ["a", "", "Żółć 東京 🗺", "a", "x" * 300],
    "number": [0.5, -1e300, 5e-324, 1.0, -0.25],
    "integer": [0, -1, 127, 128, -129],
    "wide": [2**53 + 1, 2**63 - 1, -(2**63), 2**31, -(2**31)],
    "flag": [True, False, True, True, False],
    "gaps": [None, "a", None, 3, None],
    "mixed": [1, True, 1.0, "1", 0],
    "nothing": [None] * 5,
    "clé": [1, 2, 3, 4, 5],
}


def test_attributes_of_all_types() -> None:
    features = read(encode(["POINT (1 1)"] * 5, VALUES))
    for row, feature in enumerate(features):
        expected = {key: column[row] for key, column in VALUES.items() if column[row] is not None}
        assert feature["properties"] == expected
        assert {k: type(v) for k, v in feature["properties"].items()} == {k: type(v) for k, v in expected.items()}


def test_attributes_follow_the_features_that_are_left() -> None:
    wkt = ["POINT (1 1)", None, "POINT (9999 1)", "POINT (2 2)"]
    features = read(encode(wkt, {"n": ["a", "b", "c", "d"]}))
    assert [f["properties"]["n"] for f in features] == ["a", "d"]
    assert b"b" not in encode(wkt, {"n": ["a", "\x01b", "c", "d"]})


def test_every_value_is_written_once() -> None:
    layer = encode(["POINT (1 1)"] * 40, {"a": ["needle"] * 40, "b": ["needle"] * 40})
    assert layer.count(b"needle") == 1


def test_odd_values() -> None:
    properties = read(encode(["POINT (1 1)"] * 3, {"n": [2**63, -(10**400), 7], "t": ["\ud800", "b", "c"]}))
    assert [f["properties"]["n"] for f in properties] == [2.0**63, -1.7976931348623157e308, 7]
    assert properties[0]["properties"]["t"] == "?"
    (feature,) = read(encode(["POINT (1 1)"], {"n": [math.nan]}))
    assert math.isnan(feature["properties"]["n"])


def test_values_of_other_types_are_an_error_of_the_caller() -> None:
    with pytest.raises(TypeError, match="list"):
        encode(["POINT (1 1)"], {"n": [[1, 2]]})


@pytest.mark.parametrize("number", [0, 127, 128, 2**32, 2**53, 2**63 - 1])
def test_ids(number: int) -> None:
    layer = encode_layer("l", np.array([number]), np.array([shapely.Point(1, 1)]), {}, BOX)
    assert read(layer)[0]["id"] == number


def test_layers_are_joined_into_a_tile() -> None:
    point = np.array([shapely.Point(1, 1)])
    tile = b"".join(
        encode_layer(name, np.array([1]), point, {}, BOX, extent=extent) for name, extent in (("été", 512), ("b", 4096))
    )
    layers = decode(tile)
    assert list(layers) == ["été", "b"]
    assert [layer["extent"] for layer in layers.values()] == [512, 4096]
    assert [layer["version"] for layer in layers.values()] == [2, 2]


def test_lines_are_cut_at_the_buffer() -> None:
    (shape,) = drawn(["LINESTRING (-500 100, 5000 100)"])
    assert shape.bounds == (-64, 100, 4160, 100)
    (shape,) = drawn(["LINESTRING (100 5000, 100 100, 200 100, 200 5000, 300 5000, 300 -5000)"])
    assert shape.geom_type == "MultiLineString"
    assert shape.bounds == (100, -64, 300, 4160)


def test_points_in_the_buffer_stay() -> None:
    assert [s.x for s in drawn(["POINT (-64 5)", "POINT (-66 5)", "POINT (4160 5)", "POINT (4162 5)"])] == [-64, 4160]


@pytest.mark.parametrize("buffer", [0, 64, 500])
def test_a_polygon_round_the_tile_fills_it(buffer: int) -> None:
    (shape,) = drawn(["POLYGON ((-1e8 -1e8, 1e8 -1e8, 1e8 1e8, -1e8 1e8, -1e8 -1e8))"], buffer=buffer)
    assert shape.equals(shapely.box(-buffer, -buffer, 4096 + buffer, 4096 + buffer))


@pytest.mark.parametrize(
    "wkt",
    [
        # Through the corners of the buffered tile, and along its sides: GEOS's clip_by_rect goes wrong on these.
        "POLYGON ((4160 4160, 1000 3800, -600 5000, -600 -600, 5000 0, 4160 4160))",
        "POLYGON ((4160 2000, 4160 4160, 3000 3000, 2000 5000, 0 5000, 0 0, 4160 -2000, 7000 2000, 4160 2000))",
        "POLYGON ((4096 4096, 1000 3800, -600 5000, -600 -600, 5000 0, 4096 4096))",
        "POLYGON ((-64 -64, 5000 -64, 5000 5000, -64 5000, -64 -64), (0 -64, 100 500, 200 -64, 0 -64))",
        # Invalid: a figure of eight, and a hole that leaves its exterior.
        "POLYGON ((-3000 -3000, 6000 6000, 6000 -3000, -3000 6000, -3000 -3000))",
        "POLYGON ((-500 -500, 3000 -500, 3000 3000, -500 3000, -500 -500), (-900 0, 500 0, 500 500, -900 500, -900 0))",
    ],
)
def test_polygons_are_cut_at_the_buffer(wkt: str) -> None:
    (shape,) = drawn([wkt])
    expected = shapely.make_valid(shapely.from_wkt(wkt), method="structure").intersection(REACH)
    assert shapely.is_valid(shape)
    assert shape.symmetric_difference(expected).area < 1e-3 * expected.area


def test_a_polygon_that_geos_cannot_clip_does_not_spoil_its_neighbours() -> None:
    spike = "POLYGON ((512 4096, -512 512, 1024 0, -512 512, 512 4096))"
    with pytest.raises(shapely.GEOSException):
        shapely.clip_by_rect(shapely.from_wkt(spike), -64.37, -64.28, 4160.37, 4160.28)
    features = read(encode(["POLYGON ((-500 0, 500 0, 500 500, -500 500, -500 0))", spike, "POINT (1 1)"]))
    assert [feature["id"] for feature in features] == [1, 3]
    assert upright(features[0]).bounds == (-64, 0, 500, 500)


def stars(count: int, vertices: int, spread: float, rng: np.random.Generator) -> Any:
    """Random star-shaped polygons in and around the tile, half of them with a hole."""
    angles = np.sort(rng.uniform(0, 2 * np.pi, (count, vertices)), axis=1)
    radii = rng.uniform(0.3, 1, (count, vertices)) * rng.uniform(spread / 20, spread, (count, 1))
    offsets = np.stack((radii * np.cos(angles), radii * np.sin(angles)), axis=-1)
    centres = rng.uniform(-300, 4396, (count, 1, 2))
    solid, holes = shapely.polygons(centres + offsets), shapely.polygons(centres + offsets[:, ::2] / 3)
    sound = shapely.is_valid(solid) & shapely.is_valid(holes)
    shapes = solid[sound]
    shapes[::2] = shapely.difference(shapes[::2], holes[sound][::2])
    return shapes


@pytest.mark.parametrize(("vertices", "spread"), [(7, 60.0), (12, 900.0), (80, 2500.0)])
def test_areas_of_random_polygons(vertices: int, spread: float) -> None:
    shapes = stars(300, vertices, spread, np.random.default_rng(vertices))
    features = read(encode_layer("l", np.arange(len(shapes)), shapes, {}, BOX))
    tile = shapely.box(*BOX)
    original = shapely.intersection(shapes[[f["id"] for f in features]], tile)
    found = shapely.intersection(shapely.make_valid([upright(f) for f in features]), tile)
    # Rounding and simplifying move an outline by at most a unit.
    allowed = 1.3 * shapely.length(original) + 4
    assert (shapely.area(shapely.symmetric_difference(original, found)) <= allowed).all()
    missing = np.setdiff1d(np.arange(len(shapes)), [f["id"] for f in features])
    assert not shapely.intersects(shapes[missing], tile).any()
    assert len(features) > 200


def test_big_polygons_are_thinned_and_stay_valid() -> None:
    rng = np.random.default_rng(5)
    angles = np.linspace(0, 2 * np.pi, 20000, endpoint=False)
    radii = 1500 + rng.uniform(-3, 3, 20000)
    rough = shapely.Polygon(np.stack((2048 + radii * np.cos(angles), 2048 + radii * np.sin(angles)), axis=-1))
    (shape,) = drawn([rough.wkt])
    assert shapely.is_valid(shape)
    assert shapely.get_num_coordinates(shape) < 15000
    assert shape.area == pytest.approx(rough.area, rel=0.001)


def test_tiny_polygons_are_marked_on_request_one_a_cell() -> None:
    rng = np.random.default_rng(3)
    corners = rng.integers(1000, 1040, (5000, 2)) + rng.uniform(-0.4, 0.2, (5000, 2))
    tiny = [shapely.box(x, y, x + 0.2, y + 0.2).wkt for x, y in corners]
    big = "POLYGON ((0 0, 900 0, 900 900, 0 0))"
    assert len(drawn([*tiny, big])) == 1
    shapes = drawn([*tiny, big], mark_tiny=True)
    marks = shapes[:-1]
    assert shapes[-1].equals(shapely.from_wkt(big))
    assert 100 <= len(marks) <= 121  # 40 units are 10 or 11 cells of 4
    assert {mark.area for mark in marks} == {4.0}
    assert all(shapely.is_valid(mark) for mark in marks)


def test_a_marked_sliver_keeps_its_length() -> None:
    sliver, speck = (
        "POLYGON ((10 100, 210 100, 210 100.2, 10 100))",
        "POLYGON ((110 99, 110.1 99, 110 99.1, 110 99))",
    )
    ((feature),) = read(encode([speck, sliver], {"n": ["speck", "sliver"]}, mark_tiny=True))
    assert feature["properties"]["n"] == "sliver"
    assert upright(feature).bounds == (10, 98, 210, 100)


def test_the_same_features_give_the_same_bytes() -> None:
    assert encode(["POINT (1 1)"] * 5, VALUES) == encode(["POINT (1 1)"] * 5, VALUES)
