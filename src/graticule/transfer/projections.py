"""The projection of a file: its own, the one that its format lays down, or the one that the caller states."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import pyproj
import shapely
from pyproj.exceptions import CRSError

from graticule.errors import BadRequest
from graticule.geometry.crs import Crs
from graticule.geometry.reproject import reproject as reproject_geometries

if TYPE_CHECKING:
    from graticule.model.features import Box
    from graticule.transfer.shapes import Shapes

MIN_CONFIDENCE = 70
LONLAT = "EPSG:4326"


def stated(text: str) -> str:
    """What a caller says the projection is, as ``EPSG:n`` or WKT. Raises BadRequest when PROJ does not know it."""
    found = identify(f"EPSG:{text}" if text.isdigit() else text)
    if found is None:
        raise BadRequest(
            f"The projection “{text[:100]}” is not known.",
            field="epsg",
            value=text[:200],
            expected="an EPSG code, WKT or PROJ string",
        )
    return found


@lru_cache(maxsize=64)
def identify(text: str | None) -> str | None:
    """``EPSG:n`` where the projection is one of EPSG's, else its WKT; None for none, an unknown or a local one.

    What it says of heights is left out.
    """
    if not text or not text.strip():
        return None
    try:
        crs = pyproj.CRS.from_user_input(text)
    except CRSError:
        return None
    if crs.is_engineering or not (crs.is_geographic or crs.is_projected or crs.is_compound):
        return None
    flat = (crs.sub_crs_list[0] if crs.is_compound else crs).to_2d()
    authority = flat.to_authority(auth_name="EPSG", min_confidence=MIN_CONFIDENCE)
    return f"EPSG:{authority[1]}" if authority else str(flat.to_wkt("WKT2_2019"))


def fits_lonlat(box: Box | None) -> bool:
    """Whether the extent could be one of longitudes and latitudes; so it is said of no extent at all."""
    return box is None or (box[0] >= -180.5 and box[1] >= -90.5 and box[2] <= 180.5 and box[3] <= 90.5)


def reproject(shapes: Shapes, source: str, target: str) -> Shapes:
    """The geometries in another projection, x before y. Raises BadRequest where one has no place in it."""
    moved = reproject_geometries(shapes, Crs.from_text(source), Crs.from_text(target))
    if (shapely.is_missing(moved) & ~shapely.is_missing(shapes)).any():
        raise BadRequest(f"Some of the features lie where {target[:100]} has no coordinates.", field="epsg")
    return moved


@lru_cache(maxsize=64)
def named(text: str) -> str:
    """The name or WKT by which GDAL knows a projection of ours. Raises BadRequest."""
    crs = Crs.from_text(text)
    authority = crs.pyproj.to_authority(min_confidence=100)
    return ":".join(authority) if authority else str(crs.pyproj.to_wkt("WKT2_2019"))


def esri_wkt(text: str) -> str:
    """The projection as .prj files say it."""
    return str(Crs.from_text(text).pyproj.to_wkt("WKT1_ESRI"))
