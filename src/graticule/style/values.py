"""Readers of single style values. Each returns the value, or raises ``ValueError`` saying what it should have been."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from graticule.style.model import Anchor, Colour

TRUE = ("t", "true", "1")
FALSE = ("f", "false", "0")
ANCHORS: tuple[Anchor, ...] = ("BR", "B", "BL", "R", "L", "TR", "T", "TL")
MAX_DASHES = 16

_TRIPLE = re.compile(r"\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*", re.ASCII)
_HEX = re.compile(r"\s*#([0-9a-fA-F]{6})\s*")


def colour(value: Any) -> Colour:
    """``"r,g,b"`` with numbers up to 255, or ``"#rrggbb"``."""
    text = value if isinstance(value, str) else ""
    if match := _HEX.fullmatch(text):
        return (int(match[1][:2], 16), int(match[1][2:4], 16), int(match[1][4:], 16))
    if match := _TRIPLE.fullmatch(text):
        red, green, blue = (int(part) for part in match.groups())
        if max(red, green, blue) <= 255:
            return (red, green, blue)
    raise ValueError('a colour as "r,g,b" or "#rrggbb"')


def number(low: float, high: float) -> Callable[[Any], float]:
    """A reader of numbers, or of text that holds one, from ``low`` to ``high``."""

    def read(value: Any) -> float:
        found = _finite(value)
        if found is None or not low <= found <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return found

    return read


def _finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def boolean(value: Any) -> bool:
    """``true``, ``"t"``, ``"true"``, ``"1"``, ``1`` and their opposites."""
    text = str(value).strip().lower()
    if text in TRUE:
        return True
    if text in FALSE:
        return False
    raise ValueError('"t" or "f"')


def dashes(value: Any) -> tuple[float, ...]:
    """``"on,off[,…]"`` in pixels; an odd number of lengths is gone through twice, as SVG does."""
    length = number(0, 1000)
    parts = value.split(",") if isinstance(value, str) else [None]
    try:
        lengths = tuple(length(part) for part in parts)
    except ValueError:
        lengths = ()
    if not 0 < len(lengths) <= MAX_DASHES or sum(lengths) <= 0:
        raise ValueError(f'up to {MAX_DASHES} lengths as "on,off", not all of them 0')
    return lengths if len(lengths) % 2 == 0 else lengths * 2


def text(value: Any) -> str:
    """Text; surrounding blanks do not count."""
    if not isinstance(value, str) or any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("text")
    return value.strip()


def anchor(value: Any) -> Anchor:
    """The corner or edge of a label that sits on its point."""
    wanted = value.strip().upper() if isinstance(value, str) else ""
    for known in ANCHORS:
        if wanted == known:
            return known
    raise ValueError("one of " + " ".join(ANCHORS))
