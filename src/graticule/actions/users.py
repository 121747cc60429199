"""Accounts: listing, making, changing them, finding them, their passwords."""

from __future__ import annotations

import hashlib
import re
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, true

from graticule.actions import fields, listing, need
from graticule.actions.versions import check_version
from graticule.catalogue import access
from graticule.catalogue.orm import ANONYMOUS_ID, Resource, Role, RoleMember, Session, Share, User
from graticule.catalogue.secrets import hash_password
from graticule.errors import BadRequest, Conflict, Forbidden, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.orm import Session as Transaction

    from graticule.actions.listing import Listing
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor

USERNAME = re.compile(r"[\w.@+-]{1,100}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
LONGEST_USERNAME = 100
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1024

ATTRIBUTES = {
    name: getattr(User, name)
    for name in (
        "id", "username", "email", "firstname", "lastname", "active", "created", "modified", "lastlog", "owner_id",
        "mobile", "web", "phone", "resource_id",
    )
} | {"name": User.username}  # fmt: skip


def _text_up_to(longest: int) -> Callable[[str, Any], str]:
    def read(name: str, value: Any) -> str:
        text = fields.text(name, value)
        if len(text) > longest:
            expected = f"up to {longest} characters"
            raise BadRequest(f"{name} is too long.", field=name, value=value, expected=expected)
        return text

    return read


def _username(name: str, value: Any) -> str:
    username = fields.text(name, value)
    check_username(username)
    return username


def _email(name: str, value: Any) -> str | None:
    text = _text_up_to(255)(name, value)
    if text and not EMAIL.fullmatch(text):
        raise BadRequest("This is no mail address.", field=name, value=value, expected="name@example.com")
    return text or None


# How each settable field is read, and what it is when null is sent.
SETTERS: dict[str, tuple[Callable[[str, Any], Any], Any]] = {
    "username": (_username, None),
    "email": (_email, None),
    **dict.fromkeys(("firstname", "lastname", "web"), (_text_up_to(255), None)),
    **dict.fromkeys(("mobile", "phone"), (_text_up_to(100), None)),
    "active": (fields.boolean, True),
    "administrator": (fields.boolean, False),
}
# What lets somebody sign in as a user: only the user and administrators change it.
SIGNING_IN = frozenset({"username", "email", "password"})
FOR_ADMINISTRATORS = frozenset({"active", "administrator"})


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


def list_users(backend: Backend, actor: Actor, wanted: Listing) -> tuple[int | None, list[User]]:
    """The users whom the caller may read; administrators see all. Raises ``BadRequest``."""
    visible = true() if actor.administrator else access.visible_users(actor.user_id)
    with backend.catalogue.read() as session:
        return listing.run(session, select(User).where(User.id != ANONYMOUS_ID, visible), wanted, ATTRIBUTES)


def see_user(backend: Backend, actor: Actor, user_id: int) -> User:
    """One user. Raises ``Forbidden``, whether there is one that the caller may not see or none."""
    with backend.catalogue.read() as session:
        return _find(session, actor, user_id, "READ")


def _find(session: Transaction, actor: Actor, user_id: int, permission: str) -> User:
    found = session.get(User, user_id)
    held = need.user_permissions(session, actor, found) if found else access.NOTHING
    if not held:
        raise Forbidden(f"There is no user {user_id} that is shared with you.")
    need.require(held, permission, f"user {user_id}")
    assert found is not None
    return found


def create_user(backend: Backend, username: str, password: str | None, *, administrator: bool = False) -> User:
    """A new account; without a password nobody can sign in to it. Raises ``BadRequest``, ``Conflict``."""
    check_username(username)
    made = User(username=username, administrator=administrator)
    if password is not None:
        check_password(password)
        made.password_hash = hash_password(password)
    with backend.catalogue.write() as session:
        return _add(session, made)


def make_user(backend: Backend, actor: Actor, sent: Mapping[str, Any]) -> User:
    """A new account by an administrator. Raises ``Forbidden``, ``BadRequest``, ``Conflict``."""
    if not actor.administrator:
        raise Forbidden("Only administrators make users.")
    need.unlimited(actor, "users")
    fields.required(sent, "username")
    made = User(owner_id=actor.user_id, password_hash=_password_hash(sent))
    for name, (read, default) in SETTERS.items():
        setattr(made, name, default if sent.get(name) is None else read(name, sent[name]))
    with backend.catalogue.write() as session:
        return _add(session, made)


def _add(session: Transaction, user: User) -> User:
    _refuse_taken(session, user.username, None)
    user.created = user.modified = int(time.time())
    user.username_folded = user.username.casefold()
    session.add(user)
    session.flush()
    user.account_hash = account_hash(user.id)
    user.resource_id = new_resource(session, "user", user.id)
    session.flush()
    return user


def _refuse_taken(session: Transaction, username: str, but: int | None) -> None:
    found = find_user(session, username)
    if found is not None and found.id != but:
        raise Conflict(f"There is already a user named {username}.", field="username", value=username)


def update_user(
    backend: Backend, actor: Actor, user_id: int, sent: Mapping[str, Any], if_match: int | None = None
) -> User:
    """Change a user. Who may edit an account changes what is told of the person; the user name, mail address and
    password are changed by the user and administrators, whether it is active by administrators only.

    Raises ``Forbidden``, ``BadRequest``, ``Conflict``, ``PreconditionFailed``.
    """
    see_user(backend, actor, user_id)
    password_hash = _password_hash(sent)
    with backend.catalogue.write() as session:
        user = _find(session, actor, user_id, "EDIT")
        check_version(user.version, if_match)
        changes = _changes(user, sent)
        _refuse_beyond_rights(actor, user, changes.keys() | ({"password"} if password_hash else set()))
        if "username" in changes:
            _refuse_taken(session, changes["username"], user.id)
            changes["username_folded"] = changes["username"].casefold()
        if changes.get("active") is False or changes.get("administrator") is False:
            refuse_last_administrator(session, user)
        _change(session, user, changes, password_hash)
        return user


def _changes(user: User, sent: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent and is not so already."""
    if "username" in sent:
        fields.required(sent, "username")
    held = {
        name: default if sent[name] is None else read(name, sent[name])
        for name, (read, default) in SETTERS.items()
        if name in sent
    }
    return {name: value for name, value in held.items() if value != getattr(user, name)}


def _refuse_beyond_rights(actor: Actor, user: User, changed: set[str]) -> None:
    if changed & FOR_ADMINISTRATORS and not actor.administrator:
        raise Forbidden(f"Only administrators change {', '.join(sorted(changed & FOR_ADMINISTRATORS))}.")
    if not changed & (SIGNING_IN | FOR_ADMINISTRATORS):
        return
    if actor.scopes:
        raise Forbidden("A key that is limited cannot change how somebody signs in.")
    if actor.user_id != user.id and not actor.administrator:
        raise Forbidden("Only the user and administrators change the user name, the mail address and the password.")


def _change(session: Transaction, user: User, changes: Mapping[str, Any], password_hash: str | None) -> None:
    for name, value in changes.items():
        setattr(user, name, value)
    if password_hash is not None:
        user.password_hash = password_hash
    if changes or password_hash:
        user.modified = int(time.time())
        user.version += 1
    if password_hash or changes.get("active") is False:
        session.execute(delete(Session).where(Session.user_id == user.id))


def refuse_last_administrator(session: Transaction, user: User) -> None:
    """Raises ``Conflict`` when nobody could administer the installation without this user."""
    others = select(func.count()).where(User.administrator, User.active, User.id != user.id)
    if user.administrator and user.active and not session.scalar(others):
        raise Conflict("This is the last administrator.")


def _password_hash(sent: Mapping[str, Any]) -> str | None:
    if sent.get("password") is None:
        return None
    if not isinstance(sent["password"], str):
        raise BadRequest("The password is not text.", field="password", expected="text")
    check_password(sent["password"])
    return hash_password(sent["password"])


def roles_of_users(backend: Backend, actor: Actor, user_ids: Sequence[int]) -> dict[int, list[Role]]:
    """The roles that each of the users is in and the caller may read, by the user's id."""
    visible = true() if actor.administrator else access.visible_roles(actor.user_id)
    statement = select(RoleMember.user_id, Role).join(Role, Role.id == RoleMember.role_id)
    statement = statement.where(RoleMember.user_id.in_(user_ids), visible).order_by(Role.id)
    found: dict[int, list[Role]] = {}
    with backend.catalogue.read() as session:
        for user_id, role in session.execute(statement).unique():
            found.setdefault(user_id, []).append(role)
    return found


def account_hash(user_id: int) -> str:
    """What names the account in paths and icon addresses: the MD5 of its id, as the API has it; no secret."""
    return hashlib.md5(str(user_id).encode(), usedforsecurity=False).hexdigest()


def new_resource(session: Transaction, kind: str, owner_id: int) -> int:
    """The id of a new resource that its owner owns."""
    resource = Resource(type=kind, owner_id=owner_id)
    session.add(resource)
    session.flush()
    session.add(Share(resource_id=resource.id, user_id=owner_id, permission="OWNER"))
    return resource.id


def set_password(backend: Backend, username: str, password: str) -> None:
    """Give a user another password, and sign out every browser of theirs. Raises ``NotFound``."""
    check_password(password)
    password_hash = hash_password(password)
    with backend.catalogue.write() as session:
        user = find_user(session, username)
        if user is None or user.id == ANONYMOUS_ID:
            raise NotFound(f"There is no user named {username}.", field="username", value=username)
        _change(session, user, {}, password_hash)


def check_username(username: str) -> None:
    """Raises ``BadRequest`` when no user can be called so."""
    if not USERNAME.fullmatch(username) or len(username.casefold()) > LONGEST_USERNAME:
        expected = "up to 100 letters, digits and . @ + - _"
        raise BadRequest("This cannot be a user name.", field="username", value=username, expected=expected)


def check_password(password: str) -> None:
    """Raises ``BadRequest`` when it is too short or too long. Its value is never repeated."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        expected = f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
        raise BadRequest("The password is too short or too long.", field="password", expected=expected)
    try:
        password.encode()
    except UnicodeEncodeError:
        raise BadRequest("The password is not valid Unicode text.", field="password") from None


def find_user(session: Transaction, username: str) -> User | None:
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
