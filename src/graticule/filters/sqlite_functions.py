"""The functions that conditions need of SQLite and that it lacks, or has for ASCII only.

None in gives None out, and no exception leaves them: what is not of the right type gives None.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from graticule.filters.folding import folded, lowered
from graticule.filters.literals import INTEGER_RANGE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

# A double has at most 309 digits before the point, and round keeps at most 30 after it.
_ROUNDING = Context(prec=400, rounding=ROUND_HALF_UP)
LONGEST_WILD = 256


def register(connection: sqlite3.Connection) -> None:
    """Make the functions known to one connection; ``to_sql`` for SQLITE relies on them."""
    for name, (function, arguments) in _FUNCTIONS.items():
        connection.create_function(name, arguments, function, deterministic=True)


def _like(value: Any, pattern: Any) -> int | None:
    if not isinstance(value, str) or not isinstance(pattern, str):
        return None
    return _compiled(pattern)(value)


def _ilike(value: Any, pattern: Any) -> int | None:
    if not isinstance(value, str) or not isinstance(pattern, str):
        return None
    return _compiled(lowered(pattern))(lowered(value))


def _lowered(value: Any) -> str | None:
    return lowered(value) if isinstance(value, str) else None


def _folded(value: Any) -> str | None:
    return folded(value) if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class _Stretch:
    """What stands between two ``%`` of a pattern, of a fixed length: a text, or ``wild`` where it has a ``_``."""

    length: int
    text: str = ""
    wild: re.Pattern[str] | None = None

    def stands_at(self, value: str, at: int) -> bool:
        return value.startswith(self.text, at) if self.wild is None else self.wild.match(value, at) is not None

    def find(self, value: str, start: int, end: int) -> int:
        """Where it first stands between the two; -1 when nowhere."""
        if self.wild is None:
            return value.find(self.text, start, end)
        found = self.wild.search(value, start, end)
        return -1 if found is None else found.start()


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Callable[[str], bool]:
    """A matcher for a LIKE pattern, whose time does not grow with pattern and value both, whatever a client sends.

    Each stretch is sought once, from the left, and never again. A text is found in the time of the value alone; a
    stretch with a ``_`` in that times its own length, which is why one that is longer than ``LONGEST_WILD`` matches
    nothing.
    """
    first, *rest = stretches = _stretches(pattern)
    if any(stretch.wild and stretch.length > LONGEST_WILD for stretch in stretches):
        return lambda value: False
    if not rest:
        return lambda value: len(value) == first.length and first.stands_at(value, 0)
    *middle, last = rest
    return lambda value: _in_order(value, first, middle, last)


def _in_order(value: str, first: _Stretch, middle: list[_Stretch], last: _Stretch) -> bool:
    at, end = first.length, len(value) - last.length
    if at > end or not first.stands_at(value, 0) or not last.stands_at(value, end):
        return False
    for stretch in middle:
        found = stretch.find(value, at, end)
        if found < 0:
            return False
        at = found + stretch.length
    return True


def _stretches(pattern: str) -> list[_Stretch]:
    parts: list[list[str | None]] = [[]]
    characters = iter(pattern)
    for character in characters:
        if character == "%":
            parts.append([])
        elif character == "_":
            parts[-1].append(None)
        else:
            parts[-1].append(next(characters, "\\") if character == "\\" else character)
    return [_stretch(part) for part in parts]


def _stretch(characters: list[str | None]) -> _Stretch:
    if None not in characters:
        return _Stretch(len(characters), "".join(filter(None, characters)))
    wild = "".join("." if character is None else re.escape(character) for character in characters)
    return _Stretch(len(characters), wild=re.compile(wild, re.DOTALL))


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
    "g_lowered": (_lowered, 1),
    "g_folded": (_folded, 1),
    "g_lower": (_lower, 1),
    "g_upper": (_upper, 1),
    "g_abs": (_abs, 1),
    "g_round": (_round, -1),
}
