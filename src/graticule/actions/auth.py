"""Who is calling: keys, sessions, passwords."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from graticule.actions.users import find_user
from graticule.catalogue.access import ANONYMOUS, Actor
from graticule.catalogue.orm import ANONYMOUS_ID, ApiKey, LoginFailure, Session, User
from graticule.catalogue.secrets import lookup_hash, new_session_value, password_matches
from graticule.errors import Forbidden, TooManyRequests, Unauthorized

if TYPE_CHECKING:
    from sqlalchemy.orm import Session as DatabaseSession

    from graticule.backend import Backend

LIMITING_SCOPES = frozenset({"read", "write", "features"})
# How exact ``accessed`` of a key is, in seconds: writing it down at every call would cost more than the call.
ACCESSED_EVERY = 60
FREE_FAILURES = 5
LONGEST_WAIT = 300
# Seconds.
REMEMBERED = 86_400
# Passwords are compared one after the other, so that tries at the same time are counted before the next one; and each
# takes much memory and time, on purpose.
_one_login = threading.Lock()


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request says of its caller; ``cookie`` is counted only where the request may use it."""

    api_key: str | None = None
    token: str | None = None
    session: str | None = None
    cookie: str | None = None


def identify(backend: Backend, credentials: Credentials) -> Actor:
    """The caller; a stale cookie is anonymous.

    Raises ``Forbidden`` for a wrong key or session, ``Unauthorized`` for a token: none is given out yet.
    """
    if credentials.api_key is not None:
        return _by_key(backend, credentials.api_key)
    if credentials.token is not None:
        raise Unauthorized("This token is not known, or has expired.")
    if credentials.session is not None:
        actor = _by_session(backend, credentials.session)
        if actor is None:
            raise Forbidden("This session is not known, or has ended. Sign in again.")
        return actor
    if credentials.cookie is not None:
        return _by_session(backend, credentials.cookie) or ANONYMOUS
    return ANONYMOUS


def scopes_of(scope: str | None) -> frozenset[str]:
    """The words of a key's scope that limit it."""
    return LIMITING_SCOPES.intersection((scope or "").replace(",", " ").split())


def _by_key(backend: Backend, value: str) -> Actor:
    with backend.catalogue.read() as session:
        row = session.execute(
            select(ApiKey, User).join(User, User.id == ApiKey.user_id).where(ApiKey.hash == lookup_hash(value))
        ).one_or_none()
    if row is None or not row.ApiKey.active or not row.User.active:
        raise Forbidden("This API key is wrong, or has been revoked.")
    _note_access(backend, row.ApiKey)
    user = row.User
    return Actor(user.id, user.username, user.administrator, row.ApiKey.id, scopes_of(row.ApiKey.scope))


def _note_access(backend: Backend, key: ApiKey) -> None:
    now = int(time.time())
    if key.accessed is None or now - key.accessed >= ACCESSED_EVERY:
        with backend.catalogue.write() as session:
            session.execute(update(ApiKey).where(ApiKey.id == key.id).values(accessed=now))


def _by_session(backend: Backend, value: str) -> Actor | None:
    with backend.catalogue.read() as session:
        user = session.scalar(
            select(User)
            .join(Session, Session.user_id == User.id)
            .where(Session.hash == lookup_hash(value), Session.expires > int(time.time()), User.active)
        )
    return Actor(user.id, user.username, user.administrator) if user else None


def check_login(backend: Backend, username: str, password: str) -> Actor:
    """The user of that name and password.

    Raises ``Forbidden`` when one of them is wrong, ``TooManyRequests`` after repeated failures, for a time that
    doubles with each. In neither does a name that nobody has differ from one that somebody has.
    """
    with _one_login:
        with backend.catalogue.read() as session:
            user = _account(session, username)
            _check_wait(session, username)
        right = password_matches(password, user.password_hash if user else None)
        # Another process may have counted failures meanwhile: then nothing is said of this password either.
        with backend.catalogue.write() as session:
            user = _account(session, username)
            _check_wait(session, username)
            if right and user is not None and user.active:
                session.execute(delete(LoginFailure).where(LoginFailure.hash == _folded(username)))
                user.lastlog = int(time.time())
                return Actor(user.id, user.username, user.administrator)
            _count_failure(session, username)
    raise Forbidden("The user name or the password is wrong.")


def _account(session: DatabaseSession, username: str) -> User | None:
    user = find_user(session, username)
    return None if user is None or user.id == ANONYMOUS_ID else user


def _check_wait(session: DatabaseSession, username: str) -> None:
    known = session.get(LoginFailure, _folded(username))
    if known is None or known.failures < FREE_FAILURES:
        return
    # One more, as both times are rounded down: a second would be over at once just before the clock's next one.
    left = known.last + _wait(known.failures) + 1 - int(time.time())
    if left > 0:
        raise TooManyRequests(f"Too many wrong passwords for this user; wait {left} seconds.", retry_after=left)


def _wait(failures: int) -> int:
    """Seconds to wait after so many failures in a row."""
    return min(LONGEST_WAIT, 1 << min(10, failures - FREE_FAILURES))


def _count_failure(session: DatabaseSession, username: str) -> None:
    now = int(time.time())
    known = session.get(LoginFailure, _folded(username))
    if known is None:
        # Names that were tried long ago are forgotten, or a guesser of names would fill the disk.
        session.execute(delete(LoginFailure).where(LoginFailure.last < now - REMEMBERED))
        known = LoginFailure(hash=_folded(username), failures=0)
        session.add(known)
    known.failures, known.last = known.failures + 1, now


def _folded(username: str) -> str:
    """What the failures of a name are remembered by: whether or not somebody has it, it looks the same."""
    return lookup_hash(username.casefold())


def begin_session(backend: Backend, actor: Actor) -> str:
    """Sign a browser in; answers what its cookie holds. Sessions that have ended are cleared away."""
    value = new_session_value()
    now = int(time.time())
    with backend.catalogue.write() as session:
        session.execute(delete(Session).where(Session.expires <= now))
        expires = now + backend.settings.session_days * 86400
        session.add(Session(user_id=actor.user_id, hash=lookup_hash(value), created=now, expires=expires))
    return value


def end_session(backend: Backend, value: str) -> None:
    """Sign a browser out."""
    with backend.catalogue.write() as session:
        session.execute(delete(Session).where(Session.hash == lookup_hash(value)))
