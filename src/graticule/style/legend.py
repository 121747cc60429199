"""What a legend shows of a layer, ready for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graticule.style.model import Fill, Line, Marker

if TYPE_CHECKING:
    from graticule.model.features import Family
    from graticule.style.model import Colour, StyleClass
    from graticule.style.parse import ParsedStyle


def legend_classes(parsed: ParsedStyle) -> list[StyleClass]:
    """The drawn classes that have a caption; when none has, the first drawn one stands for the whole layer."""
    drawn = [style_class for style_class in parsed.classes if style_class.visible and style_class.symbolizers]
    with_caption = [style_class for style_class in drawn if style_class.label and style_class.show_label]
    return with_caption or drawn[:1]


def legend(parsed: ParsedStyle, family: Family) -> list[dict[str, Any]]:
    """One ``{label, family, fill, stroke, stroke_width, casing, casing_width, marker, dash}`` per class.

    Colours are ``#rrggbb`` or None, widths in pixels; ``marker`` is ``{type, size}`` or None, ``dash`` lengths on and
    off in pixels or None. ``label`` is None where the entry stands for the whole layer.
    """
    return [_entry(style_class, family) for style_class in legend_classes(parsed)]


def _entry(style_class: StyleClass, family: Family) -> dict[str, Any]:
    entry: dict[str, Any] = {"label": style_class.label if style_class.show_label else None, "family": family}
    entry |= dict.fromkeys(("fill", "stroke", "casing", "marker", "dash")) | {"stroke_width": 0.0, "casing_width": 0.0}
    lines: list[Line] = []
    for symbolizer in style_class.symbolizers:
        match symbolizer:
            case Fill():
                entry["fill"] = _hex(symbolizer.colour)
            case Line():
                lines.append(symbolizer)
            case Marker():
                entry |= _of_marker(symbolizer)
    return entry | _of_lines(lines)


def _of_marker(marker: Marker) -> dict[str, Any]:
    return {
        "marker": {"type": marker.shape, "size": marker.size},
        "fill": _hex(marker.colour),
        "stroke": _hex(marker.border),
        "stroke_width": marker.stroke,
    }


def _of_lines(lines: list[Line]) -> dict[str, Any]:
    """The topmost line; where a wider one lies below it, that is the casing."""
    if not lines:
        return {}
    top = lines[-1]
    found: dict[str, Any] = {"stroke": _hex(top.colour), "stroke_width": top.width, "dash": list(top.dashes) or None}
    wider = [line for line in lines[:-1] if line.width > top.width]
    if wider:
        found |= {"casing": _hex(wider[-1].colour), "casing_width": wider[-1].width}
    return found


def _hex(colour: Colour | None) -> str | None:
    return None if colour is None else "#{:02x}{:02x}{:02x}".format(*colour)
