"""What a layer looks like, as plain data.

Lengths are in CSS pixels, colours in sRGB, zoom levels those of 256 px tiles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Colour = tuple[int, int, int]
Shape = Literal["circle", "box"]
Join = Literal["miter", "round"]
Cap = Literal["butt", "round"]

# Which part of the label sits on its point; C is the middle.
Anchor = Literal["C", "B", "T", "L", "R", "BL", "BR", "TL", "TR"]

# Labels keep this far from each other.
LABEL_PADDING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbolizer:
    """Something that is drawn for each feature of a class, at ``min_zoom <= zoom < max_zoom``."""

    min_zoom: float = 0.0
    max_zoom: float = math.inf


@dataclass(frozen=True, slots=True)
class Fill(Symbolizer):
    """The inside of a polygon."""

    colour: Colour


@dataclass(frozen=True, slots=True)
class Line(Symbolizer):
    """A line, a line's casing (a wider one drawn below it) or a polygon's outline, centred on the geometry.

    ``dashes`` holds an even number of lengths, on and off in turn; none means a solid line.
    """

    colour: Colour
    width: float = 1.0
    dashes: tuple[float, ...] = ()

    @property
    def join(self) -> Join:
        """Round where it can be seen; miters are faster to draw."""
        return "round" if self.width > 2 else "miter"

    @property
    def cap(self) -> Cap:
        """Round caps would fill the gaps of a dashed line."""
        return "butt" if self.dashes else "round"


@dataclass(frozen=True, slots=True)
class Marker(Symbolizer):
    """A circle of the diameter ``size``, or a box with sides of it; the border lies around it."""

    shape: Shape = "circle"
    size: float = 6.0
    colour: Colour | None = None
    border: Colour | None = None
    border_width: float = 0.0

    @property
    def stroke(self) -> float:
        """The border's width, 0 without one."""
        return self.border_width if self.border else 0.0

    @property
    def across(self) -> float:
        """The size of the shape on whose edge a stroke must be centred to lie around the marker."""
        return self.size + self.stroke


@dataclass(frozen=True, slots=True)
class Label(Symbolizer):
    """The text of a column at a point, in or on the feature; ``dx`` to the right and ``dy`` down from it.

    Text longer than ``wrap_ems`` times the font size is broken into lines.
    """

    column: str
    size: float = 12.0
    colour: Colour = (0, 0, 0)
    halo: Colour | None = None
    halo_width: float = 1.5
    anchor: Anchor = "C"
    dx: float = 0.0
    dy: float = 0.0
    wrap_ems: float = 10.0


@dataclass(frozen=True, slots=True)
class StyleClass:
    """How the features are drawn for which ``expression`` is the first to hold; None is the default class.

    ``symbolizers`` are in drawing order, the bottom one first, labels last.
    """

    expression: str | None
    label: str | None = None
    show_label: bool = True
    visible: bool = True
    symbolizers: tuple[Symbolizer, ...] = ()


@dataclass(frozen=True, slots=True)
class LayerStyle:
    """A layer's classes, ``alpha`` from 0 (invisible) to 1, shown at ``min_zoom <= zoom < max_zoom``."""

    classes: tuple[StyleClass, ...]
    alpha: float = 1.0
    hide_geometry: bool = False
    min_zoom: float = 0.0
    max_zoom: float = math.inf

    def drawn(self) -> list[tuple[int, int, Symbolizer]]:
        """What is drawn, bottom first: the class's index, the symbolizer's index in it, the symbolizer.

        The first class is on top, and all labels are above all geometry. Both renderers go by this order.
        """
        listed = [
            (n, k, symbolizer)
            for n, style_class in reversed(tuple(enumerate(self.classes)))
            if style_class.visible
            for k, symbolizer in enumerate(style_class.symbolizers)
        ]
        labels = [entry for entry in listed if isinstance(entry[2], Label)]
        if self.hide_geometry:
            return labels
        return [entry for entry in listed if not isinstance(entry[2], Label)] + labels


def shown_at(zoom: float, what: Symbolizer | LayerStyle) -> bool:
    """Whether it is drawn at that zoom level. A level computed from an extent may lie a hair below the whole number."""
    return what.min_zoom <= zoom + 1e-6 < what.max_zoom
