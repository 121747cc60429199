"""The ``Range`` header of a request, for a single range of bytes (RFC 9110, section 14.1.2)."""

from __future__ import annotations

import re

from graticule.errors import GraticuleError

_SINGLE = re.compile(r"\s*bytes\s*=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.ASCII | re.IGNORECASE)


class RangeNotSatisfiable(GraticuleError):
    """The range begins behind the end of the file; ``size`` is the file's size in bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"The file has {size} bytes; the range asked for is not among them.", field="Range")
        self.size = size


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The first byte and the one **after** the last, for a file of ``size`` bytes; None for the whole file.

    Several ranges, other units and what is no range at all are answered with the whole file, as the RFC allows.
    Raises ``RangeNotSatisfiable``.
    """
    found = _SINGLE.fullmatch(header or "")
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return _suffix(int(last), size)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise RangeNotSatisfiable(size)
    return int(first), min(int(last) + 1, size) if last else size


def _suffix(length: int, size: int) -> tuple[int, int] | None:
    if length == 0:
        raise RangeNotSatisfiable(size)
    return (max(size - length, 0), size) if size else None
