"""The table of cases, by PostgreSQL, in a table of the store's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests import postgres

from graticule.filters.check import check
from graticule.filters.parse import parse
from graticule.model.features import Column, Query, Table
from graticule.stores.pg_query import quoted
from graticule.stores.postgis import PostgisStore

CASES: dict[str, Any] = json.loads((Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))
ANSWERED = [case for case in CASES["cases"] if "ids" in case]
ACCOUNT = 1

Select = Callable[[str], list[int]]


@pytest.fixture(scope="module")
def table(columns: tuple[Column, ...]) -> Table:
    return Table("places", columns)


@pytest.fixture(scope="module")
def store(table: Table, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgisStore]:
    url = postgres.database_of(tmp_path_factory.mktemp("cases"))
    store = PostgisStore(url)
    store.create(ACCOUNT, table)
    names = ", ".join(map(quoted, CASES["fields"]))
    marks = ", ".join(["%s"] * len(CASES["fields"]))
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO usrsch{ACCOUNT}.places ({names}) VALUES ({marks})", CASES["rows"])
    yield store
    store.close()


@pytest.fixture(scope="module")
def select_in_postgres(store: PostgisStore, table: Table) -> Select:
    """The ids of the rows for which a condition holds; as a class of a drawing too, where it has to agree."""

    def ids(where: str) -> list[int]:
        node = check(parse(where), table.columns)
        hit = [int(row) for batch in store.read(ACCOUNT, table, Query(where=node)) for row in batch.ids]
        classed = Query(columns=(), classes=(node,))
        agree = [
            int(row)
            for batch in store.read(ACCOUNT, table, classed)
            for row, found in zip(batch.ids, batch.columns["__class"], strict=True)
            if found == 0
        ]
        assert hit == agree
        assert store.count(ACCOUNT, table, Query(where=node)) == len(hit)
        return hit

    return ids


@pytest.mark.parametrize("case", ANSWERED, ids=lambda case: ascii(case["where"]))
def test_answer(case: dict[str, Any], select_in_postgres: Select) -> None:
    assert select_in_postgres(case["where"]) == case["ids"]


def test_long_chains_run(select_in_postgres: Select) -> None:
    select = select_in_postgres
    assert select("OR ".join(f"fid={n} " for n in range(8, 1700))) == [8, 9, 10]
    assert select(" AND ".join(["fid>8"] * 2000)) == [9, 10]
    assert select(f"fid IN ({','.join(str(n % 3) for n in range(9000))})") == [1, 2]
    assert select("fid " + "+ fid " * 97 + "= 196") == [2]
    assert select("2" + "/ 1" * 40 + "+ fid " * 50 + "= 102") == [2]


def test_a_pattern_of_many_wildcards_does_not_explode(select_in_postgres: Select) -> None:
    assert select_in_postgres(f"name LIKE '{'%a' * 200}%b%'") == []
