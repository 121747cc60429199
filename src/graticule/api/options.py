"""Options of resources, maps, layers and of the caller."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Response

from graticule.actions import options
from graticule.api import reply
from graticule.api.deps import ApiCall, Call
from graticule.api.schemas.out import option_out
from graticule.api.schemas.people import user_option_out
from graticule.catalogue.orm import Option

router = APIRouter(tags=["options"])


def expanded_options(call: Call, resource_ids: Sequence[int | None]) -> dict[int, list[Option]]:
    """The options of things that the caller may read, where ``expand`` asks for them."""
    return options.by_resource(call.backend, resource_ids) if "options" in call.words("expand") else {}


@router.get("/resources/{resource_id:id}/options")
def list_options(call: ApiCall, resource_id: int) -> Response:
    """The options of a resource."""
    return _listed(call, resource_id)


@router.post("/resources/{resource_id:id}/options", status_code=201)
def keep_option(call: ApiCall, resource_id: int) -> Response:
    """A new option of a resource, or a new value for the one of that name."""
    return _kept(call, resource_id, f"1/resources/{resource_id}/options")


@router.put("/resources/{resource_id:id}/options", status_code=204)
def update_option_named_in_body(call: ApiCall, resource_id: int) -> Response:
    """Change the option whose id or name is in the body."""
    return _updated(call, resource_id, None)


@router.get("/resources/{resource_id:id}/options/{option}")
def get_option(call: ApiCall, resource_id: int, option: str) -> Response:
    """One option of a resource."""
    return _one(call, resource_id, option)


@router.put("/resources/{resource_id:id}/options/{option}", status_code=204)
def update_option(call: ApiCall, resource_id: int, option: str) -> Response:
    """Change an option of a resource."""
    return _updated(call, resource_id, option)


@router.delete("/resources/{resource_id:id}/options/{option}", status_code=204)
def delete_option(call: ApiCall, resource_id: int, option: str) -> Response:
    """Remove an option of a resource."""
    return _deleted(call, resource_id, option)


@router.get("/maps/{map_id:id}/options")
def list_options_of_map(call: ApiCall, map_id: int) -> Response:
    """The options of a map."""
    return _listed(call, _map(call, map_id))


@router.post("/maps/{map_id:id}/options", status_code=201)
def keep_option_of_map(call: ApiCall, map_id: int) -> Response:
    """A new option of a map, or a new value for the one of that name."""
    return _kept(call, _map(call, map_id), f"1/maps/{map_id}/options")


@router.put("/maps/{map_id:id}/options", status_code=204)
def update_option_of_map_named_in_body(call: ApiCall, map_id: int) -> Response:
    """Change the option of a map whose id or name is in the body."""
    return _updated(call, _map(call, map_id), None)


@router.get("/maps/{map_id:id}/options/{option}")
def get_option_of_map(call: ApiCall, map_id: int, option: str) -> Response:
    """One option of a map."""
    return _one(call, _map(call, map_id), option)


@router.put("/maps/{map_id:id}/options/{option}", status_code=204)
def update_option_of_map(call: ApiCall, map_id: int, option: str) -> Response:
    """Change an option of a map."""
    return _updated(call, _map(call, map_id), option)


@router.delete("/maps/{map_id:id}/options/{option}", status_code=204)
def delete_option_of_map(call: ApiCall, map_id: int, option: str) -> Response:
    """Remove an option of a map."""
    return _deleted(call, _map(call, map_id), option)


@router.get("/layers/{layer_id:id}/options")
def list_options_of_layer(call: ApiCall, layer_id: int) -> Response:
    """The options of a layer."""
    return _listed(call, _layer(call, layer_id))


@router.post("/layers/{layer_id:id}/options", status_code=201)
def keep_option_of_layer(call: ApiCall, layer_id: int) -> Response:
    """A new option of a layer, or a new value for the one of that name."""
    return _kept(call, _layer(call, layer_id), f"1/layers/{layer_id}/options")


@router.put("/layers/{layer_id:id}/options", status_code=204)
def update_option_of_layer_named_in_body(call: ApiCall, layer_id: int) -> Response:
    """Change the option of a layer whose id or name is in the body."""
    return _updated(call, _layer(call, layer_id), None)


@router.get("/layers/{layer_id:id}/options/{option}")
def get_option_of_layer(call: ApiCall, layer_id: int, option: str) -> Response:
    """One option of a layer."""
    return _one(call, _layer(call, layer_id), option)


@router.put("/layers/{layer_id:id}/options/{option}", status_code=204)
def update_option_of_layer(call: ApiCall, layer_id: int, option: str) -> Response:
    """Change an option of a layer."""
    return _updated(call, _layer(call, layer_id), option)


@router.delete("/layers/{layer_id:id}/options/{option}", status_code=204)
def delete_option_of_layer(call: ApiCall, layer_id: int, option: str) -> Response:
    """Remove an option of a layer."""
    return _deleted(call, _layer(call, layer_id), option)


@router.get("/users/current/options")
def list_own_options(call: ApiCall) -> Response:
    """The caller's options."""
    return _listed(call, _own(call), of_user=True)


