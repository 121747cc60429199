"""/users: who sees, makes, changes and deletes accounts, and what is told of them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.answers import refused
from tests.people import join, new_role, share_with_role
from tests.server import PASSWORD, Caller, Server
from tests.sharing import (
    account_of,
    feature_ids,
    got,
    made,
    new_feature,
    new_file_layer,
    new_layer,
    new_map,
    new_row,
    new_table,
    pages,
    share,
    upload,
)

from graticule.actions import keys
from graticule.backend import open_backend
from graticule.catalogue.access import Actor

NUMBERS = itertools.count(1)
FIELDS = {
    "id", "username", "email", "active", "firstname", "lastname", "created", "modified", "lastlog", "owner_id",
    "mobile", "web", "phone", "file_feature_count", "db_feature_count", "storage_raster", "storage_total",
    "feature_count_limit", "storage_raster_limit", "resource_id", "oidc", "administrator",
}  # fmt: skip
PERSON = {
    "email": "jöhn@example.com",
    "firstname": "John",
    "lastname": "Smith",
    "mobile": "+38199123456",
    "web": "www.example.com",
    "phone": "+38199123457",
}


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[Caller]:
    with server.new_user(administrator=True) as caller:
        yield caller


@pytest.fixture(scope="module")
def user(server: Server) -> Iterator[Caller]:
    with server.new_user() as caller:
        yield caller


@pytest.fixture(scope="module")
def other(server: Server) -> Iterator[Caller]:
    with server.new_user() as caller:
        yield caller


@pytest.fixture
def newcomer(server: Server, admin: Caller) -> Iterator[Caller]:
    """A user that an administrator has just made, with a key and no password yet."""
    user = made(admin.post("users", json={"username": new_name()}))
    backend = open_backend(server.settings)
    try:
        key = keys.create_key(backend, Actor(user["id"], user["username"])).value
    finally:
        backend.close()
    with Caller(server.url, key, user["username"], user["id"]) as caller:
        yield caller


def set_password(admin: Caller, user: Caller) -> None:
    got(admin.put(f"users/{user.user_id}", json={"password": PASSWORD}))


def new_name() -> str:
    return f"newcomer{next(NUMBERS)}_{os.getpid()}"


def name_and_password(server: Server, username: str, password: str) -> int:
    """What signing in with them answers."""
    headers = {"api-username": username, "api-password": password}
    return httpx.post(f"{server.url}/1/keys", headers=headers, timeout=60).status_code


def test_an_administrator_makes_a_user(server: Server, admin: Caller) -> None:
    name = new_name()
    response = admin.post("users", json={"username": name, "password": "a password of theirs", **PERSON})
    user = made(response)
    assert response.headers["location"] == f"1/users/{user['id']}"
    assert set(user) == FIELDS
    assert {field: user[field] for field in PERSON} == PERSON
    told = {"username": name, "active": True, "owner_id": admin.user_id, "oidc": False, "administrator": False}
    assert {field: user[field] for field in told} == told
    assert user["created"] == user["modified"]
    assert "a password of theirs" not in response.text
    assert got(admin.get(f"users/{user['id']}")) == user
    assert name_and_password(server, name.upper(), "a password of theirs") == 201
    assert isinstance(got(admin.get(f"users/{user['id']}"))["lastlog"], int)


def test_one_without_a_password_cannot_sign_in_yet(server: Server, admin: Caller) -> None:
    user = made(admin.post("users", json={"username": new_name()}))
    assert name_and_password(server, user["username"], "") == 403
    got(admin.put(f"users/{user['id']}", json={"password": "the first password"}))
    assert name_and_password(server, user["username"], "the first password") == 201


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("username", None, 400),
        ("username", "", 400),
        ("username", "two words", 400),
        ("username", "x" * 101, 400),
        ("username", ["x"], 400),
        ("username", "Anonymous", 409),
        ("email", "nobody", 400),
        ("email", "a" * 250 + "@example.com", 400),
        ("firstname", "x" * 256, 400),
        ("phone", {"a": 1}, 400),
        ("web", "a\0b", 400),
        ("active", "perhaps", 400),
        ("password", "short", 400),
        ("password", "x" * 2000, 400),
        ("password", 12345678, 400),
    ],
)
def test_what_cannot_be_a_user(admin: Caller, user: Caller, field: str, value: Any, status: int) -> None:
    refused(admin.post("users", json={"username": new_name()} | {field: value}), status, field)
    if (field, value) != ("username", "Anonymous"):
        refused(admin.put(f"users/{user.user_id}", json={field: value}), status, field)


def test_a_name_is_taken_whatever_its_case(admin: Caller, user: Caller, newcomer: Caller) -> None:
    refused(admin.post("users", json={"username": user.username.upper()}), 409, "username")
    refused(newcomer.put(f"users/{newcomer.user_id}", json={"username": user.username.upper()}), 409, "username")
    renamed = got(newcomer.put(f"users/{newcomer.user_id}", json={"username": newcomer.username.upper()}))
    assert renamed["username"] == newcomer.username.upper()


def test_only_administrators_make_users(user: Caller, anonymous: Caller) -> None:
    for caller in (user, anonymous):
        refused(caller.post("users", json={"username": new_name(), "password": PASSWORD}), 403)


def test_who_is_listed(admin: Caller, user: Caller, other: Caller, anonymous: Caller) -> None:
    names = [one["username"] for one in pages(admin, "users")]
    assert {admin.username, user.username, other.username} <= set(names)
    assert "anonymous" not in names
    assert [one["id"] for one in pages(user, "users")] == [user.user_id]
    own = got(user.get("users/current"))
    share(user, own["resource_id"], other.username, "READ")
    assert [one["id"] for one in pages(other, "users")] == sorted([user.user_id, other.user_id])
    searched = got(other.get(f"users?query={user.username[:-1]}&order_by=username:desc&perpage=1&expand=options,roles"))
    assert (searched["type"], searched["total"], searched["page"]) == ("users", 1, 1)
    assert set(searched["data"][0]) == FIELDS | {"options", "roles"}
    assert user.user_id not in {one["id"] for one in pages(anonymous, "users")}
    refused(user.get("users?order_by=password_hash"), 400, "order_by")
    refused(admin.get("users?query=x&query_on=password_hash"), 400, "query_on")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("which", ["another's", "nobody's", "anonymous", "huge"])
def test_those_one_may_not_see(admin: Caller, newcomer: Caller, anonymous: Caller, method: str, which: str) -> None:
    """Whether they are there is not told."""
    number = {"another's": admin.user_id, "nobody's": 10**9, "anonymous": 0, "huge": 10**30}[which]
    for caller in (newcomer, anonymous):
        sent = {"json": {"username": "x"}} if method == "PUT" else {}
        refused(caller.request(method, f"users/{number}", **sent), 403)
    if which != "another's":
        refused(admin.request(method, f"users/{number}"), 403)


def test_current(user: Caller, anonymous: Caller) -> None:
    found = got(user.get("users/current.json?expand=options,roles"))
    assert found["id"] == str(user.user_id)
    assert set(found) == FIELDS | {"options", "roles"}
    assert {**got(user.get(f"users/{user.user_id}")), "id": found["id"]} == got(user.get("users/current"))
    refused(anonymous.get("users/current"), 403)


def test_subscriptions(user: Caller, anonymous: Caller) -> None:
    (one,) = got(user.get("users/current/subscriptions"))["data"]
    assert one == {"app_instance_id": "100004", "type": 20, "active": "t", "ends": None}
    refused(anonymous.get("users/current/subscriptions"), 403)


def test_a_user_changes_what_is_told_of_them(newcomer: Caller) -> None:
    path = f"users/{newcomer.user_id}"
    before = newcomer.get(path)
    changed = got(newcomer.put(path, json=PERSON))
    assert {field: changed[field] for field in PERSON} == PERSON
    assert got(newcomer.put("users", json={"id": newcomer.user_id, "phone": None}))["phone"] is None
    refused(newcomer.put("users", json={"phone": "1"}), 400, "id")
    stale = {"If-Match": before.headers["etag"]}
    refused(newcomer.put(path, json={"web": "x"}, headers=stale), 412)
    refused(newcomer.delete(path, headers=stale), 412)
    fresh = {"If-Match": newcomer.get(path).headers["etag"]}
    assert newcomer.get(path, headers={"If-None-Match": fresh["If-Match"]}).status_code == 304
    assert newcomer.put(path, json={"web": "x"}, headers=fresh).status_code == 200
    program = {"X-GIS-CLOUD-APP": "QGISPublisher/3.2"}
    assert newcomer.put(path, json={"web": "y"}, headers=program).status_code == 204


def test_what_was_read_sent_back_changes_nothing(newcomer: Caller) -> None:
    for path in ("users/current", f"users/{newcomer.user_id}"):
        found = newcomer.get(f"{path}?expand=options,roles")
        newcomer.put(path, json=found.json()).raise_for_status()
        assert newcomer.get(f"{path}?expand=options,roles").headers["etag"] == found.headers["etag"]


@pytest.mark.parametrize("field", ["active", "administrator"])
def test_what_a_user_may_not_change(newcomer: Caller, admin: Caller, field: str) -> None:
    path = f"users/{newcomer.user_id}"
    value = not got(newcomer.get(path))[field]
    refused(newcomer.put(path, json={field: value}), 403)
    assert got(admin.put(path, json={field: value}))[field] is value


def test_fields_of_the_server_s_are_ignored(newcomer: Caller) -> None:
    path = f"users/{newcomer.user_id}"
    before = got(newcomer.get(path))
    sent = dict.fromkeys(("owner_id", "resource_id", "created", "modified", "storage_total", "oidc", "nonsense"), 5)
    assert got(newcomer.put(path, json=sent | {"id": 5})) == before


@pytest.mark.parametrize(
    ("permission", "told", "signing_in"),
    [("READ", 403, 403), ("EDIT", 200, 403), ("EDIT_WITH_SHARE", 200, 403), ("OWNER", 200, 403)],
)
def test_who_may_edit_an_account_cannot_take_it_over(
    newcomer: Caller, other: Caller, permission: str, told: int, signing_in: int
) -> None:
    path = f"users/{newcomer.user_id}"
    share(newcomer, got(newcomer.get(path))["resource_id"], other.username, permission)
    assert other.get(path).status_code == 200
    assert other.put(path, json={"firstname": "Jane"}).status_code == told
    for sent in ({"password": "taken over by me"}, {"email": "me@example.com"}, {"username": new_name()}):
        assert other.put(path, json=sent).status_code == signing_in
    assert other.put(path, json={"active": False}).status_code == 403


def test_another_password_ends_sessions(server: Server, admin: Caller, newcomer: Caller) -> None:
    set_password(admin, newcomer)
    with httpx.Client(base_url=server.url, timeout=60) as browser:
        origin = {"Origin": server.url}
        sent = {"username": newcomer.username, "password": PASSWORD}
        assert browser.post("/login", data=sent, headers=origin).status_code == 303
        assert browser.get("/1/users/current").status_code == 200
        got(newcomer.put(f"users/{newcomer.user_id}", json={"password": "quite another one"}))
        assert browser.get("/1/users/current").status_code == 403
    assert name_and_password(server, newcomer.username, PASSWORD) == 403
    assert name_and_password(server, newcomer.username, "quite another one") == 201


def test_a_user_who_is_not_active_is_refused_at_once(server: Server, admin: Caller, newcomer: Caller) -> None:
    set_password(admin, newcomer)
    with httpx.Client(base_url=server.url, timeout=60) as browser:
        sent = {"username": newcomer.username, "password": PASSWORD}
        assert browser.post("/login", data=sent, headers={"Origin": server.url}).status_code == 303
        session = {"api-sessid": browser.cookies["graticule_session"]}
        assert httpx.get(f"{server.url}/1/maps", headers=session, timeout=60).status_code == 200
        got(admin.put(f"users/{newcomer.user_id}", json={"active": "f"}))
        assert httpx.get(f"{server.url}/1/maps", headers=session, timeout=60).status_code == 403
        assert browser.get("/1/users/current").status_code == 403
    refused(newcomer.get("maps"), 403)
    assert name_and_password(server, newcomer.username, PASSWORD) == 403
    got(admin.put(f"users/{newcomer.user_id}", json={"active": "t"}))
    assert newcomer.get("maps").status_code == 200


def test_limited_keys_do_not_get_round_their_limits(server: Server, admin: Caller) -> None:
    key = made(admin.post("keys", json={"scope": "write"}))["value"]
    user = made(admin.post("users", json={"username": new_name(), "password": PASSWORD}))
    with Caller(server.url, key) as limited:
        refused(limited.post("users", json={"username": new_name()}), 403)
        refused(limited.put(f"users/{admin.user_id}", json={"password": "for myself alone"}), 403)
        refused(limited.put(f"users/{user['id']}", json={"administrator": True}), 403)
        refused(limited.delete(f"users/{user['id']}"), 403)
        assert limited.put(f"users/{user['id']}", json={"firstname": "Jane"}).status_code == 200


def test_what_an_account_holds(newcomer: Caller) -> None:
    def held() -> list[int]:
        found = got(newcomer.get("users/current"))
        names = ("file_feature_count", "db_feature_count", "storage_raster", "storage_total")
        return [found[name] for name in names]

    assert held() == [0, 0, 0, 0]
    points = b"name,lat,lon\na,1,2\nb,3,4\n"
    upload(newcomer, "deep/folder", a__csv=points, b__tif=b"12345", c__TIF=b"123")
    new_table(newcomer)
    rows = [new_row(newcomer, "places") for _ in range(3)]
    new_file_layer(newcomer, new_map(newcomer)["id"], "/deep/folder/a.csv")
    assert held() == [2, 3, 8, len(points) + 8]
    newcomer.delete(f"tables/places/rows/{rows[0]}").raise_for_status()
    newcomer.delete("storage/fs/deep/folder/b.tif").raise_for_status()
    assert held() == [2, 2, 3, len(points) + 3]


def make_map(user: Caller, other: Caller) -> None:
    new_map(user)


def make_layer(user: Caller, other: Caller) -> None:
    found = new_map(other)
    share(other, found["resource_id"], user.username, "EDIT")
    made(user.post("layers", json={"mid": found["id"], "type": "folder", "name": "a folder"}))


def make_table(user: Caller, other: Caller) -> None:
    new_table(user)


def make_file(user: Caller, other: Caller) -> None:
    upload(user, "", a__txt=b"a")


def make_role(user: Caller, other: Caller) -> None:
    join(user, new_role(user)["id"], other)


def make_datasource(user: Caller, other: Caller) -> None:
    """On a layer of another's too."""
    source = made(user.post("datasources", json={"type": 70, "params": {"url": "https://example.com/wfs"}}))
    share(user, source["resource_id"], other.username, "READ")
    sent = {"mid": new_map(other)["id"], "type": "folder", "datasource_id": source["id"]}
    made(other.post("layers", json=sent))


