"""Changing one of a collection that is named in the body (the contract, section 3); the map cache (section 2)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.answers import refused
from tests.server import Caller
from tests.sharing import got, new_feature, new_layer, new_map, new_table, share

NOT_A_NUMBER: tuple[Any, ...] = ("x", 1.5, True, [1], {"a": 1}, -1, "9" * 30)


@pytest.fixture(scope="module")
def paths(shared: Caller) -> dict[str, str]:
    """The collection → the id of something in it."""
    new_table(shared, "named")
    map_id = new_map(shared)["id"]
    layer = new_layer(shared, map_id, "named")["id"]
    feature = str(new_feature(shared, layer, name="a"))
    return {
        "maps": map_id,
        "layers": layer,
        f"maps/{map_id}/layers": layer,
        f"layers/{layer}/features": feature,
        f"maps/{map_id}/layers/{layer}/features": feature,
    }


def test_a_collection_put_changes_the_one_that_is_named(shared: Caller, paths: dict[str, str]) -> None:
    for path, number in paths.items():
        of_features = path.endswith("features")
        names = ("id", "__id") if of_features else ("id",)
        for name in names:
            for sent in (number, int(number)):
                new: dict[str, Any] = {"name": f"by {name} {sent!r}"}
                body = {"data": new} if of_features else new
                told = got(shared.put(path, json={name: sent} | body))
                assert (told["data"] if of_features else told)["name"] == new["name"]
                assert str(told["__id" if of_features else "id"]) == number
            alone = shared.get(f"{path}/{number}")
            same = shared.put(path, json=got(alone))
            assert same.headers["etag"] == alone.headers["etag"]
            stale = {"If-Match": '"0-0"'}
            refused(shared.put(path, json={name: number}, headers=stale), 412)


def test_a_collection_put_that_names_nothing(shared: Caller, paths: dict[str, str]) -> None:
    for path in paths:
        for body in ({}, {"name": "x"}, {"id": None}, {"id": ""}, *({"id": bad} for bad in NOT_A_NUMBER)):
            refused(shared.put(path, json=body), 400, "id")
        refused(shared.put(path, json=[{"id": 1}]), 400, "body")
        refused(shared.put(path, json={"id": 10**15}), 404)
    for path in ("tables", "tables/named/rows", "keys", "storage/fs"):
        assert refused(shared.put(path, json={"id": 1}), 405)


def test_the_old_map_cache_needs_the_right_to_edit(user: Caller, other: Caller, anonymous: Caller) -> None:
    found = new_map(user)
    path = f"map_cache/{found['id']}/2"
    for caller in (other, anonymous):
        refused(caller.delete(path), 404)
    share(user, found["resource_id"], other.username, "READ")
    share(user, found["resource_id"], "anonymous", "READ")
    for caller in (other, anonymous):
        refused(caller.delete(path), 403)
        refused(caller.get(f"maps/{found['id']}/render.png?invalidate=1"), 403)
    share(user, found["resource_id"], other.username, "EDIT")
    assert other.delete(path).status_code == 204
    new_table(user)
    layer = new_layer(user, found["id"], "places")["id"]
    elsewhere = new_layer(user, new_map(user)["id"], "places")["id"]
    assert other.delete(f"{path}?layers={layer}").status_code == 204
    for layers in (elsewhere, f"{layer},{elsewhere}"):
        refused(other.delete(f"{path}?layers={layers}"), 404)
        refused(user.delete(f"{path}?layers={layers}"), 404)
    refused(user.request("DELETE", path, json={"layers": elsewhere}), 404)
    refused(user.get(path), 405)
