"""The catalogue in a PostgreSQL database, read from a replica where there is one.

Who writes holds an advisory lock to the end of the transaction, so that what is read before a change is still so when
the change is made, as with SQLite's BEGIN IMMEDIATE. The lock has to be taken with READ COMMITTED: any other level
would show the state of before the wait.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from graticule.errors import Unavailable
from graticule.postgres import LOCK_MILLISECONDS, OPTIONS, SCHEMES, as_ours, lock_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.orm import Session

POOL_SECONDS = 30
CONNECT_SECONDS = 10
WRITERS = lock_key("graticule catalogue")


class Postgres:
    """The ``Database`` at an address; ``read_url`` is that of its replica."""

    def __init__(self, url: str, read_url: str | None = None, *, pool_max: int = 20) -> None:
        self._primary = _engine(url, pool_max)
        self._replica = self._primary if read_url is None else _engine(read_url, pool_max)
        # Locks are held on connections of their own: whoever waits for one takes none from those who work.
        self._locks = create_engine(_of_driver(url), poolclass=NullPool, connect_args=_arguments())
        self._turn = threading.Lock()
        self.writing = self._primary.execution_options(isolation_level="READ COMMITTED")
        self.reading = self._replica.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=LOCK_MILLISECONDS / 1000):
            raise Unavailable("The server is busy; nothing was changed. Try again.", retry_after=2)
        try:
            yield
        finally:
            self._turn.release()

    def begin_writing(self, session: Session) -> None:
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITERS})

    @contextmanager
    def exclusive(self, name: str) -> Iterator[None]:
        try:
            connection = self._locks.connect()
        except DBAPIError as error:
            raise self.as_ours(error) from error
        with connection:
            try:
                # Others may hold it for as long as it takes to read in a large file.
                connection.execute(text("SET lock_timeout = 0"))
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": lock_key(name)})
                connection.commit()
            except DBAPIError as error:
                raise self.as_ours(error) from error
            yield  # the lock goes with the connection

    def as_ours(self, error: SQLAlchemyError) -> Exception:
        if isinstance(error, PoolTimeout):
            return Unavailable("The server is busy; try again.", retry_after=2)
        if isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.Error):
            ours = as_ours(error.orig)
            return error if ours is error.orig else ours
        return error

    def close(self) -> None:
        for engine in (self._primary, self._replica, self._locks):
            engine.dispose()


def _engine(url: str, pool_max: int) -> Engine:
    # They are opened when they are needed. What overflows a pool is closed after each use, so nothing may.
    return create_engine(
        _of_driver(url),
        pool_size=pool_max,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=True,
        pool_use_lifo=True,
        connect_args=_arguments(),
    )


def _of_driver(url: str) -> str:
    """The address with the driver in it, as SQLAlchemy wants it."""
    scheme = next(scheme for scheme in SCHEMES if url.startswith(scheme))
    return "postgresql+psycopg://" + url.removeprefix(scheme)


def _arguments() -> dict[str, object]:
    return {"options": OPTIONS, "connect_timeout": CONNECT_SECONDS, "application_name": "graticule catalogue"}
