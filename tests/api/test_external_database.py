"""Tables of somebody else's PostGIS database, read through a datasource."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.answers import refused
from tests.api import postgis
from tests.server import Caller, Server, free_port
from tests.sharing import got, made, new_map, share

TABLES = """
CREATE SCHEMA "odd %s ""schema";
CREATE TABLE cities (id integer PRIMARY KEY, name text, people bigint, area numeric(12, 3), share real, big boolean,
    founded date, seen timestamp, "Odd %s ""name" varchar, more jsonb, geom geometry(Point, 4326));
CREATE INDEX ON cities USING gist (geom);
CREATE TABLE "odd %s ""schema"."odd %s ""table" (word text, where_it_is geometry(MultiPolygon, 3035));
CREATE VIEW large AS SELECT * FROM cities WHERE people > 5000000;
CREATE TABLE notes (note text NOT NULL);
CREATE TABLE spots (gid bigint PRIMARY KEY, place geography(Point, 4326));
CREATE TABLE hidden (geom geometry(Point, 4326));
INSERT INTO "odd %s ""schema"."odd %s ""table"
    SELECT 'square', ST_Multi(ST_MakeEnvelope(4000000, 3000000, 4100000, 3100000, 3035));
INSERT INTO notes VALUES ('one'), ('two');
INSERT INTO spots VALUES (9000000000, 'POINT (10 20)');
GRANT USAGE ON SCHEMA "odd %s ""schema" TO reader;
GRANT SELECT ON cities, large, notes, spots, "odd %s ""schema"."odd %s ""table" TO reader;
"""
ODD = 'odd %s "schema.odd %s "table'
READ_ONLY = "only read"


@pytest.fixture(scope="module")
def database(data_dir: Path) -> Iterator[int]:
    with postgis.running() as port:
        postgis.execute(port, "gis", TABLES)
        cities = json.loads((data_dir / "cities.geojson").read_text())["features"]
        rows = [
            (number, one["properties"]["name"], one["properties"]["population"], *one["geometry"]["coordinates"])
            for number, one in enumerate(cities, 1)
        ]
        statement = """INSERT INTO cities SELECT (r->>0)::int, r->>1, (r->>2)::bigint, 1.500, 0.25, true, '1999-12-31',
            '2001-02-03 04:05:06.789', 'odd', '{"a": 1}',
            ST_SetSRID(ST_MakePoint((r->>3)::float8, (r->>4)::float8), 4326)
            FROM jsonb_array_elements(%s::jsonb) r"""
        postgis.execute(port, "gis", statement, (json.dumps(rows),))
        postgis.execute(port, "gis", "UPDATE cities SET area = 'NaN', share = 'Infinity', founded = NULL WHERE id = 2")
        postgis.execute(port, "gis", "UPDATE cities SET geom = NULL, area = 7 WHERE id = 3")
        yield port


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that may ask databases on this machine."""
    running = Server(tmp_path_factory.mktemp("near"), environment={"GRATICULE_FETCH_PRIVATE_ADDRESSES": "true"})
    running.new_user(administrator=True).close()
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def author(near: Server) -> Iterator[Caller]:
    with near.new_user() as caller:
        yield caller


@pytest.fixture(scope="module")
def source(author: Caller, database: int) -> Any:
    return datasource(author, database)


def params(at: int, **fields: Any) -> dict[str, Any]:
    place = {"host": "127.0.0.1", "port": at, "database": "gis", "user": "reader", "password": postgis.PASSWORD}
    return place | fields


def datasource(caller: Caller, at: int, **fields: Any) -> Any:
    return made(caller.post("datasources", json={"type": 10, "name": "gis", "params": params(at, **fields)}))


def layer(caller: Caller, source: Any, table: str, **fields: Any) -> Any:
    map_id = new_map(caller)["id"]
    shown = {"type": "pg", "src": table, "connection_id": source["id"], "dbtype": "pg"}
    return made(caller.post(f"maps/{map_id}/layers", json={"source": shown, **fields}))


