"""/maps/{id}/render.…, /layers/{id}/render.…: pictures."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from fastapi import APIRouter, Response

from graticule.actions import fields, maps, need, pictures
from graticule.actions.drawing import drawable_layer, drawables_of_map
from graticule.actions.maps import map_crs
from graticule.actions.pictures import Drawn, Frame
from graticule.api import reply
from graticule.api.deps import ApiCall, Call
from graticule.errors import BadRequest, NotFound
from graticule.geometry.bounds import Bounds, parse_bounds
from graticule.geometry.crs import Crs
from graticule.geometry.reproject import reproject_box
from graticule.model.features import Box

router = APIRouter(tags=["pictures"])
Format = Literal["png", "jpg"]
MEDIA_TYPES = {"png": "image/png", "jpg": "image/jpeg"}
LARGEST = 4096


@router.get("/maps/{map_id:id}/render.png")
def map_as_png(call: ApiCall, map_id: int) -> Response:
    """A picture of a map."""
    return _map(call, map_id, "png")


@router.get("/maps/{map_id:id}/render.jpg")
def map_as_jpg(call: ApiCall, map_id: int) -> Response:
    """A picture of a map as JPEG."""
    return _map(call, map_id, "jpg")


@router.get("/layers/{layer_id:id}/render.png")
def layer_as_png(call: ApiCall, layer_id: int) -> Response:
    """A picture of a layer."""
    return _layer(call, layer_id, "png", None)


@router.get("/layers/{layer_id:id}/render.jpg")
def layer_as_jpg(call: ApiCall, layer_id: int) -> Response:
    """A picture of a layer as JPEG."""
    return _layer(call, layer_id, "jpg", None)


@router.get("/maps/{map_id:id}/layers/{layer_id:id}/render.png")
def layer_of_map_as_png(call: ApiCall, map_id: int, layer_id: int) -> Response:
    """A picture of a layer of a map."""
    return _layer(call, layer_id, "png", map_id)


@router.get("/maps/{map_id:id}/layers/{layer_id:id}/render.jpg")
def layer_of_map_as_jpg(call: ApiCall, map_id: int, layer_id: int) -> Response:
    """A picture of a layer of a map as JPEG."""
    return _layer(call, layer_id, "jpg", map_id)


def _map(call: Call, map_id: int, fmt: Format) -> Response:
    found, _ = drawables_of_map(call.backend, call.actor, map_id)
    _check_asked(call, found.id)
    frame = frame_of(call, map_crs(found))
    return _answer(call, pictures.map_picture(call.backend, call.actor, map_id, frame, fmt))


def _layer(call: Call, layer_id: int, fmt: Format, map_id: int | None) -> Response:
    drawable = drawable_layer(call.backend, call.actor, layer_id, map_id)
    _check_asked(call, drawable.layer.map_id)
    frame = frame_of(call, map_crs(drawable.layer.map))
    return _answer(call, pictures.layer_picture(call.backend, call.actor, layer_id, frame, fmt, map_id))


def _check_asked(call: Call, map_id: int) -> None:
    """Raises for what is asked beside the picture itself: ``NotFound``, ``Forbidden``, ``BadRequest``.

    Pictures are always drawn anew, so there is never one in store where only that would do, and none to replace; but
    who may not have one replaced is told so.
    """
    if call.flag("invalidate"):
        maps.check_editable(call.backend, call.actor, map_id)
    call.flag("justgenerate")
    if call.text("saveto"):
        need.signed_in(call.actor)
    if not call.flag("phender", default=True):
        raise NotFound("This picture is not in store, and phender=false asks not to draw it.")


def frame_of(call: Call, map_projection: Crs) -> Frame:
    """``width``, ``height``, ``epsg``/``proj4``, ``bounds``, ``srid``, ``numscale``. Raises ``BadRequest``."""
    crs = _projection(call) or map_projection
    box = None
    bounds = call.text("bounds", "bound")
    if bounds is not None:
        srid = call.text("srid")
        given = Crs.from_epsg(srid, field="srid") if srid else crs
        box = reproject_box(picture_box(parse_bounds(bounds, given), given), given, crs)
        if box is None:
            raise BadRequest("The projection shows nothing of these bounds.", field="bounds", value=bounds)
    width, height = (call.integer(name, 256, 1, LARGEST) for name in ("width", "height"))
    return Frame(width, height, crs, box, numscale(call), legend=call.flag("layerlist"))


def numscale(call: Call) -> float | None:
    """The denominator of the scale; false and 0 ask for none. Raises ``BadRequest``."""
    scale = call.text("numscale")
    if scale is None or scale.lower() in ("false", "0"):
        return None
    return fields.number("numscale", scale, 1, 1e10)


def picture_box(bounds: Bounds, crs: Crs) -> Box:
    """The corners in order; geographic ones that cross the antimeridian go on beyond it."""
    xmin, xmax = bounds.xmin, bounds.xmax
    if crs.is_geographic and xmin > xmax:
        xmax += 2 * crs.half_turn
    ys = sorted((bounds.ymin, bounds.ymax))
    return min(xmin, xmax), ys[0], max(xmin, xmax), ys[1]


def _projection(call: Call) -> Crs | None:
    epsg, proj4 = call.text("epsg"), call.text("proj4")
    if epsg is not None:
        return Crs.from_epsg(epsg)
    return None if proj4 is None else Crs.from_proj4(proj4)


def _answer(call: Call, drawn: Drawn) -> Response:
    if call.text("saveto"):
        pictures.save(call.backend, call.actor, drawn, call.text("saveto") or "")
    response = reply.tagged_bytes(call, drawn.content, 0, MEDIA_TYPES[drawn.format])
    if call.flag("download"):
        name = quote(f"{drawn.name}.{drawn.format}", safe="")
        response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    if drawn.missing:
        response.headers["X-Layers-Missing"] = ",".join(str(layer_id) for layer_id in drawn.missing)
    if call.text("timestamp"):
        response.headers["Cache-Control"] = "private, max-age=60"
    return response
