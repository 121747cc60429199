"""/keys: API keys, by key, session or password."""

from __future__ import annotations

from fastapi import APIRouter, Response

from graticule.actions import auth, fields, keys, need
from graticule.api import reply
from graticule.api.deps import ApiCall, Call
from graticule.api.schemas.out import key_out
from graticule.catalogue.access import Actor

router = APIRouter(tags=["keys"])


@router.get("/keys")
def list_keys(call: ApiCall) -> Response:
    """The caller's keys."""
    wanted = call.listing()
    total, found = keys.list_keys(call.backend, call.actor, wanted)
    return reply.listed("keys", total, wanted.page, [key_out(key) for key in found])


@router.post("/keys", status_code=201)
def create_key(call: ApiCall) -> Response:
    """A new key, for a caller known by a key, a session, or the headers api-username and api-password."""
    actor = _by_password(call) or call.actor
    need.signed_in(actor)
    sent = call.fields
    texts = {name: None if sent.get(name) is None else fields.text(name, sent[name]) for name in ("key_desc", "scope")}
    key = keys.create_key(call.backend, actor, **texts)
    return reply.created(call, f"1/keys/{key.row.id}", key_out(key) | {"value": key.value})


def _by_password(call: Call) -> Actor | None:
    username = call.credential("username")
    if call.actor.signed_in or username is None:
        return None
    return auth.check_login(call.backend, username, call.credential("password") or "")


@router.get("/keys/{key_id:id}")
def get_key(call: ApiCall, key_id: int) -> Response:
    """One key of the caller."""
    return reply.tagged(call, key_out(keys.get_key(call.backend, call.actor, key_id)), keys.VERSION)


@router.delete("/keys/{key_id:id}", status_code=204)
@router.delete("/keys/rows/{key_id:id}", status_code=204)
def delete_key(call: ApiCall, key_id: int) -> Response:
    """Revoke a key."""
    keys.delete_key(call.backend, call.actor, key_id, call.if_match_version())
    return reply.nothing()
