"""What every store of users' files can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file or a directory.

    ``path`` is relative to the account's root, ``size`` in bytes (0 for directories), the times in seconds since the
    epoch. ``version`` is a word that changes whenever the content may have changed.
    """

    path: str
    name: str
    size: int
    is_dir: bool
    modified: int
    created: int
    version: str


class FileStore(Protocol):
    """Files and directories, by account. Every method may be called from any thread.

    Paths are cleaned by ``paths.clean_path``: every method raises its ``BadRequest``, and ``BadRequest`` also for a
    path on which there is a link or anything else but files and directories. ``NotFound`` when there is nothing.
    Methods that write raise ``Unavailable`` when the disk is full, and ``Forbidden`` when the account would hold more
    than it may; nothing has changed then.
    """

    def info(self, account: int, path: str) -> FileInfo:
        """What is at the path. The root of an account is always there."""

    def list(self, account: int, path: str) -> tuple[FileInfo, ...]:
        """What a directory holds, by name. Raises ``BadRequest`` when the path is a file."""

    def walk(self, account: int, path: str) -> Iterator[FileInfo]:
        """Everything below a directory, each directory before what it holds, by name."""

    def open(self, account: int, path: str) -> BinaryIO:
        """A file to read and seek in; it stays the same when the path is written meanwhile. ``BadRequest`` for a
        directory."""

    def local_path(self, account: int, path: str) -> Path:
        """Where on this machine the file or directory can be read, for libraries that want a name."""

    def staging(self, account: int) -> AbstractContextManager[Path]:
        """An empty directory for files on their way into the account; removed with what is left in it at the end."""

    def write(self, account: int, path: str, source: BinaryIO) -> FileInfo:
        """Store all that ``source`` gives as the file, in place of what it was; directories are made when missing.

        Until the end readers see the old content, and also when ``source`` raises. ``Conflict`` when the path is a
        directory or a directory of it is a file.
        """

    def write_tree(
        self, account: int, directory: str, files: Mapping[str, Path], *, replace: bool = True
    ) -> tuple[FileInfo, ...]:
        """Publish files that lie in a ``staging`` directory of this account: either all appear or none.

        ``files`` is path below ``directory`` → staged file; staged files are moved. Raises as ``write`` does, and
        ``BadRequest`` when two of the paths stand in each other's way. Without ``replace`` a name that is taken gets a
        suffix, the same one for all files that belong together.
        """

    def mkdir(self, account: int, path: str) -> bool:
        """Make a directory and those above it; False when it was there. ``Conflict`` when one of them is a file."""

    def delete(self, account: int, path: str) -> None:
        """Remove a file, or a directory with what it holds, at once. ``BadRequest`` for the account's root."""

    def usage(self, account: int) -> Mapping[str, int]:
        """Bytes of all its files by suffix, such as ``.tif``; cheap when little has changed since the last time."""

    def sweep(self) -> tuple[int, ...]:
        """Undo what processes that died have left half done; answers the accounts where there was any of it."""
