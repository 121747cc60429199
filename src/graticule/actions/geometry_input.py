"""The geometry of a feature that was sent, brought into the projection of its table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from graticule.actions import fields
from graticule.errors import BadRequest
from graticule.geometry.crs import Crs
from graticule.geometry.input import check_fits, read_geometry
from graticule.geometry.reproject import reproject

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graticule.geometry.parsed import Parsed
    from graticule.model.features import Table


@dataclass(frozen=True, slots=True)
class Projections:
    """What a request says of the projection of its geometries; the first that is there counts."""

    asked: Crs | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """``given`` is false when no geometry was sent at all; a null one clears.

    ``geometry`` is in the projection of the table; ``sent`` is the same before it was brought there from ``source``.
    """

    given: bool
    geometry: Any = None
    sent: Any = None
    source: Crs | None = None


def take_geometry(table: Table, sent: Mapping[str, Any], projections: Projections) -> Taken:
    """The geometry in the table's projection. Raises ``BadRequest``."""
    name = "geometry" if "geometry" in sent else "__geometry"
    if name not in sent:
        return Taken(False)
    value = sent[name]
    if value in (None, ""):
        return Taken(table.geometry_type is not None)
    if table.geometry_type is None or table.crs is None:
        raise BadRequest("This table has no geometry.", field=name, expected="no geometry")
    parsed = read_geometry(value)
    table_crs = Crs.from_text(table.crs)
    source = _source(parsed, sent, projections, table_crs)
    geometry = check_fits(parsed.geometry, table.geometry_type, source, has_z=table.has_z)
    if source.same_as(table_crs):
        return Taken(True, geometry, geometry, table_crs)
    moved = reproject(np.array([geometry], dtype=object), source, table_crs)[0]
    if moved is None:
        raise BadRequest("The geometry lies outside the projection of the table.", field=name, value=str(value)[:200])
    return Taken(True, moved, geometry, source)


def _source(parsed: Parsed, sent: Mapping[str, Any], projections: Projections, table_crs: Crs) -> Crs:
    """The order of the contract, section 4: the request, the geometry itself, the body, the format, the table."""
    if projections.asked is not None:
        return projections.asked
    for field in ("srid", "epsg"):
        if sent.get(field) is not None:
            return Crs.from_epsg(sent[field], field=field)
    if sent.get("proj4") is not None:
        return Crs.from_proj4(fields.text("proj4", sent["proj4"]))
    if parsed.srid is not None:
        return Crs.from_epsg(parsed.srid, field="geometry")
    if sent.get("__epsg") is not None:
        return Crs.from_epsg(sent["__epsg"], field="__epsg")
    return table_crs if parsed.assumed_srid is None else Crs.from_epsg(parsed.assumed_srid)
