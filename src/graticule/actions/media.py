"""Media files of features: those that an attribute names, and adding one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from graticule.actions import features, media_grants
from graticule.actions.attributes import find_column
from graticule.actions.storage import Place, store_media
from graticule.actions.users import account_hash
from graticule.catalogue.orm import MapFile, Media
from graticule.errors import BadRequest, Conflict, NotFound, PreconditionFailed
from graticule.model.features import Query
from graticule.storage.paths import clean_path
from graticule.stores.base import Change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from graticule.actions.features import LayerData
    from graticule.actions.media_grants import Named
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.model.features import Column
    from graticule.storage.base import FileInfo
    from graticule.storage.multipart import StagedFile

FOLDER = "media"
# How often a value is read again that others change at the same time.
MOST_TRIES = 20


def find_media(backend: Backend, data: LayerData, feature: int, attribute: str, file: str) -> tuple[Place, FileInfo]:
    """A file that an attribute names, by its name or its path, for a caller who may read the feature.

    Raises ``NotFound``, also for a file that who wrote the value could not read.
    """
    missing = NotFound(f"Feature {feature} of layer {data.layer.id} has no file {file} in {attribute}.")
    try:
        column, wanted = find_column(data.table, attribute), clean_path(file)
    except BadRequest:
        raise missing from None
    named = media_grants.files_named(_value(backend, data, feature, column))
    for place in _granted(backend, data, feature, column, [one for one in named if _is_meant(one, wanted)]):
        try:
            info = backend.files.info(place.account, place.path)
        except (NotFound, BadRequest):
            continue
        if not info.is_dir:
            return place, info
    raise missing


def _value(backend: Backend, data: LayerData, feature: int, column: Column) -> str | None:
    found = features.read_one(backend, data, feature, Query(columns=(column.name,), geometry=False))
    value = found.columns[column.name][0]
    return value if isinstance(value, str) else None


def _is_meant(named: Named, wanted: str) -> bool:
    hashed, path = named
    return wanted in (path, path.rpartition("/")[2], f"{hashed}/{path}")


def _granted(backend: Backend, data: LayerData, feature: int, column: Column, named: list[Named]) -> Iterator[Place]:
    """Where the files are that the value may let others read."""
    with backend.catalogue.read() as session:
        for one in named:
            yield from _of_value(session, data, feature, column, one)
            yield from _of_map(session, data, one)


def _of_value(session: Session, data: LayerData, feature: int, column: Column, named: Named) -> list[Place]:
    rows = session.scalars(
        select(Media).where(
            Media.dataset_id == data.dataset.id,
            Media.feature == feature,
            Media.attribute == column.name,
            Media.path == named[1],
        )
    )
    return [Place(row.account_id, row.path) for row in rows if named[0] in (None, account_hash(row.account_id))]


def _of_map(session: Session, data: LayerData, named: Named) -> list[Place]:
    """The same for what was uploaded for the layer's map."""
    rows = session.scalars(select(MapFile).where(MapFile.map_id == data.layer.map_id, MapFile.path == named[1]))
    return [Place(row.account_id, row.path) for row in rows if named[0] in (None, account_hash(row.account_id))]


def check_addable(backend: Backend, actor: Actor, data: LayerData, feature: int, attribute: str) -> Column:
    """The column that names the files. Raises ``NotFound``, ``Forbidden``, ``BadRequest`` for one of no text."""
    features.may_update(backend, actor, data, feature)
    column = find_column(data.table, attribute)
    _value(backend, data, feature, column)
    if column.type != "text":
        expected = "an attribute of type text"
        raise BadRequest(f"{attribute} cannot name files.", field="attribute", value=attribute, expected=expected)
    return column


def add_media(backend: Backend, data: LayerData, feature: int, column: Column, file: StagedFile) -> FileInfo:
    """Store a file in a folder of the feature, in the account of the data, and append it to the value.

    It never takes the place of another. The file lies in a staging directory of that account. Raises ``BadRequest``,
    ``NotFound``, ``Conflict`` when others change the value all the time.
    """
    folder = f"{FOLDER}/{data.table.name}/{feature}"
    info = store_media(backend, Place(data.account, folder), file)
    media_grants.grant_one(backend, data.dataset.id, feature, (column.name, data.account, info.path))
    try:
        _append(backend, data, feature, column, f"/{account_hash(data.account)}/{info.path}")
    except BaseException:
        backend.files.delete(data.account, info.path)
        raise
    return info


def _append(backend: Backend, data: LayerData, feature: int, column: Column, path: str) -> None:
    for _ in range(MOST_TRIES):
        version = features.version(backend, data, feature)
        value = _value(backend, data, feature, column)
        change = Change({column.name: f"{value},{path}" if value else path}, id=feature)
        try:
            if backend.store.update(data.account, data.table, change, version):
                return
        except PreconditionFailed:
            continue
        raise NotFound(f"Layer {data.layer.id} has no feature {feature}.")
    raise Conflict(f"Others are changing feature {feature} all the time; try again.")
