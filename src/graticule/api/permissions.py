"""/resources: what a resource is, and its permissions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response

from graticule.actions import listing, permissions
from graticule.api import reply
from graticule.api.deps import ApiCall
from graticule.api.schemas.out import grouped_shares, share_out

router = APIRouter(tags=["permissions"])
# What lists of grantees can be ordered and searched by.
ATTRIBUTES: dict[str, Callable[[dict[str, Any]], str]] = {
    "name": lambda group: group.get("username") or group.get("role") or "",
    "username": lambda group: group.get("username") or "",
    "role": lambda group: group.get("role") or "",
}


@router.get("/resources/{resource_id:id}")
def get_resource(call: ApiCall, resource_id: int) -> Response:
    """The type of a resource and the id of what stands behind it."""
    resource, found = permissions.describe_resource(call.backend, call.actor, resource_id)
    out: dict[str, str | None] = {"id": str(resource.id), "type": resource.type, "owner": str(resource.owner_id)}
    out[f"{resource.type}_id"] = found
    return reply.tagged(call, out, permissions.VERSION)


@router.get("/resources/{resource_id:id}/permissions")
@router.get("/resources/{resource_id:id}/permission")
def list_permissions(call: ApiCall, resource_id: int) -> Response:
    """Who may do what with the resource, by grantee."""
    wanted = call.listing(default=None)
    groups = grouped_shares(permissions.list_shares(call.backend, call.actor, resource_id))
    total, part = listing.run_over(groups, wanted, ATTRIBUTES)
    return reply.listed("permissions", total, wanted.page, part)


@router.post("/resources/{resource_id:id}/permissions", status_code=201)
@router.post("/resources/{resource_id:id}/permission", status_code=201)
def grant(call: ApiCall, resource_id: int) -> Response:
    """Give a user, everyone (anonymous) or a role a permission."""
    given = permissions.grant(call.backend, call.actor, resource_id, call.fields)
    return reply.created(call, f"1/resources/{resource_id}/permissions/{given.share.id}", share_out(given))


@router.get("/resources/{resource_id:id}/permissions/{share_id:id}")
@router.get("/resources/{resource_id:id}/permission/{share_id:id}")
def get_permission(call: ApiCall, resource_id: int, share_id: int) -> Response:
    """One share."""
    share = share_out(permissions.get_share(call.backend, call.actor, resource_id, share_id))
    return reply.tagged(call, share, permissions.VERSION)


@router.delete("/resources/{resource_id:id}/permissions/{share_id:id}", status_code=204)
@router.delete("/resources/{resource_id:id}/permission/{share_id:id}", status_code=204)
def revoke(call: ApiCall, resource_id: int, share_id: int) -> Response:
    """Take a permission back."""
    permissions.revoke(call.backend, call.actor, resource_id, share_id, call.if_match_version())
    return reply.nothing()
