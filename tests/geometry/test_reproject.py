"""Reprojection, with pyproj as the judge."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pyogrio
import pyproj
import pytest
import shapely

from graticule.errors import BadRequest
from graticule.geometry.crs import Crs
from graticule.geometry.reproject import reproject, reproject_box, reproject_boxes, reproject_points

if TYPE_CHECKING:
    from pathlib import Path

WGS84 = Crs.wgs84()
MERCATOR = Crs.web_mercator()


def array(*texts: str | None) -> np.ndarray:
    return np.array([None if text is None else shapely.from_wkt(text) for text in texts], dtype=object)


@pytest.mark.parametrize(
    ("epsg", "area"),
    [
        (3857, (-180, -85, 180, 85)),
        (900913, (-180, -85, 180, 85)),
        (3035, (-10, 35, 30, 65)),
        (27700, (-8, 50, 2, 60)),
        (32633, (12, 0, 18, 80)),
        (3031, (-180, -89, 180, -60)),
        (32661, (-180, 60, 180, 89)),
        (2263, (-74.5, 40, -73, 41.3)),
        (54009, (-170, -80, 170, 80)),
        (4269, (-120, 30, -70, 50)),
    ],
)
def test_points_as_pyproj(epsg: int, area: tuple[float, float, float, float]) -> None:
    random = np.random.default_rng(epsg)
    here = random.uniform(area[:2], area[2:], (50, 2))
    judge = pyproj.Transformer.from_crs(4326, Crs.from_epsg(epsg).pyproj, always_xy=True)
    there = reproject_points(here, WGS84, Crs.from_epsg(epsg))
    np.testing.assert_allclose(there, np.column_stack(judge.transform(*here.T)), rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(reproject_points(there, Crs.from_epsg(epsg), WGS84), here, atol=1e-6)


def test_types_heights_and_gaps_are_kept() -> None:
    given = array(
        "POINT (15 45)",
        None,
        "POINT Z (15 45 120)",
        "POLYGON ((0 0, 9 0, 9 9, 0 0), (5 1, 6 1, 6 2, 5 1))",
        "MULTILINESTRING Z ((0 0 1, 1 1 2))",
        "POINT EMPTY",
        "GEOMETRYCOLLECTION (POINT (1 2))",
    )
    there = reproject(given, WGS84, Crs.from_epsg(3035))
    assert shapely.get_type_id(there).tolist() == shapely.get_type_id(given).tolist()
    assert shapely.has_z(there).tolist() == shapely.has_z(given).tolist()
    assert there[2].z == 120
    back = reproject(there, Crs.from_epsg(3035), WGS84)
    assert shapely.equals_exact(back[given != None], given[given != None], 1e-7).all()  # noqa: E711
    assert given[0].x == 15


def test_measures_are_dropped() -> None:
    there = reproject(array("POINT ZM (1 2 3 4)", "POINT M (1 2 3)"), WGS84, MERCATOR)
    assert shapely.has_m(there).tolist() == [False, False]
    assert shapely.has_z(there).tolist() == [True, False]
    assert there[0].z == 3


def test_same_projection_is_the_same_array() -> None:
    given = array("POINT (1 2)")
    assert reproject(given, MERCATOR, Crs.from_epsg(900913)) is given


def test_poles_stay_finite_in_mercator() -> None:
    there = reproject(array("LINESTRING (0 -90, 0 90)", "POINT (190 0)", "POINT (0 91)"), WGS84, MERCATOR)
    south, north = shapely.get_coordinates(there[0])
    assert north[1] == -south[1] == pytest.approx(59_613_540.2)
    assert there[1].x == pytest.approx(21_150_703.25)
    assert there[2] is None


def test_what_cannot_be_shown_is_none() -> None:
    given = array("POINT (10 50)", "LINESTRING (10 50, 10 95)", None, "POINT (1 1)")
    there = reproject(given, WGS84, Crs.from_epsg(32633))
    assert [geometry is None for geometry in there] == [False, True, True, False]


def test_whole_world_in_polar_projection_is_finite_or_none(data_dir: Path) -> None:
    countries = pyogrio.raw.read(data_dir / "countries.zip", columns=[])[2]
    geoms = shapely.from_wkb(countries)
    for epsg in (3031, 3035, 3857):
        there = reproject(geoms, WGS84, Crs.from_epsg(epsg))
        assert len(there) == 177
        assert np.isfinite(shapely.get_coordinates(there)).all()
    assert (reproject(geoms, WGS84, MERCATOR) != None).all()  # noqa: E711


def test_other_planets_have_no_way() -> None:
    with pytest.raises(BadRequest):
        reproject(array("POINT (0 0)"), Crs.from_epsg(104905), WGS84)


def test_threads_agree() -> None:
    given = shapely.points(np.random.default_rng(1).uniform((-8, 50), (2, 60), (200, 2)))
    bng = Crs.from_epsg(27700)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: reproject(given, WGS84, bng), range(16)))
    assert all(shapely.equals_identical(answer, answers[0]).all() for answer in answers)


@pytest.mark.parametrize(
    ("epsg", "box"),
    [
        (3857, (-10, 40, 20, 60)),
        (3035, (-10, 40, 20, 60)),
        (27700, (-8, 50, 2, 60)),
        (32633, (12, 10, 18, 60)),
        (3031, (-180, -90, 180, -60)),
        (3031, (-30, -80, 50, -60)),
        (32661, (-180, 60, 180, 90)),
        (2154, (-5, 41, 10, 51)),
        (54009, (-180, -90, 180, 90)),
        (4269, (-120, 30, -70, 50)),
    ],
)
def test_box_covers_what_was_in_it(epsg: int, box: tuple[float, float, float, float]) -> None:
    crs = Crs.from_epsg(epsg)
    found = reproject_box(box, WGS84, crs)
    assert found is not None
    here = np.random.default_rng(2).uniform(box[:2], box[2:], (4000, 2))
    there = reproject_points(here, WGS84, crs)
    assert (there >= found[:2]).all()
    assert (there <= found[2:]).all()
    width, spread = np.subtract(found[2:], found[:2]), there.max(axis=0) - there.min(axis=0)
    assert (width < 1.2 * spread).all()


@pytest.mark.parametrize(
    ("epsg", "box", "expected"),
    [
        (27700, (400000, 300000, 500000, 400000), (-2.0, 52.5, -0.5, 53.5)),
        (3031, (-1e6, -1e6, 1e6, 1e6), (-180, -90, 180, -77.0)),
        (32601, (100000, 1e6, 800000, 2e6), (-180, 9.0, 180, 18.1)),
    ],
)
def test_projected_box_on_the_globe(
    epsg: int, box: tuple[float, float, float, float], expected: tuple[float, float, float, float]
) -> None:
    assert reproject_box(box, Crs.from_epsg(epsg), WGS84) == pytest.approx(expected, abs=0.2)


def test_box_across_the_antimeridian_is_two() -> None:
    west, east = reproject_boxes((100000, 1e6, 800000, 2e6), Crs.from_epsg(32601), WGS84)
    assert west[2] == 180
    assert east[0] == -180
    assert 179 < west[0] < 180
    assert -175 < east[2] < -174


def test_whole_world_to_a_zone_holds_the_zone() -> None:
    box = reproject_box((-180, -90, 180, 90), WGS84, Crs.from_epsg(32633))
    assert box is not None
    assert np.isfinite(box).all()
    assert box[0] < 166_000
    assert box[2] > 834_000
    assert box[1] < 0
    assert box[3] > 9_000_000


def test_box_that_cannot_be_shown_is_none() -> None:
    assert reproject_box((100, 91, 110, 95), WGS84, MERCATOR) is None
    assert reproject_boxes((100, 91, 110, 95), WGS84, Crs.from_epsg(3035)) == ()
    assert reproject_box((1, 2, 3, 4), WGS84, WGS84) == (1, 2, 3, 4)
