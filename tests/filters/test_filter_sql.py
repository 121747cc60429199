"""The SQL text of both dialects, and what SQLite's functions do with odd input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from graticule.filters.check import check
from graticule.filters.parse import parse
from graticule.filters.to_sql import POSTGRES, SQLITE, to_sql
from graticule.model.features import Column

if TYPE_CHECKING:
    import sqlite3

COLUMNS = [
    Column("name", "text"),
    Column("pop", "integer"),
    Column("area", "real"),
    Column("share", "number"),
    Column("active", "boolean"),
    Column("founded", "date"),
    Column("seen", "datetime"),
    Column('5% "net"', "integer"),
]


@pytest.mark.parametrize(
    ("where", "sql", "values"),
    [
        ("name = 'x' AND NOT active", '(t."name" = ?) AND (NOT t."active")', ["x"]),
        ("fid IN (1, 2) OR owner IS NULL", '(t."ogc_fid" IN (?, ?)) OR (t."__owner" IS NULL)', [1, 2]),
        ("created < modified", 't."__created" < t."__modified"', []),
        ("name NOT LIKE 'a%'", 'NOT (g_like(t."name", ?))', ["a%"]),
        ("pop / 2 > area", '(CAST(t."pop" AS REAL) / CAST(? AS REAL)) > t."area"', [2]),
        ("active = 1", 't."active" = ?', [True]),
        ("\"5% \"\"net\"\"\" = 1", 't."5% ""net""" = ?', [1]),
        ("seen > '2024-01-01 02:00+02:00'", 't."seen" > ?', ["2024-01-01T00:00:00.000Z"]),
    ],
)  # fmt: skip
def test_sqlite(where: str, sql: str, values: list[Any]) -> None:
    assert to_sql(check(parse(where), COLUMNS), SQLITE) == (sql, values)


@pytest.mark.parametrize(
    ("where", "sql", "values"),
    [
        ("name = 'x'", 't."name" = CAST(%s AS text)', ["x"]),
        ("name < 'x'", 't."name" COLLATE "C" < CAST(%s AS text)', ["x"]),
        (
            "name BETWEEN 'a' AND 'b'",
            't."name" COLLATE "C" BETWEEN CAST(%s AS text) AND CAST(%s AS text)',
            ["a", "b"],
        ),
        ("name LIKE 'a%'", 't."name" LIKE CAST(%s AS text)', ["a%"]),
        ("length(name) = 2", 'length(t."name") = CAST(%s AS bigint)', [2]),
        ("founded = '2024-01-01'", 't."founded" = CAST(%s AS date)', ["2024-01-01"]),
        ("pop > 0.5", 'CAST(t."pop" AS double precision) > CAST(%s AS double precision)', [0.5]),
        ("share = 1", 'CAST(t."share" AS double precision) = CAST(%s AS double precision)', [1.0]),
        ("pop + pop > 5", '(CAST(t."pop" AS numeric) + CAST(t."pop" AS numeric)) > CAST(%s AS bigint)', [5]),
        (
            "area / share = 1",
            '(t."area" / NULLIF(CAST(t."share" AS double precision), 0)) = CAST(%s AS double precision)',
            [1.0],
        ),
        ("\"5% \"\"net\"\"\" = 1", 't."5%% ""net""" = CAST(%s AS bigint)', [1]),
    ],
)  # fmt: skip
def test_postgres(where: str, sql: str, values: list[Any]) -> None:
    assert to_sql(check(parse(where), COLUMNS), POSTGRES) == (sql, values)


def test_postgres_ilike_folds_both_sides_alike() -> None:
    sql, values = to_sql(check(parse("name ILIKE 'Č%'"), COLUMNS), POSTGRES)
    left, right = sql.split(" LIKE ")
    assert left.replace('t."name"', "CAST(%s AS text)") == right
    assert values == ["Č%"]


def test_no_literal_is_pasted() -> None:
    where = (
        "name IN ('lit1', 'lit2') OR pop + 990 > 991 AND round(area, 9) = 992.5 "
        "OR name LIKE 'lit3' OR founded = '1993-01-01'"
    )
    for dialect in (SQLITE, POSTGRES):
        sql, values = to_sql(check(parse(where), COLUMNS), dialect)
        assert "lit" not in sql
        assert "99" not in sql
        assert len(values) == 8


def test_alias() -> None:
    assert to_sql(check(parse("pop = 1"), COLUMNS), SQLITE, alias="f") == ('f."pop" = ?', [1])


@pytest.mark.parametrize(
    ("call", "arguments", "answer"),
    [
        ("g_like(?, ?)", (None, "a"), None),
        ("g_like(?, ?)", ("a", None), None),
        ("g_like(?, ?)", (b"a", "a"), None),
        ("g_like(?, ?)", ("a\\", "a\\"), 1),
        ("g_like(?, ?)", ("line\nbreak", "line%k"), 1),
        ("g_like(?, ?)", ("a.c[", "a.c["), 1),
        ("g_like(?, ?)", ("abc", "a.c"), 0),
        ("g_like(?, ?)", ("abab", "%ab"), 1),
        ("g_like(?, ?)", ("ab", "ab%ab"), 0),
        ("g_like(?, ?)", ("xayaz", "%_a%_a_"), 1),
        ("g_ilike(?, ?)", (5, "5"), None),
        ("g_lower(?)", (None,), None),
        ("g_lower(?)", ("ŠÉΣ",), "šéς"),
        ("g_upper(?)", ("ßñ",), "SSÑ"),
        ("g_upper(?)", (1.5,), None),
        ("g_abs(?)", ("x",), None),
        ("g_abs(?)", (-(2**63),), 2.0**63),
        ("g_round(?)", (float("inf"),), float("inf")),
        ("g_round(?)", (2.5,), 3.0),
        ("g_round(?)", (-0.5,), -1.0),
        ("g_round(?, ?)", (1e308, -308), 1e308),
        ("g_round(?, ?)", (5e-324, 30), 0.0),
        ("g_round(?, ?)", (2**63 - 1, -1), float(2**63)),
        ("g_round(?, ?)", (1.5, None), None),
        ("g_round(?, ?)", ("x", 1), None),
    ],
)
def test_functions(call: str, arguments: tuple[Any, ...], answer: Any, database: sqlite3.Connection) -> None:
    assert database.execute(f"SELECT {call}", arguments).fetchone()[0] == answer


def test_a_pattern_of_many_wildcards_does_not_explode(database: sqlite3.Connection) -> None:
    found = database.execute("SELECT g_like(?, ?)", ("a" * 5000, "%a" * 200 + "%b%")).fetchone()[0]
    assert found == 0
