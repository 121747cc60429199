"""The one access check: finds a thing for a caller who may do something to it, or says no the right way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from graticule.catalogue import access
from graticule.catalogue.orm import ANONYMOUS_ID, Dataset, Datasource, File, Layer, Map, MapFile, Role, User
from graticule.errors import Forbidden, NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session

    from graticule.catalogue.access import Actor

# SQLite takes only so many bound values in one statement.
MOST_BOUND = 1000
SHARERS = frozenset({"OWNER", "SHARE", "EDIT_WITH_SHARE"})


def signed_in(actor: Actor) -> None:
    """Raises ``Forbidden`` for anonymous callers."""
    if not actor.signed_in:
        raise Forbidden("Sign in first, or send an API key.")


def unlimited(actor: Actor, things: str) -> None:
    """Raises ``Forbidden`` for callers by a key that is limited: with ``things`` it could get round its limits."""
    if actor.scopes:
        raise Forbidden(f"A key of the scope {', '.join(sorted(actor.scopes))} cannot make or delete {things}.")


def require(held: frozenset[str], permission: str, name: str) -> None:
    """Raises ``NotFound`` when nothing is held on the thing called ``name``, ``Forbidden`` when not this."""
    if not held:
        raise NotFound(f"There is no {name}, or it is not shared with you.")
    verdict = access.may(held, permission)
    if not verdict.allowed:
        raise Forbidden(f"{verdict.because} You do not have it on {name}.")


def find_map(session: Session, actor: Actor, map_id: int, permission: str = "READ") -> Map:
    """The map. Raises ``NotFound``, ``Forbidden``."""
    found = session.get(Map, map_id)
    held = access.permissions_on(session, actor.user_id, found.resource_id) if found else access.NOTHING
    require(held, permission, f"map {map_id}")
    assert found is not None
    return found


def find_map_to_add_to(session: Session, actor: Actor, map_id: int) -> Map:
    """A map to which, or to one of whose layers, the caller may add features. Raises ``NotFound``, ``Forbidden``."""
    found = session.get(Map, map_id)
    held = access.NOTHING
    if found is not None:
        of_layers = session.scalars(select(Layer.resource_id).where(Layer.map_id == map_id))
        held = access.permissions_on(session, actor.user_id, found.resource_id, *of_layers)
    if not held & {"INSERT", "INSERT_MDC", "EDIT"}:
        require(held, "INSERT", f"map {map_id}")
    assert found is not None
    return found


def layer_permissions(session: Session, user_id: int, layer: Layer) -> frozenset[str]:
    """All that a user may do with a layer itself: by its own shares and its map's."""
    return access.permissions_on(session, user_id, layer.resource_id, layer.map.resource_id)


def find_layer(session: Session, actor: Actor, layer_id: int, permission: str = "READ") -> Layer:
    """The layer. Raises ``NotFound``, ``Forbidden``."""
    found = session.get(Layer, layer_id)
    held = layer_permissions(session, actor.user_id, found) if found else access.NOTHING
    require(held, permission, f"layer {layer_id}")
    assert found is not None
    return found


def data_permissions(session: Session, actor: Actor, layer: Layer) -> frozenset[str]:
    """What a caller may do with the data through a layer: the lesser of two rights.

    One is the caller's on the layer; the other that of the user who set its source on the data, at this moment. To
    others that user must be able to share the data.
    """
    of_layer = layer_permissions(session, actor.user_id, layer)
    if layer.source_user_id is None or (layer.dataset_id is None and layer.raster_path is None):
        return of_layer
    of_data = source_permissions(session, layer.source_user_id, layer)
    if actor.user_id != layer.source_user_id and not of_data & SHARERS:
        return access.NOTHING
    return frozenset(name for name in of_layer if access.covers(of_data, name))


