"""Tables and their rows (the contract, section 5)."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely
from tests.answers import refused
from tests.server import Caller, Server
from tests.sharing import got, made, new_layer, new_map, new_table, pages, tables_of, upload

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00")
KINDS = ("text", "number", "integer", "real", "boolean", "date", "datetime")


@pytest.fixture(scope="module")
def rows(server: Server) -> Iterator[Caller]:
    """A caller with the table ``rows`` of every type of column, that holds two rows."""
    columns = {kind[0] + "_": {"type": kind} for kind in KINDS if kind != "datetime"} | {"m_": {"type": "datetime"}}
    with server.new_user() as caller:
        made(caller.post("tables", json={"name": "rows", "geometry": "POINT", "srid": 3857, "columns": columns}))
        full = {"t_": "ä", "n_": 0.5, "i_": "7", "r_": 1, "b_": True, "d_": "2026-01-02", "m_": "2026-01-02T03:04:05Z"}
        made(caller.post("tables/rows/rows", json={"data": full, "geometry": "POINT (1 2)"}))
        made(caller.post("tables/rows/rows", json={"data": {}}))
        yield caller


def test_fields_of_a_new_table(user: Caller) -> None:
    columns = {"t": {"type": "text"}, "n": {"type": "number", "not_null": True}}
    response = user.post("tables.json", json={"name": "counties7", "geometry": "POINT", "columns": columns})
    table = made(response)
    assert response.headers["location"] == "1/tables/counties7"
    assert table == {
        "name": "counties7",
        "geometry": "POINT",
        "srid": 4326,
        "is_view": False,
        "primary_key": "ogc_fid",
        "schema": f"usrsch{user.user_id}",
        "columns": {"t": {"type": "text", "not_null": False}, "n": {"type": "number", "not_null": True}},
        "resource_id": table["resource_id"],
        "owner_id": user.user_id,
    }
    assert isinstance(table["resource_id"], str)
    for path in ("tables/counties7", f"tables/usrsch{user.user_id}.counties7", "tables/counties7.json"):
        assert got(user.get(path)) == table
    assert got(user.get("tables/counties7?expand=count"))["num_rows"] == 0
    assert [one for one in pages(user, "tables") if one["owner_id"] == user.user_id] == [table]


@pytest.mark.parametrize(
    ("sent", "geometry", "srid"),
    [
        ({"geometry": "point"}, "POINT", 4326),
        ({"geometry": "LineString", "srid": 3857}, "LINESTRING", 3857),
        ({"geometry": "line"}, "LINESTRING", 4326),
        ({"geometry": "polygon", "srid": "EPSG:3035"}, "POLYGON", 3035),
        ({"geometry": "MULTIPOINT", "srid": None}, "MULTIPOINT", 4326),
        ({"geometry": "multilinestring"}, "MULTILINESTRING", 4326),
        ({"geometry": "MULTIPOLYGON", "srid": "2056"}, "MULTIPOLYGON", 2056),
        ({"geometry": "Geometry"}, "GEOMETRY", 4326),
        ({}, None, None),
        ({"geometry": None}, None, None),
        ({"geometry": "POINT", "columns": None}, "POINT", 4326),
        ({"geometry": "POINT", "columns": '{"a": {"type": "text"}}'}, "POINT", 4326),
    ],
)
def test_geometry_of_a_new_table(shared: Caller, sent: dict[str, Any], geometry: str | None, srid: int | None) -> None:
    name = f"g{len(got(shared.get('tables'))['data'])}"
    table = made(shared.post("tables", json={"name": name} | sent))
    assert (table["geometry"], table["srid"]) == (geometry, srid)
    assert got(shared.get(f"tables/{name}")) == table


@pytest.mark.parametrize(
    "name", ["a", "A_b9", "straße", "_x", "2020_roads", "7", "x" * 63, "表", "select", "table", "rows", "main"]
)
def test_names_of_tables(shared: Caller, name: str) -> None:
    made(shared.post("tables", json={"name": name, "geometry": "POINT", "columns": {name: {"type": "text"}}}))
    sent = {"data": {name: "v"}, "geometry": "POINT (1 2)"}
    number = made(shared.post(f"tables/{name}/rows", json=sent))["ogc_fid"]
    assert got(shared.get(f"tables/{name}/rows/{number}"))[name] == "v"
    layer = new_layer(shared, new_map(shared)["id"], name)["id"]
    query = {"where": f"\"{name}\" = 'v'", "order_by": name}
    assert got(shared.get(f"layers/{layer}/features", params=query))["total"] == 1
    refused(shared.post("tables", json={"name": name.upper() if name.isascii() else name}), 409, "name")


BAD: list[tuple[dict[str, Any], str]] = [
    *(({"name": name}, "name") for name in (
        None, "", "a b", "a.b", "a-b", "x" * 64, "a\0", 'a"', "gpkg_x", "rtree_x", "sqlite_x", "SQLite_x", "file_x",
        [], {}, True, "🗺", "a\n", "../x",
    )),
    *(({"geometry": kind}, "geometry") for kind in ("house", 5, [], "POINT Z", "CURVEPOLYGON")),
    *(({"geometry": "POINT", "srid": srid}, "srid") for srid in (1, "x", [], 10**30, True)),
    *(({"columns": columns}, "columns") for columns in (
        5, "x", [], "[]", {"a b": {"type": "text"}}, {"": "text"}, {"ogc_fid": "text"}, {"__x": "text"},
        {"__OWNER": "text"},
        {"wkb_geometry": "text"}, {"a": "text", "A": "text"}, {f"c{n}": "text" for n in range(1001)},
    )),
    *(({"columns": {"a": kind}}, "columns.a.type") for kind in (
        "house", {"type": 5}, {"type": None}, 5, None, [], {"type": []},
    )),
    ({"columns": {"a": {"type": "text", "not_null": "x"}}}, "columns.a.not_null"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "field"), BAD, ids=range(len(BAD)))
def test_tables_that_cannot_be_made(shared: Caller, sent: dict[str, Any], field: str) -> None:
    before = got(shared.get("tables?perpage=1"))["total"]
    refused(shared.post("tables", json={"name": "bad"} | sent), 400, field)
    assert got(shared.get("tables?perpage=1"))["total"] == before


def test_a_table_of_a_file(user: Caller, data_dir: Path) -> None:
    with (data_dir / "countries.zip").open("rb") as file:
        assert user.post("storage/fs/c", files={"file": ("countries.zip", file)}).status_code == 201
    source = {"type": "file", "src": "/c/ne_110m_admin_0_countries.shp"}
    table = made(user.post("tables", json={"name": "countries", "source": source}))
    assert (table["geometry"], table["srid"], len(table["columns"])) == ("MULTIPOLYGON", 4326, 168)
    assert got(user.get("tables?expand=count"))["data"][0]["num_rows"] == 177
    layer = new_layer(user, new_map(user)["id"], "countries")
    assert layer["type"] == "polygon"
    germany = got(user.get(f"layers/{layer['id']}/features", params={"where": "NAME = 'Germany'"}))["data"][0]
    changed = user.put(f"layers/{layer['id']}/features/{germany['__id']}", json={"data": {"NAME": "Deutschland"}})
    assert got(changed)["data"]["NAME"] == "Deutschland"
    refused(user.post("tables", json={"name": "nothing", "source": {"type": "file", "src": "/c/none.shp"}}), 400)
    refused(user.post("tables", json={"name": "countries", "source": source}), 409)
    assert tables_of(user, user) == ["countries"]


def test_what_was_read_in_from_files_is_not_listed(user: Caller, data_dir: Path) -> None:
    with (data_dir / "borders.gpx").open("rb") as file:
        assert user.post("storage/fs/", files={"file": ("borders.gpx", file)}).status_code == 201
    made(user.post(f"maps/{new_map(user)['id']}/layers", json={"source": {"type": "file", "src": "borders.gpx"}}))
    assert tables_of(user, user) == []


def test_lists_of_tables(user: Caller) -> None:
    new_table(user, "places")
    made(user.post("tables", json={"name": "plain", "columns": {"a": {"type": "text"}}}))

    def names(query: str) -> list[str]:
        return [table["name"] for table in got(user.get(f"tables?{query}"))["data"]]

    assert names("") == ["places", "plain"]
    assert names("only_spatial") == names("only_spatial=true") == ["places"]
    assert names("only_non_spatial=1") == ["plain"]
    assert names("perpage=1&page=2") == ["plain"]
    refused(user.get("tables?only_spatial=x"), 400, "only_spatial")
    made(user.post("tables", json={"name": "any", "geometry": "geometry"}))
    assert names("only_spatial") == ["any", "places"]
    assert names("only_spatial&order_by=name:desc&perpage=1&page=1") == ["places"]
    assert names("only_spatial&order_by=geometry:desc") == ["places", "any"]
    assert names("query=LAC") == ["places"]
    assert names("query=x&only_spatial") == []
    refused(user.get("tables?order_by=columns"), 400, "order_by")
    counted = got(user.get("tables?only_spatial&perpage=1&page=2&expand=count"))
    assert (counted["total"], counted["page"], counted["data"][0]["num_rows"]) == (2, 2, 0)
    assert got(user.get("tables?only_non_spatial"))["total"] == 1


def test_tables_of_files_are_spatial_where_the_file_is(user: Caller) -> None:
    upload(user, "", a__csv=b"name,x,y\na,1,2\n", b__csv=b"name,size\na,1\n")
    for name in "ab":
        made(user.post("tables", json={"name": name, "source": {"type": "file", "src": f"{name}.csv"}}))
    for query, expected in (("only_spatial", "a"), ("only_non_spatial", "b")):
        assert [table["name"] for table in got(user.get(f"tables?{query}"))["data"]] == [expected]


def test_changing_a_table_is_not_possible(user: Caller) -> None:
    new_table(user)
    refused(user.put("tables/places", json={"name": "other"}), 405)
    refused(user.put("tables/nothing", json={}), 404)


def test_deleting_a_table(user: Caller) -> None:
    new_table(user)
    layer = new_layer(user, new_map(user)["id"], "places", name="shop layer")["id"]
    assert layer in refused(user.delete("tables/places"), 409)["msg"]
    assert user.delete("tables/places?force=true").status_code == 204
    refused(user.get("tables/places"), 404)
    refused(user.delete("tables/places"), 404)
    told = got(user.get(f"layers/{layer}"))
    assert told["status"] == "error"
    refused(user.get(f"layers/{layer}/features"), 409)
    assert user.get(f"maps/{told['map_id']}/render.png").status_code == 200
    new_table(user)
    assert got(user.get("tables/places?expand=count"))["num_rows"] == 0


def test_values_of_rows_are_texts(rows: Caller) -> None:
    listed = got(rows.get("tables/rows/rows"))
    assert {name: listed[name] for name in ("type", "total", "page")} == {"type": "rows", "total": 2, "page": 1}
    full, empty = listed["data"]
    expected = {
        "ogc_fid": "1", "t_": "ä", "n_": "0.5", "i_": "7", "r_": "1.0", "b_": "t", "d_": "2026-01-02",
        "m_": "2026-01-02T03:04:05.000Z", "__owner": str(rows.user_id),
    }  # fmt: skip
    assert {name: full[name] for name in expected} == expected
    assert TIMESTAMP.fullmatch(full["__created"])
    assert TIMESTAMP.fullmatch(full["__modified"])
    assert "wkb_geometry" not in full
    assert [empty[name] for name in expected if name.endswith("_") and name != "__owner"] == [None] * 7
    assert got(rows.get("tables/rows/rows/1")) == full


@pytest.mark.parametrize("path", ["tables/rows/rows", "tables/rows/rows/1"])
def test_geometry_of_rows(rows: Caller, path: str) -> None:
    def told(form: str) -> Any:
        answer = got(rows.get(path, params={"geometry": form}))
        return (answer["data"][0] if "data" in answer else answer).get("wkb_geometry", "absent")

    assert told("false") == told("") == "absent"
    assert told("wkt") == "POINT (1 2)"
    found = shapely.from_wkb(told("WKB"))
    assert (found.wkt, shapely.get_srid(found)) == ("POINT (1 2)", 3857)
    refused(rows.get(path, params={"geometry": "gml"}), 400, "geometry")
    assert got(rows.get("tables/rows/rows/2?geometry=wkt"))["wkb_geometry"] is None


def test_chosen_fields_and_conditions_of_rows(rows: Caller) -> None:
    base = {"ogc_fid", "__created", "__modified", "__owner"}
    assert set(got(rows.get("tables/rows/rows?fields=T_, n_"))["data"][0]) == base | {"t_", "n_"}
    assert set(got(rows.get("tables/rows/rows/1?fields=ogc_fid"))) == base
    refused(rows.get("tables/rows/rows?fields=nothing"), 400, "nothing")
    listed = got(rows.get("tables/rows/rows", params={"where": "i_ = 7"}))
    assert (listed["total"], listed["data"][0]["ogc_fid"]) == (1, "1")
    assert [row["ogc_fid"] for row in got(rows.get("tables/rows/rows?order_by=FID:desc"))["data"]] == ["2", "1"]
    assert [row["ogc_fid"] for row in got(rows.get("tables/rows/rows?perpage=1&page=2"))["data"]] == ["2"]
    refused(rows.get("tables/rows/rows", params={"where": "nothing = 1"}), 400, "where")
    refused(rows.get("tables/rows/rows", params={"order_by": "nothing"}), 400, "order_by")
    refused(rows.get("tables/rows/rows?page=0"), 400, "page")
    for number in ("0", "3", "99999999999999999", "x"):
        refused(rows.get(f"tables/rows/rows/{number}"), 404)


def test_writing_rows(user: Caller) -> None:
    new_table(user)
    response = user.post(
        "tables/places/rows.json", json={"data": {"name": "a", "size": "5"}, "geometry": "POINT (1 2)"}
    )
    assert response.headers["location"] == "1/tables/places/rows/1"
    row = made(response)
    assert row == got(user.get("tables/places/rows/1"))
    assert (row["name"], row["size"]) == ("a", "5")
    for body in ({"data": {"NAME": "b"}}, {"geometry": "SRID=3857;POINT (0 0)"}, {}, row):
        response = user.put("tables/places/rows/1", json=body)
        assert (response.status_code, response.content) == (204, b"")
    row = got(user.get("tables/places/rows/1?geometry=wkt"))
    assert (row["name"], row["size"], row["wkb_geometry"]) == ("b", "5", "POINT (0 0)")
    assert user.put("tables/places/rows/1", json={"geometry": None}).status_code == 204
    assert got(user.get("tables/places/rows/1?geometry=wkt"))["wkb_geometry"] is None
    for body, field in (
        ({"data": {"nothing": 1}}, "nothing"),
        ({"data": {"size": "x"}}, "size"),
        ({"geometry": "LINESTRING (1 2, 3 4)"}, "geometry"),
        ({"data": []}, "data"),
    ):
        refused(user.post("tables/places/rows", json=body), 400, field)
        refused(user.put("tables/places/rows/1", json=body), 400, field)
    refused(user.post("tables/places/rows", json=[{}]), 400, "body")
    refused(user.put("tables/places/rows/9", json={}), 404)
    assert user.delete("tables/places/rows/1.json").status_code == 204
    refused(user.delete("tables/places/rows/1"), 404)


def test_versions_of_rows(user: Caller) -> None:
    new_table(user)
    made(user.post("tables/places/rows", json={"data": {"name": "a"}}))
    path = "tables/places/rows/1"
    tag = user.get(path).headers["etag"]
    assert user.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert user.put(path, json={"data": {"name": "b"}}, headers={"If-Match": tag}).status_code == 204
    refused(user.put(path, json={"data": {"name": "c"}}, headers={"If-Match": tag}), 412)
    refused(user.delete(path, headers={"If-Match": tag}), 412)
    assert user.delete(path, headers={"If-Match": user.get(path).headers["etag"]}).status_code == 204


@pytest.mark.parametrize(("verb", "path"), [("DELETE", "rows"), ("DELETE", "reset"), ("POST", "reset")])
def test_emptying_a_table(user: Caller, verb: str, path: str) -> None:
    new_table(user)
    for _ in range(3):
        made(user.post("tables/places/rows", json={"geometry": "POINT (1 2)"}))
    assert user.request(verb, f"tables/places/{path}").status_code == 204
    assert got(user.get("tables/places?expand=count"))["num_rows"] == 0
    assert made(user.post("tables/places/rows", json={}))["ogc_fid"] == "4"
    refused(user.request(verb, f"tables/nothing/{path}"), 404)


@pytest.mark.parametrize("path", ["tables/rows.csv", "tables/rows/rows.csv", "tables/rows/export.csv"])
def test_csv(rows: Caller, path: str) -> None:
    response = rows.get(path)
    assert response.headers["content-type"].startswith("text/csv")
    assert "attachment" in response.headers["content-disposition"]
    header, full, empty = csv.reader(io.StringIO(response.text))
    assert header == ["ogc_fid", "t_", "n_", "i_", "r_", "b_", "d_", "m_", "wkb_geometry"]
    assert (full[1], full[-1]) == ("ä", "POINT (1 2)")
    assert empty[1:] == [""] * 8


def test_bodies_as_forms(user: Caller) -> None:
    made(user.post("tables", data={"name": "f", "geometry": "point", "columns": json.dumps({"a": {"type": "text"}})}))
    row = made(user.post("tables/f/rows", data={"data": '{"a": "x"}', "geometry": "POINT (1 2)"}))
    assert row["a"] == "x"


def test_tables_of_others(user: Caller, other: Caller, anonymous: Caller) -> None:
    table = new_table(user)
    qualified = f"usrsch{user.user_id}.places"
    refused(other.get(f"tables/{qualified}"), 404)
    refused(anonymous.post("tables", json={"name": "x"}), 403)
    share = {"username": other.username, "permission": "READ"}
    made(user.post(f"resources/{table['resource_id']}/permissions", json=share))
    assert got(other.get(f"tables/{qualified}")) == table
    assert tables_of(other, user) == ["places"]
    refused(other.get("tables/places"), 404)
    refused(other.post(f"tables/{qualified}/rows", json={}), 403)
    refused(other.delete(f"tables/{qualified}"), 403)
    for name in ("usrsch0.places", "usrschx.places", "usrsch99999999999999999999.places", "usrsch.", "..x"):
        refused(user.get(f"tables/{name}"), 404)
