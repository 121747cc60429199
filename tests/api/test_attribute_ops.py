"""What the attributes of a layer hold (the contract, section 11)."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from tests.answers import refused
from tests.api_data import TYPED, World, typed_layer
from tests.server import Caller
from tests.sharing import got, new_feature, new_layer, new_map, new_table, share


@pytest.fixture(scope="module")
def typed(shared: Caller) -> tuple[Caller, str]:
    return shared, typed_layer(shared, "every_type")


def test_on_real_places(cities: World, data_dir: Path) -> None:
    path = f"layers/{cities.layers['cities.csv']}/attributeops"
    with (data_dir / "cities.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    countries = sorted({row["country"] for row in rows})
    first, last = (got(cities.caller.get(f"{path}/distinct?column=Country&page={page}")) for page in (1, 3))
    assert {name: first[name] for name in ("type", "total", "page")} == {
        "type": "distinct",
        "total": len(countries),
        "page": 1,
    }
    assert first["data"] == countries[:100]
    assert last["data"] == countries[200:]
    people = [int(row["population"]) for row in rows if row["country"] == "HR"]
    info = got(cities.caller.get(f"{path}/info", params={"f": "population", "where": "country = 'HR'"}))
    assert info == {
        "column": "population",
        "type": "integer",
        "count": len(people),
        "nulls": 0,
        "distinct": len(set(people)),
        "min": min(people),
        "max": max(people),
        "avg": pytest.approx(sum(people) / len(people)),
        "sum": sum(people),
    }


@pytest.mark.parametrize("name", ["t", "n", "i", "r", "b", "d", "m"])
def test_every_type(typed: tuple[Caller, str], name: str) -> None:
    caller, layer = typed
    values = sorted(one["data"][name] for one in TYPED if one["data"][name] is not None)

    def ask(what: str, **params: Any) -> Any:
        return got(caller.get(f"layers/{layer}/attributeops/{what}", params={"column": name} | params))

    assert ask("distinct")["data"] == values
    assert ask("distinct", where="FID = 1")["data"] == [TYPED[0]["data"][name]]
    assert ask("min") == {"column": name, "min": values[0]}
    assert ask("max") == {"column": name, "max": values[-1]}
    info = ask("info")
    assert [info[key] for key in ("count", "nulls", "distinct", "min", "max")] == [3, 1, 2, values[0], values[-1]]
    assert (info["avg"] is not None) == (name in ("n", "i", "r"))
    empty = ask("info", where="FID = 3")
    assert [empty[key] for key in ("count", "nulls", "distinct", "min", "avg", "sum")] == [1, 1, 0, None, None, None]
    assert ask("max", where="FID = 3") == {"column": name, "max": None}


REFUSED = [
    ("distinct", "column"),
    ("distinct?column=nothing", "column"),
    ("info?f=nothing", "column"),
    ("info?attribute=nothing", "column"),
    ("min?column=t&where=x=", "where"),
    ("max?column=", "column"),
    ("distinct?column=t&perpage=0", "perpage"),
]


@pytest.mark.parametrize(("call", "field"), REFUSED, ids=[call for call, _ in REFUSED])
def test_bad_input(typed: tuple[Caller, str], call: str, field: str) -> None:
    refused(typed[0].get(f"layers/{typed[1]}/attributeops/{call}"), 400, field)


def test_who_may(user: Caller, other: Caller, anonymous: Caller) -> None:
    made_map = new_map(user)
    new_table(user)
    layer = new_layer(user, made_map["id"], "places")["id"]
    new_feature(user, layer, name="hidden")
    calls = [f"layers/{layer}/attributeops/{what}?column=name" for what in ("distinct", "info", "min", "max")]
    for call in calls:
        for caller in (other, anonymous):
            refused(caller.get(call), 404)
    share(user, made_map["resource_id"], other.username, "EDIT_MOBILE")
    assert got(other.get(calls[0]))["data"] == ["hidden"]


def test_only_ones_own_features_where_no_others_are_seen(user: Caller, other: Caller) -> None:
    made_map = new_map(user)
    new_table(user)
    layer = new_layer(user, made_map["id"], "places")["id"]
    new_feature(user, layer, name="theirs", size=5)
    share(user, made_map["resource_id"], other.username, "INSERT_MDC")
    new_feature(other, layer, name="mine", size=1)
    assert got(other.get(f"layers/{layer}/attributeops/distinct?column=name"))["data"] == ["mine"]
    assert got(other.get(f"layers/{layer}/attributeops/max?column=size"))["max"] == 1
    assert got(user.get(f"layers/{layer}/attributeops/max?column=size"))["max"] == 5
