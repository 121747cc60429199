"""Users, roles, programs of others and options as the API answers them (the contract, sections 7 and 8)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from graticule.api.schemas.out import names_of, option_out

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from graticule.actions.oauth2_clients import Client
    from graticule.actions.roles import RoleView
    from graticule.actions.usage import Usage
    from graticule.catalogue.orm import ApprovedApp, Option, Role, User

# What every account has: the service itself.
SUBSCRIPTION = {"app_instance_id": "100004", "type": 20, "active": "t", "ends": None}


def user_out(user: User, usage: Usage, storage_limit: int | None) -> dict[str, Any]:
    """A user, without anything that must not be seen; limits that are not set are null.

    ``storage_limit`` is how many bytes all files of an account may hold, so its rasters too.
    """
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "active": user.active,
        "firstname": user.firstname,
        "lastname": user.lastname,
        "created": user.created,
        "modified": user.modified,
        "lastlog": user.lastlog,
        "owner_id": user.id if user.owner_id is None else user.owner_id,
        "mobile": user.mobile,
        "web": user.web,
        "phone": user.phone,
        "file_feature_count": usage.file_features,
        "db_feature_count": usage.table_features,
        "storage_raster": usage.raster_bytes,
        "storage_total": usage.total_bytes,
        "feature_count_limit": None,
        "storage_raster_limit": storage_limit,
        "resource_id": user.resource_id,
        "oidc": False,
        "administrator": user.administrator,
    }


def member_out(user: User) -> dict[str, Any]:
    """A user as those who share a role with them see them."""
    return {name: getattr(user, name) for name in ("id", "username", "firstname", "lastname")}


def user_option_out(option: Option) -> dict[str, Any]:
    """An option of a user; a type that is a number is answered as one."""
    kind = option.type
    number = kind is not None and kind.isascii() and kind.isdigit() and len(kind) < 10 and str(int(kind)) == kind
    return {"name": option.name, "type": int(kind) if number and kind else kind, "value": option.value}


def role_out(role: Role) -> dict[str, Any]:
    """A role; one of an app says of which."""
    out: dict[str, Any] = {
        "id": role.id,
        "name": role.name,
        "app_role": role.app_role,
        "parent_id": role.parent_id,
        "owner_id": role.owner_id,
        "owner_name": role.owner.username,
        "resource_id": role.resource_id,
        "created": role.created,
        "modified": role.modified,
    }
    return out | {"app_instance_id": role.app_instance_id} if role.app_role else out


def role_expanded(view: RoleView, expand: Collection[str], options: Sequence[Option]) -> dict[str, Any]:
    """A role; ``expand`` may name owner, options, tags, permissions."""
    role = view.role
    more: Mapping[str, Any] = {
        "owner": {"id": role.owner_id, "username": role.owner.username},
        "options": [option_out(option) for option in options],
        "tags": json.loads(role.tags) if role.tags else [],
        "permissions": names_of(view.permissions),
    }
    return role_out(role) | {name: value for name, value in more.items() if name in expand}


def client_out(client: Client) -> dict[str, Any]:
    """A program that the caller has registered."""
    row = client.row
    return {
        "id": row.id,
        "client_id": row.client_id,
        "client_secret": client.secret,
        "redirect_uri": row.redirect_uri,
        "owner": row.owner_id,
        "name": row.name,
        "description": row.description,
    }


def approval_out(row: ApprovedApp) -> dict[str, Any]:
    """That the caller lets a program act."""
    return {"id": row.id, "uid": row.user_id, "client_id": row.client_id}
