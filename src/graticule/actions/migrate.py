"""Moving an installation whose catalogue and features are in files into a PostgreSQL database.

Whatever is moved is moved in one transaction, the catalogue as a whole and each table of features by itself, and then
compared: the same number of rows, and the same sum of what each of them hashes to. What was moved is noted in the
database with that sum. So it can be done again at any time: what is equal is left alone, what is not there or has
changed in the files is moved again; and what has changed in the database since is not overwritten.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import shapely
from sqlalchemy import Integer, func, inspect, select, text

from graticule.catalogue.orm import ANONYMOUS_ID, Base, Dataset, User
from graticule.errors import Conflict, GraticuleError, NotFound
from graticule.model.features import Query
from graticule.stores.geopackage import GeoPackageStore
from graticule.stores.postgis import PostgisStore
from graticule.stores.routed import RoutedStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sqlalchemy import Connection, Table

    from graticule.backend import Backend
    from graticule.stores.base import FeatureStore

    Own = TypeVar("Own", GeoPackageStore, PostgisStore)
    Progress = Callable[[int, int], None]

BATCH = 2_000
CATALOGUE = "catalogue"
# What was moved into a database, from which installation.
NOTES = """
    CREATE TABLE IF NOT EXISTS graticule_store.moved (
        installation text NOT NULL, part text NOT NULL, rows bigint NOT NULL, sum text NOT NULL,
        PRIMARY KEY (installation, part))
