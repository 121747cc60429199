"""POST /layers/{l}/buffer, and the same below a map: a layer of what lies within a distance of another's features."""

from __future__ import annotations

from fastapi import APIRouter, Response

from graticule.actions import buffers
from graticule.api import reply
from graticule.api.deps import ApiCall, Call
from graticule.api.schemas.out import layer_out

router = APIRouter(tags=["layers"])


@router.post("/layers/{layer_id:id}/buffer", status_code=201)
def buffer_layer(call: ApiCall, layer_id: int) -> Response:
    """A new polygon layer on the same map, on a new table of the caller's.

    ``name``; ``size`` in ``units`` (meter, kilometer, mile, degree; true on the ground but for degrees);
    ``merge_geom``, without which each feature has a buffer of its own with its attributes; ``border_width`` 1–4,
    ``border_color``, ``fill_color`` as r,g,b. Needs READ on the layer and EDIT on its map.
    Of a large layer the new one is ``busy`` until its job ends.
    """
    return _buffer(call, layer_id, None)


@router.post("/maps/{map_id:id}/layers/{layer_id:id}/buffer", status_code=201)
def buffer_layer_of_map(call: ApiCall, map_id: int, layer_id: int) -> Response:
    """The same, below a map."""
    return _buffer(call, layer_id, map_id)


def _buffer(call: Call, layer_id: int, map_id: int | None) -> Response:
    plan = buffers.plan_buffer(call.backend, call.actor, layer_id, call.fields, map_id)
    view = buffers.buffer(call.backend, call.actor, plan)
    location = f"1/maps/{view.layer.map_id}/layers/{view.layer.id}"
    return reply.created(call, location, layer_out(view), view.layer.version)
