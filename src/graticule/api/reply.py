"""Answers: JSON bytes with their headers, lists, and what is answered to what was made or changed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
from fastapi import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graticule.actions.listing import Page
    from graticule.api.deps import Call

JSON = "application/json"
# Fields that change when something is looked at, which is no change of it.
LOOKED_AT = frozenset({"accessed", "visited"})


def json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return raw_json(orjson.dumps(value), status, headers)


def raw_json(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer of ready bytes."""
    return Response(body, status, {"Content-Type": JSON, **(headers or {})})


def listed(kind: str, total: int | None, page: Page, rows: Sequence[Any]) -> Response:
    """A page of a list; ``total`` None leaves it out."""
    head: dict[str, Any] = {"type": kind}
    if total is not None:
        head["total"] = total
    return json(head | {"page": page.number, "data": rows})


def tagged(call: Call, value: Any, version: str | int, status: int = 200) -> Response:
    """A single resource with its tag; 304 when the caller has it already."""
    body = orjson.dumps(value)
    if isinstance(value, dict) and LOOKED_AT & value.keys():
        told = orjson.dumps({name: held for name, held in value.items() if name not in LOOKED_AT})
        return _tagged(call, body, _tag(version, told), JSON, status)
    return tagged_bytes(call, body, version, JSON, status)


def tagged_bytes(call: Call, body: bytes, version: str | int, media_type: str, status: int = 200) -> Response:
    """The same for ready bytes."""
    return _tagged(call, body, _tag(version, body), media_type, status)


def _tag(version: str | int, representation: bytes) -> str:
    """The version and a checksum of the representation."""
    return f'"{version}-{zlib.crc32(representation):08x}"'


def _tagged(call: Call, body: bytes, tag: str, media_type: str, status: int) -> Response:
    headers = {"ETag": tag, "Content-Type": media_type}
    if call.request.method in ("GET", "HEAD") and _matches(call, headers["ETag"]):
        return Response(status_code=304, headers={"ETag": headers["ETag"]})
    return Response(body, status, headers)


def _matches(call: Call, tag: str) -> bool:
    header = call.request.headers.get("if-none-match")
    if header is None:
        return False
    tags = [part.strip().removeprefix("W/") for part in header.split(",")]
    return "*" in tags or tag in tags


def created(call: Call, location: str, value: Any, version: str | int | None = None) -> Response:
    """201 with the new resource and where it is: relative, as the API has it."""
    response = json(value, 201) if version is None else tagged(call, value, version, 201)
    response.headers["Location"] = quote(location, safe="/~.-_")
    return response


def updated(call: Call, value: Any, version: str | int | None = None) -> Response:
    """200 with the resource, or 204 for the one program that is known to want that."""
    if call.request.headers.get("x-gis-cloud-app", "").startswith("QGISPublisher"):
        return Response(status_code=204)
    return json(value) if version is None else tagged(call, value, version)


def nothing() -> Response:
    """204."""
    return Response(status_code=204)


def attachment(name: str) -> str:
    """The value of Content-Disposition for a file of that name, in any script (RFC 6266, 4.3)."""
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%;' else "_" for char in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
