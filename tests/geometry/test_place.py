"""What lies around a place and how far things are, against pyproj.Geod, also at the antimeridian and the poles."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely
from pyproj import Geod

from graticule.errors import BadRequest
from graticule.geometry.crs import Crs
from graticule.geometry.place import Place, area_and_perimeter
from graticule.geometry.reproject import reproject_points

GEOD = Geod(ellps="WGS84")
WGS84 = Crs.wgs84()
PLACES = list(itertools.product((0.0, 179.99, -180.0), (0.0, 60.0, -75.0, 89.9, 90.0)))


def around(place: tuple[float, float], metres: float, count: int = 200) -> np.ndarray:
    """Positions at that distance all around, (n, 2)."""
    longitude, latitude = (np.full(count, each) for each in place)
    ends = GEOD.fwd(longitude, latitude, np.linspace(0, 360, count), np.full(count, metres))
    return np.column_stack(ends[:2])


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("metres", [10.0, 100_000.0, 3_000_000.0])
def test_all_that_is_within_reach_is_in_the_boxes_and_as_far_as_it_is(
    place: tuple[float, float], metres: float
) -> None:
    here, lonlat = Place.at(*place, WGS84), around(place, metres * 0.999999)
    assert in_boxes(here, metres, WGS84, lonlat).all()
    assert here.distances(shapely.points(lonlat), WGS84, metres) == pytest.approx(metres * 0.999999, abs=1e-4)
    assert np.isinf(here.distances(shapely.points(around(place, metres * 1.000001)), WGS84, metres)).all()


@pytest.mark.parametrize(
    ("epsg", "place"), [(3413, (180.0, 75.0)), (3031, (-180.0, -80.0)), (3857, (179.99, 60.0)), (32633, (16.0, 60.0))]
)
def test_boxes_in_other_projections(epsg: int, place: tuple[float, float]) -> None:
    crs = Crs.from_epsg(epsg)
    for metres in (10.0, 1000.0, 100_000.0):
        xy = reproject_points(around(place, metres * 0.999999, 721), WGS84, crs)
        assert in_boxes(Place.at(*place, WGS84), metres, crs, xy).all()


def in_boxes(place: Place, metres: float, crs: Crs, xy: np.ndarray) -> np.ndarray:
    inside = np.zeros(len(xy), bool)
    for xmin, ymin, xmax, ymax in place.boxes(metres, crs):
        inside |= (xy >= (xmin, ymin)).all(axis=1) & (xy <= (xmax, ymax)).all(axis=1)
    return inside


def test_an_edge_is_straight_in_its_own_projection() -> None:
    # Along a parallel at 60° a straight line on the globe would pass half a degree further north.
    line = np.array([shapely.LineString([(0, 60.5), (30, 60.5)])])
    along = np.linspace(0, 30, 100_001)
    here = np.full(len(along), 10.0), np.full(len(along), 60.0)
    expected = GEOD.inv(*here, along, np.full(len(along), 60.5))[2].min()
    assert Place(10.0, 60.0).distances(line, WGS84, 100_000)[0] == pytest.approx(expected, rel=1e-4)


AREAS = [
    ("around the place", shapely.box(0, 0, 40, 70), 0.0),
    ("beside it", shapely.box(11, 59, 12, 61), GEOD.inv(10, 60, 11, 60.0075)[2]),
    ("with a hole there", shapely.box(0, 0, 40, 70) - shapely.box(9, 59, 11, 61), GEOD.inv(10, 60, 11, 60.0075)[2]),
    ("too far", shapely.box(0, 0, 40, 50), np.inf),
    ("nothing", shapely.Polygon(), np.inf),
    ("none", None, np.inf),
    ("a collection", shapely.GeometryCollection([shapely.Point(0, 0), shapely.box(9, 59, 11, 61)]), 0.0),
    ("once around", shapely.box(369, 59, 371, 61), 0.0),
]


@pytest.mark.parametrize(("area", "expected"), [case[1:] for case in AREAS], ids=[case[0] for case in AREAS])
def test_areas(area: shapely.Geometry, expected: float) -> None:
    found = Place(10.0, 60.0).distances(np.array([area], dtype=object), WGS84, 100_000)
    assert found[0] == pytest.approx(expected, rel=1e-3)


def test_what_is_on_the_other_side_of_the_earth() -> None:
    far, near = shapely.box(177, -2, 183, 2), shapely.LineString([(178, 1), (150, 1)])
    found = Place(0.0, 0.0).distances(np.array([far, near, far.union(near)]), WGS84, 2.1e7)
    at_corner = GEOD.inv(0, 0, 177, 2)[2]
    assert found == pytest.approx([at_corner, GEOD.inv(0, 0, 150, 1)[2], GEOD.inv(0, 0, 150, 1)[2]], rel=1e-3)


def test_across_the_antimeridian() -> None:
    line = np.array([shapely.LineString([(-179.9, -10), (-179.9, 10)])])
    assert Place(179.9, 0.0).distances(line, WGS84, 50_000)[0] == pytest.approx(GEOD.inv(179.9, 0, -179.9, 0)[2])
    assert Place(179.9, 0.0).to_envelopes(line, WGS84)[0] == pytest.approx(GEOD.inv(179.9, 0, -179.9, 0)[2])


@pytest.mark.parametrize(("x", "y", "epsg"), [(0, 91, 4326), (1e9, 1e9, 32633), (0, -100, 4326)])
def test_no_place(x: float, y: float, epsg: int) -> None:
    with pytest.raises(BadRequest):
        Place.at(x, y, Crs.from_epsg(epsg))


def test_area_and_perimeter() -> None:
    holed = shapely.box(0, 50, 3, 52) - shapely.box(1, 51, 2, 51.5)
    line = shapely.LineString([(0, 0), (0, 1), (1, 1)])
    found = area_and_perimeter(np.array([holed, line, shapely.Point(1, 1), None], dtype=object), WGS84)
    area = GEOD.geometry_area_perimeter(shapely.geometry.polygon.orient(holed))[0]
    assert found[0] == pytest.approx([area, GEOD.geometry_length(holed.boundary)])
    assert found[1] == pytest.approx([0, GEOD.geometry_length(line)])
    assert found[2].tolist() == [0, 0]
    assert np.isnan(found[3]).all()
    half = area_and_perimeter(np.array([shapely.box(-180, 0, 180, 90)]), WGS84)[0, 0]
    assert half == pytest.approx(510_065_621_724_088 / 2, rel=1e-6)
