"""Deleting users, and what becomes of their things.

A user who still owns something is not deleted, so that nothing goes or breaks by the way. An administrator may force
it: then all that the user owns goes too; layers of the user's on other people's maps go over to the maps' owners, and
those that showed the user's data say that it is gone.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from graticule.actions import need
from graticule.actions.datasets import forget, keeping
from graticule.actions.roles import remove_role
from graticule.actions.users import refuse_last_administrator, see_user
from graticule.actions.versions import check_version
from graticule.actions.wfs import tables_of
from graticule.catalogue.orm import (
    ApprovedApp,
    Dataset,
    Datasource,
    File,
    Form,
    Layer,
    Map,
    MapFile,
    Media,
    OAuthClient,
    Resource,
    Role,
    Share,
    User,
)
from graticule.errors import Conflict, Forbidden

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from graticule.backend import Backend
    from graticule.catalogue.access import Actor

# SQLite takes only so many bound values in one statement.
MOST_BOUND = 1000
DATA_GONE = dict.fromkeys(("source_user_id", "dataset_id", "raster_account_id", "raster_path"))


def delete_user(
    backend: Backend, actor: Actor, user_id: int, *, force: bool = False, if_match: int | None = None
) -> None:
    """Delete a user. Raises ``Forbidden``, ``PreconditionFailed``, ``Conflict`` for one who still owns something or is
    the last administrator."""
    see_user(backend, actor, user_id)
    need.unlimited(actor, "users")
    if force and not actor.administrator:
        raise Forbidden("Only administrators delete a user with all that they own.")
    with keeping(backend, user_id):
        stored = 0 if force else len(backend.files.list(user_id, ""))
        with backend.catalogue.write() as session:
            user = session.get_one(User, user_id)
            need.require(need.user_permissions(session, actor, user), "EDIT", f"user {user_id}")
            check_version(user.version, if_match)
            refuse_last_administrator(session, user)
            if not force:
                _refuse_owner(session, user_id, stored)
            copies = _tables_of_copies(session, user_id)
            _remove(session, user)
        _remove_data(backend, user_id, copies)


def _tables_of_copies(session: Session, user_id: int) -> list[tuple[int, str]]:
    """Accounts of others and their tables that were read from services which the user's datasources name."""
    copies = session.scalars(select(Dataset).where(_copied(user_id), Dataset.kind == "wfs")).all()
    return [(copy.account_id, name) for copy in copies for name in tables_of(copy)]


def _remove_data(backend: Backend, user_id: int, copies: list[tuple[int, str]]) -> None:
    own = [(user_id, name) for name in backend.store.tables(user_id)]
    for account, name in [*copies, *own]:
        backend.store.drop(account, name)
    shutil.rmtree(backend.accounts / str(user_id), ignore_errors=True)


def _refuse_owner(session: Session, user_id: int, stored: int) -> None:
    counts = {name: session.scalar(statement) or 0 for name, statement in _owned(user_id).items()}
    if stored:
        counts["files and folders in storage"] = stored
    held = ", ".join(f"{number} {name}" for name, number in counts.items() if number)
    if held:
        raise Conflict(
            f"User {user_id} still owns: {held}. Delete them first; an administrator may send force=true, which "
            "deletes them all.",
            field="force",
            expected="true, to delete all that the user owns",
        )


def _owned(user_id: int) -> dict[str, Select[int]]:
    """How many there are of each kind of things that would go, or break, without the user."""
    on_others = select(func.count(Layer.id)).join(Map, Map.id == Layer.map_id).where(Map.owner_id != user_id)
    return {
        "maps": _count(Map.owner_id == user_id),
        "layers on maps of others": on_others.where(_depends(user_id)),
        "tables": _count(Dataset.account_id == user_id, Dataset.kind == "table"),
        "roles": _count(Role.owner_id == user_id),
        "datasources": _count(Datasource.owner_id == user_id),
        "forms": _count(Form.owner_id == user_id),
        "OAuth2 clients that others have approved": _count(
            OAuthClient.owner_id == user_id,
            exists().where(ApprovedApp.client_id == OAuthClient.id, ApprovedApp.user_id != user_id),
        ),
        "resources of others without another OWNER": _count(_alone(user_id)),
    }


def _count(*conditions: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).where(*conditions)


def _depends(user_id: int) -> ColumnElement[bool]:
    """The condition on layers that are a user's or show data by the user's rights."""
    return or_(Layer.owner_id == user_id, Layer.source_user_id == user_id, Layer.raster_account_id == user_id)


