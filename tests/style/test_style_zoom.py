"""Zoom levels and scales."""

from __future__ import annotations

import math

import pytest

from graticule.style.zoom import zoom_of_denominator, zoom_of_limit, zoom_of_resolution


@pytest.mark.parametrize("zoom", [0, 1, 7, 22])
def test_a_tile_has_its_own_zoom_level(zoom: int) -> None:
    metres_per_pixel = 2 * math.pi * 6_378_137 / 256 / 2**zoom
    assert zoom_of_resolution(metres_per_pixel) == pytest.approx(zoom, abs=1e-6)


def test_the_world_in_a_thumbnail_is_at_the_first_level() -> None:
    assert zoom_of_resolution(400_000) == 0


def test_each_level_halves_the_scale() -> None:
    assert zoom_of_denominator(50_000) - zoom_of_denominator(100_000) == pytest.approx(1)


@pytest.mark.parametrize(("value", "expected"), [(None, None), (0, None), (-5, None), (math.nan, None), (30, 30.0)])
def test_limits(value: float | None, expected: float | None) -> None:
    assert zoom_of_limit(value) == expected


def test_limits_above_thirty_are_denominators() -> None:
    assert zoom_of_limit(559_082_264.028) == pytest.approx(0, abs=1e-6)
