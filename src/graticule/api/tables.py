"""/tables and their rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import shapely
from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from graticule.actions import tables
from graticule.actions.attributes import find_column
from graticule.actions.geometry_input import Projections
from graticule.actions.tables import TableView
from graticule.api import reply
from graticule.api.csv_rows import csv_pieces
from graticule.api.deps import ApiCall, Call
from graticule.api.schemas.features import FeatureFormat
from graticule.api.schemas.out import table_out, timestamp
from graticule.errors import BadRequest, Forbidden, MethodNotAllowed
from graticule.filters.check import check
from graticule.filters.order import check_order
from graticule.filters.parse import parse
from graticule.geometry import wkt
from graticule.geometry.crs import Crs
from graticule.model.features import Batch, Query
from graticule.stores.base import CREATED, GEOMETRY, KEY, MODIFIED, OWNER

router = APIRouter(tags=["tables"])
GEOMETRY_FORMATS = ("false", "wkt", "wkb")


@router.get("/tables")
def list_tables(call: ApiCall) -> Response:
    """The tables that the caller may read."""
    spatial = True if call.flag("only_spatial") else False if call.flag("only_non_spatial") else None
    wanted = call.listing()
    connection = call.text("connection_id")
    if connection is not None:
        external = tables.list_external_tables(call.backend, call.actor, connection, wanted.page, spatial=spatial)
        return reply.listed("tables", external[0], wanted.page, [_out(call, view) for view in external[1]])
    total, views = tables.list_tables(call.backend, call.actor, wanted, spatial=spatial)
    return reply.listed("tables", total, wanted.page, [_out(call, view) for view in views])


def _out(call: Call, view: TableView) -> dict[str, Any]:
    rows = tables.count_rows(call.backend, view, Query()) if "count" in call.words("expand") else None
    return table_out(view, rows)


@router.post("/tables", status_code=201)
def create_table(call: ApiCall) -> Response:
    """A new table, empty or made of a file."""
    _only_own(call)
    view = tables.create_table(call.backend, call.actor, call.fields)
    return reply.created(call, f"1/tables/{view.table.name}", _out(call, view), view.dataset.id)


@router.get("/tables/{name}.csv")
@router.get("/tables/{name}/rows.csv")
@router.get("/tables/{name}/export.csv")
def table_as_csv(call: ApiCall, name: str) -> Response:
    """All rows as CSV, the geometry as WKT."""
    view = _open(call, name)
    names = tuple(column.name for column in view.table.columns)
    crs = Crs.from_text(view.table.crs) if view.table.crs else None
    how = FeatureFormat(crs, crs) if crs else None
    pieces = csv_pieces(tables.read_rows(call.backend, view, Query(geometry=crs is not None)), names, how)
    disposition = reply.attachment(f"{view.name}.csv")
    headers = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": disposition}
    return StreamingResponse(pieces, headers=headers)


@router.get("/tables/{name}")
def get_table(call: ApiCall, name: str) -> Response:
    """One table."""
    connection = call.text("connection_id")
    if connection is not None:
        found = tables.get_external_table(call.backend, call.actor, name, connection)
        return reply.tagged(call, _out(call, found), found.version)
    view = tables.get_table(call.backend, call.actor, name)
    return reply.tagged(call, _out(call, view), view.dataset.id)


@router.put("/tables/{name}")
def update_table(call: ApiCall, name: str) -> Response:
    """Tables are not changed in this way."""
    tables.get_table(call.backend, call.actor, name)
    raise MethodNotAllowed("A table cannot be changed; make another one, or change its rows.")


@router.delete("/tables/{name}", status_code=204)
def delete_table(call: ApiCall, name: str) -> Response:
    """Delete a table that no layer shows, or any with force=true."""
    _only_own(call)
    if_match = call.if_match_version()
    tables.delete_table(call.backend, call.actor, name, force=call.flag("force"), if_match=if_match)
    return reply.nothing()


@router.delete("/tables/{name}/rows", status_code=204)
@router.delete("/tables/{name}/reset", status_code=204)
@router.post("/tables/{name}/reset", status_code=204)
def empty_table(call: ApiCall, name: str) -> Response:
    """Remove all rows."""
    _only_own(call)
    tables.empty_table(call.backend, call.actor, name)
    return reply.nothing()


@router.get("/tables/{name}/rows")
def list_rows(call: ApiCall, name: str) -> Response:
    """Rows of a table, every value as text."""
    view = _open(call, name)
    page = call.page()
    where, order_by = call.text("where"), call.text("order_by")
    query = Query(
        columns=_wanted(call, view),
        where=None if where is None else check(parse(where), view.table.columns),
        order_by=() if order_by is None else check_order(order_by, view.table.columns),
        limit=page.size,
        offset=page.offset,
        geometry=_geometry(call) != "false",
    )
    total = tables.count_rows(call.backend, view, Query(where=query.where)) if page.total else None
    rows = [row for batch in tables.read_rows(call.backend, view, query) for row in _rows(call, view, batch)]
    return reply.listed("rows", total, page, rows)


@router.get("/tables/{name}/rows/{row_id:id}")
def get_row(call: ApiCall, name: str, row_id: int) -> Response:
    """One row."""
    view = _open(call, name)
    query = Query(columns=_wanted(call, view), ids=(row_id,), geometry=_geometry(call) != "false")
    row = next(_rows(call, view, tables.read_row(call.backend, view, row_id, query)))
    return reply.tagged(call, row, tables.row_version(call.backend, view, row_id))


@router.post("/tables/{name}/rows", status_code=201)
def create_row(call: ApiCall, name: str) -> Response:
    """A new row."""
    _only_own(call)
    view, number = tables.insert_row(call.backend, call.actor, name, call.fields, Projections(call.crs()))
    location = f"1/tables/{name}/rows/{number}"
    if view.owner is not None and not call.actor.signed_in:
        return reply.created(call, location, {KEY: str(number)})
    made = tables.read_row(call.backend, view, number, Query(ids=(number,)))
    version = tables.row_version(call.backend, view, number)
    return reply.created(call, location, next(_rows(call, view, made)), version)


@router.put("/tables/{name}/rows/{row_id:id}", status_code=204)
def update_row(call: ApiCall, name: str, row_id: int) -> Response:
    """Change the values that are given and keep the others."""
    _only_own(call)
    projections = Projections(call.crs())
    tables.update_row(call.backend, call.actor, name, row_id, call.fields, projections, call.if_match())
    return reply.nothing()


@router.delete("/tables/{name}/rows/{row_id:id}", status_code=204)
def delete_row(call: ApiCall, name: str, row_id: int) -> Response:
    """Delete a row."""
    _only_own(call)
    tables.delete_row(call.backend, call.actor, name, row_id, call.if_match())
    return reply.nothing()


def _open(call: Call, name: str) -> TableView:
    """The caller's table, a shared one, or one of the database that ``connection_id`` names, to read rows of."""
    connection = call.text("connection_id")
    if connection is not None:
        return tables.get_external_table(call.backend, call.actor, name, connection)
    return tables.open_rows(call.backend, call.actor, name)


