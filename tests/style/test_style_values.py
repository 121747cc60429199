"""Single values of styles: every accepted form, and the refused ones."""

from __future__ import annotations

from typing import Any

import pytest

from graticule.style import values


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("255,0,10", (255, 0, 10)),
        (" 1 , 2 , 3 ", (1, 2, 3)),
        ("#ff8000", (255, 128, 0)),
        ("#FF8000", (255, 128, 0)),
    ],
)
def test_colours(value: str, expected: tuple[int, int, int]) -> None:
    assert values.colour(value) == expected


@pytest.mark.parametrize(
    "value", ["256,0,0", "1,2", "1,2,3,4", "red", "#ff", "-1,0,0", "١,٢,٣", 5, [1, 2, 3], True, {}]
)
def test_what_is_no_colour(value: Any) -> None:
    with pytest.raises(ValueError, match="r,g,b"):
        values.colour(value)


@pytest.mark.parametrize(("value", "expected"), [(3, 3.0), (2.5, 2.5), ("2.5", 2.5), (" 4 ", 4.0), ("0", 0.0)])
def test_numbers(value: Any, expected: float) -> None:
    assert values.number(0, 10)(value) == expected


@pytest.mark.parametrize("value", ["x", "", "nan", "inf", -1, 11, 10**400, True, None, [], "1,5"])
def test_what_is_no_number(value: Any) -> None:
    with pytest.raises(ValueError, match="from 0 to 10"):
        values.number(0, 10)(value)


@pytest.mark.parametrize("value", [True, "t", "T", "true", "1", 1])
def test_true(value: Any) -> None:
    assert values.boolean(value) is True


@pytest.mark.parametrize("value", [False, "f", "false", "0", 0])
def test_false(value: Any) -> None:
    assert values.boolean(value) is False


@pytest.mark.parametrize("value", ["yes", 2, None, []])
def test_what_is_no_boolean(value: Any) -> None:
    with pytest.raises(ValueError, match='"t" or "f"'):
        values.boolean(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("4,2", (4.0, 2.0)), ("4, 2, 1,2", (4.0, 2.0, 1.0, 2.0)), ("5", (5.0, 5.0)), ("1,2,3", (1.0, 2.0, 3.0) * 2)],
)
def test_dashes(value: str, expected: tuple[float, ...]) -> None:
    assert values.dashes(value) == expected


@pytest.mark.parametrize("value", ["", "0,0", "a,b", "1,-2", "1," * 20 + "1", 5, None])
def test_what_are_no_dashes(value: Any) -> None:
    with pytest.raises(ValueError, match="lengths"):
        values.dashes(value)


@pytest.mark.parametrize("value", [5, None, "\ud800"])
def test_what_is_no_text(value: Any) -> None:
    with pytest.raises(ValueError, match="text"):
        values.text(value)


def test_anchors() -> None:
    assert values.anchor(" br ") == "BR"
    with pytest.raises(ValueError, match="BR B BL"):
        values.anchor("X")
