"""/docs: the routes of the API on one page, made from its OpenAPI description; nothing is loaded from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from graticule.api import pages_html

router = APIRouter(include_in_schema=False)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self' 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of the page."""

    method: str
    path: str
    summary: str


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """What can be asked of the server, for people."""
    described = request.app.openapi()
    page = pages_html.docs_page(version=described["info"]["version"], groups=_groups(described["paths"]))
    return HTMLResponse(page, headers=HEADERS)


def _groups(paths: dict[str, dict[str, dict[str, object]]]) -> dict[str, list[Operation]]:
    """The operations of an OpenAPI description by their tag, each in the order of the description."""
    groups: dict[str, list[Operation]] = {}
    for path, methods in paths.items():
        for method, described in methods.items():
            tags = described.get("tags")
            tag = str(tags[0]) if isinstance(tags, list) and tags else "other"
            operation = Operation(method.upper(), path, str(described.get("description", "")))
            groups.setdefault(tag, []).append(operation)
    return groups
