"""Roles: groups of users with whom things can be shared at once.

Where the API's description is silent they are as groups are elsewhere: who is in a role may read it and the roles above
it, and see who else is in them; everybody may leave; administrators own all roles.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, true, update

from graticule.actions import fields, listing, need
from graticule.actions.permissions import refuse_without_owner
from graticule.actions.users import find_user, new_resource
from graticule.actions.versions import check_version
from graticule.catalogue import access
from graticule.catalogue.orm import ANONYMOUS_ID, Resource, Role, RoleMember, Share, User
from graticule.errors import BadRequest, Forbidden, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from graticule.actions.listing import Listing
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor

ATTRIBUTES = {
    name: getattr(Role, name)
    for name in ("id", "name", "app_role", "app_instance_id", "parent_id", "owner_id", "created", "modified")
}
LONGEST_NAME = 255
MOST_TAGS = 100


def _name(name: str, value: Any) -> str:
    text = fields.text(name, value).strip()
    if not text or len(text) > LONGEST_NAME:
        expected = f"1 to {LONGEST_NAME} characters"
        raise BadRequest("This cannot be a role's name.", field=name, value=value, expected=expected)
    return text


def _tags(name: str, value: Any) -> str | None:
    """A list of texts, or a comma list, as JSON text."""
    words = value if isinstance(value, list) else fields.text(name, value).split(",")
    tags = [text for text in (fields.text(name, word).strip() for word in words) if text]
    if len(tags) > MOST_TAGS:
        raise BadRequest("These are too many tags.", field=name, expected=f"up to {MOST_TAGS}")
    return json.dumps(tags) if tags else None


# How each settable field is read, and what it is when null is sent; ``parent_id`` has rules of its own.
SETTERS: dict[str, tuple[Callable[[str, Any], Any], Any]] = {
    "app_role": (fields.boolean, False),
    "app_instance_id": (fields.integer, None),
    "tags": (_tags, None),
}
MEMBER_ATTRIBUTES = {name: getattr(User, name) for name in ("id", "username")} | {"name": User.username}


@dataclass(frozen=True, slots=True)
class RoleView:
    """A role with what the caller may do with it."""

    role: Role
    permissions: frozenset[str]


def list_roles(backend: Backend, actor: Actor, wanted: Listing) -> tuple[int | None, list[RoleView]]:
    """The roles that the caller may read. Raises ``BadRequest``."""
    visible = true() if actor.administrator else access.visible_roles(actor.user_id)
    with backend.catalogue.read() as session:
        total, found = listing.run(session, select(Role).where(visible), wanted, ATTRIBUTES)
        return total, [_view(session, actor, role) for role in found]


def all_roles(backend: Backend) -> list[tuple[Role, int]]:
    """Every role and how many users are in it, by id."""
    members = select(func.count()).where(RoleMember.role_id == Role.id).scalar_subquery()
    with backend.catalogue.read() as session:
        rows = session.execute(select(Role, members).order_by(Role.id)).unique()
        return [(role, number) for role, number in rows]


def get_role(backend: Backend, actor: Actor, role_id: int) -> RoleView:
    """One role. Raises ``Forbidden``, whether there is one that the caller may not see or none."""
    with backend.catalogue.read() as session:
        return _view(session, actor, _find(session, actor, role_id, "READ"))


def create_role(backend: Backend, actor: Actor, sent: Mapping[str, Any]) -> RoleView:
    """A new role of the caller. Raises ``BadRequest``, ``Forbidden``, ``NotFound`` for a parent."""
    need.signed_in(actor)
    need.unlimited(actor, "roles")
    now = int(time.time())
    made = Role(owner_id=actor.user_id, name=_name("name", fields.required(sent, "name")), created=now, modified=now)
    for name, (read, default) in SETTERS.items():
        setattr(made, name, default if sent.get(name) is None else read(name, sent[name]))
    made.version = 1
    with backend.catalogue.write() as session:
        made.parent_id = _parent(session, actor, None, sent)
        made.resource_id = new_resource(session, "role", actor.user_id)
        session.add(made)
        session.flush()
        session.refresh(made)
        return _view(session, actor, made)


def update_role(
    backend: Backend, actor: Actor, role_id: int, sent: Mapping[str, Any], if_match: int | None = None
) -> RoleView:
    """Change a role. Raises ``Forbidden``, ``BadRequest``, ``PreconditionFailed``, ``NotFound`` for a parent."""
    with backend.catalogue.write() as session:
        role = _find(session, actor, role_id, "EDIT")
        check_version(role.version, if_match)
        before = _state(role)
        if "name" in sent:
            role.name = _name("name", fields.required(sent, "name"))
        for name, (read, default) in SETTERS.items():
            if name in sent:
                setattr(role, name, default if sent[name] is None else read(name, sent[name]))
        if "parent_id" in sent:
            role.parent_id = _parent(session, actor, role, sent)
        if _state(role) != before:
            role.modified = int(time.time())
            role.version += 1
        session.flush()
        return _view(session, actor, role)


def delete_role(backend: Backend, actor: Actor, role_id: int, if_match: int | None = None) -> None:
    """Delete a role with all that is shared with it; those below it come to stand below the one above.

    Raises ``Forbidden``, ``PreconditionFailed``, ``Conflict`` when something would have no owner any more.
    """
    with backend.catalogue.write() as session:
        role = _find(session, actor, role_id, "EDIT")
        need.unlimited(actor, "roles")
        check_version(role.version, if_match)
        refuse_without_owner(session, Share.role_id == role_id)
        remove_role(session, role)


def remove_role(session: Session, role: Role) -> None:
    """Take a role out of the catalogue."""
    session.execute(update(Role).where(Role.parent_id == role.id).values(parent_id=role.parent_id))
    session.execute(delete(Role).where(Role.id == role.id))
    session.execute(delete(Resource).where(Resource.id == role.resource_id))


def list_members(backend: Backend, actor: Actor, role_id: int, wanted: Listing) -> tuple[int | None, list[User]]:
    """The users who are in the role itself. Raises ``NotFound``, ``BadRequest``."""
    members = select(User).join(RoleMember, RoleMember.user_id == User.id).where(RoleMember.role_id == role_id)
    with backend.catalogue.read() as session:
        need.find_role(session, actor, role_id)
        return listing.run(session, members, wanted, MEMBER_ATTRIBUTES)


def get_member(backend: Backend, actor: Actor, role_id: int, user_id: int) -> User:
    """One user of the role. Raises ``NotFound``."""
    with backend.catalogue.read() as session:
        need.find_role(session, actor, role_id)
        return _member(session, role_id, user_id)


def add_member(backend: Backend, actor: Actor, role_id: int, sent: Mapping[str, Any]) -> User:
    """Put a user into the role; nothing happens when they are in it. Raises ``NotFound``, ``Forbidden``,
    ``BadRequest``."""
    with backend.catalogue.write() as session:
        need.find_role(session, actor, role_id, "EDIT")
        need.signed_in(actor)
        user = _newcomer(session, sent)
        known = select(RoleMember.id).where(RoleMember.role_id == role_id, RoleMember.user_id == user.id)
        if session.scalar(known) is None:
            session.add(RoleMember(role_id=role_id, user_id=user.id))
        return user


def remove_member(backend: Backend, actor: Actor, role_id: int, user_id: int) -> None:
    """Take a user out of the role; everybody may leave. Raises ``NotFound``, ``Forbidden``."""
    with backend.catalogue.write() as session:
        need.find_role(session, actor, role_id, "READ" if user_id == actor.user_id else "EDIT")
        _member(session, role_id, user_id)
        session.execute(delete(RoleMember).where(RoleMember.role_id == role_id, RoleMember.user_id == user_id))


def _member(session: Session, role_id: int, user_id: int) -> User:
    among = select(User).join(RoleMember, RoleMember.user_id == User.id)
    user = session.scalar(among.where(RoleMember.role_id == role_id, User.id == user_id))
    if user is None:
        raise NotFound(f"User {user_id} is not in role {role_id}.")
    return user


def _newcomer(session: Session, sent: Mapping[str, Any]) -> User:
    if sent.get("user_id") is not None:
        field = "user_id"
        user = session.get(User, fields.integer("user_id", sent["user_id"]))
    else:
        field = "username"
        user = find_user(session, fields.text("username", fields.required(sent, "username")))
    if user is None or user.id == ANONYMOUS_ID:
        expected = "the id or name of a user; not anonymous"
        raise BadRequest("There is no such user.", field=field, value=sent[field], expected=expected)
    return user


def _find(session: Session, actor: Actor, role_id: int, permission: str) -> Role:
    found = session.get(Role, role_id)
    held = need.role_permissions(session, actor, found) if found else access.NOTHING
    if not held:
        raise Forbidden(f"There is no role {role_id} that is shared with you.")
    need.require(held, permission, f"role {role_id}")
    assert found is not None
    return found


def _view(session: Session, actor: Actor, role: Role) -> RoleView:
    return RoleView(role, need.role_permissions(session, actor, role))


def _state(role: Role) -> tuple[Any, ...]:
    return tuple(getattr(role, name) for name in (*SETTERS, "name", "parent_id"))


def _parent(session: Session, actor: Actor, role: Role | None, sent: Mapping[str, Any]) -> int | None:
    """The role that is to stand above: its members' things come to those of this one, so it must be one's to edit.

    Raises ``NotFound``, ``Forbidden``, and ``BadRequest`` for a cycle.
    """
    value = sent.get("parent_id")
    if value in (None, "", 0, "0"):
        return None
    wanted = fields.integer("parent_id", value)
    if role is not None and wanted == role.parent_id:
        return wanted
    need.find_role(session, actor, wanted, "EDIT")
    if role is not None and role.id in _line_above(session, wanted):
        expected = "a role that is neither this one nor below it"
        raise BadRequest("A role cannot stand below itself.", field="parent_id", value=value, expected=expected)
    return wanted


def _line_above(session: Session, role_id: int) -> set[int]:
    """A role and all that stand above it."""
    own = select(Role.id.label("id"), Role.parent_id.label("parent")).where(Role.id == role_id).cte(recursive=True)
    above = select(Role.id, Role.parent_id).join(own, Role.id == own.c.parent)
    return set(session.scalars(select(own.union(above).c.id)))
