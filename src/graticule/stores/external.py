"""Tables of other PostGIS databases, which are only read: the reading half of a ``FeatureStore``.

Such a table is named ``external:<datasource>:<schema>.<table>``, so that who reads it need not know what it is.
"""

from __future__ import annotations

import re
import threading
import time
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg
import shapely

from graticule.addresses import Unreachable, address_of
from graticule.errors import BadRequest, NotFound, Unavailable
from graticule.model.features import GEOMETRY_TYPES, Batch, Summary, Table
from graticule.stores import external_sql as sql
from graticule.stores.external_sql import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection

    from graticule.model.databases import Login
    from graticule.model.features import Box, Column, Query

NAME = re.compile(r"external:(\d{1,18}):([^.]+)\.(.+)", re.DOTALL)
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 15
# How long what a table is made of, and where its features lie, is believed.
KNOWN_SECONDS, EXTENT_SECONDS = 10, 60
# After a database did not answer, it is not asked for so many seconds.
REST = 10
IDLE_SECONDS, MOST_IDLE = 60, 4
EXACT_INTEGERS = 2**53
# What a database says to somebody who may not come in.
REFUSED = re.compile("authentication failed|does not exist|no pg_hba|not permitted|no password|permission denied")
OPTIONS = f"-c statement_timeout={STATEMENT_SECONDS}s -c default_transaction_read_only=on -c timezone=UTC"


def external_name(datasource_id: int, schema: str, table: str) -> str:
    """What a table of a datasource's database is called here."""
    return f"external:{datasource_id}:{schema}.{table}"


def is_external(name: str) -> bool:
    return name.startswith("external:")


