"""A legend drawn beside a picture, with the same symbolizers as the map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from graticule.model.features import Batch
from graticule.render.picture import Picture, VectorLayer
from graticule.style.model import Label, LayerStyle, Line, Marker, StyleClass, Symbolizer

if TYPE_CHECKING:
    from graticule.model.features import Family

ROW = 20
INDENT, SWATCH, GAP = 8, 26, 8
FONT_SIZE = 12.0
LONGEST_TEXT = 40

# Bounds of the advances of DejaVu Sans, in ems.
NARROW, MIDDLE, WIDE = 0.65, 0.8, 1.1
NARROW_LETTERS = frozenset("abcdefghijklnopqrstuvxyz0123456789 .,;:-'()/")
WIDE_LETTERS = frozenset("mwMW@%…")
LARGEST_MARKER, WIDEST_LINE = 14.0, 10.0
BACKGROUND = (255, 255, 255)
TEXT = "text"


@dataclass(frozen=True, slots=True)
class LegendLayer:
    """A layer's title and its classes, as ``style.legend.legend_classes`` picks them."""

    title: str
    family: Family
    classes: tuple[StyleClass, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    text: str
    family: Family | None = None
    style_class: StyleClass | None = None


def legend_panel(layers: tuple[LegendLayer, ...], height: int) -> Picture:
    """The picture of a legend, as wide as its texts need; rows that find no room in ``height`` pixels are left out."""
    rows = [row for layer in layers for row in _rows(layer)][: max((height - GAP) // ROW, 0)]
    longest = max((_text_width(row.text) for row in rows), default=0.0)
    width = round(INDENT + SWATCH + 2 * GAP + longest)
    swatches = [_swatch(row, height - GAP / 2 - ROW * (n + 0.5)) for n, row in enumerate(rows)]
    drawn = tuple(swatch for swatch in swatches if swatch is not None)
    return Picture(width, height, (0, 0, width, height), 0, (*drawn, _texts(rows, height)), BACKGROUND)


def _rows(layer: LegendLayer) -> list[_Row]:
    captions = [style_class for style_class in layer.classes if style_class.label and style_class.show_label]
    if not captions:
        return [_Row(_short(layer.title), layer.family, next(iter(layer.classes), None))]
    return [_Row(_short(layer.title))] + [_Row(_short(c.label or ""), layer.family, c) for c in captions]


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= LONGEST_TEXT else one_line[: LONGEST_TEXT - 1] + "…"


def _text_width(text: str) -> float:
    """Pixels that the text takes at most: Mapnik would leave out one that is too wide."""
    ems = (NARROW if c in NARROW_LETTERS else WIDE if c in WIDE_LETTERS or c > "\u024f" else MIDDLE for c in text)
    return sum(ems) * FONT_SIZE


def _swatch(row: _Row, y: float) -> VectorLayer | None:
    if row.family is None or row.style_class is None:
        return None
    x0, x1, half = INDENT, INDENT + SWATCH, ROW * 0.3
    geometry = {
        "polygon": shapely.box(x0, y - half, x1, y + half),
        "line": shapely.LineString([(x0, y), (x1, y)]),
        "point": shapely.Point((x0 + x1) / 2, y),
    }[row.family]
    symbolizers = tuple(_fitted(s) for s in row.style_class.symbolizers if not isinstance(s, Label))
    style = LayerStyle((StyleClass(None, symbolizers=symbolizers),))
    return VectorLayer("swatch", style, row.family, [_batch([geometry])])


def _fitted(symbolizer: Symbolizer) -> Symbolizer:
    """As it is drawn at any zoom level, no larger than a row."""
    always = replace(symbolizer, min_zoom=0.0, max_zoom=np.inf)
    if isinstance(always, Marker):
        return replace(always, size=min(always.size, LARGEST_MARKER))
    if isinstance(always, Line):
        return replace(always, width=min(always.width, WIDEST_LINE))
    return always


def _texts(rows: list[_Row], height: int) -> VectorLayer:
    beside_swatch = INDENT + SWATCH + GAP
    points = [
        shapely.Point(INDENT if row.family is None else beside_swatch, height - GAP / 2 - ROW * (n + 0.5))
        for n, row in enumerate(rows)
    ]
    label = Label(TEXT, FONT_SIZE, (40, 40, 40), anchor="L", wrap_ems=1000.0)
    style = LayerStyle((StyleClass(None, symbolizers=(label,)),))
    return VectorLayer("texts", style, "point", [_batch(points, [row.text for row in rows])])


def _batch(geometry: list[shapely.Geometry], texts: list[str] | None = None) -> Batch:
    columns = {} if texts is None else {TEXT: texts}
    return Batch(np.arange(len(geometry)), np.array(geometry, dtype=object), columns)
