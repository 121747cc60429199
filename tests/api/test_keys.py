"""Keys and the caller (the contract, section 7)."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.answers import refused
from tests.server import PASSWORD, Caller, Server
from tests.sharing import got, made, new_layer, new_map, new_table

from graticule.actions import users
from graticule.backend import open_backend

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d")


def with_key(server: Server, key: str) -> Caller:
    return Caller(server.url, key)


def test_a_new_key(server: Server, user: Caller) -> None:
    response = user.post("keys.json", json={"key_desc": "upload", "scope": "qgis"})
    key = made(response)
    assert response.headers["location"] == f"1/keys/{key['id']}"
    assert re.fullmatch("[0-9a-f]{32}", key["value"])
    assert key["key"] == key["value"]
    assert key["key_trunc"] == key["value"][-6:]
    assert (key["key_desc"], key["active"], key["accessed"]) == ("upload", "t", None)
    assert TIMESTAMP.fullmatch(key["created"])
    with with_key(server, key["value"]) as caller:
        assert got(caller.get("users/current"))["username"] == user.username
    told = got(user.get(f"keys/{key['id']}"))
    assert TIMESTAMP.fullmatch(told["accessed"])
    assert {name: told[name] for name in ("id", "key", "key_desc", "key_trunc", "active")} == {
        name: key[name] for name in ("id", "key", "key_desc", "key_trunc", "active")
    }
    listed = got(user.get("keys"))
    assert (listed["type"], listed["total"], len(listed["data"])) == ("keys", 2, 2)
    assert listed["data"][1] == told


@pytest.mark.parametrize("path", ["keys/{}", "keys/rows/{}", "keys/{}.json"])
def test_revoking_a_key(server: Server, user: Caller, path: str) -> None:
    key = made(user.post("keys"))
    with with_key(server, key["value"]) as caller:
        assert caller.get("maps").status_code == 200
        assert user.delete(path.format(key["id"])).status_code == 204
        refused(caller.get("maps"), 403)
    refused(user.get(f"keys/{key['id']}"), 404)
    refused(user.delete(path.format(key["id"])), 404)


@pytest.mark.parametrize("place", ["headers", "query"])
def test_a_key_by_password(server: Server, user: Caller, place: str) -> None:
    with server.anonymous() as caller:
        if place == "headers":
            sent: dict[str, Any] = {"headers": {"api-username": user.username, "api-password": PASSWORD}}
            wrong: dict[str, Any] = {"headers": {"api-username": user.username, "api-password": "wrong"}}
        else:
            sent = {"params": {"api_username": user.username.upper(), "api_password": PASSWORD}}
            wrong = {"params": {"api_username": user.username, "api_password": ""}}
        key = made(caller.post("keys", **sent))["value"]
        assert refused(caller.post("keys", **wrong), 403)["msg"]
        assert caller.post("keys", **wrong).json()["msg"] == "Forbidden"
        refused(caller.post("keys"), 403)
        refused(caller.post("keys", headers={"api-username": "nobody at all", "api-password": PASSWORD}), 403)
        refused(caller.post("keys", headers={"api-username": "anonymous", "api-password": ""}), 403)
    with with_key(server, key) as caller:
        assert got(caller.get("users/current"))["username"] == user.username


def test_wrong_passwords_slow_one_down(server: Server, user: Caller) -> None:
    with server.anonymous() as caller:
        wrong = {"api-username": user.username, "api-password": "wrong"}
        answers = [caller.post("keys", headers=wrong) for _ in range(8)]
    assert [answer.status_code for answer in answers][:5] == [403] * 5
    slowed = [answer for answer in answers if answer.status_code == 429]
    assert slowed
    assert int(slowed[0].headers["retry-after"]) > 0
    refused(slowed[0], 429)


def tries(server: Server, username: str, times: int, password: str = "wrong") -> list[int]:
    """The answers to so many tries to sign in at the same time."""
    sent = {"api-username": username, "api-password": password}

    def one(_: int) -> int:
        return httpx.post(f"{server.url}/1/keys", headers=sent, timeout=60).status_code

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_wrong_passwords_at_the_same_time_are_no_more_tries(server: Server, user: Caller) -> None:
    answers = tries(server, user.username, 14)
    assert set(answers) == {403, 429}
    # After five there may be another one a second later, and then two seconds later.
    assert answers.count(403) <= 7


def test_wrong_passwords_are_counted_together_by_all_processes(tmp_path: Path) -> None:
    several = Server(tmp_path, workers=2)
    with several.new_user() as caller:
        try:
            several.start()
            assert tries(several, caller.username, 14).count(403) <= 7
        finally:
            several.stop()


def test_right_passwords_at_the_same_time(server: Server, user: Caller) -> None:
    assert tries(server, user.username, 8, PASSWORD) == [201] * 8


def test_a_name_that_nobody_has_is_slowed_down_in_the_same_way(server: Server, user: Caller) -> None:
    with server.anonymous() as caller:
        answers: dict[str, list[tuple[int, str]]] = {}
        for name in (user.username, f"no{user.username}", f"NO{user.username}"):
            sent = {"api-username": name, "api-password": "wrong"}
            responses = [caller.post("keys", headers=sent) for _ in range(6)]
            answers[name] = [(one.status_code, one.json()["nested"]["msg"]) for one in responses]
        known, unknown, same = answers.values()
        assert known == unknown
        assert [status for status, _ in unknown] == [403] * 5 + [429]
        assert same[0][0] == 429


def test_names_and_passwords_in_other_scripts(server: Server) -> None:
    backend = open_backend(server.settings)
    try:
        users.create_user(backend, f"jörg{server.port}", "pässwörter ж")
    finally:
        backend.close()
    sent = {"api-username": f"Jörg{server.port}".encode(), "api-password": "pässwörter ж".encode()}
    made(httpx.post(f"{server.url}/1/keys", headers=sent))
    sent["api-username"] = f"Jörg{server.port}".encode("latin-1")
    made(httpx.post(f"{server.url}/1/keys", headers=sent))
    refused(httpx.post(f"{server.url}/1/keys", headers={"api-username": b"\xff", "api-password": b"\xff"}), 403)


def test_who_calls_is_looked_at_before_what_was_sent(anonymous: Caller, user: Caller) -> None:
    refused(anonymous.post("keys", json={"key_desc": []}), 403)
    wrong = {"api-username": user.username, "api-password": "wrong"}
    refused(anonymous.post("keys", json={"key_desc": []}, headers=wrong), 403)


def test_keys_of_others(user: Caller, other: Caller, anonymous: Caller) -> None:
    key = made(user.post("keys"))["id"]
    refused(other.get(f"keys/{key}"), 404)
    refused(other.delete(f"keys/{key}"), 404)
    refused(anonymous.get("keys"), 403)
    refused(anonymous.get(f"keys/{key}"), 403)
    refused(anonymous.delete(f"keys/{key}"), 403)
    assert key not in {one["id"] for one in got(other.get("keys"))["data"]}


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        (None, {"read", "write", "features"}),
        ("qgis anything", {"read", "write", "features"}),
        ("read", {"read"}),
        ("read,qgis", {"read"}),
        ("features", {"read", "features"}),
        ("read features", {"read", "features"}),
        ("write", {"read", "write", "features"}),
    ],
)
def test_scopes(server: Server, user: Caller, scope: str | None, may: set[str]) -> None:
    new_table(user)
    map_id = new_map(user)["id"]
    layer = new_layer(user, map_id, "places")["id"]
    key = made(user.post("keys", json={"scope": scope}))
    assert key["scope"] == scope
    with with_key(server, key["value"]) as caller:
        tries = {
            "read": caller.get(f"maps/{map_id}"),
            "write": caller.put(f"maps/{map_id}", json={"name": "x"}),
            "features": caller.post(f"layers/{layer}/features", json={}),
        }
        limited = bool(set((scope or "").replace(",", " ").split()) & {"read", "write", "features"})
        listed = got(caller.get("keys"))["data"]
        assert [one["id"] for one in listed] == ([key["id"]] if limited else [one["id"] for one in listed])
        assert len(listed) == (1 if limited else 2)
        other_key = next(one["id"] for one in got(user.get("keys"))["data"] if one["id"] != key["id"])
        if limited:
            refused(caller.get(f"keys/{other_key}"), 404)
            refused(caller.post("keys"), 403)
            refused(caller.delete(f"keys/{key['id']}"), 403)
    for name, response in tries.items():
        assert response.status_code in ((200, 201) if name in may else (403,)), name
    if "features" not in may:
        with with_key(server, key["value"]) as caller:
            refused(caller.get(f"maps/{map_id}?_method=DELETE"), 403)


@pytest.mark.parametrize(
    ("field", "value"),
    [("key_desc", []), ("key_desc", "a\0"), ("scope", {}), ("scope", True), ("scope", "x" * 2_000_000)],
)
def test_keys_that_cannot_be_made(user: Caller, field: str, value: Any) -> None:
    refused(user.post("keys", json={field: value}), 400, field)
    assert got(user.get("keys"))["total"] == 1


def test_the_caller(user: Caller, anonymous: Caller) -> None:
    me = got(user.get("users/current.json"))
    assert (me["id"], me["username"], me["active"]) == (str(user.user_id), user.username, True)
    assert not {"password", "password_hash", "hash"} & set(me)
    assert isinstance(me["created"], int)
    refused(anonymous.get("users/current"), 403)


def test_a_session(server: Server, user: Caller) -> None:
    form = {"username": user.username, "password": PASSWORD, "next": "/"}
    own = {"Origin": server.url}
    with httpx.Client(base_url=server.url) as browser:
        assert browser.post("/login", data=form).status_code == 403
        response = browser.post("/login", data=form, headers=own)
        assert (response.status_code, response.headers["location"]) == (303, "/")
        cookie = response.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=lax" in cookie.lower()
        value = browser.cookies["graticule_session"]
        assert got(browser.get("/1/users/current"))["username"] == user.username
        refused(browser.get("/1/users/current?callback=f".replace("?callback=f", ""), headers={"API-Key": "x"}), 403)
        assert '"FORBIDDEN"' in browser.get("/1/users/current?callback=f").text
        refused(browser.post("/1/maps", json={"name": "x"}), 403)
        refused(browser.get("/1/maps?_method=POST"), 403)
        refused(browser.post("/1/maps", json={}, headers={"Origin": "https://elsewhere.example"}), 403)
        refused(browser.post("/1/maps", json={}, headers=own | {"Sec-Fetch-Site": "cross-site"}), 403)
        for proof in (own, {"Sec-Fetch-Site": "same-origin"}, {"Referer": f"{server.url}/map/1"}):
            made(browser.post("/1/maps", json={"name": "x"}, headers=proof))
        with server.anonymous() as program:
            assert got(program.get("users/current", headers={"api-sessid": value}))["username"] == user.username
            assert got(program.get("users/current", params={"api_sessid": value}))["username"] == user.username
            made(program.post("maps", headers={"api-sessid": value}))
        assert browser.post("/logout", headers=own).status_code == 303
        refused(httpx.get(f"{server.url}/1/maps", headers={"api-sessid": value}), 403)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://["},
        {"Origin": "http://[x]"},
        {"Referer": "https://[::1/map/1"},
        {"Origin": "null", "Host": ""},
        {"Origin": "", "Referer": "", "Host": ""},
    ],
)
def test_a_cookie_from_a_place_that_is_none(server: Server, user: Caller, headers: dict[str, str]) -> None:
    with httpx.Client(base_url=server.url) as browser:
        form = {"username": user.username, "password": PASSWORD}
        assert browser.post("/login", data=form, headers={"Origin": server.url}).status_code == 303
        refused(browser.post("/1/maps", json={"name": "x"}, headers=headers), 403)
        refused(browser.get("/1/maps/1/render.png?invalidate", headers=headers), 404)
        assert browser.post("/login", data=form, headers=headers).status_code == 403
        assert browser.post("/logout", headers=headers).status_code == 303
        assert got(browser.get("/1/users/current"))["username"] == user.username
