"""Mapnik XML; what it looks like is tested with the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from graticule.style.model import Fill, Label, Line, Marker, Symbolizer
from graticule.style.to_mapnik import map_xml

if TYPE_CHECKING:
    from graticule.model.features import Family

CASES: list[tuple[Symbolizer, str, dict[str, str]]] = [
    (Fill((255, 0, 1)), "PolygonSymbolizer", {"fill": "#ff0001"}),
    (Line((0, 0, 0), 2.5, (4.0, 2.0)), "LineSymbolizer", {"stroke-width": "2.5", "stroke-dasharray": "4,2"}),
    (Marker("circle", 8, (0, 0, 0), (1, 1, 1), 2), "MarkersSymbolizer", {"width": "10", "stroke-width": "2"}),
    (Marker("circle", 8, None, (1, 1, 1), 2), "MarkersSymbolizer", {"fill-opacity": "0"}),
    (Label("na]me\"<&'"), "TextSymbolizer", {"size": "12", "placement": "interior", "vertical-alignment": "middle"}),
    (Label("n", anchor="BR"), "TextSymbolizer", {"vertical-alignment": "top", "horizontal-alignment": "left"}),
]


@pytest.mark.parametrize(("symbolizer", "tag", "attributes"), CASES)
def test_symbolizers(symbolizer: Symbolizer, tag: str, attributes: dict[str, str]) -> None:
    family: Family = "polygon"
    element = ET.fromstring(map_xml([symbolizer], family)).find(f"Style[@name='0']/Rule/{tag}")
    assert element is not None
    assert attributes.items() <= element.attrib.items()


def test_text_is_an_attribute_of_ours() -> None:
    root = ET.fromstring(map_xml([Label('a"]<b>')], "point"))
    assert [element.text for element in root.iter("TextSymbolizer")] == ["[label]"]


def test_a_box_is_a_polygon_with_its_outline() -> None:
    root = ET.fromstring(map_xml([Marker("box", 8, (0, 0, 0), (1, 1, 1), 2)], "point"))
    assert [element.tag for element in root.iter() if "Symbolizer" in element.tag] == [
        "PolygonSymbolizer",
        "LineSymbolizer",
    ]