def make_form(user: Caller, other: Caller) -> None:
    form = made(user.post("forms", json={"name": "a form"}))
    share(user, form["resource_id"], other.username, "READ")
    layer = made(other.post("layers", json={"mid": new_map(other)["id"], "type": "folder", "name": "with a form"}))
    other.put(f"layers/{layer['id']}/forms/{form['id']}").raise_for_status()


def take_over(user: Caller, other: Caller) -> str:
    """A map of another's that nobody else owns any more."""
    found = new_map(other)
    share(other, found["resource_id"], user.username, "OWNER")
    own = got(other.get(f"resources/{found['resource_id']}/permissions"))["data"][0]["permissions"][0]["share_id"]
    assert other.delete(f"resources/{found['resource_id']}/permissions/{own}").status_code == 204
    return str(found["id"])


def take_over_by_role(user: Caller, other: Caller) -> str:
    """The same by a role, which goes with the user."""
    found, role = new_map(other), new_role(user)
    join(user, role["id"], other)
    share_with_role(other, found["resource_id"], role["id"], "OWNER")
    own = got(other.get(f"resources/{found['resource_id']}/permissions"))["data"][0]["permissions"][0]["share_id"]
    assert other.delete(f"resources/{found['resource_id']}/permissions/{own}").status_code == 204
    return str(found["id"])