def _only_own(call: Call) -> None:
    """Raises ``Forbidden`` where a table of another database is meant, which is only read."""
    if call.text("connection_id") is not None:
        raise Forbidden("Tables of other databases are only read.")


def _geometry(call: Call) -> str:
    value = (call.text("geometry") or "false").lower()
    if value not in GEOMETRY_FORMATS:
        expected = "one of " + ", ".join(GEOMETRY_FORMATS)
        raise BadRequest(f"Unknown geometry format {value}.", field="geometry", value=value, expected=expected)
    return value


def _wanted(call: Call, view: TableView) -> tuple[str, ...] | None:
    ours = {KEY, GEOMETRY, OWNER, CREATED, MODIFIED}
    words = [word for word in call.words("fields") if word not in ours]
    if not call.text("fields"):
        return None
    return tuple(dict.fromkeys(find_column(view.table, word).name for word in words))


def _rows(call: Call, view: TableView, batch: Batch) -> Iterator[dict[str, Any]]:
    geometry = _geometry(call)
    shapes: list[str | None] = []
    if geometry != "false" and view.table.geometry_type and batch.geometry is not None:
        shapes = list(wkt.write(batch.geometry)) if geometry == "wkt" else _hex(view, batch)
    for index, number in enumerate(batch.ids.tolist()):
        row: dict[str, Any] = {KEY: str(number)}
        row |= {name: _text(values[index]) for name, values in batch.columns.items()}
        row[CREATED] = timestamp((batch.created or [])[index] or None)
        row[MODIFIED] = timestamp((batch.modified or [])[index] or None)
        row[OWNER] = str((batch.owner or [])[index])
        if shapes:
            row[GEOMETRY] = shapes[index]
        yield row


def _hex(view: TableView, batch: Batch) -> list[str | None]:
    """EWKB in hexadecimal, with the table's SRID in it."""
    epsg = Crs.from_text(view.table.crs).epsg if view.table.crs else None
    geometry = shapely.set_srid(batch.geometry, epsg or 0)
    texts: list[str | None] = shapely.to_wkb(geometry, hex=True, include_srid=epsg is not None).tolist()
    return texts


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value)
