"""Texts made alike, so that they can be compared without regard to case, or to accents either."""

from __future__ import annotations

import re
import unicodedata

# Letters that are no others with an accent by Unicode's word, and what they are written as without.
LETTERS = {
    "đ": "d", "ð": "d", "ø": "o", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "ŋ": "n", "ĸ": "k",
    "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th",
}  # fmt: skip
_LETTERS = str.maketrans(LETTERS)
_ACCENTS = re.compile("[\u0300-\u036f]")


def lowered(text: str) -> str:
    """The text without regard to case; a final sigma as any sigma.

    Which one ``lower`` writes depends on what follows, and that is cut off in a pattern.
    """
    return text.lower() if text.isascii() else text.lower().replace("ς", "σ")


def folded(text: str) -> str:
    """The text without regard to case and accents: å ä as a, ö ø as o, č ć as c, đ as d, dž as dz, ß as ss.

    What Unicode takes apart (NFKD) loses its accents; ``LETTERS`` are what it does not.
    """
    if text.isascii():
        return text.lower()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", lowered(text))).translate(_LETTERS)
