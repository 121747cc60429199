"""Names of columns as PostgreSQL takes them: up to 63 bytes, not empty, and not those of its own hidden columns."""

from __future__ import annotations

import hashlib

LONGEST_BYTES = 63
_KEPT_BYTES = 50
_HIDDEN = frozenset({"", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})


def postgres_name(name: str) -> str:
    """The name itself where PostgreSQL takes it, else its beginning with a hash of it: always the same for one name."""
    encoded = name.encode()
    if len(encoded) <= LONGEST_BYTES and name not in _HIDDEN:
        return name
    beginning = encoded[:_KEPT_BYTES].decode("utf-8", "ignore")
    return f"{beginning}_{hashlib.blake2b(encoded, digest_size=5).hexdigest()}"
