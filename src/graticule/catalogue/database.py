"""The catalogue's database: one engine, reading and writing transactions, migrations."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from graticule.errors import Unavailable
from graticule.filters.sqlite_functions import register

if TYPE_CHECKING:
    from collections.abc import Iterator

MIGRATIONS = Path(__file__).parent / "migrations"
# The newest revision: the name of a migration's file begins with its revision.
NEWEST = max(path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/[0-9]*.py"))
BUSY_SECONDS = 60


class Catalogue:
    """Owns the connections to the catalogue in ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine = _sqlite_engine(path)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that sees one state of the catalogue and changes nothing."""
        with self._sessions() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that is the only writer; committed at the end, undone on any error.

        Raises ``Unavailable`` when the disk is full or other writers hold the catalogue for too long.
        """
        try:
            with self._sessions() as session:
                session.connection(execution_options={"graticule_writes": True})
                yield session
                session.commit()
        except OperationalError as error:
            raise as_unavailable(error) from error

    def migrate(self) -> None:
        """Bring the tables to the newest form. Several processes may call it at once."""
        if self._revision() == NEWEST:
            return
        # Loading Alembic takes as long as all the rest of opening a catalogue.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with exclusive(self.path.with_suffix(".lock")), self.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def _revision(self) -> str | None:
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
            return revision

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock of that file across processes; the kernel frees it when a process dies."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def as_unavailable(error: OperationalError) -> Exception:
    """What a failing database means for the caller; the error itself where it is our mistake."""
    text = str(error.orig)
    if "disk is full" in text or "disk I/O error" in text:
        return Unavailable("The server's disk is full; nothing was changed.", retry_after=60)
    if "locked" in text or "busy" in text:
        return Unavailable("The server is busy; nothing was changed. Try again.", retry_after=2)
    return error


def _sqlite_engine(path: Path) -> Engine:
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
