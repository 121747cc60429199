"""Legend entries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from graticule.style.legend import legend
from graticule.style.parse import parse_styles

if TYPE_CHECKING:
    from graticule.model.features import Family


def entries(family: Family, *styles: dict[str, Any]) -> list[dict[str, Any]]:
    return legend(parse_styles(json.dumps(styles), family), family)


def test_a_layer_without_captions_has_one_entry() -> None:
    assert entries("polygon", {"expression": "a=1", "color": "255,0,0", "bordercolor": "0,0,255"}, {}) == [
        {
            "label": None,
            "family": "polygon",
            "fill": "#ff0000",
            "stroke": "#0000ff",
            "stroke_width": 1.0,
            "casing": None,
            "casing_width": 0.0,
            "marker": None,
            "dash": None,
        }
    ]


def test_each_class_with_a_caption_has_one() -> None:
    found = entries(
        "line",
        {"expression": "a=1", "label": "One", "color": "255,0,0", "width": 2, "bordercolor": "0,0,0", "dashed": "3,1"},
        {"expression": "a=2", "label": "Two", "showlabel": "f", "color": "255,0,0"},
        {"expression": "a=3", "label": "Three", "visible": "f", "color": "255,0,0"},
        {"color": "255,0,0"},
    )
    assert [entry["label"] for entry in found] == ["One"]
    assert (found[0]["stroke"], found[0]["stroke_width"], found[0]["dash"]) == ("#ff0000", 2.0, [3.0, 1.0])
    assert (found[0]["casing"], found[0]["casing_width"]) == ("#000000", 4.0)


def test_markers() -> None:
    (entry,) = entries("point", {"symbol": {"type": "box", "color": "255,0,0", "border": "0,0,0", "bw": 2, "size": 8}})
    assert entry["marker"] == {"type": "box", "size": 8.0}
    assert (entry["fill"], entry["stroke"], entry["stroke_width"]) == ("#ff0000", "#000000", 2.0)


def test_nothing_drawn_is_no_entry() -> None:
    assert entries("polygon", {"visible": "f"}) == []