def test_tables(author: Caller, source: Any) -> None:
    url = f"tables?connection_id={source['id']}"
    tables = {one["name"]: one for one in got(author.get(url))["data"]}
    assert sorted(tables) == sorted(["cities", "large", "notes", "spots", ODD])
    cities = tables["cities"]
    assert (cities["geometry"], cities["srid"], cities["is_view"]) == ("POINT", 4326, False)
    assert (cities["schema"], cities["primary_key"], cities["resource_id"]) == ("public", "id", source["resource_id"])
    assert {name: one["type"] for name, one in cities["columns"].items()} == {
        "id": "integer", "name": "text", "people": "integer", "area": "number", "share": "real", "big": "boolean",
        "founded": "date", "seen": "datetime", 'Odd %s "name': "text", "more": "text",
    }  # fmt: skip
    assert (tables["large"]["is_view"], tables["large"]["primary_key"]) == (True, None)
    assert (tables[ODD]["geometry"], tables[ODD]["srid"]) == ("MULTIPOLYGON", 3035)
    assert (tables["spots"]["geometry"], tables["notes"]["geometry"]) == ("POINT", None)
    assert tables["notes"]["columns"]["note"] == {"type": "text", "not_null": True}
    spatial = got(author.get(f"{url}&only_spatial=1&expand=count"))["data"]
    assert {one["name"]: one["num_rows"] for one in spatial}["cities"] == 1000
    assert [one["name"] for one in got(author.get(f"{url}&only_non_spatial=1"))["data"]] == ["notes"]
    assert len(got(author.get(f"{url}&perpage=2&page=3"))["data"]) == 1
    for name in ("cities", "public.cities"):
        assert got(author.get(f"tables/{name}?connection_id={source['id']}")) == cities
    assert got(author.get(f"tables/{ODD}?connection_id={source['id']}".replace("%s", "%25s"))) == tables[ODD]
    for name in ("hidden", "nothing", "pg_catalog.pg_authid", "information_schema.tables", "x.y.z"):
        answer = author.get(f"tables/{name}?connection_id={source['id']}")
        assert answer.status_code in (200, 404), answer.text
        assert name.startswith(("pg_", "information")) or answer.status_code == 404


def test_rows(author: Caller, source: Any) -> None:
    url = f"tables/cities/rows?connection_id={source['id']}"
    page = got(author.get(f"{url}&perpage=1&geometry=wkt&order_by=people:desc&where=big AND area < 2"))
    assert page["total"] == 998
    (row,) = page["data"]
    assert (row["ogc_fid"], row["name"], row["people"], row["area"]) == ("1", "Shanghai", "24874500", "1.5")
    assert (row["share"], row["big"], row["founded"]) == ("0.25", "t", "1999-12-31")
    assert (row["seen"], row["more"], row['Odd %s "name']) == ("2001-02-03T04:05:06.789Z", '{"a": 1}', "odd")
    assert row["wkb_geometry"] == "POINT (121.45806 31.22222)"
    one = got(author.get(f"tables/cities/rows/3?connection_id={source['id']}&fields=area"))
    assert (one["ogc_fid"], one["area"]) == ("3", "7")
    second = got(author.get(f"tables/cities/rows/2?connection_id={source['id']}"))
    assert (second["area"], second["share"], second["founded"]) == (None, None, None)
    assert got(author.get(f"tables/notes/rows?connection_id={source['id']}"))["total"] == 2
    csv = author.get(f"tables/large/rows.csv?connection_id={source['id']}").text
    assert "Shanghai" in csv
    refused(author.get(f"tables/cities/rows/99999?connection_id={source['id']}"), 404)
    refused(author.get(f"{url}&where=nothing=1"), 400, "where")


