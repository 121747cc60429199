"""Features as pictures, judged by their pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from studio import Studio

WHITE, RED, BLUE, BLACK = (255, 255, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)
SQUARE = shapely.box(20, 20, 80, 80)


def at(pixels: NDArray[np.uint8], x: float, y: float) -> tuple[int, ...]:
    """The colour at a place of the map."""
    return tuple(int(value) for value in pixels[int(100 - y), int(x), :3])


def count(pixels: NDArray[np.uint8], colour: tuple[int, ...], tolerance: int = 60) -> int:
    near = np.abs(pixels[:, :, :3].astype(int) - colour).max(axis=2) <= tolerance
    return int(near.sum())


def test_fill_and_outline(studio: Studio) -> None:
    style = [{"color": "255,0,0", "bordercolor": "0,0,255", "borderwidth": 4}]
    pixels = studio.draw(studio.layer("polygon", style, studio.batch([SQUARE])))
    assert at(pixels, 50, 50) == RED
    assert at(pixels, 5, 5) == WHITE
    assert [at(pixels, x, 50) for x in (17, 18, 21, 22)] == [WHITE, BLUE, BLUE, RED]


def test_holes_stay_open(studio: Studio) -> None:
    ring = SQUARE.difference(shapely.box(40, 40, 60, 60))
    pixels = studio.draw(studio.layer("polygon", [{"color": "255,0,0"}], studio.batch([ring])))
    assert at(pixels, 50, 50) == WHITE
    assert at(pixels, 30, 30) == RED


def test_overlapping_polygons_fill_each_other(studio: Studio) -> None:
    overlapping = shapely.GeometryCollection([SQUARE, shapely.box(50, 50, 95, 95)])
    pixels = studio.draw(studio.layer("polygon", [{"color": "255,0,0"}], studio.batch([SQUARE, overlapping])))
    assert at(pixels, 60, 60) == RED


def test_classes_are_drawn_by_their_number(studio: Studio) -> None:
    style = [{"expression": "a", "color": "255,0,0"}, {"color": "0,0,255"}, {"expression": "b", "visible": "f"}]
    boxes = [shapely.box(x, 10, x + 20, 90) for x in (0, 25, 50, 75)]
    pixels = studio.draw(studio.layer("polygon", style, studio.batch(boxes, __class=[0, 1, 2, -1])))
    assert [at(pixels, x, 50) for x in (10, 35, 60, 85)] == [RED, BLUE, WHITE, WHITE]


def test_the_first_listed_is_on_top_in_a_class_and_among_classes(studio: Studio) -> None:
    style = [
        {"expression": "a", "color": "255,0,0", "width": 4},
        {"expression": "a", "color": "0,0,255", "width": 10},
        {"color": "0,0,0", "width": 30},
    ]
    line = shapely.LineString([(0, 50), (100, 50)])
    pixels = studio.draw(studio.layer("line", style, studio.batch([line, line], __class=[0, 1])))
    assert [at(pixels, 50, y) for y in (50, 54, 60, 70)] == [RED, BLUE, BLACK, WHITE]


def test_layers_are_drawn_bottom_first(studio: Studio) -> None:
    below = studio.layer("polygon", [{"color": "255,0,0"}], studio.batch([SQUARE]))
    above = studio.layer("polygon", [{"color": "0,0,255"}], studio.batch([shapely.box(50, 0, 100, 100)]))
    assert at(studio.draw(below, above), 60, 50) == BLUE
    below = studio.layer("polygon", [{"color": "255,0,0"}], studio.batch([SQUARE]))
    above = studio.layer("polygon", [{"color": "0,0,255"}], studio.batch([shapely.box(50, 0, 100, 100)]))
    assert at(studio.draw(above, below), 60, 50) == RED


@pytest.mark.parametrize("width", [1, 2, 5, 12])
def test_line_widths(studio: Studio, width: int) -> None:
    line = shapely.LineString([(10, 50), (90, 50)])
    pixels = studio.draw(studio.layer("line", [{"color": "0,0,0", "width": width}], studio.batch([line])))
    ink = (255 - pixels[:, 50, 0].astype(float)) / 255
    assert ink.sum() == pytest.approx(width, abs=0.2)


def test_casing(studio: Studio) -> None:
    style = [{"color": "255,0,0", "width": 4, "bordercolor": "0,0,255", "borderwidth": 3}]
    pixels = studio.draw(studio.layer("line", style, studio.batch([shapely.LineString([(0, 50), (100, 50)])])))
    assert [at(pixels, 50, y) for y in (50, 51, 54, 47, 57)] == [RED, RED, BLUE, BLUE, WHITE]


def test_dashes(studio: Studio) -> None:
    line = shapely.LineString([(0, 50), (100, 50)])
    style = [{"color": "0,0,0", "width": 4, "dashed": "10,10"}]
    pixels = studio.draw(studio.layer("line", style, studio.batch([line])))
    assert [at(pixels, x, 50) for x in (5, 15, 25, 35)] == [BLACK, WHITE, BLACK, WHITE]


@pytest.mark.parametrize("size", [4, 9, 20])
@pytest.mark.parametrize("border", [0, 3])
@pytest.mark.parametrize(("shape", "share"), [("circle", np.pi / 4), ("box", 1.0)])
def test_markers_have_their_size_inside_their_border(
    studio: Studio, shape: str, share: float, size: int, border: int
) -> None:
    symbol = {"type": shape, "color": "255,0,0", "border": "0,0,255", "bw": border, "size": size}
    pixels = studio.draw(studio.layer("point", [{"symbol": symbol}], studio.batch([shapely.Point(50, 50)])))
    ink = (255 - pixels[:, :, 1].astype(float)) / 255
    assert (ink > 0.3).any(axis=0).sum() == pytest.approx(size + 2 * border, abs=1)
    assert ink.sum() == pytest.approx(share * (size + 2 * border) ** 2, rel=0.1, abs=4)
    assert count(pixels, RED) == pytest.approx(share * size**2, rel=0.25, abs=8)


@pytest.mark.parametrize("points", [1, 3])
def test_all_features_at_one_point_are_drawn(studio: Studio, points: int) -> None:
    pixels = studio.draw(studio.layer("point", None, studio.batch([shapely.Point(50, 50)] * points)))
    assert at(pixels, 50, 50) == (90, 90, 90)


def test_one_point_in_a_line_or_polygon_of_no_size(studio: Studio) -> None:
    polygon = shapely.Polygon([(50, 50)] * 4)
    line = shapely.LineString([(20, 50)] * 2)
    layers = [
        studio.layer("polygon", [{"bordercolor": "0,0,0", "borderwidth": 6}], studio.batch([polygon])),
        studio.layer("line", [{"color": "0,0,0", "width": 6}], studio.batch([line])),
    ]
    pixels = studio.draw(*layers)
    for x in (50, 20):
        ink = 255 - pixels[45:56, x - 5 : x + 6, 0].astype(float)
        assert ink.sum() > 5 * 255


def test_markers_beyond_the_edge_reach_in(studio: Studio) -> None:
    style = [{"symbol": {"color": "255,0,0", "size": 20}}]
    pixels = studio.draw(studio.layer("point", style, studio.batch([shapely.Point(-5, 50), shapely.Point(-12, 20)])))
    assert at(pixels, 2, 50) == RED
    assert count(pixels[60:], RED) == 0


def test_alpha_is_of_the_layer_as_a_whole(studio: Studio) -> None:
    layer = studio.layer("polygon", [{"color": "255,0,0"}], studio.batch([SQUARE, SQUARE]), alpha=50)
    assert at(studio.draw(layer), 50, 50) == pytest.approx((255, 127, 127), abs=2)
    invisible = studio.layer("polygon", [{"color": "255,0,0"}], studio.batch([SQUARE]), alpha=0)
    assert at(studio.draw(invisible), 50, 50) == WHITE


def test_no_background_is_transparent(studio: Studio) -> None:
    layer = studio.layer("polygon", [{"color": "255,0,0"}], studio.batch([SQUARE]), alpha=50)
    pixels = studio.draw(layer, background=None)
    assert tuple(pixels[5, 5]) == (0, 0, 0, 0)
    assert pixels[50, 50].tolist() == pytest.approx([255, 0, 0, 127], abs=1)


@pytest.mark.parametrize(("zoom", "shown"), [(2, False), (3, True), (5.5, True), (6, False)])
@pytest.mark.parametrize("how", ["levels", "scales"])
def test_zoom_ranges(studio: Studio, zoom: float, shown: bool, how: str) -> None:
    levels: dict[str, Any] = {"fromlevel": 3, "tolevel": 5} if how == "levels" else {}
    scales: dict[str, Any] = {"onscale": 3, "offscale": 6} if how == "scales" else {}
    layer = studio.layer("polygon", [{"color": "255,0,0", **levels}], studio.batch([SQUARE]), **scales)
    assert (at(studio.draw(layer, zoom=zoom), 50, 50) == RED) is shown


def test_what_cannot_be_drawn_is_passed_over(studio: Studio) -> None:
    endless = shapely.Polygon([(0, 0), (0, np.inf), (50, 50)])
    with np.errstate(invalid="ignore"):
        no_number = shapely.LineString(np.array([(0, 0), (np.nan, 40), (50, 50)]))
    others = [None, shapely.Polygon(), shapely.GeometryCollection(), shapely.Point(5, 5), endless, no_number]
    pixels = studio.draw(studio.layer("polygon", [{"color": "255,0,0"}], studio.batch([*others, SQUARE])))
    assert at(pixels, 50, 50) == RED
    assert count(pixels, RED) == pytest.approx(3600, abs=150)


def test_an_empty_layer_leaves_the_background(studio: Studio) -> None:
    empty = [studio.layer("line", None), studio.layer("point", None, studio.batch([]))]
    assert (studio.draw(*empty, background=(1, 2, 3))[:, :, :3] == (1, 2, 3)).all()


def test_geometries_much_larger_than_the_picture(studio: Studio) -> None:
    far = 1e9
    half = shapely.box(-far, -far, 50, far)
    frame = shapely.box(-far, -far, far, far).difference(shapely.box(60, 20, 90, 80))
    across = shapely.LineString([(-far, -far), (far, far)])
    pixels = studio.draw(
        studio.layer(
            "polygon", [{"color": "255,0,0", "bordercolor": "0,0,255", "borderwidth": 2}], studio.batch([half])
        ),
        studio.layer("line", [{"color": "0,0,0", "width": 3}], studio.batch([across])),
    )
    assert (at(pixels, 25, 60), at(pixels, 75, 40)) == (RED, WHITE)
    assert at(pixels, 50, 20) == BLUE
    assert at(pixels, 30, 30)[0] < 120
    pixels = studio.draw(studio.layer("polygon", [{"color": "255,0,0"}], studio.batch([frame])))
    assert (at(pixels, 30, 50), at(pixels, 75, 50)) == (RED, WHITE)


def test_an_invalid_polygon_that_is_cut_is_drawn(studio: Studio) -> None:
    bow = shapely.Polygon([(-900, -900), (1000, 1000), (1000, -900), (-900, 1000)])
    pixels = studio.draw(studio.layer("polygon", [{"color": "255,0,0"}], studio.batch([bow])))
    assert (at(pixels, 90, 50), at(pixels, 50, 90)) == (RED, WHITE)
