"""What the catalogue and the feature store both need to know of PostgreSQL: addresses, locks, and what errors mean."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from graticule.errors import BadRequest, GraticuleError, Unavailable

if TYPE_CHECKING:
    import psycopg

# How long anybody waits for a lock, in milliseconds.
LOCK_MILLISECONDS = 60_000
SCHEMES = ("postgresql://", "postgres://")
# What every connection is set to. Times are read and written in UTC; a commit is answered when the synchronous replica,
# where there is one, shows it: whoever reads after that reads it there too.
OPTIONS = (
    f"-c lock_timeout={LOCK_MILLISECONDS} -c timezone=UTC -c datestyle=ISO -c synchronous_commit=remote_apply "
    "-c extra_float_digits=1 -c client_encoding=UTF8"
)

# SQLSTATE, or the class that it begins with (PostgreSQL's manual, appendix A) → what it means for the caller.
_BUSY = ("55P03", "40", "53", "57014")
_LOST = ("08", "57P", "25006", "58")
_FULL = ("53100",)
# A value or a row that cannot be: out of range, badly formed, empty where it must not be, too large.
_WRONG = ("22", "23502", "23514", "54")
_GONE = ("42P01", "3F000", "42703")
_CHANGED_PLAN = "0A000"


def checked_url(url: str) -> str:
    """The address. Raises ``GraticuleError`` for one of another kind of database."""
    if not url.startswith(SCHEMES):
        raise GraticuleError("GRATICULE_DATABASE_URL is no address as postgresql://user:password@host/name.")
    return url


def without_password(url: str) -> str:
    """The address as it may be shown."""
    scheme, _, rest = url.partition("://")
    user, at, place = rest.rpartition("@")
    return f"{scheme}://{user.partition(':')[0]}{at}{place.partition('?')[0]}"


def lock_key(name: str) -> int:
    """The number of the advisory lock of that name: 64 bits, signed."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


def as_ours(error: psycopg.Error) -> Exception:
    """What an error of the database means for the caller; the error itself where it is our mistake."""
    import psycopg

    state = error.sqlstate or ""
    if state.startswith(_FULL):
        return Unavailable("The database's disk is full; nothing was changed.", retry_after=60)
    if state.startswith(_LOST) or (not state and isinstance(error, psycopg.OperationalError)):
        return Unavailable("The database cannot be reached; try again.", retry_after=5)
    if state.startswith(_BUSY):
        return Unavailable("The database is busy; nothing was changed. Try again.", retry_after=2)
    if state.startswith(_GONE) or state == _CHANGED_PLAN:
        return Unavailable("The data was replaced or deleted meanwhile; try again.", retry_after=1)
    if state.startswith(_WRONG) or isinstance(error, psycopg.DataError):
        text = error.diag.message_primary or str(error)
        return BadRequest(f"The database does not take this: {text.strip().partition(chr(10))[0]}.")
    return error
