"""What ``bounds`` mean."""

from __future__ import annotations

from typing import Any

import pytest

from graticule.errors import BadRequest
from graticule.geometry.bounds import NOWHERE, Bounds, boxes_in, parse_bounds, parse_map_bounds
from graticule.geometry.crs import Crs

WGS84 = Crs.wgs84()
MERCATOR = Crs.web_mercator()
WORLD = 20037508.342789244


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1,2,3,4", (1, 2, 3, 4)),
        (" 1.5, -2 ,3e1,  4 ", (1.5, -2, 30, 4)),
        ('{"xmin":1,"ymin":2,"xmax":3,"ymax":4.5}', (1, 2, 3, 4.5)),
        ("3,4,1,2", (3, 4, 1, 2)),
    ],
)
def test_parse(text: str, numbers: tuple[float, ...]) -> None:
    assert parse_bounds(text, WGS84) == Bounds(*numbers)


@pytest.mark.parametrize(
    "text",
    ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,3,nan", "1,2,3,inf", "1,2,,4", "{}", "{", '{"xmin":1}', "1 2 3 4", "[]"],
)
def test_bad(text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_bounds(text, WGS84, "bound")
    assert caught.value.field == "bound"
    assert caught.value.expected


def test_metres_are_no_degrees() -> None:
    text = "1674429.541,5684163.171,1876223.296,5816093.482"
    assert parse_bounds(text, MERCATOR).xmin == 1674429.541
    with pytest.raises(BadRequest):
        parse_bounds(text, WGS84)


@pytest.mark.parametrize(
    ("bounds", "boxes"),
    [
        ((10, 40, 20, 50), [(10, 40, 20, 50)]),
        ((10, 50, 20, 40), [(10, 40, 20, 50)]),
        ((170, -10, -170, 10), [(170, -10, 180, 10), (-180, -10, -170, 10)]),
        ((170, 10, -170, -10), [(170, -10, 180, 10), (-180, -10, -170, 10)]),
        ((170, 0, 190, 10), [(170, 0, 180, 10), (-180, 0, -170, 10)]),
        ((-190, 0, -170, 10), [(170, 0, 180, 10), (-180, 0, -170, 10)]),
        ((190, 0, 200, 10), [(-170, 0, -160, 10)]),
        ((370, 0, 380, 10), [(10, 0, 20, 10)]),
        ((-530, 0, -520, 10), [(-170, 0, -160, 10)]),
        ((20, 0, 10, 10), [(20, 0, 180, 10), (-180, 0, 10, 10)]),
        ((180, 0, 190, 10), [(180, 0, 180, 10), (-180, 0, -170, 10)]),
        ((-180, -90, 180, 90), [(-360, -90, 360, 90)]),
        ((-170, 0, 190, 10), [(-360, 0, 360, 10)]),
        ((-1000, 0, 1000, 10), [(-360, 0, 360, 10)]),
        ((5, 5, 5, 5), [(5, 5, 5, 5)]),
    ],
)
def test_geographic(bounds: tuple[float, ...], boxes: list[tuple[float, ...]]) -> None:
    assert list(boxes_in(Bounds(*bounds), WGS84, WGS84)) == boxes
    assert [box[0] <= box[2] and box[1] <= box[3] for box in boxes] == [True] * len(boxes)


@pytest.mark.parametrize("bounds", [(1, 2, 3, 4), (3, 2, 1, 4), (1, 4, 3, 2), (3, 4, 1, 2)])
def test_projected_corners_in_any_order(bounds: tuple[float, ...]) -> None:
    for crs in (MERCATOR, Crs.from_epsg(27700)):
        assert boxes_in(Bounds(*bounds), crs, crs) == ((1, 2, 3, 4),)


def test_alias_changes_nothing() -> None:
    assert boxes_in(Bounds(1, 2, 3, 4), Crs.from_epsg(900913), MERCATOR) == ((1, 2, 3, 4),)


def test_geographic_into_mercator() -> None:
    west, east = boxes_in(Bounds(170, -90, -170, 90), WGS84, MERCATOR)
    assert west == pytest.approx((WORLD * 17 / 18, -59613540.2, WORLD, 59613540.2))
    assert east == pytest.approx((-WORLD, -59613540.2, -WORLD * 17 / 18, 59613540.2))


@pytest.mark.parametrize("table", [WGS84, MERCATOR])
def test_mercator_goes_around(table: Crs) -> None:
    unit = 1 if table is WGS84 else WORLD / 180
    boxes = boxes_in(Bounds(WORLD * 17 / 18, 0, WORLD * 19 / 18, 1000), MERCATOR, table)
    assert [box[0] / unit for box in boxes] == pytest.approx([170, -180])
    assert [box[2] / unit for box in boxes] == pytest.approx([180, -170])


def test_mercator_into_degrees() -> None:
    (box,) = boxes_in(Bounds(1113194.9079327358, 0, 2226389.8158654715, 5621521.486192066), MERCATOR, WGS84)
    assert box == pytest.approx((10, 0, 20, 45))


def test_mercator_world_is_everything() -> None:
    (box,) = boxes_in(Bounds(-WORLD, -WORLD, WORLD, WORLD), MERCATOR, WGS84)
    assert box[0] <= -180
    assert box[2] >= 180


def test_grads_turn_at_200() -> None:
    paris = Crs.from_epsg(4807)
    assert boxes_in(Bounds(190, 0, 210, 10), paris, paris) == ((190, 0, 200, 10), (-200, 0, -190, 10))


def test_view_into_a_national_grid() -> None:
    (box,) = boxes_in(Bounds(-2, 52, -1, 53), WGS84, Crs.from_epsg(27700))
    assert box == pytest.approx((400000, 232000, 468000, 345000), abs=3000)


def test_national_grid_into_degrees() -> None:
    (box,) = boxes_in(Bounds(468000, 345000, 400000, 232000), Crs.from_epsg(27700), WGS84)
    assert box == pytest.approx((-2, 51.98, -1, 53), abs=0.05)


def test_nothing_is_never_no_filter() -> None:
    assert boxes_in(Bounds(1e300, 1e300, 1e301, 1e301), Crs.from_epsg(27700), Crs.from_epsg(3035)) == (NOWHERE,)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("null", None),
        ('{"xmin":1,"ymin":2,"xmax":3,"ymax":4}', {"xmin": 1, "ymin": 2, "xmax": 3, "ymax": 4}),
        ({"xmin": "1.5", "ymin": 2, "xmax": 3, "ymax": 4, "more": 1}, {"xmin": 1.5, "ymin": 2, "xmax": 3, "ymax": 4}),
    ],
)
def test_map_bounds(value: Any, expected: dict[str, float] | None) -> None:
    assert parse_map_bounds(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "1,2,3,4",
        "[1,2,3,4]",
        "7",
        [1, 2, 3, 4],
        {},
        {"xmin": 1, "ymin": 2, "xmax": 3, "ymax": None},
        {"xmin": 1, "ymin": 2, "xmax": 3, "ymax": float("nan")},
        {"xmin": 1, "ymin": 2, "xmax": 3, "ymax": True},
        {"xmin": 1, "ymin": 2, "xmax": 3, "ymax": 10**400},
        {"xmin": 1, "ymin": 2, "xmax": 3, "ymax": [4]},
        '{"xmin":1,"ymin":2,"xmax":3,"ymax":NaN}',
        7,
    ],
)
def test_bad_map_bounds(value: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_map_bounds(value)
    assert caught.value.field == "bounds"
