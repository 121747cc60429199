"""Nodes, positions and limits of the parser."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from graticule.errors import BadRequest
from graticule.filters import parse as parsing
from graticule.filters.check import check
from graticule.filters.nodes import (
    And,
    Arithmetic,
    Between,
    Call,
    ColumnRef,
    Compare,
    In,
    IsNull,
    Like,
    Literal,
    Node,
    Not,
    Or,
    columns_of,
)
from graticule.filters.parse import parse
from graticule.filters.to_sql import POSTGRES, SQLITE, to_sql
from graticule.model.features import Column

if TYPE_CHECKING:
    import sqlite3

A, B = ColumnRef("a"), ColumnRef("b")
ONE, TWO = Literal(1, "integer"), Literal(2, "integer")
A1, B2 = Compare("=", A, ONE), Compare("=", B, TWO)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("a = 1", A1),
        ("a != 1.5e2", Compare("<>", A, Literal(150.0, "real"))),
        ("a = 1 AND b = 2 OR a = 1", Or((And((A1, B2)), A1))),
        ("a = 1 and (b = 2 AnD a = 1)", And((A1, B2, A1))),
        ("NOT a = 1 AND b = 2", And((Not(A1), B2))),
        ("a NOT IN (1, 2)", In(A, (ONE, TWO), negated=True)),
        ("a BETWEEN 1 AND 2 AND b = 2", And((Between(A, ONE, TWO), B2))),
        ("a NOT ILIKE 'it''s'", Like(A, Literal("it's", "text"), ilike=True, negated=True)),
        ("a IS NOT NULL", IsNull(A, negated=True)),
        ("a + 1 * 2", Arithmetic("+", A, Arithmetic("*", ONE, TWO))),
        ("a - 1 - 2", Arithmetic("-", Arithmetic("-", A, ONE), TWO)),
        ("-a * 2", Arithmetic("*", Arithmetic("-", Literal(0, "integer"), A), TWO)),
        ("-9223372036854775808", Literal(-(2**63), "integer")),
        ("Coalesce(\"a\", TRUE, null)", Call("coalesce", (A, Literal(True, "boolean"), Literal(None, None)))),
        ('"x ""y"""', ColumnRef('x "y"')),
        ("नाम = __1", Compare("=", ColumnRef("नाम"), ColumnRef("__1"))),
    ],
)  # fmt: skip
def test_nodes(text: str, node: Node) -> None:
    assert parse(text) == node


def test_positions_count_characters_from_one() -> None:
    node = parse("čž = 1 OR b IS NULL")
    assert isinstance(node, Or)
    assert [node.at, *(operand.at for operand in node.operands)] == [8, 4, 13]


def test_an_error_tells_field_value_position_and_what_is_expected() -> None:
    with pytest.raises(BadRequest) as caught:
        parse("a = 1 AND", field="expression")
    error = caught.value
    assert (error.field, error.value) == ("expression", "a = 1 AND")
    assert "character 10" in error.message
    assert error.expected == "a column, a value, a function or '('"


def test_columns_of_a_node() -> None:
    assert columns_of(parse("a = 1 AND lower(b) IN (c, 'x') OR NOT d BETWEEN e AND -f + coalesce(a, 2)")) == set(
        "abcdef"
    )


def nested(before: str, after: str, count: int) -> str:
    return before * count + "a = 1" + after * count


@pytest.mark.parametrize(
    ("within", "beyond", "problem"),
    [
        ("a = 1" + " " * (parsing.MAX_LENGTH - 5), "a = 1" + " " * (parsing.MAX_LENGTH - 4), "20001 characters"),
        (nested("(", ")", parsing.MAX_NESTING), nested("(", ")", parsing.MAX_NESTING + 1), "nested too deeply"),
        (nested("NOT ", "", parsing.MAX_NESTING), nested("NOT ", "", parsing.MAX_NESTING + 1), "nested too deeply"),
        ("a = " + "+".join("a" * 99), "a = " + "+".join("a" * 100), "too complicated"),
        ("a = " + "9" * 400, "a = " + "9" * 401, "too many digits"),
        (f"coalesce({','.join('a' * 100)})", f"coalesce({','.join('a' * 101)})", "list is too long"),
    ],
)
def test_limits(within: str, beyond: str, problem: str) -> None:
    parse(within)
    with pytest.raises(BadRequest, match=problem):
        parse(beyond)


