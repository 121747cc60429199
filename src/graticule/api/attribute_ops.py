"""/layers/{l}/attributeops/{distinct,info,min,max}: what a column of a layer holds."""

from __future__ import annotations

from fastapi import APIRouter, Response

from graticule.actions import attribute_ops
from graticule.actions.features import LayerData
from graticule.api import reply
from graticule.api.deps import ApiCall, Call
from graticule.filters.check import check
from graticule.filters.parse import parse
from graticule.model.features import Column, Query, Summary

router = APIRouter(tags=["attributes"])


@router.get("/layers/{layer_id:id}/attributeops/distinct")
def distinct(call: ApiCall, layer_id: int) -> Response:
    """The different values of ``column`` (``f``, ``attribute``), in order, in pages; ``where`` picks features."""
    data, column, query = _asked(call, layer_id)
    page = call.page()
    total, values = attribute_ops.distinct(call.backend, data, query, column, page)
    return reply.listed("distinct", total, page, values)


@router.get("/layers/{layer_id:id}/attributeops/info")
def info(call: ApiCall, layer_id: int) -> Response:
    """An object on ``column``: its type, the features, those with a value, different values, min, max, mean, sum."""
    column, held = _summary(call, layer_id)
    return reply.json(
        {
            "column": column.name,
            "type": column.type,
            "count": held.features,
            "nulls": held.features - held.filled,
            "distinct": held.distinct,
            "min": held.low,
            "max": held.high,
            "avg": held.mean,
            "sum": held.total,
        }
    )


@router.get("/layers/{layer_id:id}/attributeops/min")
def least(call: ApiCall, layer_id: int) -> Response:
    """An object with the least value of ``column``; null where no feature has one."""
    column, held = _summary(call, layer_id)
    return reply.json({"column": column.name, "min": held.low})


@router.get("/layers/{layer_id:id}/attributeops/max")
def greatest(call: ApiCall, layer_id: int) -> Response:
    """An object with the greatest value of ``column``; null where no feature has one."""
    column, held = _summary(call, layer_id)
    return reply.json({"column": column.name, "max": held.high})


def _summary(call: Call, layer_id: int) -> tuple[Column, Summary]:
    data, column, query = _asked(call, layer_id)
    return column, attribute_ops.summary(call.backend, data, query, column)


def _asked(call: Call, layer_id: int) -> tuple[LayerData, Column, Query]:
    data, column = attribute_ops.open_column(call.backend, call.actor, layer_id, call.text("column", "f", "attribute"))
    where = call.text("where")
    return data, column, Query(where=None if where is None else check(parse(where), data.table.columns))
