"""Values between a store and JSON, by the type of their column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from graticule.model.features import Batch, Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from graticule.model.features import ColumnType

    Decode = Callable[[Sequence[bytes | None]], NDArray[np.object_]]

# Beyond this not every whole number is a double.
EXACT_INTEGERS = 2**53


def reader(column_type: ColumnType) -> Callable[[Any], Any] | None:
    """What makes a stored value (never None) ready for JSON; None when it is as it stands."""
    return _READERS.get(column_type)


def writer(column_type: ColumnType) -> Callable[[Any], Any]:
    """What makes a checked value (never None) ready to be stored."""
    return int if column_type == "boolean" else _as_it_is


def to_batch(
    rows: list[tuple[Any, ...]], names: tuple[str, ...], readers: Sequence[Any], decode: Decode | None
) -> Batch:
    """A batch of rows as ``Statements.select`` selects them. ``decode`` makes geometries of what was selected."""
    ids, owner, created, modified, *rest = zip(*rows, strict=True)
    geometries = decode(rest.pop(0)) if decode else None
    columns = {
        name: list(values) if read is None else [None if value is None else read(value) for value in values]
        for name, read, values in zip(names, readers, rest, strict=True)
    }
    return Batch(
        np.array(ids, dtype=np.int64),
        geometries,
        columns,
        [value or 0 for value in owner],
        [value or 0 for value in created],
        [value or 0 for value in modified],
    )


def to_summary(row: tuple[Any, ...], ready: Callable[[Any], Any] | None) -> Summary:
    """What ``Statements.summary`` selects; ``ready`` is the column's reader."""
    features, filled, different, low, high, mean, total = row
    low, high = (value if value is None or ready is None else ready(value) for value in (low, high))
    return Summary(features, filled, different, low, high, mean, total)


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