def test_an_in_list_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "MAX_IN_ITEMS", 3)
    parse("a IN (1, 2, 3)")
    with pytest.raises(BadRequest, match="list is too long"):
        parse("a IN (1, 2, 3, 4)")


@pytest.mark.parametrize("text", ["(" * 20_000, "NOT " * 5_000, "- " * 10_000, "a+" * 9_999 + "a", "abs(" * 5_000])
def test_absurd_depth_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        parse(text)


SOUP = r"""
a b c d e fid OWNER x "a" "" 'x' 'it''s' '' ' TRUE FALSE NULL 1 2.5 -3 1e5 9223372036854775808 1e308 '20' '2020-01-01'
'%a\' = <> != < <= > >= == AND OR NOT IN BETWEEN LIKE ILIKE IS + - * / ( ) ( ) , ; . lower( upper( length( abs( round(
coalesce( exec( % _ \ " č ° 😀 -- /* SELECT || : ?
"""
WORDS = [*SOUP.split(), "\x00", "\ud800", "\u00a0"]
COLUMNS = [
    Column("a", "integer"),
    Column("b", "text"),
    Column("c", "boolean"),
    Column("d", "date"),
    Column("e", "number"),
]


def compile_both(text: str) -> None:
    node = check(parse(text), COLUMNS)
    for dialect in (SQLITE, POSTGRES):
        to_sql(node, dialect)


@pytest.mark.parametrize("seed", range(10))
def test_token_soup_is_refused_or_understood(seed: int) -> None:
    chance = random.Random(seed)
    refused = 0
    for _ in range(400):
        text = chance.choice(["", " "]).join(chance.choices(WORDS, k=chance.randrange(1, 12)))
        try:
            compile_both(text)
        except BadRequest as error:
            assert error.message.endswith(".")
            refused += 1
    assert refused


def grown(chance: random.Random, depth: int) -> str:
    """Something that is grammatical, and mostly of the right kinds."""
    if depth == 0:
        return chance.choice(
            ["c", "a = 1", "b LIKE 'x%'", "d > '2020-01-01'", "e IS NULL", "a IN (1, 2.5, NULL)", "FALSE"]
        )
    one, two = grown(chance, depth - 1), grown(chance, depth - 1)
    number = chance.choice(["a", "-e", "a / 2", "round(e, 1)", "coalesce(a, e)", "length(lower(b))", "fid * a - 7"])
    forms = [
        f"({one}) AND {two}", f"{one} OR {two}", f"NOT ({one})", f"({one}) IS NOT NULL", f"({one}) = ({two})",
        f"{number} + {number} * ({number}) < {number}", f"{number} BETWEEN 0 AND {number}", f"coalesce({one}, ({two}))",
    ]  # fmt: skip
    return chance.choice(forms)


@pytest.mark.parametrize("seed", range(10))
def test_what_is_accepted_runs(seed: int, database: sqlite3.Connection) -> None:
    empty = (
        "WITH t AS (SELECT 1 AS a, 'x' AS b, 1 AS c, '2020-01-01' AS d, 2.5 AS e, 3 AS ogc_fid) SELECT 1 FROM t WHERE "
    )
    chance = random.Random(seed)
    run = 0
    for _ in range(100):
        text = grown(chance, chance.randrange(6))
        try:
            condition, values = to_sql(check(parse(text), COLUMNS), SQLITE)
        except BadRequest:
            continue
        database.execute(empty + condition, values).fetchall()
        run += 1
    assert run > 50
