"""Databases of others."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Login:
    """Where a database is, and who asks; the password is never shown."""

    host: str
    port: int
    database: str
    user: str
    password: str | None = field(default=None, repr=False)
