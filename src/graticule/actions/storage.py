"""Users' files: reading, storing, deleting, with the rights of the caller on each path."""

from __future__ import annotations

import io
import shutil
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, or_, select

from graticule.actions import listing, need
from graticule.actions.reading import refresh_changed
from graticule.actions.users import new_resource
from graticule.catalogue.orm import File, Map, MapFile, Media, Resource, User
from graticule.errors import BadRequest, NotFound, PreconditionFailed
from graticule.storage.archive import ZipLimits, unpack
from graticule.storage.disk import disk_errors
from graticule.storage.multipart import StagedFile
from graticule.storage.paths import clean_path, split_account

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from graticule.actions.listing import Listing
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.storage.base import FileInfo


# SQLite takes only so many bound values in one statement.
MOST_BOUND = 1000
# What listings of a directory can be ordered and searched by.
ATTRIBUTES: dict[str, Callable[[FileInfo], Any]] = {
    "name": lambda info: info.name,
    "filename": lambda info: info.name,
    "extension": lambda info: info.name.rpartition(".")[2].lower(),
    "pathname": lambda info: info.path,
    "size": lambda info: info.size,
    "is_dir": lambda info: info.is_dir,
    "created": lambda info: info.created,
    "modified": lambda info: info.modified,
}


@dataclass(frozen=True, slots=True)
class Place:
    """A path of an account, as a caller named it.

    With ``map_id`` what is stored there is stored for that map, and never in place of something else.
    """

    account: int
    path: str
    map_id: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or directory with its resource."""

    info: FileInfo
    file_id: int
    resource_id: int


def place(backend: Backend, actor: Actor, raw: str, permission: str) -> Place:
    """What a path means to the caller, who may do this there.

    Raises ``NotFound``, ``Forbidden``, ``BadRequest``.
    """
    account_hash, path = split_account(clean_path(raw))
    with backend.catalogue.read() as session:
        account: int | None = actor.user_id
        if account_hash is not None:
            account = session.scalar(select(User.id).where(User.account_hash == account_hash))
        else:
            need.signed_in(actor)
        held = need.file_permissions(session, actor.user_id, account, path) if account is not None else frozenset()
    need.require(held, permission, f"file {raw}")
    assert account is not None
    return Place(account, path)


def place_for_map(backend: Backend, actor: Actor, map_id: int, raw: str) -> Place:
    """What a path means in the storage of a map's owner, where the caller may store files for the map.

    Raises ``NotFound``, ``Forbidden``, ``BadRequest``.
    """
    account_hash, path = split_account(clean_path(raw))
    need.signed_in(actor)
    with backend.catalogue.read() as session:
        found = need.find_map_to_add_to(session, actor, map_id)
    if account_hash not in (None, found.owner.account_hash):
        expected = f"a path in the storage of the owner of map {map_id}"
        raise BadRequest("Files for a map go to its owner's storage.", field="path", value=raw, expected=expected)
    return Place(found.owner_id, path, map_id)


def describe(backend: Backend, at: Place, wanted: Listing | None = None) -> tuple[int | None, list[Entry]]:
    """A file, or what a directory holds, each with its resource. Raises ``NotFound``, ``BadRequest``."""
    info = backend.files.info(at.account, at.path)
    found = backend.files.list(at.account, at.path) if info.is_dir else (info,)
    total, part = listing.run_over(found, wanted or listing.Listing(listing.Page(size=None)), ATTRIBUTES)
    return total, entries(backend, at.account, part)


def check_version(backend: Backend, at: Place, expected: str | None) -> None:
    """Raises ``PreconditionFailed`` unless the file is there and of that version; None is any, or none at all."""
    if expected is None:
        return
    try:
        version = backend.files.info(at.account, at.path).version
    except NotFound:
        version = None
    if version != expected:
        raise PreconditionFailed("The file has changed since; read it again.", field="If-Match", value=expected)


def entries(backend: Backend, account: int, found: Sequence[FileInfo]) -> list[Entry]:
    """The files with their resources, which are made for those that have none yet."""
    paths = [info.path for info in found]
    with backend.catalogue.read() as session:
        known = _known(session, account, paths)
    if len(known) < len(paths):
        with backend.catalogue.write() as session:
            known = _known(session, account, paths)
            for path in paths:
                if path not in known:
                    known[path] = _enter(session, account, path)
    return [Entry(info, known[info.path].id, known[info.path].resource_id) for info in found]


def _known(session: Session, account: int, paths: list[str]) -> dict[str, File]:
    found: dict[str, File] = {}
    for start in range(0, len(paths), MOST_BOUND):
        some = File.path.in_(paths[start : start + MOST_BOUND])
        found |= {row.path: row for row in session.scalars(select(File).where(File.account_id == account, some))}
    return found


def _enter(session: Session, account: int, path: str) -> File:
    file = File(
        account_id=account,
        path=path,
        resource_id=new_resource(session, "file", account),
        created=int(time.time()),
    )
    session.add(file)
    session.flush()
    return file


def store_upload(backend: Backend, at: Place, files: Sequence[StagedFile], staging: Path) -> str:
    """Store uploaded files in a directory, a zip unpacked in place: all of them or none.

    ``staging`` is a directory of that account. Answers the path of what was made: the file, or the directory for a zip
    or several files. Raises ``BadRequest``.
    """
    if not files:
        raise BadRequest("No file was sent.", field="file", expected="a part that has a file name")
    directory = at.path
    tree: dict[str, Path] = {}
    if len(files) == 1 and not _is_zip(files[0]) and at.path.rpartition("/")[2] == clean_path(files[0].filename):
        directory = at.path.rpartition("/")[0]
    for number, file in enumerate(files):
        for name, staged in _held_by(backend, file, staging / f"unpacked-{number}").items():
            if name in tree:
                raise BadRequest(f"Two files named {name} were sent.", field="file", value=name)
            tree[name] = staged
    written = backend.files.write_tree(at.account, directory, tree, replace=at.map_id is None)
    refresh_changed(backend, at.account, [info.path for info in written])
    entries(backend, at.account, written)
    if at.map_id is not None:
        _note_for_map(backend, at.map_id, at.account, [info.path for info in written])
    whole = len(files) > 1 or _is_zip(files[0])
    return directory if whole else written[0].path


def store_media(backend: Backend, at: Place, file: StagedFile) -> FileInfo:
    """Store one file in a directory as it is, under a name that is free and has no comma. Raises ``BadRequest``.

    The file lies in a staging directory of that account.
    """
    name = _usable_name(file).rpartition("/")[2].replace(",", "_")
    return backend.files.write_tree(at.account, at.path, {name: file.path}, replace=False)[0]


def _note_for_map(backend: Backend, map_id: int, account: int, paths: list[str]) -> None:
    with backend.catalogue.write() as session:
        if session.get(Map, map_id) is None:  # deleted meanwhile
            return
        of_map = session.scalars(select(MapFile.path).where(MapFile.map_id == map_id, MapFile.account_id == account))
        new = set(paths) - set(of_map)
        session.add_all(MapFile(map_id=map_id, account_id=account, path=path) for path in sorted(new))


def move_to_staging(files: Sequence[StagedFile], staging: Path) -> list[StagedFile]:
    """Files on their way in that turn out to be for another account, moved to a directory of that one."""
    moved = []
    for number, file in enumerate(files):
        target = staging / f"moved-{number}"
        with disk_errors(f"{file.filename} was not stored"):
            shutil.move(file.path, target)
        moved.append(replace(file, path=target))
    return moved


def _held_by(backend: Backend, file: StagedFile, target: Path) -> dict[str, Path]:
    """Path in the directory → where it lies now: the file itself, or what a zip holds."""
    if not _is_zip(file):
        return {_usable_name(file): file.path}
    target.mkdir()
    settings = backend.settings
    limits = ZipLimits(settings.max_unpacked_bytes, settings.max_unpacked_files)
    return {name: target / name for name in unpack(file.path, target, limits, name=file.filename)}


def _usable_name(file: StagedFile) -> str:
    """The cleaned name. Raises ``BadRequest`` for one that is none."""
    name = clean_path(file.filename)
    if not name:
        raise BadRequest("This is no file name.", field="file", value=file.filename, expected="a name")
    return name


def refuse_empty(files: Sequence[StagedFile]) -> None:
    """Raises ``BadRequest`` for a file of 0 bytes: something went wrong where it was sent from."""
    for file in files:
        if not file.size:
            sentence = f"{file.filename} is empty: it has 0 bytes."
            raise BadRequest(sentence, field="file", value=file.filename, expected="a file with content")


def _is_zip(file: StagedFile) -> bool:
    return file.filename.lower().endswith(".zip")


def make_directory(backend: Backend, at: Place) -> None:
    """Raises ``Conflict`` when there is a file."""
    backend.files.mkdir(at.account, at.path)


def remove(backend: Backend, at: Place) -> None:
    """Delete a file, or a directory with what it holds. Raises ``NotFound``."""
    # A staging directory that is left over tells the next process that a refresh may be missing.
    with backend.files.staging(at.account):
        _remove(backend, at)


def _remove(backend: Backend, at: Place) -> None:
    info = backend.files.info(at.account, at.path)
    gone = [at.path, *(below.path for below in backend.files.walk(at.account, at.path))] if info.is_dir else [at.path]
    backend.files.delete(at.account, at.path)
    with backend.catalogue.write() as session:
        # What comes to lie there later is another file.
        for kind in (Media, MapFile):
            session.execute(delete(kind).where(*_at_or_below(kind, at)))
        these = _at_or_below(File, at)
        resources = session.scalars(select(File.resource_id).where(*these)).all()
        session.execute(delete(File).where(*these).execution_options(synchronize_session=False))
        for start in range(0, len(resources), MOST_BOUND):
            session.execute(delete(Resource).where(Resource.id.in_(resources[start : start + MOST_BOUND])))
    refresh_changed(backend, at.account, gone)


def _at_or_below(kind: type[File | Media | MapFile], at: Place) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The conditions on what concerns a file, or a directory and what it holds."""
    below = kind.path.startswith(at.path + "/", autoescape=True)
    return kind.account_id == at.account, or_(kind.path == at.path, below)


def entry(backend: Backend, at: Place) -> Entry | None:
    """A single file or directory with its resource; None for the root of an account."""
    if not at.path:
        return None
    return entries(backend, at.account, [backend.files.info(at.account, at.path)])[0]


def stage_text(staging: Path, name: str, content: str) -> StagedFile:
    """A file on its way in whose content was sent as a field. Raises ``BadRequest`` for what cannot be its name."""
    clean = clean_path(name)
    if "/" in clean or not clean:
        raise BadRequest("This is no file name.", field="filename", value=name, expected="a name without slashes")
    path = staging / "content"
    path.write_bytes(content.encode())
    return StagedFile("content", clean, path, path.stat().st_size)


def write_text(backend: Backend, at: Place, content: str) -> None:
    """Replace the content of a file, or make it."""
    with backend.files.staging(at.account):
        backend.files.write(at.account, at.path, io.BytesIO(content.encode()))
        refresh_changed(backend, at.account, [at.path])
