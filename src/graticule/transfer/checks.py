"""What can be said of a file before GDAL opens it: that it is all there, and what it claims to be."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING
from xml.parsers import expat

from graticule.errors import BadRequest, NotFound
from graticule.transfer.drivers import sidecar
from graticule.transfer.shapefile import check_records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from graticule.transfer.drivers import Format

SHAPEFILE_CODE = 9994
SHAPEFILE_HEADER = 100
MAX_UNPACKED = 1024**3
# A MapInfo table's own file lists its columns; the longest have some hundred.
MAX_TAB = 1024**2

# What the first bytes of a file must be.
MAGIC = {
    "gpkg": b"SQLite format 3\0",
    "sqlite": b"SQLite format 3\0",
    "mbtiles": b"SQLite format 3\0",
    "fgb": b"fgb\x03fgb",
}


def check(path: Path, row: Format) -> None:
    """Raises NotFound for a file that is not there, BadRequest for one that is not whole or not what its name says."""
    if str(path).startswith("/vsi") or not (path.is_dir() if row.directory else path.is_file()):
        raise NotFound(f"There is no file “{path.name}”.")
    if not row.directory and path.stat().st_size == 0:
        raise BadRequest(f"“{path.name}” is empty.")
    for suffix in row.required:
        if sidecar(path, suffix) is None:
            raise BadRequest(f"“{path.name}” needs the file “{path.stem}{suffix}” beside it, which is missing.")
    _check_magic(path, row)
    if row.name in SPECIAL:
        SPECIAL[row.name](path)
    if row.xml:
        check_xml(path)


def _check_magic(path: Path, row: Format) -> None:
    magic = MAGIC.get(row.name)
    if magic is None:
        return
    with path.open("rb") as file:
        if file.read(len(magic)) != magic:
            raise BadRequest(f"“{path.name}” is not a {row.title} file.")


def check_shapefile(path: Path) -> None:
    """The lengths that the headers and records state (Esri, 1998) against the files' sizes."""
    index = sidecar(path, ".shx")
    for part in (path, index):
        if part is not None:
            _check_shapefile_header(part)
    if index is not None:
        check_records(path, index)
    table = sidecar(path, ".dbf")
    if table is not None:
        check_dbf(table)


def _check_shapefile_header(path: Path) -> None:
    with path.open("rb") as file:
        header = file.read(SHAPEFILE_HEADER)
    if len(header) < SHAPEFILE_HEADER or int.from_bytes(header[:4], "big") != SHAPEFILE_CODE:
        raise BadRequest(f"“{path.name}” is not a part of an ESRI Shapefile.")
    _check_size(path, int.from_bytes(header[24:28], "big") * 2)


def check_dbf(path: Path) -> None:
    """The number and width of rows in the header of a dBASE table against the file's size."""
    with path.open("rb") as file:
        header = file.read(32)
    rows, length, width = (int.from_bytes(header[a:b], "little") for a, b in ((4, 8), (8, 10), (10, 12)))
    if len(header) < 32 or length < 33 or width < 1:
        raise BadRequest(f"“{path.name}” is not a dBASE table.")
    _check_size(path, length + rows * width)


def _check_size(path: Path, stated: int) -> None:
    size = path.stat().st_size
    if size < stated:
        raise BadRequest(f"“{path.name}” is cut off: it has {size:,} bytes of the {stated:,} that its header states.")


def check_sqlite(path: Path) -> None:
    """The number of pages in the header (SQLite file format, 1.3) against the file's size."""
    with path.open("rb") as file:
        header = file.read(100)
    page = int.from_bytes(header[16:18], "big")
    if header[24:28] == header[92:96]:
        _check_size(path, int.from_bytes(header[28:32], "big") * (65536 if page == 1 else page))


def check_zip(path: Path) -> None:
    """A workbook or KMZ: a zip archive that is whole and unpacks to no more than a gigabyte."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise BadRequest(
            f"“{path.name}” is damaged: it is not a whole zip archive, as files of its kind are."
        ) from error
    if unpacked > MAX_UNPACKED:
        raise BadRequest(f"“{path.name}” unpacks to more than {MAX_UNPACKED >> 20:,} MB.")


def check_tab(path: Path) -> None:
    """A MapInfo table with its own data, not one that names other files."""
    if path.stat().st_size > MAX_TAB:
        raise BadRequest(f"“{path.name}” is not a MapInfo table: it is too long for one.")
    text = path.read_bytes()
    if not text.lstrip().lower().startswith(b"!table"):
        raise BadRequest(f"“{path.name}” is not a MapInfo table.")
    if re.search(rb"open\s+table|create\s+view|type\s+linked|seamless|file\s+\"", text, re.IGNORECASE):
        raise BadRequest(f"“{path.name}” only refers to other tables; upload those.")


def check_xml(path: Path) -> None:
    """Well-formed XML without a document type; the first place that is not is named."""
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise BadRequest(f"“{path.name}” declares a document type, which is not allowed here.")

    parser.StartDoctypeDeclHandler = refuse
    try:
        with path.open("rb") as file:
            parser.ParseFile(file)
    except expat.ExpatError as error:
        why = expat.errors.messages[error.code]
        raise BadRequest(f"“{path.name}”, line {error.lineno}: not well-formed XML ({why}).") from error


SPECIAL: dict[str, Callable[[Path], None]] = {
    "shp": check_shapefile,
    "dbf": check_dbf,
    "gpkg": check_sqlite,
    "sqlite": check_sqlite,
    "xlsx": check_zip,
    "ods": check_zip,
    "kmz": check_zip,
    "tab": check_tab,
}