def register(user: Caller, other: Caller) -> None:
    sent = {"name": "a program", "redirect_uri": "https://example.com"}
    client = made(user.post("oauth2_clients", json=sent))["id"]
    made(other.post("userapprovedapps", json={"client_id": client}))


@pytest.mark.parametrize(
    "make",
    [
        make_map,
        make_layer,
        make_table,
        make_file,
        make_role,
        make_datasource,
        make_form,
        take_over,
        take_over_by_role,
        register,
    ],
)
def test_who_owns_something_is_not_deleted(
    admin: Caller, newcomer: Caller, other: Caller, make: Callable[[Caller, Caller], str | None]
) -> None:
    left = make(newcomer, other)
    path = f"users/{newcomer.user_id}"
    assert "still owns" in refused(admin.delete(path), 409, "force")["msg"]
    refused(newcomer.delete(path), 409, "force")
    refused(newcomer.delete(f"{path}?force=true"), 403)
    assert newcomer.get("users/current").status_code == 200
    assert admin.delete(f"{path}?force=true").status_code == 204
    refused(newcomer.get("maps"), 403)
    refused(admin.get(path), 403)
    if left is not None:
        assert "OWNER" in got(other.get(f"maps/{left}?expand=permissions"))["permissions"]


def test_a_deleted_user_is_gone(server: Server, admin: Caller, newcomer: Caller, other: Caller) -> None:
    set_password(admin, newcomer)
    found = new_map(other)
    share(other, found["resource_id"], newcomer.username, "EDIT")
    role = new_role(other)
    join(other, role["id"], newcomer)
    made(newcomer.post("users/current/options", json={"name": "a", "value": "b"}))
    assert newcomer.delete(f"users/{newcomer.user_id}").status_code == 204
    refused(newcomer.get("maps"), 403)
    assert name_and_password(server, newcomer.username, PASSWORD) == 403
    assert [one["username"] for one in got(other.get(f"resources/{found['resource_id']}/permissions"))["data"]] == [
        other.username
    ]
    assert got(other.get(f"roles/{role['id']}/users"))["data"] == []
    again = made(admin.post("users", json={"username": newcomer.username}))
    assert again["id"] > newcomer.user_id
    assert not (server.data / "accounts" / str(newcomer.user_id)).exists()


