"""Keys that may do less than their owner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from tests.server import Caller, Server
from tests.sharing import got, made, new_feature, new_layer, new_map, new_row, new_table, upload

LIMITING = ("read", "write", "features", "read,write", "read features", "features,qgis")


@pytest.fixture
def limited(server: Server, user: Caller) -> Iterator[Callable[[str], Caller]]:
    """A caller with a key of the user's that has a scope."""
    with ExitStack() as callers:

        def with_scope(scope: str) -> Caller:
            key = made(user.post("keys", json={"key_desc": scope, "scope": scope}))["key"]
            return callers.enter_context(Caller(server.url, key, user.username, user.user_id))

        yield with_scope


READING, WRITING, FEATURES = "reading", "writing", "features"


def requests(user: Caller) -> list[tuple[str, str, str]]:
    """(what it is, method, path), of things of the user's."""
    found, _ = new_map(user), new_table(user)
    layer = new_layer(user, found["id"], "places")["id"]
    feature, row = new_feature(user, layer), new_row(user, "places")
    upload(user, "", a__txt=b"a", features__txt=b"a")
    return [
        (READING, "GET", f"maps/{found['id']}"),
        (READING, "GET", f"layers/{layer}/features"),
        (READING, "GET", "tables/places/rows"),
        (READING, "GET", "storage/fs/a.txt"),
        (READING, "GET", f"layers/{layer}/export.csv"),
        (READING, "GET", f"maps/{found['id']}/render.png?width=8&height=8"),
        (READING, "GET", f"resources/{found['resource_id']}/permissions"),
        (FEATURES, "POST", f"layers/{layer}/features"),
        (FEATURES, "POST", f"maps/{found['id']}/layers/{layer}/features"),
        (FEATURES, "PUT", f"layers/{layer}/features/{feature}"),
        (FEATURES, "GET", f"layers/{layer}/features/{feature}?_method=PUT"),
        (FEATURES, "POST", "tables/places/rows"),
        (FEATURES, "PUT", f"tables/places/rows/{row}"),
        (FEATURES, "DELETE", f"tables/places/rows/{row}"),
        (FEATURES, "DELETE", f"layers/{layer}/features/{feature}"),
        (WRITING, "PUT", f"maps/{found['id']}"),
        (WRITING, "GET", f"maps/{found['id']}?_method=PUT"),
        (WRITING, "PUT", f"layers/{layer}"),
        (WRITING, "POST", "maps"),
        (WRITING, "PUT", "storage/fs/a.txt"),
        (WRITING, "PUT", "storage/fs/features/rows/a.txt"),
        (WRITING, "PUT", "storage/fs/features.txt"),
        (WRITING, "GET", f"maps/{found['id']}/render.png?width=8&height=8&saveto=/features.png"),
        (WRITING, "POST", "tables/places/reset"),
        (WRITING, "DELETE", "storage/fs/a.txt"),
    ]


def send(caller: Caller, method: str, path: str) -> httpx.Response:
    body = {"data": {}, "geometry": "POINT (1 1)", "name": "n", "content": "c"}
    return caller.request(method, path, json=None if method == "GET" else body)


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        ("read", {READING}),
        ("features", {READING, FEATURES}),
        ("write", {READING, FEATURES, WRITING}),
        ("read,features", {READING, FEATURES}),
        ("qgis", {READING, FEATURES, WRITING}),
        ("", {READING, FEATURES, WRITING}),
    ],
)
def test_what_a_scope_allows(user: Caller, limited: Callable[[str], Caller], scope: str, may: set[str]) -> None:
    caller = limited(scope)
    wrong = []
    for kind, method, path in requests(user):
        answer = send(caller, method, path)
        if answer.is_success != (kind in may) or (answer.is_error and answer.status_code != 403):
            wrong.append((method, path, answer.status_code, answer.text))
    assert wrong == []


@pytest.mark.parametrize("scope", LIMITING)
def test_a_limited_key_knows_and_makes_no_other(user: Caller, limited: Callable[[str], Caller], scope: str) -> None:
    caller = limited(scope)
    mine = got(caller.get("keys"))["data"]
    assert [one["key"] for one in mine] == [caller.key]
    others = [one["id"] for one in got(user.get("keys"))["data"] if one["key"] != caller.key]
    assert others
    assert {caller.get(f"keys/{other}").status_code for other in others} == {404}
    before = got(user.get("keys"))["total"]
    assert caller.post("keys", json={"key_desc": "more"}).status_code == 403
    for path in (f"keys/{mine[0]['id']}", f"keys/rows/{mine[0]['id']}", f"keys/{others[0]}"):
        assert caller.delete(path).status_code in (403, 404)
    assert got(user.get("keys"))["total"] == before


def test_a_word_that_is_no_limit_is_kept(user: Caller, limited: Callable[[str], Caller]) -> None:
    caller = limited("qgis")
    assert "qgis" in [one["scope"] for one in got(user.get("keys"))["data"]]
    made(caller.post("keys", json={"key_desc": "made by it"}))


@pytest.mark.parametrize("host", ["x/1/layers/1/features/", "x/1/tables/a/rows?", "x/1/tables/a/rows#", "["])
def test_the_name_of_the_host_lends_no_rights(user: Caller, limited: Callable[[str], Caller], host: str) -> None:
    path = f"maps/{new_map(user)['id']}"
    assert limited("features").put(path, json={"name": "taken"}, headers={"Host": host}).status_code == 403
