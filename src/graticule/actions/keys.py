"""API keys: making, listing and revoking one's own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Select, delete, select

from graticule.actions import listing, need
from graticule.actions.versions import check_version
from graticule.catalogue.orm import ApiKey
from graticule.catalogue.secrets import lookup_hash, new_key
from graticule.errors import Forbidden, NotFound

if TYPE_CHECKING:
    from graticule.actions.listing import Listing
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor


# Of every key: it is made and deleted, and never changed.
VERSION = 1

ATTRIBUTES = {
    name: getattr(ApiKey, name) for name in ("id", "key_desc", "scope", "key_trunc", "active", "created", "accessed")
} | {"name": ApiKey.key_desc}


@dataclass(frozen=True, slots=True)
class Key:
    """A key with its value in clear, as only its owner gets to see it."""

    row: ApiKey
    value: str


def create_key(backend: Backend, actor: Actor, key_desc: str | None = None, scope: str | None = None) -> Key:
    """A new key of the caller. Raises ``Forbidden``."""
    need.signed_in(actor)
    _unlimited(actor)
    value = new_key()
    row = ApiKey(
        user_id=actor.user_id,
        hash=lookup_hash(value),
        encrypted=backend.keys.lock(value),
        key_desc=key_desc,
        scope=scope,
        key_trunc=value[-6:],
        active=True,
        created=int(time.time()),
    )
    with backend.catalogue.write() as session:
        session.add(row)
    return Key(row, value)


def list_keys(backend: Backend, actor: Actor, wanted: Listing) -> tuple[int | None, list[Key]]:
    """How many keys the caller has (None when not to be counted), and those of the page. Raises ``BadRequest``."""
    need.signed_in(actor)
    with backend.catalogue.read() as session:
        total, rows = listing.run(session, _own(actor), wanted, ATTRIBUTES)
    return total, [Key(row, backend.keys.unlock(row.encrypted)) for row in rows]


def get_key(backend: Backend, actor: Actor, key_id: int) -> Key:
    """Raises ``NotFound``."""
    need.signed_in(actor)
    with backend.catalogue.read() as session:
        row = session.scalar(_own(actor).where(ApiKey.id == key_id))
    if row is None:
        raise NotFound(f"You have no key {key_id}.")
    return Key(row, backend.keys.unlock(row.encrypted))


def delete_key(backend: Backend, actor: Actor, key_id: int, if_match: int | None = None) -> None:
    """Revoke a key, at once and in every process. Raises ``NotFound``, ``Forbidden``, ``PreconditionFailed``."""
    get_key(backend, actor, key_id)
    _unlimited(actor)
    check_version(VERSION, if_match)
    with backend.catalogue.write() as session:
        session.execute(delete(ApiKey).where(ApiKey.id == key_id))


def _own(actor: Actor) -> Select[ApiKey]:
    own = select(ApiKey).where(ApiKey.user_id == actor.user_id)
    # A limited key sees no other: it could read their values and be limited no more.
    return own.where(ApiKey.id == actor.key_id) if actor.scopes else own


def _unlimited(actor: Actor) -> None:
    if actor.scopes:
        raise Forbidden(f"A key of the scope {', '.join(sorted(actor.scopes))} cannot make or delete keys.")
