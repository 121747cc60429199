"""A guess at the encoding of file names that do not say which they are in.

A few short names are too little for the statistics by which the encoding of texts is guessed. What tells here is that
in the wrong encoding names have signs, capitals and foreign scripts in the middle of words.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Where two fit equally well the first is taken: in Windows' zips names are in the code page of the console.
_ENCODINGS = (
    "cp850", "cp852", "cp1252", "cp1250", "cp1251", "cp866", "euc_kr", "gb2312", "cp932", "big5", "gb18030",
)  # fmt: skip
_FALLBACK = "cp437"
_SAMPLE = 300
_NO_LETTER, _CHANGE, _CROWD = 3, 2, 1
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA"})


def guess_encoding(names: Iterable[bytes]) -> str:
    """The encoding in which the names, all in the same one, look most like names: UTF-8 whenever that is possible."""
    sample = b"\n".join(list(dict.fromkeys(name for name in names if not name.isascii()))[:_SAMPLE])
    if _decoded(sample, "utf-8") is not None:
        return "utf-8"
    texts = {encoding: text for encoding in _ENCODINGS if (text := _decoded(sample, encoding)) is not None}
    return min(texts, key=lambda encoding: _oddness(texts[encoding]), default=_FALLBACK)


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _oddness(text: str) -> int:
    signs = sum(_NO_LETTER for letter in text if not letter.isascii() and _script(letter) is None)
    return signs + sum(_odd_pair(first, second) for first, second in pairwise(text))


def _odd_pair(first: str, second: str) -> int:
    scripts = _script(first), _script(second)
    if None in scripts or (first.isascii() and second.isascii()):
        return 0
    if scripts[0] != scripts[1] or (first.islower() and second.isupper()):
        return _CHANGE
    return _CROWD if scripts[0] == "LATIN" and not (first.isascii() or second.isascii()) else 0


@lru_cache(maxsize=4096)
def _script(letter: str) -> str | None:
    """The script of a letter, by the first word of its name; None for what is no letter, or one that no name has."""
    if not letter.isalpha() or letter in "ªºµƒ":
        return None
    script = unicodedata.name(letter, "").partition(" ")[0]
    return "CJK" if script in _EAST_ASIAN else script
