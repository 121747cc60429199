"""Simple shapes of one size each, written as Well-known Binary in one go (OGC 06-103r4, 8.2)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from graticule.model.features import Family

LITTLE_ENDIAN = 1
KIND: dict[Family, int] = {"point": 1, "line": 2, "polygon": 3}
MULTI = 3

# Mapnik's rasterizer leaves out what goes beyond four million cells of a feature; each of these takes some twenty.
BUNDLE = 20_000


def multi_wkbs(family: Family, coordinates: NDArray[np.float64]) -> Iterator[bytes]:
    """Multi geometries of up to ``BUNDLE`` parts each, from coordinates (n, vertices, 2). A polygon is one ring."""
    parts = _parts(family, coordinates)
    for start in range(0, len(parts), BUNDLE):
        some = parts[start : start + BUNDLE]
        yield struct.pack("<BII", LITTLE_ENDIAN, KIND[family] + MULTI, len(some)) + some.tobytes()


def _parts(family: Family, coordinates: NDArray[np.float64]) -> NDArray[np.void]:
    number, vertices, _ = coordinates.shape
    counts = {"point": (), "line": (vertices,), "polygon": (1, vertices)}[family]
    layout = [("order", "u1"), ("kind", "<u4"), ("counts", "<u4", (len(counts),)), ("xy", "<f8", (vertices, 2))]
    parts = np.empty(number, np.dtype(layout))
    parts["order"], parts["kind"], parts["counts"], parts["xy"] = LITTLE_ENDIAN, KIND[family], counts, coordinates
    return parts
