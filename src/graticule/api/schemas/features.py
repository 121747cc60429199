"""Features as the API answers them (the contract, section 4): arrays in, JSON bytes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import shapely

from graticule.errors import BadRequest
from graticule.geometry import geojson, gml, kml, wkt
from graticule.geometry.crs import Crs
from graticule.geometry.reproject import reproject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from graticule.model.features import Batch

FORMATS = ("geojson", "wkt", "kml", "gml")
EMPTY_COLLECTION = '{"type":"GeometryCollection","geometries":[]}'
WGS84 = 4326


@dataclass(frozen=True, slots=True)
class FeatureFormat:
    """How features are to be answered: their projection, and how their geometry is written, if at all.

    ``jsonp`` puts an empty collection in place of a missing GeoJSON geometry, which scripts of that time expect.
    """

    source: Crs
    target: Crs
    geometry: str | None = None
    attributes: bool = True
    jsonp: bool = False

    @property
    def written_crs(self) -> Crs:
        """The projection of the geometry text; KML knows only longitude and latitude."""
        return Crs.wgs84() if self.geometry == "kml" else self.target


def geometry_format(name: str | None) -> str | None:
    """The value of ``geometry=``; None for none. Raises ``BadRequest``."""
    if name is None or name.lower() in ("false", "0", "none"):
        return None
    if name.lower() not in FORMATS:
        expected = "one of " + ", ".join(FORMATS)
        raise BadRequest(f"Unknown geometry format {name}.", field="geometry", value=name, expected=expected)
    return name.lower()


def encode(batch: Batch, how: FeatureFormat) -> list[bytes]:
    """One JSON object for each feature of the batch."""
    assert batch.geometry is not None
    moved = reproject(batch.geometry, how.source, how.target)
    heads = _heads(batch, moved)
    data = _data(batch) if how.attributes else [b"{}"] * len(batch)
    geometry = _geometry_members(batch, moved, how)
    return [
        b'{%b"data":%b%b}' % (head, values, member) for head, values, member in zip(heads, data, geometry, strict=True)
    ]


def _heads(batch: Batch, geometry: NDArray[np.object_]) -> list[bytes]:
    """The members that every feature has, each followed by a comma."""
    boxes = shapely.bounds(geometry).tolist()
    assert batch.owner is not None
    assert batch.created is not None
    assert batch.modified is not None
    rows = zip(batch.ids.tolist(), batch.owner, batch.created, batch.modified, boxes, strict=True)
    return [
        b'"__id":%d,"__owner":%d,"__created":%d,"__modified":%d,%b' % (number, owner, created, modified, _box(box))
        for number, owner, created, modified, box in rows
    ]


def _box(box: list[float]) -> bytes:
    xmin, ymin, xmax, ymax = box
    if xmin != xmin:  # not a number: no geometry, or an empty one
        return b'"__xmin":null,"__ymin":null,"__xmax":null,"__ymax":null,'
    return f'"__xmin":{xmin!r},"__ymin":{ymin!r},"__xmax":{xmax!r},"__ymax":{ymax!r},'.encode()


def _data(batch: Batch) -> list[bytes]:
    names = list(batch.columns)
    if not names:
        return [b"{}"] * len(batch)
    dumps = orjson.dumps
    rows = zip(*batch.columns.values(), strict=True)
    return [dumps(dict(zip(names, row, strict=True)), option=orjson.OPT_NON_STR_KEYS) for row in rows]


def _geometry_members(batch: Batch, moved: NDArray[np.object_], how: FeatureFormat) -> Sequence[bytes]:
    if how.geometry is None:
        return [b""] * len(batch)
    crs = how.written_crs
    assert batch.geometry is not None
    geometry = moved if crs is how.target else reproject(batch.geometry, how.source, crs)
    tail = _crs_member(crs)
    if how.geometry == "geojson":
        missing = EMPTY_COLLECTION if how.jsonp else "null"
        epsg = None if crs.epsg in (None, WGS84) else crs.epsg
        texts = geojson.write(geometry, epsg)
        return [b',"__geometry":%b%b' % ((text or missing).encode(), tail) for text in texts]
    written = _texts(how.geometry, geometry, crs)
    return [b',"__geometry":%b%b' % (orjson.dumps(text), tail) for text in written]


def _texts(name: str, geometry: NDArray[np.object_], crs: Crs) -> Sequence[str | None]:
    if name == "wkt":
        return wkt.write(geometry)
    return kml.write(geometry) if name == "kml" else gml.write(geometry, crs.epsg)


def _crs_member(crs: Crs) -> bytes:
    member: dict[str, Any] = {"__epsg": crs.epsg} if crs.epsg is not None else {"__proj4": crs.proj4}
    return b"," + orjson.dumps(member)[1:-1]