class ExternalTables:
    """Reads tables of the databases that ``login`` knows by the datasource's id; may be used from any thread.

    ``private`` allows databases in private networks.
    """

    def __init__(self, login: Callable[[int], Login], *, private: bool) -> None:
        self._login = login
        self._private = private
        self._lock = threading.Lock()
        self._idle: dict[Login, list[tuple[float, Connection[Any]]]] = {}
        self._known: dict[tuple[Login, str, str], tuple[float, Any]] = {}
        self._resting: dict[Login, float] = {}

    def tables(self, datasource_id: int) -> list[str]:
        """The names of the tables of a database. Raises ``NotFound``, ``BadRequest``, ``Unavailable``."""
        with self._reading(self._login(datasource_id)) as connection:
            rows = connection.execute(sql.TABLES, ()).fetchall()
        return [external_name(datasource_id, schema, name) for schema, name in rows]

    def table(self, name: str) -> Table:
        """What is known of a table. Raises as ``tables``."""
        return self.found(name).table

    def found(self, name: str) -> Found:
        """A table with its place in the database. Raises as ``tables``."""
        return self._found(name)[1]

    def extent(self, name: str) -> Box | None:
        login, found = self._found(name)
        if found.geometry is None:
            return None
        sides = self._remembered((login, name, "extent"), EXTENT_SECONDS, lambda: self._row(login, sql.extent(found)))
        return None if sides is None or sides[0] is None else tuple(map(float, sides))  # type: ignore[return-value]

    def count(self, name: str, query: Query) -> int:
        login, found = self._found(name)
        row = self._row(login, *sql.count(found, query))
        assert row is not None
        return int(row[0])

    def read(self, name: str, query: Query, batch_size: int) -> Iterator[Batch]:
        login, found = self._found(name)
        text, values = sql.select(found, query)
        with self._reading(login) as connection, connection.cursor("features") as cursor:
            cursor.execute(text, values)
            while rows := cursor.fetchmany(batch_size):
                yield _batch(rows, sql.names_of(found, query), geometry=query.geometry)

    def summary(self, name: str, query: Query, column: Column) -> Summary:
        login, found = self._found(name)
        return Summary(*(_told(value) for value in self._row(login, *sql.summary(found, query, column))))

    def distinct(self, name: str, query: Query, column: Column) -> list[Any]:
        login, found = self._found(name)
        text, values = sql.distinct(found, query, column)
        with self._reading(login) as connection:
            return [_told(value) for (value,) in connection.execute(text, values).fetchall()]

    def version(self, name: str, feature: int) -> str | None:
        login, found = self._found(name)
        row = self._row(login, sql.version(found), [feature])
        return None if row is None else str(row[0])

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, {}
        for held in idle.values():
            for _, connection in held:
                connection.close()

    def _place(self, name: str) -> tuple[Login, str, str]:
        match = NAME.fullmatch(name)
        if match is None:
            raise NotFound("There is no such table.")
        return self._login(int(match[1])), match[2], match[3]

    def _row(self, login: Login, text: str, values: list[Any] | None = None) -> Any:
        with self._reading(login) as connection:
            return connection.execute(text, values or []).fetchone()

    def _found(self, full: str) -> tuple[Login, Found]:
        login, schema, name = self._place(full)
        key = (login, full, "table")
        found: Found = self._remembered(key, KNOWN_SECONDS, lambda: self._described(login, full, schema, name))
        return login, found

    def _remembered(self, key: tuple[Login, str, str], seconds: int, ask: Callable[[], Any]) -> Any:
        now = time.monotonic()
        known = self._known.get(key)
        if known is not None and now < known[0]:
            return known[1]
        value = ask()
        with self._lock:
            self._known = {key: held for key, held in self._known.items() if now < held[0]}
            self._known[key] = (now + seconds, value)
        return value

    def _described(self, login: Login, full: str, schema: str, name: str) -> Found:
        with self._reading(login) as connection:
            rows = connection.execute(sql.COLUMNS, (schema, name)).fetchall()
            if not rows:
                raise NotFound(f"There is no table {schema}.{name} in that database, or it may not be read.")
            keys = connection.execute(sql.PRIMARY_KEY, (schema, name)).fetchall()
            types = {str(column): str(kind) for column, kind, *_ in rows}
            geometry = next((column for column, kind in types.items() if kind in sql.SPATIAL), None)
            modifier = next((row[3] for row in rows if row[0] == geometry), -1)
            kind, srid, crs = _geometry(connection, types, geometry, modifier)
        key = keys[0][0] if len(keys) == 1 and sql.TYPES.get(keys[0][1]) == "integer" else None
        columns = tuple(
            sql.column_of(column, types[column], not_null=not_null)
            for column, _, not_null, *_ in rows
            if types[column] not in sql.SPATIAL and column not in sql.OURS
        )
        table = Table(full, columns, kind, srid, crs)
        return Found(schema, name, table, types, key, geometry, is_view=bool(rows[0][4]))

    @contextmanager
    def _reading(self, login: Login) -> Iterator[Connection[Any]]:
        """A connection in a transaction that cannot write; its errors leave it as ours."""
        connection = self._taken(login) or self._connected(login)
        fine = False
        try:
            with connection.transaction():
                yield connection
            fine = True
        except psycopg.Error as error:
            raise _as_ours(error, login) from None
        finally:
            if fine:
                self._given_back(login, connection)
            else:
                connection.close()

    def _taken(self, login: Login) -> Connection[Any] | None:
        now = time.monotonic()
        with self._lock:
            held = self._idle.get(login, [])
            while held:
                until, connection = held.pop()
                if now < until and not connection.closed:
                    return connection
                connection.close()
        return None

    def _given_back(self, login: Login, connection: Connection[Any]) -> None:
        now = time.monotonic()
        with self._lock:
            late = [one for held in self._idle.values() for until, one in held if until < now]
            self._idle = {key: [pair for pair in held if pair[0] >= now] for key, held in self._idle.items()}
            held = self._idle.setdefault(login, [])
            if len(held) < MOST_IDLE:
                held.append((now + IDLE_SECONDS, connection))
            else:
                late.append(connection)
        for one in late:
            one.close()

    def _connected(self, login: Login) -> Connection[Any]:
        if time.monotonic() < self._resting.get(login, 0.0):
            raise Unavailable(f"The database at {login.host} did not answer a moment ago.", retry_after=REST)
        self._resting.pop(login, None)
        try:
            address = address_of(login.host, login.port, private=self._private)
        except Unreachable as error:
            message = f"The database cannot be reached: {error}."
            raise BadRequest(message, field="connection_id", value=login.host) from None
        began = time.monotonic()
        try:
            return psycopg.connect(
                host=login.host,
                hostaddr=address,
                port=login.port,
                dbname=login.database,
                user=login.user,
                # Nothing of this server's own may be tried in place of a password that is missing.
                password=login.password or "",
                passfile="/dev/null",
                sslcert="/dev/null/none",
                gssencmode="disable",
                connect_timeout=CONNECT_SECONDS,
                options=OPTIONS,
                application_name="graticule",
                autocommit=True,
                prepare_threshold=None,
            )
        except psycopg.Error as error:
            if time.monotonic() - began > CONNECT_SECONDS / 2:
                self._resting[login] = time.monotonic() + REST
            raise _refusal(error, login) from None


