"""What the files of this folder ask of a disk: errors as ours, content that is really there, locks."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from graticule.errors import BadRequest, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHUNK = 1024 * 1024


@contextmanager
def disk_errors(failed: str) -> Iterator[None]:
    """Give errors of the disk as ours; ``failed`` says what has not been done then ("a.shp was not stored").

    ``Unavailable`` when the disk is full, ``BadRequest`` when its file system does not take names this long.
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise Unavailable(f"The disk is full: {failed}.", retry_after=60) from error
        if error.errno == errno.ENAMETOOLONG:
            raise BadRequest(f"A name is too long for this disk: {failed}.", field="path") from error
        raise


def sync(path: Path) -> None:
    """Wait until a file's content, or a directory's list of names, is on the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock between threads and processes; it goes with the process that holds it, however that ends."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def marked_in_use(directory: Path) -> Iterator[None]:
    """Let ``in_use`` say yes of the directory, for as long as this process lives."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def in_use(directory: Path) -> bool:
    """Whether a living process has marked the directory."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
