"""Geometry blobs of a GeoPackage: a short header, then ISO WKB (OGC 12-128r19, clause 2.1.3)."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Bytes before the WKB, by the header's envelope code: none, xy, xyz, xym, xyzm.
HEADER_BYTES = (8, 40, 56, 56, 72)
# The same, by the whole flags byte; the codes 5 to 7 do not exist.
WKB_AT = [HEADER_BYTES[code] if (code := flags >> 1 & 7) < len(HEADER_BYTES) else 8 for flags in range(256)]
_LITTLE_ENDIAN, _XY_ENVELOPE, _EMPTY = 1, 2, 16
# A point as WKB: its byte order, its type (with Z or M a thousand more), x and y.
_POINT_BYTES, _POINT_TYPE = 21, 1

Envelope = tuple[float, float, float, float]


def encode(geometry: Any, srid: int) -> bytes | None:
    """The blob of a shapely geometry, with its envelope unless it is a point; None of None and of an empty one."""
    if geometry is None or geometry.is_empty:
        return None
    wkb: bytes = shapely.to_wkb(geometry, flavor="iso", output_dimension=3 if geometry.has_z else 2)
    if geometry.geom_type == "Point":
        return b"GP\0" + struct.pack("<Bi", _LITTLE_ENDIAN, srid) + wkb
    xmin, ymin, xmax, ymax = geometry.bounds
    return b"GP\0" + struct.pack("<Bi4d", _LITTLE_ENDIAN | _XY_ENVELOPE, srid, xmin, xmax, ymin, ymax) + wkb


def decode(blobs: Sequence[bytes | None]) -> NDArray[np.object_]:
    """Shapely geometries (n,) of blobs; None of None and of what cannot be read."""
    offsets = WKB_AT
    wkb = [None if blob is None else blob[offsets[blob[3]] :] for blob in blobs]
    geometry: NDArray[np.object_] = shapely.from_wkb(np.array(wkb, dtype=object), on_invalid="ignore")
    return geometry


def envelope(blob: bytes | None) -> Envelope | None:
    """(xmin, xmax, ymin, ymax) from the header, or of the geometry where the header has none; None when empty."""
    if blob is None or len(blob) < HEADER_BYTES[0] or blob[3] & _EMPTY:
        return None
    order = "<" if blob[3] & _LITTLE_ENDIAN else ">"
    if WKB_AT[blob[3]] > HEADER_BYTES[0]:
        box: Envelope = struct.unpack_from(order + "4d", blob, 8)
        return None if math.isnan(box[0]) else box
    return _of_point(blob) or _of_geometry(blob)


def _of_point(blob: bytes) -> Envelope | None:
    """A point's envelope; None for anything else. Points are the one type whose blobs are written without envelopes."""
    if len(blob) < HEADER_BYTES[0] + _POINT_BYTES:
        return None
    order = "<" if blob[HEADER_BYTES[0]] else ">"
    kind, x, y = struct.unpack_from(order + "I2d", blob, HEADER_BYTES[0] + 1)
    return (x, x, y, y) if kind % 1000 == _POINT_TYPE and not math.isnan(x) else None


def _of_geometry(blob: bytes) -> Envelope | None:
    geometry = decode([blob])[0]
    if geometry is None or geometry.is_empty:
        return None
    xmin, ymin, xmax, ymax = geometry.bounds
    return xmin, xmax, ymin, ymax
