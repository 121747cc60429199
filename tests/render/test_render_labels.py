"""Labels, judged by where their ink is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely

from graticule.render.label_text import label_text

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from studio import Studio

    from graticule.render.picture import VectorLayer


def ink_box(pixels: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is darker than half."""
    rows, columns = np.nonzero(pixels[:, :, 0] < 128)
    return (int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max()))


def labelled(studio: Studio, entry: dict[str, Any], *geometries: Any, texts: list[Any] | None = None) -> Any:
    family = {"Point": "point", "LineString": "line"}.get(geometries[0].geom_type, "polygon")
    names = texts or ["Hill"] * len(geometries)
    return studio.layer(family, [{"labelfield": "name", **entry}], studio.batch(geometries, name=names))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("placement", "left_of", "above"),
    [("BR", True, True), ("BL", False, True), ("TR", True, False), ("TL", False, False)],
)
def test_a_corner_of_the_label_sits_on_the_point(studio: Studio, placement: str, left_of: bool, above: bool) -> None:
    left, top, right, bottom = ink_box(
        studio.draw(labelled(studio, {"labelplacement": placement}, shapely.Point(50, 50)))
    )
    assert (right <= 51) is left_of
    assert (left >= 49) is not left_of
    assert (bottom <= 52) is above
    assert (top >= 48) is not above


def test_offsets_are_to_the_right_and_down(studio: Studio) -> None:
    middle = ink_box(studio.draw(labelled(studio, {}, shapely.Point(50, 50))))
    moved = ink_box(studio.draw(labelled(studio, {"ldx": 10, "ldy": 20}, shapely.Point(50, 50))))
    assert [new - old for new, old in zip(moved, middle, strict=True)] == pytest.approx([10, 20, 10, 20], abs=2)


def test_a_label_lies_above_its_marker(studio: Studio) -> None:
    entry = {"symbol": {"color": "255,0,0", "size": 20}}
    pixels = studio.draw(labelled(studio, entry, shapely.Point(50, 50)))
    text = (pixels[:, :, :3].max(axis=2) < 128).nonzero()[0]
    assert len(text) > 20
    assert 30 < text.max() <= 39


@pytest.mark.parametrize("geometry", [shapely.box(10, 10, 90, 90), shapely.LineString([(10, 50), (90, 50)])])
def test_labels_are_in_the_middle(studio: Studio, geometry: Any) -> None:
    left, top, right, bottom = ink_box(studio.draw(labelled(studio, {}, geometry)))
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((50, 50), abs=5)


def test_the_largest_part_of_a_feature_is_labelled_once(studio: Studio) -> None:
    parts = shapely.MultiPolygon([shapely.box(5, 5, 15, 15), shapely.box(30, 60, 100, 95)])
    left, _, right, bottom = ink_box(studio.draw(labelled(studio, {}, parts)))
    assert bottom < 40
    assert (left + right) / 2 == pytest.approx(65, abs=6)


def test_font_sizes(studio: Studio) -> None:
    heights = []
    for size in (10, 20, 40):
        _, top, _, bottom = ink_box(
            studio.draw(labelled(studio, {"fontsize": size}, shapely.Point(50, 50), texts=["H"]))
        )
        heights.append(bottom - top + 1)
    assert heights == pytest.approx([7.3, 14.6, 29.2], abs=1.5)


def test_colour_and_halo(studio: Studio) -> None:
    background = studio.layer("polygon", [{"color": "0,0,255"}], studio.batch([shapely.box(0, 0, 100, 100)]))
    entry = {"fontcolor": "255,0,0", "fontsize": 20}
    plain = studio.draw(background, labelled(studio, entry, shapely.Point(50, 50)))
    background = studio.layer("polygon", [{"color": "0,0,255"}], studio.batch([shapely.box(0, 0, 100, 100)]))
    haloed = studio.draw(background, labelled(studio, entry | {"outline": "0,255,0"}, shapely.Point(50, 50)))
    red, green = (pixels[:, :, channel] > 200 for pixels, channel in ((haloed, 0), (haloed, 1)))
    assert red.sum() > 50
    assert green.sum() > 50
    assert not (plain[:, :, 1] > 50).any()


def test_labels_do_not_overlap_and_those_of_the_top_layer_come_first(studio: Studio) -> None:
    one = studio.draw(labelled(studio, {}, shapely.Point(50, 50)))
    layers = [labelled(studio, {}, shapely.Point(48, 48), texts=["Lake"])]
    layers.append(labelled(studio, {}, shapely.Point(50, 50), shapely.Point(52, 53), texts=["Hill", "Dale"]))
    assert (studio.draw(*layers) == one).all()


def test_no_layer_covers_the_labels_of_another(studio: Studio) -> None:
    def above() -> VectorLayer:
        return studio.layer("polygon", [{"color": "0,0,255"}], studio.batch([shapely.box(0, 0, 100, 100)]))

    def label() -> VectorLayer:
        return labelled(studio, {"fontcolor": "255,0,0", "fontsize": 20}, shapely.Point(50, 50))

    assert (studio.draw(label(), above()) == studio.draw(above(), label())).all()


def test_larger_features_are_labelled_first(studio: Studio) -> None:
    boxes = [shapely.box(45, 45, 55, 55), shapely.box(10, 10, 90, 90)]
    big = studio.draw(labelled(studio, {}, boxes[1], texts=["Large"]))
    assert (studio.draw(labelled(studio, {}, *boxes, texts=["Small", "Large"])) == big).all()


def test_labels_keep_away_from_the_edge(studio: Studio) -> None:
    pixels = studio.draw(labelled(studio, {}, shapely.Point(2, 50), texts=["Wide label"]))
    assert (pixels[:, :, 0] == 255).all()


def test_hidden_geometry_leaves_labels(studio: Studio) -> None:
    batch = studio.batch([shapely.box(10, 10, 90, 90)], name=["Hill"])
    style = [{"color": "255,0,0", "labelfield": "name"}]
    pixels = studio.draw(studio.layer("polygon", style, batch, hide_geometry=True))
    assert tuple(pixels[80, 20, :3]) == (255, 255, 255)
    assert (pixels[:, :, :3].max(axis=2) < 128).sum() > 20


def test_features_without_text_and_missing_columns(studio: Studio) -> None:
    points = [shapely.Point(50, y) for y in (20, 50, 80)]
    none = studio.draw(labelled(studio, {}, *points, texts=[None, "", "  "]))
    missing = studio.draw(studio.layer("point", [{"labelfield": "gone"}], studio.batch(points)))
    assert (none == 255).all()
    assert (missing == 255).all()


def test_text_of_any_script_and_markup_is_harmless(studio: Studio) -> None:
    points = [shapely.Point(50, y) for y in (20, 50, 80)]
    pixels = studio.draw(labelled(studio, {}, *points, texts=["<b>[x]&'", "Žižkov Ωмега", "\x00\x07 line\nbreak"]))
    assert (pixels[:, :, 0] < 128).sum() > 60


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, ""), (5, "5"), (5.0, "5"), (5.25, "5.25"), (True, "true"), (" a ", "a"), ("x" * 500, "x" * 200)],
)
def test_values_as_text(value: Any, expected: str) -> None:
    assert label_text(value) == expected
