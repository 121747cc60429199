"""The functions that conditions need of SQLite and that it lacks, or has for ASCII only.

None in gives None out, and no exception leaves them: what is not of the right type gives None.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from graticule.filters.literals import INTEGER_RANGE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

# A double has at most 309 digits before the point, and round keeps at most 30 after it.
_ROUNDING = Context(prec=400, rounding=ROUND_HALF_UP)


def register(connection: sqlite3.Connection) -> None:
    """Make the functions known to one connection; ``to_sql`` for SQLITE relies on them."""
    for name, (function, arguments) in _FUNCTIONS.items():
        connection.create_function(name, arguments, function, deterministic=True)


def _like(value: Any, pattern: Any) -> int | None:
    if not isinstance(value, str) or not isinstance(pattern, str):
        return None
    return _compiled(pattern)(value) is not None


def _ilike(value: Any, pattern: Any) -> int | None:
    if not isinstance(value, str) or not isinstance(pattern, str):
        return None
    return _compiled(_folded(pattern))(_folded(value)) is not None


def _folded(text: str) -> str:
    # Which sigma lower() writes depends on what follows, and that is cut off in a pattern.
    return text.lower().replace("ς", "σ")


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Callable[[str], object]:
    r"""A matcher for a LIKE pattern.

    Each stretch after a ``%`` is sought once, from the left, and never again (the atomic group): the time is at worst
    the length of the text times that of the pattern, whatever a client sends.
    """
    stretches = _stretches(pattern)
    if len(stretches) == 1:
        return re.compile(stretches[0], re.DOTALL).fullmatch
    first, *middle, last = stretches
    sought = "".join(f"(?>.*?{stretch})" for stretch in middle if stretch)
    if not last:
        return re.compile(first + sought, re.DOTALL).match
    return re.compile(f"{first}{sought}.*{last}", re.DOTALL).fullmatch


def _stretches(pattern: str) -> list[str]:
    """The regular expressions of what stands between the ``%``, each of a fixed length."""
    stretches = [""]
    characters = iter(pattern)
    for character in characters:
        if character == "%":
            stretches.append("")
        elif character == "_":
            stretches[-1] += "."
        else:
            stretches[-1] += re.escape(next(characters, "\\") if character == "\\" else character)
    return stretches


def _lower(value: Any) -> str | None:
    return value.lower() if isinstance(value, str) else None


def _upper(value: Any) -> str | None:
    return value.upper() if isinstance(value, str) else None


def _abs(value: Any) -> int | float | None:
    return _storable(abs(value)) if isinstance(value, int | float) else None


def _round(value: Any, digits: Any = 0) -> int | float | None:
    """``value`` to ``digits`` after the point (before it when negative), half away from zero.

    The decimal that counts is the shortest one that reads as the same double: 2.675 gives 2.68.
    """
    if not isinstance(value, int | float) or not isinstance(digits, int):
        return None
    if not isfinite(value):
        return value
    unit = Decimal((0, (1,), -digits))
    rounded = _ROUNDING.quantize(Decimal(repr(value)), unit)
    return _storable(int(rounded)) if isinstance(value, int) else float(rounded)


def _storable(number: int | float) -> int | float:
    """SQLite's integers have 64 bits; a larger result is real, as in SQLite's own arithmetic."""
    return float(number) if isinstance(number, int) and number not in INTEGER_RANGE else number


_FUNCTIONS: dict[str, tuple[Callable[..., Any], int]] = {
    "g_like": (_like, 2),
    "g_ilike": (_ilike, 2),
    "g_lower": (_lower, 1),
    "g_upper": (_upper, 1),
    "g_abs": (_abs, 1),
    "g_round": (_round, -1),
}
