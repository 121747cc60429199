"""/layers/{l}/export.…: layers as files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from graticule.actions.export_jobs import start_export
from graticule.actions.exports import Exported, export_layer
from graticule.api import reply
from graticule.api.deps import ApiCall, Call
from graticule.api.schemas.out import job_out

router = APIRouter(tags=["export"])
CHUNK = 256 * 1024


@router.get("/layers/{layer_id:id}/export.{fmt}")
def export(call: ApiCall, layer_id: int, fmt: str) -> Response:
    """A layer as a file; as a zip where it is several, or where the name or ``zip`` asks for it."""
    return _export(call, layer_id, fmt, None)


@router.get("/maps/{map_id:id}/layers/{layer_id:id}/export.{fmt}")
def export_of_map(call: ApiCall, map_id: int, layer_id: int, fmt: str) -> Response:
    """The same, below a map."""
    return _export(call, layer_id, fmt, map_id)


@router.post("/layers/{layer_id:id}/export.{fmt}", status_code=201)
def export_by_job(call: ApiCall, layer_id: int, fmt: str) -> Response:
    """A job that exports the layer into a file of the caller's storage, below /exports/."""
    return _export_by_job(call, layer_id, fmt, None)


@router.post("/maps/{map_id:id}/layers/{layer_id:id}/export.{fmt}", status_code=201)
def export_of_map_by_job(call: ApiCall, map_id: int, layer_id: int, fmt: str) -> Response:
    """The same, below a map."""
    return _export_by_job(call, layer_id, fmt, map_id)


def _export_by_job(call: Call, layer_id: int, fmt: str, map_id: int | None) -> Response:
    name, zipped = _wanted(call, fmt)
    job = start_export(call.backend, call.actor, layer_id, name, zipped=zipped, crs=call.crs(), map_id=map_id)
    return reply.created(call, f"1/jobs/{job.id}", job_out(job), job.version)


def _wanted(call: Call, fmt: str) -> tuple[str, bool]:
    """The format, and whether it is to be zipped."""
    return fmt.lower().removesuffix(".zip"), fmt.lower().endswith(".zip") or call.flag("zip")


def _export(call: Call, layer_id: int, fmt: str, map_id: int | None) -> Response:
    name, zipped = _wanted(call, fmt)
    holder = call.backend.files.staging(call.actor.user_id)
    staging = holder.__enter__()
    try:
        exported = export_layer(
            call.backend, call.actor, layer_id, name, staging, zipped=zipped, crs=call.crs(), map_id=map_id
        )
    except BaseException:
        holder.__exit__(None, None, None)
        raise
    headers = {
        "Content-Disposition": reply.attachment(exported.name),
        "Content-Length": str(exported.path.stat().st_size),
        "Content-Type": exported.media_type,
    }
    return StreamingResponse(_pieces(exported, holder), headers=headers)


def _pieces(exported: Exported, holder: AbstractContextManager[Path]) -> Iterator[bytes]:
    """The file piece by piece; then, or when the caller goes away, it is removed."""
    try:
        with exported.path.open("rb") as file:
            while piece := file.read(CHUNK):
                yield piece
    finally:
        holder.__exit__(None, None, None)
