"""/roles: groups of users, what is shared with them, and what that brings."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from tests.answers import refused
from tests.people import join, new_role, share_with_role
from tests.server import Caller, Server
from tests.sharing import got, ids, made, new_layer, new_map, new_row, new_table, pages, share, unshare

NUMBERS = itertools.count(1)
FIELDS = {"id", "name", "app_role", "parent_id", "owner_id", "owner_name", "resource_id", "created", "modified"}


@pytest.fixture(scope="module")
def user(server: Server) -> Iterator[Caller]:
    """Who owns the roles."""
    with server.new_user() as caller:
        yield caller


@pytest.fixture(scope="module")
def other(server: Server) -> Iterator[Caller]:
    with server.new_user() as caller:
        yield caller


@pytest.fixture(scope="module")
def third(server: Server) -> Iterator[Caller]:
    with server.new_user() as caller:
        yield caller


def can_share_with(owner: Caller, resource: str, role: dict[str, Any]) -> int:
    sent = {"role_id": role["id"], "permission": "READ"}
    return owner.post(f"resources/{resource}/permissions", json=sent).status_code


def test_a_role_is_made_read_changed_and_deleted(user: Caller, other: Caller) -> None:
    response = user.post("roles", json={"name": "Surveyors"})
    role = made(response)
    assert response.headers["location"] == f"1/roles/{role['id']}"
    assert set(role) == FIELDS
    told = {"name": "Surveyors", "app_role": False, "parent_id": None, "owner_id": user.user_id}
    assert {field: role[field] for field in told} == told
    assert role["owner_name"] == user.username
    path = f"roles/{role['id']}"
    read = user.get(path)
    assert got(read) == role
    changed = user.put(path, json={"name": "Editors", "app_role": "t", "app_instance_id": 147654, "tags": ["a", "b"]})
    assert got(changed) == role | {"name": "Editors", "app_role": True, "app_instance_id": 147654} | {
        "modified": got(changed)["modified"]
    }
    refused(user.put(path, json={"name": "x"}, headers={"If-Match": read.headers["etag"]}), 412)
    refused(user.delete(path, headers={"If-Match": read.headers["etag"]}), 412)
    made(user.post(f"resources/{role['resource_id']}/options", json={"option_name": "o", "option_value": 5}))
    expanded = got(user.get(f"{path}?expand=owner,options,tags,permissions,nonsense"))
    assert expanded["owner"] == {"id": user.user_id, "username": user.username}
    assert [option["option_value"] for option in expanded["options"]] == ["5"]
    assert expanded["tags"] == ["a", "b"]
    assert "OWNER" in expanded["permissions"]
    before = user.get(path).headers["etag"]
    got(user.put("roles", json=expanded))
    assert user.get(path).headers["etag"] == before
    join(user, role["id"], other)
    assert user.delete(path).status_code == 204
    refused(user.get(path), 403)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None),
        ("name", ""),
        ("name", "  "),
        ("name", "x" * 256),
        ("name", ["x"]),
        ("name", "a\0b"),
        ("app_role", "perhaps"),
        ("app_instance_id", "x"),
        ("app_instance_id", 10**30),
        ("tags", {"a": 1}),
        ("tags", [["a"]]),
        ("tags", ["a"] * 101),
        ("parent_id", "x"),
        ("parent_id", 1.5),
    ],
)
def test_what_cannot_be_a_role(user: Caller, field: str, value: Any) -> None:
    role = new_role(user)
    refused(user.post("roles", json={"name": "a role"} | {field: value}), 400, field)
    refused(user.put(f"roles/{role['id']}", json={field: value}), 400, field)
    refused(user.put("roles", json={"name": "no id"}), 400, "id")


def test_who_sees_a_role(server: Server, user: Caller, other: Caller, third: Caller, anonymous: Caller) -> None:
    """Its owner, those in it and below it, those with whom it is shared, and administrators."""
    top = new_role(user, "top")
    middle = new_role(user, "middle", parent_id=top["id"])
    bottom = new_role(user, "bottom", parent_id=middle["id"])
    join(user, middle["id"], other)
    share(user, bottom["resource_id"], third.username, "READ")
    share(user, top["resource_id"], "anonymous", "READ")
    numbers = [top["id"], middle["id"], bottom["id"]]
    with server.new_user(administrator=True) as admin:
        sees = {user: [1, 1, 1], other: [1, 1, 0], third: [1, 0, 1], anonymous: [1, 0, 0], admin: [1, 1, 1]}
        for caller, expected in sees.items():
            assert [caller.get(f"roles/{one}").status_code == 200 for one in numbers] == expected
            assert [one in {role["id"] for role in pages(caller, "roles")} for one in numbers] == expected
            assert [caller.get(f"roles/{one}/users").status_code for one in numbers] == [
                200 if seen else 404 for seen in expected
            ]
        searched = got(user.get("roles?query=MIDD&order_by=name:desc&expand=permissions"))
        assert [(role["id"], "OWNER" in role["permissions"]) for role in searched["data"]] == [(middle["id"], True)]
        assert got(admin.put(f"roles/{bottom['id']}", json={"name": "renamed"}))["name"] == "renamed"
        assert admin.delete(f"roles/{bottom['id']}").status_code == 204


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("number", [0, 10**9, 10**30, None])
def test_those_one_may_not_see(user: Caller, other: Caller, anonymous: Caller, method: str, number: int | None) -> None:
    """Whether they are there is not told."""
    hidden = new_role(user)["id"] if number is None else number
    for caller in (other, anonymous):
        refused(caller.request(method, f"roles/{hidden}"), 403)


def test_making_needs_a_caller_without_limits(server: Server, user: Caller, anonymous: Caller) -> None:
    refused(anonymous.post("roles", json={"name": "x"}), 403)
    role = new_role(user)
    with Caller(server.url, made(user.post("keys", json={"scope": "write"}))["value"]) as limited:
        refused(limited.post("roles", json={"name": "x"}), 403)
        refused(limited.delete(f"roles/{role['id']}"), 403)
        assert limited.put(f"roles/{role['id']}", json={"name": "y"}).status_code == 200


def test_members(user: Caller, other: Caller, third: Caller) -> None:
    role = new_role(user)
    path = f"roles/{role['id']}/users"
    response = user.post(path, json={"username": other.username.upper()})
    assert response.headers["location"] == f"1/{path}/{other.user_id}"
    member = {"id": other.user_id, "username": other.username, "firstname": None, "lastname": None}
    assert made(response) == member
    assert made(user.post(path, json={"user_id": str(other.user_id)})) == member
    listed = got(user.get(path))
    assert (listed["type"], listed["total"], listed["data"]) == ("users", 1, [member])
    assert got(other.get(f"{path}/{other.user_id}")) == member
    for caller, sent in ((user, {"username": "nobody at all"}), (user, {"username": "anonymous"}), (user, {})):
        refused(caller.post(path, json=sent), 400, "username")
    refused(user.post(path, json={"user_id": 10**9}), 400, "user_id")
    refused(other.post(path, json={"user_id": third.user_id}), 403)
    refused(third.post(path, json={"user_id": third.user_id}), 404)
    refused(other.delete(f"{path}/{user.user_id}"), 403)
    refused(user.delete(f"{path}/{third.user_id}"), 404)
    assert role in got(other.get("users/current?expand=roles"))["roles"]
    assert other.delete(f"{path}/{other.user_id}").status_code == 204
    assert got(user.get(path))["data"] == []
    assert role not in got(other.get("users/current?expand=roles"))["roles"]


@pytest.mark.parametrize(
    ("permission", "read", "edit"),
    [(None, 403, 403), ("READ", 200, 403), ("SHARE", 200, 403), ("EDIT", 200, 200), ("OWNER", 200, 200)],
)
def test_what_a_right_to_a_role_brings(
    user: Caller, other: Caller, third: Caller, permission: str | None, read: int, edit: int
) -> None:
    role, below, found = new_role(user), new_role(other), new_map(other)
    if permission is not None:
        share(user, role["resource_id"], other.username, permission)
    path = f"roles/{role['id']}"
    assert other.get(path).status_code == read
    assert other.put(path, json={"name": "renamed"}).status_code == edit
    hidden = permission is None
    parent = other.put(f"roles/{below['id']}", json={"parent_id": role["id"]}).status_code
    assert parent == (404 if hidden else edit)
    assert other.post("roles", json={"name": "x", "parent_id": role["id"]}).status_code == (
        404 if hidden else 201 if edit == 200 else 403
    )
    add = other.post(f"{path}/users", json={"user_id": third.user_id}).status_code
    assert add == (404 if hidden else 201 if edit == 200 else 403)
    assert can_share_with(other, found["resource_id"], role) == (404 if hidden else 201)
    assert other.delete(path).status_code == (204 if edit == 200 else 403)


def test_a_role_never_stands_below_itself(user: Caller) -> None:
    first = new_role(user)
    second = new_role(user, parent_id=first["id"])
    third = new_role(user, parent_id=str(second["id"]))
    for parent in (first, second, third):
        refused(user.put(f"roles/{first['id']}", json={"parent_id": parent["id"]}), 400, "parent_id")
    refused(user.put(f"roles/{first['id']}", json={"parent_id": 10**9}), 404)
    assert got(user.put(f"roles/{third['id']}", json={"parent_id": first["id"]}))["parent_id"] == first["id"]
    assert got(user.put(f"roles/{second['id']}", json={"parent_id": third["id"]}))["parent_id"] == third["id"]
    assert got(user.put(f"roles/{third['id']}", json={"parent_id": None}))["parent_id"] is None
    refused(user.put(f"roles/{third['id']}", json={"parent_id": second["id"]}), 400, "parent_id")


def test_those_below_a_deleted_role_come_below_the_one_above(user: Caller) -> None:
    first = new_role(user)
    second = new_role(user, parent_id=first["id"])
    third = new_role(user, parent_id=second["id"])
    assert user.delete(f"roles/{second['id']}").status_code == 204
    assert got(user.get(f"roles/{third['id']}"))["parent_id"] == first["id"]


def test_sharing_with_a_role(user: Caller, other: Caller, third: Caller) -> None:
    number = next(NUMBERS)
    role, found = new_role(user, f"team {number}"), new_map(user)
    join(user, role["id"], other)
    path = f"resources/{found['resource_id']}/permissions"
    response = user.post(path, json={"role_id": str(role["id"]), "permission": "EDIT"})
    given = made(response)
    assert response.headers["location"] == f"1/{path}/{given['id']}"
    assert given == {
        "id": given["id"],
        "resource_id": found["resource_id"],
        "user_id": None,
        "dependency_option_id": None,
        "username": None,
        "permission": "EDIT",
        "role_id": str(role["id"]),
        "role": role["name"],
    }
    assert made(user.post(path, json={"role": role["name"], "permission": "EDIT"})) == given
    assert got(user.get(f"{path}/{given['id']}")) == given
    of_role = {
        "permissions": [{"type": "EDIT", "share_id": given["id"]}],
        "role": role["name"],
        "role_id": str(role["id"]),
    }
    assert of_role in got(user.get(path))["data"]
    assert len(got(user.get(path))["data"]) == 2
    # Who may only edit sees what holds for them; so does everybody else in the role.
    assert got(other.get(path))["data"] == [of_role]
    refused(third.get(path), 404)
    refused(other.delete(f"{path}/{given['id']}"), 403)
    assert got(other.put(f"maps/{found['id']}", json={"name": "by a member"}))["name"] == "by a member"
    assert found["id"] in ids(other, "maps?type=shared")
    assert found["id"] not in ids(other, "maps?type=private,public")
    sharing = got(other.get(f"maps/{found['id']}/sharing"))
    assert sharing == {
        "id": found["id"],
        "resource_id": found["resource_id"],
        "public": False,
        "permissions": [of_role],
    }
    assert user.delete(f"{path}/{given['id']}").status_code == 204
    refused(other.get(f"maps/{found['id']}"), 404)


def test_roles_that_cannot_be_shared_with(user: Caller, other: Caller) -> None:
    name = f"namesake {next(NUMBERS)}"
    hidden, found = new_role(other, name), new_map(user)
    path = f"resources/{found['resource_id']}/permissions"
    refused(user.post(path, json={"role_id": hidden["id"], "permission": "READ"}), 404)
    refused(user.post(path, json={"role_id": 10**9, "permission": "READ"}), 400, "role_id")
    refused(user.post(path, json={"role_id": "x", "permission": "READ"}), 400, "role_id")
    # Whether others have a role of that name is not told.
    refused(user.post(path, json={"role": name, "permission": "READ"}), 400, "role")
    new_role(user, name)
    assert made(user.post(path, json={"role": name, "permission": "READ"}))["role"] == name
    second = new_role(user, name)
    assert (
        str(second["id"])
        in refused(user.post(path, json={"role": name, "permission": "READ"}), 400, "role")["expected"]
    )


def test_what_is_shared_with_a_role_holds_for_those_below_not_above(user: Caller, other: Caller, third: Caller) -> None:
    """``other`` is in the role at the bottom, ``third`` in the one at the top."""
    top = new_role(user)
    middle = new_role(user, parent_id=top["id"])
    bottom = new_role(user, parent_id=middle["id"])
    join(user, bottom["id"], other)
    join(user, top["id"], third)
    found = new_map(user)
    given = share_with_role(user, found["resource_id"], middle["id"], "READ")
    assert (other.get(f"maps/{found['id']}").status_code, third.get(f"maps/{found['id']}").status_code) == (200, 404)
    unshare(user, found["resource_id"], given)
    share_with_role(user, found["resource_id"], top["id"], "READ")
    assert (other.get(f"maps/{found['id']}").status_code, third.get(f"maps/{found['id']}").status_code) == (200, 200)


def test_data_shown_by_the_right_of_a_role(user: Caller, other: Caller, third: Caller) -> None:
    """What a role may do with a table holds for the layers that those in it make of it, as long as they are in it."""
    name = f"of_a_role_{next(NUMBERS)}"
    role, table = new_role(user), new_table(user, name)
    new_row(user, name, name="here")
    join(user, role["id"], other)
    share_with_role(user, table["resource_id"], role["id"], "SHARE")
    found = new_map(other)
    layer = new_layer(other, found["id"], f"usrsch{user.user_id}.{name}")
    share(other, found["resource_id"], third.username, "READ")
    assert len(got(third.get(f"layers/{layer['id']}/features"))["data"]) == 1
    assert user.delete(f"roles/{role['id']}/users/{other.user_id}").status_code == 204
    refused(third.get(f"layers/{layer['id']}/features"), 403)
    refused(other.get(f"layers/{layer['id']}/features"), 403)


def test_the_last_owner(user: Caller, other: Caller) -> None:
    """A role may be that; then its share stays, and so does the role."""
    role, found = new_role(user), new_map(user)
    path = f"resources/{found['resource_id']}/permissions"
    own = got(user.get(path))["data"][0]["permissions"][0]["share_id"]
    refused(user.delete(f"{path}/{own}"), 409)
    given = share_with_role(user, found["resource_id"], role["id"], "OWNER")
    join(user, role["id"], user)
    assert user.delete(f"{path}/{own}").status_code == 204
    assert user.get(f"maps/{found['id']}").status_code == 200
    refused(user.delete(f"{path}/{given}"), 409)
    refused(user.delete(f"roles/{role['id']}"), 409)
    share(user, found["resource_id"], other.username, "OWNER")
    assert user.delete(f"roles/{role['id']}").status_code == 204
    refused(user.get(f"maps/{found['id']}"), 404)
    assert other.get(f"maps/{found['id']}").status_code == 200


def test_what_is_behind_a_resource(user: Caller) -> None:
    """What is behind a resource is told by its type."""
    role = new_role(user)
    account = got(user.get("users/current"))
    expected = {
        role["resource_id"]: {"type": "role", "role_id": str(role["id"])},
        account["resource_id"]: {"type": "user", "user_id": str(user.user_id)},
    }
    for resource, told in expected.items():
        found = got(user.get(f"resources/{resource}"))
        assert told.items() <= found.items()
