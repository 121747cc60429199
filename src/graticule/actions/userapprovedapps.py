"""That users let programs act for them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, delete, select

from graticule.actions import fields, listing, need
from graticule.catalogue.orm import ApprovedApp, OAuthClient
from graticule.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from graticule.actions.listing import Listing
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor

ATTRIBUTES = {name: getattr(ApprovedApp, name) for name in ("id", "client_id", "created")} | {
    "uid": ApprovedApp.user_id
}
# How long the name of a program is that stands in addresses; a row's number is shorter.
CLIENT_ID_LENGTH = 20


def list_approvals(backend: Backend, actor: Actor, wanted: Listing) -> tuple[int | None, list[ApprovedApp]]:
    """The programs that the caller lets act. Raises ``BadRequest``, ``Forbidden``."""
    need.signed_in(actor)
    with backend.catalogue.read() as session:
        return listing.run(session, _own(actor), wanted, ATTRIBUTES)


def get_approval(backend: Backend, actor: Actor, approval_id: int) -> ApprovedApp:
    """Raises ``NotFound``."""
    need.signed_in(actor)
    with backend.catalogue.read() as session:
        return _find(session, actor, approval_id)


def approve(backend: Backend, actor: Actor, sent: Mapping[str, Any]) -> ApprovedApp:
    """Let a program act for the caller; ``client_id`` is the number of its row, or the name it is known by.

    Raises ``NotFound``, ``Conflict``, ``Forbidden``, ``BadRequest``.
    """
    need.signed_in(actor)
    need.unlimited(actor, "approvals")
    with backend.catalogue.write() as session:
        client = _client(session, fields.required(sent, "client_id"))
        if session.scalar(_own(actor).where(ApprovedApp.client_id == client.id)) is not None:
            raise Conflict("You have approved this program already.", field="client_id", value=sent["client_id"])
        row = ApprovedApp(user_id=actor.user_id, client_id=client.id, created=int(time.time()))
        session.add(row)
        session.flush()
        return row


def withdraw(backend: Backend, actor: Actor, approval_id: int) -> None:
    """Let a program act no more. Raises ``NotFound``, ``Forbidden``."""
    need.signed_in(actor)
    with backend.catalogue.write() as session:
        _find(session, actor, approval_id)
        need.unlimited(actor, "approvals")
        session.execute(delete(ApprovedApp).where(ApprovedApp.id == approval_id))


def _own(actor: Actor) -> Select[ApprovedApp]:
    return select(ApprovedApp).where(ApprovedApp.user_id == actor.user_id)


def _find(session: Session, actor: Actor, approval_id: int) -> ApprovedApp:
    row = session.scalar(_own(actor).where(ApprovedApp.id == approval_id))
    if row is None:
        raise NotFound(f"You have approved nothing under {approval_id}.")
    return row


def _client(session: Session, value: Any) -> OAuthClient:
    if isinstance(value, str) and len(value) == CLIENT_ID_LENGTH:
        found = session.scalar(select(OAuthClient).where(OAuthClient.client_id == fields.text("client_id", value)))
    else:
        found = session.get(OAuthClient, fields.integer("client_id", value))
    if found is None:
        raise NotFound(f"There is no program {value}.", field="client_id", value=value)
    return found
