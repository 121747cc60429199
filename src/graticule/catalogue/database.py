"""The catalogue's database: reading and writing transactions, locks, migrations; on SQLite or on PostgreSQL."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Engine

MIGRATIONS = Path(__file__).parent / "migrations"
# The newest revision: the name of a migration's file begins with its revision.
NEWEST = max(path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/[0-9]*.py"))


class Database(Protocol):
    """What differs between the engines."""

    @property
    def reading(self) -> Engine:
        """What transactions that only read run on."""

    @property
    def writing(self) -> Engine:
        """What transactions that write run on."""

    def alone(self) -> AbstractContextManager[None]:
        """Wait for one's turn to write, within this process. Raises ``Unavailable``."""

    def begin_writing(self, session: Session) -> None:
        """Begin the transaction of the only writer there is."""

    def exclusive(self, name: str) -> AbstractContextManager[None]:
        """Hold the lock of that name across processes and machines; it is free again when the holder dies."""

    def as_ours(self, error: SQLAlchemyError) -> Exception:
        """What a failing database means for the caller; the error itself where it is our mistake."""

    def close(self) -> None:
        """Let go of all connections."""


class Catalogue:
    """Owns the connections to the catalogue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def engine(self) -> Engine:
        """What transactions that write run on."""
        return self._database.writing

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that sees one state of the catalogue and changes nothing. Raises ``Unavailable``."""
        with self._reported(), Session(self._database.reading, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that is the only writer; committed at the end, undone on any error.

        Raises ``Unavailable`` when the disk is full or other writers hold the catalogue for too long.
        """
        database = self._database
        with self._reported(), database.alone(), Session(database.writing, expire_on_commit=False) as session:
            database.begin_writing(session)
            yield session
            session.commit()

    @contextmanager
    def exclusive(self, name: str) -> Iterator[None]:
        """Hold the lock of that name, a path in the data directory, across all processes of the installation."""
        with self._database.exclusive(name):
            yield

    def migrate(self) -> None:
        """Bring the tables to the newest form. Several processes may call it at once. Raises ``Unavailable``."""
        with self._reported():
            if self._revision() != NEWEST:
                self._upgrade()

    def _upgrade(self) -> None:
        # Loading Alembic takes as long as all the rest of opening a catalogue.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self._database.exclusive("catalogue.lock"), self.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def _revision(self) -> str | None:
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
            return revision

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            ours = self._database.as_ours(error)
            if ours is error:
                raise
            raise ours from error
