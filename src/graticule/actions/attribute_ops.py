"""What the attributes of a layer hold: their different values, the least, the greatest, how many there are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from graticule.actions import features, fields
from graticule.actions.attributes import find_column
from graticule.errors import BadRequest

if TYPE_CHECKING:
    from graticule.actions.features import LayerData
    from graticule.actions.listing import Page
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.model.features import Column, Query, Summary


def open_column(
    backend: Backend, actor: Actor, layer_id: int, name: str | None, map_id: int | None = None
) -> tuple[LayerData, Column]:
    """A layer's data and the column of that name. Raises ``NotFound``, ``Forbidden``, ``BadRequest`` on ``column``."""
    data = features.readable(features.open_layer(backend, actor, layer_id, map_id=map_id))
    wanted = fields.required({"column": name}, "column")
    try:
        return data, find_column(data.table, wanted)
    except BadRequest as error:
        error.field = "column"
        raise


def summary(backend: Backend, data: LayerData, query: Query, column: Column) -> Summary:
    """What the column holds in the features that the query hits and the caller may see."""
    return backend.store.summary(data.account, data.table, replace(query, owner=data.owner), column)


def distinct(
    backend: Backend, data: LayerData, query: Query, column: Column, page: Page
) -> tuple[int | None, list[Any]]:
    """How many different values there are (None when not to be counted), and those of the page, in order."""
    query = replace(query, owner=data.owner, limit=page.size, offset=page.offset)
    total = backend.store.summary(data.account, data.table, query, column).distinct if page.total else None
    return total, backend.store.distinct(data.account, data.table, query, column)