@router.post("/users/current/options", status_code=201)
def keep_own_option(call: ApiCall) -> Response:
    """A new option of the caller, or a new value for the one of that name."""
    return _kept(call, _own(call), "1/users/current/options", of_user=True)


@router.put("/users/current/options", status_code=204)
def update_own_option_named_in_body(call: ApiCall) -> Response:
    """Change the option of the caller whose id or name is in the body."""
    return _updated(call, _own(call), None)


@router.get("/users/current/options/{option}")
def get_own_option(call: ApiCall, option: str) -> Response:
    """One option of the caller."""
    return _one(call, _own(call), option, of_user=True)


@router.put("/users/current/options/{option}", status_code=204)
def update_own_option(call: ApiCall, option: str) -> Response:
    """Change an option of the caller."""
    return _updated(call, _own(call), option)


@router.delete("/users/current/options/{option}", status_code=204)
def delete_own_option(call: ApiCall, option: str) -> Response:
    """Remove an option of the caller."""
    return _deleted(call, _own(call), option)


def _map(call: Call, map_id: int) -> int:
    return options.resource_of_map(call.backend, call.actor, map_id)


def _layer(call: Call, layer_id: int) -> int:
    return options.resource_of_layer(call.backend, call.actor, layer_id)


def _own(call: Call) -> int:
    return options.resource_of_caller(call.backend, call.actor)


def _out(option: Option, *, of_user: bool) -> dict[str, object]:
    return {"id": str(option.id)} | user_option_out(option) if of_user else option_out(option)


def _listed(call: Call, resource_id: int, *, of_user: bool = False) -> Response:
    wanted = call.listing(default=None)
    total, found = options.list_options(call.backend, call.actor, resource_id, wanted)
    return reply.listed("options", total, wanted.page, [_out(option, of_user=of_user) for option in found])


def _one(call: Call, resource_id: int, option: str, *, of_user: bool = False) -> Response:
    found = options.get_option(call.backend, call.actor, resource_id, option)
    return reply.tagged(call, _out(found, of_user=of_user), options.version_of(found))


def _kept(call: Call, resource_id: int, folder: str, *, of_user: bool = False) -> Response:
    made = options.keep_option(call.backend, call.actor, resource_id, call.fields)
    return reply.created(call, f"{folder}/{made.id}", _out(made, of_user=of_user), options.version_of(made))


def _updated(call: Call, resource_id: int, option: str | None) -> Response:
    named = options.named_in_body(call.fields) if option is None else option
    options.update_option(call.backend, call.actor, resource_id, named, call.fields, call.if_match_version())
    return reply.nothing()


def _deleted(call: Call, resource_id: int, option: str) -> Response:
    options.delete_option(call.backend, call.actor, resource_id, option, call.if_match_version())
    return reply.nothing()
