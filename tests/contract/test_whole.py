"""The table is whole: it is counted against the text of the description, and against the routes."""

from __future__ import annotations

import pytest

from tests.contract.sections import SECTIONS, Told
from tests.contract.table import CASES

# What is beyond the description may be tried under any name.
NAMED = {section.name for section in SECTIONS}


def test_every_parameter_is_tried(told: dict[str, Told]) -> None:
    tried = {(case.section, name) for case in CASES for name in case.covers.split()}
    wanted = {(section, name) for section, has in told.items() for name in has.parameters}
    assert wanted - tried == set()


def test_no_case_tries_what_is_not_there(told: dict[str, Told]) -> None:
    tried = {(case.section, name) for case in CASES for name in case.covers.split()}
    wanted = {(section, name) for section, has in told.items() for name in has.parameters}
    assert tried - wanted == set()


def test_every_status_is_answered(told: dict[str, Told]) -> None:
    answered = {(case.section, case.status) for case in CASES}
    wanted = {(section, status) for section, has in told.items() for status in has.statuses}
    assert wanted - answered == set()


def test_names_are_unique() -> None:
    assert len({section.name for section in SECTIONS}) == len(SECTIONS)


@pytest.mark.parametrize("name", sorted(NAMED - {"every call"}))
def test_every_call_succeeds_somewhere(name: str) -> None:
    """A section with nothing but refusals would say nothing of what it is for."""
    assert any(case.section == name and case.status < 400 for case in CASES)
