"""Where labels go."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from graticule.tiles.label_points import label_points

RING = "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0), (1 1, 9 1, 9 9, 1 9, 1 1))"


@pytest.mark.parametrize(
    ("wkt", "expected"),
    [
        ("POINT (3 4)", (3, 4)),
        ("MULTIPOINT (3 4, 9 9)", (3, 4)),
        ("LINESTRING (0 0, 4 0, 4 4)", (4, 0)),
        ("MULTILINESTRING ((0 0, 1 0), (10 0, 20 0))", (15, 0)),
        ("POLYGON ((0 0, 10 0, 10 4, 0 4, 0 0))", (5, 2)),
        ("MULTIPOLYGON (((0 0, 1 0, 1 1, 0 1, 0 0)), ((10 0, 20 0, 20 4, 10 4, 10 0)))", (15, 2)),
        ("GEOMETRYCOLLECTION (LINESTRING (0 0, 900 0), MULTIPOLYGON (((0 0, 2 0, 2 2, 0 2, 0 0))))", (1, 1)),
    ],
)
def test_places(wkt: str, expected: tuple[float, float]) -> None:
    (point,) = label_points(np.array([shapely.from_wkt(wkt)]))
    assert (point.x, point.y) == pytest.approx(expected)


@pytest.mark.parametrize("wkt", [RING, "POLYGON ((0 0, 10 0, 10 1, 1 1, 1 10, 0 10, 0 0))"])
def test_a_label_is_inside_where_the_centroid_is_not(wkt: str) -> None:
    polygon = shapely.from_wkt(wkt)
    (point,) = label_points(np.array([polygon]))
    assert not polygon.contains(polygon.centroid)
    assert polygon.contains(point)


def test_no_place_gives_none_and_leaves_the_others_in_order() -> None:
    shapes = [None, "POINT (1 1)", "POLYGON EMPTY", "POINT (2 2)", "GEOMETRYCOLLECTION EMPTY", "POINT (inf 1)"]
    found = label_points(np.array([shape and shapely.from_wkt(shape) for shape in shapes], dtype=object))
    assert [point and point.x for point in found] == [None, 1, None, 2, None, None]


def test_invalid_and_flat_polygons_have_a_place_too() -> None:
    wkt = ["POLYGON ((0 0, 10 10, 10 0, 0 10, 0 0))", "POLYGON ((0 0, 10 0, 5 0, 0 0))"]
    for shape, point in zip(wkt, label_points(np.array([shapely.from_wkt(text) for text in wkt])), strict=True):
        assert shapely.from_wkt(shape).envelope.intersects(point)


def test_nothing() -> None:
    assert len(label_points(np.array([], dtype=object))) == 0
