"""GPX 1.1 files: points as waypoints, lines as tracks. GDAL takes the elements of GPX itself from no Arrow stream."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import shapely
from lxml import etree

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

Attributes = list[tuple[str, str]]


def write_gpx(target: Path, fields: Sequence[Written], batches: Iterator[pa.RecordBatch], name: str) -> None:
    """Writes the features, which all have a geometry, in longitude and latitude."""
    places = _places(fields)
    with etree.xmlfile(str(target), encoding="utf-8") as out:
        out.write_declaration()
        with out.element(f"{{{GPX}}}gpx", version="1.1", creator="Graticule", nsmap={None: GPX, "ogr": OGR}):
            out.write(_metadata(name))
            for batch in batches:
                _write_batch(out, fields, places, batch)


def _metadata(name: str) -> Any:
    metadata = etree.Element(f"{{{GPX}}}metadata")
    etree.SubElement(metadata, f"{{{GPX}}}name").text = name
    return metadata


def _places(fields: Sequence[Written]) -> dict[str, str]:
    """Which column goes to which element of GPX: those of the same name, and for the name the best there is."""
    places: dict[str, str] = {}
    for each in fields:
        element = OTHER_NAMES.get(each.column.name.lower(), each.column.name.lower())
        fits = element in ELEMENTS and (each.column.type == "datetime") == (element == "time")
        if fits and element not in places.values():
            places[each.name] = element
    return places


def _write_batch(out: Any, fields: Sequence[Written], places: dict[str, str], batch: pa.RecordBatch) -> None:
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
    if value is None or isinstance(value, str):
        return value if value is None else _NO_XML.sub("", value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _write_shape(out: Any, shape: Any, own: Attributes, beyond: Attributes) -> None:
    parts = list(shapely.get_parts(shape))
    if shape.geom_type in ("Point", "MultiPoint"):
        for part in parts:
            out.write(_waypoint(part, own, beyond))
    else:
        out.write(_track(parts, own, beyond))


def _waypoint(point: Any, own: Attributes, beyond: Attributes) -> Any:
    element = _position("wpt", shapely.get_coordinates(point, include_z=True)[0].tolist())
    _fill(element, own)
    _extend(element, beyond)
    return element


def _track(lines: Sequence[Any], own: Attributes, beyond: Attributes) -> Any:
    track = etree.Element(f"{{{GPX}}}trk")
    _fill(track, [pair for pair in own if pair[0] in OF_TRACKS])
    _extend(track, [*(pair for pair in own if pair[0] not in OF_TRACKS), *beyond])
    for line in lines:
        segment = etree.SubElement(track, f"{{{GPX}}}trkseg")
        segment.extend(_position("trkpt", at) for at in shapely.get_coordinates(line, include_z=True).tolist())
    return track


def _position(tag: str, at: Sequence[float]) -> Any:
    """A point of a file; a longitude beyond 180° is the one that the schema has for it."""
    x, y, z = at
    x = x if -180 <= x < 180 else (x + 180) % 360 - 180
    element = etree.Element(f"{{{GPX}}}{tag}", lat=repr(y), lon=repr(x))
    if z == z:
        etree.SubElement(element, f"{{{GPX}}}ele").text = repr(z)
    return element


def _fill(element: Any, own: Attributes) -> None:
    for name, text in own:
        etree.SubElement(element, f"{{{GPX}}}{name}").text = text


def _extend(element: Any, beyond: Attributes) -> None:
    if beyond:
        extensions = etree.SubElement(element, f"{{{GPX}}}extensions")
        for name, text in beyond:
            etree.SubElement(extensions, f"{{{OGR}}}{name}").text = text