def test_nothing_is_written(author: Caller, source: Any, database: int) -> None:
    query = f"?connection_id={source['id']}"
    sent = {"json": {"data": {"note": "x"}, "name": "x"}}
    for method, path in (
        ("POST", "tables"), ("DELETE", "tables/notes"), ("DELETE", "tables/notes/rows"), ("POST", "tables/notes/reset"),
        ("POST", "tables/notes/rows"), ("PUT", "tables/notes/rows/1"), ("DELETE", "tables/notes/rows/1"),
    ):  # fmt: skip
        answer = author.request(method, path + query, **(sent if method in ("POST", "PUT") else {}))
        assert READ_ONLY in refused(answer, 403)["msg"]
    assert postgis.execute(database, "gis", "SELECT count(*) FROM notes") == [(2,)]


def test_a_layer(author: Caller, source: Any) -> None:
    found = layer(author, source, "cities", type="polygon")
    assert (found["type"], found["epsg"], found["status"], found["status_text"]) == ("point", "4326", "ready", None)
    url = f"layers/{found['id']}"
    page = got(author.get(f"{url}/features?geometry=geojson&bounds=121,31,122,32&where=people>10000000"))
    assert [one["data"]["name"] for one in page["data"]] == ["Shanghai"]
    assert page["data"][0]["__geometry"]["coordinates"] == [121.45806, 31.22222]
    one = got(author.get(f"{url}/features/3?geometry=wkt"))
    assert (one["__geometry"], one["data"]["area"]) == (None, 7)
    tag = author.get(f"{url}/features/1").headers["etag"]
    assert author.get(f"{url}/features/1", headers={"If-None-Match": tag}).status_code == 304
    assert {one["name"]: one["type"] for one in got(author.get(f"{url}/columns"))}["people"] == "integer"
    for where, names in (("name ILIKE 'SHANGH%'", ["Shanghai"]), ("founded IS NULL", ["Beijing"]),
                         ("FID = 3", ["Shenzhen"]), ("seen < '2001-02-03' AND FID < 9", [])):  # fmt: skip
        answer = got(author.get(f"{url}/features", params={"where": where}))
        assert [one["data"]["name"] for one in answer["data"]] == names
    styles = [{"expression": "people > 5000000", "color": "255,0,0", "width": 9}, {"color": "0,0,255", "width": 3}]
    got(author.put(url, json={"styles": styles}))
    image = Image.open(io.BytesIO(author.get(f"{url}/render.png?bounds=121,31,122,32").content)).convert("RGB")
    assert (255, 0, 0) in {colour for _, colour in image.getcolors(100_000) or []}
    assert author.get(f"{url}/tiles/0/0/0.mvt").status_code == 200
    for answer in (
        author.post(f"{url}/features", json={"data": {}}),
        author.put(f"{url}/features/1", json={"data": {"name": "x"}}),
        author.delete(f"{url}/features/1"),
    ):
        assert READ_ONLY in refused(answer, 403)["msg"]
    got(author.put(f"{url}/refresh_columns"))


OPS = [
    ("people", {"count": 1000, "nulls": 0, "max": 24874500}), ("area", {"distinct": 3, "min": 1.5}),
    ("big", {"min": True, "max": True, "avg": None}), ("founded", {"nulls": 1, "min": "1999-12-31"}),
    ("seen", {"distinct": 1, "max": "2001-02-03T04:05:06.789Z"}), ("name", {"type": "text"}),
    ("more", {"min": '{"a": 1}', "distinct": 1}),
]  # fmt: skip


def test_what_columns_hold(author: Caller, source: Any) -> None:
    url = f"layers/{layer(author, source, 'cities')['id']}"
    for column, wanted in OPS:
        info = got(author.get(f"{url}/attributeops/info?column={column}"))
        assert {name: info[name] for name in wanted} == wanted
    distinct = got(author.get(f"{url}/attributeops/distinct?column=area&where=FID>2"))
    assert (distinct["total"], distinct["data"]) == (2, [1.5, 7])
    names = got(author.get(f"{url}/attributeops/distinct?column=name&perpage=1000"))["data"]
    assert names == sorted(set(names))
    assert author.get(f"{url}/export.csv").text.count("Shanghai") >= 1
    found = got(author.get("search", params={"query": "shangh", "fields": f"{url.removeprefix('layers/')}~name"}))
    assert [one["result"] for one in found["data"]] == ["Shanghai"]


