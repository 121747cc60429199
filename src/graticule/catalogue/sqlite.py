"""The catalogue in a SQLite file."""

from __future__ import annotations

import fcntl
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.exc import OperationalError

from graticule.errors import Unavailable
from graticule.filters.sqlite_functions import register

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.orm import Session

BUSY_SECONDS = 60


class Sqlite:
    """The ``Database`` in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reading = self.writing = _engine(path)

    def alone(self) -> AbstractContextManager[None]:
        return nullcontext()

    def begin_writing(self, session: Session) -> None:
        session.connection(execution_options={"graticule_writes": True})

    def exclusive(self, name: str) -> AbstractContextManager[None]:
        return exclusive(self.path.parent / name)

    def as_ours(self, error: SQLAlchemyError) -> Exception:
        if not isinstance(error, OperationalError):
            return error
        text = str(error.orig)
        if "disk is full" in text or "disk I/O error" in text:
            return Unavailable("The server's disk is full; nothing was changed.", retry_after=60)
        if "locked" in text or "busy" in text:
            return Unavailable("The server is busy; nothing was changed. Try again.", retry_after=2)
        return error

    def close(self) -> None:
        self.writing.dispose()


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock of that file across processes; the kernel frees it when a process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _engine(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        pool_size=32,
        max_overflow=64,
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: Any, _record: Any) -> None:
    # The driver must not open transactions of its own accord: _begin does, in the right mode.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"):
        connection.execute(f"PRAGMA {pragma}")
    register(connection)


def _begin(connection: Any) -> None:
    # A transaction that will write takes the lock at once: one that read first could only fail later.
    writes = connection.get_execution_options().get("graticule_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
