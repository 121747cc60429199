"""The tile matrix set: addresses, squares, ranges, scales."""

from __future__ import annotations

import math

import pytest

from graticule.errors import BadRequest
from graticule.tiles import grid

HALF = 20037508.342789244


def test_squares_of_the_first_levels() -> None:
    assert grid.tile_box(0, 0, 0) == pytest.approx((-HALF, -HALF, HALF, HALF), abs=1e-9)
    assert grid.tile_box(1, 1, 0) == pytest.approx((0, 0, HALF, HALF), abs=1e-9)
    assert grid.tile_box(2, 0, 3) == pytest.approx((-HALF, -HALF, -HALF / 2, -HALF / 2), abs=1e-9)


def test_neighbours_share_their_edges_to_the_last_bit() -> None:
    for z in (3, 11, 24):
        x, y = 2**z // 3, 2**z // 7
        here, east, south = grid.tile_box(z, x, y), grid.tile_box(z, x + 1, y), grid.tile_box(z, x, y + 1)
        assert here[2] == east[0]
        assert here[1] == south[3]


@pytest.mark.parametrize(
    ("address", "expected"),
    [((0, 0, 0), (0, 0, 0)), (("3", "7", "0"), (3, 7, 0)), ((24, 2**24 - 1, 2**24 - 1), (24, 2**24 - 1, 2**24 - 1))],
)
def test_parse_tile(address: tuple[int | str, ...], expected: tuple[int, int, int]) -> None:
    assert grid.parse_tile(*address) == expected


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ((25, 0, 0), "z"),
        ((-1, 0, 0), "z"),
        (("a", 0, 0), "z"),
        (("", 0, 0), "z"),
        (("1_0", 0, 0), "z"),
        (("٣", 0, 0), "z"),
        (("9" * 5000, 0, 0), "z"),
        ((0, 1, 0), "x"),
        ((3, "-1", 0), "x"),
        ((3, "1.5", 0), "x"),
        ((3, 7, 8), "y"),
        ((3, 7, "7 "), "y"),
    ],
)
def test_addresses_outside_the_grid_are_refused_by_field(address: tuple[int | str, ...], field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        grid.parse_tile(*address)
    assert refused.value.field == field
    assert refused.value.expected


@pytest.mark.parametrize(
    ("box", "z", "expected"),
    [
        ((-HALF, -HALF, HALF, HALF), 0, (0, 0, 0, 0)),
        ((-HALF, -HALF, HALF, HALF), 2, (0, 0, 3, 3)),
        ((-1e9, -1e9, 1e9, 1e9), 2, (0, 0, 3, 3)),
        ((1, 1, 2, 2), 1, (1, 0, 1, 0)),
        ((0, 0, HALF, HALF), 1, (1, 0, 1, 0)),
        ((-1, -1, 1, 1), 1, (0, 0, 1, 1)),
        ((0, 0, 0, 0), 1, (1, 1, 1, 1)),
        ((HALF, -HALF, HALF, -HALF), 3, (7, 7, 7, 7)),
    ],
)
def test_tiles_of(box: tuple[float, float, float, float], z: int, expected: tuple[int, int, int, int]) -> None:
    found = grid.tiles_of(box, z)
    assert (found.xmin, found.ymin, found.xmax, found.ymax) == expected
    assert len(found) == len(list(found))
    assert all(tile in found for tile in found)
    assert (z + 1, found.xmin, found.ymin) not in found


def test_beyond_the_world_there_are_no_tiles() -> None:
    found = grid.tiles_of((HALF + 1, 0, HALF + 2, 1), 5)
    assert len(found) == 0
    assert list(found) == []


def test_a_tile_is_the_only_one_of_its_square() -> None:
    for tile in ((5, 17, 11), (14, 9000, 5000), (24, 12345678, 7654321)):
        assert list(grid.tiles_of(grid.tile_box(*tile), tile[0])) == [tile]


def test_scales_of_the_standard() -> None:
    # Annex D.1, table of the tile matrices 0 and 18.
    assert grid.scale_of_zoom(0) == pytest.approx(559082264.028717, rel=1e-12)
    assert grid.resolution(0) == pytest.approx(156543.033928041, rel=1e-12)
    assert grid.scale_of_zoom(18) == pytest.approx(2132.72958384978, rel=1e-12)


def test_zoom_and_scale_undo_each_other() -> None:
    for zoom in (0.0, 3.5, 12.0, 23.25):
        assert grid.zoom_of_scale(grid.scale_of_zoom(zoom)) == pytest.approx(zoom)


@pytest.mark.parametrize("denominator", [0, -5, math.nan, math.inf])
def test_scales_that_are_none(denominator: float) -> None:
    with pytest.raises(BadRequest) as refused:
        grid.zoom_of_scale(denominator)
    assert refused.value.field == "scale"
