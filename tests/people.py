"""Short words for tests of users and roles."""

from __future__ import annotations

from typing import Any

from tests.server import Caller
from tests.sharing import made


def new_role(caller: Caller, name: str = "a role", **fields: Any) -> dict[str, Any]:
    return dict(made(caller.post("roles", json={"name": name, **fields})))


def join(owner: Caller, role: int, *members: Caller) -> None:
    """Put users into a role."""
    for member in members:
        made(owner.post(f"roles/{role}/users", json={"user_id": member.user_id}))


def share_with_role(owner: Caller, resource: object, role: int, permission: str) -> str:
    """Give a role a permission; answers the id of the share."""
    sent = {"role_id": role, "permission": permission}
    return str(made(owner.post(f"resources/{resource}/permissions", json=sent))["id"])
