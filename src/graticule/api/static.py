"""/static: the scripts, styles and fonts of the pages, whose names change with their content."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import APIRouter, Request, Response

from graticule.api.pages_html import WEB_DIST
from graticule.errors import NotFound

router = APIRouter(include_in_schema=False)
FOREVER = "public, max-age=31536000, immutable"
TYPES = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2", ".svg": "image/svg+xml"}


@router.get("/static/{path:path}")
def static(request: Request, path: str) -> Response:
    """A file of the front end."""
    found = _find(path)
    if found is None:
        raise NotFound(f"There is no file {path}.")
    media_type = TYPES.get(found.suffix) or mimetypes.guess_type(found.name)[0] or "application/octet-stream"
    headers = {"Cache-Control": FOREVER, "Content-Type": media_type}
    return Response(found.read_bytes(), headers=headers)


def _find(path: str) -> Path | None:
    try:
        found = (WEB_DIST / path).resolve()
        return found if found.is_relative_to(WEB_DIST.resolve()) and found.is_file() else None
    except (OSError, ValueError):  # no file can be called so
        return None
