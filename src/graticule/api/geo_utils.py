"""/geo_utils: what is at a place, what is nearest, what lies in a shape, how large features are, how far they reach.

All take ``layer_id``, conditions as ``where``, coordinates and answers in ``srid`` (or ``proj4``), EPSG:4326 unless
told. Lists are bare arrays with ``page`` and ``perpage``; features carry ``__layerId``. A layer that the caller may not
read is answered with 404.
"""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Response

from graticule.actions import fields, geo_utils
from graticule.actions.found import Found
from graticule.actions.geo_utils import RELATIONS, Asked
from graticule.api import reply
from graticule.api.deps import ApiCall, Call
from graticule.api.schemas.features import geometry_format
from graticule.api.schemas.found import encode_found
from graticule.errors import BadRequest
from graticule.geometry.crs import Crs
from graticule.geometry.place import FARTHEST_METRES, Place, area_and_perimeter

router = APIRouter(tags=["location queries"])
# The suffix is that of an address: older programs put it behind their last parameter.
DISTANCE = re.compile(r"\s*(\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})\s*(m|km|)\s*(?:\.json)?\s*", re.IGNORECASE | re.ASCII)
UNITS = {"": 1.0, "m": 1.0, "km": 1000.0}
FARTHEST = 1e9
MOST_NEAREST = 1000
MOST_IDS = 1000


@router.get("/geo_utils/features_at_point")
def features_at_point(call: ApiCall) -> Response:
    """Features of the layers ``layer_id=1,2`` around ``point_x`` and ``point_y``, the nearest first.

    ``buffer=10``, ``10m`` or ``1km`` is the radius on the ground, a metre unless told.
    """
    layers = geo_utils.open_layers(call.backend, call.actor, _layer_ids(call))
    place, page = _place(call), call.page()
    metres = _distance(call, "buffer")
    hits = geo_utils.features_at_point(
        call.backend, layers, place, 1.0 if metres is None else metres, _asked(call), page
    )
    return _features(call, hits)


@router.get("/geo_utils/nearest")
def nearest(call: ApiCall) -> Response:
    """The ``limit`` (or ``k``, 1 unless told) features of the layers that are nearest to ``point_x`` and ``point_y``.

    Each says in ``__distance`` how many metres on the ground it is away; ``buffer`` is how far to look.
    """
    layers = geo_utils.open_layers(call.backend, call.actor, _layer_ids(call))
    name = next((name for name in ("limit", "k", "perpage") if call.text(name) is not None), "limit")
    count = min(call.integer(name, 1, 1, 2**53), MOST_NEAREST)
    hits = geo_utils.nearest(call.backend, layers, _place(call), count, _distance(call, "buffer"), _asked(call))
    return _features(call, hits, distance=True)


@router.get("/geo_utils/spatial_filter")
def spatial_filter(call: ApiCall) -> Response:
    """Features of the layer ``layer_id`` that stand in a ``relation`` to a shape: ``intersects``, ``within``,
    ``contains``.

    The shape is a geometry, ``shape`` (or ``geometry``) in any format that features are sent in, or the features of
    ``filter_layer_id``, all or those that ``filter_feature_id`` or ``filter_where`` name.
    """
    data = geo_utils.open_layer(call.backend, call.actor, _layer_id(call, "layer_id"))
    relation = (call.text("relation") or "intersects").lower()
    if relation not in RELATIONS:
        expected = "one of " + ", ".join(RELATIONS)
        raise BadRequest(f"Unknown relation {relation}.", field="relation", value=relation, expected=expected)
    shapes, crs = _shapes(call)
    hits = geo_utils.spatial_filter(
        call.backend,
        data,
        shapes,
        crs,
        relation,
        _asked(call),
        call.page(),
    )
    return _features(call, hits)


def _shapes(call: Call) -> tuple[Any, Crs]:
    shape = _shape(call)
    if shape is not None:
        return geo_utils.take_shape(shape, call.crs(), "shape")
    if call.text("filter_layer_id") is None:
        expected = "a geometry as shape, or a layer as filter_layer_id"
        raise BadRequest("There is nothing to compare with.", field="shape", expected=expected)
    other = geo_utils.open_layer(call.backend, call.actor, _layer_id(call, "filter_layer_id"))
    asked = Asked(call.text("filter_where"), attributes=False)
    return geo_utils.shapes_of(call.backend, other, asked, _ids(call, "filter_feature_id")), other.crs


