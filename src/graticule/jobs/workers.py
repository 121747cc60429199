"""Which workers live: each holds the lock of a file of its own name, and the kernel frees it however it ends."""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from graticule.settings import Settings


def folder_of(settings: Settings) -> Path:
    """Where the workers of an installation have their files."""
    return settings.data / "workers"


@contextmanager
def living(folder: Path) -> Iterator[str]:
    """A name for this worker, by which others know that it lives."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{_host()}-{os.getpid()}-{secrets.token_hex(4)}"
    draft = folder / f".{name}"
    handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        draft.rename(folder / name)  # under its name nobody ever sees it without the lock
        yield name
        (folder / name).unlink(missing_ok=True)
    finally:
        os.close(handle)


def of_this_machine(name: str) -> bool:
    """Whether it can be told here that the worker of that name lives."""
    return name.rsplit("-", 2)[0] == _host()


def lives(folder: Path, name: str) -> bool:
    """Whether the worker of that name, one of this machine, lives."""
    try:
        handle = os.open(folder / name, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def known(folder: Path) -> list[str]:
    """The names of the workers of this machine that live, or died without an end."""
    if not folder.is_dir():
        return []
    return [path.name for path in folder.iterdir() if of_this_machine(path.name)]


def dead(folder: Path) -> list[str]:
    """The names of those that died."""
    return [name for name in known(folder) if not lives(folder, name)]


def bury(folder: Path, name: str) -> None:
    """Forget a worker that died."""
    (folder / name).unlink(missing_ok=True)


def _host() -> str:
    return socket.gethostname()[:60]
