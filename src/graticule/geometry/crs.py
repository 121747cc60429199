"""Coordinate reference systems: which ones are accepted, and what the rest of the program asks of them."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from math import pi
from typing import Any, Literal

import pyproj
from pyproj.exceptions import CRSError

from graticule.errors import BadRequest
from graticule.geometry.shown import shown

Units = Literal["meter", "foot", "foot_us", "degree"]

# Numbers that mean EPSG:3857 in programs older than it, or in Esri's.
WEB_MERCATOR_NUMBERS = frozenset({3857, 900913, 102100, 102113, 3785})

# The text by which programs written for this API know EPSG:900913.
GOOGLE_PROJ4 = (
    "+proj=merc +a=6378137 +b=6378137 +lat_ts=0.0 +lon_0=0.0 +x_0=0.0 +y_0=0 +k=1.0 +units=m +nadgrids=@null +no_defs"
)

# Equatorial radius of WGS 84, by which an angle on the ground is turned into metres.
WGS84_RADIUS = 6378137.0

MAX_PROJ4 = 1000
MAX_WKT = 32_768

EPSG_EXPECTED = "the number of a projected or geographic system in the EPSG or Esri registry"
PROJ4_EXPECTED = "a PROJ string of a projected or geographic system, without grid files"
TEXT_EXPECTED = "EPSG:<number>, a PROJ string or WKT of a projected or geographic system"

_NUMBER = re.compile(r"(?:EPSG:+)?(\d{1,9})", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
# Parameters that make PROJ open a file, or read definitions out of one.
_FILES = re.compile(
    r"\b\w*(?:grids|init|file|model|catalog)\s*=\s*(?!@null(?:[\s\x22]|$))"
    r"|PROJ4_GRIDS|PARAMETERFILE|\bproj\s*=\s*pipeline\b",
    re.IGNORECASE,
)
_OLD_INIT = re.compile(r"\+?init=(epsg:\d{1,9})(?:\s+\+\w+)*", re.IGNORECASE)
_PROJ4 = re.compile(r"(?:^|[\s+])(?:proj|init)\s*=")
_NAMES_OF_SRID = (
    re.compile(r"(?:EPSG|ESRI):+(?P<n>\d{1,9})", re.IGNORECASE),
    re.compile(r"urn:(?:x-)?ogc:def:crs:(?:EPSG|ESRI):[\w.]*:(?P<n>\d{1,9})", re.IGNORECASE),
    re.compile(r"https?://www\.opengis\.net/def/crs/(?:EPSG|ESRI)/[\w.]+/(?P<n>\d{1,9})", re.IGNORECASE),
    re.compile(r"https?://www\.opengis\.net/gml/srs/epsg\.xml#(?P<n>\d{1,9})", re.IGNORECASE),
)
_CRS84 = re.compile(r"(?:urn:(?:x-)?ogc:def:crs:|https?://www\.opengis\.net/def/crs/)?OGC[:/][\w.]*[:/]?CRS84", re.I)


@dataclass(frozen=True, slots=True)
class Crs:
    """A horizontal coordinate reference system, x (east, longitude) before y (north, latitude) whatever it says itself.

    ``epsg`` is the number that was given, or that PROJ is sure of; ``proj4`` and ``wkt`` (WKT 2) define it in text;
    ``units`` is the nearest of the four that maps know; ``metres_per_unit`` is exact, along the equator for degrees;
    ``half_turn`` is 180° in the units of a geographic system (200 where they are grads) and 180 for others.
    Heights are no part of it: of a compound or three-dimensional system only the horizontal part is kept.
    Two are equal when they were asked for alike; ``same_as`` compares what they mean.
    """

    name: str
    epsg: int | None
    proj4: str
    wkt: str
    is_geographic: bool
    units: Units
    metres_per_unit: float
    half_turn: float
    meaning: int | str = field(repr=False)
    pyproj: pyproj.CRS = field(repr=False, compare=False)

    @classmethod
    def from_epsg(cls, value: int | str, field: str = "epsg") -> Crs:
        """The system with that number, of the EPSG registry or else of Esri's. Raises BadRequest."""
        match = _NUMBER.fullmatch(shown(value).strip())
        if match is None or isinstance(value, bool):
            raise _refused("is not a projection's number", value, field, EPSG_EXPECTED)
        try:
            return _numbered(int(match[1]))
        except (CRSError, _UnusableError) as error:
            raise _refused(_reason(error), value, field, EPSG_EXPECTED) from error

    @classmethod
    def from_proj4(cls, text: str, field: str = "proj4") -> Crs:
        """The system that a PROJ string defines; ``proj4`` is that string. Raises BadRequest."""
        if not isinstance(text, str) or len(text) > MAX_PROJ4 or not _PROJ4.search(text):
            raise _refused("is not a PROJ string", text, field, PROJ4_EXPECTED)
        return _from_definition(" ".join(text.split()), field, PROJ4_EXPECTED)

    @classmethod
    def from_text(cls, text: str, field: str = "crs") -> Crs:
        """The system named ``EPSG:n`` (or as an OGC name), or defined by a PROJ string or WKT. Raises BadRequest."""
        if not isinstance(text, str) or len(text) > MAX_WKT:
            raise _refused("is not a projection", text, field, TEXT_EXPECTED)
        text = text.strip()
        srid = named_srid(text)
        if srid is not None:
            return cls.from_epsg(srid, field)
        if "[" in text:
            return _from_definition(text, field, TEXT_EXPECTED)
        return cls.from_proj4(text, field)

    @classmethod
    def web_mercator(cls) -> Crs:
        """EPSG:3857."""
        return _numbered(3857)

    @classmethod
    def wgs84(cls) -> Crs:
        """EPSG:4326, longitude first."""
        return _numbered(4326)

    @property
    def is_web_mercator(self) -> bool:
        """Whether it is EPSG:3857 under any of its numbers."""
        return self.meaning == 3857

    def same_as(self, other: Crs) -> bool:
        """Whether coordinates of the one are coordinates of the other as they stand."""
        return self.meaning == other.meaning


