"""Symbolizers as Mapnik's XML (its ``Style`` element, https://github.com/mapnik/mapnik/wiki/XMLConfigReference).

A style holds one rule without a filter: the renderer hands it the features of one class only. Text is looked for in
the attribute ``LABEL_ATTRIBUTE``, so that no name of a user's column ever enters the XML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from graticule.style.model import LABEL_PADDING, Fill, Label, Line, Marker

if TYPE_CHECKING:
    from graticule.model.features import Family
    from graticule.style.model import Colour, Symbolizer

LABEL_ATTRIBUTE = "label"
FONT_FACE = "DejaVu Sans Book"

# Mapnik says where the text lies as seen from its point, an anchor says which part of the text is at the point.
_ABOVE_OR_BELOW = {"B": "top", "T": "bottom"}
_LEFT_OR_RIGHT = {"R": "left", "L": "right"}


def map_xml(symbolizers: list[Symbolizer], family: Family) -> str:
    """A Mapnik map without layers, with a style for each symbolizer, named by its place in the list."""
    styles = "".join(style_xml(str(n), symbolizer, family) for n, symbolizer in enumerate(symbolizers))
    return f"<Map>{styles}</Map>"


def style_xml(name: str, symbolizer: Symbolizer, family: Family) -> str:
    """One ``Style`` element. A box marker is drawn as a polygon: its features must be squares."""
    return f"<Style name={quoteattr(name)}><Rule>{_elements(symbolizer, family)}</Rule></Style>"


def _elements(symbolizer: Symbolizer, family: Family) -> str:
    match symbolizer:
        case Fill():
            return _element("PolygonSymbolizer", fill=_hex(symbolizer.colour))
        case Line():
            return _line(symbolizer)
        case Marker(shape="box"):
            return _box(symbolizer)
        case Marker():
            return _circle(symbolizer)
        case Label():
            return _label(symbolizer, family)
    raise TypeError(f"Mapnik cannot draw {type(symbolizer).__name__}")


def _line(line: Line) -> str:
    return _element(
        "LineSymbolizer",
        stroke=_hex(line.colour),
        stroke_width=_number(line.width),
        stroke_linejoin=line.join,
        stroke_linecap=line.cap,
        stroke_dasharray=",".join(_number(length) for length in line.dashes) or None,
    )


def _circle(marker: Marker) -> str:
    """Mapnik centres the stroke on the ellipse's edge; ours lies around it."""
    across = _number(marker.across)
    return _element(
        "MarkersSymbolizer",
        width=across,
        height=across,
        fill=_hex(marker.colour or (0, 0, 0)),
        fill_opacity=None if marker.colour else "0",
        stroke=_hex(marker.border or (0, 0, 0)),
        stroke_width=_number(marker.stroke),
        allow_overlap="true",
        ignore_placement="true",
    )


def _box(marker: Marker) -> str:
    fill = _element("PolygonSymbolizer", fill=_hex(marker.colour)) if marker.colour else ""
    if not marker.border or not marker.stroke:
        return fill
    width = _number(marker.stroke)
    return fill + _element("LineSymbolizer", stroke=_hex(marker.border), stroke_width=width, stroke_linejoin="miter")


def _label(label: Label, family: Family) -> str:
    return _element(
        "TextSymbolizer",
        f"[{LABEL_ATTRIBUTE}]",
        face_name=FONT_FACE,
        size=_number(label.size),
        fill=_hex(label.colour),
        halo_fill=_hex(label.halo) if label.halo else None,
        halo_radius=_number(label.halo_width) if label.halo else None,
        placement="interior" if family == "polygon" else "point",
        horizontal_alignment=_LEFT_OR_RIGHT.get(label.anchor[-1], "middle"),
        vertical_alignment=_ABOVE_OR_BELOW.get(label.anchor[0], "middle"),
        dx=_number(label.dx),
        dy=_number(label.dy),
        wrap_width=_number(label.size * label.wrap_ems),
        margin=_number(LABEL_PADDING),
        avoid_edges="true",
    )


def _element(tag: str, content: str = "", **attributes: str | None) -> str:
    given = ((name.replace("_", "-"), value) for name, value in attributes.items() if value is not None)
    written = "".join(f" {name}={quoteattr(value)}" for name, value in given)
    return f"<{tag}{written}>{content}</{tag}>"


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _number(value: float) -> str:
    return f"{value:.6g}"
