"""The Range header."""

from __future__ import annotations

import pytest

from graticule.storage.ranges import RangeNotSatisfiable, parse_range


@pytest.mark.parametrize(
    ("header", "size", "range_"),
    [
        ("bytes=0-0", 10, (0, 1)),
        ("bytes=0-9", 10, (0, 10)),
        ("bytes=2-5", 10, (2, 6)),
        ("bytes=2-99", 10, (2, 10)),
        ("bytes=9-", 10, (9, 10)),
        ("bytes=0-", 10, (0, 10)),
        ("bytes=-3", 10, (7, 10)),
        ("bytes=-30", 10, (0, 10)),
        (" Bytes = 2-5 ", 10, (2, 6)),
        (None, 10, None),
        ("", 10, None),
        ("bytes=-", 10, None),
        ("bytes=5-2", 10, None),
        ("bytes=0-1,4-5", 10, None),
        ("bytes=a-b", 10, None),
        ("bytes=٠-٩", 10, None),
        ("bytes=+1-2", 10, None),
        ("bytes=1--2", 10, None),
        ("rows=0-1", 10, None),
        ("bytes=" + "9" * 5000 + "-", 10, None),
        ("bytes=-5", 0, None),
    ],
)
def test_a_range_is_first_byte_and_the_one_after_the_last(
    header: str | None, size: int, range_: tuple[int, int] | None
) -> None:
    assert parse_range(header, size) == range_


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=10-20", 10), ("bytes=-0", 10), ("bytes=0-", 0)]
)
def test_a_range_behind_the_end_is_not_satisfiable(header: str, size: int) -> None:
    with pytest.raises(RangeNotSatisfiable) as caught:
        parse_range(header, size)
    assert caught.value.size == size