def test_layers_of_odd_tables(author: Caller, source: Any) -> None:
    odd = layer(author, source, ODD)
    assert (odd["type"], odd["epsg"]) == ("polygon", "3035")
    assert [float(odd[side]) for side in ("x_min", "y_min", "x_max", "y_max")] == [4000000, 3000000, 4100000, 3100000]
    (square,) = got(author.get(f"layers/{odd['id']}/features?where=word='square'"))["data"]
    assert square["__id"] == 1
    spots = layer(author, source, "public.spots")
    (spot,) = got(author.get(f"layers/{spots['id']}/features?geometry=wkt&bounds=9,19,11,21"))["data"]
    assert (spot["__id"], spot["__geometry"]) == (9000000000, "POINT (10 20)")
    assert got(author.get(f"layers/{layer(author, source, 'large')['id']}/features"))["total"] > 1


def test_what_cannot_be_opened(author: Caller, source: Any, database: int) -> None:
    map_id = new_map(author)["id"]
    before = got(author.get(f"maps/{map_id}/layers"))["total"]
    nowhere = datasource(author, 1, host="")
    folder = made(author.post("datasources", json={"type": 5}))
    sources = [
        {"src": "hidden"}, {"src": "nothing"}, {"src": "notes"}, {"src": "cities", "connection_id": folder["id"]},
        {"src": "cities", "connection_id": "999999"}, {"src": "cities", "connection_id": "x"},
        {"src": "cities", "connection_id": [1]}, {"src": "cities", "connection_id": nowhere["id"]},
        {"src": "x" * 99}, {"src": "a\0b"}, {"src": "."}, {"src": 'a";DROP TABLE cities;--'},
    ]  # fmt: skip
    for one in sources:
        sent = {"type": "pg", "connection_id": source["id"]} | one
        refused(author.post(f"maps/{map_id}/layers", json={"source": sent}), 400)
    assert got(author.get(f"maps/{map_id}/layers"))["total"] == before


LOGINS: list[tuple[dict[str, Any], int]] = [
    ({"password": "wrong"}, 400), ({"user": "nobody"}, 400), ({"database": "none"}, 400), ({"host": "/tmp"}, 400),
    ({"host": "no.such.host.invalid"}, 400), ({"port": 0}, 400), ({"port": "x"}, 400), ({"port": 99999}, 400),
    ({"host": [1]}, 400), ({"database": None}, 400), ({"user": "a b' c=d"}, 400), ({"user": "x\0y"}, 400),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "status"), LOGINS)
def test_databases_that_do_not_let_one_in(
    author: Caller, near: Server, database: int, fields: dict[str, Any], status: int
) -> None:
    bad = datasource(author, database, **fields)
    for path in (f"tables?connection_id={bad['id']}", f"tables/cities/rows?connection_id={bad['id']}"):
        answer = author.get(path)
        refused(answer, status)
        assert fields.get("password", postgis.PASSWORD) not in answer.text
    assert postgis.PASSWORD not in near.log()
    assert "Traceback" not in near.log()


def test_a_database_that_is_gone(author: Caller, database: int) -> None:
    source = datasource(author, database)
    found = layer(author, source, "cities")
    dead = params(free_port())
    got(author.put(f"datasources/{source['id']}", json={"params": dead}))
    answer = author.get(f"layers/{found['id']}/features")
    refused(answer, 503)
    assert "retry-after" in answer.headers
    shown = got(author.get(f"layers/{found['id']}"))
    assert "does not answer" in shown["status_text"]
    assert author.get(f"maps/{found['map_id']}/render.png").status_code == 200
    assert len(got(author.get(f"maps/{found['map_id']}/layers"))["data"]) == 1
    refused(author.get(f"tables?connection_id={source['id']}"), 503)
    assert author.delete(f"datasources/{source['id']}").status_code == 204
    refused(author.get(f"layers/{found['id']}/features"), 409)


