"""The character encoding of a file: what it says itself, else a guess from its text."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from graticule.errors import BadRequest
from graticule.transfer.drivers import sidecar
from graticule.transfer.guess import guess as guess_page

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE_BYTES = 512 * 1024
CHUNK = 4 * 1024 * 1024

# The language driver identifiers of the dBASE header that name one code page; 0x57 says no more than "ANSI".
LANGUAGE_DRIVERS = {
    0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x08: "cp865", 0x09: "cp437", 0x0A: "cp850", 0x0B: "cp437",
    0x0D: "cp437", 0x0E: "cp850", 0x0F: "cp437", 0x10: "cp850", 0x11: "cp437", 0x12: "cp850", 0x13: "cp932",
    0x14: "cp850", 0x15: "cp437", 0x16: "cp850", 0x17: "cp865", 0x18: "cp437", 0x19: "cp437", 0x1A: "cp850",
    0x1B: "cp437", 0x1C: "cp863", 0x1D: "cp850", 0x1F: "cp852", 0x22: "cp852", 0x23: "cp852", 0x24: "cp860",
    0x25: "cp850", 0x26: "cp866", 0x37: "cp850", 0x40: "cp852", 0x4D: "gb18030", 0x4E: "cp949", 0x4F: "big5",
    0x50: "cp874", 0x58: "cp1252", 0x59: "cp1252", 0x64: "cp852", 0x65: "cp866", 0x66: "cp865", 0x67: "cp861",
    0x6A: "cp737", 0x6B: "cp857", 0x78: "big5", 0x79: "cp949", 0x7A: "gb18030", 0x7B: "cp932", 0x7C: "cp874",
    0x86: "cp737", 0x87: "cp852", 0x88: "cp857", 0xC8: "cp1250", 0xC9: "cp1251", 0xCA: "cp1254", 0xCB: "cp1253",
    0xCC: "cp1257",
}  # fmt: skip

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def known(name: str) -> str | None:
    """Python's name of an encoding as people and .cpg files write it (``ANSI 1250``, ``1252``, ``UTF8``), or None."""
    text = name.strip().strip("\0").lower()
    number = re.fullmatch(r"(?:ansi|oem|windows|cp|ibm)?[ _-]*(\d{3,5})", text)
    iso = re.fullmatch(r"(?:iso[ _-]*)?8859[ _-]*(\d{1,2})", text)
    if iso:
        text = f"iso8859-{iso[1]}"
    elif number:
        text = {"65001": "utf-8", "936": "gb18030", "950": "big5"}.get(number[1], "cp" + number[1])
    try:
        return codecs.lookup(text).name
    except (LookupError, ValueError):
        return None


def stated(name: str) -> str:
    """The same for an encoding that the caller names. Raises BadRequest for an unknown one."""
    found = known(name)
    if found is None:
        raise BadRequest(
            f"The encoding “{name}” is not known.",
            field="encoding",
            value=name,
            expected="a name such as UTF-8 or CP1250",
        )
    return found


def guess(sample: bytes) -> str:
    """The likeliest encoding of some bytes of text: UTF-8 where they are valid in it, else a code page."""
    return "utf-8" if _is_utf8(sample) else guess_page(sample)


def _is_utf8(sample: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def of_text(path: Path) -> str:
    """The encoding of a text file: its byte order mark, UTF-8 where the whole of it is valid, else a guess."""
    with path.open("rb") as file:
        start = file.read(4)
    for mark, name in BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return name
    sample = _first_not_utf8(path)
    if sample is None:
        return "utf-8"
    for candidate in (guess(sample), "cp1252"):
        if decodes(path, candidate):
            return candidate
    return "latin-1"


def _first_not_utf8(path: Path) -> bytes | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                return chunk[:SAMPLE_BYTES] if not chunk[:SAMPLE_BYTES].isascii() else chunk
    return None


def decodes(path: Path, encoding: str) -> bool:
    """Whether every byte of the file means something in that encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def of_dbf(path: Path) -> str:
    """The encoding of a dBASE table: its .cpg, else the header's code page, else a guess from its text values."""
    page = sidecar(path, ".cpg")
    if page is not None:
        named = known(page.read_bytes()[:64].decode("ascii", "replace"))
        if named is not None:
            return named
    sample, language = _dbf_sample(path)
    if not sample:
        return LANGUAGE_DRIVERS.get(language, "utf-8")
    found = guess(sample)
    return found if found == "utf-8" else LANGUAGE_DRIVERS.get(language, found)


def _dbf_sample(path: Path) -> tuple[bytes, int]:
    """The distinct text values that are not plain ASCII, a line each, and the language driver identifier."""
    with path.open("rb") as file:
        header = file.read(32)
        length, width = int.from_bytes(header[8:10], "little"), int.from_bytes(header[10:12], "little")
        fields = file.read(max(length - 32, 0))
        spans = _text_spans(fields)
        names = [fields[at : at + 11].split(b"\0")[0] for at in range(0, len(fields) - 31, 32)]
        values = dict.fromkeys(name for name in names if not name.isascii())
        size = 0
        while width and (rows := file.read(width * max(CHUNK // width, 1))) and size < SAMPLE_BYTES:
            if rows.isascii():
                continue
            for start in range(0, len(rows), width):
                row = rows[start : start + width]
                values.update((part, None) for a, b in spans if not (part := row[a:b].strip(b" \0")).isascii())
            size = sum(map(len, values))
    return b"\n".join(values)[:SAMPLE_BYTES], header[29] if len(header) > 29 else 0


def _text_spans(fields: bytes) -> list[tuple[int, int]]:
    """Where in a row the text fields lie, from the field descriptors (32 bytes each) of the header."""
    spans, at = [], 1
    for start in range(0, len(fields) - 31, 32):
        if fields[start] == 0x0D:
            break
        width = fields[start + 16]
        if fields[start + 11 : start + 12] in b"CM":
            spans.append((at, at + width))
        at += width
    return spans
