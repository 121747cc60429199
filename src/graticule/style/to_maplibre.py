"""Layer styles as MapLibre style layers (https://maplibre.org/maplibre-style-spec/layers/)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from graticule.style.model import LABEL_PADDING, Fill, Label, Line, Marker

if TYPE_CHECKING:
    from graticule.model.features import Family
    from graticule.style.model import Colour, LayerStyle, Symbolizer

CLASS_PROPERTY = "__class"
FONT = "DejaVu Sans"

# MapLibre counts zoom levels for 512 px tiles, everything else here for 256 px ones.
ZOOM_SHIFT = 1.0
LAST_ZOOM = 24.0

# The black square of DejaVu Sans: its side, and its centre above the baseline, in ems; and where MapLibre puts the
# baseline of a centred line of text, in ems below the point.
BOX_GLYPH = "\u25a0"
BOX_SIDE = 0.7656
BOX_CENTRE = 0.2598
BASELINE = 10 / 24

_ANCHORS = {
    "C": "center",
    "B": "bottom",
    "T": "top",
    "L": "left",
    "R": "right",
    "BL": "bottom-left",
    "BR": "bottom-right",
    "TL": "top-left",
    "TR": "top-right",
}


def maplibre_layers(
    layer_id: int,
    style: LayerStyle,
    family: Family,
    source: str,
    source_layer: str,
    label_source_layer: str,
) -> list[dict[str, Any]]:
    """The style layers of one layer, bottom first, with the ids ``<layer>/<class>/<symbolizer>``.

    Features are told apart by the integer property ``__class``. ``label_source_layer`` holds one point a feature.
    """
    layers = []
    for n, k, symbolizer in style.drawn():
        zooms = _zooms(style, symbolizer)
        if zooms is None:
            continue
        layers.append(
            {
                "id": f"{layer_id}/{n}/{k}",
                "source": source,
                "source-layer": label_source_layer if isinstance(symbolizer, Label) else source_layer,
                "metadata": {"layer_id": layer_id},
                "filter": ["==", ["get", CLASS_PROPERTY], n],
                **zooms,
                **_drawing(symbolizer, style.alpha, family),
            }
        )
    return layers


def _zooms(style: LayerStyle, symbolizer: Symbolizer) -> dict[str, float] | None:
    """``minzoom`` and ``maxzoom``, which MapLibre excludes too; None when there is no level at which it is shown."""
    start = max(style.min_zoom, symbolizer.min_zoom) - ZOOM_SHIFT
    stop = min(style.max_zoom, symbolizer.max_zoom) - ZOOM_SHIFT
    if stop <= max(start, 0.0) or start > LAST_ZOOM:
        return None
    zooms = {}
    if start > 0:
        zooms["minzoom"] = start
    if not math.isinf(stop):
        zooms["maxzoom"] = min(stop, LAST_ZOOM)
    return zooms


def _drawing(symbolizer: Symbolizer, alpha: float, family: Family) -> dict[str, Any]:
    match symbolizer:
        case Fill():
            return {"type": "fill", "paint": {"fill-color": _rgb(symbolizer.colour), "fill-opacity": alpha}}
        case Line():
            return _line(symbolizer, alpha, family)
        case Marker(shape="box"):
            return _box(symbolizer, alpha)
        case Marker():
            return _circle(symbolizer, alpha)
        case Label():
            return _label(symbolizer, alpha)
    raise TypeError(f"MapLibre cannot draw {type(symbolizer).__name__}")


def _line(line: Line, alpha: float, family: Family) -> dict[str, Any]:
    paint: dict[str, Any] = {"line-color": _rgb(line.colour), "line-width": line.width, "line-opacity": alpha}
    if line.dashes:
        paint["line-dasharray"] = [length / line.width for length in line.dashes]
    layout = {"line-join": line.join} | ({"line-cap": line.cap} if family == "line" else {})  # a ring has no ends
    return {"type": "line", "layout": layout, "paint": paint}


def _circle(marker: Marker, alpha: float) -> dict[str, Any]:
    paint: dict[str, Any] = {
        "circle-radius": marker.size / 2,
        "circle-color": _rgb(marker.colour or (0, 0, 0)),
        "circle-opacity": alpha if marker.colour else 0.0,
    }
    if marker.border and marker.stroke:
        paint |= {
            "circle-stroke-color": _rgb(marker.border),
            "circle-stroke-width": marker.stroke,
            "circle-stroke-opacity": alpha,
        }
    return {"type": "circle", "paint": paint}


def _box(marker: Marker, alpha: float) -> dict[str, Any]:
    """A square glyph, so that the style needs no images; its halo is the border."""
    layout = {
        "text-field": BOX_GLYPH,
        "text-font": [FONT],
        "text-size": marker.size / BOX_SIDE,
        "text-offset": [0.0, round(BOX_CENTRE - BASELINE, 4)],
        "text-allow-overlap": True,
        "text-ignore-placement": True,
        "text-padding": 0,
    }
    paint: dict[str, Any] = {
        "text-color": _rgb(marker.colour) if marker.colour else "rgba(0,0,0,0)",
        "text-opacity": alpha,
    }
    if marker.border and marker.stroke:
        paint |= {"text-halo-color": _rgb(marker.border), "text-halo-width": marker.stroke}
    return {"type": "symbol", "layout": layout, "paint": paint}


def _label(label: Label, alpha: float) -> dict[str, Any]:
    layout = {
        "text-field": ["to-string", ["get", label.column]],
        "text-font": [FONT],
        "text-size": label.size,
        "text-anchor": _ANCHORS[label.anchor],
        "text-offset": [label.dx / label.size, label.dy / label.size],
        "text-max-width": label.wrap_ems,
        "text-padding": LABEL_PADDING,
    }
    paint: dict[str, Any] = {"text-color": _rgb(label.colour), "text-opacity": alpha}
    if label.halo:
        paint |= {"text-halo-color": _rgb(label.halo), "text-halo-width": label.halo_width}
    return {"type": "symbol", "layout": layout, "paint": paint}


def _rgb(colour: Colour) -> str:
    return "rgb({},{},{})".format(*colour)
