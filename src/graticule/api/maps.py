"""/maps: the maps and their layers."""

from __future__ import annotations

from fastapi import APIRouter, Response

from graticule.actions import fields, layers, maps, permissions
from graticule.api import reply
from graticule.api.deps import ApiCall, Call
from graticule.api.options import expanded_options
from graticule.api.schemas.out import grouped_shares, layer_out, map_out
from graticule.errors import BadRequest

router = APIRouter(tags=["maps"])


@router.get("/maps")
def list_maps(call: ApiCall) -> Response:
    """The maps that the caller may read."""
    wanted = call.listing()
    total, views = maps.list_maps(call.backend, call.actor, wanted, call.text("type"))
    expand = call.words("expand")
    held = expanded_options(call, [view.map.resource_id for view in views])
    rows = [map_out(view, expand, held.get(view.map.resource_id, ())) for view in views]
    return reply.listed("maps", total, wanted.page, rows)


@router.post("/maps", status_code=201)
def create_map(call: ApiCall) -> Response:
    """A new map of the caller."""
    view = maps.create_map(call.backend, call.actor, call.fields)
    return reply.created(call, f"1/maps/{view.map.id}", map_out(view), view.map.version)


@router.put("/maps")
def update_map_named_in_body(call: ApiCall) -> Response:
    """Change the map whose id is in the body."""
    return _update(call, fields.integer("id", fields.required(call.fields, "id"), 0))


@router.get("/maps/{map_id:id}")
def get_map(call: ApiCall, map_id: int) -> Response:
    """One map."""
    view = maps.get_map(call.backend, call.actor, map_id)
    held = expanded_options(call, [view.map.resource_id]).get(view.map.resource_id, ())
    return reply.tagged(call, map_out(view, call.words("expand"), held), view.map.version)


@router.put("/maps/{map_id:id}")
def update_map(call: ApiCall, map_id: int) -> Response:
    """Change a map."""
    return _update(call, map_id)


def _update(call: Call, map_id: int) -> Response:
    sent = dict(call.fields)
    if call.text("archived") is not None:
        sent["archived"] = call.flag("archived")
    view = maps.update_map(call.backend, call.actor, map_id, sent, call.if_match_version())
    return reply.updated(call, map_out(view), view.map.version)


@router.delete("/maps/{map_id:id}")
def delete_map(call: ApiCall, map_id: int) -> Response:
    """Delete a map with its layers, never the data they show."""
    maps.delete_map(call.backend, call.actor, map_id, call.if_match_version())
    return reply.json({})


@router.delete("/map_cache/{map_id:id}/{init}", status_code=204)
def renew_map(call: ApiCall, map_id: int, init: str) -> Response:
    """Have a map drawn anew, for programs that ask for it: changes show without it."""
    layers.check_of_map(call.backend, call.actor, map_id, call.words("layers"))
    if init not in ("1", "2"):
        raise BadRequest("The initialisation is 1 or 2.", field="init", value=init, expected="1 or 2")
    return reply.nothing()


@router.get("/maps/{map_id:id}/layers")
def list_layers_of_map(call: ApiCall, map_id: int) -> Response:
    """The layers of a map that the caller may read, from top to bottom."""
    wanted = call.listing(default=None)
    total, views = layers.list_layers(call.backend, call.actor, wanted, call.text("type"), map_id)
    expand = call.words("expand")
    held = expanded_options(call, [view.layer.resource_id for view in views])
    rows = [layer_out(view, expand, held.get(view.layer.resource_id, ())) for view in views]
    return reply.listed("layers", total, wanted.page, rows)


@router.get("/maps/{map_id:id}/get_modified_timestamp")
def get_modified_timestamp(call: ApiCall, map_id: int) -> Response:
    """When the map or one of its layers was changed last, in epoch seconds, for programs that ask before they reload.

    Edits of the data that its layers show are none of the map.
    """
    view = maps.get_map(call.backend, call.actor, map_id)
    return reply.tagged(call, {"id": str(map_id), "modified": view.map.modified}, view.map.version)


@router.get("/maps/{map_id:id}/sharing")
def get_sharing(call: ApiCall, map_id: int) -> Response:
    """Whether everyone may see the map (``public``) and, by grantee, who may do what with it, in one answer.

    ``permissions`` is what /resources/{rid}/permissions lists for the caller; callers who have not signed in are told
    of themselves only.
    """
    view = maps.get_map(call.backend, call.actor, map_id)
    shares = permissions.shares_seen(call.backend, call.actor, view.map.resource_id)
    out = {"id": str(map_id), "resource_id": str(view.map.resource_id)}
    public = permissions.is_public(call.backend, view.map.resource_id)
    return reply.json(out | {"public": public, "permissions": grouped_shares(shares)})
