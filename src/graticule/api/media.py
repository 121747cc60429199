"""/layers/{l}/features/{f}/{attribute}, and the same below a map: media files of features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from graticule.actions import features, media, storage
from graticule.actions.users import account_hash
from graticule.api import reply
from graticule.api.body import Body
from graticule.api.deps import ApiCall, Call, call_of
from graticule.api.files import receive, send_file
from graticule.errors import BadRequest

if TYPE_CHECKING:
    from graticule.actions.features import LayerData
    from graticule.model.features import Column
    from graticule.storage.multipart import Upload

router = APIRouter(tags=["features"])


@router.get("/layers/{layer_id:id}/features/{feature_id:id}/{attribute}/{file:path}")
def get_media(call: ApiCall, layer_id: int, feature_id: int, attribute: str, file: str) -> Response:
    """A file that an attribute of a feature names."""
    return _get(call, layer_id, feature_id, attribute, file, None)


@router.get("/maps/{map_id:id}/layers/{layer_id:id}/features/{feature_id:id}/{attribute}/{file:path}")
def get_media_of_map(call: ApiCall, map_id: int, layer_id: int, feature_id: int, attribute: str, file: str) -> Response:
    """The same, below a map."""
    return _get(call, layer_id, feature_id, attribute, file, map_id)


def _get(call: Call, layer_id: int, feature_id: int, attribute: str, file: str, map_id: int | None) -> Response:
    data = features.readable(features.open_layer(call.backend, call.actor, layer_id, map_id=map_id))
    at, info = media.find_media(call.backend, data, feature_id, attribute, file)
    return send_file(call, info, call.backend.files.open(at.account, at.path))


@router.post("/layers/{layer_id:id}/features/{feature_id:id}/{attribute}", status_code=201)
async def add_media(request: Request, layer_id: int, feature_id: int, attribute: str) -> Response:
    """Store a file and append it to those that an attribute of a feature names."""
    return await _add(request, layer_id, feature_id, attribute, None)


@router.post("/maps/{map_id:id}/layers/{layer_id:id}/features/{feature_id:id}/{attribute}", status_code=201)
async def add_media_of_map(request: Request, map_id: int, layer_id: int, feature_id: int, attribute: str) -> Response:
    """The same, below a map."""
    return await _add(request, layer_id, feature_id, attribute, map_id)


async def _add(request: Request, layer_id: int, feature_id: int, attribute: str, map_id: int | None) -> Response:
    call, data, column = await run_in_threadpool(_to_add, request, layer_id, feature_id, attribute, map_id)
    return await receive(call, data.account, lambda sent, _: _store(call, data, feature_id, column, sent))


def _to_add(
    request: Request, layer_id: int, feature_id: int, attribute: str, map_id: int | None
) -> tuple[Call, LayerData, Column]:
    """What is asked before the first byte is taken in: who calls, and whether they may."""
    call = call_of(request, Body({}))
    data = features.open_layer(call.backend, call.actor, layer_id, map_id=map_id)
    return call, data, media.check_addable(call.backend, call.actor, data, feature_id, attribute)


def _store(call: Call, data: LayerData, feature: int, column: Column, sent: Upload) -> Response:
    if len(sent.files) != 1:
        raise BadRequest("Not one file was sent.", field="file", expected="one part that has a file name")
    storage.refuse_empty(sent.files)
    info = media.add_media(call.backend, data, feature, column, sent.files[0])
    value = f"/{account_hash(data.account)}/{info.path}"
    location = f"1/layers/{data.layer.id}/features/{feature}/{column.name}/{info.name}"
    out = {"filename": info.name, "size": info.size, "created": info.created, "attribute": column.name, "path": value}
    return reply.created(call, location, out)
