"""Pictures that a Web Map Service draws (OGC 01-068r3, 06-042)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graticule.geometry.crs import Crs
from graticule.geometry.reproject import reproject_box
from graticule.transfer.fetching import Terms, Unfetchable, fetch
from graticule.transfer.images import ACCEPTED, as_picture, decoded, warped
from graticule.transfer.services import with_query

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from graticule.model.features import Box

VERSIONS = ("1.1.1", "1.3.0", "1.1.0")
LARGEST_PICTURE_BYTES = 64 * 1024**2
LARGEST_CAPABILITIES = 32 * 1024**2
# In pixels of a side.
LARGEST = 4096
LONGITUDE_FIRST = "CRS:84"


@dataclass(frozen=True, slots=True)
class WmsServer:
    """A layer of a service. ``srs`` is the name of the projection to ask for; None asks for the picture's."""

    url: str
    layer: str
    srs: str | None = None
    style: str = ""
    version: str = "1.1.1"


def read_wms(
    server: WmsServer, box: Box, crs: Crs, width: int, height: int, *, timeout: float, private: bool
) -> NDArray[np.uint8] | None:
    """The service's picture of a box, as (height, width, 4) bytes RGBA; None when there is none. Never raises."""
    terms = Terms(timeout, LARGEST_PICTURE_BYTES, private, ACCEPTED)
    asked, name = asked_crs(server, crs)
    try:
        if asked.same_as(crs):
            return as_picture(_get_map(server, name, asked, box, width, height, terms))
        own = _own_box(box, crs, asked)
        if own is None:
            return None
        columns, rows = _size(own, width, height)
        image = _get_map(server, name, asked, own, columns, rows, terms)
    except Unfetchable:
        return None
    return warped(image, own, definition(asked), box, definition(crs), width, height)


def asked_crs(server: WmsServer, crs: Crs) -> tuple[Crs, str]:
    """The projection to ask for, and its name: what the source says, else the picture's, else degrees."""
    if server.srs is not None:
        return crs_of(server.srs), server.srs
    if crs.is_web_mercator:
        return crs, "EPSG:3857"
    return (crs, f"EPSG:{crs.epsg}") if crs.epsg is not None else (Crs.wgs84(), "EPSG:4326")


def crs_of(name: str) -> Crs:
    """The projection of that name. Raises ``BadRequest``."""
    return Crs.wgs84() if name.upper() == LONGITUDE_FIRST else Crs.from_text(name, field="source.srs")


def definition(crs: Crs) -> str:
    """A projection in words that GDAL knows."""
    return "EPSG:3857" if crs.is_web_mercator else crs.wkt


def y_comes_first(crs: Crs) -> bool:
    """Whether the registry's definition has the north before the east, as version 1.3.0 then wants it."""
    first, *others = crs.pyproj.axis_info
    second = others[0] if others else first
    northing = first.direction.lower() == "north" and second.direction.lower() == "east"
    return northing or (first.abbrev[:1].upper(), second.abbrev[:1].upper()) == ("N", "E")


def _own_box(box: Box, crs: Crs, asked: Crs) -> Box | None:
    own = reproject_box(box, crs, asked)
    if own is not None and asked.is_geographic:
        half, quarter = asked.half_turn, asked.half_turn / 2
        own = max(own[0], -half), max(own[1], -quarter), min(own[2], half), min(own[3], quarter)
    return own if own is not None and own[0] < own[2] and own[1] < own[3] else None


def _size(own: Box, width: int, height: int) -> tuple[int, int]:
    """As many pixels for the box as the picture has, in the box's proportions."""
    across, up = own[2] - own[0], own[3] - own[1]
    unit = math.sqrt(across * up / (width * height))
    columns, rows = (min(max(math.ceil(side / unit), 1), LARGEST) for side in (across, up))
    return columns, rows


def _get_map(
    server: WmsServer, name: str, crs: Crs, box: Box, width: int, height: int, terms: Terms
) -> NDArray[np.uint8]:
    """(4, height, width) bytes. Raises ``Unfetchable``."""
    url = map_url(server, name, crs, box, width, height)
    return decoded(fetch(url, terms), width, height, 2 * LARGEST)


def map_url(server: WmsServer, name: str, crs: Crs, box: Box, width: int, height: int) -> str:
    """The address of a picture."""
    newer = server.version == "1.3.0"
    xmin, ymin, xmax, ymax = box
    swapped = newer and name.upper() != LONGITUDE_FIRST and y_comes_first(crs)
    sides = (ymin, xmin, ymax, xmax) if swapped else box
    return with_query(
        server.url,
        {
            "SERVICE": "WMS",
            "VERSION": server.version,
            "REQUEST": "GetMap",
            "LAYERS": server.layer,
            "STYLES": server.style,
            "CRS" if newer else "SRS": name,
            "BBOX": ",".join(repr(float(side)) for side in sides),
            "WIDTH": str(width),
            "HEIGHT": str(height),
            "FORMAT": "image/png",
            "TRANSPARENT": "TRUE",
        },
    )


def trouble_with(server: WmsServer, *, timeout: float, private: bool) -> str | None:
    """A sentence on why the service cannot be had at this moment; None when it answers."""
    asked = {"SERVICE": "WMS", "VERSION": server.version, "REQUEST": "GetCapabilities"}
    terms = Terms(timeout, LARGEST_CAPABILITIES, private, "text/xml,application/xml")
    try:
        body = fetch(with_query(server.url, asked), terms)
    except Unfetchable as error:
        return f"The map service cannot be had: {error}."
    return None if b"apabilities" in body[:5000] else "What is at this address does not answer as a map service."