def named_srid(text: str) -> int | None:
    """The number in ``EPSG:n`` or in an OGC urn or address of a system (CRS84 is 4326); None when it is no such name.

    The forms are those of OGC 07-092r3 "Definition identifier URNs in OGC namespace" and of GML 2.
    """
    text = text.strip()
    for form in _NAMES_OF_SRID:
        if match := form.fullmatch(text):
            return int(match["n"])
    return 4326 if _CRS84.fullmatch(text) else None


class _UnusableError(Exception):
    """A system that PROJ knows, but that is not for maps."""


@lru_cache(maxsize=256)
def _numbered(number: int) -> Crs:
    if number in WEB_MERCATOR_NUMBERS:
        proj4 = GOOGLE_PROJ4 if number == 900913 else None
        return _build(f"EPSG:{number}", pyproj.CRS.from_epsg(3857), number, 3857, proj4)
    return _build(f"EPSG:{number}", _registered(number), number, number, None)


def _registered(number: int) -> pyproj.CRS:
    try:
        return pyproj.CRS.from_epsg(number)
    except CRSError:
        return pyproj.CRS.from_authority("ESRI", number)


def _from_definition(text: str, field: str, expected: str) -> Crs:
    old = _OLD_INIT.fullmatch(text)
    if old is not None:
        return Crs.from_epsg(old[1], field)
    if _FILES.search(text) or _CONTROL.search(text):
        raise _refused("names a file, or is made in a way that is not taken", text, field, expected)
    try:
        return _defined(text)
    except (CRSError, _UnusableError) as error:
        raise _refused(_reason(error), text, field, expected) from error


@lru_cache(maxsize=256)
def _defined(text: str) -> Crs:
    """The system of a definition; where PROJ is sure of its number, the registry's own definition counts."""
    proj4 = None if "[" in text else text
    if proj4 is not None and set(proj4.split()) == set(GOOGLE_PROJ4.split()):
        return _build(proj4, pyproj.CRS.from_epsg(3857), 900913, 3857, proj4)
    crs = _horizontal(pyproj.CRS.from_user_input(text))
    number = _identified(crs)
    if number is None:
        return _build(text, crs, None, text, proj4)
    meaning = 3857 if number in WEB_MERCATOR_NUMBERS else number
    return _build(text, _registered(meaning), number, meaning, proj4)


def _identified(crs: pyproj.CRS) -> int | None:
    number = crs.to_epsg()
    if number is not None:
        return number
    authority = crs.to_authority(auth_name="ESRI")
    if authority is None or not authority[1].isdigit():
        return None
    # The same number in both registries would mean the EPSG one to everybody else.
    return int(authority[1]) if _registered(int(authority[1])).to_authority(auth_name="ESRI") == authority else None


def _horizontal(crs: pyproj.CRS) -> pyproj.CRS:
    if crs.is_compound:
        crs = crs.sub_crs_list[0]
    if crs.is_geographic and len(crs.axis_info) == 3:
        crs = crs.to_2d()
    if not (crs.is_geographic or crs.is_projected):
        raise _UnusableError(f"is a {crs.type_name}, which has no place on a map")
    return crs


def _build(name: str, crs: pyproj.CRS, epsg: int | None, meaning: int | str, proj4: str | None) -> Crs:
    crs = _horizontal(crs)
    factor = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
    return Crs(
        name=name,
        epsg=epsg,
        proj4=proj4 or _proj4(crs),
        wkt=crs.to_wkt(),
        is_geographic=crs.is_geographic,
        units="degree" if crs.is_geographic else _units(factor),
        metres_per_unit=factor * WGS84_RADIUS if crs.is_geographic else factor,
        half_turn=round(pi / factor, 9) if crs.is_geographic else 180.0,
        meaning=meaning,
        pyproj=crs,
    )


def _units(factor: float) -> Units:
    """The map unit nearest to one of ``factor`` metres; the national feet count as foot."""
    if abs(factor - 1200 / 3937) < 1e-9:
        return "foot_us"
    return "foot" if abs(factor - 0.3048) < 0.001 else "meter"


def _proj4(crs: pyproj.CRS) -> str:
    with warnings.catch_warnings():
        # PROJ strings say less than WKT; those who ask for one know.
        warnings.simplefilter("ignore", UserWarning)
        return str(crs.to_proj4() or "").replace(" +type=crs", "")


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, _UnusableError) else "is not a known projection"


def _refused(reason: str, value: Any, field: str, expected: str) -> BadRequest:
    said = shown(value)
    return BadRequest(f"{said!r} {reason}.", field=field, value=said, expected=expected)
