"""Who may do what: what each permission brings, and what a caller has on a resource."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, exists, false, or_, select

from graticule.catalogue.orm import ANONYMOUS_ID, Layer, Map, Role, RoleMember, Share, User

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Select
    from sqlalchemy.orm import InstrumentedAttribute, Session

PERMISSIONS = (
    "OWNER",
    "READ",
    "EDIT",
    "EXPORT",
    "EDIT_MOBILE",
    "EDIT_WITH_SHARE",
    "INSERT",
    "INSERT_MDC",
    "UPDATE",
    "UPDATE_MDC",
    "DELETE",
    "DELETE_MDC",
    "SHARE",
)
_EDIT = frozenset({"EDIT", "READ", "INSERT", "UPDATE", "DELETE"})
_OWN_FEATURES = frozenset({"INSERT_MDC", "UPDATE_MDC", "DELETE_MDC"})

# What each permission brings (the contract, section 8). A permission always brings itself.
BRINGS: dict[str, frozenset[str]] = {
    "OWNER": frozenset(PERMISSIONS),
    "EDIT_WITH_SHARE": _EDIT | {"EDIT_WITH_SHARE", "SHARE"},
    "EDIT": _EDIT,
    "EDIT_MOBILE": _OWN_FEATURES | {"EDIT_MOBILE", "READ"},
    **{name: frozenset({name, "READ"}) for name in ("EXPORT", "INSERT", "UPDATE", "DELETE", "SHARE")},
    **{name: frozenset({name}) for name in ("READ", *_OWN_FEATURES)},
}
# Names that only stand for others.
_BUNDLES = frozenset({"EDIT_WITH_SHARE", "EDIT_MOBILE"})
# The permissions that bring READ; those who hold others only see features of their own.
READING = tuple(name for name, brings in BRINGS.items() if "READ" in brings)
NOTHING: frozenset[str] = frozenset()
# An owner that no feature has.
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller. ``key_id`` is that of the key it came with; ``scopes`` limit that key."""

    user_id: int
    username: str
    administrator: bool = False
    key_id: int | None = None
    scopes: frozenset[str] = NOTHING

    @property
    def signed_in(self) -> bool:
        return self.user_id != ANONYMOUS_ID


ANONYMOUS = Actor(ANONYMOUS_ID, "anonymous")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether, and why; ``because`` is a sentence for the caller."""

    allowed: bool
    because: str


def roles_of(user_id: int) -> Select[tuple[int]]:
    """The ids of the roles that a user is in, and of all the roles above them."""
    own = select(RoleMember.role_id.label("id")).where(RoleMember.user_id == user_id).cte(recursive=True)
    above = select(Role.parent_id).join(own, Role.id == own.c.id).where(Role.parent_id.is_not(None))
    return select(own.union(above).c.id)


def holds_for(user_id: int, *, in_person: bool = False) -> ColumnElement[bool]:
    """The condition on shares that hold for a user: their own, those of their roles, and everyone's.

    ``in_person`` leaves out everyone's.
    """
    users = {user_id} if in_person else {user_id, ANONYMOUS_ID}
    of_roles = false() if user_id == ANONYMOUS_ID else Share.role_id.in_(roles_of(user_id))
    return or_(Share.user_id.in_(sorted(users)), of_roles)


def expand(granted: Iterable[str]) -> frozenset[str]:
    """All that the granted permissions bring together."""
    return frozenset().union(*(BRINGS[name] for name in granted))


def granted_on(session: Session, user_id: int, resource_ids: Iterable[int]) -> frozenset[str]:
    """The permissions that hold for a user on any of the resources, before expansion."""
    statement = select(Share.permission).where(Share.resource_id.in_(tuple(resource_ids)), holds_for(user_id))
    return frozenset(session.scalars(statement))


def permissions_on(session: Session, user_id: int, *resource_ids: int) -> frozenset[str]:
    """All that a user may do with something that stands under these resources (a layer: its own and its map's)."""
    return expand(granted_on(session, user_id, resource_ids))


def may(held: frozenset[str], permission: str, *, own: bool = False) -> Verdict:
    """Whether the held permissions allow it. ``own``: it concerns a feature that the caller made."""
    if permission in held:
        return Verdict(True, f"{permission} is held")
    if own and f"{permission}_MDC" in held:
        return Verdict(True, f"{permission}_MDC is held and the feature is the caller's own")
    if f"{permission}_MDC" in held:
        return Verdict(False, f"{permission}_MDC allows this on one's own features only.")
    return Verdict(False, f"This needs the permission {permission}.")


def sees_features_of(user_id: int, held: frozenset[str]) -> int | None:
    """The user whose features are all that the holder sees; None for everyone's.

    Without READ these are one's own. Those that were made without a key are nobody's own.
    """
    if "READ" in held:
        return None
    return NOBODY if user_id == ANONYMOUS_ID else user_id


def covers(held: frozenset[str], permission: str) -> bool:
    """Whether all that a permission brings is held, under whatever name. OWNER is covered by itself only."""
    return all(name in held or name.removesuffix("_MDC") in held for name in BRINGS[permission] - _BUNDLES)


def readable(resource_id: InstrumentedAttribute[Any], holds: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition on things that can be read by those shares of theirs for which ``holds`` is true."""
    return exists().where(Share.resource_id == resource_id, holds, Share.permission.in_(READING))


def visible_maps(user_id: int) -> ColumnElement[bool]:
    """The condition on maps that the user may read, to filter lists with in the database."""
    return readable(Map.resource_id, holds_for(user_id))


def visible_layers(user_id: int) -> ColumnElement[bool]:
    """The condition on layers that the user may read: by the layer's own shares or its map's. Needs Map joined."""
    return or_(readable(Layer.resource_id, holds_for(user_id)), visible_maps(user_id))


def public_map() -> ColumnElement[bool]:
    """The condition on maps that everyone may read."""
    return readable(Map.resource_id, Share.user_id == ANONYMOUS_ID)


def shared_map(user_id: int) -> ColumnElement[bool]:
    """The condition on maps of others that were shared with the user in person or with a role of theirs."""
    return (Map.owner_id != user_id) & readable(Map.resource_id, holds_for(user_id, in_person=True))


def visible_roles(user_id: int) -> ColumnElement[bool]:
    """The condition on roles that the user may read: by shares, or as one who is in them."""
    return or_(readable(Role.resource_id, holds_for(user_id)), Role.id.in_(roles_of(user_id)))


def visible_users(user_id: int) -> ColumnElement[bool]:
    """The condition on users whom the user may read: oneself, and those that are shared."""
    return or_(User.id == user_id, readable(User.resource_id, holds_for(user_id)))