"""


@dataclass(frozen=True, slots=True)
class Sum:
    """How many rows there are, and the sum of their hashes, which does not depend on their order."""

    rows: int
    hashes: str


@dataclass(slots=True)
class Summary:
    """What was moved and what was there already: tables of features and rows of both."""

    moved: list[str] = field(default_factory=list)
    equal: list[str] = field(default_factory=list)
    rows: int = 0


def migrate(source: Backend, target: Backend, progress: Progress) -> Summary:
    """Move everything that is in files into the database of ``target``. The server should not run meanwhile.

    Raises ``Conflict`` where the database holds another installation, or has been written to since it was moved, and
    ``GraticuleError`` where what arrived is not what was sent.
    """
    with target.catalogue.exclusive("migration"), target.catalogue.engine.begin() as connection:
        connection.execute(text(NOTES))
    with target.catalogue.exclusive("migration"):
        return _Migration(source, target, progress).run()


class _Migration:
    def __init__(self, source: Backend, target: Backend, progress: Progress) -> None:
        self.source, self.target, self.progress = source, target, progress
        self.files, self.database = _own(source.store, GeoPackageStore), _own(target.store, PostgisStore)
        self.installation = source.keys.fingerprint
        self.tables = _tables(source)
        self.of, self.done = _size(source, self.tables), 0
        self.summary = Summary()

    def run(self) -> Summary:
        self._refuse_foreign()
        for account, name in self.tables:
            self._move_table(account, name)
        self._drop_gone()
        # The catalogue comes last: with it what was moved can be used.
        self._move_catalogue()
        return self.summary

    def _refuse_foreign(self) -> None:
        """Raises ``Conflict`` where the database holds what is not ours."""
        with self.target.catalogue.read() as session:
            used = session.scalar(select(func.count()).select_from(User).where(User.id != ANONYMOUS_ID))
        if used and self._noted(CATALOGUE) is None:
            raise Conflict("The database holds another installation already; nothing was changed.")

    # ------------------------------------------------------------ features

    def _move_table(self, account: int, name: str) -> None:
        part = f"{account}/{name}"
        before = self.done
        wanted, found = _sum_of_table(self.files, account, name), _sum_of_table(self.database, account, name)
        if wanted == found:
            self.summary.equal.append(part)
        else:
            self._refuse_changed(part, found)
            self._load(account, name)
            _require_equal(part, wanted, _sum_of_table(self.database, account, name))
            self.summary.moved.append(part)
        assert wanted is not None
        self._note(part, wanted)
        self.summary.rows += wanted.rows
        self._advance(before + wanted.rows - self.done)

    def _load(self, account: int, name: str) -> None:
        before = self.done
        with closing(sqlite3.connect(self.files.path(account))) as connection:
            connection.execute("BEGIN")
            last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (name,)).fetchone()
            report = self._from(before)
            self.database.replace(account, connection, name, last[0] if last else 0, report)

    def _drop_gone(self) -> None:
        """Drop what was moved before and is no more in the files."""
        there = {f"{account}/{name}" for account, name in self.tables} | {CATALOGUE}
        with self.target.catalogue.engine.begin() as connection:
            of = {"of": self.installation}
            noted = connection.scalars(text("SELECT part FROM graticule_store.moved WHERE installation = :of"), of)
            gone = sorted(set(noted) - there)
        for part in gone:
            account, _, name = part.partition("/")
            self._refuse_changed(part, _sum_of_table(self.database, int(account), name))
            self.database.drop(int(account), name)
            with self.target.catalogue.engine.begin() as connection:
                connection.execute(
                    text("DELETE FROM graticule_store.moved WHERE installation = :of AND part = :part"),
                    {"of": self.installation, "part": part},
                )

    # ------------------------------------------------------------ the catalogue

    def _move_catalogue(self) -> None:
        tables = Base.metadata.sorted_tables
        with _reading(self.source) as ours, _reading(self.target) as theirs:
            wanted, found = _sum_of_catalogue(ours, tables), _sum_of_catalogue(theirs, tables)
        if wanted == found:
            self.summary.equal.append(CATALOGUE)
        else:
            self._refuse_changed(CATALOGUE, found)
            with _reading(self.source) as ours, self.target.catalogue.write() as session:
                _copy_catalogue(ours, session.connection(), tables)
            with _reading(self.target) as theirs:
                _require_equal(CATALOGUE, wanted, _sum_of_catalogue(theirs, tables))
            self.summary.moved.append(CATALOGUE)
        self._note(CATALOGUE, wanted)
        self._advance(self.of - self.done)

    # ------------------------------------------------------------ notes and progress

    def _refuse_changed(self, part: str, found: Sum | None) -> None:
        """Raises ``Conflict`` where the database, once it is in use, has something else than what was moved there."""
        if found is not None and self._noted(CATALOGUE) is not None and found != self._noted(part):
            raise Conflict(f"The database has been written to since it was moved ({part}); nothing of that is changed.")

    def _noted(self, part: str) -> Sum | None:
        with self.target.catalogue.engine.connect() as connection:
            row = connection.execute(
                text("SELECT rows, sum FROM graticule_store.moved WHERE installation = :of AND part = :part"),
                {"of": self.installation, "part": part},
            ).one_or_none()
        return None if row is None else Sum(row.rows, row.sum)

    def _note(self, part: str, moved: Sum) -> None:
        with self.target.catalogue.engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO graticule_store.moved VALUES (:of, :part, :rows, :sum) "
                    "ON CONFLICT (installation, part) DO UPDATE SET rows = excluded.rows, sum = excluded.sum"
                ),
                {"of": self.installation, "part": part, "rows": moved.rows, "sum": moved.hashes},
            )

    def _from(self, before: int) -> Callable[[int], None]:
        return lambda rows: self._advance(before + rows - self.done)

    def _advance(self, rows: int) -> None:
        self.done += rows
        self.progress(self.done, self.of)


# ---------------------------------------------------------------- what there is


def _own(store: FeatureStore, kind: type[Own]) -> Own:
    """The store of the installation's own tables."""
    held = store.own if isinstance(store, RoutedStore) else store
    assert isinstance(held, kind)
    return held


def _tables(source: Backend) -> list[tuple[int, str]]:
    """The tables of features that the catalogue knows and the files hold, by account."""
    with source.catalogue.read() as session:
        known = session.execute(
            select(Dataset.account_id, Dataset.store_table)
            .where(Dataset.kind != "external")
            .order_by(Dataset.account_id, Dataset.store_table)
        ).all()
    held = {account: set(source.store.tables(account)) for account in {account for account, _ in known}}
    return [(account, name) for account, name in known if name in held[account]]


