"""Text tables: CSV and its relatives. Read as text by Arrow, typed by the whole of each column."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import csv as arrow_csv

from graticule.errors import BadRequest
from graticule.transfer import encodings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DELIMITERS = ",;\t|"
SAMPLE_CHARS = 64 * 1024
BLOCK_BYTES = 8 * 1024 * 1024
MAX_FIELD = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a text table is written."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]

    @property
    def decimal_comma(self) -> bool:
        """Where the semicolon parts the values a comma may stand in numbers."""
        return self.delimiter == ";"


def sniff(path: Path, encoding: str | None) -> Dialect:
    """The dialect of a file, from its beginning. Raises BadRequest for a file without a line of text."""
    named = encodings.stated(encoding) if encoding else encodings.of_text(path)
    with path.open(encoding=named, errors="replace", newline="") as file:
        sample = file.read(SAMPLE_CHARS).removeprefix("\ufeff")
    if "\0" in sample or not sample.strip():
        raise BadRequest(f"“{path.name}” is not a table of text.")
    delimiter = _delimiter(sample)
    header = next(row for row in csv.reader(sample.splitlines(keepends=True), delimiter=delimiter) if row)
    return Dialect(named, delimiter, tuple(header))


def _delimiter(sample: str) -> str:
    """The one that parts the first line into most values, and the next lines into as many."""
    lines = sample.splitlines(keepends=True)

    def rank(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row][:100]
        alike = Counter(widths[:-1] or widths)[widths[0]]
        return (alike if widths[0] > 1 else 0, widths[0])

    return max(DELIMITERS, key=rank)


def read(path: Path, dialect: Dialect) -> Iterator[pa.RecordBatch]:
    """The rows, every value text or null where it is empty. Raises BadRequest that names a line of wrong width."""
    codec = "utf-8" if dialect.encoding in ("utf-8-sig", "utf-8") else dialect.encoding
    names = [f"f{at}" for at in range(len(dialect.header))]
    try:
        with path.open("rb") as file, arrow_csv.open_csv(
            file,
            arrow_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES, encoding=codec, column_names=names),
            arrow_csv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=True),
            arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=True,
            ),
        ) as reader:  # fmt: skip
            yield from _without_header(reader)
    except (pa.ArrowException, UnicodeError, OSError) as error:
        raise _explain(path, dialect) from error


def _without_header(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    header = True
    for batch in batches:
        rest = batch.slice(1) if header and len(batch) else batch
        header = header and not len(batch)
        yield rest


def _explain(path: Path, dialect: Dialect) -> BadRequest:
    width = len(dialect.header)
    for line, row in _lines(path, dialect):
        if len(row) != width:
            return BadRequest(f"“{path.name}”, line {line}: {len(row)} values where the header has {width}.")
    return BadRequest(f"“{path.name}” could not be read as a table of text in {dialect.encoding}.")


def _lines(path: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, the header among them, each with the number of its first line."""
    csv.field_size_limit(MAX_FIELD)
    with path.open(encoding=dialect.encoding, errors="replace", newline="") as file:
        reader = csv.reader(file, delimiter=dialect.delimiter)
        before = 0
        for row in reader:
            if row:
                yield before + 1, row
            before = reader.line_num


def line_of(path: Path, dialect: Dialect, row: int) -> int:
    """The line of the file on which a data row, counted from 0, begins."""
    return next((line for index, (line, _) in enumerate(_lines(path, dialect)) if index == row + 1), row + 2)
