"""Users' files out and in: sent so that a browser comes to no harm by them, and received straight to disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote

from fastapi import Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from graticule.storage.media import serving
from graticule.storage.multipart import MultipartReader
from graticule.storage.ranges import parse_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from graticule.api.deps import Call
    from graticule.storage.base import FileInfo
    from graticule.storage.multipart import Upload

CHUNK = 256 * 1024
SANDBOX = {"Content-Security-Policy": "sandbox; default-src 'none'"}


def send_file(call: Call, info: FileInfo, opened: BinaryIO) -> Response:
    """A file as its type is to be sent, in part where a range was asked for; 304 when the caller has it already."""
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


async def receive(call: Call, account: int, store: Callable[[Upload, Path], Response]) -> Response:
    """Read a multipart body into a staging directory of the account; ``store`` answers what becomes of it.

    Raises ``BadRequest``, ``PayloadTooLarge``, ``UnsupportedMediaType``, and what ``store`` raises.
    """
    kind = call.request.headers.get("content-type", "")
    holder = call.backend.files.staging(account)
    staging = await run_in_threadpool(holder.__enter__)
    try:
        reader = MultipartReader(kind, staging, call.backend.settings.max_upload_bytes)
        async for piece in call.request.stream():
            await run_in_threadpool(reader.feed, piece)
        sent = await run_in_threadpool(reader.finish)
        return await run_in_threadpool(store, sent, staging)
    finally:
        await run_in_threadpool(holder.__exit__, None, None, None)
