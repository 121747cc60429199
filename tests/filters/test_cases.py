"""The table of cases, by SQLite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from graticule.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = json.loads((Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))["cases"]
ANSWERED = [case for case in CASES if "ids" in case]
REFUSED = [case for case in CASES if "error" in case]


@pytest.mark.parametrize("case", ANSWERED, ids=lambda case: ascii(case["where"]))
def test_answer(case: dict[str, Any], select: Callable[[str], list[int]]) -> None:
    assert select(case["where"]) == case["ids"]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: ascii(case["where"])[:60])
def test_refusal(case: dict[str, Any], select: Callable[[str], list[int]]) -> None:
    with pytest.raises(BadRequest) as caught:
        select(case["where"])
    assert case["error"] in caught.value.message
    assert caught.value.field == "where"
