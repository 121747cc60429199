"""The attributes of a vector tile's layer: keys, values that are written once each, and every feature's pairs of them.

Source: Mapbox Vector Tile Specification 2.1, sections 4.1 and 4.4.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress, count, filterfalse
from typing import TYPE_CHECKING, Any

import numpy as np

from graticule.tiles import varints

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from numpy.typing import NDArray

    Table = dict[Any, int]  # value -> its number among the values of its kind

_VALUE = 4 << 3 | 2  # the tag of a Layer's field `values`
_TEXT, _DOUBLE, _INT, _SINT, _BOOL = 1 << 3 | 2, 3 << 3 | 1, 4 << 3, 6 << 3, 7 << 3  # the tags of a Value's fields
_INT64 = range(-(2**63), 2**63)
_ABSENT = -1


@dataclass(frozen=True, slots=True)
class Tags:
    """``tokens`` are key and value indices in turn, ``counts[i]`` for feature i; ``values`` is part of the layer."""

    tokens: NDArray[np.uint64]
    counts: NDArray[np.int64]
    keys: list[str]
    values: bytes


class _Kinds(dict[type, int]):
    """Python type -> place in ``_WRITERS``; a subclass is what its base is."""

    def __missing__(self, kind: type) -> int:
        for base in (bool, str, float, int):
            if issubclass(kind, base):
                self[kind] = self[base]
                return self[kind]
        raise TypeError(f"A tile's attributes are str, int, float, bool or None, not {kind.__name__}")


_KINDS = _Kinds({type(None): _ABSENT, str: 0, float: 1, int: 2, bool: 3})


def factorise(columns: dict[str, list[Any]], rows: NDArray[np.int64]) -> Tags:
    """The tags of the features made from ``rows`` of ``columns``; None leaves a tag out.

    Values are looked up column by column, so that each different one is written, and met in Python, once.
    """
    tables: tuple[Table, ...] = tuple({} for _ in _WRITERS)
    looked_up = {name: _codes(_pick(column, rows), tables) for name, column in columns.items()}
    offsets = np.cumsum([0, *map(len, tables[:-1])])
    used = {name: _shift(*pair, offsets) for name, pair in looked_up.items() if (pair[0] != _ABSENT).any()}
    values = b"".join(write(table) for write, table in zip(_WRITERS, tables, strict=True))
    return Tags(*_interleave(list(used.values()), len(rows)), list(used), values)


def _pick(column: list[Any], rows: NDArray[np.int64]) -> list[Any]:
    whole = len(rows) == len(column) and bool((rows == np.arange(len(rows))).all())
    return column if whole else list(map(column.__getitem__, rows.tolist()))


def _codes(column: list[Any], tables: tuple[Table, ...]) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """For each value, its kind and its number among the values of that kind."""
    met = {_KINDS[kind] for kind in set(map(type, column))}
    if len(met) == 1 and _ABSENT not in met:
        kind = met.pop()
        return np.full(len(column), kind, np.int8), _numbers(column, tables[kind])
    kinds = np.fromiter(map(_KINDS.__getitem__, map(type, column)), np.int8, len(column))
    codes = np.zeros(len(column), np.int64)
    for kind in sorted(met - {_ABSENT}):
        chosen = kinds == kind
        codes[chosen] = _numbers(list(compress(column, chosen)), tables[kind])
    return kinds, codes


def _numbers(values: list[Any], table: Table) -> NDArray[np.int64]:
    """The values' numbers in a table that grows, in the order of meeting, by those it does not know yet."""
    known = len(table)
    new = filterfalse(table.__contains__, dict.fromkeys(values)) if known else dict.fromkeys(values)
    table.update(zip(new, count(known), strict=False))
    if len(table) == known + len(values):
        return np.arange(known, len(table))
    return np.fromiter(map(table.__getitem__, values), np.int64, len(values))


def _shift(kinds: NDArray[np.int8], codes: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers within a kind to numbers within the layer's one list of values."""
    return np.where(kinds == _ABSENT, _ABSENT, codes + offsets[kinds])


def _interleave(used: list[NDArray[np.int64]], features: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    pairs = np.empty((features, len(used), 2), np.int64)
    pairs[:, :, 0] = np.arange(len(used))
    for number, codes in enumerate(used):
        pairs[:, number, 1] = codes
    present = pairs[:, :, 1] != _ABSENT
    flat = pairs.reshape(-1, 2).compress(present.ravel(), axis=0).ravel()
    return flat.view(np.uint64), 2 * present.sum(axis=1)


def _write_texts(texts: Collection[str]) -> bytes:
    try:
        encoded = list(map(str.encode, texts))
    except UnicodeEncodeError:  # half a surrogate pair
        encoded = [text.encode("utf-8", "replace") for text in texts]
    pieces = [b""] * (2 * len(encoded))
    pieces[::2] = map(_text_head, map(len, encoded))
    pieces[1::2] = encoded
    return b"".join(pieces)


@lru_cache(maxsize=1024)
def _text_head(length: int) -> bytes:
    inner = varints.one(_TEXT) + varints.one(length)
    return varints.one(_VALUE) + varints.one(len(inner) + length) + inner


def _write_doubles(numbers: Collection[float]) -> bytes:
    out = np.empty(len(numbers), np.dtype([("head", "V3"), ("number", "<f8")]))
    out["head"] = np.void(bytes((_VALUE, 9, _DOUBLE)))
    out["number"] = np.fromiter(numbers, np.float64, len(numbers))
    return out.tobytes()


def _write_integers(numbers: Collection[int]) -> bytes:
    """Whole numbers; those beyond 64 bits, which the format cannot hold, as the nearest double."""
    try:
        array = np.fromiter(numbers, np.int64, len(numbers))
    except OverflowError:
        return b"".join(_write_integers([n]) if n in _INT64 else _write_doubles([_nearest(n)]) for n in numbers)
    tokens = np.empty((len(array), 4), np.uint64)
    tokens[:, 0] = _VALUE
    tokens[:, 2] = np.where(array < 0, _SINT, _INT)
    tokens[:, 3] = np.where(array < 0, varints.zigzag(array), array.view(np.uint64))
    tokens[:, 1] = 1 + varints.sizes(tokens[:, 3])
    stream = tokens.ravel()
    return varints.encode(stream, varints.sizes(stream))


def _nearest(number: int) -> float:
    return float(min(max(number, -sys.float_info.max), sys.float_info.max))


def _write_booleans(values: Iterable[bool]) -> bytes:
    return b"".join(bytes((_VALUE, 2, _BOOL, value)) for value in values)


_WRITERS: tuple[Callable[[Collection[Any]], bytes], ...] = (
    _write_texts,
    _write_doubles,
    _write_integers,
    _write_booleans,
)