def test_forced_nothing_is_left_broken(admin: Caller, newcomer: Caller, other: Caller) -> None:
    """On another's map: a layer of the user's on data of the user's, and another's layer on it; and the other way."""
    theirs, own = new_map(other), new_map(newcomer)
    share(other, theirs["resource_id"], newcomer.username, "EDIT")
    share(newcomer, own["resource_id"], other.username, "EDIT")
    table = new_table(newcomer, "gone")
    new_row(newcomer, "gone")
    share(newcomer, table["resource_id"], other.username, "OWNER")
    name = f"usrsch{newcomer.user_id}.gone"
    layers = [
        new_layer(newcomer, theirs["id"], "gone"),
        new_layer(other, theirs["id"], name),
        new_layer(other, own["id"], name),
    ]
    new_table(other, f"stays_{newcomer.user_id}")
    stays = new_layer(other, theirs["id"], f"stays_{newcomer.user_id}")
    feature = new_feature(other, stays["id"])
    assert admin.delete(f"users/{newcomer.user_id}?force=true").status_code == 204
    left = {one["id"]: one for one in got(other.get(f"maps/{theirs['id']}/layers?expand=columns,options"))["data"]}
    assert set(left) == {layers[0]["id"], layers[1]["id"], stays["id"]}
    for layer in layers[:2]:
        assert (left[layer["id"]]["status"], left[layer["id"]]["owner"]) == ("error", str(other.user_id))
        refused(other.get(f"layers/{layer['id']}/features"), 409)
    assert feature_ids(other, stays["id"]) == [feature]
    assert other.get(f"maps/{theirs['id']}/render.png?width=16&height=16").status_code == 200
    refused(other.get(f"maps/{own['id']}"), 404)
    refused(other.get(f"tables/{name}"), 404)
    assert other.delete(f"maps/{theirs['id']}").status_code == 200


def test_paths_of_a_deleted_account_lead_nowhere(admin: Caller, newcomer: Caller, other: Caller) -> None:
    upload(newcomer, "", a__txt=b"a")
    path = f"storage/fs/{account_of(newcomer)}/a.txt"
    assert admin.delete(f"users/{newcomer.user_id}?force=true").status_code == 204
    refused(other.get(path), 404)
