"""Users' files on a local disk.

``<root>/<account>/files/`` is what the account sees. Beside it ``staging/`` holds what is on its way in or out, and
``lock`` is held while the tree changes. Both are on the same file system, so that a rename moves files between them.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from graticule.errors import BadRequest, Conflict, Forbidden, NotFound
from graticule.storage.base import FileInfo
from graticule.storage.disk import CHUNK, disk_errors, in_use, locked, marked_in_use, sync
from graticule.storage.naming import free_names
from graticule.storage.paths import clean_path, used_as_both
from graticule.storage.publishing import publish, undo
from graticule.storage.usage import UsageReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FILES, _STAGING, _LOCK = "files", "staging", "lock"
# Kinds of directories in staging. Only in a journal's is a plan looked for: the others hold names that users chose.
_WORK, _JOURNAL, _TRASH = "work-", "journal-", "trash-"


class LocalFileStore:
    """The ``FileStore`` on a local disk; ``root`` is the directory of the accounts.

    Several processes may use one root. Hard links are needed, as every file system for Linux has them.
    Links are never followed. Files put into the tree from outside are seen when their names are valid paths.
    """

    def __init__(self, root: Path, limit: int | None = None) -> None:
        """``limit`` is how many bytes the files of one account may hold together."""
        self._limit = limit
        root.mkdir(parents=True, exist_ok=True)
        self._root = root.resolve()
        self._usage = UsageReader()

    def info(self, account: int, path: str) -> FileInfo:
        path = clean_path(path)
        return _describe(path, self._find(account, path)[1])

    def list(self, account: int, path: str) -> tuple[FileInfo, ...]:
        path = clean_path(path)
        place, found = self._find(account, path)
        if not stat.S_ISDIR(found.st_mode):
            raise BadRequest(f"{path} is a file, not a directory.", field="path", value=path)
        with _still_there(path), os.scandir(place) as entries:
            infos = [_describe_entry(path, entry) for entry in entries]
        return tuple(sorted(filter(None, infos), key=lambda info: info.name))

    def walk(self, account: int, path: str) -> Iterator[FileInfo]:
        waiting = list(reversed(self.list(account, path)))
        while waiting:
            info = waiting.pop()
            yield info
            if info.is_dir:
                with suppress(NotFound, BadRequest):  # removed, or a file by now
                    waiting.extend(reversed(self.list(account, info.path)))

    def open(self, account: int, path: str) -> BinaryIO:
        path = clean_path(path)
        place, found = self._find(account, path)
        if stat.S_ISDIR(found.st_mode):
            raise BadRequest(f"{path or '/'} is a directory, not a file.", field="path", value=path)
        with _still_there(path):
            return os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")

    def local_path(self, account: int, path: str) -> Path:
        return self._find(account, clean_path(path))[0]

    @contextmanager
    def staging(self, account: int) -> Iterator[Path]:
        with ExitStack() as until_the_end:
            with disk_errors("the upload was not begun"), self._changing(account) as home:
                folder = _new_folder(home, _WORK)
                folder.mkdir()
                until_the_end.callback(shutil.rmtree, folder, ignore_errors=True)
                until_the_end.enter_context(marked_in_use(folder))
            yield folder

    def write(self, account: int, path: str, source: BinaryIO) -> FileInfo:
        path = clean_path(path)
        with self.staging(account) as staging, disk_errors(f"{path} was not stored"):
            staged = staging / "content"
            with staged.open("xb") as out:
                shutil.copyfileobj(source, out, CHUNK)
            return self.write_tree(account, "", {path: staged})[0]

    def write_tree(
        self, account: int, directory: str, files: Mapping[str, Path], *, replace: bool = True
    ) -> tuple[FileInfo, ...]:
        targets = _targets(directory, files)
        with disk_errors(f"{', '.join(targets)[:200]} was not stored"):
            for staged in targets.values():
                sync(staged)
            with self._changing(account) as home:
                if not replace:
                    free = free_names(targets, lambda path: os.path.lexists(home / _FILES / path))
                    targets = _targets("", free)  # a suffix may have made a name too long
                for path in targets:
                    self._refuse_taken(account, path)
                self._refuse_too_much(account, targets)
                publish(_new_folder(home, _JOURNAL), home / _FILES, targets)
                return tuple(self.info(account, path) for path in targets)

    def mkdir(self, account: int, path: str) -> bool:
        path = clean_path(path)
        with disk_errors(f"the directory {path} was not made"), self._changing(account):
            place = self._locate(account, path)
            if place.is_dir():
                return False
            if place.exists():
                raise Conflict(f"{path} is a file, not a directory.", field="path", value=path)
            self._refuse_file_above(account, path)
            place.mkdir(parents=True)
            sync(place.parent)
        return True

    def delete(self, account: int, path: str) -> None:
        path = clean_path(path)
        if not path:
            raise BadRequest("The root of an account cannot be deleted.", field="path", value="/")
        with disk_errors(f"{path} was not deleted"), self._changing(account) as home:
            place, _ = self._find(account, path)
            trash = _new_folder(home, _TRASH)
            place.replace(trash)  # the whole tree is gone at once, and no room is needed for it
            sync(place.parent)
        _remove(trash)

    def usage(self, account: int) -> Mapping[str, int]:
        return self._usage.read(str(self._root / f"{account:d}" / _FILES))

    def sweep(self) -> tuple[int, ...]:
        homes = [home for home in sorted(self._root.iterdir()) if home.name.isdecimal() and (home / _STAGING).is_dir()]
        accounts = [int(home.name) for home in homes if any((home / _STAGING).iterdir())]
        return tuple(account for account in accounts if self._sweep_account(account))

    def _sweep_account(self, account: int) -> bool:
        with self._changing(account) as home:
            cleared = [_clear(folder, home / _FILES) for folder in list((home / _STAGING).iterdir())]
            return any(cleared)

    @contextmanager
    def _changing(self, account: int) -> Iterator[Path]:
        """The account's home, while nobody else changes what is in it."""
        home = self._home(account)
        with locked(home / _LOCK):
            yield home

    def _home(self, account: int) -> Path:
        home = self._root / f"{account:d}"
        for folder in (home / _FILES, home / _STAGING):
            folder.mkdir(parents=True, exist_ok=True)
        return home

    def _locate(self, account: int, path: str) -> Path:
        """The place of a cleaned path, whether something is there or not; no link is on the way to it."""
        place = self._home(account) / _FILES
        for name in path.split("/") if path else ():
            place = place / name
            if place.is_symlink():
                raise BadRequest(f"The path {path} cannot be used: {name} is a link.", field="path", value=path)
        return place

    def _find(self, account: int, path: str) -> tuple[Path, os.stat_result]:
        """The place of a cleaned path at which there is a file or a directory."""
        place = self._locate(account, path)
        with _still_there(path):
            found = place.lstat()
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            raise BadRequest(f"{path} is neither a file nor a directory.", field="path", value=path)
        return place, found

    def _refuse_taken(self, account: int, path: str) -> None:
        """Raise ``Conflict`` when no file can be put at the path."""
        if self._locate(account, path).is_dir():
            raise Conflict(f"There is a directory at {path or '/'}.", field="path", value=path)
        self._refuse_file_above(account, path)

    def _refuse_too_much(self, account: int, targets: Mapping[str, Path]) -> None:
        """Raise ``Forbidden`` when the account would hold more than it may; what takes less room than before may go."""
        if self._limit is None:
            return
        places = ((staged, self._locate(account, path)) for path, staged in targets.items())
        grows = sum(staged.stat().st_size - (old.stat().st_size if old.exists() else 0) for staged, old in places)
        if grows > 0 and sum(self.usage(account).values()) + grows > self._limit:
            raise Forbidden("Storage limit exceeded", expected=f"up to {self._limit} bytes in all")

    def _refuse_file_above(self, account: int, path: str) -> None:
        root = self._home(account) / _FILES
        for parent in Path(path).parents:
            if (root / parent).exists() and not (root / parent).is_dir():
                raise Conflict(f"{parent} is a file, not a directory.", field="path", value=path)


