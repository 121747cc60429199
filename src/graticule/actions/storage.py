"""Users' files: reading, storing, deleting, with the rights of the caller on each path."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select

from graticule.actions import need
from graticule.actions.reading import refresh_changed
from graticule.actions.users import new_resource
from graticule.catalogue.orm import File, Resource, User
from graticule.errors import BadRequest
from graticule.storage.archive import ZipLimits, unpack
from graticule.storage.multipart import StagedFile
from graticule.storage.paths import clean_path, split_account

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.storage.base import FileInfo


# SQLite takes only so many bound values in one statement.
MOST_BOUND = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """A path of an account, as a caller named it."""

    account: int
    path: str


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


def describe(backend: Backend, at: Place) -> list[Entry]:
    """A file, or what a directory holds, each with its resource. Raises ``NotFound``."""
    info = backend.files.info(at.account, at.path)
    found = backend.files.list(at.account, at.path) if info.is_dir else (info,)
    return entries(backend, at.account, found)


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

    Answers the path of what was made: the file, or the directory for a zip or several files. Raises ``BadRequest``.
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
    written = backend.files.write_tree(at.account, directory, tree)
    refresh_changed(backend, at.account, [info.path for info in written])
    entries(backend, at.account, written)
    whole = len(files) > 1 or _is_zip(files[0])
    return directory if whole else written[0].path


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
        below = File.path.startswith(at.path + "/", autoescape=True)
        these = (File.account_id == at.account, or_(File.path == at.path, below))
        resources = session.scalars(select(File.resource_id).where(*these)).all()
        session.execute(delete(File).where(*these).execution_options(synchronize_session=False))
        for start in range(0, len(resources), MOST_BOUND):
            session.execute(delete(Resource).where(Resource.id.in_(resources[start : start + MOST_BOUND])))
    refresh_changed(backend, at.account, gone)


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
