"""/health: whether the server can work."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from sqlalchemy import text

from graticule import __version__
from graticule.api import reply

router = APIRouter(tags=["server"])


@router.get("/health")
def health(request: Request) -> Response:
    """200 when the catalogue answers."""
    with request.app.state.backend.catalogue.read() as session:
        session.execute(text("SELECT 1"))
    return reply.json({"status": "ok", "version": __version__})