def source_permissions(session: Session, user_id: int, layer: Layer) -> frozenset[str]:
    """What a user may do with the data behind a layer itself."""
    if layer.dataset is not None:
        return dataset_permissions(session, user_id, layer.dataset)
    assert layer.raster_account_id is not None
    assert layer.raster_path is not None
    return file_permissions(session, user_id, layer.raster_account_id, layer.raster_path)


def dataset_permissions(session: Session, user_id: int, dataset: Dataset) -> frozenset[str]:
    """What a user may do with a table, or with what was read in: the same as with the file or datasource."""
    if dataset.kind == "file":
        return file_permissions(session, user_id, dataset.account_id, dataset.path or "")
    if dataset.datasource_id is not None:
        source = session.get(Datasource, dataset.datasource_id)
        return access.permissions_on(session, user_id, source.resource_id) if source else access.NOTHING
    return access.permissions_on(session, user_id, dataset.resource_id or 0)


def file_permissions(session: Session, user_id: int, account: int, path: str) -> frozenset[str]:
    """What a user may do with a file or directory: by its own shares and those of the directories above it.

    What was uploaded for a map may also be read by whoever may read the map.
    """
    if user_id == account:
        return access.BRINGS["OWNER"]
    held = access.permissions_on(session, user_id, *resources_of_path(session, account, path))
    if "READ" not in held and _is_of_a_map(session, user_id, account, path):
        return held | {"READ"}
    return held


def _is_of_a_map(session: Session, user_id: int, account: int, path: str) -> bool:
    """Whether the file was uploaded for a map that the user may read."""
    statement = select(MapFile.id).join(Map).where(MapFile.account_id == account, MapFile.path == path)
    return session.scalar(statement.where(access.visible_maps(user_id)).limit(1)) is not None


def readable_files(session: Session, user_id: int, account: int, paths: Collection[str]) -> set[str]:
    """Those of many files of an account that a user may read, as ``file_permissions`` would say of each."""
    if user_id == account:
        return set(paths)
    shared = access.readable(File.resource_id, access.holds_for(user_id))
    places = set(session.scalars(select(File.path).where(File.account_id == account, shared)))
    found = {path for path in paths if any(above in places for above in _path_and_above(path))}
    left = sorted(set(paths) - found)
    of_maps = select(MapFile.path).join(Map).where(MapFile.account_id == account, access.visible_maps(user_id))
    for start in range(0, len(left), MOST_BOUND):
        found.update(session.scalars(of_maps.where(MapFile.path.in_(left[start : start + MOST_BOUND]))))
    return found


def resources_of_path(session: Session, account: int, path: str) -> Sequence[int]:
    """The resources of a file or directory and of all the directories above it, as far as they have some."""
    above = _path_and_above(path)
    return session.scalars(select(File.resource_id).where(File.account_id == account, File.path.in_(above))).all()


def _path_and_above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]


def role_permissions(session: Session, actor: Actor, role: Role) -> frozenset[str]:
    """What a caller may do with a role. Administrators own all; who is in it may read it."""
    if actor.administrator:
        return access.BRINGS["OWNER"]
    held = access.permissions_on(session, actor.user_id, role.resource_id)
    inside = select(Role.id).where(Role.id == role.id, Role.id.in_(access.roles_of(actor.user_id)))
    return held if session.scalar(inside) is None else held | {"READ"}


def find_role(session: Session, actor: Actor, role_id: int, permission: str = "READ") -> Role:
    """The role. Raises ``NotFound``, ``Forbidden``."""
    found = session.get(Role, role_id)
    require(role_permissions(session, actor, found) if found else access.NOTHING, permission, f"role {role_id}")
    assert found is not None
    return found


def user_permissions(session: Session, actor: Actor, user: User) -> frozenset[str]:
    """What a caller may do with an account. Administrators own all, and everybody their own; anonymous is nobody."""
    if user.id == ANONYMOUS_ID:
        return access.NOTHING
    if actor.administrator or actor.user_id == user.id:
        return access.BRINGS["OWNER"]
    return access.permissions_on(session, actor.user_id, user.resource_id or 0)
