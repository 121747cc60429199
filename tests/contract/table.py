"""The whole table."""

from __future__ import annotations

from tests.contract.case import Case
from tests.contract.rows import conventions, features, layers, maps, people, queries, sharing, tables

CASES: tuple[Case, ...] = (
    *maps.CASES,
    *layers.CASES,
    *features.CASES,
    *tables.CASES,
    *queries.CASES,
    *people.CASES,
    *sharing.CASES,
    *conventions.CASES,
)
