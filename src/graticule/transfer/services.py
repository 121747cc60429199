"""Addresses of OGC services: with their own parameters, and ours."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


def with_query(url: str, asked: dict[str, str]) -> str:
    """The address with these parameters; those of its own that are called the same, whatever the case, go."""
    parts = urlsplit(url)
    names = {name.upper() for name in asked} | {"SRS", "CRS", "SRSNAME", "BBOX"}
    own = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0].upper() not in names]
    return urlunsplit(parts._replace(query=urlencode([*own, *asked.items()]), fragment=""))
