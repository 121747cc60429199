"""The attributes of a feature that was sent, checked against the columns of its table and brought to their types."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from graticule.actions import fields
from graticule.errors import BadRequest
from graticule.stores.base import GEOMETRY, KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graticule.model.features import Column, Table

INTEGER = re.compile(r"[+-]?\d{1,19}")
BIGGEST = 2**63 - 1


def check_values(table: Table, sent: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
    """The values by the table's own column names.

    ``whole``: a row that is complete by this, so that columns that must not be empty have to be there. Raises
    ``BadRequest`` for an attribute that the table does not have and for a value of the wrong type.
    """
    values: dict[str, Any] = {}
    for name, value in sent.items():
        if name.startswith("__") or name in (KEY, GEOMETRY):
            continue
        column = find_column(table, name)
        values[column.name] = None if value is None else _CHECKS[column.type](column.name, value)
    for column in table.columns:
        if column.not_null and values.get(column.name) is None and (whole or column.name in values):
            raise BadRequest(f"{column.name} must have a value.", field=column.name, expected=f"a {column.type}")
    return values


def find_column(table: Table, name: str) -> Column:
    """The column of that name: exactly, else regardless of case when only one fits. Raises ``BadRequest``."""
    same = [column for column in table.columns if column.name == name]
    alike = same or [column for column in table.columns if column.name.casefold() == name.casefold()]
    if len(alike) != 1:
        expected = "one of " + ", ".join(column.name for column in table.columns)
        raise BadRequest(f"There is no attribute {name}.", field=name, value=name, expected=expected)
    return alike[0]


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return fields.json_text(name, value)
    return fields.text(name, value)


def _integer(name: str, value: Any) -> int:
    if isinstance(value, str) and INTEGER.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < BIGGEST:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -BIGGEST - 1 <= value <= BIGGEST:
        expected = "a whole number of 64 bits"
        raise BadRequest(f"{name} is not a whole number.", field=name, value=value, expected=expected)
    return value


def _date(name: str, value: Any) -> str:
    try:
        return date.fromisoformat(str(value).strip()[:10]).isoformat()
    except ValueError:
        raise BadRequest(f"{name} is not a date.", field=name, value=value, expected="a date as 2026-01-31") from None


def _datetime(name: str, value: Any) -> str:
    """A moment as text, in UTC; a number is epoch seconds, and a text without a zone is in UTC."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            moment = datetime.fromtimestamp(value, UTC)
        else:
            moment = datetime.fromisoformat(str(value).strip())
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        expected = "a time as 2026-01-31T12:00:00Z"
        raise BadRequest(f"{name} is not a time.", field=name, value=value, expected=expected) from None
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "text": _text,
    "integer": _integer,
    "real": fields.number,
    "number": fields.number,
    "boolean": fields.boolean,
    "date": _date,
    "datetime": _datetime,
}
