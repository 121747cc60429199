"""The tile matrix set: addresses, squares, ranges, scales."""

from __future__ import annotations

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
