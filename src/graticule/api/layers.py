"""/layers, and the same below a map."""

from __future__ import annotations

from fastapi import APIRouter, Response

from graticule.actions import fields, layers
from graticule.api import reply
from graticule.api.deps import ApiCall, Call
from graticule.api.options import expanded_options
from graticule.api.schemas.out import layer_out
from graticule.errors import Forbidden, NotFound

router = APIRouter(tags=["layers"])


@router.get("/layers")
def list_layers(call: ApiCall) -> Response:
    """The layers that the caller may read."""
    wanted = call.listing()
    total, views = layers.list_layers(call.backend, call.actor, wanted, call.text("type"))
    expand = call.words("expand")
    held = expanded_options(call, [view.layer.resource_id for view in views])
    rows = [layer_out(view, expand, held.get(view.layer.resource_id, ())) for view in views]
    return reply.listed("layers", total, wanted.page, rows)


@router.post("/layers", status_code=201)
def create_layer(call: ApiCall) -> Response:
    """A new layer on top of the map that ``mid`` names."""
    view = layers.create_layer(call.backend, call.actor, call.fields)
    return reply.created(call, f"1/layers/{view.layer.id}", layer_out(view), view.layer.version)


@router.post("/maps/{map_id:id}/layers", status_code=201)
def create_layer_of_map(call: ApiCall, map_id: int) -> Response:
    """A new layer on top of the map."""
    view = layers.create_layer(call.backend, call.actor, call.fields, map_id)
    return reply.created(call, f"1/layers/{view.layer.id}", layer_out(view), view.layer.version)


@router.put("/layers")
def update_layer_named_in_body(call: ApiCall) -> Response:
    """Change the layer whose id is in the body."""
    return _update(call, fields.integer("id", fields.required(call.fields, "id"), 0), None)


@router.put("/maps/{map_id:id}/layers")
def update_layer_of_map_named_in_body(call: ApiCall, map_id: int) -> Response:
    """Change the layer of the map whose id is in the body."""
    return _update(call, fields.integer("id", fields.required(call.fields, "id"), 0), map_id)


@router.get("/layers/{layer_id:id}")
def get_layer(call: ApiCall, layer_id: int) -> Response:
    """One layer; whether one exists that the caller may not see is not told."""
    try:
        return _get(call, layer_id, None)
    except NotFound:
        raise Forbidden(f"Layer {layer_id} is not shared with you.") from None


@router.get("/maps/{map_id:id}/layers/{layer_id:id}")
def get_layer_of_map(call: ApiCall, map_id: int, layer_id: int) -> Response:
    """One layer of a map."""
    return _get(call, layer_id, map_id)


def _get(call: Call, layer_id: int, map_id: int | None) -> Response:
    view = layers.get_layer(call.backend, call.actor, layer_id, map_id)
    held = expanded_options(call, [view.layer.resource_id]).get(view.layer.resource_id, ())
    return reply.tagged(call, layer_out(view, call.words("expand"), held), view.layer.version)


@router.put("/layers/{layer_id:id}")
def update_layer(call: ApiCall, layer_id: int) -> Response:
    """Change a layer."""
    return _update(call, layer_id, None)


@router.put("/maps/{map_id:id}/layers/{layer_id:id}")
def update_layer_of_map(call: ApiCall, map_id: int, layer_id: int) -> Response:
    """Change a layer of a map."""
    return _update(call, layer_id, map_id)


def _update(call: Call, layer_id: int, map_id: int | None) -> Response:
    if_match = call.if_match_version()
    view = layers.update_layer(call.backend, call.actor, layer_id, call.fields, map_id=map_id, if_match=if_match)
    return reply.updated(call, layer_out(view), view.layer.version)


@router.delete("/layers/{layer_id:id}", status_code=204)
def delete_layer(call: ApiCall, layer_id: int) -> Response:
    """Take a layer off its map, never the data it shows."""
    layers.delete_layer(call.backend, call.actor, layer_id, if_match=call.if_match_version())
    return reply.nothing()


@router.delete("/maps/{map_id:id}/layers/{layer_id:id}", status_code=204)
def delete_layer_of_map(call: ApiCall, map_id: int, layer_id: int) -> Response:
    """The same, below a map."""
    layers.delete_layer(call.backend, call.actor, layer_id, map_id=map_id, if_match=call.if_match_version())
    return reply.nothing()


@router.get("/layers/{layer_id:id}/columns")
def get_columns(call: ApiCall, layer_id: int) -> Response:
    """The columns of a layer."""
    return _columns(call, layer_id, None)


@router.get("/maps/{map_id:id}/layers/{layer_id:id}/columns")
def get_columns_of_map(call: ApiCall, map_id: int, layer_id: int) -> Response:
    """The columns of a layer of a map."""
    return _columns(call, layer_id, map_id)


@router.put("/layers/{layer_id:id}/refresh_columns")
def refresh_columns(call: ApiCall, layer_id: int) -> Response:
    """Read the columns of a layer anew from its source, and the data with them."""
    return _refresh_columns(call, layer_id, None)


@router.put("/maps/{map_id:id}/layers/{layer_id:id}/refresh_columns")
def refresh_columns_of_map(call: ApiCall, map_id: int, layer_id: int) -> Response:
    """The same, below a map."""
    return _refresh_columns(call, layer_id, map_id)


def _refresh_columns(call: Call, layer_id: int, map_id: int | None) -> Response:
    layers.refresh(call.backend, call.actor, layer_id, map_id)
    return _columns(call, layer_id, map_id)


def _columns(call: Call, layer_id: int, map_id: int | None) -> Response:
    columns = layers.columns(layers.get_layer(call.backend, call.actor, layer_id, map_id))
    return reply.json([{"name": column.name, "type": column.type} for column in columns])
