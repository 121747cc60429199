"""Shares of resources: who has which permission, and giving and taking them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from graticule.actions import fields, need
from graticule.actions.users import find_user
from graticule.catalogue import access
from graticule.catalogue.orm import Datasource, File, Form, Layer, Map, Resource, Share, User
from graticule.errors import BadRequest, Conflict, Forbidden, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from graticule.backend import Backend
    from graticule.catalogue.access import Actor

Grant = tuple[Share, str]


def list_shares(backend: Backend, actor: Actor, resource_id: int) -> list[Grant]:
    """The shares of a resource with the names of their users: all for those who may share, else one's own."""
    with backend.catalogue.read() as session:
        held = _held(session, actor, resource_id)
        if not actor.signed_in:
            raise Forbidden("Sign in first, or send an API key.")
        rows = select(Share, User.username).join(User, User.id == Share.user_id).where(Share.resource_id == resource_id)
        if not held & need.SHARERS:
            rows = rows.where(access.holds_for(actor.user_id))
        return [(share, username) for share, username in session.execute(rows.order_by(Share.id))]


def get_share(backend: Backend, actor: Actor, resource_id: int, share_id: int) -> Grant:
    """One share. Raises ``NotFound``, ``Forbidden``."""
    for share, username in list_shares(backend, actor, resource_id):
        if share.id == share_id:
            return share, username
    raise NotFound(f"Resource {resource_id} has no share {share_id}.")


def grant(backend: Backend, actor: Actor, resource_id: int, sent: Mapping[str, Any]) -> Grant:
    """Give a user a permission; the existing share when the user has it already.

    Raises ``NotFound``, ``Forbidden``, ``BadRequest``.
    """
    with backend.catalogue.write() as session:
        held = _held(session, actor, resource_id)
        need.signed_in(actor)
        permission = _permission(sent)
        _may_give(held, permission)
        user = _grantee(session, sent)
        existing = session.scalar(
            select(Share).where(
                Share.resource_id == resource_id, Share.user_id == user.id, Share.permission == permission
            )
        )
        share = existing or Share(resource_id=resource_id, user_id=user.id, permission=permission)
        session.add(share)
        session.flush()
        return share, user.username


def revoke(backend: Backend, actor: Actor, resource_id: int, share_id: int) -> None:
    """Take a permission back, or give up one's own. Raises ``NotFound``, ``Forbidden``, ``Conflict``."""
    with backend.catalogue.write() as session:
        held = _held(session, actor, resource_id)
        need.signed_in(actor)
        share = session.get(Share, share_id)
        if share is None or share.resource_id != resource_id:
            raise NotFound(f"Resource {resource_id} has no share {share_id}.")
        if share.user_id != actor.user_id:
            _may_give(held, share.permission)
        if share.permission == "OWNER" and _owners(session, resource_id) == 1:
            raise Conflict("The last OWNER of a resource cannot be removed.")
        session.delete(share)


def describe_resource(backend: Backend, actor: Actor, resource_id: int) -> tuple[Resource, int | None]:
    """A resource and the id of the map or layer it belongs to. Raises ``NotFound``."""
    with backend.catalogue.read() as session:
        _held(session, actor, resource_id)
        resource = session.get_one(Resource, resource_id)
        of_map = select(Map.id).where(Map.resource_id == resource_id)
        of_layer = select(Layer.id).where(Layer.resource_id == resource_id)
        of_datasource = select(Datasource.id).where(Datasource.resource_id == resource_id)
        of_form = select(Form.id).where(Form.resource_id == resource_id)
        known = {"map": of_map, "layer": of_layer, "datasource": of_datasource, "form": of_form}
        wanted = known.get(resource.type)
        return resource, None if wanted is None else session.scalar(wanted)


def _held(session: Session, actor: Actor, resource_id: int) -> frozenset[str]:
    """What the caller may do with whatever stands behind the resource. Raises ``NotFound`` for nothing at all."""
    resource = session.get(Resource, resource_id)
    held = access.permissions_on(session, actor.user_id, *_standing_above(session, resource, resource_id))
    if resource is None or not held:
        raise NotFound(f"There is no resource {resource_id}, or it is not shared with you.")
    return held


def _standing_above(session: Session, resource: Resource | None, resource_id: int) -> tuple[int, ...]:
    """The resources whose shares hold for this one: a layer's map, the directories above a file."""
    above: Sequence[int] = ()
    if resource is not None and resource.type == "layer":
        above = session.scalars(select(Map.resource_id).join(Layer).where(Layer.resource_id == resource_id)).all()
    elif resource is not None and resource.type == "file":
        file = session.scalar(select(File).where(File.resource_id == resource_id))
        above = need.resources_of_path(session, file.account_id, file.path) if file else ()
    return (resource_id, *above)


def _permission(sent: Mapping[str, Any]) -> str:
    name = fields.text("permission", fields.required(sent, "permission")).upper()
    if name not in access.PERMISSIONS:
        expected = "one of " + ", ".join(access.PERMISSIONS)
        raise BadRequest(f"Unknown permission {name}.", field="permission", value=name, expected=expected)
    return name


def _may_give(held: frozenset[str], permission: str) -> None:
    if "OWNER" in held:
        return
    if not held & need.SHARERS:
        raise Forbidden("Sharing this needs the permission SHARE, EDIT_WITH_SHARE or OWNER.")
    if permission == "OWNER" or not access.covers(held, permission):
        raise Forbidden(f"You cannot give or take {permission}: you do not have it yourself.")


def _grantee(session: Session, sent: Mapping[str, Any]) -> User:
    if sent.get("username") is not None:
        name = fields.text("username", sent["username"])
        user = find_user(session, name)
    else:
        name = str(fields.required(sent, "user_id")) if "user_id" in sent else ""
        user = session.get(User, fields.integer("user_id", name)) if name else None
    if user is None:
        expected = "the username or role of somebody to share with; anonymous is everyone"
        raise BadRequest("There is no such user or role.", field="username", value=name, expected=expected)
    return user


def _owners(session: Session, resource_id: int) -> int:
    owners = select(func.count()).where(Share.resource_id == resource_id, Share.permission == "OWNER")
    return session.scalar(owners) or 0
