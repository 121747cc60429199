"""Datasources: kept as they were sent, to the last digit; passwords of databases never told again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.answers import refused
from tests.server import Caller, Server
from tests.sharing import got, made, new_map, new_table, share, unshare

from graticule.catalogue.orm import Datasource

PLACE = {"host": "db.example", "port": 5432, "database": "gis", "user": "reader"}
PASSWORD = 'pass"word ä'


@pytest.fixture(scope="module")
def user(server: Server) -> Iterator[Caller]:
    """A caller of all tests here that look only at what each made itself."""
    with server.new_user() as caller:
        yield caller


@pytest.fixture(scope="module")
def other(server: Server) -> Iterator[Caller]:
    """Another one."""
    with server.new_user() as caller:
        yield caller


@pytest.fixture
def newcomer(server: Server) -> Iterator[Caller]:
    """A caller who has nothing yet."""
    with server.new_user() as caller:
        yield caller


def new(caller: Caller, **fields: Any) -> dict[str, Any]:
    return dict(made(caller.post("datasources", json={"name": "a source", "type": 20, **fields})))


def database(caller: Caller) -> dict[str, Any]:
    return new(caller, type=10, params={**PLACE, "password": PASSWORD})


def password_in(server: Server, datasource: str) -> str | None:
    """What the server would log in with."""
    with server.backend() as backend, backend.catalogue.read() as session:
        found = session.get_one(Datasource, int(datasource))
        assert PASSWORD not in f"{found.params}{found.secret}"
        return None if found.secret is None else backend.keys.unlock(found.secret)


def test_a_datasource(user: Caller) -> None:
    sent = {"name": "Roads", "type": 20, "description": "d", "copyright": "c", "proj4": "+proj=longlat"}
    answer = user.post("datasources", json=sent | {"id": 7, "owner_id": 7, "resource_id": "7", "unknown": []})
    one = made(answer)
    assert answer.headers["location"] == f"1/datasources/{one['id']}"
    assert {name: one[name] for name in sent} == sent
    assert (one["params"], one["epsg"], one["x_min"]) == (None, None, None)
    assert (type(one["id"]), type(one["resource_id"]), one["owner_id"]) == (str, str, user.user_id)
    assert got(user.get(f"datasources/{one['id']}")) == one
    changed = got(user.put("datasources", json={"id": one["id"], "name": "Rivers", "copyright": None}))
    assert (changed["name"], changed["copyright"], changed["description"]) == ("Rivers", None, "d")
    resource = got(user.get(f"resources/{one['resource_id']}"))
    assert (resource["type"], resource["datasource_id"]) == ("datasource", one["id"])
    assert user.delete(f"datasources/{one['id']}").status_code == 204
    refused(user.get(f"datasources/{one['id']}"), 404)
    refused(user.get(f"resources/{one['resource_id']}"), 404)


NUMBERS = ["1.0", "1", "0.10", "-179.99999999999997", "12345678901234567.25", "1E+2", '"1.0"', '"007"', "-0.0"]


@pytest.mark.parametrize("written", NUMBERS)
def test_numbers_keep_type_and_digits(user: Caller, written: str) -> None:
    body = f'{{"type": 20, "name": "x", "x_min" : {written} ,"y_max":\n{written}, "epsg": 4326.0}}'
    answer = user.post("datasources", content=body)
    assert answer.status_code == 201, answer.text
    url = f"datasources/{answer.json()['id']}"
    for text in (answer.text, user.get(url).text):
        assert f'"x_min":{written},' in text, text
        assert f'"y_max":{written}' in text, text
        assert '"epsg":4326.0,' in text
    tag = user.get(url).headers["etag"]
    assert user.put(url, content=user.get(url).content).status_code == 200
    assert user.get(url).headers["etag"] == tag
    user.put(url, json={"x_min": None})
    assert '"x_min":null' in user.get(url).text
    assert f'"y_max":{written}' in user.get(url).text


def test_numbers_of_forms_and_xml_are_text(user: Caller) -> None:
    for kind, body in (
        ("application/x-www-form-urlencoded", "type=20&x_min=1.0"),
        ("text/xml", "<datasource><type>20</type><x_min>1.0</x_min></datasource>"),
    ):
        one = made(user.post("datasources", content=body, headers={"Content-Type": kind}))
        assert (one["type"], one["x_min"]) == (20, "1.0")


PARAMS = [
    ('{"a": 16.0, "b":  [1.10,"ä"]}', '{"a": 16.0, "b":  [1.10,"ä"]}'),
    ('"{\\"a\\":16.0,   \\"b\\": 1}"', '{"a":16.0,   "b": 1}'),
    ('"[]"', "[]"),
    ("null", None),
    ('{"password": "of a service"}', '{"password": "of a service"}'),
]


@pytest.mark.parametrize(("sent", "kept"), PARAMS)
def test_params_are_text_as_it_was_sent(user: Caller, sent: str, kept: str | None) -> None:
    answer = user.post("datasources", content=f'{{"type": 40, "params": {sent}}}')
    assert made(answer)["params"] == kept


BAD = [
    ({"type": 11}, "type"), ({"type": "x"}, "type"), ({"type": None}, "type"), ({"type": [10]}, "type"),
    ({"type": 20, "params": "{"}, "params"),
    ({"type": 10, "params": "[]"}, "params"), ({"type": 10, "params": {"password": [1]}}, "password"),
    ({"type": 20, "name": {}}, "name"), ({"type": 20, "name": "\0"}, "name"), ({"type": 20, "epsg": 1.5}, "epsg"),
    ({"type": 20, "epsg": "x"}, "epsg"), ({"type": 20, "x_min": "x"}, "x_min"), ({"type": 20, "x_min": True}, "x_min"),
    ({"type": 20, "x_max": "1" * 500}, "x_max"), ({"type": 20, "y_min": [1]}, "y_min"), ({}, "type"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "field"), BAD)
def test_what_is_refused(user: Caller, sent: dict[str, Any], field: str) -> None:
    before = got(user.get("datasources"))["total"]
    refused(user.post("datasources", json=sent), 400, field)
    assert got(user.get("datasources"))["total"] == before


def test_numbers_of_many_digits_are_refused(user: Caller) -> None:
    for number in ("1" * 300, "1" * 5000, "0." + "1" * 300, "1e999"):
        refused(user.post("datasources", content=f'{{"type": 20, "x_min": {number}}}'), 400)


def test_lists(newcomer: Caller, user: Caller, anonymous: Caller) -> None:
    user, other = newcomer, user
    for number in range(103):
        new(user, name=f"n{number:03}", type=20 if number else 70)
    first = got(user.get("datasources?order_by=name:desc"))
    assert (first["type"], first["total"], len(first["data"])) == ("datasources", 103, 100)
    assert first["data"][0]["name"] == "n102"
    assert len(got(user.get("datasources?type=20"))["data"]) == 102
    assert [one["name"] for one in got(user.get("datasources?type=70,5"))["data"]] == ["n000"]
    assert len(got(user.get("datasources?type=20&perpage=7&page=2"))["data"]) == 7
    assert got(user.get("datasources?query=N10"))["total"] == 3
    refused(user.get("datasources?type=folder"), 400, "type")
    refused(user.get("datasources?order_by=params"), 400, "order_by")
    assert got(other.get("datasources?query=n10"))["total"] == 0
    assert got(anonymous.get("datasources?type=20&query=n0"))["data"] == []
    refused(anonymous.post("datasources", json={"type": 20}), 403)


def test_tags(user: Caller) -> None:
    url = f"datasources/{database(user)['id']}"
    tag = user.get(url).headers["etag"]
    assert user.get(url, headers={"If-None-Match": tag}).status_code == 304
    refused(user.put(url, json={"name": "x"}, headers={"If-Match": '"9-x"'}), 412)
    refused(user.delete(url, headers={"If-Match": '"9-x"'}), 412)
    same = {"params": {**PLACE, "password": PASSWORD}}
    for unchanged in ({}, {"name": "a source"}, same):
        assert got(user.put(url, json=unchanged, headers={"If-Match": tag}))
        assert user.get(url).headers["etag"].split("-")[0] == tag.split("-")[0]
    assert got(user.put(url, json={"name": "b"}, headers={"If-Match": tag}))["name"] == "b"
    assert user.get(url).headers["etag"] != tag


def test_the_password_is_kept_and_never_told(server: Server, newcomer: Caller) -> None:
    user = newcomer
    one = database(user)
    assert json.loads(one["params"]) == PLACE
    for path in ("datasources", f"datasources/{one['id']}?expand=permissions", "datasources?type=10"):
        assert PASSWORD not in user.get(path).text
        assert "password" not in user.get(path).text
    assert password_in(server, one["id"]) == PASSWORD
    verbatim = '{"Password": "x", "port": 5432.0,\n "more" : [1.10]}'
    other = made(user.post("datasources", json={"type": 10, "params": verbatim}))
    assert other["params"] == '{"port": 5432.0, "more": [1.10]}'
    assert password_in(server, other["id"]) == "x"


KEPT: list[Any] = [PLACE, PLACE | {"port": "5432"}, PLACE | {"more": 1}, json.dumps(PLACE), PLACE | {"password": None},
                   {"dbname": "gis", "username": "reader", "port": 5432, "host": "db.example"}]  # fmt: skip
MOVED: list[Any] = [PLACE | {name: "x"} for name in PLACE] + [
    {key: PLACE[key] for key in PLACE if key != name} for name in PLACE
] + [{}, PLACE | {"host": "x", "hostname": "db.example"}]  # fmt: skip


@pytest.mark.parametrize("params", KEPT)
def test_without_a_password_the_stored_one_is_kept(server: Server, user: Caller, params: Any) -> None:
    one = database(user)
    assert "password" not in got(user.put(f"datasources/{one['id']}", json={"params": params}))["params"]
    assert password_in(server, one["id"]) == PASSWORD


@pytest.mark.parametrize("params", MOVED)
def test_a_moved_database_needs_its_password(server: Server, user: Caller, other: Caller, params: Any) -> None:
    one = database(user)
    share(user, one["resource_id"], other.username, "EDIT")
    for caller in (user, other):
        answer = caller.put(f"datasources/{one['id']}", json={"params": params, "name": "moved"})
        assert PASSWORD not in str(refused(answer, 400, "password"))
    assert got(user.get(f"datasources/{one['id']}")) == one
    moved = got(other.put(f"datasources/{one['id']}", json={"params": params | {"password": "other"}}))
    assert json.loads(moved["params"]) == params
    assert password_in(server, one["id"]) == "other"


def test_a_password_does_not_outlive_its_database(server: Server, user: Caller) -> None:
    one = database(user)
    got(user.put(f"datasources/{one['id']}", json={"type": 20}))
    assert password_in(server, one["id"]) is None
    got(user.put(f"datasources/{one['id']}", json={"type": 20, "params": {"password": "x"}}))
    back = got(user.put(f"datasources/{one['id']}", json={"type": 10}))
    assert back["params"] == "{}"
    assert password_in(server, one["id"]) == "x"
    got(user.put(f"datasources/{one['id']}", json={"params": None}))
    assert password_in(server, one["id"]) is None


def test_sharing(user: Caller, newcomer: Caller) -> None:
    other = newcomer
    one = new(user)
    url, rid = f"datasources/{one['id']}", one["resource_id"]
    refused(other.get(url), 404)
    refused(other.put(url, json={"name": "x"}), 404)
    refused(other.delete(url), 404)
    read = share(user, rid, other.username, "READ")
    assert got(other.get(url))["name"] == "a source"
    assert [found["id"] for found in got(other.get("datasources"))["data"]] == [one["id"]]
    refused(other.put(url, json={"name": "x"}), 403)
    share(user, rid, other.username, "EDIT_WITH_SHARE")
    assert got(other.put(url, json={"name": "theirs"}))["name"] == "theirs"
    assert "SHARE" in got(other.get(url + "?expand=permissions"))["permissions"]
    refused(other.delete(url), 403)
    for held in got(user.get(f"resources/{rid}/permissions"))["data"]:
        if held["username"] == other.username:
            for entry in held["permissions"]:
                unshare(user, rid, entry["share_id"])
    assert read
    refused(other.get(url), 404)


def test_the_datasource_of_a_layer(user: Caller, other: Caller) -> None:
    theirs, mine = new(other), new(user, type=15)
    new_table(user)
    a_map = new_map(user)
    sent = {"source": {"type": "pg", "src": "places"}, "type": "point"}
    for bad in (theirs["id"], "999999999", "x", [1], 1.5):
        refused(user.post(f"maps/{a_map['id']}/layers", json=sent | {"datasource_id": bad}), 400, "datasource_id")
    layer = made(user.post(f"maps/{a_map['id']}/layers", json=sent | {"datasource_id": mine["id"]}))
    assert layer["datasource_id"] == mine["id"]
    url = f"layers/{layer['id']}"
    expanded = got(user.get(f"{url}?expand=datasource"))["datasource"]
    assert expanded["permissions"][0] == "OWNER"
    held = (expanded["resource_id"], expanded["type"], expanded["owner_id"])
    assert held == (int(mine["resource_id"]), 15, user.user_id)
    listed = got(user.get(f"maps/{a_map['id']}/layers?expand=datasource"))["data"]
    assert [one["datasource"] for one in listed] == [expanded]
    # Somebody who may change the layer, but does not see its datasource.
    share(user, a_map["resource_id"], other.username, "EDIT")
    seen = got(other.get(f"{url}?expand=datasource"))
    assert seen["datasource"] == expanded | {"permissions": []}
    assert got(other.put(url, json=seen | {"name": "x"}))["datasource_id"] == mine["id"]
    assert got(other.put(url, json={"datasource_id": theirs["id"]}))["datasource_id"] == theirs["id"]
    refused(other.put(url, json={"datasource_id": mine["id"]}), 400, "datasource_id")
    assert got(user.put(url, json={"datasource_id": None}))["datasource_id"] is None
    assert got(user.get(f"{url}?expand=datasource"))["datasource"] is None


def test_deleting_leaves_the_data(user: Caller) -> None:
    mine = new(user, type=15)
    table = new_table(user, "kept")
    sent = {"source": {"type": "pg", "src": "kept"}, "type": "point", "datasource_id": mine["id"]}
    layer = made(user.post(f"maps/{new_map(user)['id']}/layers", json=sent))
    assert user.delete(f"datasources/{mine['id']}").status_code == 204
    assert got(user.get(f"layers/{layer['id']}"))["datasource_id"] is None
    assert got(user.get(f"layers/{layer['id']}/features"))["total"] == 0
    assert got(user.get("tables/kept")) == table
