"""/users: the accounts; the caller's own is /users/current."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from fastapi import APIRouter, Response

from graticule.actions import fields, leaving, listing, need, usage, users
from graticule.api import reply
from graticule.api.deps import ApiCall, Call
from graticule.api.options import expanded_options
from graticule.api.schemas.people import SUBSCRIPTION, role_out, user_option_out, user_out
from graticule.catalogue.orm import User

router = APIRouter(tags=["users"])
# What the list of subscriptions can be ordered and searched by.
OF_SUBSCRIPTIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "name": itemgetter("app_instance_id"),
    **{name: itemgetter(name) for name in SUBSCRIPTION},
}


@router.get("/users")
def list_users(call: ApiCall) -> Response:
    """The users whom the caller may read; administrators see all."""
    wanted = call.listing()
    total, found = users.list_users(call.backend, call.actor, wanted)
    return reply.listed("users", total, wanted.page, _out(call, found))


@router.post("/users", status_code=201)
def create_user(call: ApiCall) -> Response:
    """A new user, by administrators."""
    made = users.make_user(call.backend, call.actor, call.fields)
    return reply.created(call, f"1/users/{made.id}", _out(call, [made])[0], made.version)


@router.put("/users")
def update_user_named_in_body(call: ApiCall) -> Response:
    """Change the user whose id is in the body."""
    return _update(call, fields.integer("id", fields.required(call.fields, "id"), 0))


@router.get("/users/current")
def current_user(call: ApiCall) -> Response:
    """The caller."""
    need.signed_in(call.actor)
    found = users.see_user(call.backend, call.actor, call.actor.user_id)
    return reply.tagged(call, _out(call, [found])[0] | {"id": str(found.id)}, found.version)


@router.put("/users/current")
def update_current_user(call: ApiCall) -> Response:
    """Change what is told of the caller."""
    need.signed_in(call.actor)
    return _update(call, call.actor.user_id)


@router.get("/users/current/subscriptions")
def list_subscriptions(call: ApiCall) -> Response:
    """What the caller may use: the service itself."""
    need.signed_in(call.actor)
    wanted = call.listing(default=None)
    total, found = listing.run_over([SUBSCRIPTION], wanted, OF_SUBSCRIPTIONS)
    return reply.listed("subscriptions", total, wanted.page, found)


@router.get("/users/{user_id:id}")
def get_user(call: ApiCall, user_id: int) -> Response:
    """One user; whether one exists that the caller may not see is not told."""
    found = users.see_user(call.backend, call.actor, user_id)
    return reply.tagged(call, _out(call, [found])[0], found.version)


@router.put("/users/{user_id:id}")
def update_user(call: ApiCall, user_id: int) -> Response:
    """Change a user."""
    return _update(call, user_id)


@router.delete("/users/{user_id:id}", status_code=204)
def delete_user(call: ApiCall, user_id: int) -> Response:
    """Delete a user who owns nothing any more; with ``force`` an administrator also deletes all that they own."""
    force = call.flag("force")
    leaving.delete_user(call.backend, call.actor, user_id, force=force, if_match=call.if_match_version())
    return reply.nothing()


def _update(call: Call, user_id: int) -> Response:
    changed = users.update_user(call.backend, call.actor, user_id, call.fields, call.if_match_version())
    return reply.updated(call, _out(call, [changed])[0], changed.version)


def _out(call: Call, found: Sequence[User]) -> list[dict[str, Any]]:
    """Users with what they use; ``expand`` may name options and roles."""
    used = usage.usage_of(call.backend, [user.id for user in found])
    limit = call.backend.settings.storage_limit_bytes
    rows = [user_out(user, used[user.id], limit) for user in found]
    if "options" in call.words("expand"):
        options = expanded_options(call, [user.resource_id for user in found])
        for user, row in zip(found, rows, strict=True):
            row["options"] = [user_option_out(option) for option in options.get(user.resource_id or 0, ())]
    if "roles" in call.words("expand"):
        roles = users.roles_of_users(call.backend, call.actor, [user.id for user in found])
        for user, row in zip(found, rows, strict=True):
            row["roles"] = [role_out(role) for role in roles.get(user.id, ())]
    return rows
