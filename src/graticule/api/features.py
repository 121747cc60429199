"""/layers/{l}/features, and the same below a map: the features of a layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from graticule.actions import features
from graticule.actions.attributes import find_column
from graticule.actions.features import LayerData
from graticule.actions.geometry_input import Projections
from graticule.actions.maps import map_crs
from graticule.api import reply
from graticule.api.csv_rows import csv_pieces
from graticule.api.deps import ApiCall, Call
from graticule.api.schemas.features import FeatureFormat, encode, geometry_format
from graticule.errors import BadRequest
from graticule.filters.check import check
from graticule.filters.order import check_order
from graticule.filters.parse import parse
from graticule.geometry.bounds import boxes_in, parse_bounds
from graticule.geometry.crs import Crs
from graticule.model.features import Query

router = APIRouter(tags=["features"])
CSV_HEADERS = {"Content-Type": "text/csv; charset=utf-8"}


@router.get("/layers/{layer_id:id}/features")
def list_features(call: ApiCall, layer_id: int) -> Response:
    """Features of a layer."""
    return _list(call, layer_id, None)


@router.get("/maps/{map_id:id}/layers/{layer_id:id}/features")
def list_features_of_map(call: ApiCall, map_id: int, layer_id: int) -> Response:
    """Features of a layer of a map."""
    return _list(call, layer_id, map_id)


@router.get("/layers/{layer_id:id}/features.csv")
def features_as_csv(call: ApiCall, layer_id: int) -> Response:
    """All features that the conditions hit, as CSV with the geometry as WKT."""
    return _csv(call, layer_id, None)


@router.get("/maps/{map_id:id}/layers/{layer_id:id}/features.csv")
def features_of_map_as_csv(call: ApiCall, map_id: int, layer_id: int) -> Response:
    """The same, below a map."""
    return _csv(call, layer_id, map_id)


def _csv(call: Call, layer_id: int, map_id: int | None) -> Response:
    data = features.readable(features.open_layer(call.backend, call.actor, layer_id, map_id=map_id))
    how = _format(call, data)
    query = query_of(call, data, how.target)
    batches = features.read_batches(call.backend, data, query)
    names = tuple(column.name for column in data.table.columns) if query.columns is None else query.columns
    return StreamingResponse(csv_pieces(batches, names, how), headers=CSV_HEADERS)


def _list(call: Call, layer_id: int, map_id: int | None) -> Response:
    data = features.readable(features.open_layer(call.backend, call.actor, layer_id, map_id=map_id))
    how = _format(call, data)
    page = call.page()
    query = query_of(call, data, how.target)
    total = features.count(call.backend, data, query) if page.total else None
    asked = Query(
        **{name: getattr(query, name) for name in ("columns", "boxes", "where", "order_by", "exact")},
        limit=page.size,
        offset=page.offset,
    )
    found = [one for batch in features.read_batches(call.backend, data, asked) for one in encode(batch, how)]
    counted = b"" if total is None else b'"total":%d,' % total
    head = b'{"type":"features",%b"page":%d,"data":[' % (counted, page.number)
    return reply.raw_json(head + b",".join(found) + b"]}")


def _format(call: Call, data: LayerData) -> FeatureFormat:
    target = call.crs() or map_crs(data.layer.map)
    geometry = geometry_format(call.text("geometry"))
    jsonp = call.request.state.jsonp
    return FeatureFormat(data.crs, target, geometry, not call.flag("noattrib"), jsonp)


def query_of(call: Call, data: LayerData, target: Crs) -> Query:
    """The parameters ``bounds``, ``where``, ``order_by``, ``fields``, ``noattrib``. Raises ``BadRequest``."""
    columns = data.table.columns
    where, order_by, bounds = call.text("where"), call.text("order_by"), call.text("bounds", "bound")
    wanted: tuple[str, ...] | None = None
    if call.flag("noattrib"):
        wanted = ()
    elif call.text("fields"):
        wanted = tuple(dict.fromkeys(find_column(data.table, name).name for name in call.words("fields")))
    return Query(
        columns=wanted,
        boxes=() if bounds is None else boxes_in(parse_bounds(bounds, target), target, data.crs),
        exact=True,
        where=None if where is None else check(parse(where), columns),
        order_by=() if order_by is None else check_order(order_by, columns),
    )


@router.post("/layers/{layer_id:id}/features", status_code=201)
def create_feature(call: ApiCall, layer_id: int) -> Response:
    """A new feature; or several at once, all or none."""
    return _create(call, layer_id, None)


@router.post("/maps/{map_id:id}/layers/{layer_id:id}/features", status_code=201)
def create_feature_of_map(call: ApiCall, map_id: int, layer_id: int) -> Response:
    """The same, below a map."""
    return _create(call, layer_id, map_id)


def _create(call: Call, layer_id: int, map_id: int | None) -> Response:
    data = features.open_layer(call.backend, call.actor, layer_id, map_id=map_id)
    features.may_insert(data)
    several, sent, inherited = _sent(call.body.value)
    ids = features.insert(call.backend, call.actor, data, sent, Projections(call.crs() or inherited))
    if several:
        return reply.created(call, f"1/layers/{layer_id}/features", [{"__id": number} for number in ids])
    location = f"1/layers/{layer_id}/features/{ids[0]}"
    if "READ" not in data.held and not call.actor.signed_in:
        return reply.created(call, location, {"__id": ids[0]})
    version = features.version(call.backend, data, ids[0])
    return reply.created(call, location, orjson.Fragment(_one(call, data, ids[0])), version)


def _sent(value: Any) -> tuple[bool, list[Mapping[str, Any]], Crs | None]:
    """Whether several features were sent, the features, and the projection that a collection names for all."""
    inherited = None
    several = isinstance(value, list)
    if isinstance(value, dict) and value.get("type") == "FeatureCollection":
        several = True
        inherited = _collection_crs(value)
        value = value.get("features")
    sent = value if several else [value]
    if not isinstance(sent, list) or not all(isinstance(one, dict) for one in sent):
        expected = "an object {data, geometry}, an array of them, or a GeoJSON FeatureCollection"
        raise BadRequest("This is no feature.", field="body", expected=expected)
    return several, sent, inherited


def _collection_crs(value: Mapping[str, Any]) -> Crs | None:
    crs = value.get("crs")
    if crs is None:
        return None
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str):
        raise BadRequest("The crs names no projection.", field="crs", value=str(crs), expected="a named crs")
    return Crs.from_text(name)


@router.get("/layers/{layer_id:id}/features/{feature_id:id}")
def get_feature(call: ApiCall, layer_id: int, feature_id: int) -> Response:
    """One feature."""
    return _get(call, layer_id, feature_id, None)


@router.get("/maps/{map_id:id}/layers/{layer_id:id}/features/{feature_id:id}")
def get_feature_of_map(call: ApiCall, map_id: int, layer_id: int, feature_id: int) -> Response:
    """The same, below a map."""
    return _get(call, layer_id, feature_id, map_id)


def _get(call: Call, layer_id: int, feature_id: int, map_id: int | None) -> Response:
    data = features.readable(features.open_layer(call.backend, call.actor, layer_id, map_id=map_id))
    version = features.version(call.backend, data, feature_id)
    return reply.tagged_bytes(call, _one(call, data, feature_id), version, reply.JSON)


def _one(call: Call, data: LayerData, feature_id: int) -> bytes:
    how = _format(call, data)
    columns = () if not how.attributes else None
    batch = features.read_one(call.backend, data, feature_id, Query(columns=columns))
    return encode(batch, how)[0]


@router.put("/layers/{layer_id:id}/features")
def update_feature_named_in_body(call: ApiCall, layer_id: int) -> Response:
    """Change the feature whose id is in the body."""
    return _update(call, layer_id, _id_in_body(call), None)


@router.put("/maps/{map_id:id}/layers/{layer_id:id}/features")
def update_feature_of_map_named_in_body(call: ApiCall, map_id: int, layer_id: int) -> Response:
    """The same, below a map."""
    return _update(call, layer_id, _id_in_body(call), map_id)


def _id_in_body(call: Call) -> int:
    from graticule.actions import fields

    name = "id" if "id" in call.fields else "__id" if "__id" in call.fields else "id"
    return fields.integer(name, fields.required(call.fields, name), 0)


@router.put("/layers/{layer_id:id}/features/{feature_id:id}")
def update_feature(call: ApiCall, layer_id: int, feature_id: int) -> Response:
    """Change the attributes that are given and keep the others."""
    return _update(call, layer_id, feature_id, None)


@router.put("/maps/{map_id:id}/layers/{layer_id:id}/features/{feature_id:id}")
def update_feature_of_map(call: ApiCall, map_id: int, layer_id: int, feature_id: int) -> Response:
    """The same, below a map."""
    return _update(call, layer_id, feature_id, map_id)


def _update(call: Call, layer_id: int, feature_id: int, map_id: int | None) -> Response:
    data = features.open_layer(call.backend, call.actor, layer_id, map_id=map_id)
    projections = Projections(call.crs())
    features.update(call.backend, call.actor, data, feature_id, call.fields, projections, call.if_match())
    version = features.version(call.backend, data, feature_id)
    return reply.updated(call, orjson.Fragment(_one(call, data, feature_id)), version)


@router.delete("/layers/{layer_id:id}/features/{feature_id:id}", status_code=204)
def delete_feature(call: ApiCall, layer_id: int, feature_id: int) -> Response:
    """Delete a feature."""
    return _delete(call, layer_id, feature_id, None)


@router.delete("/maps/{map_id:id}/layers/{layer_id:id}/features/{feature_id:id}", status_code=204)
def delete_feature_of_map(call: ApiCall, map_id: int, layer_id: int, feature_id: int) -> Response:
    """The same, below a map."""
    return _delete(call, layer_id, feature_id, map_id)


def _delete(call: Call, layer_id: int, feature_id: int, map_id: int | None) -> Response:
    data = features.open_layer(call.backend, call.actor, layer_id, map_id=map_id)
    features.delete(call.backend, call.actor, data, feature_id, call.if_match())
    return reply.nothing()
