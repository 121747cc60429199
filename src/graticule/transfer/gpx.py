"""GPX 1.1 files: points as waypoints, lines as tracks. GDAL takes the elements of GPX itself from no Arrow stream."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TextIO
from xml.sax.saxutils import escape

import shapely

from graticule.transfer.outgoing import title_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from graticule.transfer.outgoing import Written

GPX = "http://www.topografix.com/GPX/1/1"
# The namespace that GDAL gives attributes of its own in GPX, and knows again.
OGR = "http://osgeo.org/gdal"
# The elements that a waypoint and a track have in common, in the order that the schema demands; then other names.
ELEMENTS = ("time", "name", "cmt", "desc", "src", "sym", "type")
OTHER_NAMES = {"comment": "cmt", "description": "desc"}
OF_TRACKS = frozenset(("name", "cmt", "desc", "src", "type"))
# What XML 1.0 has no characters for (2.2).
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")

HEAD = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<gpx version="1.1" creator="Graticule" xmlns="{GPX}" xmlns:ogr="{OGR}">\n'
    "<metadata><name>{name}</name></metadata>\n"
)

Attributes = list[tuple[str, str]]


def write_gpx(target: Path, fields: Sequence[Written], batches: Iterator[pa.RecordBatch], name: str) -> None:
    """Writes the features, which all have a geometry, in longitude and latitude."""
    places = _places(fields)
    with target.open("w", encoding="utf-8", newline="\n") as out:
        out.write(HEAD.format(name=_clean(name)))
        for batch in batches:
            _write_batch(out, fields, places, batch)
        out.write("</gpx>\n")


def _places(fields: Sequence[Written]) -> dict[str, str]:
    """Which column goes to which element of GPX: those of the same name, and for the name the best there is."""
    places: dict[str, str] = {}
    for each in fields:
        element = OTHER_NAMES.get(each.column.name.lower(), each.column.name.lower())
        fits = element in ELEMENTS and (each.column.type == "datetime") == (element == "time")
        if fits and element not in places.values():
            places[each.name] = element
    return places


def _write_batch(out: TextIO, fields: Sequence[Written], places: dict[str, str], batch: pa.RecordBatch) -> None:
    values = [[_text(value) for value in batch.column(each.name).to_pylist()] for each in fields]
    title = None if "name" in places.values() else title_of([each.column for each in fields])
    extra = next((at for at, each in enumerate(fields) if each.column == title), None)
    found = shapely.from_wkb(batch.column(len(fields)).to_numpy(zero_copy_only=False))
    for at, shape in enumerate(found):
        own: Attributes = []
        beyond: Attributes = []
        for each, column in zip(fields, values, strict=True):
            text = column[at]
            if text is not None:
                element = places.get(each.name)
                (beyond if element is None else own).append((element or each.name, text))
        if extra is not None and values[extra][at] is not None:
            own.append(("name", values[extra][at] or ""))
        own.sort(key=lambda pair: ELEMENTS.index(pair[0]))
        _write_shape(out, shape, own, beyond)


def _text(value: Any) -> str | None:
    """A value as XML has it; None for none."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else _clean(str(value))


def _clean(text: str) -> str:
    return escape(_NO_XML.sub("", text))


def _write_shape(out: TextIO, shape: Any, own: Attributes, beyond: Attributes) -> None:
    """Each point becomes a waypoint, a line a track of as many segments as it has parts."""
    parts = shapely.get_parts(shape)
    if shape.geom_type in ("Point", "MultiPoint"):
        inside = _elements(own) + _extensions(beyond)
        for x, y, z in shapely.get_coordinates(parts, include_z=True).tolist():
            out.write(_position("wpt", x, y, z, inside) + "\n")
        return
    out.write("<trk>" + _elements([pair for pair in own if pair[0] in OF_TRACKS]))
    out.write(_extensions([*(pair for pair in own if pair[0] not in OF_TRACKS), *beyond]))
    for part in parts:
        points = (_position("trkpt", *at) for at in shapely.get_coordinates(part, include_z=True).tolist())
        out.write(f"<trkseg>{''.join(points)}</trkseg>")
    out.write("</trk>\n")


def _position(tag: str, x: float, y: float, z: float, inside: str = "") -> str:
    """A point of a file; a longitude beyond 180° is the one that the schema has for it."""
    x = x if -180 <= x < 180 else (x + 180) % 360 - 180
    height = f"<ele>{z!r}</ele>" if z == z else ""
    return f'<{tag} lat="{y!r}" lon="{x!r}">{height}{inside}</{tag}>'


def _elements(own: Attributes) -> str:
    return "".join(f"<{name}>{text}</{name}>" for name, text in own)


def _extensions(beyond: Attributes) -> str:
    if not beyond:
        return ""
    return f"<extensions>{''.join(f'<ogr:{name}>{text}</ogr:{name}>' for name, text in beyond)}</extensions>"
