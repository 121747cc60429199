"""Excel workbooks, written row by row; GDAL's own driver holds a whole workbook in memory."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import shapely
import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from graticule.transfer.outgoing import Notes, Written

# The limits of a sheet and a cell in Excel; the name of a sheet.
MOST_ROWS, LONGEST_TEXT, LONGEST_NAME = 1_048_576, 32_767, 31
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")
# Larger integers are no longer exact in a number of Excel's. Its calendar begins in 1900, with a day too many.
EXACT, FIRST_YEAR = 2**53, 1901


class Workbook:
    """A workbook of one table, which goes on in another sheet where one is full."""

    def __init__(self, target: Path, header: Sequence[str], name: str, notes: Notes) -> None:
        how = {"constant_memory": True, "tmpdir": str(target.parent), "default_date_format": "yyyy-mm-dd hh:mm:ss"}
        self._book = xlsxwriter.Workbook(str(target), how)
        self._book.use_zip64()
        self._bold = self._book.add_format({"bold": True})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._name = _NOT_IN_NAMES.sub("_", name)
        self._header, self._notes = header, notes
        self._sheet: Any = None
        self._row = MOST_ROWS
        self._sheets = 0
        self._begin_sheet()

    def close(self) -> None:
        """Puts the file together. Raises OSError."""
        try:
            self._book.close()
        except FileCreateError as error:
            raise error.args[0] from error

    def _begin_sheet(self) -> None:
        self._sheets += 1
        tail = "" if self._sheets == 1 else f" ({self._sheets})"
        name = self._name[: LONGEST_NAME - len(tail)] + tail
        self._sheet = self._book.add_worksheet("_" + name if name.lower() == "history" else name)
        for at, label in enumerate(self._header):
            self._sheet.write_string(0, at, label[:LONGEST_TEXT], self._bold)
        self._sheet.freeze_panes(1, 0)
        self._row = 1

    def write_row(self, cells: Sequence[Any], writers: Sequence[Callable[[Workbook, int, Any], None]]) -> None:
        """Writes a row; each writer puts a value into a column of the current row."""
        if self._row == MOST_ROWS:
            self._begin_sheet()
        for at, (value, write) in enumerate(zip(cells, writers, strict=True)):
            if value is not None:
                write(self, at, value)
        self._row += 1

    def put_text(self, at: int, value: Any) -> None:
        text = str(value)
        if len(text) > LONGEST_TEXT:
            self._notes.add(f"Texts of “{self._header[at]}” are cut to the {LONGEST_TEXT} characters of a cell.")
        self._sheet.write_string(self._row, at, text[:LONGEST_TEXT])

    def put_pieces(self, at: int, value: str) -> None:
        """A text that goes on in the cells to the right where it is too long for one."""
        for step, start in enumerate(range(0, len(value), LONGEST_TEXT)):
            self._sheet.write_string(self._row, at + step, value[start : start + LONGEST_TEXT])

    def put_number(self, at: int, value: Any) -> None:
        if abs(value) > EXACT and isinstance(value, int):
            self.put_text(at, value)
        else:
            self._sheet.write_number(self._row, at, value)

    def put_boolean(self, at: int, value: bool) -> None:
        self._sheet.write_boolean(self._row, at, value)

    def put_day(self, at: int, value: Any) -> None:
        self._put_moment(at, value, self._day)

    def put_time(self, at: int, value: Any) -> None:
        self._put_moment(at, value, None)

    def _put_moment(self, at: int, value: Any, shown: Any) -> None:
        if value.year < FIRST_YEAR:
            self.put_text(at, value.isoformat())
        else:
            self._sheet.write_datetime(self._row, at, value, shown)


PUT: dict[str, Callable[[Workbook, int, Any], None]] = {
    "text": Workbook.put_text,
    "integer": Workbook.put_number,
    "real": Workbook.put_number,
    "number": Workbook.put_number,
    "boolean": Workbook.put_boolean,
    "date": Workbook.put_day,
    "datetime": Workbook.put_time,
}


def write_workbook(
    target: Path,
    fields: Sequence[Written],
    geometry_type: str | None,
    batches: Iterator[pa.RecordBatch],
    name: str,
    notes: Notes,
    *,
    high: bool,
) -> None:
    """Writes the features, one a row; after the columns the place: x, y and z of points, the WKT of all else."""
    places = _places(geometry_type, {each.name.lower() for each in fields}, high=high)
    writers = [*(PUT[each.column.type] for each in fields), *_place_writers(geometry_type, len(places))]
    book = Workbook(target, [*(each.name for each in fields), *places], name, notes)
    try:
        for batch in batches:
            columns = [batch.column(at).to_pylist() for at in range(len(fields))]
            if geometry_type is not None:
                columns += _place_columns(batch.column(len(fields)), geometry_type, len(places))
            for cells in zip(*columns, strict=True):
                book.write_row(cells, writers)
    except BaseException:
        with suppress(OSError):
            book.close()
        raise
    book.close()


def _places(geometry_type: str | None, taken: set[str], *, high: bool) -> list[str]:
    wanted = (
        [] if geometry_type is None else ["x", "y", "z"][: 3 if high else 2] if geometry_type == "POINT" else ["wkt"]
    )
    return [label if label not in taken else f"{label}_geometry" for label in wanted]


def _place_writers(geometry_type: str | None, count: int) -> list[Callable[[Workbook, int, Any], None]]:
    return [Workbook.put_number if geometry_type == "POINT" else Workbook.put_pieces] * count


def _place_columns(wkb: pa.Array, geometry_type: str, count: int) -> list[list[Any]]:
    found = shapely.from_wkb(wkb.to_numpy(zero_copy_only=False))
    if geometry_type != "POINT":
        return [list(shapely.to_wkt(found, rounding_precision=-1, output_dimension=3))]
    return [_numbers(values) for values in (shapely.get_x(found), shapely.get_y(found), shapely.get_z(found))[:count]]


def _numbers(values: Any) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]
