"""Buffers are as wide as they are said to be, on the ground and everywhere; against pyproj.Geod."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyproj import Geod

from graticule.geometry.buffering import buffer_degrees, buffer_metres, buffer_metres_merged

GEOD = Geod(ellps="WGS84")
LINE_BEYOND = shapely.LineString([(178, 50), (182, 52)])
SHAPES = {
    "point at the equator": shapely.Point(13.4, 0),
    "point at 60°": shapely.Point(10, 60),
    "point on the antimeridian": shapely.Point(180, -75),
    "point beside it": shapely.Point(-179.95, 66),
    "point near the pole": shapely.Point(13.4, 89.5),
    "point at the pole": shapely.Point(0, 90),
    "the other pole": shapely.Point(50, -90),
    "line along a parallel": shapely.LineString([(-30, 60), (40, 60)]),
    "line across the antimeridian": shapely.LineString([(170, 60), (190, 70)]),
    "line around the pole": shapely.LineString([(-180, 89), (180, 89)]),
    "line towards the pole": shapely.LineString([(-100, 86), (100, 89.5)]),
    "area": shapely.box(10, 55, 40, 70),
    "area with a hole": shapely.box(10, 55, 40, 70) - shapely.box(20, 60, 30, 65),
    "area around the pole": shapely.box(-180, 80, 180, 90),
    "points far apart": shapely.MultiPoint([(0, 0), (179.99, 70), (0.001, 0.001)]),
    "area beyond": shapely.box(178, 50, 182, 52),
    "a collection": shapely.GeometryCollection([shapely.Point(5, 50), shapely.LineString([(4, 50), (17, 52)])]),
    "a collection beyond": shapely.GeometryCollection([shapely.Point(185, 50), LINE_BEYOND]),
    "area that crosses itself": shapely.Polygon([(0, 50), (4, 54), (4, 50), (0, 54)]),
}


@pytest.mark.parametrize("metres", [100.0, 100_000.0])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_point_of_the_edge_is_that_far_away(shape: shapely.Geometry, metres: float) -> None:
    area = one(buffer_metres(np.array([shape]), metres))
    away = distances(edge_points(area), shape)
    assert away.min() == pytest.approx(metres, rel=0.01)
    assert away.max() == pytest.approx(metres, rel=0.01)


@pytest.mark.parametrize("metres", [1.0, 2_000_000.0])
def test_very_small_and_very_large(metres: float) -> None:
    for latitude in (0.0, 60.0, -84.9, 89.9):
        shape = shapely.Point(179.9, latitude)
        away = distances(edge_points(one(buffer_metres(np.array([shape]), metres))), shape)
        assert (away.min(), away.max()) == (pytest.approx(metres, rel=0.01), pytest.approx(metres, rel=0.01))


def test_its_area_is_that_of_a_circle() -> None:
    for shape in (shapely.Point(180, 0), shapely.Point(12, 75), shapely.Point(0, 90)):
        area = one(buffer_metres(np.array([shape]), 50_000))
        size = sum(abs(GEOD.geometry_area_perimeter(part)[0]) for part in shapely.get_parts(area))
        assert size == pytest.approx(np.pi * 50_000**2, rel=0.01)


def test_what_is_not_there_has_no_buffer() -> None:
    found = buffer_metres(np.array([None, shapely.Point(), shapely.Point(1, 1)], dtype=object), 10)
    assert [area is None for area in found] == [True, True, False]
    assert buffer_metres_merged(np.array([None], dtype=object), 10).is_empty
    assert [area is None for area in buffer_degrees(np.array([None, shapely.Point(1, 1)]), 1)] == [True, False]


def test_merged_they_are_the_union_of_all() -> None:
    rng = np.random.default_rng(7)
    points = shapely.points(rng.uniform(170, 190, 300), rng.uniform(-88, 88, 300))
    merged = buffer_metres_merged(points, 100_000)
    apart = shapely.union_all(buffer_metres(points, 100_000))
    assert merged.is_valid
    assert shapely.area(shapely.symmetric_difference(merged, apart)) < 0.01 * apart.area
    assert len(shapely.get_parts(merged)) < 300


@pytest.mark.parametrize("latitude", [0, 60])
def test_degrees_are_no_metres(latitude: float) -> None:
    area = one(buffer_degrees(np.array([shapely.Point(179.5, latitude)]), 1))
    assert area.bounds == (-180, latitude - 1, 180, latitude + 1)
    assert area.area == pytest.approx(np.pi, rel=0.01)
    west = min(part.bounds[0] for part in area.geoms if part.bounds[0] > 0)
    across = GEOD.inv(west, latitude, 179.5, latitude)[2]
    assert across == pytest.approx(111_320 * np.cos(np.radians(latitude)), rel=0.01)


def test_degrees_end_at_the_poles() -> None:
    area = one(buffer_degrees(np.array([shapely.Point(0, 89.5)]), 2))
    assert area.bounds == (-2, 87.5, 2, 90)


def one(made: np.ndarray) -> shapely.Geometry:
    """The one area that was made: valid, and within the world."""
    (area,) = made
    assert area.is_valid
    assert shapely.box(-180, -90, 180, 90).covers(area)
    return area


def edge_points(area: shapely.Geometry, count: int = 80) -> np.ndarray:
    """Random positions on the edge, (n, 2), without those where the world is cut."""
    edge = shapely.boundary(area)
    lengths = np.random.default_rng(1).uniform(0, edge.length, count)
    lonlat = shapely.get_coordinates(shapely.line_interpolate_point(edge, lengths))
    kept = lonlat[(np.abs(lonlat[:, 0]) < 180 - 1e-9) & (np.abs(lonlat[:, 1]) < 90 - 1e-9)]
    assert len(kept) > 20
    return kept


def distances(lonlat: np.ndarray, shape: shapely.Geometry) -> np.ndarray:
    """How far each position is from a shape: from its nearest positions first, then from the edges that meet there."""
    edges = shapely.make_valid(shape)
    edges = edges.boundary if shape.area else edges
    parts = shapely.get_parts(shapely.segmentize(edges, max(edges.length / 8000, 1e-9)))
    dense, part = shapely.get_coordinates(parts, return_index=True)
    nearest = nearest_rows(on_sphere(lonlat), on_sphere(dense))
    found = [to_positions(lonlat, dense[nearest])]
    for step in (-1, 1):
        beside = np.clip(nearest + step, 0, len(dense) - 1)
        beside = np.where(part[beside] == part[nearest], beside, nearest)
        found += [to_positions(lonlat, dense[nearest] + (dense[beside] - dense[nearest]) * share) for share in SHARES]
    return np.min(found, axis=0)


SHARES = np.linspace(0, 1, 100)[1:]


def to_positions(lonlat: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """The distance (n,) of each position (n, 2) to the nearest of its own (n, k, 2)."""
    here = np.broadcast_to(lonlat[:, None], positions.shape)
    return GEOD.inv(here[..., 0], here[..., 1], positions[..., 0], positions[..., 1])[2].min(axis=1)


def on_sphere(lonlat: np.ndarray) -> np.ndarray:
    longitude, latitude = np.radians(lonlat).T
    return np.column_stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )


def nearest_rows(wanted: np.ndarray, among: np.ndarray, count: int = 2) -> np.ndarray:
    """The rows that are nearest by chord, (n, count)."""
    count = min(count, len(among))
    return np.argpartition(-(wanted @ among.T), count - 1, axis=1)[:, :count]