def _size(source: Backend, tables: Iterable[tuple[int, str]]) -> int:
    """How many rows there are to move, the catalogue's not counted."""
    return sum(source.store.count(account, source.store.table(account, name), Query()) for account, name in tables)


# ---------------------------------------------------------------- sums


def _sum_of_table(store: FeatureStore, account: int, name: str) -> Sum | None:
    """Of all features, with their geometries and what is known of them; None where there is no such table."""
    try:
        table = store.table(account, name)
    except NotFound:
        return None
    described = (table.columns, table.geometry_type, table.crs, table.has_z)
    rows, total = 0, _hash(repr(described).encode())
    for batch in store.read(account, table, Query(), batch_size=BATCH):
        shapes = [b""] * len(batch)
        if batch.geometry is not None:
            shapes = shapely.to_wkb(batch.geometry, flavor="iso", output_dimension=3).tolist()
        columns = (batch.ids.tolist(), batch.owner, batch.created, batch.modified, *batch.columns.values(), shapes)
        rows += len(batch)
        total += sum(_hash(repr(row).encode("utf-8", "surrogatepass")) for row in zip(*columns, strict=True))
    return Sum(rows, f"{total % 2**64:016x}")


def _sum_of_catalogue(connection: Connection, tables: Iterable[Table]) -> Sum:
    rows = total = 0
    for table in tables:
        for batch in _rows(connection, table):
            rows += len(batch)
            total += sum(_hash(repr((table.name, *row)).encode("utf-8", "surrogatepass")) for row in batch)
    return Sum(rows, f"{total % 2**64:016x}")


def _hash(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big")


def _require_equal(part: str, wanted: Sum | None, found: Sum | None) -> None:
    if wanted != found:
        raise GraticuleError(
            f"What arrived of {part} is not what was sent: {found} instead of {wanted}. It may have been changed while "
            "it was moved; stop the server and try again."
        )


# ---------------------------------------------------------------- the catalogue's rows


@contextmanager
def _reading(backend: Backend) -> Iterator[Connection]:
    with backend.catalogue.read() as session:
        yield session.connection()


def _rows(connection: Connection, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    statement = select(table).execution_options(yield_per=BATCH)
    for batch in connection.execute(statement).partitions():
        yield [tuple(row) for row in batch]


def _copy_catalogue(ours: Connection, theirs: Connection, tables: list[Table]) -> None:
    """Put all rows in the place of those in the database; each table in one statement, for rows refer to each other."""
    quote = theirs.dialect.identifier_preparer
    theirs.exec_driver_sql(f"TRUNCATE {', '.join(quote.format_table(table) for table in tables)}")
    last = _last_ids(ours)
    cursor = theirs.connection.cursor()
    for table in tables:
        names = ", ".join(quote.format_column(column) for column in table.columns)
        with cursor.copy(f"COPY {quote.format_table(table)} ({names}) FROM STDIN") as copy:
            for batch in _rows(ours, table):
                for row in batch:
                    copy.write_row(row)
        _keep_counting(theirs, table, last.get(table.name, 0))


def _last_ids(ours: Connection) -> dict[str, int]:
    """The last id that was given in each table, to whatever is gone since."""
    if not inspect(ours).has_table("sqlite_sequence"):
        return {}
    return {name: int(seq) for name, seq in ours.execute(text("SELECT name, seq FROM sqlite_sequence"))}


def _keep_counting(theirs: Connection, table: Table, last: int) -> None:
    key = table.autoincrement_column
    if key is None or not isinstance(key.type, Integer):
        return
    sequence = theirs.scalar(text("SELECT pg_get_serial_sequence(:of, :key)"), {"of": table.name, "key": key.name})
    if sequence is not None and last > 0:
        theirs.execute(text("SELECT setval(:of, :last)"), {"of": sequence, "last": last})