@contextmanager
def _still_there(path: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"There is no file or directory {path}.", field="path", value=path) from None


def _targets(directory: str, files: Mapping[str, Path]) -> dict[str, Path]:
    """Cleaned path → staged file."""
    targets: dict[str, Path] = {}
    for name, staged in files.items():
        path = clean_path(f"{directory}/{name}")
        if path in targets:
            raise BadRequest(f"There are two files {path}.", field="path", value=path)
        targets[path] = staged
    if clash := used_as_both(targets):
        raise BadRequest(f"{clash} cannot be a file and a directory.", field="path", value=clash)
    return targets


def _new_folder(home: Path, kind: str) -> Path:
    return home / _STAGING / f"{kind}{secrets.token_hex(8)}"


def _clear(folder: Path, files: Path) -> bool:
    """Remove a directory of staging unless its owner lives. The account's lock is held."""
    if folder.name.startswith(_JOURNAL):
        undo(folder, files)  # a living owner would hold the lock
        return True
    if folder.name.startswith(_WORK) and in_use(folder):
        return False
    _remove(folder)
    return True


def _remove(place: Path) -> None:
    """Remove a file or a tree; somebody else's sweep may be doing so at the same time."""
    if place.is_dir():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)


def _describe_entry(directory: str, entry: os.DirEntry[str]) -> FileInfo | None:
    """None for what has no valid path, is no file or directory, or is gone by now."""
    path = f"{directory}/{entry.name}" if directory else entry.name
    try:
        found = entry.stat(follow_symlinks=False)
        reachable = clean_path(path) == path
    except (FileNotFoundError, BadRequest):
        return None
    known = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
    return _describe(path, found) if reachable and known else None


def _describe(path: str, found: os.stat_result) -> FileInfo:
    is_dir = stat.S_ISDIR(found.st_mode)
    return FileInfo(
        path=path,
        name=path.rpartition("/")[2],
        size=0 if is_dir else found.st_size,
        is_dir=is_dir,
        modified=int(found.st_mtime),
        # No birth time is to be had here. Files are never changed in place: the earlier of the two is close to it.
        created=int(min(found.st_mtime, found.st_ctime)),
        version=f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}",
    )