def _alone(user_id: int) -> ColumnElement[bool]:
    """The condition on resources that others made and nobody but the user, or a role of the user's, owns now."""
    own, other = aliased(Share), aliased(Share)
    roles = select(Role.id).where(Role.owner_id == user_id)
    going = or_(own.user_id == user_id, own.role_id.in_(roles))
    # Null is not in a list of none.
    staying = or_(other.user_id != user_id, other.role_id.is_not(None) & other.role_id.not_in(roles))
    owned = exists().where(own.resource_id == Resource.id, own.permission == "OWNER", going)
    remains = exists().where(other.resource_id == Resource.id, other.permission == "OWNER", staying)
    return (Resource.owner_id != user_id) & owned & ~remains


def _remove(session: Session, user: User) -> None:
    for resource_id, maker in session.execute(select(Resource.id, Resource.owner_id).where(_alone(user.id))).all():
        session.add(Share(resource_id=resource_id, user_id=maker, permission="OWNER"))
    _remove_maps(session, user.id)
    _hand_over_layers(session, user.id)
    for role in session.scalars(select(Role).where(Role.owner_id == user.id)).unique().all():
        remove_role(session, role)
    _remove_rows(session, user.id)
    session.execute(update(User).where(User.owner_id == user.id).values(owner_id=None))
    session.flush()
    # The user's own resource is of the user, whose row must go last.
    session.execute(delete(Resource).where(Resource.owner_id == user.id))
    session.execute(delete(User).where(User.id == user.id))


def _remove_maps(session: Session, user_id: int) -> None:
    maps = select(Map.id).where(Map.owner_id == user_id)
    of_layers = session.scalars(select(Layer.resource_id).where(Layer.map_id.in_(maps))).all()
    of_maps = session.scalars(select(Map.resource_id).where(Map.owner_id == user_id)).all()
    _execute(session, delete(Layer).where(Layer.map_id.in_(maps)))
    _execute(session, delete(Map).where(Map.owner_id == user_id))
    _remove_resources(session, [*of_layers, *of_maps])


def _hand_over_layers(session: Session, user_id: int) -> None:
    """What is left of the user's are layers on maps of others."""
    for layer in session.scalars(select(Layer).where(Layer.owner_id == user_id)).unique().all():
        layer.owner_id = layer.map.owner_id
        session.get_one(Resource, layer.resource_id).owner_id = layer.owner_id
        _own(session, layer.resource_id, layer.owner_id)
    session.flush()
    shown = select(Dataset.id).where(Dataset.account_id == user_id)
    showing = or_(Layer.source_user_id == user_id, Layer.raster_account_id == user_id, Layer.dataset_id.in_(shown))
    _execute(session, update(Layer).where(showing).values(DATA_GONE))
    sources = select(Datasource.id).where(Datasource.owner_id == user_id)
    forms = select(Form.id).where(Form.owner_id == user_id)
    _execute(session, update(Layer).where(Layer.datasource_id.in_(sources)).values(datasource_id=None))
    _execute(session, update(Layer).where(Layer.form_id.in_(forms)).values(form_id=None))
    for copy in session.scalars(select(Dataset).where(_copied(user_id))).all():
        forget(session, copy)


def _copied(user_id: int) -> ColumnElement[bool]:
    """The condition on what others have of a user's datasources."""
    sources = select(Datasource.id).where(Datasource.owner_id == user_id)
    return Dataset.datasource_id.in_(sources) & (Dataset.account_id != user_id)


def _own(session: Session, resource_id: int, user_id: int) -> None:
    same = (Share.resource_id == resource_id, Share.user_id == user_id, Share.permission == "OWNER")
    if session.scalar(select(Share.id).where(*same)) is None:
        session.add(Share(resource_id=resource_id, user_id=user_id, permission="OWNER"))


def _remove_rows(session: Session, user_id: int) -> None:
    """Tables, files, datasources and forms; their resources are the user's own and go with the others."""
    for kind in (Media, MapFile, Dataset, File):
        _execute(session, delete(kind).where(kind.account_id == user_id))
    for made in (Datasource, Form):
        _execute(session, delete(made).where(made.owner_id == user_id))


def _execute(session: Session, statement: Any) -> None:
    session.execute(statement.execution_options(synchronize_session=False))


def _remove_resources(session: Session, resource_ids: Iterable[int]) -> None:
    wanted = list(resource_ids)
    for start in range(0, len(wanted), MOST_BOUND):
        _execute(session, delete(Resource).where(Resource.id.in_(wanted[start : start + MOST_BOUND])))
