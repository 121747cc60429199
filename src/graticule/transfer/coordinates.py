"""Geometry out of the columns of a table: longitude and latitude, other x and y, or WKT."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from graticule.errors import BadRequest
from graticule.transfer.inference import numbers
from graticule.transfer.shapes import COLLECTION, MULTIPOINT, Census, from_wkb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from graticule.model.features import Family
    from graticule.transfer.shapes import Shapes

# Pairs of names, the more telling ones first; all are compared in lower case, without blanks and underscores.
PAIRS = (
    ("longitude", "latitude"), ("lon", "lat"), ("lng", "lat"), ("long", "lat"), ("decimallongitude", "decimallatitude"),
    ("longdd", "latdd"), ("londd", "latdd"), ("xlon", "ylat"), ("lon", "latitude"), ("longitude", "lat"),
    ("geolongitude", "geolatitude"), ("geolon", "geolat"), ("geolng", "geolat"), ("gpslongitude", "gpslatitude"),
    ("gpslon", "gpslat"), ("pointx", "pointy"), ("xcoord", "ycoord"), ("coordx", "coordy"),
    ("xcoordinate", "ycoordinate"), ("easting", "northing"), ("east", "north"), ("x", "y"),
)  # fmt: skip
SHAPE_NAMES = (
    "wkt",
    "geomwkt",
    "wktgeom",
    "geometry",
    "geom",
    "thegeom",
    "wkbgeometry",
    "wkb",
    "shape",
    "geometrywkt",
    "wktgeometry",
)

_SHAPE = r"(?i)^\s*(SRID=\d+;)?\s*(MULTI)?(POINT|LINESTRING|POLYGON|GEOMETRYCOLLECTION)\b"
_HEX = r"^0[01][0-9A-Fa-f]{8,}$"
_SRID = re.compile(r"\s*SRID=(\d+);", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """The fields, by position, that hold the geometry: x and y, or ``shape`` alone. ``told`` says it was no guess."""

    x: int | None = None
    y: int | None = None
    shape: int | None = None
    decimal_comma: bool = False
    told: bool = False


def find(
    names: Sequence[str],
    *,
    x: str | None = None,
    y: str | None = None,
    shape: str | None = None,
    decimal_comma: bool = False,
) -> Place | None:
    """Where the geometry is: as told, else as the names say. Raises BadRequest for a told column that is not there."""
    if shape is not None:
        return Place(shape=_told(names, shape, "wkt_column"), told=True)
    if x is not None or y is not None:
        at = _told(names, x or "", "x_column"), _told(names, y or "", "y_column")
        return Place(*at, decimal_comma=decimal_comma, told=True)
    plain = [re.sub(r"[\s_.-]", "", name.lower()) for name in names]
    for name in SHAPE_NAMES:
        if name in plain:
            return Place(shape=plain.index(name))
    for pair in PAIRS:
        if pair[0] in plain and pair[1] in plain:
            return Place(plain.index(pair[0]), plain.index(pair[1]), decimal_comma=decimal_comma)
    return None


def _told(names: Sequence[str], name: str, field: str) -> int:
    if name in names:
        return names.index(name)
    alike = [at for at, other in enumerate(names) if other.lower() == name.lower()]
    if len(alike) == 1:
        return alike[0]
    raise BadRequest(
        f"There is no column “{name}” in the file.", field=field, value=name, expected=", ".join(names)[:500]
    )


def build(batch: pa.RecordBatch, place: Place) -> tuple[Shapes, NDArray[np.bool_]]:
    """The geometries of a batch, and which of its rows say no place that can be understood."""
    if place.shape is not None:
        return _from_text(batch.column(place.shape))
    x, y = (
        numbers(batch.column(at), decimal_comma=place.decimal_comma).to_numpy(zero_copy_only=False)
        for at in (place.x, place.y)
    )
    bad = ~(np.isfinite(x) & np.isfinite(y))
    shapes = np.full(len(x), None, dtype=object)
    shapes[~bad] = shapely.points(x[~bad], y[~bad])
    return shapes, bad


def _from_text(values: pa.Array) -> tuple[Shapes, NDArray[np.bool_]]:
    """WKT, EWKT or hexadecimal WKB; an empty value is a row without geometry."""
    text = values.cast(pa.string())
    plain = pc.replace_substring_regex(text, r"(?i)^\s*SRID=\d+;", "").to_numpy(zero_copy_only=False)
    coded = pc.fill_null(pc.match_substring_regex(text, _HEX), False).to_numpy(zero_copy_only=False)
    shapes = np.full(len(plain), None, dtype=object)
    with np.errstate(invalid="ignore"):
        shapes[~coded] = shapely.from_wkt(plain[~coded], on_invalid="ignore")
    shapes[coded] = from_wkb(plain[coded])
    given = text.is_valid().to_numpy(zero_copy_only=False)
    finite = np.full(len(shapes), True)
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    finite[owner[~np.isfinite(points).all(axis=1)]] = False
    bad = given & (shapely.is_missing(shapes) | ~finite)
    shapes[bad | shapely.is_empty(shapes)] = None
    return shapes, bad


def looks_like_shapes(values: pa.Array) -> bool:
    """Whether the first value there is begins like WKT or hexadecimal WKB."""
    present = values.drop_null()
    if not len(present):
        return False
    first = present[:1].cast(pa.string())
    return bool(pc.match_substring_regex(first, _SHAPE)[0].as_py() or pc.match_substring_regex(first, _HEX)[0].as_py())


def srid_of(values: pa.Array) -> str | None:
    """The projection that the first EWKT value names, as ``EPSG:n``."""
    present = values.drop_null()
    found = _SRID.match(str(present[0].as_py())) if len(present) else None
    return f"EPSG:{found[1]}" if found else None


class Geometric(Protocol):
    """What a survey settles of the rows of a table."""

    family: Family | None
    multi: bool
    has_z: bool
    feature_count: int


@dataclass
class Survey:
    """What a first pass over a table finds in the columns of its geometry."""

    place: Place
    lonlat: bool = True
    census: Census = field(default_factory=Census)
    bad: int = 0
    first_bad: int | None = None
    first_value: str = ""
    srid: str | None = None
    shaped: bool | None = None

    def add(self, batch: pa.RecordBatch) -> None:
        """Counts the geometries of a batch and the rows without a usable one."""
        if self.place.shape is not None:
            self._look(batch.column(self.place.shape))
            if self.shaped is False and not self.place.told:
                return
        shapes, bad = build(batch, self.place)
        if self.lonlat and self.place.shape is None:
            bad |= _outside(shapes)
        if bad.any() and self.first_bad is None:
            at = int(np.flatnonzero(bad)[0])
            self.first_bad, self.first_value = self.census.rows + at, self._value(batch, at)
        self.bad += int(bad.sum())
        self.census.add(pa.array(shapely.to_wkb(shapes, flavor="iso", output_dimension=3), pa.binary()))

    def _look(self, values: pa.Array) -> None:
        if self.shaped is None and len(values.drop_null()):
            self.shaped, self.srid = looks_like_shapes(values), srid_of(values)

    def _value(self, batch: pa.RecordBatch, at: int) -> str:
        fields = [each for each in (self.place.x, self.place.y, self.place.shape) if each is not None]
        return ", ".join(str(batch.column(each)[at].as_py() or "nothing")[:60] for each in fields)

    @property
    def is_geometry(self) -> bool:
        """Whether the columns hold geometry at all; a guess is wrong when no row of them does."""
        return self.place.told or bool(self.census.codes)

    def settle(self, rows: Geometric, name: str, family: Family | None, where: Callable[[int], str]) -> None:
        """Says of the rows what was found. Raises BadRequest that names the first row without a usable geometry."""
        if not self.is_geometry:
            return
        if self.first_bad is not None:
            what = (
                "geometry"
                if self.place.shape is not None
                else "longitude and latitude"
                if self.lonlat
                else "pair of coordinates"
            )
            more = f" So it is in {self.bad:,} of {self.census.rows:,} rows." if self.bad > 1 else ""
            hint = (
                " If the coordinates are of another projection, state it."
                if self.lonlat and self.bad == self.census.rows
                else ""
            )
            raise BadRequest(f"“{name}”, {where(self.first_bad)}: “{self.first_value}” is no {what}.{more}{hint}")
        families = self.census.families
        rows.family = family if family in families else next(iter(families), "point")
        rows.multi = rows.family != "point" or bool({MULTIPOINT, COLLECTION} & set(self.census.codes))
        rows.has_z, rows.feature_count = self.census.has_z, self.census.rows


def _outside(shapes: Shapes) -> NDArray[np.bool_]:
    """Which points lie where no longitude and latitude do; a longitude may be counted up to 360."""
    x, y = shapely.get_x(shapes), shapely.get_y(shapes)
    return np.asarray((np.abs(x) > 360) | (np.abs(y) > 90), np.bool_)
