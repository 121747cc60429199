"""/storage/fs: the caller's files, and those shared with the caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from graticule.actions import fields, storage
from graticule.actions.users import account_hash
from graticule.api import reply
from graticule.api.body import Body, read_body
from graticule.api.deps import ApiCall, Call, call_of
from graticule.api.files import receive, send_file
from graticule.api.schemas.out import entry_out
from graticule.errors import BadRequest, Forbidden, GraticuleError, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from graticule.storage.multipart import StagedFile, Upload

router = APIRouter(tags=["storage"])
INFO, MKDIR = ("info", "info.json"), ("mkdir", "mkdir.json")


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
    return send_file(call, info, call.backend.files.open(at.account, at.path))


def _listing(call: Call, at: storage.Place) -> Response:
    wanted = call.listing(default=None)
    total, found = storage.describe(call.backend, at, wanted)
    return reply.listed("storage", total, wanted.page, [entry_out(entry) for entry in found])


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
        return await _post_multipart(request, path)
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
    at = _place(call, path, call.text("destination_map") or call.fields.get("destination_map"))
    with call.backend.files.staging(at.account) as staging:
        staged = storage.stage_text(staging, name, content)
        made = storage.store_upload(call.backend, at, [staged], staging)
    return _created(call, at, made)


async def _post_multipart(request: Request, path: str) -> Response:
    """Read the parts as they come, straight to disk."""
    call = await run_in_threadpool(call_of, request, Body({}))
    where = await run_in_threadpool(Destination.of_call, call, path)
    return await receive(call, where.account, lambda sent, staging: _store_parts(call, where, sent, staging))


def _store_parts(call: Call, where: Destination, sent: Upload, staging: Path) -> Response:
    at = where.place(sent.fields)
    if not sent.files and "filename" in sent.fields:
        staged = [storage.stage_text(staging, sent.fields["filename"], sent.fields.get("content", ""))]
    else:
        staged = list(sent.files)
        storage.refuse_empty(staged)
    return _store(call, at, staged, staging, where.account)


def _store(call: Call, at: storage.Place, staged: list[StagedFile], staging: Path, staged_for: int) -> Response:
    if at.account == staged_for:
        return _created(call, at, storage.store_upload(call.backend, at, staged, staging))
    with call.backend.files.staging(at.account) as own:
        moved = storage.move_to_staging(staged, own)
        return _created(call, at, storage.store_upload(call.backend, at, moved, own))


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an upload goes, as far as is known before its fields have been read: they may name a map.

    ``problem`` is why it cannot go where the path says; that is no matter when a map is named. ``account`` is where
    what comes in is staged.
    """

    call: Call
    path: str
    account: int
    at: storage.Place | None = None
    problem: GraticuleError | None = None

    @classmethod
    def of_call(cls, call: Call, path: str) -> Destination:
        """Raises ``Forbidden`` for anonymous callers."""
        try:
            at = _place(call, path, call.text("destination_map"))
        except (NotFound, Forbidden) as error:
            if not call.actor.signed_in or call.text("destination_map") is not None:
                raise
            return cls(call, path, call.actor.user_id, None, error)
        return cls(call, path, at.account, at)

    def place(self, sent: Mapping[str, Any]) -> storage.Place:
        """Where it goes. Raises ``NotFound``, ``Forbidden``, ``BadRequest``."""
        map_id = self.call.text("destination_map") or sent.get("destination_map")
        if map_id in (None, "") and self.problem is not None:
            raise self.problem
        return _place(self.call, self.path, map_id) if self.at is None or self.at.map_id is None else self.at


def _place(call: Call, path: str, map_id: Any) -> storage.Place:
    if map_id in (None, ""):
        return storage.place(call.backend, call.actor, path, "EDIT")
    return storage.place_for_map(call.backend, call.actor, fields.integer("destination_map", map_id, 0), path)


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
    storage.check_version(call.backend, at, _expected(call))
    storage.write_text(call.backend, at, content)
    entry = storage.entry(call.backend, at)
    return reply.updated(call, entry_out(entry) if entry else {})


@router.delete("/storage/fs/{path:path}", status_code=204)
def delete_file(call: ApiCall, path: str) -> Response:
    """Delete a file, or a directory with what it holds."""
    at = storage.place(call.backend, call.actor, path, "OWNER")
    storage.check_version(call.backend, at, _expected(call))
    storage.remove(call.backend, at)
    return reply.nothing()


def _expected(call: Call) -> str | None:
    """The version in ``If-Match``, which is the whole tag of a file; None when any will do."""
    header = call.request.headers.get("if-match", "*").strip()
    return None if header == "*" else header.removeprefix("W/").strip('"')
