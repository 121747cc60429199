"""/userapprovedapps: the programs that the caller lets act."""

from __future__ import annotations

from fastapi import APIRouter, Response

from graticule.actions import userapprovedapps
from graticule.actions.versions import check_version
from graticule.api import reply
from graticule.api.deps import ApiCall
from graticule.api.schemas.people import approval_out

router = APIRouter(tags=["oauth2"])
# An approval never changes: it is given and withdrawn.
VERSION = 1


@router.get("/userapprovedapps")
def list_approvals(call: ApiCall) -> Response:
    """The programs that the caller lets act."""
    wanted = call.listing()
    total, found = userapprovedapps.list_approvals(call.backend, call.actor, wanted)
    return reply.listed("userapprovedapps", total, wanted.page, [approval_out(row) for row in found])


@router.post("/userapprovedapps", status_code=201)
def approve(call: ApiCall) -> Response:
    """Let a program act for the caller."""
    row = userapprovedapps.approve(call.backend, call.actor, call.fields)
    return reply.created(call, f"1/userapprovedapps/{row.id}", approval_out(row), VERSION)


@router.get("/userapprovedapps/{approval_id:id}")
def get_approval(call: ApiCall, approval_id: int) -> Response:
    """One approval."""
    found = userapprovedapps.get_approval(call.backend, call.actor, approval_id)
    return reply.tagged(call, approval_out(found), VERSION)


@router.delete("/userapprovedapps/{approval_id:id}", status_code=204)
def withdraw(call: ApiCall, approval_id: int) -> Response:
    """Let a program act no more."""
    check_version(VERSION, call.if_match_version())
    userapprovedapps.withdraw(call.backend, call.actor, approval_id)
    return reply.nothing()
