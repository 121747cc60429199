"""/search: features of many layers by a text."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from graticule.actions import fields, search
from graticule.actions.listing import Page
from graticule.actions.search import Group, Results, Search
from graticule.api import reply
from graticule.api.deps import ApiCall, Call
from graticule.api.schemas.features import geometry_format
from graticule.api.schemas.found import encode_found
from graticule.api.schemas.out import columns_of_table
from graticule.errors import BadRequest
from graticule.geometry.crs import Crs
from graticule.geometry.place import Place

router = APIRouter(tags=["search"])
FARTHEST = 1e9


@router.get("/search")
def find(call: ApiCall) -> Response:
    """Features with an attribute that holds ``query``, whatever its case.

    ``fields`` names layers, columns and orders; without it the text columns of the caller's own layers are searched.
    ``x`` and ``y`` in ``srid`` or ``proj4`` say near which place the nearest come first, where no other order is asked.
    ``replace_special_chars`` takes å for a, č for c and so on. ``result`` is the value that holds the text, ``__match``
    the column it is in.
    """
    crs, page = call.crs() or Crs.wgs84(), call.page()
    named = call.text("fields")
    wanted = Search(
        fields.required({"query": call.text("query")}, "query"),
        None if named is None else search.parse_groups(named),
        _address_layer(call),
        _place(call, crs),
        call.flag("replace_special_chars"),
    )
    results = search.search(call.backend, call.actor, wanted, page)
    return _answer(call, results, crs, page)


def _address_layer(call: Call) -> tuple[Group, ...]:
    address = call.text("address_layer")
    if address is None or address.lower() in ("0", "f", "false", "null"):
        return ()
    return (Group(fields.integer("address_layer", address, 0)),)


def _place(call: Call, crs: Crs) -> Place | None:
    """Where to look from; 0, 0 is how programs say nowhere."""
    x, y = call.number("x", -FARTHEST, FARTHEST), call.number("y", -FARTHEST, FARTHEST)
    if (x is None) != (y is None):
        raise BadRequest("A place has an x and a y.", field="y" if y is None else "x", expected="a number")
    return None if x is None or y is None or x == y == 0 else Place.at(x, y, crs)


def _answer(call: Call, results: Results, crs: Crs, page: Page) -> Response:
    members = [
        {"layerId": match.found.data.layer.id, "result": match.value, "__match": match.column.name}
        for match in results.matches
    ]
    shown = encode_found(
        [match.found for match in results.matches],
        members,
        crs,
        geometry=geometry_format(call.text("geometry")),
        attributes=not call.flag("noattrib"),
        jsonp=call.request.state.jsonp,
    )
    total = b"" if results.total is None else b'"total":%d,' % results.total
    head = b'{"type":"search",%b"page":%d,"data":[' % (total, page.number)
    return reply.raw_json(head + b",".join(shown) + b"]" + _meta(call, results) + b"}")


def _meta(call: Call, results: Results) -> bytes:
    if not call.flag("columns_meta"):
        return b""
    columns: dict[str, Any] = {str(data.layer.id): columns_of_table(data.table) for data in results.layers}
    return b',"meta":' + reply.json({"columns": columns}).body
