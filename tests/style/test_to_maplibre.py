"""MapLibre style layers, as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from graticule.style.parse import layer_style, parse_styles
from graticule.style.to_maplibre import maplibre_layers

if TYPE_CHECKING:
    from graticule.model.features import Family


def layers(family: Family, *entries: dict[str, Any], **layer: Any) -> list[dict[str, Any]]:
    style = layer_style(parse_styles(json.dumps(entries), family), **layer)
    return maplibre_layers(7, style, family, "map", "l7", "l7_labels")


def test_a_polygon_is_a_fill_and_a_line() -> None:
    fill, outline = layers("polygon", {"color": "1,2,3", "bordercolor": "4,5,6", "borderwidth": 3}, alpha=50)
    assert fill == {
        "id": "7/0/0",
        "source": "map",
        "source-layer": "l7",
        "metadata": {"layer_id": 7},
        "filter": ["==", ["get", "__class"], 0],
        "type": "fill",
        "paint": {"fill-color": "rgb(1,2,3)", "fill-opacity": 0.5},
    }
    assert outline["id"] == "7/0/1"
    assert outline["type"] == "line"
    assert outline["layout"] == {"line-join": "round"}
    assert outline["paint"] == {"line-color": "rgb(4,5,6)", "line-width": 3.0, "line-opacity": 0.5}


def test_dashes_are_in_line_widths() -> None:
    casing, line = layers("line", {"color": "0,0,0", "width": 2, "dashed": "4,2", "bordercolor": "9,9,9"})
    assert casing["paint"]["line-width"] == 4.0
    assert "line-dasharray" not in casing["paint"]
    assert casing["layout"] == {"line-join": "round", "line-cap": "round"}
    assert line["paint"]["line-dasharray"] == [2.0, 1.0]
    assert line["layout"]["line-cap"] == "butt"


def test_a_circle_has_half_its_size_as_radius() -> None:
    (circle,) = layers("point", {"symbol": {"type": "circle", "color": "1,1,1", "border": "2,2,2", "bw": 2, "size": 9}})
    assert circle["type"] == "circle"
    assert circle["paint"] == {
        "circle-radius": 4.5,
        "circle-color": "rgb(1,1,1)",
        "circle-opacity": 1.0,
        "circle-stroke-color": "rgb(2,2,2)",
        "circle-stroke-width": 2.0,
        "circle-stroke-opacity": 1.0,
    }


def test_a_box_is_a_glyph_of_its_size() -> None:
    (box,) = layers("point", {"symbol": {"type": "box", "color": "1,1,1", "size": 10}})
    assert box["type"] == "symbol"
    assert box["layout"]["text-field"] == "■"
    assert box["layout"]["text-size"] * 0.7656 == pytest.approx(10)
    assert box["source-layer"] == "l7"


def test_a_label_is_text_of_its_column() -> None:
    entry = {"labelfield": "name", "fontsize": 10, "outline": "255,255,255", "labelplacement": "TL", "ldx": 5, "ldy": 2}
    (label,) = layers("point", entry, alpha=50)
    assert label["source-layer"] == "l7_labels"
    assert label["layout"] == {
        "text-field": ["to-string", ["get", "name"]],
        "text-font": ["DejaVu Sans"],
        "text-size": 10.0,
        "text-anchor": "top-left",
        "text-offset": [0.5, 0.2],
        "text-max-width": 10,
        "text-padding": 2,
    }
    assert label["paint"] == {
        "text-color": "rgb(0,0,0)",
        "text-opacity": 0.5,
        "text-halo-color": "rgb(255,255,255)",
        "text-halo-width": 1.5,
    }


@pytest.mark.parametrize(
    ("entry", "layer", "expected"),
    [
        ({}, {}, {}),
        ({"fromlevel": 5, "tolevel": 8}, {}, {"minzoom": 4.0, "maxzoom": 8.0}),
        ({"fromlevel": 5, "tolevel": 8}, {"onscale": 6, "offscale": 8}, {"minzoom": 5.0, "maxzoom": 7.0}),
        ({"fromlevel": 0, "tolevel": 0}, {}, None),
        ({"fromlevel": 8, "tolevel": 5}, {}, None),
        ({}, {"onscale": 30}, None),
    ],
)
def test_levels(entry: dict[str, Any], layer: dict[str, Any], expected: dict[str, float] | None) -> None:
    found = layers("line", {"color": "0,0,0", **entry}, **layer)
    zooms = [{key: one[key] for key in ("minzoom", "maxzoom") if key in one} for one in found]
    assert zooms == ([] if expected is None else [expected])


def test_order_and_ids() -> None:
    found = layers(
        "polygon",
        {"expression": "a=1", "color": "1,1,1", "labelfield": "n"},
        {"expression": "a=1", "color": "2,2,2"},
        {"color": "3,3,3"},
    )
    assert [(one["id"], one["type"]) for one in found] == [
        ("7/1/0", "fill"),
        ("7/0/0", "fill"),
        ("7/0/1", "fill"),
        ("7/0/2", "symbol"),
    ]
    assert [one["paint"].get("fill-color") for one in found] == ["rgb(3,3,3)", "rgb(2,2,2)", "rgb(1,1,1)", None]
    assert json.loads(json.dumps(found)) == found


def test_hidden_geometry_leaves_the_labels() -> None:
    found = layers("polygon", {"color": "1,1,1", "labelfield": "n"}, hide_geometry=True)
    assert [one["type"] for one in found] == ["symbol"]
