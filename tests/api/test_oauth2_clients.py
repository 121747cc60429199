"""/oauth2_clients and /userapprovedapps: programs that may act for users."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator

import pytest
from tests.answers import refused
from tests.server import Caller, Server
from tests.sharing import got, made

PROGRAM = {"name": "New app", "redirect_uri": "https://my.redirecturi.com"}


@pytest.fixture(scope="module")
def user(server: Server) -> Iterator[Caller]:
    with server.new_user() as caller:
        yield caller


@pytest.fixture(scope="module")
def other(server: Server) -> Iterator[Caller]:
    with server.new_user() as caller:
        yield caller


@pytest.fixture(scope="module")
def limited(server: Server, user: Caller) -> Iterator[Caller]:
    """The user, by a key that may change things."""
    with Caller(server.url, made(user.post("keys", json={"scope": "write"}))["value"]) as caller:
        yield caller


def test_a_program_is_registered_read_and_taken_off(server: Server, user: Caller, other: Caller) -> None:
    response = user.post("oauth2_clients", json=PROGRAM | {"description": "my app"})
    client = made(response)
    assert set(client) == {"id", "client_id", "client_secret", "redirect_uri", "owner", "name", "description"}
    assert re.fullmatch("[0-9a-f]{20}", client["client_id"])
    assert (client["owner"], client["name"], client["description"]) == (user.user_id, "New app", "my app")
    path = f"oauth2_clients/{client['id']}"
    assert response.headers["location"] == f"1/{path}"
    read = user.get(path)
    assert got(read) == client
    listed = got(user.get("oauth2_clients?order_by=id:desc&query=new&perpage=1"))
    assert (listed["type"], listed["data"]) == ("oauth2_clients", [client])
    refused(other.get(path), 404)
    refused(other.delete(path), 404)
    assert client not in got(other.get("oauth2_clients"))["data"]
    with sqlite3.connect(server.data / "catalogue.sqlite") as catalogue:
        (kept,) = catalogue.execute("SELECT secret FROM oauth_clients WHERE id = ?", (client["id"],)).fetchone()
    assert client["client_secret"] not in kept
    refused(user.delete(path, headers={"If-Match": '"7-x"'}), 412)
    assert user.delete(path, headers={"If-Match": read.headers["etag"]}).status_code == 204
    refused(user.get(path), 404)


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://example.com/back?a=b", True),
        ("http://127.0.0.1:8123/callback", True),
        ("http://localhost/callback", True),
        ("com.example.app:/callback", True),
        ("http://example.com/back", False),
        ("https://example.com/back#part", False),
        ("https://somebody:secret@example.com/", False),
        ("https://", False),
        ("https://example.com:99999/", False),
        ("https://example.com/a b", False),
        ("https://example.com\\@evil.example", False),
        ("https://exämple.com/", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("/relative", False),
        ("https://example.com/" + "x" * 2000, False),
    ],
)
def test_where_a_program_may_be_told(user: Caller, address: str, good: bool) -> None:
    response = user.post("oauth2_clients", json=PROGRAM | {"redirect_uri": address})
    if good:
        assert made(response)["redirect_uri"] == address
    else:
        refused(response, 400, "redirect_uri")


@pytest.mark.parametrize("field", ["name", "redirect_uri"])
def test_what_a_program_needs(user: Caller, field: str) -> None:
    for bad in (None, "", ["x"], {"a": 1}):
        refused(user.post("oauth2_clients", json=PROGRAM | {field: bad}), 400, field)
    refused(user.post("oauth2_clients", json={}), 400)


def test_approving(user: Caller, other: Caller) -> None:
    client = made(user.post("oauth2_clients", json=PROGRAM))
    response = other.post("userapprovedapps", json={"client_id": client["id"]})
    approval = made(response)
    assert approval == {"id": approval["id"], "uid": other.user_id, "client_id": client["id"]}
    path = f"userapprovedapps/{approval['id']}"
    assert response.headers["location"] == f"1/{path}"
    refused(other.post("userapprovedapps", json={"client_id": client["id"]}), 409, "client_id")
    refused(other.post("userapprovedapps", json={"client_id": client["client_id"]}), 409, "client_id")
    assert got(other.get(path)) == approval
    listed = got(other.get("userapprovedapps?order_by=uid,id:desc"))
    assert (listed["type"], listed["data"][0]) == ("userapprovedapps", approval)
    refused(user.get(path), 404)
    refused(user.delete(path), 404)
    assert other.delete(path).status_code == 204
    refused(other.get(path), 404)
    assert made(other.post("userapprovedapps", json={"client_id": client["client_id"]}))["client_id"] == client["id"]
    # With the program its approvals go.
    user.delete(f"oauth2_clients/{client['id']}").raise_for_status()
    assert client["id"] not in {one["client_id"] for one in got(other.get("userapprovedapps"))["data"]}


@pytest.mark.parametrize(
    ("value", "status"),
    [(None, 400), ("x", 400), ([1], 400), (10**30, 400), (10**9, 404), ("1c6f218d947914c913ff", 404)],
)
def test_what_cannot_be_approved(user: Caller, value: object, status: int) -> None:
    refused(user.post("userapprovedapps", json={"client_id": value}), status, "client_id")


def test_a_limited_key_makes_no_program_and_sees_no_secret(user: Caller, limited: Caller) -> None:
    client = made(user.post("oauth2_clients", json=PROGRAM))
    approval = made(user.post("userapprovedapps", json={"client_id": client["id"]}))
    refused(limited.post("oauth2_clients", json=PROGRAM), 403)
    refused(limited.delete(f"oauth2_clients/{client['id']}"), 403)
    refused(limited.post("userapprovedapps", json={"client_id": client["id"]}), 403)
    refused(limited.delete(f"userapprovedapps/{approval['id']}"), 403)
    assert got(limited.get(f"oauth2_clients/{client['id']}")) == client | {"client_secret": None}
    assert client["client_secret"] not in limited.get("oauth2_clients?perpage=1000").text


@pytest.mark.parametrize("path", ["oauth2_clients", "userapprovedapps"])
def test_callers_without_a_key(anonymous: Caller, path: str) -> None:
    for answer in (anonymous.get(path), anonymous.post(path, json=PROGRAM), anonymous.get(f"{path}/1")):
        refused(answer, 403)
