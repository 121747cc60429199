"""Maps (the contract, section 2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.answers import refused
from tests.server import Caller
from tests.sharing import got, made, new_layer, new_map, new_table, tables_of

GOOGLE = (
    "+proj=merc +a=6378137 +b=6378137 +lat_ts=0.0 +lon_0=0.0 +x_0=0.0 +y_0=0 +k=1.0 +units=m +nadgrids=@null +no_defs"
)
TEXTS = {"id", "owner", "resource_id", "epsg", "active", "visited", "archived", "visible"}
TEXTS_OR_NULL = {
    "maxzoom", "name", "description", "copyright", "proj4", "units", "bgcolor", "mobileacess", "wmsaccess", "share",
    "bounds",
}  # fmt: skip
NUMBERS = {"created", "modified", "accessed"}


def test_fields_of_a_new_map(user: Caller) -> None:
    made_now = made(user.post("maps", json={}))
    assert set(made_now) == TEXTS | TEXTS_OR_NULL | NUMBERS
    assert all(isinstance(made_now[name], str) for name in TEXTS)
    assert all(isinstance(made_now[name], int) for name in NUMBERS)
    assert (made_now["epsg"], made_now["proj4"], made_now["units"]) == ("900913", GOOGLE, "meter")
    defaults = {"active": "1", "visited": "0", "archived": "f", "visible": "t", "owner": str(user.user_id)}
    assert {name: made_now[name] for name in defaults} == defaults
    assert [name for name in sorted(TEXTS_OR_NULL) if made_now[name] is None] == [
        "bgcolor", "bounds", "copyright", "description", "maxzoom", "mobileacess", "name", "share", "wmsaccess",
    ]  # fmt: skip
    assert got(user.get(f"maps/{made_now['id']}")) == made_now
    assert got(user.get("maps?type=private"))["data"] == [made_now]


BOUNDS = '{"xmin": 1.0, "ymin":2,"xmax":3.50,"ymax":4}'


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"name": "Карта 🗺", "description": "d", "copyright": "©"}, None),
        ({"name": 5}, {"name": "5"}),
        ({"name": ""}, None),
        (
            {"share": True, "wmsaccess": "0", "mobileacess": "true"},
            {"share": "t", "wmsaccess": "f", "mobileacess": "t"},
        ),
        ({"visible": False}, {"visible": "f"}),
        ({"visible": None, "archived": None, "active": None}, {"visible": "t", "archived": "f", "active": "1"}),
        ({"maxzoom": 18}, {"maxzoom": "18"}),
        ({"bgcolor": "10,20,30"}, None),
        ({"bounds": BOUNDS}, None),
        (
            {"bounds": {"xmin": 1, "ymin": 2.5, "xmax": 3, "ymax": 4}},
            {"bounds": '{"xmin":1,"ymin":2.5,"xmax":3,"ymax":4}'},
        ),
        ({"bounds": ""}, {"bounds": None}),
        ({"epsg": 4326}, {"epsg": "4326", "units": "degree"}),
        ({"epsg": "3035"}, {"epsg": "3035", "units": "meter"}),
        ({"epsg": "EPSG:2263"}, {"epsg": "2263", "units": "foot_us"}),
        ({"proj4": GOOGLE}, {"epsg": "900913", "proj4": GOOGLE}),
        (
            {"epsg": None, "proj4": "+proj=laea +lat_0=10 +lon_0=20"},
            {"epsg": None, "proj4": "+proj=laea +lat_0=10 +lon_0=20"},
        ),
        ({"epsg": "4326", "proj4": GOOGLE}, {"epsg": "4326", "units": "degree"}),
        (
            {"id": "7", "owner": "9", "visited": "5", "created": 1, "resource_id": "1", "nonsense": [1]},
            {"visited": "0"},
        ),
    ],
)
@pytest.mark.parametrize("verb", ["POST", "PUT"])
def test_settable_fields(shared: Caller, verb: str, sent: dict[str, Any], kept: dict[str, Any] | None) -> None:
    if verb == "POST":
        answer = made(shared.post("maps", json=sent))
    else:
        answer = got(shared.put(f"maps/{made(shared.post('maps'))['id']}", json=sent))
    expected = sent if kept is None else kept
    assert {name: answer[name] for name in expected} == expected
    assert got(shared.get(f"maps/{answer['id']}")) == answer
    assert answer["owner"] == str(shared.user_id)


BAD = [
    ("name", True),
    ("name", ["x"]),
    ("name", {"a": 1}),
    ("name", "a\0b"),
    ("name", "x" * 1_000_001),
    ("share", "perhaps"),
    ("visible", 2),
    ("archived", []),
    ("maxzoom", "deep"),
    ("maxzoom", 1.5),
    ("bgcolor", {}),
    ("epsg", 1),
    ("epsg", "x"),
    ("epsg", True),
    ("epsg", [4326]),
    ("epsg", -4326),
    ("epsg", 10**30),
    ("epsg", 5703),
    ("proj4", "x"),
    ("proj4", "+proj=nothing"),
    ("proj4", 7),
    ("proj4", "+proj=longlat +nadgrids=/etc/passwd"),
    ("proj4", "+init=epsg:99999999"),
    ("proj4", "x" * 5000),
    ("proj4", "+proj=geocent"),
    ("bounds", "1,2,3"),
    ("bounds", [1, 2, 3, 4]),
    ("bounds", {"xmin": 1}),
    ("bounds", "{"),
    ("bounds", 5),
    ("bounds", {"xmin": "a", "ymin": 1, "xmax": 2, "ymax": 3}),
    ("bounds", {"xmin": 1e999, "ymin": 1, "xmax": 2, "ymax": 3}),
]


@pytest.mark.parametrize(("field", "value"), BAD, ids=[f"{name}={str(value)[:20]}" for name, value in BAD])
def test_fields_that_cannot_be_set(shared: Caller, field: str, value: Any) -> None:
    body = json.dumps({field: value}).replace("Infinity", "1e999")
    before = got(shared.get("maps?type=private"))["total"]
    where = "body" if "1e999" in body else field
    refused(shared.post("maps", content=body), 400, where)
    assert got(shared.get("maps?type=private"))["total"] == before
    path = f"maps/{made(shared.post('maps', json={'name': 'kept'}))['id']}"
    tag = shared.get(path).headers["etag"]
    refused(shared.put(path, content=body), 400, where)
    assert shared.get(path).headers["etag"] == tag


def test_bounds_follow_the_projection(user: Caller) -> None:
    bounds = {"xmin": 0, "ymin": 0, "xmax": 10, "ymax": 50}
    path = f"maps/{new_map(user, epsg='4326', bounds=bounds)['id']}"
    moved = json.loads(got(user.put(path, json={"epsg": 3857}))["bounds"])
    assert moved["xmax"] == pytest.approx(1113194.908, abs=0.01)
    assert moved["ymax"] == pytest.approx(6446275.841, abs=0.01)
    back = json.loads(got(user.put(path, json={"epsg": "4326"}))["bounds"])
    assert [back[side] for side in ("xmin", "ymin", "xmax", "ymax")] == pytest.approx([0, 0, 10, 50], abs=1e-7)
    set_too = got(user.put(path, json={"epsg": "3857", "bounds": bounds}))
    assert json.loads(set_too["bounds"]) == bounds
    assert got(user.put(path, json={"epsg": None}))["epsg"] == "900913"


@pytest.mark.parametrize("expand", ["", "owner", "owner,options,permissions", "options , columns"])
def test_sending_back_what_was_read_changes_nothing(user: Caller, expand: str) -> None:
    sent = {"name": "n", "bounds": BOUNDS, "epsg": "3035", "share": True, "maxzoom": 9, "description": None}
    path = f"maps/{new_map(user, **sent)['id']}"
    before = user.get(path)
    back = user.put(path, json=got(user.get(path, params={"expand": expand})))
    assert (got(back), back.headers["etag"]) == (got(before), before.headers["etag"])
    form = {name: value for name, value in got(before).items() if value is not None}
    assert got(user.put(path, data=form)) == got(before)


def test_sending_back_a_projection_of_ones_own(user: Caller) -> None:
    path = f"maps/{new_map(user, epsg=None, proj4='+proj=laea  +lat_0=10 +lon_0=20')['id']}"
    before = user.get(path)
    assert user.put(path, json=got(before)).headers["etag"] == before.headers["etag"]


def test_expanding(user: Caller) -> None:
    path = f"maps/{new_map(user)['id']}"
    answer = got(user.get(path, params={"expand": "owner, options,permissions"}))
    assert answer["owner"] == {"id": str(user.user_id), "username": user.username}
    assert answer["options"] == []
    assert {"OWNER", "READ", "EDIT", "SHARE"} <= set(answer["permissions"])
    listed = got(user.get("maps", params={"type": "private", "expand": "owner"}))["data"][0]
    assert listed["owner"] == answer["owner"]


def test_kinds_of_maps(user: Caller, other: Caller, anonymous: Caller) -> None:
    mine, public, archived = (new_map(user, name=name) for name in ("mine", "public", "archived"))
    user.post(f"resources/{public['resource_id']}/permissions", json={"username": "anonymous", "permission": "READ"})
    theirs = new_map(other, name="theirs")
    share = {"username": user.username, "permission": "READ"}
    other.post(f"resources/{theirs['resource_id']}/permissions", json=share)
    assert got(user.put(f"maps/{archived['id']}", params={"archived": "true"}))["archived"] == "t"

    def names(caller: Caller, kind: str | None) -> set[str]:
        own = {"mine", "public", "archived", "theirs"}
        query = {"perpage": 1000} | ({"type": kind} if kind else {})
        ids = {one["id"] for one in (mine, public, archived, theirs)}
        listed = got(caller.get("maps", params=query))["data"]
        return {one["name"] for one in listed if one["id"] in ids} & own

    assert names(user, None) == {"mine", "public", "theirs"}
    assert names(user, "private") == {"mine", "public"}
    assert names(user, "shared") == {"theirs"}
    assert names(user, "private, shared") == {"mine", "public", "theirs"}
    assert names(user, "public") == {"public"}
    assert names(user, "archived") == {"archived"}
    assert names(user, "archived,shared") == {"archived", "theirs"}
    assert names(anonymous, None) == names(other, "public") == {"public"}
    assert got(user.put(f"maps/{archived['id']}", params={"archived": "0"}))["archived"] == "f"
    refused(user.put(f"maps/{archived['id']}", params={"archived": "maybe"}), 400, "archived")


def test_order_of_maps(user: Caller) -> None:
    ids = [new_map(user, name=name)["id"] for name in ("b", "a", "c")]
    user.get(f"maps/{ids[1]}/render.iframe")
    for order, expected in {
        "name": [1, 0, 2],
        "name:desc": [2, 0, 1],
        "visited:desc": [1, 0, 2],
        "visited:desc,name:desc": [1, 2, 0],
        "created:asc , name": [1, 0, 2],
        "accessed": None,
        "id:desc": [2, 1, 0],
    }.items():
        listed = [one["id"] for one in got(user.get("maps", params={"type": "private", "order_by": order}))["data"]]
        assert expected is None or listed == [ids[at] for at in expected], order


def test_the_id_in_the_body(user: Caller) -> None:
    map_id = new_map(user)["id"]
    assert got(user.put("maps", json={"id": map_id, "name": "new"}))["name"] == "new"
    refused(user.put("maps", json={"name": "new"}), 400, "id")
    refused(user.put("maps", json={"id": "x"}), 400, "id")
    refused(user.put("maps", json={"id": 0, "name": "new"}), 404)


def test_deleting_a_map(user: Caller) -> None:
    map_id = new_map(user)["id"]
    new_table(user)
    layer = new_layer(user, map_id, "places")
    response = user.delete(f"maps/{map_id}.json")
    assert (got(response), response.headers["content-type"]) == ({}, "application/json")
    refused(user.get(f"maps/{map_id}"), 404)
    refused(user.get(f"layers/{layer['id']}"), 403)
    assert len(tables_of(user, user)) == 1
    refused(user.delete(f"maps/{map_id}"), 404)
    refused(user.get(f"resources/{layer['resource_id']}"), 404)


def test_nobody_makes_maps_without_signing_in(anonymous: Caller) -> None:
    refused(anonymous.post("maps", json={"name": "x"}), 403)


def test_renewing_a_map(user: Caller, other: Caller) -> None:
    map_id, elsewhere = new_map(user)["id"], new_map(user)["id"]
    new_table(user)
    layer, strange = (new_layer(user, one, "places")["id"] for one in (map_id, elsewhere))
    for path in (f"map_cache/{map_id}/1", f"map_cache/{map_id}/2.json", f"map_cache/{map_id}/2?layers={layer},{layer}"):
        response = user.delete(path)
        assert (response.status_code, response.content) == (204, b"")
    refused(user.delete(f"map_cache/{map_id}/3"), 400, "init")
    refused(user.delete(f"map_cache/{map_id}/x"), 400, "init")
    refused(user.delete(f"map_cache/{map_id}/2?layers=x"), 400, "layers")
    refused(user.delete(f"map_cache/{map_id}/2?layers={layer},{strange}"), 404)
    refused(other.delete(f"map_cache/{map_id}/2"), 404)
    refused(user.delete("map_cache/0/2"), 404)
