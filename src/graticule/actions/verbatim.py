"""JSON as it was written: the text of each field of an object, digits and all, which no number type keeps."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from graticule.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\r\n]*")


def fields_as_written(text: str) -> dict[str, str]:
    """The JSON text of every field of an object; of fields written twice the last. ``text`` must be valid JSON.

    Raises ``BadRequest`` where it is nested too deeply; anything else than an object has no fields.
    """
    text = text.removeprefix("\ufeff")
    at = _after_blanks(text, 0)
    if text[at : at + 1] != "{":
        return {}
    found: dict[str, str] = {}
    at = _after_blanks(text, at + 1)
    while text[at] != "}":
        name, at = _value(text, _after_blanks(text, at + 1) if text[at] == "," else at)
        start = _after_blanks(text, _after_blanks(text, at) + 1)
        _, end = _value(text, start)
        found[str(name)] = text[start:end]
        at = _after_blanks(text, end)
    return found


def _value(text: str, at: int) -> tuple[object, int]:
    try:
        value, end = _DECODER.raw_decode(text, at)
    except (RecursionError, ValueError):  # a number of more digits than Python turns into one is a ValueError, too
        raise BadRequest("The JSON is nested too deeply, or a number is too long.", field="body") from None
    return value, end


def _after_blanks(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    assert match is not None
    return match.end()


def object_of(fields: Mapping[str, str]) -> str:
    """The JSON text of an object whose fields have these texts."""
    return "{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in fields.items()) + "}"
