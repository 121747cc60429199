"""What was sent, as an error may show it."""

from __future__ import annotations

import reprlib
from typing import Any

LONGEST = 200


def shown(value: Any) -> str:
    """The beginning of a value as text that any encoding holds; deep or endless ones are shortened safely."""
    try:
        text = value if isinstance(value, str) else reprlib.repr(value)
    except ValueError:
        # Python does not write out integers of thousands of digits.
        text = f"a very long {type(value).__name__}"
    return text[:LONGEST].encode("utf-8", "replace").decode()
