"""Well-known text: ISO 19125 / SQL-MM (``POINT Z (1 2 3)``), and PostGIS's EWKT (``SRID=4326;POINT(1 2 3)``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import shapely

from graticule.geometry.dimensions import presentable
from graticule.geometry.parsed import MAX_DEPTH, Parsed, bad_geometry, finite

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

EXPECTED = "WKT or EWKT, as POINT(15.97 45.81) or SRID=3857;POINT(1777000 5741000)"

_EWKT = re.compile(r"\s*(?:SRID\s*=\s*(?P<srid>\d{1,9})\s*;)?\s*(?P<text>[A-Z].*)", re.DOTALL | re.IGNORECASE)
_NOT_FINITE = re.compile(r"\b(?:nan|inf|infinity)\b", re.IGNORECASE)
_PATH = re.compile(r"\(([^()]*)\)")
_CURVES = re.compile(r"CIRCULARSTRING|COMPOUNDCURVE|CURVEPOLYGON|MULTICURVE|MULTISURFACE", re.IGNORECASE)

# GEOS writes the shortest number that gives the same double when it may use this many decimals.
DECIMALS = 30


def write(geoms: NDArray[np.object_]) -> list[str | None]:
    """Each geometry as ISO well-known text; None for None.

    Numbers are the shortest that give the same double again. Measures are dropped, and heights that are not numbers.
    """
    texts: list[str | None] = shapely.to_wkt(
        presentable(geoms), rounding_precision=DECIMALS, output_dimension=3
    ).tolist()
    return texts


def read(text: str) -> Parsed:
    """The geometry of WKT or EWKT; ``srid`` from the latter, where 0 says nothing. Raises BadRequest."""
    match = _EWKT.fullmatch(text)
    if match is None or "\0" in text:
        raise bad_geometry("The geometry is not well-known text.", text, EXPECTED)
    if curve := _CURVES.search(text):
        raise bad_geometry(f"Curves such as {curve[0].upper()} are not supported.", text, "straight lines")
    if _NOT_FINITE.search(text):
        raise bad_geometry("The geometry holds a coordinate that is not a finite number.", text, EXPECTED)
    _check_depth(match["text"])
    geometry = _parse(match["text"])
    _check(geometry)
    return Parsed(geometry, int(match["srid"] or 0) or None)


def _parse(text: str) -> BaseGeometry:
    try:
        # A number beyond a double is found by the check of what was read.
        with np.errstate(over="ignore"):
            return shapely.from_wkt(text)
    except (shapely.errors.GEOSException, UnicodeEncodeError) as error:
        reason = _open_ring(text) if "closed linestring" in str(error) else str(error).partition(": ")[2].strip()
        raise bad_geometry(
            f"The well-known text cannot be read: {str(reason or error)[:200]}.", text, EXPECTED
        ) from error


def _check_depth(text: str) -> None:
    """Refuse parentheses nested so deep that the parser's recursion would run out of stack."""
    codes = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
    depth = np.cumsum((codes == ord("(")).astype(np.int64) - (codes == ord(")")))
    if depth.size and depth.max() > MAX_DEPTH + 3:
        raise bad_geometry(f"The geometry is nested more than {MAX_DEPTH} levels deep.", text)


def _check(geometry: BaseGeometry) -> None:
    finite(shapely.get_coordinates(geometry), "the geometry")
    if np.isinf(shapely.get_coordinates(geometry, include_z=True)).any():
        raise bad_geometry("The geometry holds a coordinate that is not a finite number.")
    rings = shapely.get_rings(shapely.get_parts(shapely.get_parts(geometry)))
    short = np.flatnonzero((shapely.get_num_coordinates(rings) < 4) & ~shapely.is_empty(rings))
    if len(short):
        raise bad_geometry(f"Ring {short[0] + 1} has fewer than four positions; a closed ring needs four.")


def _open_ring(text: str) -> str:
    for number, path in enumerate(_PATH.findall(text), 1):
        positions = [position.split() for position in path.split(",")]
        if positions[0][:2] != positions[-1][:2]:
            return f"ring {number} is not closed, it begins at {path.split(',')[0].strip()}"
    return "a ring is not closed"
