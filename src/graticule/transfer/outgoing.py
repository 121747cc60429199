"""Attributes on their way out: names and types that a format has, values brought to them, and notes of what is lost."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from graticule.transfer.attributes import ARROW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graticule.model.features import Column
    from graticule.transfer.drivers import Export, Naming
    from graticule.transfer.survey import Survey

# A dBASE number has 24 characters, of which GDAL gives 15 to the decimals; beyond this they would not hold it.
LARGEST_DBF_NUMBER = 1e20
LARGEST_INT = 2**31 - 1

# What a name must not hold, by the format's rule: MapInfo's own, XML 1.0's for names (2.3), and GDAL's KML, which
# puts names into attributes as they are.
_UNFIT: dict[Naming, re.Pattern[str]] = {
    "any": re.compile(r"[\x00-\x1f]"),
    "word": re.compile(r"\W"),
    "xml": re.compile(r"[^\w.-]"),
    "markup": re.compile(r"[\x00-\x1f<>&\"]"),
}
_NOT_FIRST_IN_XML = re.compile(r"[\d.\-]|xml", re.IGNORECASE)


@dataclass
class Notes:
    """What a file could not keep as it was; a sentence for each thing."""

    lines: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        if line not in self.lines:
            self.lines.append(line)


@dataclass(frozen=True, slots=True)
class Written:
    """A column as a file holds it: under which name, in which Arrow type, cut to how many bytes of text."""

    column: Column
    name: str
    type: pa.DataType
    text_bytes: int | None = None

    def values(self, found: pa.Array) -> pa.Array:
        """A batch of the column's values in the file's type; a number that is not finite becomes null."""
        found = found.cast(ARROW[self.column.type], safe=False)
        if pa.types.is_floating(found.type):
            found = pc.if_else(pc.is_finite(found), found, pa.scalar(None, found.type))
        if pa.types.is_string(self.type):
            found = _as_text(found)
        elif pa.types.is_timestamp(found.type):
            found = _whole_before_1970(found)
        return cut(found, self.text_bytes) if self.text_bytes else found.cast(self.type, safe=False)


def _as_text(found: pa.Array) -> pa.Array:
    """Values as text: dates and times as ISO 8601, these in UTC; booleans as T and F."""
    if pa.types.is_boolean(found.type):
        return pc.if_else(found, "T", "F")
    if pa.types.is_timestamp(found.type):
        text = pc.replace_substring(found.cast(pa.string()), " ", "T")
        return pc.binary_join_element_wise(text, "Z", "")
    return found.cast(pa.string())


def _whole_before_1970(found: pa.Array) -> pa.Array:
    """Before 1970 GDAL rounds moments between two seconds up, and is given the whole second."""
    early = pc.less(found, pa.scalar(0, found.type))
    return pc.if_else(early, pc.floor_temporal(found, unit="second"), found) if pc.any(early).as_py() else found


def cut(texts: pa.Array, limit: int) -> pa.Array:
    """Texts of at most so many bytes of UTF-8, cut between characters."""
    if (pc.max(pc.binary_length(texts)).as_py() or 0) <= limit:
        return texts
    return pa.array([None if text is None else cut_text(text, limit) for text in texts.to_pylist()], pa.string())


def cut_text(text: str, limit: int) -> str:
    return text.encode()[:limit].decode("utf-8", "ignore")


def plan(row: Export, columns: Sequence[Column], survey: Survey | None, notes: Notes) -> tuple[Written, ...]:
    """How the columns are written in the format; what cannot be kept is noted."""
    names = field_names(columns, row.name_bytes, row.naming)
    return tuple(_written(row, column, name, survey, notes) for column, name in zip(columns, names, strict=True))


def _written(row: Export, column: Column, name: str, survey: Survey | None, notes: Notes) -> Written:
    # Where the names have a place of their own, and the file no companion, it is not worth a companion.
    if name != column.name and row.sidecars:
        notes.add(f"The column “{column.name}” is named “{name}”, by the rules of the format.")
    wanted = _type(row, column, survey)
    if pa.types.is_string(wanted) and column.type in ("real", "number", "boolean"):
        notes.add(f"The column “{column.name}” is text, for the format's own type does not hold its values.")
    longest = survey.longest.get(column.name, 0) if survey else 0
    if row.text_bytes is None or longest <= row.text_bytes:
        return Written(column, name, wanted)
    notes.add(f"Texts of the column “{column.name}” are cut to {row.text_bytes} bytes; the longest has {longest}.")
    return Written(column, name, wanted, row.text_bytes)


def _type(row: Export, column: Column, survey: Survey | None) -> pa.DataType:
    if column.type == "datetime":
        kinds = {"text": pa.string(), "utc": pa.timestamp("ms", "UTC"), "clock": pa.timestamp("ms")}
        return kinds[row.times]
    if column.type == "date" and row.name == "kml":
        return pa.string()
    # Older programs know no other integers in MapInfo's files.
    if row.name == "mif" and column.type == "integer" and survey and survey.largest.get(column.name, 0) <= LARGEST_INT:
        return pa.int32()
    # MapInfo reads no answer as no, and writes numbers with an exponent.
    if row.name == "mif" and column.type == "boolean" and survey and column.name in survey.with_nulls:
        return pa.string()
    wide = column.type in ("real", "number")
    if row.name == "shp" and wide and survey and survey.largest.get(column.name, 0.0) >= LARGEST_DBF_NUMBER:
        return pa.string()
    return ARROW[column.type]


def field_names(columns: Sequence[Column], limit: int | None, naming: Naming = "any") -> tuple[str, ...]:
    """The columns' names by the format's rule, cut to so many bytes of UTF-8, and told apart by a number.

    Names that differ in case only count as alike.
    """
    taken: set[str] = set()
    result = []
    # Who can keep their name keeps it.
    kept = {column.name.lower() for column in columns if _fit(column.name, limit, naming) == column.name}
    for column in columns:
        wanted = short = _fit(column.name, limit, naming)
        count = 1
        while short.lower() in taken or (short != column.name and short.lower() in kept):
            tail = f"_{count}"
            short, count = _cut(wanted, limit, len(tail)) + tail, count + 1
        taken.add(short.lower())
        result.append(short)
    return tuple(result)


def _fit(name: str, limit: int | None, naming: Naming) -> str:
    fit = _UNFIT[naming].sub("_", name)
    if naming in ("xml", "word") and _NOT_FIRST_IN_XML.match(fit):
        fit = f"_{fit}"
    return _cut(fit, limit, 0) or "_"


def _cut(name: str, limit: int | None, spare: int) -> str:
    return name if limit is None else cut_text(name, limit - spare)


def xml_name(name: str) -> str:
    """A name that an XML element may have."""
    return _fit(name, None, "xml")


# Columns that people call a thing by, the best first.
_TITLES = ("name", "title", "label", "naziv", "nom", "nombre", "nome", "naam", "namn", "ime")


def title_of(columns: Sequence[Column]) -> Column | None:
    """The column that names the features: one that is called so, else the first whose name says so, else a text."""
    by_name = {column.name.lower(): column for column in columns}
    exact = next((by_name[title] for title in _TITLES if title in by_name), None)
    texts = [column for column in columns if column.type == "text"]
    near = next((column for column in texts if "name" in column.name.lower()), None)
    return exact or near or next(iter(texts), None)
