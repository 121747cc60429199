"""Guesses the encoding of short texts, such as the place names of a table.

General detectors want running prose. Names are short, so each candidate is judged by what its letters would look
like: whether they are frequent ones of its languages, stand in words of their own script, and keep capitals to the
beginning of a word. For the double-byte encodings the lead byte tells the frequent characters from the rare ones,
since their standards sort them so.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

SAMPLE_BYTES = 16 * 1024

_RUSSIAN = "оеаинтсрвлкмдпуязьбгйы"
_WEST = ("éèàçêôâîÉÇÎ", "äöüßÄÖÜ", "áéíóúñÁÉÍÓÚ", "ãçáâéêíóôúÁÉ", "åäöøæéÅÄÖØ", "àèé")
_CENTRE = ("áéíóúýčšžřěůČŠŽŘÚ", "ąęłóśćńżźŁŚŻĆ", "áéíóúőűöüÁÉÖÓŐÚ", "čćžšđČĆŽŠĐ", "ăâîşţŞŢÎ", "áäčéíľĺóôšťúýžňŠŽČ")

# Encoding → the frequent letters of each of its languages. Of equals the first wins.
LETTERS = {
    "cp1252": _WEST,
    "cp1250": _CENTRE,
    "cp1251": (_RUSSIAN,),
    "cp1254": ("çğıöşüİŞÇÖÜâ",),
    "cp1257": ("ąčęėįšųūžŠŽČ", "āčēģīķļņšūžĀĪŠŽČ", "äõöüšž"),
    "cp1253": ("αοιετσνηυρπκμλςωάίόέήύώ",),
    "cp1255": ("אבגדהוזחטיכלמנסעפצקרשתםןךףץ",),
    "cp1256": ("ابتثجحخدذرزسشصضطظعغفقكلمنهويةى",),
    "koi8-r": (_RUSSIAN,),
    "cp866": (_RUSSIAN,),
    "cp850": _WEST,
    "cp852": _CENTRE,
}

# Encoding → the span of lead bytes of its frequent characters (first-level kanji and hanzi, hangul).
LEADS = {
    "cp932": ((0x82, 0x83), (0x88, 0x97)),
    "gb18030": ((0xB0, 0xD7),),
    "big5": ((0xA4, 0xC6),),
    "cp949": ((0xB0, 0xC8),),
}

# Letters that are frequent at the end of a word alone, as in Italian names.
ENDINGS = {"cp1252": "ìùò", "cp850": "ìùò"}

_WORD = re.compile(r"[^\W\d_]+")
HANGUL, FREQUENT, POSSIBLE, RARE, MIXED, IMPOSSIBLE = 3.5, 3.0, 2.0, -0.5, -4.0, -6.0


def guess(sample: bytes) -> str:
    """The likeliest of the code pages for some bytes that are not UTF-8; "cp1252" when none fits at all."""
    text = b"\n".join(line for line in sample.splitlines() if not line.isascii())[:SAMPLE_BYTES]
    scores = {name: score(text, name) for name in (*LETTERS, *LEADS)}
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] > float("-inf") else "cp1252"


def score(text: bytes, encoding: str) -> float:
    """How likely the text is to be in that encoding: a sum over its bytes beyond ASCII; -inf when it cannot be."""
    try:
        # A sample may end in the middle of a character.
        decoded = text[: text.rfind(b"\n") if b"\n" in text else len(text)].decode(encoding)
    except UnicodeDecodeError:
        return float("-inf")
    outside = sum(1 for char in _WORD.sub("", decoded) if ord(char) > 127)
    words = [word for word in _WORD.findall(decoded) if not word.isascii()]
    if encoding in LEADS:
        return outside * IMPOSSIBLE + sum(_double_byte_score(word, encoding) for word in words)
    letters = "".join(char.lower() if word.isupper() else char for word in words for char in word if ord(char) > 127)
    total = max(sum(_letter_score(char, common, encoding) for char in letters) for common in LETTERS[encoding])
    return outside * IMPOSSIBLE + total + sum(_shape_score(word, encoding) for word in words)


def _letter_score(char: str, common: str, encoding: str) -> float:
    if char in common:
        return FREQUENT
    return POSSIBLE if any(char in other for other in LETTERS[encoding]) else RARE


def _shape_score(word: str, encoding: str) -> float:
    """What the word as a whole says: one script, not all accents, capitals at its beginning."""
    foreign = [char for char in word if ord(char) > 127]
    total = FREQUENT - RARE if word[-1] in ENDINGS.get(encoding, "") else 0.0
    scripts = {_script(char) for char in word}
    crowded = scripts == {"LATIN"} and len(foreign) >= 3 and len(foreign) * 2 > len(word)
    if len(scripts) > 1 or crowded:
        total += MIXED * len(foreign)
    if not word.isupper() and any(char.isupper() for char in word[1:]):
        total += MIXED * sum(char.isupper() for char in foreign)
    return total


def _double_byte_score(word: str, encoding: str) -> float:
    mixed = any(char.isascii() for char in word)
    total = 0.0
    for char in word:
        raw = char.encode(encoding)
        if len(raw) == 1:
            total += 0.0 if raw.isascii() else RARE
        elif len(raw) > 2:
            total += IMPOSSIBLE * len(raw)
        else:
            frequent = any(low <= raw[0] <= high for low, high in LEADS[encoding])
            value = (HANGUL if encoding == "cp949" else FREQUENT) if frequent else RARE
            total += 2 * (value + (MIXED if mixed else 0.0))
    return total


@cache
def _script(char: str) -> str:
    return unicodedata.name(char, "?").split()[0]
