"""Geometries on their way in: what WKB says of itself, the one family a table holds, multi geometries, 2D and Z."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa
import shapely

from graticule.transfer import engine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from graticule.model.features import Family

Shapes = Any  # NDArray[np.object_] of shapely geometries and None

# WKB codes (OGC 06-103r4, 8.2.8): simple and multi geometries, then curves, curved and polyhedral surfaces.
POINT, MULTIPOINT, COLLECTION, FIRST_CURVED = 1, 4, 7, 8
FAMILY_CODES: dict[Family, frozenset[int]] = {
    "point": frozenset((1, 4)),
    "line": frozenset((2, 5, 8, 9, 11)),
    "polygon": frozenset((3, 6, 10, 12, 15, 16, 17)),
}

# shapely's type numbers: (single, multi) of each family; a ring counts as a line.
_SINGLE: dict[Family, tuple[int, ...]] = {"point": (0,), "line": (1, 2), "polygon": (3,)}
_MULTI: dict[Family, int] = {"point": 4, "line": 5, "polygon": 6}
_BUILD: dict[Family, Any] = {
    "point": shapely.multipoints,
    "line": shapely.multilinestrings,
    "polygon": shapely.multipolygons,
}
_COLLECTION = 7

MIN_RING = 4


class BrokenShapeError(Exception):
    """The geometry at that place of a batch, counted from 0, cannot be used; ``why`` completes a sentence."""

    def __init__(self, at: int, why: str) -> None:
        super().__init__(why)
        self.at = at
        self.why = why


@dataclass
class Census:
    """What geometries a layer holds, counted batch by batch.

    With ``zero_is_flat`` a third coordinate of 0 does not count as one.
    """

    zero_is_flat: bool = False
    rows: int = 0
    nulls: int = 0
    codes: dict[int, int] = field(default_factory=dict)
    has_z: bool = False

    def add(self, wkb: pa.Array) -> None:
        """Counts a batch of WKB values; an empty point is a null."""
        codes, z = headers(wkb)
        self.rows += len(wkb)
        self.nulls += len(wkb) - len(codes)
        if POINT in codes:
            self.nulls += int(shapely.is_empty(from_wkb(_of_code(wkb, codes, POINT))).sum())
        if z.any() and not self.has_z:
            self.has_z = not self.zero_is_flat or _has_height(wkb)
        found, first, counts = np.unique(codes, return_index=True, return_counts=True)
        for at in np.argsort(first):
            self._count(int(found[at]), int(counts[at]))
        if COLLECTION in found:
            self._add_parts(from_wkb(_of_code(wkb, codes, COLLECTION)))

    def _add_parts(self, collections: Shapes) -> None:
        """Counts a collection as one multi geometry of each family that it holds."""
        parts, owner = _parts(collections)
        kinds = shapely.get_type_id(parts)
        for family, single in _SINGLE.items():
            holders = np.unique(owner[np.isin(kinds, single)])
            if len(holders):
                self._count(_MULTI[family], len(holders))

    def _count(self, code: int, count: int) -> None:
        self.codes[code] = self.codes.get(code, 0) + count

    def count(self, family: Family) -> int:
        """How many geometries are of that family."""
        return sum(count for code, count in self.codes.items() if code in FAMILY_CODES[family])

    @property
    def families(self) -> list[Family]:
        """The families found, in the order in which they were met."""
        met = [family for code in self.codes for family, codes in FAMILY_CODES.items() if code in codes]
        return list(dict.fromkeys(met))


def _of_code(wkb: pa.Array, codes: NDArray[np.uint32], code: int) -> Any:
    return wkb.drop_null().filter(pa.array(codes == code)).to_numpy(zero_copy_only=False)


def _has_height(wkb: pa.Array) -> bool:
    found = from_wkb(wkb.to_numpy(zero_copy_only=False))
    heights = shapely.get_coordinates(found, include_z=True)[:, 2]
    return bool((np.nan_to_num(heights) != 0).any())


def headers(wkb: pa.Array) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
    """The type codes of the WKB values that are not null, without their dimensions; and whether each has Z."""
    kept = wkb.drop_null().cast(pa.large_binary())
    offsets = np.frombuffer(kept.buffers()[1], np.int64)[kept.offset : kept.offset + len(kept) + 1]
    if len(kept) == 0:
        return np.empty(0, np.uint32), np.empty(0, np.bool_)
    data = np.frombuffer(kept.buffers()[2], np.uint8)
    code = np.ascontiguousarray(data[offsets[:-1, None] + np.arange(1, 5)]).view("<u4").ravel()
    code = np.where(data[offsets[:-1]] == 0, code.byteswap(), code)
    plain = code & 0x0FFFFFFF
    return (plain % 1000).astype(np.uint32), (code & 0x80000000 > 0) | np.isin(plain // 1000, (1, 3))


def from_wkb(values: NDArray[np.object_]) -> Shapes:
    """The geometries; None for null and for what is broken."""
    with np.errstate(invalid="ignore"):
        return shapely.from_wkb(values, on_invalid="ignore")


def parse(wkb: pa.Array) -> Shapes:
    """The geometries of a batch; None for null and for empty ones. Raises BrokenShapeError for the first bad one."""
    codes, _ = headers(wkb)
    if (codes >= FIRST_CURVED).any():
        wkb = straighten(wkb)
    values = wkb.to_numpy(zero_copy_only=False)
    shapes = from_wkb(values)
    missing = shapely.is_missing(shapes)
    lost = np.flatnonzero(missing & wkb.is_valid().to_numpy(zero_copy_only=False))
    if len(lost):
        raise BrokenShapeError(int(lost[0]), _reason(values[lost[0]]))
    _check_finite(shapes)
    _check_rings(shapes)
    shapes[shapely.is_empty(shapes)] = None
    return shapes


def _reason(wkb: bytes) -> str:
    try:
        shapely.from_wkb(wkb)
    except shapely.errors.ShapelyError as error:
        if "closed" in str(error):
            return "has a ring that is not closed"
        if "number of points" in str(error).lower() or "points" in str(error).lower():
            return "has a line of too few points"
    except NotImplementedError:
        return "is of a kind that cannot be read"
    return "has a broken geometry"


def _check_finite(shapes: Shapes) -> None:
    """Raises BrokenShapeError where a coordinate is not a finite number."""
    coordinates, index = shapely.get_coordinates(shapes, return_index=True)
    bad = ~np.isfinite(coordinates).all(axis=1)
    if bad.any():
        raise BrokenShapeError(int(index[bad][0]), "has a coordinate that is not a finite number")


def _check_rings(shapes: Shapes) -> None:
    """Raises BrokenShapeError where a ring has fewer than four points, which GEOS lets pass."""
    areal = np.flatnonzero(np.isin(shapely.get_type_id(shapes), (*_SINGLE["polygon"], _MULTI["polygon"], _COLLECTION)))
    if not len(areal):
        return
    parts, owner = _parts(shapes[areal])
    rings, part = shapely.get_rings(parts, return_index=True)
    sizes = shapely.get_num_coordinates(rings)
    short = (sizes < MIN_RING) & (sizes > 0)
    if short.any():
        raise BrokenShapeError(int(areal[owner[part[short]]][0]), "has a ring of too few points")


def straighten(wkb: pa.Array) -> pa.Array:
    """The same geometries with arcs as lines and surfaces as polygons, by way of a format that knows no others."""
    buffer = io.BytesIO()
    table = pa.table({"shape": wkb})
    how = {"geometry_name": "shape", "geometry_type": "Unknown", "crs": None, "encoding": "UTF-8"}
    engine.save_to_memory(table, buffer, "GeoJSONSeq", layer_options={"COORDINATE_PRECISION": "15"}, **how)
    lines = buffer.getvalue().splitlines()
    texts = np.array([_geometry_text(line) for line in lines], dtype=object)
    return pa.array(shapely.to_wkb(shapely.from_geojson(texts), flavor="iso", output_dimension=4), pa.binary())


def _geometry_text(line: bytes) -> str | None:
    shape = orjson.loads(line)["geometry"]
    return None if shape is None else orjson.dumps(shape).decode()


def gather(shapes: Shapes, family: Family, *, multi: bool) -> tuple[Shapes, NDArray[np.bool_]]:
    """The batch brought to one family, and which rows belong (None belongs anywhere).

    With ``multi`` every geometry becomes a multi geometry. Of a collection the parts of the family are taken.
    """
    kinds = shapely.get_type_id(shapes)
    result = np.full(len(shapes), None, dtype=object)
    whole = kinds == _MULTI[family] if multi else np.isin(kinds, _SINGLE[family])
    result[whole] = shapes[whole]
    if multi:
        loose = np.flatnonzero(np.isin(kinds, (*_SINGLE[family], _COLLECTION)))
        parts, owner = _parts(shapes[loose])
        fits = np.isin(shapely.get_type_id(parts), _SINGLE[family])
        if fits.any():
            _BUILD[family](parts[fits], indices=loose[owner[fits]], out=result)
    belongs = (kinds == -1) | ~shapely.is_missing(result)
    return result, belongs


def _parts(shapes: Shapes) -> tuple[Shapes, NDArray[np.int64]]:
    """The single parts of the geometries, however deep, and the position of the geometry each comes from."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    while (shapely.get_type_id(parts) >= _MULTI["point"]).any():
        parts, index = shapely.get_parts(parts, return_index=True)
        owner = owner[index]
    return parts, owner


def to_wkb(shapes: Shapes, *, has_z: bool) -> pa.Array:
    """ISO WKB in two dimensions, or with Z where a geometry has it; M is dropped."""
    if not has_z:
        return pa.array(shapely.to_wkb(shapes, flavor="iso", output_dimension=2), pa.binary())
    measured = shapely.has_m(shapes) & ~shapely.has_z(shapes)
    shapes = np.where(measured, shapely.force_2d(shapes), shapes) if measured.any() else shapes
    return pa.array(shapely.to_wkb(shapes, flavor="iso", output_dimension=3), pa.binary())
