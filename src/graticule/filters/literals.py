"""What a literal becomes beside a column or value of another kind; what makes all engines agree.

* beside text: text, or a number, taken as its shortest decimal form (20 is '20', 2.50 is '2.5');
* beside an integer: a number, or text that reads as one; a whole number however written stays exact;
* beside a real (or "number"): the same, as the nearest double;
* beside a boolean: TRUE, FALSE, 1, 0, or the texts t, f, true, false, 1, 0 in any case;
* beside a date: text YYYY-MM-DD;
* beside a datetime: text YYYY-MM-DD[T or blank]hh:mm[:ss[.fraction]][Z or ±hh[[:]mm]], or a date, which means its
  midnight; without a zone it is UTC. Taken as UTC to the millisecond: YYYY-MM-DDThh:mm:ss.mmmZ.

NULL goes with everything.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from graticule.filters.nodes import Kind, Literal

    Value = bool | int | float | str

INTEGER_RANGE = range(-(2**63), 2**63)

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,400})?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(
    _DATE.pattern
    + r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
    + r"(?:\ ?Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?",
    re.IGNORECASE,
)
_BOOLEANS: dict[Value, bool] = {1: True, 0: False}
_BOOLEAN_WORDS = {"t": True, "true": True, "1": True, "f": False, "false": False, "0": False}

EXPECTED: dict[Kind, str] = {
    "text": "a text in single quotes, or a number",
    "integer": "a number; integers have 64 bits",
    "real": "a number",
    "boolean": "TRUE or FALSE",
    "date": "a date as 'YYYY-MM-DD'",
    "datetime": "a time as 'YYYY-MM-DDThh:mm:ssZ'",
}


def literal_as(literal: Literal, kind: Kind) -> Literal:
    """``literal`` beside something of ``kind``. Raises ValueError when it cannot be that."""
    if literal.value is None:
        return replace(literal, kind=kind)
    value = _CONVERSIONS[kind](literal.value)
    if kind == "integer" and isinstance(value, float):
        kind = "real"
    return replace(literal, value=value, kind=kind)


def _text(value: Value) -> str:
    if isinstance(value, bool):
        raise ValueError(value)
    return value if isinstance(value, str) else repr(value)


def _number(value: Value) -> int | float:
    if isinstance(value, bool):
        raise ValueError(value)
    if isinstance(value, str):
        return _number_in(value.strip())
    return value


def _number_in(text: str) -> int | float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return int(text) if text.lstrip("+-").isdigit() else float(text)


def _integer(value: Value) -> int | float:
    number = _finite(_number(value))
    whole = int(number)
    if whole not in INTEGER_RANGE:
        raise ValueError(value)
    return whole if whole == number else number


def _real(value: Value) -> float:
    number = _number(value)
    try:
        return float(_finite(number))
    except OverflowError as error:
        raise ValueError(value) from error


def _finite(number: int | float) -> int | float:
    if isinstance(number, float) and not math.isfinite(number):
        raise ValueError(number)
    return number


def _boolean(value: Value) -> bool:
    table = _BOOLEAN_WORDS if isinstance(value, str) else _BOOLEANS
    key = value.strip().lower() if isinstance(value, str) else value
    if key not in table:
        raise ValueError(value)
    return table[key]  # type: ignore[index]


def _date(value: Value) -> str:
    if not isinstance(value, str) or not _DATE.fullmatch(value.strip()):
        raise ValueError(value)
    return date.fromisoformat(value.strip()).isoformat()


def _datetime(value: Value) -> str:
    if not isinstance(value, str) or not _DATETIME.fullmatch(value.strip()):
        raise ValueError(value)
    try:
        return _utc(datetime.fromisoformat(value.strip().upper().replace(" Z", "Z")))
    except OverflowError as error:
        raise ValueError(value) from error


def _utc(moment: datetime) -> str:
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


_CONVERSIONS: dict[Kind, Callable[[Value], Value]] = {
    "text": _text,
    "integer": _integer,
    "real": _real,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
}
