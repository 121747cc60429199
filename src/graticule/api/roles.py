"""/roles: groups of users, and who is in them."""

from __future__ import annotations

from fastapi import APIRouter, Response

from graticule.actions import fields, roles
from graticule.api import reply
from graticule.api.deps import ApiCall, Call
from graticule.api.options import expanded_options
from graticule.api.schemas.people import member_out, role_expanded, role_out

router = APIRouter(tags=["roles"])


@router.get("/roles")
def list_roles(call: ApiCall) -> Response:
    """The roles that the caller may read."""
    wanted = call.listing()
    total, found = roles.list_roles(call.backend, call.actor, wanted)
    options = expanded_options(call, [view.role.resource_id for view in found])
    expand = call.words("expand")
    rows = [role_expanded(view, expand, options.get(view.role.resource_id, ())) for view in found]
    return reply.listed("roles", total, wanted.page, rows)


@router.post("/roles", status_code=201)
def create_role(call: ApiCall) -> Response:
    """A new role of the caller."""
    view = roles.create_role(call.backend, call.actor, call.fields)
    return reply.created(call, f"1/roles/{view.role.id}", role_out(view.role), view.role.version)


@router.put("/roles")
def update_role_named_in_body(call: ApiCall) -> Response:
    """Change the role whose id is in the body."""
    return _update(call, fields.integer("id", fields.required(call.fields, "id"), 0))


@router.get("/roles/{role_id:id}")
def get_role(call: ApiCall, role_id: int) -> Response:
    """One role; whether one exists that the caller may not see is not told."""
    view = roles.get_role(call.backend, call.actor, role_id)
    options = expanded_options(call, [view.role.resource_id]).get(view.role.resource_id, ())
    return reply.tagged(call, role_expanded(view, call.words("expand"), options), view.role.version)


@router.put("/roles/{role_id:id}")
def update_role(call: ApiCall, role_id: int) -> Response:
    """Change a role."""
    return _update(call, role_id)


def _update(call: Call, role_id: int) -> Response:
    view = roles.update_role(call.backend, call.actor, role_id, call.fields, call.if_match_version())
    return reply.updated(call, role_out(view.role), view.role.version)


@router.delete("/roles/{role_id:id}", status_code=204)
def delete_role(call: ApiCall, role_id: int) -> Response:
    """Delete a role and all that is shared with it, never the things themselves."""
    roles.delete_role(call.backend, call.actor, role_id, call.if_match_version())
    return reply.nothing()


@router.get("/roles/{role_id:id}/users")
def list_members(call: ApiCall, role_id: int) -> Response:
    """Who is in the role."""
    wanted = call.listing(default=None)
    total, found = roles.list_members(call.backend, call.actor, role_id, wanted)
    return reply.listed("users", total, wanted.page, [member_out(user) for user in found])


@router.post("/roles/{role_id:id}/users", status_code=201)
def add_member(call: ApiCall, role_id: int) -> Response:
    """Put a user into the role."""
    user = roles.add_member(call.backend, call.actor, role_id, call.fields)
    return reply.created(call, f"1/roles/{role_id}/users/{user.id}", member_out(user))


@router.get("/roles/{role_id:id}/users/{user_id:id}")
def get_member(call: ApiCall, role_id: int, user_id: int) -> Response:
    """One user of the role."""
    return reply.json(member_out(roles.get_member(call.backend, call.actor, role_id, user_id)))


@router.delete("/roles/{role_id:id}/users/{user_id:id}", status_code=204)
def remove_member(call: ApiCall, role_id: int, user_id: int) -> Response:
    """Take a user out of the role."""
    roles.remove_member(call.backend, call.actor, role_id, user_id)
    return reply.nothing()
