"""Bodies: JSON, form fields or XML, told apart by how they begin; all come to fields by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import numpy as np
import orjson
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from lxml import etree

from graticule.actions.verbatim import fields_as_written
from graticule.errors import BadRequest, PayloadTooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping

# Far below what the interpreter can still walk through.
DEEPEST = 200
LARGE = 256 * 1024
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
OF_GEOMETRY = ("http://www.opengis.net/gml", "http://www.opengis.net/kml")
JSON_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')
OPENING, CLOSING = np.frombuffer(b"[{", np.uint8), np.frombuffer(b"]}", np.uint8)


@dataclass(frozen=True, slots=True)
class Body:
    """What a body said: ``value`` is an object of fields, or an array. ``form`` is true for form fields.

    ``json`` is the text of a JSON body.
    """

    value: Any
    form: bool = False
    json: bytes = b""

    @property
    def fields(self) -> Mapping[str, Any]:
        """The fields. Raises ``BadRequest`` for an array."""
        if not isinstance(self.value, dict):
            raise BadRequest("The body is not an object.", field="body", expected="a JSON object of fields")
        return self.value

    @property
    def written(self) -> dict[str, str]:
        """The JSON text of each field, with the digits of its numbers as they were sent. Raises ``BadRequest``."""
        if self.json and isinstance(self.value, dict):
            return fields_as_written(self.json.decode())
        return {name: orjson.dumps(value).decode() for name, value in self.fields.items()}


async def read_body(request: Request) -> Body:
    """The body of a request other than an upload. Raises ``BadRequest``, ``PayloadTooLarge``."""
    limit = request.app.state.backend.settings.max_body_bytes
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise PayloadTooLarge(f"The body is larger than {limit} bytes.", field="body", expected=f"{limit} bytes")
        parts.append(part)
    kind = request.headers.get("content-type", "")
    if size < LARGE:
        return parse_body(b"".join(parts), kind)
    # Meanwhile the others are served.
    return await run_in_threadpool(parse_body, b"".join(parts), kind)


def parse_body(raw: bytes, content_type: str) -> Body:
    """Raises ``BadRequest`` that says where parsing stopped."""
    start = raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if not start:
        return Body({})
    kind = content_type.partition(";")[0].strip().lower()
    if start in b"{[":
        return Body(_json(raw), json=raw)
    if start == b"<" or kind in ("text/xml", "application/xml"):
        return Body(_xml(raw))
    if kind == "application/json":
        return Body(_json(raw), json=raw)
    if kind == "multipart/form-data":
        raise BadRequest("Here the body cannot be multipart.", field="body", expected="JSON, form fields or XML")
    return Body(_form(raw), form=True)


def _json(raw: bytes) -> Any:
    try:
        value = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadRequest(f"The body is not JSON: parsing stopped at {where}: {error.msg}.", field="body") from None
    if _depth(raw) > DEEPEST:
        raise BadRequest("The body is nested too deeply.", field="body", expected=f"up to {DEEPEST} levels")
    return value


def _depth(raw: bytes) -> int:
    """How deeply valid JSON is nested; told from its bytes, for it may hold millions of coordinates."""
    if raw.count(b"[") + raw.count(b"{") <= DEEPEST:
        return 0
    bare = np.frombuffer(JSON_TEXT.sub(b"", raw), np.uint8)
    steps = np.isin(bare, OPENING).view(np.int8) - np.isin(bare, CLOSING).view(np.int8)
    return int(np.cumsum(steps, dtype=np.int32).max(initial=0))


def _form(raw: bytes) -> dict[str, Any]:
    try:
        text = raw.decode()
        pairs = parse_qsl(
            text.strip(), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=10_000
        )
    except UnicodeDecodeError as error:
        message = f"The body is neither JSON nor form fields: byte {error.start + 1} is no text."
        raise BadRequest(message, field="body") from None
    except ValueError as error:
        message = f"The body is neither JSON nor form fields: {error}."
        raise BadRequest(message, field="body", expected="JSON, form fields or XML") from None
    return dict(pairs)


def _xml(raw: bytes) -> dict[str, Any]:
    """The children of the root as fields; text in the root beside them is a mistake."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError as error:
        said = " ".join((error.msg or "").split())
        raise BadRequest(f"The body is not XML: parsing stopped: {said}.", field="body") from None
    if root.getroottree().docinfo.doctype:
        raise BadRequest("The body has a document type, which is not allowed.", field="body", expected="plain XML")
    value = _element(root, 0)
    if isinstance(value, str) and value.strip():
        expected = "one element whose children are the fields"
        raise BadRequest("The body is XML without fields.", field="body", value=value, expected=expected)
    return value if isinstance(value, dict) else {}


def _element(element: Any, depth: int) -> Any:
    """An object of the children, repeated ones a list; without children the text; None where it says so itself.

    A geometry in GML or KML stays the XML that it is.
    """
    if depth > DEEPEST:
        raise BadRequest("The body is nested too deeply.", field="body")
    children = list(element)
    if not children:
        return None if element.get(NIL) in ("true", "1") else element.text or ""
    if depth and len(children) == 1 and (etree.QName(children[0]).namespace or "").startswith(OF_GEOMETRY):
        return etree.tostring(children[0], encoding="unicode", with_tail=False)
    held: dict[str, list[Any]] = {}
    for child in children:
        held.setdefault(etree.QName(child).localname, []).append(_element(child, depth + 1))
    return {name: values if len(values) > 1 else values[0] for name, values in held.items()}
