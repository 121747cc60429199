"""Versions of single things: a caller may say which one a change is meant for."""

from __future__ import annotations

from graticule.errors import PreconditionFailed


def check_version(version: int, if_match: int | None) -> None:
    """Raises ``PreconditionFailed`` when the caller expects another version."""
    if if_match is not None and if_match != version:
        raise PreconditionFailed("It has changed since; read it again.", field="If-Match", value=if_match)
