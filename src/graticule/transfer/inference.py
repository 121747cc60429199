"""The types of columns that come as text, and the numbers, dates and times in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from graticule.transfer.attributes import ARROW

if TYPE_CHECKING:
    from graticule.model.features import ColumnType

# A leading zero or plus sign, or more digits than the type holds, makes a code of a number: such columns stay text.
_EXPONENT = r"([eE][+-]?\d{1,3})?"
PATTERNS: dict[str, str] = {
    "integer": r"^-?(0|[1-9]\d{0,17})$",
    "real": rf"^-?((0|[1-9]\d{{0,14}})(\.\d*)?|\.\d+){_EXPONENT}$",
    "real,": rf"^-?((0|[1-9]\d{{0,14}})(,\d*)?|,\d+){_EXPONENT}$",
    "boolean": r"^(?i:true|false)$",
    "date": r"^\d{4}-\d{2}-\d{2}$",
    "datetime": r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?( ?Z|[+-]\d{2}:?\d{2})?$",
}
KINDS: dict[str, ColumnType] = {
    "integer": "integer", "real": "real", "real,": "real", "boolean": "boolean", "date": "date", "datetime": "datetime",
}  # fmt: skip


@dataclass
class Candidates:
    """What the values of a column, seen batch by batch, could still be; the first that is left is it."""

    decimal_comma: bool
    left: list[str] = field(default_factory=list)
    seen: bool = False

    def __post_init__(self) -> None:
        self.left = [name for name in PATTERNS if name != "real," or self.decimal_comma]

    def add(self, values: pa.Array) -> None:
        """Strikes out what the values of a batch cannot be."""
        present = pc.utf8_trim_whitespace(values.drop_null())
        if not len(present):
            return
        self.seen = True
        self.left = [name for name in self.left if _holds(present, name)]

    @property
    def found(self) -> str:
        """A key of PATTERNS, or "text"."""
        return self.left[0] if self.seen and self.left else "text"


def _holds(values: pa.Array, name: str) -> bool:
    if not pc.all(pc.match_substring_regex(values, PATTERNS[name])).as_py():
        return False
    try:
        convert(values, name)
    except pa.ArrowInvalid:
        return False
    return True


def kind_of(found: str) -> ColumnType:
    """The column type of what Candidates found."""
    return KINDS.get(found, "text")


def convert(values: pa.Array, found: str) -> pa.Array:
    """Text values as what they were found to be. Raises ArrowInvalid for a value that is not, like a 30 February."""
    if found == "text":
        return values
    trimmed = pc.utf8_trim_whitespace(values)
    if found == "real,":
        trimmed = pc.replace_substring(trimmed, ",", ".")
    if found == "datetime":
        return _times(trimmed)
    return trimmed.cast(ARROW[kind_of(found)])


def _times(values: pa.Array) -> pa.Array:
    """Times in UTC; those without an offset are taken as they are."""
    text = pc.replace_substring_regex(values, r"^(\S{10})[T ](\d{2}:\d{2})( ?Z|[+-].*)?$", r"\1T\2:00\3")
    text = pc.replace_substring_regex(text, r"^(\S{10})[T ](\S*?)(\.\d{1,9})? ?(Z|[+-]\d{2}:?\d{2})?$", r"\1T\2\3\4")
    zoned = pc.match_substring_regex(text, r"T.*(Z|[+-]\d{2}:?\d{2})$")
    plain = (
        pc.if_else(zoned, pa.scalar(None, pa.string()), text)
        .cast(pa.timestamp("ns"))
        .cast(pa.timestamp("ms"), safe=False)
    )
    moved = pc.if_else(zoned, text, pa.scalar(None, pa.string())).cast(pa.timestamp("ns", "UTC"))
    return pc.coalesce(plain, moved.cast(pa.timestamp("ms", "UTC"), safe=False).cast(pa.timestamp("ms")))


def numbers(values: pa.Array, *, decimal_comma: bool) -> pa.Array:
    """The values as numbers, null where one is none."""
    text = pc.utf8_trim_whitespace(values.cast(pa.string()))
    if decimal_comma:
        text = pc.replace_substring(text, ",", ".")
    good = pc.match_substring_regex(text, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$")
    return pc.if_else(good, text, pa.scalar(None, pa.string())).cast(pa.float64())
