"""The open connections to the accounts' GeoPackages: many readers, one writer a file in this process.

Between processes SQLite's own lock decides who writes; within one, writers queue here, which is fair and wakes at once.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from graticule.errors import NotFound, Unavailable
from graticule.stores.counting import Connection
from graticule.stores.gpkg_functions import register
from graticule.stores.gpkg_schema import NEW_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_SECONDS = 60
IDLE_CONNECTIONS = 64
# What SQLite says when there is no room for what it writes, or for the files that it needs beside the database.
DISK_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)


class Connections:
    """Owns every connection to ``<root>/<account>/data.gpkg``; keeps the most recently used ones open."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._idle: OrderedDict[Connection, int] = OrderedDict()
        self._writers: dict[int, threading.Lock] = {}

    def path(self, account: int) -> Path:
        return self.root / str(account) / "data.gpkg"

    @contextmanager
    def reading(self, account: int) -> Iterator[Connection]:
        """A connection inside a transaction: everything read through it is of one state.

        Raises ``Unavailable`` for a table that has been replaced or deleted meanwhile.
        """
        with reported(), self._borrowed(account) as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def writing(self, account: int, attached: Path | None = None) -> Iterator[Connection]:
        """A connection inside a transaction that may write; committed at the end, undone on any error.

        ``attached`` is another file to be read as the database ``staged``. Raises ``Unavailable`` when the disk is
        full or another process writes for too long.
        """
        self.ensure(account)
        lent = self._borrowed(account) if attached is None else self._with_attached(account, attached)
        with reported(), self._writer(account), lent as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def ensure(self, account: int) -> None:
        """Make the account's GeoPackage if there is none; several processes may do so at once."""
        path = self.path(account)
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with reported():
            connection = _open(path)
            try:
                _initialise(connection)
            finally:
                connection.close()

    def close(self) -> None:
        with self._lock:
            while self._idle:
                self._idle.popitem()[0].close()

    @contextmanager
    def _borrowed(self, account: int) -> Iterator[Connection]:
        connection = self._take(account)
        try:
            yield connection
        except BaseException:
            # Whatever went wrong, a connection of unknown state is not lent again.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._give_back(account, connection)
            raise
        self._give_back(account, connection)

    @contextmanager
    def _with_attached(self, account: int, attached: Path) -> Iterator[Connection]:
        # A connection for this once: R*Trees that are copied in behind its back are read rightly by new ones.
        with closing(_open(self.path(account))) as connection:
            connection.execute("ATTACH ? AS staged", (str(attached),))
            yield connection

    def _take(self, account: int) -> Connection:
        with self._lock:
            for connection, of_account in reversed(self._idle.items()):
                if of_account == account:
                    del self._idle[connection]
                    return connection
        if not self.path(account).exists():
            raise NotFound("This account has no tables yet.")
        return _open(self.path(account))

    def _give_back(self, account: int, connection: Connection) -> None:
        with self._lock:
            self._idle[connection] = account
            spare = self._idle.popitem(last=False)[0] if len(self._idle) > IDLE_CONNECTIONS else None
        if spare is not None:
            spare.close()

    def _writer(self, account: int) -> threading.Lock:
        with self._lock:
            return self._writers.setdefault(account, threading.Lock())


@contextmanager
def reported() -> Iterator[None]:
    """Turn what SQLite says of a full disk, a lock held too long or a table that was dropped into our error."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in DISK_FULL:
            raise Unavailable("The server's disk is full; nothing was changed.", retry_after=60) from error
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise Unavailable("Another program writes to this account's data; nothing was changed.") from error
        if "no such table" in str(error):
            # The next request will see what stands in its place, or that nothing does.
            raise Unavailable("The data was replaced or deleted meanwhile; try again.", retry_after=1) from error
        raise


def _open(path: Path) -> Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None, factory=Connection
    )
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-32000", "mmap_size=1073741824"):
        connection.execute(f"PRAGMA {pragma}")
    register(connection)
    return connection


def _initialise(connection: Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        for statement in NEW_FILE.split(";"):
            if statement.strip():
                connection.execute(statement)
    connection.execute("COMMIT")
