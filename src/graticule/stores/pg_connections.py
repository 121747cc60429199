"""The open connections to PostgreSQL: a bounded pool for changes, and one for reads where a replica takes them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from graticule.errors import GraticuleError, Unavailable
from graticule.postgres import OPTIONS, as_ours, lock_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection, Cursor

    Pool = ConnectionPool[Connection[tuple[Any, ...]]]

POOL_SECONDS = 30
CONNECT_SECONDS = 10
# A statement is prepared when a connection sees it for this time. It is planned anew with each box and each bound
# value all the same: which index helps depends on them. The memory is for finding one feature a pixel.
PREPARE_AT = 3
PLANNED = "-c plan_cache_mode=force_custom_plan -c cursor_tuple_fraction=1.0 -c work_mem=32MB"
PREPARED = "graticule_store"
PREPARE = f"""
    CREATE SCHEMA IF NOT EXISTS {PREPARED};
    CREATE DOMAIN {PREPARED}.number AS double precision;
    CREATE TABLE {PREPARED}.projections (srid integer PRIMARY KEY, definition text NOT NULL COLLATE "C");
"""


class PgConnections:
    """Owns the pools. Connections commit each statement by itself unless a transaction is begun."""

    def __init__(self, url: str, read_url: str | None, pool_min: int, pool_max: int) -> None:
        self._pools = [_pool(address, pool_min, pool_max) for address in ((url, read_url) if read_url else (url,))]
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[Connection[tuple[Any, ...]]]:
        """A connection to read with. Raises ``Unavailable``, also for a table that has been replaced meanwhile."""
        with _lent(self._pools[-1]) as connection:
            yield connection

    @contextmanager
    def writing(self, account: int | None = None) -> Iterator[Cursor[tuple[Any, ...]]]:
        """A cursor inside a transaction; committed at the end, undone on any error.

        With an ``account`` it is the only one that makes or drops tables of that account. Raises ``Unavailable``.
        """
        with _lent(self._pools[0]) as connection, connection.transaction(), connection.cursor() as cursor:
            if account is not None:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key(f"tables of account {account}"),))
            yield cursor

    def close(self) -> None:
        for pool in self._pools:
            pool.close()

    def _prepare(self) -> None:
        """Have the database ready for our tables. Raises ``GraticuleError`` where it lacks PostGIS."""
        found = f"SELECT to_regtype('geometry') IS NOT NULL, to_regclass('{PREPARED}.projections') IS NOT NULL"
        with self.writing() as cursor:
            if cursor.execute(found).fetchone() == (True, True):
                return
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key(PREPARED),))
            has_postgis, is_prepared = cursor.execute(found).fetchone() or (False, False)
            if not has_postgis:
                _add_postgis(cursor)
            if not is_prepared:
                cursor.execute(PREPARE)


def _add_postgis(cursor: Cursor[tuple[Any, ...]]) -> None:
    try:
        cursor.execute("CREATE EXTENSION postgis")
    except psycopg.Error as error:
        reason = str(error).strip().partition("\n")[0]
        message = f"The database lacks PostGIS ({reason}). Its administrator adds it with: CREATE EXTENSION postgis"
        raise GraticuleError(message) from error


def _pool(url: str, pool_min: int, pool_max: int) -> Pool:
    return ConnectionPool(
        url,
        min_size=pool_min,
        max_size=max(pool_max, pool_min),
        timeout=POOL_SECONDS,
        open=True,
        reconnect_timeout=5,
        check=ConnectionPool.check_connection,
        name="graticule features",
        kwargs={
            "autocommit": True,
            "prepare_threshold": PREPARE_AT,
            "options": f"{OPTIONS} {PLANNED}",
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "graticule features",
        },
    )


@contextmanager
def _lent(pool: Pool) -> Iterator[Connection[tuple[Any, ...]]]:
    """A connection of the pool; what the database complains of comes out as an error of ours."""
    try:
        with pool.connection() as connection:
            try:
                yield connection
            except psycopg.errors.FeatureNotSupported:
                # A prepared statement whose table has changed fails for ever on its connection.
                connection.close()
                raise
    except PoolTimeout as error:
        raise Unavailable("The database cannot be reached, or is busy; try again.", retry_after=5) from error
    except psycopg.Error as error:
        ours = as_ours(error)
        if ours is error:
            raise
        raise ours from error
