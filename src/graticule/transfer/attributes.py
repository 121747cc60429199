"""Attributes on their way in: names that a table may have, types of ours, values in one Arrow type for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from graticule.model.features import Column, ColumnType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RESERVED = frozenset(("ogc_fid", "fid", "wkb_geometry", "__owner", "__created", "__modified"))

ARROW: dict[ColumnType, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "real": pa.float64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "datetime": pa.timestamp("ms"),
}


def unique_names(names: Iterable[str]) -> list[str]:
    """The names as a table can have them: none empty, none reserved, no two alike whatever their case."""
    taken = set(RESERVED)
    result = []
    for index, name in enumerate(names, 1):
        wanted = "".join(char for char in name if char.isprintable()).strip() or f"column_{index}"
        free = wanted + "_" if wanted.lower() in RESERVED else wanted
        count = 2
        while free.lower() in taken:
            free, count = f"{wanted}_{count}", count + 1
        taken.add(free.lower())
        result.append(free)
    return result


def type_of(arrow: pa.DataType) -> ColumnType | None:
    """The column type that an Arrow type becomes; None for binary values, which a table does not hold."""
    kinds = pa.types
    if kinds.is_boolean(arrow):
        return "boolean"
    if kinds.is_uint64(arrow) or kinds.is_floating(arrow) or kinds.is_decimal(arrow):
        return "real"
    if kinds.is_integer(arrow):
        return "integer"
    if kinds.is_date(arrow):
        return "date"
    if kinds.is_timestamp(arrow):
        return "datetime"
    if kinds.is_binary(arrow) or kinds.is_large_binary(arrow) or kinds.is_fixed_size_binary(arrow):
        return None
    return "text"


def columns_of(schema: pa.Schema, skip: Sequence[str | None]) -> tuple[list[int], tuple[Column, ...]]:
    """Which fields of a schema are attributes (their positions), and the columns that they become."""
    kept = [(at, field, type_of(field.type)) for at, field in enumerate(schema) if field.name not in skip]
    wanted = [(at, field, kind) for at, field, kind in kept if kind is not None]
    names = unique_names(field.name for _, field, _ in wanted)
    return [at for at, _, _ in wanted], tuple(
        Column(name, kind) for name, (_, _, kind) in zip(names, wanted, strict=True)
    )


def convert(values: pa.Array, kind: ColumnType) -> pa.Array:
    """The values in the Arrow type of a column: valid UTF-8, times in UTC, no number that is not finite."""
    if kind == "text":
        return _as_text(values)
    if kind == "datetime" and values.type.tz is not None:
        values = values.cast(pa.timestamp("ms", "UTC"), safe=False)
    result = values.cast(ARROW[kind], safe=False)
    if pa.types.is_floating(result.type):
        return pc.if_else(pc.is_finite(result), result, pa.scalar(None, result.type))
    return result


def _as_text(values: pa.Array) -> pa.Array:
    if pa.types.is_nested(values.type):
        return pa.array(
            [None if item is None else orjson.dumps(item, default=str).decode() for item in values.to_pylist()]
        )
    if not pa.types.is_string(values.type):
        values = values.cast(pa.string())
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        raw = values.cast(pa.binary()).to_pylist()
        return pa.array([None if item is None else item.decode("utf-8", "replace") for item in raw], pa.string())
    return values