@router.get("/geo_utils/area")
def area(call: ApiCall) -> Response:
    """Areas in square metres and perimeters (of lines their lengths) in metres, on the ellipsoid of WGS 84.

    Of ``shape`` an object ``{area, perimeter}``; of the features of ``layer_id``, all or those that ``feature_id=1,2``
    or ``where`` name, an array of ``{__id, __layerId, area, perimeter}``.
    """
    sent = _shape(call)
    if sent is not None:
        shape, crs = geo_utils.take_shape(sent, call.crs(), "shape")
        size, around = area_and_perimeter(shape, crs)[0].tolist()
        return reply.json({"area": size, "perimeter": around})
    data = geo_utils.open_layer(call.backend, call.actor, _layer_id(call, "layer_id"))
    sizes = geo_utils.measure(call.backend, data, _asked(call), _ids(call, "feature_id"), call.page())
    number = data.layer.id
    return reply.json(
        [{"__id": one.feature, "__layerId": number, "area": one.area, "perimeter": one.perimeter} for one in sizes]
    )


@router.get("/geo_utils/feature_bounds")
def feature_bounds(call: ApiCall) -> Response:
    """The envelope of features of ``layer_id``, all or those that ``feature_id=1,2`` or ``where`` name.

    An object ``{xmin, ymin, xmax, ymax}`` in ``srid``; all null where no feature has a geometry.
    """
    data = geo_utils.open_layer(call.backend, call.actor, _layer_id(call, "layer_id"))
    box = geo_utils.bounds(call.backend, data, _asked(call), _ids(call, "feature_id"), call.crs() or Crs.wgs84())
    return reply.json(dict(zip(("xmin", "ymin", "xmax", "ymax"), box or (None,) * 4, strict=True)))


def _shape(call: Call) -> str | None:
    """The geometry that was sent: ``shape``, or ``geometry`` where that is not the name of a format."""
    return call.text("shape") or (None if _is_format(call) else call.text("geometry"))


def _is_format(call: Call) -> bool:
    return (call.text("geometry") or "").strip()[:1] not in ("{", "<") and "(" not in (call.text("geometry") or "")


def _features(call: Call, hits: list[Found], *, distance: bool = False) -> Response:
    members = [{"__layerId": hit.data.layer.id} | ({"__distance": hit.distance} if distance else {}) for hit in hits]
    shown = encode_found(
        hits,
        members,
        call.crs() or Crs.wgs84(),
        geometry=geometry_format(call.text("geometry")) if _is_format(call) else None,
        attributes=not call.flag("noattrib"),
        jsonp=call.request.state.jsonp,
    )
    return reply.raw_json(b"[" + b",".join(shown) + b"]")


def _asked(call: Call) -> Asked:
    return Asked(call.text("where"), attributes=not call.flag("noattrib"))


def _layer_ids(call: Call) -> list[int]:
    fields.required(call.query, "layer_id")
    return [fields.integer("layer_id", word, 0) for word in call.words("layer_id")]


def _layer_id(call: Call, name: str) -> int:
    return fields.integer(name, fields.required(call.query, name), 0)


def _ids(call: Call, name: str) -> tuple[int, ...] | None:
    """The ids of a comma list, None where there is none. Raises ``BadRequest``."""
    if call.text(name) is None:
        return None
    ids = tuple(dict.fromkeys(fields.integer(name, word, 0) for word in call.words(name)))
    if len(ids) > MOST_IDS:
        raise BadRequest(f"There are {len(ids)} ids.", field=name, expected=f"up to {MOST_IDS}")
    return ids


def _place(call: Call) -> Place:
    for name in ("point_x", "point_y"):
        fields.required(call.query, name)
    x, y = call.number("point_x", -FARTHEST, FARTHEST), call.number("point_y", -FARTHEST, FARTHEST)
    assert x is not None
    assert y is not None
    return Place.at(x, y, call.crs() or Crs.wgs84())


def _distance(call: Call, name: str) -> float | None:
    """Metres: a number, or one with m or km. Raises ``BadRequest``."""
    value = call.text(name)
    if value is None:
        return None
    found = DISTANCE.fullmatch(value)
    if found is None:
        raise BadRequest(f"{name} is not a distance.", field=name, value=value, expected="a number, or 10m, or 1km")
    return min(float(found[1]) * UNITS[found[2].lower()], FARTHEST_METRES)
