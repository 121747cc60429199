"""Shares of resources: who has which permission, and giving and taking them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, select, true
from sqlalchemy.orm import aliased

from graticule.actions import fields, need
from graticule.actions.users import find_user
from graticule.actions.versions import check_version
from graticule.catalogue import access
from graticule.catalogue.orm import (
    ANONYMOUS_ID,
    Dataset,
    Datasource,
    File,
    Form,
    Layer,
    Map,
    Resource,
    Role,
    Share,
    User,
)
from graticule.errors import BadRequest, Conflict, Forbidden, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from graticule.backend import Backend
    from graticule.catalogue.access import Actor

# Of every share and of every resource as such: they are made and deleted, and never changed.
VERSION = 1
# How many roles of the same name are told apart.
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Grant:
    """A share with the name of the user, or else of the role, that has it."""

    share: Share
    username: str | None
    role: str | None


def list_shares(backend: Backend, actor: Actor, resource_id: int) -> list[Grant]:
    """The shares of a resource with whom they are for: all for those who may share, else one's own."""
    with backend.catalogue.read() as session:
        held_on(session, actor, resource_id)
    need.signed_in(actor)
    return shares_seen(backend, actor, resource_id)


def shares_seen(backend: Backend, actor: Actor, resource_id: int) -> list[Grant]:
    """The same, also for callers who have not signed in: they see those of everyone. Raises ``NotFound``."""
    with backend.catalogue.read() as session:
        held = held_on(session, actor, resource_id)
        rows = select(Share, User.username, Role.name).where(Share.resource_id == resource_id).order_by(Share.id)
        rows = rows.outerjoin(User, User.id == Share.user_id).outerjoin(Role, Role.id == Share.role_id)
        if not held & need.SHARERS:
            rows = rows.where(access.holds_for(actor.user_id))
        return [Grant(*row) for row in session.execute(rows)]


def is_public(backend: Backend, resource_id: int) -> bool:
    """Whether everyone may read the resource by shares of its own."""
    with backend.catalogue.read() as session:
        return "READ" in access.permissions_on(session, ANONYMOUS_ID, resource_id)


def get_share(backend: Backend, actor: Actor, resource_id: int, share_id: int) -> Grant:
    """One share. Raises ``NotFound``, ``Forbidden``."""
    for found in list_shares(backend, actor, resource_id):
        if found.share.id == share_id:
            return found
    raise NotFound(f"Resource {resource_id} has no share {share_id}.")


def grant(backend: Backend, actor: Actor, resource_id: int, sent: Mapping[str, Any]) -> Grant:
    """Give a user or a role a permission; the existing share when there is one already.

    Raises ``NotFound``, ``Forbidden``, ``BadRequest``.
    """
    with backend.catalogue.write() as session:
        held = held_on(session, actor, resource_id)
        need.signed_in(actor)
        permission = _permission(sent)
        _may_give(held, permission)
        to = _grantee(session, actor, sent)
        share = Share(resource_id=resource_id, permission=permission)
        if isinstance(to, Role):
            share.role_id = to.id
        else:
            share.user_id = to.id
        return _kept(session, share, to)


def _kept(session: Session, share: Share, to: User | Role) -> Grant:
    same = select(Share).where(Share.resource_id == share.resource_id, Share.permission == share.permission)
    for_it = Share.role_id == to.id if isinstance(to, Role) else Share.user_id == to.id
    existing = session.scalar(same.where(for_it))
    if existing is None:
        session.add(share)
        session.flush()
    found = existing or share
    return Grant(found, None, to.name) if isinstance(to, Role) else Grant(found, to.username, None)


def revoke(backend: Backend, actor: Actor, resource_id: int, share_id: int, if_match: int | None = None) -> None:
    """Take a permission back, or give up one's own.

    Raises ``NotFound``, ``Forbidden``, ``PreconditionFailed``, ``Conflict``.
    """
    with backend.catalogue.write() as session:
        held = held_on(session, actor, resource_id)
        need.signed_in(actor)
        share = session.scalar(select(Share).where(Share.id == share_id, Share.resource_id == resource_id))
        if share is None or share.user_id != actor.user_id:
            # Before it is said whether there is such a share: who may not share does not learn of others'.
            _may_share(held)
        if share is None:
            raise NotFound(f"Resource {resource_id} has no share {share_id}.")
        if share.user_id != actor.user_id:
            _may_give(held, share.permission)
        check_version(VERSION, if_match)
        refuse_without_owner(session, Share.id == share_id)
        session.delete(share)


def refuse_without_owner(session: Session, leaving: ColumnElement[bool]) -> None:
    """Raises ``Conflict`` when something would have no OWNER any more without the shares of that condition."""
    other, gone = aliased(Share), select(Share.id).where(leaving).subquery()
    remains = exists().where(
        other.resource_id == Share.resource_id, other.permission == "OWNER", other.id.not_in(select(gone.c.id))
    )
    orphan = session.scalar(select(Share.resource_id).where(leaving, Share.permission == "OWNER", ~remains).limit(1))
    if orphan is not None:
        raise Conflict(f"The last OWNER of a resource cannot be removed: this is that of resource {orphan}.")


