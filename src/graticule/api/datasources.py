"""/datasources: where data comes from."""

from __future__ import annotations

from fastapi import APIRouter, Response

from graticule.actions import datasources, fields
from graticule.actions.datasources import Sent
from graticule.api import reply
from graticule.api.deps import ApiCall, Call
from graticule.api.schemas.sources import datasource_out

router = APIRouter(tags=["datasources"])


@router.get("/datasources")
def list_datasources(call: ApiCall) -> Response:
    """The datasources that the caller may read; those of a type all at once."""
    types = call.text("type")
    wanted = call.listing(default=None if types else 100)
    total, views = datasources.list_datasources(call.backend, call.actor, wanted, types)
    expand = call.words("expand")
    return reply.listed("datasources", total, wanted.page, [datasource_out(view, expand) for view in views])


@router.post("/datasources", status_code=201)
def create_datasource(call: ApiCall) -> Response:
    """A new datasource of the caller."""
    view = datasources.create_datasource(call.backend, call.actor, _sent(call))
    made = view.datasource
    return reply.created(call, f"1/datasources/{made.id}", datasource_out(view), made.version)


@router.put("/datasources")
def update_datasource_named_in_body(call: ApiCall) -> Response:
    """Change the datasource whose id is in the body."""
    return _update(call, fields.integer("id", fields.required(call.fields, "id"), 0))


@router.get("/datasources/{datasource_id:id}")
def get_datasource(call: ApiCall, datasource_id: int) -> Response:
    """One datasource."""
    view = datasources.get_datasource(call.backend, call.actor, datasource_id)
    return reply.tagged(call, datasource_out(view, call.words("expand")), view.datasource.version)


@router.put("/datasources/{datasource_id:id}")
def update_datasource(call: ApiCall, datasource_id: int) -> Response:
    """Change a datasource."""
    return _update(call, datasource_id)


def _update(call: Call, datasource_id: int) -> Response:
    if_match = call.if_match_version()
    view = datasources.update_datasource(call.backend, call.actor, datasource_id, _sent(call), if_match)
    return reply.updated(call, datasource_out(view), view.datasource.version)


@router.delete("/datasources/{datasource_id:id}", status_code=204)
def delete_datasource(call: ApiCall, datasource_id: int) -> Response:
    """Delete a datasource, never the data it stands for."""
    datasources.delete_datasource(call.backend, call.actor, datasource_id, call.if_match_version())
    return reply.nothing()


def _sent(call: Call) -> Sent:
    return Sent(call.fields, call.body.written)
