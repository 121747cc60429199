"""Values as labels show them, the way MapLibre's ``to-string`` does."""

from __future__ import annotations

from typing import Any

LONGEST = 200


def label_text(value: Any) -> str:
    """The text of a column's value; none for None and blanks."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value).replace("\x00", "").strip()[:LONGEST]
