"""/oauth2_clients: the programs that the caller has registered."""

from __future__ import annotations

from fastapi import APIRouter, Response

from graticule.actions import oauth2_clients
from graticule.api import reply
from graticule.api.deps import ApiCall
from graticule.api.schemas.people import client_out

router = APIRouter(tags=["oauth2"])


@router.get("/oauth2_clients")
def list_clients(call: ApiCall) -> Response:
    """The programs that the caller has registered."""
    wanted = call.listing()
    total, found = oauth2_clients.list_clients(call.backend, call.actor, wanted)
    return reply.listed("oauth2_clients", total, wanted.page, [client_out(client) for client in found])


@router.post("/oauth2_clients", status_code=201)
def create_client(call: ApiCall) -> Response:
    """Register a program by ``name`` and ``redirect_uri``."""
    made = oauth2_clients.create_client(call.backend, call.actor, call.fields)
    return reply.created(call, f"1/oauth2_clients/{made.row.id}", client_out(made), made.row.version)


@router.get("/oauth2_clients/{client_id:id}")
def get_client(call: ApiCall, client_id: int) -> Response:
    """One program."""
    found = oauth2_clients.get_client(call.backend, call.actor, client_id)
    return reply.tagged(call, client_out(found), found.row.version)


@router.delete("/oauth2_clients/{client_id:id}", status_code=204)
def delete_client(call: ApiCall, client_id: int) -> Response:
    """Take a program off the register."""
    oauth2_clients.delete_client(call.backend, call.actor, client_id, call.if_match_version())
    return reply.nothing()
