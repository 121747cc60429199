"""Texts made alike, and the node of a condition that finds one in another."""

from __future__ import annotations

import sqlite3

import pytest

from graticule.filters.folding import folded, lowered
from graticule.filters.nodes import ColumnRef, Contains, Literal
from graticule.filters.to_sql import POSTGRES, SQLITE, to_sql

TEXTS = [
    ("Århus", "århus", "arhus"),
    ("ČAČAK Đurđevac", "čačak đurđevac", "cacak durdevac"),
    ("ǅakovo DŽ", "ǆakovo dž", "dzakovo dz"),
    ("STRASSE Straße", "strasse straße", "strasse strasse"),
    ("Ελλάς", "ελλάσ", "ελλασ"),
    ("Þórshöfn Æ Œ ø ł", "þórshöfn æ œ ø ł", "thorshofn ae oe o l"),
    ("Diyarbakır", "diyarbakır", "diyarbakir"),
    ("100% _pure_ 'x'", "100% _pure_ 'x'", "100% _pure_ 'x'"),
]


@pytest.mark.parametrize(("text", "lower", "plain"), TEXTS, ids=[ascii(text) for text, _, _ in TEXTS])
def test_alike_in_python_and_in_sqlite(database: sqlite3.Connection, text: str, lower: str, plain: str) -> None:
    assert (lowered(text), folded(text)) == (lower, plain)
    for needle, fold in ((lower, False), (plain, True)):
        condition, values = to_sql(Contains(ColumnRef("name", "text"), Literal(needle, "text"), fold), SQLITE)
        asked = f"SELECT ({condition}) FROM (SELECT ? AS name) t"
        for held, expected in ((f"a {text} b", 1), (text[1:], 0), (None, None)):
            assert database.execute(asked, [*values, held]).fetchone() == (expected,)


def test_other_values_as_their_text() -> None:
    sql, values = to_sql(Contains(ColumnRef("pop", "integer"), Literal("7", "text")), POSTGRES)
    assert sql.startswith('strpos(replace((lower(CAST(t."pop" AS text) COLLATE')
    assert sql.endswith("CAST(%s AS text)) > 0")
    assert values == ["7"]
