"""/storage/fs: the caller's files, and those shared with the caller."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from graticule.actions import fields, storage
from graticule.actions.users import account_hash
from graticule.api import reply
from graticule.api.body import Body, read_body
from graticule.api.deps import ApiCall, Call, call_of
from graticule.api.schemas.out import entry_out
from graticule.errors import BadRequest, Forbidden, NotFound
from graticule.storage.media import serving
from graticule.storage.multipart import MultipartReader
from graticule.storage.ranges import parse_range

if TYPE_CHECKING:
    from graticule.storage.base import FileInfo
    from graticule.storage.multipart import Upload

router = APIRouter(tags=["storage"])
CHUNK = 256 * 1024
INFO, MKDIR = ("info", "info.json"), ("mkdir", "mkdir.json")
SANDBOX = {"Content-Security-Policy": "sandbox; default-src 'none'"}


@router.get("/storage/fs")
def list_root(call: ApiCall) -> Response:
    """What the caller's storage holds."""
    return _get(call, "")


@router.get("/storage/fs/{path:path}")
def get_file(call: ApiCall, path: str) -> Response:
    """A file, or what a directory holds."""
    return _get(call, path)


def _get(call: Call, path: str) -> Response:
    try:
        at = storage.place(call.backend, call.actor, path, "READ")
        info = call.backend.files.info(at.account, at.path)
    except (NotFound, Forbidden):
        # A file that is really called info comes before what there is to say of its directory.
        directory, _, name = path.rpartition("/")
        if name not in INFO:
            raise
        return _listing(call, storage.place(call.backend, call.actor, directory, "READ"))
    if info.is_dir:
        return _listing(call, at)
    return _file(call, info, call.backend.files.open(at.account, at.path))


def _listing(call: Call, at: storage.Place) -> Response:
    found = [entry_out(entry) for entry in storage.describe(call.backend, at)]
    return reply.json({"type": "storage", "total": len(found), "page": 1, "data": found})


def _file(call: Call, info: FileInfo, opened: BinaryIO) -> Response:
    media_type, inline = serving(info.name)
    tag = f'"{info.version}"'
    headers = SANDBOX | {"ETag": tag, "Accept-Ranges": "bytes", "Content-Type": media_type}
    if not inline or call.flag("download"):
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(info.name, safe='')}"
    asked = call.request.headers
    if tag in (asked.get("if-none-match") or ""):
        opened.close()
        return Response(status_code=304, headers=headers)
    wanted = parse_range(asked.get("range"), info.size) if asked.get("if-range", tag) == tag else None
    start, end = wanted or (0, info.size)
    headers["Content-Length"] = str(end - start)
    if wanted:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{info.size}"
    return StreamingResponse(_pieces(opened, start, end), 206 if wanted else 200, headers)


def _pieces(opened: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    with opened:
        opened.seek(start)
        left = end - start
        while left > 0 and (piece := opened.read(min(CHUNK, left))):
            left -= len(piece)
            yield piece


@router.post("/storage/fs", status_code=201)
async def upload_to_root(request: Request) -> Response:
    """Store files in the root of the caller's storage."""
    return await _post(request, "")


@router.post("/storage/fs/{path:path}", status_code=201)
async def upload(request: Request, path: str) -> Response:
    """Store files in a directory, which is made when missing; a zip is unpacked there."""
    return await _post(request, path)


async def _post(request: Request, path: str) -> Response:
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() == "multipart/form-data":
        return await _post_multipart(request, path, kind)
    body = await read_body(request)
    return await run_in_threadpool(_post_fields, request, path, body)


def _post_fields(request: Request, path: str, body: Body) -> Response:
    call = call_of(request, body)
    if path.rpartition("/")[2] in MKDIR:
        at = storage.place(call.backend, call.actor, path.rpartition("/")[0], "EDIT")
        storage.make_directory(call.backend, at)
        return _created(call, at, at.path)
    name = fields.text("filename", fields.required(call.fields, "filename"))
    content = fields.text("content", call.fields.get("content") or "")
    at = storage.place(call.backend, call.actor, path, "EDIT")
    with call.backend.files.staging(at.account) as staging:
        staged = storage.stage_text(staging, name, content)
        made = storage.store_upload(call.backend, at, [staged], staging)
    return _created(call, at, made)


async def _post_multipart(request: Request, path: str, kind: str) -> Response:
    """Read the parts as they come, straight to disk."""
    call = await run_in_threadpool(call_of, request, Body({}))
    at = await run_in_threadpool(storage.place, call.backend, call.actor, path, "EDIT")
    holder = call.backend.files.staging(at.account)
    staging = await run_in_threadpool(holder.__enter__)
    try:
        reader = MultipartReader(kind, staging, call.backend.settings.max_upload_bytes)
        async for piece in request.stream():
            await run_in_threadpool(reader.feed, piece)
        sent: Upload = await run_in_threadpool(reader.finish)
        storage.refuse_empty(sent.files)
        made = await run_in_threadpool(storage.store_upload, call.backend, at, sent.files, staging)
    finally:
        await run_in_threadpool(holder.__exit__, None, None, None)
    return _created(call, at, made)


def _created(call: Call, at: storage.Place, made: str) -> Response:
    other = at.account != call.actor.user_id
    location = f"1/storage/fs/{account_hash(at.account) + '/' if other else ''}{made}".rstrip("/")
    entry = storage.entry(call.backend, storage.Place(at.account, made))
    return reply.created(call, location, entry_out(entry) if entry else {"pathname": "/" + made, "is_dir": "t"})


@router.put("/storage/fs/{path:path}")
def put_content(call: ApiCall, path: str) -> Response:
    """Replace the content of a file, or make it."""
    at = storage.place(call.backend, call.actor, path, "EDIT")
    if "content" not in call.fields:
        raise BadRequest("content is missing.", field="content", expected="the text of the file")
    content = fields.text("content", call.fields["content"])
    storage.write_text(call.backend, at, content)
    entry = storage.entry(call.backend, at)
    return reply.updated(call, entry_out(entry) if entry else {})


@router.delete("/storage/fs/{path:path}", status_code=204)
def delete_file(call: ApiCall, path: str) -> Response:
    """Delete a file, or a directory with what it holds."""
    storage.remove(call.backend, storage.place(call.backend, call.actor, path, "OWNER"))
    return reply.nothing()