def test_rights(author: Caller, near: Server, database: int) -> None:
    with near.new_user() as owner, near.anonymous() as anyone:
        source = datasource(owner, database)
        url = f"tables?connection_id={source['id']}"
        refused(author.get(url), 404)
        refused(anyone.get(url), 404)
        map_id = new_map(author)["id"]
        sent = {"source": {"type": "pg", "src": "cities", "connection_id": source["id"]}}
        refused(author.post(f"maps/{map_id}/layers", json=sent), 400)
        share(owner, source["resource_id"], author.username, "READ")
        assert len(got(author.get(url))["data"]) == 5
        found = made(author.post(f"maps/{map_id}/layers", json=sent))
        features = f"layers/{found['id']}/features"
        assert got(author.get(features))["total"] == 1000
        share(author, got(author.get(f"maps/{map_id}"))["resource_id"], "anonymous", "READ")
        # Who may only read it cannot publish it.
        refused(anyone.get(features), 403)
        may = share(owner, source["resource_id"], author.username, "EDIT_WITH_SHARE")
        assert got(anyone.get(features))["total"] == 1000
        assert owner.delete(f"resources/{source['resource_id']}/permissions/{may}").status_code == 204
        refused(anyone.get(features), 403)


def test_private_addresses(user: Caller, database: int) -> None:
    source = datasource(user, database)
    nested = refused(user.get(f"tables?connection_id={source['id']}"), 400, "connection_id")
    assert "private" in nested["msg"]


def test_what_is_asked_of_its_layers(author: Caller, source: Any, data_dir: Path) -> None:
    """Search, location queries, what attributes hold, and buffers."""
    number = layer(author, source, "cities")["id"]
    cities = json.loads((data_dir / "cities.geojson").read_text())["features"]
    people = sorted(one["properties"]["population"] for one in cities)
    path = f"layers/{number}/attributeops"
    info = got(author.get(f"{path}/info?column=people"))
    asked = ("count", "nulls", "min", "max", "sum")
    assert [info[name] for name in asked] == [1000, 0, people[0], people[-1], sum(people)]
    assert got(author.get(f"{path}/distinct?column=founded"))["data"] == ["1999-12-31"]
    assert got(author.get(f"{path}/distinct?column=seen"))["data"] == ["2001-02-03T04:05:06.789Z"]
    assert got(author.get(f"{path}/distinct?column=area&where=id>2")) == {
        "type": "distinct", "total": 2, "page": 1, "data": [1.5, 7],
    }  # fmt: skip
    names = sorted({one["properties"]["name"] for one in cities})
    assert got(author.get(f"{path}/distinct?column=name&perpage=1000"))["data"] == names
    for name in ("big", "share", "more", 'Odd %25s "name'):
        assert got(author.get(f"{path}/info?column={name}"))["count"] == 1000
    assert got(author.get(f"{path}/max?column=big"))["max"] is True
    found = got(author.get(f"search?query=sao pau&replace_special_chars=1&fields={number}~name~people:DESC"))
    assert [one["result"] for one in found["data"]] == ["São Paulo"]
    x, y = cities[0]["geometry"]["coordinates"]
    (here,) = got(author.get(f"geo_utils/nearest?layer_id={number}&point_x={x}&point_y={y}"))
    assert (here["data"]["name"], here["__distance"]) == (cities[0]["properties"]["name"], pytest.approx(0, abs=1e-6))
    buffer = made(author.post(f"layers/{number}/buffer", json={"name": "b", "size": 1, "merge_geom": False}))
    assert got(author.get(f"layers/{buffer['id']}/features?perpage=1"))["total"] == 1000
