"""Options of maps, layers, users and everything else that is a resource."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.answers import refused
from tests.people import new_role
from tests.server import Caller, Server
from tests.sharing import got, made, new_map, new_table, share

PLACES = ("map", "layer", "role", "table", "user")


@dataclass(frozen=True)
class Place:
    """Where options are kept: by the address of the thing, and by that of its resource."""

    path: str
    resource: str
    thing: str


@pytest.fixture(scope="module")
def user(server: Server) -> Iterator[Caller]:
    with server.new_user() as caller:
        yield caller


@pytest.fixture(scope="module")
def other(server: Server) -> Iterator[Caller]:
    with server.new_user() as caller:
        yield caller


@pytest.fixture(scope="module")
def places(user: Caller) -> dict[str, Place]:
    found, role, table = new_map(user), new_role(user), new_table(user)
    layer = made(user.post("layers", json={"mid": found["id"], "type": "folder", "name": "a folder"}))
    account = got(user.get("users/current"))
    things = {
        "map": (found, f"maps/{found['id']}"),
        "layer": (layer, f"layers/{layer['id']}"),
        "role": (role, f"roles/{role['id']}"),
        "table": (table, "tables/places"),
        "user": (account, "users/current"),
    }
    own = ("map", "layer", "user")
    return {
        name: Place(
            f"{path if name in own else 'resources/' + str(thing['resource_id'])}/options",
            f"resources/{thing['resource_id']}/options",
            path,
        )
        for name, (thing, path) in things.items()
    }


def out(kind: str, number: str, name: str, value: str | None, type_: str | None = None) -> dict[str, Any]:
    """An option as its own address answers it."""
    if kind == "user":
        return {"id": number, "name": name, "value": value, "type": type_}
    return {"id": number, "option_name": name, "option_value": value, "option_type": type_}


@pytest.mark.parametrize("kind", PLACES)
def test_an_option_is_kept_read_changed_and_removed(user: Caller, places: dict[str, Place], kind: str) -> None:
    path, resource = places[kind].path, places[kind].resource
    response = user.post(path, json={"option_name": "färbe", "option_value": "a", "option_type": "text"})
    number = made(response)["id"]
    assert response.headers["location"] == f"1/{path}/{number}"
    expected = out(kind, number, "färbe", "a", "text")
    assert response.json() == expected
    assert got(user.get(f"{path}/{number}")) == got(user.get(f"{path}/färbe")) == expected
    assert got(user.get(f"{resource}/{number}")) == out("", number, "färbe", "a", "text")
    # Known by its name it is the same option, with another value.
    assert made(user.post(path, json={"name": "färbe", "value": "b"}))["id"] == number
    assert user.put(f"{path}/färbe", json={"value": "c", "type": None}).status_code == 204
    assert user.put(path, json={"id": number, "option_name": "colour"}).status_code == 204
    assert got(user.get(f"{path}/colour")) == out(kind, number, "colour", "c")
    listed = got(user.get(path))
    assert (listed["type"], listed["total"]) == ("options", 1)
    assert listed["data"] == [out(kind, number, "colour", "c")]
    assert user.delete(f"{path}/colour").status_code == 204
    for answer in (user.get(f"{path}/{number}"), user.delete(f"{path}/{number}"), user.put(f"{path}/colour", json={})):
        refused(answer, 404)


@pytest.mark.parametrize("kind", ["map", "layer", "role", "user"])
def test_expanded(user: Caller, places: dict[str, Place], kind: str) -> None:
    place = places[kind]
    number = made(user.post(place.path, json={"option_name": "shown", "option_value": "yes", "option_type": "1"}))["id"]
    of_user = [{"name": "shown", "type": 1, "value": "yes"}]
    expected = of_user if kind == "user" else [out(kind, number, "shown", "yes", "1")]
    assert got(user.get(f"{place.thing}?expand=owner,options"))["options"] == expected
    assert "options" not in got(user.get(place.thing))
    folder = "users" if kind == "user" else place.thing.partition("/")[0]
    assert expected in [one["options"] for one in got(user.get(f"{folder}?expand=options"))["data"]]
    before = user.get(place.thing).headers["etag"]
    changed = user.put(folder, json=got(user.get(f"{place.thing}?expand=options")))
    assert changed.status_code == 200
    assert user.get(place.thing).headers["etag"] == before
    assert user.delete(f"{place.path}/{number}").status_code == 204


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("16.0", "16.0"),
        (' { "a" : 1.0 } ', ' { "a" : 1.0 } '),
        ("", ""),
        (None, None),
        (5, "5"),
        (True, "true"),
        ({"a": [1.0, "ä"]}, '{"a":[1.0,"ä"]}'),
        ([], "[]"),
        ("x" * 100_000, "x" * 100_000),
    ],
)
def test_values_are_kept_as_they_are(user: Caller, places: dict[str, Place], value: Any, kept: str | None) -> None:
    path = places["map"].path
    option = made(user.post(path, json={"option_name": "value", "option_value": value}))
    assert option["option_value"] == kept
    assert user.put(f"{path}/{option['id']}", json={"option_value": "in between"}).status_code == 204
    assert user.put(f"{path}/{option['id']}", json=option).status_code == 204
    assert got(user.get(f"{path}/value")) == option
    user.delete(f"{path}/value").raise_for_status()


def test_form_fields(user: Caller, places: dict[str, Place]) -> None:
    path = places["layer"].path
    assert made(user.post(path, data={"name": "a", "value": "b c"}))["option_value"] == "b c"
    user.delete(f"{path}/a").raise_for_status()


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "option_name"),
        ({"option_name": ""}, "option_name"),
        ({"option_name": None}, "option_name"),
        ({"option_name": "x" * 256}, "option_name"),
        ({"option_name": ["x"]}, "option_name"),
        ({"option_name": "a\0b"}, "option_name"),
        ({"option_name": "x", "option_value": "a\0b"}, "option_value"),
        ({"option_name": "x", "option_type": "x" * 41}, "option_type"),
    ],
)
def test_what_cannot_be_an_option(user: Caller, places: dict[str, Place], sent: dict[str, Any], field: str) -> None:
    refused(user.post(places["map"].path, json=sent), 400, field)
    assert got(user.get(places["map"].path))["total"] == 0


def test_a_name_is_taken(user: Caller, places: dict[str, Place]) -> None:
    path = places["map"].path
    first, second = (made(user.post(path, json={"option_name": name}))["id"] for name in ("first", "second"))
    refused(user.put(f"{path}/{second}", json={"option_name": "first"}), 409, "option_name")
    for number in (first, second):
        user.delete(f"{path}/{number}").raise_for_status()


def test_versions(user: Caller, places: dict[str, Place]) -> None:
    path = places["map"].path
    number = made(user.post(path, json={"option_name": "a", "option_value": "1"}))["id"]
    stale = {"If-Match": user.get(f"{path}/a").headers["etag"]}
    assert user.put(f"{path}/a", json={"option_value": "2"}, headers=stale).status_code == 204
    refused(user.put(f"{path}/a", json={"option_value": "3"}, headers=stale), 412)
    refused(user.delete(f"{path}/{number}", headers=stale), 412)
    fresh = user.get(f"{path}/a").headers["etag"]
    assert user.get(f"{path}/a", headers={"If-None-Match": fresh}).status_code == 304
    assert user.delete(f"{path}/{number}", headers={"If-Match": fresh}).status_code == 204


def test_all_are_listed_without_perpage(user: Caller) -> None:
    found = new_map(user)
    path = f"maps/{found['id']}/options"
    for number in range(105):
        user.post(path, json={"name": f"o{number}"}).raise_for_status()
    assert len(got(user.get(path))["data"]) == 105
    page = got(user.get(f"{path}?perpage=100&page=2"))
    assert (page["total"], page["page"], len(page["data"])) == (105, 2, 5)
    assert "total" not in got(user.get(f"{path}?nototal"))


@pytest.mark.parametrize("kind", ["map", "layer", "role", "table", "user"])
@pytest.mark.parametrize(("permission", "read", "edit"), [(None, 404, 404), ("READ", 200, 403), ("EDIT", 200, 204)])
def test_reading_needs_read_and_changing_edit(
    user: Caller,
    other: Caller,
    places: dict[str, Place],
    kind: str,
    permission: str | None,
    read: int,
    edit: int,
) -> None:
    path = places[kind].resource
    number = made(user.post(path, json={"option_name": "a"}))["id"]
    given = share(user, path.split("/")[1], other.username, permission) if permission else None
    paths = [path] if kind == "user" else {path, places[kind].path}
    for one in paths:
        assert [other.get(one).status_code, other.get(f"{one}/{number}").status_code] == [read, read]
        assert other.post(one, json={"option_name": "b"}).status_code == (201 if edit == 204 else edit)
        assert other.put(f"{one}/a", json={"option_value": "x"}).status_code == edit
    assert other.delete(f"{path}/{number}").status_code == edit
    for left in got(user.get(path))["data"]:
        user.delete(f"{path}/{left['id']}").raise_for_status()
    if given is not None:
        user.delete(f"resources/{path.split('/')[1]}/permissions/{given}").raise_for_status()


def test_they_go_with_the_thing(user: Caller) -> None:
    found = new_map(user)
    made(user.post(f"maps/{found['id']}/options", json={"name": "a"}))
    user.delete(f"maps/{found['id']}").raise_for_status()
    refused(user.get(f"resources/{found['resource_id']}/options"), 404)


def test_nobody_has_options(anonymous: Caller) -> None:
    refused(anonymous.get("users/current/options"), 403)
    refused(anonymous.post("users/current/options", json={"name": "a"}), 403)
