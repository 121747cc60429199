"""Accounts: making them, finding them, their passwords."""

from __future__ import annotations

import hashlib
import re
import time
from typing import TYPE_CHECKING

from sqlalchemy import select

from graticule.catalogue.orm import ANONYMOUS_ID, Resource, Share, User
from graticule.catalogue.secrets import hash_password
from graticule.errors import BadRequest, Conflict, NotFound

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from graticule.backend import Backend

USERNAME = re.compile(r"[\w.@+-]{1,100}")
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1024


def ensure_anonymous(backend: Backend) -> None:
    """Make the user that stands for everyone, at first start."""
    with backend.catalogue.read() as session:
        if session.get(User, ANONYMOUS_ID):
            return
    with backend.catalogue.write() as session:
        if session.get(User, ANONYMOUS_ID) is None:
            now = int(time.time())
            session.add(
                User(id=ANONYMOUS_ID, username="anonymous", username_folded="anonymous", created=now, modified=now)
            )


def create_user(backend: Backend, username: str, password: str, *, administrator: bool = False) -> User:
    """A new account. Raises ``BadRequest``, ``Conflict``."""
    check_username(username)
    check_password(password)
    password_hash = hash_password(password)
    now = int(time.time())
    with backend.catalogue.write() as session:
        if find_user(session, username) is not None:
            raise Conflict(f"There is already a user named {username}.", field="username", value=username)
        user = User(
            username=username,
            username_folded=username.casefold(),
            password_hash=password_hash,
            administrator=administrator,
            created=now,
            modified=now,
        )
        session.add(user)
        session.flush()
        user.account_hash = account_hash(user.id)
        user.resource_id = new_resource(session, "user", user.id)
    return user


def account_hash(user_id: int) -> str:
    """What names the account in paths and icon addresses: the MD5 of its id, as the API has it; no secret."""
    return hashlib.md5(str(user_id).encode(), usedforsecurity=False).hexdigest()


def new_resource(session: Session, kind: str, owner_id: int) -> int:
    """The id of a new resource that its owner owns."""
    resource = Resource(type=kind, owner_id=owner_id)
    session.add(resource)
    session.flush()
    session.add(Share(resource_id=resource.id, user_id=owner_id, permission="OWNER"))
    return resource.id


def set_password(backend: Backend, username: str, password: str) -> None:
    """Give a user another password; whoever was signed in as that user stays so. Raises ``NotFound``."""
    check_password(password)
    password_hash = hash_password(password)
    with backend.catalogue.write() as session:
        user = find_user(session, username)
        if user is None or user.id == ANONYMOUS_ID:
            raise NotFound(f"There is no user named {username}.", field="username", value=username)
        user.password_hash = password_hash
        user.modified = int(time.time())


def check_username(username: str) -> None:
    """Raises ``BadRequest`` when no user can be called so."""
    if not USERNAME.fullmatch(username):
        expected = "up to 100 letters, digits and . @ + - _"
        raise BadRequest("This cannot be a user name.", field="username", value=username, expected=expected)


def check_password(password: str) -> None:
    """Raises ``BadRequest`` when it is too short or too long. Its value is never repeated."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        expected = f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
        raise BadRequest("The password is too short or too long.", field="password", expected=expected)


def find_user(session: Session, username: str) -> User | None:
    """The user of that name, whatever its case."""
    return session.scalar(select(User).where(User.username_folded == username.casefold()))


def all_users(backend: Backend) -> list[User]:
    """Everyone but ``anonymous``, by id."""
    with backend.catalogue.read() as session:
        return list(session.scalars(select(User).where(User.id != ANONYMOUS_ID).order_by(User.id)))


def get_user(backend: Backend, user_id: int) -> User:
    """Raises ``NotFound``."""
    with backend.catalogue.read() as session:
        user = session.get(User, user_id)
    if user is None:
        raise NotFound(f"There is no user {user_id}.")
    return user