# Where what stands behind a resource is found, by the resource's type.
BEHIND: dict[str, Any] = {
    "map": Map,
    "layer": Layer,
    "table": Dataset,
    "file": File,
    "user": User,
    "role": Role,
    "datasource": Datasource,
    "form": Form,
}


def describe_resource(backend: Backend, actor: Actor, resource_id: int) -> tuple[Resource, str | None]:
    """A resource and what the thing behind it is known by: its id, a table's name. Raises ``NotFound``."""
    with backend.catalogue.read() as session:
        held_on(session, actor, resource_id)
        resource = session.get_one(Resource, resource_id)
        kind = BEHIND.get(resource.type)
        found = None if kind is None else session.scalars(_behind(kind, resource_id)).unique().one_or_none()
    if isinstance(found, Dataset):
        return resource, f"usrsch{found.account_id}.{found.store_table}"
    return resource, None if found is None else str(found.id)


def _behind(kind: Any, resource_id: int) -> Select[Any]:
    return select(kind).where(kind.resource_id == resource_id)


def held_on(session: Session, actor: Actor, resource_id: int) -> frozenset[str]:
    """What the caller may do with whatever stands behind the resource. Raises ``NotFound`` for nothing at all."""
    resource = session.get(Resource, resource_id)
    held = _held(session, actor, resource) if resource else access.NOTHING
    if not held:
        raise NotFound(f"There is no resource {resource_id}, or it is not shared with you.")
    return held


def _held(session: Session, actor: Actor, resource: Resource) -> frozenset[str]:
    if resource.type == "role":
        return need.role_permissions(session, actor, session.scalars(_behind(Role, resource.id)).unique().one())
    if resource.type == "user":
        return need.user_permissions(session, actor, session.scalars(_behind(User, resource.id)).one())
    return access.permissions_on(session, actor.user_id, *_standing_above(session, resource))


def _standing_above(session: Session, resource: Resource) -> tuple[int, ...]:
    """The resources whose shares hold for this one: a layer's map, the directories above a file."""
    above: Sequence[int] = ()
    if resource.type == "layer":
        above = session.scalars(select(Map.resource_id).join(Layer).where(Layer.resource_id == resource.id)).all()
    elif resource.type == "file":
        file = session.scalar(select(File).where(File.resource_id == resource.id))
        above = need.resources_of_path(session, file.account_id, file.path) if file else ()
    return (resource.id, *above)


def _permission(sent: Mapping[str, Any]) -> str:
    name = fields.text("permission", fields.required(sent, "permission")).upper()
    if name not in access.PERMISSIONS:
        expected = "one of " + ", ".join(access.PERMISSIONS)
        raise BadRequest("There is no such permission.", field="permission", value=name, expected=expected)
    return name


def _may_share(held: frozenset[str]) -> None:
    if not held & need.SHARERS:
        raise Forbidden("Sharing this needs the permission SHARE, EDIT_WITH_SHARE or OWNER.")


def _may_give(held: frozenset[str], permission: str) -> None:
    _may_share(held)
    if "OWNER" in held:
        return
    if permission == "OWNER" or not access.covers(held, permission):
        raise Forbidden(f"You cannot give or take {permission}: you do not have it yourself.")


def _grantee(session: Session, actor: Actor, sent: Mapping[str, Any]) -> User | Role:
    """Whom to share with. Raises ``BadRequest`` for a user or role that is not there."""
    if sent.get("role_id") is not None:
        return _role_by_id(session, actor, sent["role_id"])
    if sent.get("role") is not None:
        return _role_by_name(session, actor, sent["role"])
    field = "user_id" if sent.get("username") is None and sent.get("user_id") is not None else "username"
    if field == "username":
        user = find_user(session, fields.text(field, sent.get(field) or ""))
    else:
        user = session.get(User, fields.integer(field, sent[field]))
    if user is None:
        raise _unknown(field, sent.get(field))
    return user


def _role_by_id(session: Session, actor: Actor, value: Any) -> Role:
    """Raises ``NotFound``, ``Forbidden`` for a role that the caller may not read."""
    role_id = fields.integer("role_id", value)
    if session.get(Role, role_id) is None:
        raise _unknown("role_id", value)
    return need.find_role(session, actor, role_id)


def _role_by_name(session: Session, actor: Actor, value: Any) -> Role:
    """The one role of that name among those that the caller may read; other people's have names of their own."""
    name = fields.text("role", value)
    visible = true() if actor.administrator else access.visible_roles(actor.user_id)
    named = select(Role).where(Role.name == name, visible).order_by(Role.id).limit(MOST_NAMED)
    found = session.scalars(named).unique().all()
    if not found:
        raise _unknown("role", value)
    if len(found) > 1:
        expected = "role_id: " + ", ".join(str(role.id) for role in found)
        raise BadRequest(f"There are several roles named {name}.", field="role", value=value, expected=expected)
    return found[0]


def _unknown(field: str, value: Any) -> BadRequest:
    expected = "the name or id of a user or role to share with; the user anonymous is everyone"
    return BadRequest("There is no such user or role.", field=field, value=value, expected=expected)
