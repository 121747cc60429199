"""GeoJSON geometries that GDAL passes over in silence: found by comparing null geometries."""

from __future__ import annotations

import mmap
import re
from typing import TYPE_CHECKING, Any

import orjson

from graticule.errors import BadRequest

if TYPE_CHECKING:
    from pathlib import Path

    from graticule.transfer.drivers import Format

# The member of GeoJSON before RFC 7946 that names a projection.
_NAMED_CRS = re.compile(rb'"crs"\s*:\s*\{[^{}]*"properties"\s*:\s*\{\s*"name"\s*:\s*"([^"]{1,200})"')
_NULL = re.compile(rb'"geometry"\s*:\s*null')
MAX_PARSED = 512 * 1024 * 1024


def named_crs(path: Path, row: Format) -> str | None:
    """The projection that a GeoJSON file names, known or not; None when it names none."""
    if row.name != "geojson":
        return None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        found = _NAMED_CRS.search(text)
        return None if found is None else found[1].decode("utf-8", "replace")


def check_nulls(path: Path, row: Format, nulls: int) -> None:
    """Raises BadRequest when more geometries came out null than the text says, naming the first where it is found."""
    if row.name != "geojson" or not nulls:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        if sum(1 for _ in _NULL.finditer(text)) >= nulls or len(text) > MAX_PARSED:
            return
        document = _parsed(path, text[:].removeprefix(b"\xef\xbb\xbf"))
    features = document.get("features") if isinstance(document, dict) else None
    for number, feature in enumerate(features or (), 1):
        shape = feature.get("geometry") if isinstance(feature, dict) else None
        if shape is not None and not _is_usable(shape):
            raise BadRequest(f"“{path.name}”, feature {number} has a broken geometry.")


def _parsed(path: Path, text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(
            f"“{path.name}”, line {error.lineno}, character {error.colno}: no JSON ({error.msg})."
        ) from error


def _is_usable(shape: object) -> bool:
    """Whether the geometry is of a known type with coordinates that are numbers all through."""
    if not isinstance(shape, dict):
        return False
    if shape.get("type") == "GeometryCollection":
        return isinstance(shape.get("geometries"), list) and all(map(_is_usable, shape["geometries"]))
    depth = {"Point": 1, "MultiPoint": 2, "LineString": 2, "MultiLineString": 3, "Polygon": 3, "MultiPolygon": 4}
    wanted = depth.get(str(shape.get("type")))
    return wanted is not None and _is_nested(shape.get("coordinates"), wanted)


def _is_nested(value: object, depth: int) -> bool:
    if not isinstance(value, list):
        return False
    if depth > 1:
        return all(_is_nested(item, depth - 1) for item in value)
    numbers = all(isinstance(item, int | float) and not isinstance(item, bool) for item in value)
    return numbers and len(value) != 1
