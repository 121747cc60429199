"""Style JSON read into classes and symbolizers."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from graticule.errors import BadRequest
from graticule.style.model import Fill, Label, Line, Marker, Symbolizer, shown_at
from graticule.style.parse import (
    DEFAULT_FILL,
    DEFAULT_LINE,
    ParsedStyle,
    columns_needed,
    expressions,
    layer_style,
    parse_styles,
    with_columns,
    without_classes,
)

if TYPE_CHECKING:
    from graticule.model.features import Family

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def parsed(*entries: dict[str, Any], family: Family = "polygon") -> ParsedStyle:
    return parse_styles(json.dumps(entries), family)


def drawn(entry: dict[str, Any], family: Family) -> tuple[Symbolizer, ...]:
    style = parsed(entry, family=family)
    assert style.problems == ()
    return style.classes[0].symbolizers


DEFAULTS: list[tuple[Family, tuple[Symbolizer, ...]]] = [
    ("polygon", (Fill(DEFAULT_FILL), Line(DEFAULT_LINE, 1.0))),
    ("line", (Line(DEFAULT_LINE, 1.0),)),
    ("point", (Marker("circle", 6.0, DEFAULT_LINE),)),
]


@pytest.mark.parametrize("text", [None, "", " ", "null", "[]", "[{}]", '[{"label": "Roads"}]', '[{"url": "/a.png"}]'])
@pytest.mark.parametrize(("family", "expected"), DEFAULTS)
def test_default_look(text: str | None, family: Family, expected: tuple[Symbolizer, ...]) -> None:
    style = parse_styles(text, family)
    assert [c.expression for c in style.classes] == [None]
    assert style.classes[0].symbolizers == expected
    assert style.problems == ()


CASES: list[tuple[Family, dict[str, Any], tuple[Symbolizer, ...]]] = [
    ("polygon", {"color": "255,0,0"}, (Fill(RED),)),
    ("polygon", {"bordercolor": "#0000ff"}, (Line(BLUE, 1.0),)),
    ("polygon", {"color": "255,0,0", "bordercolor": "0,0,255", "borderwidth": "3"}, (Fill(RED), Line(BLUE, 3.0))),
    ("polygon", {"bordercolor": "0,0,255", "line_width": 2}, (Line(BLUE, 2.0),)),
    ("polygon", {"bordercolor": "0,0,255", "line_width": 2, "borderwidth": 4}, (Line(BLUE, 4.0),)),
    ("polygon", {"color": "255,0,0", "bordercolor": "0,0,255", "borderwidth": 0}, (Fill(RED),)),
    ("polygon", {"bordercolor": "0,0,255", "dashed": "4,2"}, (Line(BLUE, 1.0, (4.0, 2.0)),)),
    ("polygon", {"color": None, "bordercolor": "", "labelfield": "n"}, (Label("n"),)),
    ("line", {"color": "255,0,0"}, (Line(RED, 1.0),)),
    ("line", {"width": "2.5"}, (Line(DEFAULT_LINE, 2.5),)),
    ("line", {"color": "255,0,0", "width": 4, "bordercolor": "0,0,255"}, (Line(BLUE, 6.0), Line(RED, 4.0))),
    ("line", {"color": "255,0,0", "dashed": "1,1", "fromlevel": "3", "tolevel": 5},
     (Line(RED, 1.0, (1.0, 1.0), min_zoom=3, max_zoom=6),)),
    ("point", {"symbol": {"type": "box", "color": "255,0,0", "border": "0,0,255", "bw": "2", "size": 9}},
     (Marker("box", 9.0, RED, BLUE, 2.0),)),
    ("point", {"symbol": '{"type": "circle", "color": "255,0,0", "size": "8"}'}, (Marker("circle", 8.0, RED),)),
    ("point", {"symbol": {"border": "0,0,255"}}, (Marker("circle", 6.0, None, BLUE, 1.0),)),
    ("point", {"symbol": {"size": 4}}, (Marker("circle", 4.0, DEFAULT_LINE),)),
    ("point", {"symbol": {"size": 0}}, ()),
    ("point", {"color": "255,0,0"}, (Marker("circle", 6.0, RED),)),
    ("point", {"labelfield": "n"}, (Label("n"),)),
    ("point", {"color": "255,0,0", "labelfield": "n"}, (Marker("circle", 6.0, RED), Label("n", anchor="B", dy=-5.0))),
    ("point", {"labelfield": "n", "labelplacement": "l", "ldx": "4", "ldy": -3},
     (Label("n", anchor="L", dx=4.0, dy=-3.0),)),
    ("polygon", {"labelfield": "n", "fontsize": "20", "fontcolor": "0,0,255", "outline": "255,255,255"},
     (Label("n", 20.0, BLUE, WHITE),)),
    ("polygon", {"color": "255,0,0", "labelfield": "n", "showlabel": "f"}, (Fill(RED),)),
    ("polygon", {"color": "255,0,0", "visible": "f"}, ()),
]  # fmt: skip


@pytest.mark.parametrize(("family", "entry", "expected"), CASES)
def test_entries(family: Family, entry: dict[str, Any], expected: tuple[Symbolizer, ...]) -> None:
    assert drawn(entry, family) == expected


def test_entries_of_one_expression_are_one_class_first_on_top_labels_last() -> None:
    style = parsed(
        {"expression": "a=1", "color": "255,0,0", "labelfield": "n", "label": "One"},
        {"expression": "a=2", "color": "255,255,255"},
        {"expression": " a=1 ", "color": "0,0,255", "labelfield": "m"},
        {"expression": "else", "color": "0,0,0"},
        {"bordercolor": "0,0,0"},
    )
    assert expressions(style) == ("a=1", "a=2", None)
    assert style.classes[0].symbolizers == (Fill(BLUE), Fill(RED), Label("m"), Label("n"))
    assert style.classes[0].label == "One"
    assert style.classes[2].symbolizers == (Line((0, 0, 0), 1.0), Fill((0, 0, 0)))
    assert columns_needed(style) == ("m", "n")


def test_the_default_class_keeps_its_place() -> None:
    style = parsed({"color": "0,0,0"}, {"expression": "a=1", "color": "0,0,0"})
    assert expressions(style) == (None, "a=1")


def test_a_class_is_invisible_when_all_its_entries_are() -> None:
    style = parsed({"color": "255,0,0", "visible": False}, {"color": "0,0,255", "visible": "t"})
    assert style.classes[0].visible
    assert style.classes[0].symbolizers == (Fill(BLUE),)
    assert not parsed({"color": "255,0,0", "visible": 0}).classes[0].visible


@pytest.mark.parametrize(
    ("family", "entry", "expected", "named"),
    [
        ("polygon", {"color": "red"}, (Fill(DEFAULT_FILL),), "color"),
        ("polygon", {"bordercolor": "0,0,999"}, (Line(DEFAULT_LINE),), "bordercolor"),
        ("line", {"color": "255,0,0", "width": "wide"}, (Line(RED, 1.0),), "width"),
        ("line", {"color": "255,0,0", "width": 1e9}, (Line(RED, 1.0),), "width"),
        ("line", {"color": "255,0,0", "dashed": "0"}, (Line(RED, 1.0),), "dashed"),
        ("line", {"color": "255,0,0", "visible": "perhaps"}, (Line(RED, 1.0),), "visible"),
        ("line", {"color": "255,0,0", "fromlevel": "high"}, (Line(RED, 1.0),), "fromlevel"),
        ("point", {"symbol": 5}, (Marker("circle", 6.0, DEFAULT_LINE),), "symbol"),
        ("point", {"symbol": {"type": "star"}}, (Marker("circle", 6.0, DEFAULT_LINE),), "type"),
        ("polygon", {"labelfield": "n", "fontsize": "-3"}, (Label("n", 12.0),), "fontsize"),
    ],
)
def test_an_unreadable_value_counts_as_default_and_is_reported(
    family: Family, entry: dict[str, Any], expected: tuple[Symbolizer, ...], named: str
) -> None:
    style = parsed(entry, family=family)
    assert style.classes[0].symbolizers == expected
    assert len(style.problems) == 1
    assert style.problems[0].startswith(f"Style 1: {named} is ")


def test_an_expression_that_is_not_text_disables_its_entry_only() -> None:
    style = parsed({"expression": 5, "color": "0,0,0"}, {"color": "255,0,0"})
    assert expressions(style) == (None,)
    assert style.problems == ("Style 1: its expression is not text; it is left out.",)


@pytest.mark.parametrize("text", ["{}", '"x"', "5", "[1]", '[{}, "x"]', "[{", "x", "[" * 100_000])
def test_what_is_no_array_of_objects(text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_styles(text, "polygon")
    assert caught.value.field == "styles"


def test_problems_are_kept_short() -> None:
    style = parsed(*({"color": "x" * 1000, "expression": str(n)} for n in range(50)))
    assert len(style.problems) == 20
    assert max(map(len, style.problems)) < 150


def test_columns_are_matched_exactly_or_regardless_of_case() -> None:
    style = parsed({"labelfield": "name"}, {"labelfield": "Code"}, {"labelfield": "gone"}, {"labelfield": "Two"})
    found = with_columns(style, ["NAME", "name", "CODE", "two", "TWO"])
    assert columns_needed(found) == ("CODE", "name")
    assert found.problems == ("There is no column 'Two' to label by.", "There is no column 'gone' to label by.")


def test_classes_can_be_taken_out() -> None:
    style = parsed({"expression": "a=1"}, {"expression": "b ="}, {})
    left = without_classes(style, {1}, ["b = cannot be understood"])
    assert expressions(left) == ("a=1", None)
    assert left.problems == ("b = cannot be understood",)


@pytest.mark.parametrize(
    ("onscale", "offscale", "start", "stop"),
    [
        (None, None, 0.0, math.inf),
        (0, 0, 0.0, math.inf),
        (3, 12, 3.0, 12.0),
        (559_082_264.028 / 2**5, None, 5.0, math.inf),
        (None, 559_082_264.028 / 2**11, 0.0, 11.0),
    ],
)
def test_scales_of_a_layer(onscale: float | None, offscale: float | None, start: float, stop: float) -> None:
    style = layer_style(parsed({}), alpha=40, onscale=onscale, offscale=offscale)
    assert style.min_zoom == pytest.approx(start)
    assert style.max_zoom == pytest.approx(stop)
    assert style.alpha == pytest.approx(0.4)


@pytest.mark.parametrize(("zoom", "shown"), [(2.9, False), (2.999_999_9, True), (5.99, True), (6.0, False)])
def test_a_range_of_levels_holds_its_last_one(zoom: float, shown: bool) -> None:
    assert shown_at(zoom, drawn({"color": "0,0,0", "fromlevel": 3, "tolevel": "5"}, "line")[0]) is shown


def test_drawing_order() -> None:
    style = parsed(
        {"expression": "a=1", "color": "255,0,0", "labelfield": "n"},
        {"expression": "a=2", "color": "0,0,255", "labelfield": "m"},
        {"expression": "a=3", "color": "0,0,0", "visible": "f"},
    )
    order = [(n, k) for n, k, _ in layer_style(style).drawn()]
    assert order == [(1, 0), (0, 0), (1, 1), (0, 1)]
    assert [(n, k) for n, k, _ in layer_style(style, hide_geometry=True).drawn()] == [(1, 1), (0, 1)]
