"""The legend beside a picture."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely

from graticule.render.legend_panel import LegendLayer
from graticule.render.mapnik_renderer import render
from graticule.style.legend import legend_classes
from graticule.style.parse import parse_styles

if TYPE_CHECKING:
    from studio import Decoded, Studio

    from graticule.model.features import Family
    from graticule.render.mapnik_renderer import Format


def of(title: str, family: Family, *styles: dict[str, Any]) -> LegendLayer:
    return LegendLayer(title, family, tuple(legend_classes(parse_styles(json.dumps(styles), family))))


@pytest.mark.parametrize("fmt", ["png", "jpg"])
def test_a_legend_stands_to_the_right(studio: Studio, decoded: Decoded, fmt: Format) -> None:
    fill = {"color": "255,0,0"}
    layer = studio.layer("polygon", [fill], studio.batch([shapely.box(0, 0, 100, 100)]))
    pixels = decoded(render(studio.picture(layer), fmt, (of("Ponds", "polygon", fill),)), fmt)
    assert pixels.shape[0] == 100
    assert pixels.shape[1] > 150
    assert (np.abs(pixels[:, :95, :3].astype(int) - (255, 0, 0)) < 10).all()
    assert pixels[14, 100 + 20, :3].tolist() == pytest.approx([255, 0, 0], abs=10)
    assert (pixels[4:24, 140:, 0] < 128).sum() > 20
    assert (pixels[40:, 105:, :3] > 245).all()


def test_rows_are_titles_captions_and_as_many_as_find_room(studio: Studio, decoded: Decoded) -> None:
    classes = [
        {"expression": f"a={n}", "label": f"Class {n}", "symbol": {"color": "0,0,255", "size": 400}, "fromlevel": 20}
        for n in range(50)
    ]
    pixels = decoded(render(studio.picture(), "png", (of("Wells", "point", *classes),)), "png")
    rows = [4 + 20 * n + 10 for n in range(4)]
    swatches = [tuple(pixels[row, 100 + 8 + 13, :3]) == (0, 0, 255) for row in rows]
    assert swatches == [False, True, True, True]


@pytest.mark.parametrize("letter", ["m", "W", "e", "Ж", "@"])
def test_a_long_title_is_shortened_and_a_layer_without_classes_has_its_title(
    studio: Studio, decoded: Decoded, letter: str
) -> None:
    pixels = decoded(render(studio.picture(), "png", (of(letter * 500, "line", {"visible": "f"}),)), "png")
    assert pixels.shape[1] < 700
    assert (pixels[4:24, 130:, 0] < 128).sum() > 20
