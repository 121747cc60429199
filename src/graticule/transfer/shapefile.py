"""The records of a shapefile, where GDAL gives a feature without geometry for one that is damaged, and says nothing.

Format: Esri Shapefile Technical Description, 1998.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from graticule.errors import BadRequest

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

HEADER = 100
# Before the content of a record: its number and its length.
RECORD_HEADER = 8
# In the content of a line or polygon: type, box, number of parts, number of points, then parts and points.
PARTS_AT, POINTS_AT, LISTS_AT = 36, 40, 44
PART_BYTES, POINT_BYTES = 4, 16
WITH_PARTS = (3, 5, 13, 15, 23, 25, 31)


def check_records(path: Path, index: Path) -> None:
    """Raises BadRequest for the first record that lies outside the file, or states more than can be in it."""
    entries = np.fromfile(index, ">i4", offset=HEADER)
    starts = entries[: len(entries) // 2 * 2 : 2].astype(np.int64) * 2
    data = np.memmap(path, np.uint8, mode="r")
    # Some programs write nothing but an empty entry for a feature without geometry.
    features = np.flatnonzero(starts)
    contents = starts[features] + RECORD_HEADER
    damaged = (starts[features] < HEADER) | (contents + 4 > len(data))
    inside, at = features[~damaged], contents[~damaged]
    wrong = np.concatenate([features[damaged], inside[_overflows(data, at)]])
    if len(wrong):
        raise BadRequest(f"“{path.name}”, feature {wrong.min() + 1} is damaged: the file ends before it does.")


def _overflows(data: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the lists of parts and points of the contents ``at`` these places would go beyond the end."""
    wrong = np.zeros(len(at), np.bool_)
    listed = np.flatnonzero(np.isin(_integers(data, at), WITH_PARTS))
    cut = at[listed] + LISTS_AT > len(data)
    wrong[listed[cut]] = True
    whole = listed[~cut]
    parts, points = (_integers(data, at[whole] + offset) for offset in (PARTS_AT, POINTS_AT))
    ends = at[whole] + LISTS_AT + parts * PART_BYTES + points * POINT_BYTES
    wrong[whole] = (parts < 0) | (points < 0) | (ends > len(data))
    return wrong


def _integers(data: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """The little-endian integers of four bytes at these places."""
    found: NDArray[np.int64] = data[at[:, None] + np.arange(4)].view("<i4")[:, 0].astype(np.int64)
    return found