def _refusal(error: psycopg.Error, login: Login) -> Exception:
    """Why a connection was not made, without what was sent."""
    said = str(error)
    if REFUSED.search(said):
        message = f"The database {login.database} at {login.host} does not let {login.user} in."
        return BadRequest(message, field="connection_id", expected="a database, user and password that are right")
    return Unavailable(f"The database at {login.host}, port {login.port}, does not answer.")


def _as_ours(error: psycopg.Error, login: Login) -> Exception:
    state = error.sqlstate or ""
    if isinstance(error, psycopg.errors.QueryCanceled):
        return Unavailable(f"The database at {login.host} takes longer than {STATEMENT_SECONDS} seconds.")
    if state.startswith("42") or state == "3F000":
        reason = "it lacks PostGIS, a right, or the table"
        return BadRequest(f"The database at {login.host} cannot read this table: {reason}.", field="connection_id")
    if state.startswith("22"):
        return BadRequest("A value of the condition is too large for the database.", field="where")
    return Unavailable(f"The database at {login.host} does not answer as it should.")


def _geometry(
    connection: Connection[Any], types: dict[str, str], column: str | None, modifier: int
) -> tuple[str | None, int | None, str | None]:
    """Geometry type, the database's number of the projection, and the projection; GEOMETRY where that is not said."""
    if column is None:
        return None, None, None
    kind, srid = "GEOMETRY", 4326 if types[column] == "geography" else 0
    if modifier != -1:
        kind, srid = connection.execute(sql.GEOMETRY_TYPE, (modifier, modifier)).fetchone() or (kind, srid)
    flat = str(kind).upper().removesuffix("ZM").removesuffix("Z").removesuffix("M")
    kind = flat if flat in GEOMETRY_TYPES else "GEOMETRY"
    return kind, int(srid), _projection(connection, int(srid))


def _projection(connection: Connection[Any], srid: int) -> str:
    if not srid:
        return "EPSG:4326"
    authority, number, text = connection.execute(sql.PROJECTION, (srid,)).fetchone() or ("EPSG", srid, None)
    return f"EPSG:{number}" if authority == "EPSG" or not text else str(text)


def _batch(rows: list[tuple[Any, ...]], names: tuple[str, ...], *, geometry: bool) -> Batch:
    members = list(zip(*rows, strict=True))
    zeros = [0] * len(rows)
    shapes = np.array(shapely.from_wkb(members[1], on_invalid="ignore"), dtype=object) if geometry else None
    columns = {name: [_told(value) for value in held] for name, held in zip(names, members[2:], strict=True)}
    return Batch(np.array(members[0], dtype=np.int64), shapes, columns, zeros, zeros, zeros)


def _told(value: Any) -> Any:
    """A value ready for JSON: no infinities, numbers without a fraction whole."""
    if isinstance(value, Decimal):
        with suppress(ArithmeticError, ValueError):
            if value == value.to_integral_value() and abs(value) < EXACT_INTEGERS:
                return int(value)
        value = float(value)
    return None if isinstance(value, float) and value - value != 0 else value
