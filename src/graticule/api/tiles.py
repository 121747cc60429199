"""Tiles, and the documents that tell maps how to show them."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response

from graticule.actions import embed, pictures, tiles
from graticule.actions.expressions import Expressions, parse_expressions
from graticule.actions.pictures import Frame
from graticule.api import reply
from graticule.api.deps import ApiCall, Call
from graticule.api.render import MEDIA_TYPES
from graticule.geometry.crs import Crs
from graticule.tiles.grid import parse_tile, tile_box

router = APIRouter(tags=["tiles"])
MVT = "application/vnd.mapbox-vector-tile"
TILE_PIXELS = 256


@router.get("/layers/{layer_id:id}/tiles/{z}/{x}/{y}.mvt")
def layer_vector_tile(call: ApiCall, layer_id: int, z: str, x: str, y: str) -> Response:
    """A vector tile of a layer; 204 where there is nothing."""
    return _vector(call, tiles.layer_tile(call.backend, call.actor, layer_id, (z, x, y), call.text("where")))


@router.get("/maps/{map_id:id}/layers/{layer_id:id}/tiles/{z}/{x}/{y}.mvt")
def layer_of_map_vector_tile(call: ApiCall, map_id: int, layer_id: int, z: str, x: str, y: str) -> Response:
    """The same, below a map."""
    return _vector(call, tiles.layer_tile(call.backend, call.actor, layer_id, (z, x, y), call.text("where"), map_id))


@router.get("/maps/{map_id:id}/tiles/{z}/{x}/{y}.mvt")
def map_vector_tile(call: ApiCall, map_id: int, z: str, x: str, y: str) -> Response:
    """A vector tile of all layers of a map."""
    return _vector(call, tiles.map_tile(call.backend, call.actor, map_id, (z, x, y), expressions_of(call)))


def expressions_of(call: Call) -> Expressions:
    """``expressions``: conditions on the features of layers. Raises ``BadRequest``."""
    return parse_expressions(call.text("expressions") or "")


def _vector(call: Call, tile: bytes) -> Response:
    if not tile:
        return Response(status_code=204)
    return reply.tagged_bytes(call, tile, 0, MVT)


@router.get("/layers/{layer_id:id}/tiles/{z}/{x}/{y}.png")
def layer_png_tile(call: ApiCall, layer_id: int, z: str, x: str, y: str) -> Response:
    """A picture tile of a layer."""
    return _layer(call, layer_id, (z, x, y), "png")


@router.get("/layers/{layer_id:id}/tiles/{z}/{x}/{y}.jpg")
def layer_jpg_tile(call: ApiCall, layer_id: int, z: str, x: str, y: str) -> Response:
    """A picture tile of a layer as JPEG."""
    return _layer(call, layer_id, (z, x, y), "jpg")


@router.get("/maps/{map_id:id}/layers/{layer_id:id}/tiles/{z}/{x}/{y}.png")
def layer_of_map_png_tile(call: ApiCall, map_id: int, layer_id: int, z: str, x: str, y: str) -> Response:
    """A picture tile of a layer of a map."""
    return _layer(call, layer_id, (z, x, y), "png", map_id)


@router.get("/maps/{map_id:id}/layers/{layer_id:id}/tiles/{z}/{x}/{y}.jpg")
def layer_of_map_jpg_tile(call: ApiCall, map_id: int, layer_id: int, z: str, x: str, y: str) -> Response:
    """A picture tile of a layer of a map as JPEG."""
    return _layer(call, layer_id, (z, x, y), "jpg", map_id)


@router.get("/maps/{map_id:id}/tiles/{z}/{x}/{y}.png")
def map_png_tile(call: ApiCall, map_id: int, z: str, x: str, y: str) -> Response:
    """A picture tile of a map."""
    return _map(call, map_id, (z, x, y), "png")


@router.get("/maps/{map_id:id}/tiles/{z}/{x}/{y}.jpg")
def map_jpg_tile(call: ApiCall, map_id: int, z: str, x: str, y: str) -> Response:
    """A picture tile of a map as JPEG."""
    return _map(call, map_id, (z, x, y), "jpg")


def _layer(
    call: Call, layer_id: int, address: tuple[str, str, str], fmt: Literal["png", "jpg"], map_id: int | None = None
) -> Response:
    """A tile of a layer; a PNG is transparent where nothing is."""
    frame = _frame(address)
    drawn = pictures.layer_picture(call.backend, call.actor, layer_id, frame, fmt, map_id, transparent=fmt == "png")
    return reply.tagged_bytes(call, drawn.content, 0, MEDIA_TYPES[fmt])


def _map(call: Call, map_id: int, address: tuple[str, str, str], fmt: Literal["png", "jpg"]) -> Response:
    """A tile of a map with its background."""
    drawn = pictures.map_picture(call.backend, call.actor, map_id, _frame(address), fmt)
    return reply.tagged_bytes(call, drawn.content, 0, MEDIA_TYPES[fmt])


def _frame(address: tuple[str, str, str]) -> Frame:
    return Frame(TILE_PIXELS, TILE_PIXELS, Crs.web_mercator(), tile_box(*parse_tile(*address)))


@router.get("/maps/{map_id:id}/tilejson.json")
def tilejson(call: ApiCall, map_id: int) -> Response:
    """What the vector tiles of a map hold (TileJSON 3.0)."""
    return reply.json(embed.tilejson(call.backend, call.actor, map_id, base_url(call)))


@router.get("/maps/{map_id:id}/style.json")
def map_style(call: ApiCall, map_id: int) -> Response:
    """The MapLibre style of a map."""
    return reply.json(embed.map_style(call.backend, call.actor, map_id, expressions_of(call)))


@router.get("/layers/{layer_id:id}/style.json")
def layer_style(call: ApiCall, layer_id: int) -> Response:
    """The MapLibre style of one layer alone."""
    return reply.json(embed.layer_style(call.backend, call.actor, layer_id, expressions_of(call)))


def base_url(call: Call) -> str:
    """The address at which the caller reaches the server, without a slash at the end."""
    public = call.backend.settings.public_url
    return (public or f"{call.request.url.scheme}://{call.request.headers.get('host', '')}").rstrip("/")
