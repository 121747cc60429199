"""The fields of a body, taken one by one and checked: a bad one is named."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import orjson

from graticule.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

TRUE = frozenset({"t", "true", "1", "yes", "on"})
FALSE = frozenset({"f", "false", "0", "no", "off"})
LONGEST_TEXT = 1_000_000


def boolean(name: str, value: Any) -> bool:
    """true, "t", "true", "1", 1 and their opposites. Raises ``BadRequest``."""
    word = str(value).strip().lower() if isinstance(value, (bool, int, str)) else ""
    if word not in TRUE | FALSE:
        raise BadRequest(f"{name} is neither true nor false.", field=name, value=value, expected="true or false")
    return word in TRUE


def flag(name: str, value: Any) -> str:
    """The same as "t" or "f", as it is kept and answered."""
    return "t" if boolean(name, value) else "f"


def text(name: str, value: Any) -> str:
    """Text; a number is taken as its text. Raises ``BadRequest``."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise BadRequest(f"{name} is not text.", field=name, value=value, expected="text")
    if len(str(value)) > LONGEST_TEXT or "\0" in str(value):
        raise BadRequest(f"{name} is too long, or holds a zero character.", field=name, expected="shorter text")
    try:
        str(value).encode()
    except UnicodeEncodeError:
        raise BadRequest(f"{name} is not valid Unicode text.", field=name, expected="Unicode text") from None
    return str(value)


def number(name: str, value: Any, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite number within bounds; its text counts. Raises ``BadRequest``."""
    try:
        if isinstance(value, bool):
            raise TypeError
        result = float(_plain(value))
    except (TypeError, ValueError, OverflowError):
        raise BadRequest(f"{name} is not a number.", field=name, value=value, expected="a number") from None
    if not math.isfinite(result) or not low <= result <= high:
        raise BadRequest(f"{name} is out of range.", field=name, value=value, expected=f"{low:g} to {high:g}")
    return result


def integer(name: str, value: Any, low: int = -(2**63), high: int = 2**63 - 1) -> int:
    """A whole number within bounds; its text counts. Raises ``BadRequest``."""
    try:
        if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
            raise TypeError
        result = int(_plain(value))
    except (TypeError, ValueError, OverflowError):
        message = f"{name} is not a whole number."
        raise BadRequest(message, field=name, value=value, expected="a whole number") from None
    if not low <= result <= high:
        raise BadRequest(f"{name} is out of range.", field=name, value=value, expected=f"{low} to {high}")
    return result


def _plain(value: Any) -> Any:
    """The value, unless it is text that only Python takes for a number: 1_000, or digits of other scripts."""
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        raise ValueError
    return value


def number_text(name: str, value: Any) -> str:
    """A number, kept as the text that was sent."""
    number(name, value)
    return str(value)


def integer_text(name: str, value: Any) -> str:
    """A whole number, kept as the text that was sent."""
    return str(integer(name, value))


def json_text(name: str, value: Any) -> str:
    """Text that holds JSON, kept as it was sent; an object or array becomes its text. Raises ``BadRequest``."""
    if isinstance(value, (dict, list)):
        return text(name, _dumped(name, value))
    parse_json(name, value)
    return str(value)


def _dumped(name: str, value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # all else that a body can hold can be written
        raise BadRequest(f"{name} is nested too deeply.", field=name, expected="fewer levels") from None


def parse_json(name: str, value: Any) -> Any:
    """What a JSON text, or an object sent in its place, holds. Raises ``BadRequest``."""
    if isinstance(value, (dict, list)):
        return value
    try:
        return orjson.loads(text(name, value))
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"{name} is not JSON: {error}.", field=name, expected="JSON, or its text") from None


def required(fields: Mapping[str, Any], name: str) -> Any:
    """The field's value. Raises ``BadRequest`` when it is missing, null or empty."""
    value = fields.get(name)
    if value is None or value == "":
        raise BadRequest(f"{name} is missing.", field=name, expected=f"a value for {name}")
    return value
