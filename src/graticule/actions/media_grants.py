"""Which files the attributes of features let others read: kept beside the values, by the rights of who wrote them.

An attribute may name files of storage: one path, or a comma list. For each that the writer of the value may read at
that moment there is a row of ``Media``. A row alone grants nothing: a file is given out while the value names it and
there is the row. So rows for what a value is going to name are made first and those for what it no longer names are
dropped last, and a process that dies between the two leaves nothing that could be misused.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from graticule.actions import need
from graticule.actions.users import account_hash
from graticule.catalogue.orm import Media, User
from graticule.errors import BadRequest, NotFound
from graticule.model.features import Query
from graticule.storage.paths import MAX_PATH_BYTES, clean_path, split_account

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.catalogue.orm import Dataset
    from graticule.model.features import Table
    from graticule.stores.base import Change

# An account's hash, or None for the writer's own, and a path.
Named = tuple[str | None, str]
# Attribute, account, path.
Grant = tuple[str, int, str]

# A path has a slash in it or ends in an extension; what has neither is not looked for on the disk.
LOOKS_LIKE_A_PATH = re.compile(r"/|\.\w{1,10}\s*\Z")
MOST_BOUND = 500


def files_named(value: Any) -> dict[Named, None]:
    """What a value names that could be files, in order: the text as a whole, and the parts of a comma list."""
    if not isinstance(value, str) or ("." not in value and "/" not in value):
        return {}
    parts = value.split(",")
    named = (_named(part) for part in ([value, *parts] if len(parts) > 1 else parts))
    return dict.fromkeys(one for one in named if one is not None)


def _named(part: str) -> Named | None:
    if len(part) > MAX_PATH_BYTES or "://" in part or not LOOKS_LIKE_A_PATH.search(part):
        return None
    try:
        named = split_account(clean_path(part.strip()))
    except BadRequest:
        return None
    return named if named[1] else None


def is_named(by: Mapping[Named, Any], account: int, path: str) -> bool:
    """Whether a file is among those that a value names."""
    return (None, path) in by or (account_hash(account), path) in by


def readable_files(backend: Backend, session: Session, actor: Actor, named: Iterable[Named]) -> dict[Named, int]:
    """The account of each of the files that there are and that the caller may read.

    Asked of many at once, since many features may come at once.
    """
    of_accounts: dict[str | None, set[str]] = {}
    for hashed, path in named:
        of_accounts.setdefault(hashed, set()).add(path)
    found: dict[Named, int] = {}
    for hashed, paths in of_accounts.items():
        account = actor.user_id if hashed is None else _account(session, hashed)
        if account is None or (hashed is None and not actor.signed_in):
            continue
        allowed = need.readable_files(session, actor.user_id, account, paths)
        found |= {(hashed, path): account for path in _existing(backend, account, allowed)}
    return found


def _account(session: Session, hashed: str) -> int | None:
    return session.scalar(select(User.id).where(User.account_hash == hashed))


def _existing(backend: Backend, account: int, paths: set[str]) -> Iterator[str]:
    """Those of the paths at which there is a file; each folder is looked for once."""
    folders: dict[str, bool] = {}
    for path in paths:
        folder = path.rpartition("/")[0]
        if folder not in folders:
            folders[folder] = _is(backend, account, folder, directory=True)
        if folders[folder] and _is(backend, account, path, directory=False):
            yield path


def _is(backend: Backend, account: int, path: str, *, directory: bool) -> bool:
    try:
        return backend.files.info(account, path).is_dir == directory
    except (NotFound, BadRequest):
        return False


def note_inserted(
    backend: Backend, actor: Actor, dataset: Dataset, table: Table, ids: Sequence[int], changes: Sequence[Change]
) -> None:
    """Keep which files the values of new features may let others read."""
    texts = _text_columns(table)
    named = [
        (number, name, one)
        for number, change in zip(ids, changes, strict=True)
        for name in texts & change.values.keys()
        for one in files_named(change.values[name])
    ]
    if not named:
        return
    with backend.catalogue.read() as session:
        found = readable_files(backend, session, actor, {one for _, _, one in named})
    granted = {(number, name, found[one], one[1]) for number, name, one in named if one in found}
    if granted:
        _enter(backend, dataset.id, granted)


def _enter(backend: Backend, dataset_id: int, granted: set[tuple[int, str, int, str]]) -> None:
    features = sorted({row[0] for row in granted})
    rows = [
        {"dataset_id": dataset_id, "feature": feature, "attribute": attribute, "account_id": account, "path": path}
        for feature, attribute, account, path in sorted(granted)
    ]
    with backend.catalogue.write() as session:
        for start in range(0, len(features), MOST_BOUND):
            these = Media.feature.in_(features[start : start + MOST_BOUND])
            session.execute(delete(Media).where(Media.dataset_id == dataset_id, these))
        session.execute(insert(Media), rows)


@contextmanager
def kept_with(backend: Backend, actor: Actor, dataset: Dataset, table: Table, change: Change) -> Iterator[None]:
    """While a feature is changed, keep which files its new values may let others read."""
    wanted = {name: files_named(change.values[name]) for name in _text_columns(table) & change.values.keys()}
    feature = change.id or 0
    if not wanted or not (any(wanted.values()) or has_any(backend, dataset.id, feature)):
        yield
        return
    before = {name: files_named(value) for name, value in _values(backend, dataset, table, feature, wanted).items()}
    with backend.catalogue.write() as session:
        _drop_unnamed(session, dataset.id, feature, {name: before.get(name, {}) for name in wanted})
        _grant(session, dataset.id, feature, _new_grants(backend, session, actor, wanted, before))
    yield
    with backend.catalogue.write() as session:
        _drop_unnamed(session, dataset.id, feature, wanted)


def _values(backend: Backend, dataset: Dataset, table: Table, feature: int, names: Mapping[str, Any]) -> dict[str, Any]:
    query = Query(columns=tuple(names), ids=(feature,), geometry=False)
    for batch in backend.store.read(dataset.account_id, table, query):
        return {name: values[0] for name, values in batch.columns.items()}
    return {}


def _new_grants(
    backend: Backend,
    session: Session,
    actor: Actor,
    wanted: Mapping[str, Mapping[Named, Any]],
    before: Mapping[str, Mapping[Named, Any]],
) -> set[Grant]:
    """For what a value did not name before; what it did was granted, or not, to who wrote it then."""
    new = {(name, one) for name, files in wanted.items() for one in files.keys() - before.get(name, {}).keys()}
    found = readable_files(backend, session, actor, {one for _, one in new})
    return {(name, found[one], one[1]) for name, one in new if one in found}


def _grant(session: Session, dataset_id: int, feature: int, grants: set[Grant]) -> None:
    known = {(row.attribute, row.account_id, row.path) for row in _rows(session, dataset_id, feature)}
    for attribute, account, path in sorted(grants - known):
        session.add(Media(dataset_id=dataset_id, feature=feature, attribute=attribute, account_id=account, path=path))


def _drop_unnamed(session: Session, dataset_id: int, feature: int, values: Mapping[str, Mapping[Named, Any]]) -> None:
    for row in _rows(session, dataset_id, feature):
        if row.attribute in values and not is_named(values[row.attribute], row.account_id, row.path):
            session.delete(row)
    session.flush()


def _rows(session: Session, dataset_id: int, feature: int) -> Sequence[Media]:
    return session.scalars(select(Media).where(Media.dataset_id == dataset_id, Media.feature == feature)).all()


def grant_one(backend: Backend, dataset_id: int, feature: int, grant: Grant) -> None:
    """Keep that an attribute may name a file that was just stored for it."""
    with backend.catalogue.write() as session:
        _grant(session, dataset_id, feature, {grant})


def has_any(backend: Backend, dataset_id: int, feature: int | None = None) -> bool:
    """Whether there is anything to drop: of one feature, or of all of a table."""
    statement = select(Media.id).where(Media.dataset_id == dataset_id)
    if feature is not None:
        statement = statement.where(Media.feature == feature)
    with backend.catalogue.read() as session:
        return session.scalar(statement.limit(1)) is not None


def forget(backend: Backend, dataset_id: int, feature: int | None = None) -> None:
    """Drop what was kept for a feature that was deleted, or for all of a table that was emptied."""
    if not has_any(backend, dataset_id, feature):
        return
    statement = delete(Media).where(Media.dataset_id == dataset_id)
    if feature is not None:
        statement = statement.where(Media.feature == feature)
    with backend.catalogue.write() as session:
        session.execute(statement.execution_options(synchronize_session=False))


def _text_columns(table: Table) -> set[str]:
    return {column.name for column in table.columns if column.type == "text"}
