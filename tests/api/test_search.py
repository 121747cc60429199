"""Search over many layers (the contract, section 6), on real places."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyproj import Geod
from tests.answers import refused
from tests.api_data import World, table_layer
from tests.server import Caller, Server
from tests.sharing import got, made, new_feature, new_layer, new_map, new_table, share

GEOD = Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def rows(data_dir: Path) -> list[dict[str, str]]:
    """The places as the file has them."""
    with (data_dir / "cities.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def small(server: Server) -> Iterator[tuple[Caller, str, str]]:
    """A caller with two layers: towns with special letters, and things of other kinds."""
    with server.new_user() as caller:
        towns = table_layer(caller, "towns", "POINT", {"Name": "text", "note": "text", "inhabitants": "integer"})
        sent = [("Čačak", "river", 73000), ("ĐURĐEVAC", "in Cacao land", 8000), ("Århus", None, 285000)]
        sent += [("100% _pure_", "a'b\\c", 0), ("Łódź", "Straße", 670000), ("ǅakovo", "Ελλάς", 28000)]
        for number, (name, note, inhabitants) in enumerate(sent):
            data = {"Name": name, "note": note, "inhabitants": inhabitants}
            made(caller.post(f"layers/{towns}/features", json={"data": data, "geometry": f"POINT ({number} 1)"}))
        made(caller.post(f"layers/{towns}/features", json={"data": {"Name": "Nowhere"}, "geometry": None}))
        lines = table_layer(caller, "lines", "LINESTRING", {"label": "text", "built": "date", "open": "boolean"}, 3857)
        data = {"label": "road to Čačak", "built": "1973-05-06", "open": True}
        sent_line = {"data": data, "geometry": "LINESTRING (0 0, 1000000 0)"}
        made(caller.post(f"layers/{lines}/features", json=sent_line))
        yield caller, towns, lines


def find(caller: Caller, query: str, **params: Any) -> dict[str, Any]:
    return dict(got(caller.get("search", params={"query": query} | params)))


def results(caller: Caller, query: str, **params: Any) -> list[str]:
    return [one["result"] for one in find(caller, query, **params)["data"]]


def test_as_the_description_asks(cities: World) -> None:
    layer = cities.layers["cities.csv"]
    query = f"query=New York&fields={layer}~name,country~&perpage=10&x=0&y=0"
    found = got(cities.caller.get(f"search.json?{query}"))
    assert (found["type"], found["total"], found["page"]) == ("search", 3, 1)
    assert [one["result"] for one in found["data"]] == ["New York City", "East New York", "West New York"]
    first = found["data"][0]
    assert (first["layerId"], first["__match"], first["data"]["geonameid"]) == (int(layer), "name", 5128581)
    assert (first["__xmin"], first["__ymax"]) == (-74.00597, 40.71427)
    assert "meta" not in found


def test_all_that_match_are_counted_and_paged(cities: World, rows: list[dict[str, str]]) -> None:
    fields = f"{cities.layers['cities.csv']}~name~population:DESC"
    expected = sorted((row for row in rows if "san" in row["name"].lower()), key=lambda row: -int(row["population"]))
    pages = [find(cities.caller, "SAN", fields=fields, perpage=400, page=page) for page in (1, 2, 3, 4)]
    assert {page["total"] for page in pages} == {len(expected)}
    found = [one["data"] for page in pages for one in page["data"]]
    assert [one["population"] for one in found] == [int(row["population"]) for row in expected]
    assert sorted(one["geonameid"] for one in found) == sorted(int(row["geonameid"]) for row in expected)
    assert "total" not in find(cities.caller, "SAN", fields=fields, nototal="")


def test_the_nearest_first(cities: World, rows: list[dict[str, str]]) -> None:
    def away(row: dict[str, str]) -> float:
        return float(GEOD.inv(-122, 37, float(row["longitude"]), float(row["latitude"]))[2])

    expected = sorted((row for row in rows if "san" in row["name"].lower()), key=away)
    for fields in ("name~---", "name~", "name"):
        asked = {"fields": f"{cities.layers['cities.csv']}~{fields}", "x": -122, "y": 37}
        first, second = (find(cities.caller, "san", perpage=30, page=page, **asked) for page in (1, 2))
        found = [one["data"]["geonameid"] for one in first["data"] + second["data"]]
        assert found == [int(row["geonameid"]) for row in expected[:60]]
        assert first["total"] == len(expected)
    mercator = {"x": -13580977, "y": 4439107, "srid": 3857, "fields": f"{cities.layers['cities.csv']}~name"}
    nearest = find(cities.caller, "san", perpage=1, **mercator)["data"][0]
    assert nearest["data"]["geonameid"] == int(expected[0]["geonameid"])
    assert nearest["__xmin"] < -1_000_000


def test_accents_do_not_count_when_asked(cities: World, rows: list[dict[str, str]]) -> None:
    def plain(name: str) -> str:
        return unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()

    fields = f"{cities.layers['cities.csv']}~name"
    expected = {row["name"] for row in rows if "sao" in plain(row["name"])}
    found = results(cities.caller, "sao", fields=fields, perpage=1000, replace_special_chars="true")
    assert len(expected) > 50
    assert set(found) == expected
    assert "São Paulo" not in results(cities.caller, "sao p", fields=fields)


FOLDED = [
    ("cacak", True, ["Čačak", "road to Čačak"]),
    ("cacak", False, []),
    ("ČAČAK", False, ["Čačak", "road to Čačak"]),
    ("ČAČAK", True, ["Čačak", "road to Čačak"]),
    ("durdevac", True, ["ĐURĐEVAC"]),
    ("đurđ", False, ["ĐURĐEVAC"]),
    ("arhus", True, ["Århus"]),
    ("lodz", True, ["Łódź"]),
    ("strasse", True, ["Straße"]),
    ("dzak", True, ["ǅakovo"]),
    ("ελλασ", True, ["Ελλάς"]),
    ("ΕΛΛΆΣ", False, ["Ελλάς"]),
    ("100%", False, ["100% _pure_"]),
    ("0%  _p", False, ["100% _pure_"]),
    ("_", False, ["100% _pure_"]),
    ("'b\\", False, ["a'b\\c"]),
    ("nowhere", False, ["Nowhere"]),
]


@pytest.mark.parametrize(("query", "plain", "expected"), FOLDED, ids=[f"{case[0]}-{case[1]}" for case in FOLDED])
def test_without_fields_ones_own_layers(
    small: tuple[Caller, str, str], query: str, plain: bool, expected: list[str]
) -> None:
    found = find(small[0], query, replace_special_chars=plain)
    assert [one["result"] for one in found["data"]] == expected
    assert found["total"] == len(expected)


COLUMNS = [
    ("73000", "{towns}~*", [("inhabitants", "73000")]),
    ("73000", "{towns}~name", []),
    ("c", "{towns}~note,NAME~name:DESC", [("note", "in Cacao land"), ("note", "a'b\\c")]),
    ("1973-05", "{lines}~*", [("built", "1973-05-06")]),
    ("cac", "{towns}~note;{lines}~label", [("note", "in Cacao land")]),
    ("ča", "{lines}~label;{towns}~Name", [("label", "road to Čačak"), ("Name", "Čačak")]),
    ("ča", "{towns};{lines};", [("Name", "Čačak"), ("label", "road to Čačak")]),
    ("ča", "999999999~*;{lines}~label", [("label", "road to Čačak")]),
]


@pytest.mark.parametrize(("query", "fields", "expected"), COLUMNS, ids=[f"{case[0]} {case[1]}" for case in COLUMNS])
def test_fields(small: tuple[Caller, str, str], query: str, fields: str, expected: list[tuple[str, str]]) -> None:
    caller, towns, lines = small
    found = find(caller, query, fields=fields.format(towns=towns, lines=lines))
    assert [(one["__match"], one["result"]) for one in found["data"]] == expected


def test_pages_run_over_several_layers(small: tuple[Caller, str, str]) -> None:
    caller, towns, lines = small
    fields = f"{towns}~Name~inhabitants:DESC;{lines}~label;{towns}~note"
    every = find(caller, "a", fields=fields)
    singly = [find(caller, "a", fields=fields, perpage=1, page=page) for page in range(1, every["total"] + 2)]
    assert [one for page in singly for one in page["data"]] == every["data"]
    assert {page["total"] for page in singly} == {every["total"]}
    quick = [find(caller, "a", fields=fields, perpage=2, page=page, nototal="") for page in (1, 2, 3, 4, 5)]
    assert [one for page in quick for one in page["data"]] == every["data"][:10]


def test_those_by_distance_are_mixed(small: tuple[Caller, str, str]) -> None:
    caller, towns, lines = small
    fields = f"{towns}~Name;{lines}~label"
    found = find(caller, "a", fields=fields, x=4, y=0.0001)
    assert [one["result"] for one in found["data"]][:1] == ["road to Čačak"]
    assert results(caller, "e", fields=f"{towns}~Name", x=1, y=1) == ["ĐURĐEVAC", "100% _pure_", "Nowhere"]


def test_meta_and_geometry(small: tuple[Caller, str, str]) -> None:
    caller, towns, _ = small
    found = find(caller, "Århus", columns_meta="true", geometry="wkt", noattrib="")
    column = found["meta"]["columns"][towns]["inhabitants"]
    assert (column["column"], column["datatype"]) == ("inhabitants", "integer")
    assert [(one["__geometry"], one["data"]) for one in found["data"]] == [("POINT (2 1)", {})]


def test_what_may_not_be_read_is_passed_over(user: Caller, other: Caller, anonymous: Caller) -> None:
    made_map = new_map(user)
    new_table(user)
    layer = new_layer(user, made_map["id"], "places")
    new_feature(user, layer["id"], name="a hidden thing")
    asked = {"fields": f"{layer['id']}~name"}
    assert results(user, "hidden", **asked) == ["a hidden thing"]
    for caller in (other, anonymous):
        assert find(caller, "hidden", **asked) == {"type": "search", "total": 0, "page": 1, "data": []}
        assert results(caller, "hidden", address_layer=layer["id"]) == []
    share(user, made_map["resource_id"], other.username, "READ")
    assert results(other, "hidden", **asked) == ["a hidden thing"]
    assert results(other, "hidden") == []
    assert results(other, "hidden", address_layer=layer["id"]) == ["a hidden thing"]
    share(user, made_map["resource_id"], "anonymous", "READ")
    assert results(anonymous, "hidden", **asked) == ["a hidden thing"]


REFUSED = [
    ({}, "query"),
    ({"query": " "}, "query"),
    ({"query": "x" * 1001}, "query"),
    ({"query": "a\0b"}, "query"),
    ({"query": "x", "fields": "x~name"}, "fields"),
    ({"query": "x", "fields": "{towns}~nothing"}, "fields"),
    ({"query": "x", "fields": "{towns}~name~nothing"}, "fields"),
    ({"query": "x", "fields": "{towns}~name~name:up"}, "fields"),
    ({"query": "x", "fields": "1;" * 1001}, "fields"),
    ({"query": "x", "address_layer": "x"}, "address_layer"),
    ({"query": "x", "x": "1"}, "y"),
    ({"query": "x", "x": "a", "y": "1"}, "x"),
    ({"query": "x", "x": "1", "y": "nan"}, "y"),
    ({"query": "x", "x": "1", "y": "95"}, "srid"),
    ({"query": "x", "srid": "5"}, "srid"),
    ({"query": "x", "perpage": "0"}, "perpage"),
    ({"query": "x", "geometry": "shape"}, "geometry"),
]


@pytest.mark.parametrize(("params", "field"), REFUSED, ids=[f"{case[1]} {case[0]}"[:60] for case in REFUSED])
def test_bad_input(small: tuple[Caller, str, str], params: dict[str, str], field: str) -> None:
    sent = {name: value.replace("{towns}", small[1]) for name, value in params.items()}
    refused(small[0].get("search", params=sent), 400, field)
