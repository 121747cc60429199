"""Values between SQLite and JSON, by the type of their column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graticule.model.features import Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graticule.model.features import Column, ColumnType

# Beyond this not every whole number is a double.
EXACT_INTEGERS = 2**53


def reader(column_type: ColumnType) -> Callable[[Any], Any] | None:
    """What makes a stored value (never None) ready for JSON; None when it is as it stands."""
    return _READERS.get(column_type)


def ready(values: Sequence[Any], column: Column) -> list[Any]:
    """Stored values of a column, ready for JSON."""
    read = reader(column.type)
    return [value if value is None or read is None else read(value) for value in values]


def summarised(row: Sequence[Any], column: Column) -> Summary:
    """A row of ``query.aggregates``."""
    features, filled, different, low, high, mean, total = row
    low, high = ready((low, high), column)
    return Summary(features, filled, different, low, high, mean, total)


def writer(column_type: ColumnType) -> Callable[[Any], Any]:
    """What makes a checked value (never None) ready to be stored."""
    return int if column_type == "boolean" else _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _finite(value: Any) -> Any:
    # A file written elsewhere may hold infinities, for which JSON has no word.
    return None if isinstance(value, float) and value - value != 0 else value


def _number(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT_INTEGERS:
        return int(value)
    return _finite(value)


def _text(value: Any) -> Any:
    # SQLite lets any column hold anything; another program may have left bytes in this one.
    return value.hex() if isinstance(value, bytes) else str(value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "boolean": bool,
    "number": _number,
    "real": _finite,
    "text": _text,
    "date": _text,
    "datetime": _text,
}
