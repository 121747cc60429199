"""Programs that users may let act for them: registering them, by their maker."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import Select, delete, select

from graticule.actions import fields, listing, need
from graticule.actions.versions import check_version
from graticule.catalogue.orm import OAuthClient
from graticule.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graticule.actions.listing import Listing
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor

ATTRIBUTES = {
    name: getattr(OAuthClient, name)
    for name in ("id", "client_id", "redirect_uri", "name", "description", "created", "modified")
}
LOOPBACK = ("localhost", "127.0.0.1", "::1")
LONGEST_URI = 2000
LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Client:
    """A program with its secret in clear, as only its maker gets to see it; None for callers by a limited key."""

    row: OAuthClient
    secret: str | None


def list_clients(backend: Backend, actor: Actor, wanted: Listing) -> tuple[int | None, list[Client]]:
    """The programs that the caller has registered. Raises ``BadRequest``, ``Forbidden``."""
    need.signed_in(actor)
    with backend.catalogue.read() as session:
        total, rows = listing.run(session, _own(actor), wanted, ATTRIBUTES)
    return total, [_opened(backend, actor, row) for row in rows]


def get_client(backend: Backend, actor: Actor, client_id: int) -> Client:
    """Raises ``NotFound``."""
    need.signed_in(actor)
    with backend.catalogue.read() as session:
        row = session.scalar(_own(actor).where(OAuthClient.id == client_id))
    if row is None:
        raise NotFound(f"You have registered no program {client_id}.")
    return _opened(backend, actor, row)


def create_client(backend: Backend, actor: Actor, sent: Mapping[str, Any]) -> Client:
    """Register a program. Raises ``BadRequest``, ``Forbidden``."""
    need.signed_in(actor)
    need.unlimited(actor, "OAuth2 clients")
    now, secret = int(time.time()), secrets.token_hex(20)
    row = OAuthClient(
        client_id=secrets.token_hex(10),
        secret=backend.keys.lock(secret),
        redirect_uri=_redirect_uri(fields.required(sent, "redirect_uri")),
        owner_id=actor.user_id,
        name=_name(fields.required(sent, "name")),
        description=None if sent.get("description") is None else fields.text("description", sent["description"]),
        created=now,
        modified=now,
        version=1,
    )
    with backend.catalogue.write() as session:
        session.add(row)
    return Client(row, secret)


def delete_client(backend: Backend, actor: Actor, client_id: int, if_match: int | None = None) -> None:
    """Take a program off the register, and with it all that users have let it do.

    Raises ``NotFound``, ``Forbidden``, ``PreconditionFailed``.
    """
    found = get_client(backend, actor, client_id)
    need.unlimited(actor, "OAuth2 clients")
    check_version(found.row.version, if_match)
    with backend.catalogue.write() as session:
        session.execute(delete(OAuthClient).where(OAuthClient.id == client_id))


def _own(actor: Actor) -> Select[OAuthClient]:
    return select(OAuthClient).where(OAuthClient.owner_id == actor.user_id)


def _opened(backend: Backend, actor: Actor, row: OAuthClient) -> Client:
    return Client(row, None if actor.scopes else backend.keys.unlock(row.secret))


def _name(value: Any) -> str:
    name = fields.text("name", value)
    if len(name) > LONGEST_NAME:
        raise BadRequest("The name is too long.", field="name", expected=f"up to {LONGEST_NAME} characters")
    return name


def _redirect_uri(value: Any) -> str:
    """Where the program is told what was decided: an address that nobody else can read or take over."""
    text = fields.text("redirect_uri", value)
    if not _is_safe(text):
        expected = "an absolute https address without fragment; http on this machine; or com.example.app:/path"
        raise BadRequest("This is no address to redirect to.", field="redirect_uri", value=text, expected=expected)
    return text


def _is_safe(text: str) -> bool:
    if len(text) > LONGEST_URI or not text.isascii() or not text.isprintable() or set(text) & set(' \\"<>#'):
        return False
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if parts.username is not None or parts.password is not None:
        return False
    if parts.scheme in ("http", "https"):
        return bool(host) and (parts.scheme == "https" or host in LOOPBACK)
    # An app's own scheme, which begins with a domain turned round, so that two apps do not have the same.
    return "." in parts.scheme and bool(parts.path or parts.netloc)
