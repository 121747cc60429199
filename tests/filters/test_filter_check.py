"""Names, order_by, and depth against SQLite's own limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from graticule.errors import BadRequest
from graticule.filters.check import check
from graticule.filters.nodes import ColumnRef, Compare, Literal, Pseudo
from graticule.filters.order import check_order
from graticule.filters.parse import parse
from graticule.model.features import Column, Order

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS = [Column("Name", "text"), Column("x", "integer"), Column("X", "integer"), Column("Straße", "text")]
OWNED = [Column("owner", "text"), Column("FID", "text"), Column("at:10", "real")]


@pytest.mark.parametrize(
    ("written", "meant"), [("Name", "Name"), ("NAME", "Name"), ("x", "x"), ("X", "X"), ("STRASSE", "Straße")]
)
def test_a_name_is_exact_or_the_only_one_regardless_of_case(written: str, meant: str) -> None:
    node = check(parse(f"{written} = 'x'" if meant in ("Name", "Straße") else f"{written} = 1"), COLUMNS)
    assert isinstance(node, Compare)
    assert isinstance(node.left, ColumnRef)
    assert node.left.name == meant


def test_an_ambiguous_name_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"'pOp' \(character 1\) is ambiguous: Pop, POP fit"):
        check(parse("pOp = 1"), [Column("Pop", "integer"), Column("POP", "integer")])


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(BadRequest) as caught:
        check(parse("nope = 1"), COLUMNS, field="expression")
    assert caught.value.field == "expression"
    assert caught.value.value == "nope"
    assert caught.value.expected == "one of Name, x, X, Straße, FID, OWNER, CREATED, MODIFIED"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("owner = 'x'", ColumnRef("owner", "text")),
        ("OWNER = 1", Pseudo("OWNER")),
        ("Owner = 'x'", ColumnRef("owner", "text")),
        ("FID = 'x'", ColumnRef("FID", "text")),
        ("fid = 'x'", ColumnRef("FID", "text")),
        ("created = 1", Pseudo("CREATED")),
    ],
)
def test_a_column_comes_before_a_pseudo_column_written_the_same(text: str, left: ColumnRef | Pseudo) -> None:
    node = check(parse(text), OWNED)
    assert isinstance(node, Compare)
    assert node.left == left


def test_literals_take_the_kind_of_the_column() -> None:
    assert check(parse("Name = 2.50"), COLUMNS) == Compare("=", ColumnRef("Name", "text"), Literal("2.5", "text"))
    assert check(parse("x = '7.0'"), COLUMNS) == Compare("=", ColumnRef("x", "integer"), Literal(7, "integer"))


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("", ()),
        ("name", (Order("Name"),)),
        ("name:asc, x:DESC ,created : desc,", (Order("Name"), Order("x", True), Order("CREATED", True))),
        ("Fid,OWNER:desc,modified", (Order("FID"), Order("OWNER", True), Order("MODIFIED"))),
    ],
)
def test_order(text: str, order: tuple[Order, ...]) -> None:
    assert check_order(text, COLUMNS) == order


def test_order_by_a_name_with_a_colon() -> None:
    assert check_order("at:10,at:10:desc", OWNED) == (Order("at:10"), Order("at:10", True))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nope", "known ones are Name, x, X, Straße, FID, OWNER, CREATED, MODIFIED"),
        ("name:up", "'up' is not a direction"),
        ("name desc", "no column 'name desc'"),
        (":asc", "no column ''"),
        ("name;drop", "no column 'name;drop'"),
        (",".join(["name"] * 21), "21 terms"),
    ],
)
def test_order_refused(text: str, problem: str) -> None:
    with pytest.raises(BadRequest, match=problem) as caught:
        check_order(text, COLUMNS)
    assert caught.value.field == "order_by"


# One level of nesting, what is nested, and where it is put.
FORMS = [
    ("active OR active AND ({})", "active", "{}"),
    ("NOT ({})", "active", "{}"),
    ("active OR NOT ({})", "active", "{}"),
    ("active = ({})", "active", "{}"),
    ("({}) IS NULL", "active", "{}"),
    ("active NOT IN (active, active, ({}))", "active", "{}"),
    ("active NOT BETWEEN active AND ({})", "active", "{}"),
    ("pop + share * ({})", "pop", "{} = 1"),
    ("pop / ({})", "pop", "{} = 1"),
    ("-({})", "pop", "{} = 1"),
    ("round(pop * {}, 2)", "pop", "{} = 1"),
    ("coalesce(pop, area, pop + {})", "area", "{} = 1"),
    ("lower(coalesce(name, {}))", "name", "active AND {} NOT LIKE 'x'"),
]


@pytest.mark.parametrize(("level", "innermost", "frame"), FORMS)
def test_nesting_is_refused_before_sqlite_fails(
    level: str, innermost: str, frame: str, select: Callable[[str], list[int]]
) -> None:
    nested = innermost
    with pytest.raises(BadRequest, match="nested too deeply"):
        for _ in range(40):
            select(frame.replace("{}", nested))
            nested = level.replace("{}", nested)
    assert len(nested) > 2 * len(level)


def test_long_chains_run(select: Callable[[str], list[int]]) -> None:
    assert select("OR ".join(f"fid={n} " for n in range(8, 1700))) == [8, 9, 10]
    assert select(" AND ".join(["fid>8"] * 2000)) == [9, 10]
    assert select(f"fid IN ({','.join(str(n % 3) for n in range(9000))})") == [1, 2]
    assert select("fid " + "+ fid " * 97 + "= 196") == [2]
    assert select("2" + "/ 1" * 40 + "+ fid " * 50 + "= 102") == [2]
