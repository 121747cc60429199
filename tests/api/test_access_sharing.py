"""What sharing brings, when it ends, and what nobody can take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.answers import refused
from tests.people import join, new_role, share_with_role
from tests.server import Caller, Server
from tests.sharing import (
    account_of,
    feature_ids,
    got,
    ids,
    made,
    new_feature,
    new_file_layer,
    new_layer,
    new_map,
    new_row,
    new_table,
    resource_of_file,
    share,
    tables_of,
    unshare,
    upload,
)

SQUARE = b'{"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]}'


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of two processes."""
    running = Server(tmp_path_factory.mktemp("several"), workers=2)
    running.new_user().close()
    running.start()
    yield running
    running.stop()


def public_paths(map_id: str, layer_id: str, feature: int) -> list[str]:
    """All that a map without a key is made of."""
    return [
        f"maps/{map_id}",
        f"maps/{map_id}/layers",
        f"maps/{map_id}/layers/{layer_id}",
        f"maps/{map_id}/render.png?width=16&height=16",
        f"maps/{map_id}/render.jpg?width=16&height=16",
        f"maps/{map_id}/render.iframe",
        f"maps/{map_id}/tiles/0/0/0.mvt",
        f"maps/{map_id}/tiles/0/0/0.png",
        f"maps/{map_id}/style.json",
        f"maps/{map_id}/tilejson.json",
        f"maps/{map_id}/layers/{layer_id}/features",
        f"layers/{layer_id}",
        f"layers/{layer_id}/columns",
        f"layers/{layer_id}/features",
        f"layers/{layer_id}/features.csv",
        f"layers/{layer_id}/features/{feature}",
        f"layers/{layer_id}/render.png?width=16&height=16",
        f"layers/{layer_id}/tiles/0/0/0.mvt",
        f"layers/{layer_id}/tiles/0/0/0.png",
        f"layers/{layer_id}/export.geojson",
    ]


def statuses(server: Server, paths: list[str], times: int = 1) -> dict[str, set[int]]:
    """Path → the answers to callers without a key, each on a connection of its own, so that any process may answer."""
    with httpx.Client(base_url=f"{server.url}/1/", limits=httpx.Limits(max_keepalive_connections=0)) as fresh:
        return {path: {fresh.get(path).status_code for _ in range(times)} for path in paths}


def test_a_map_is_public_from_its_share_to_its_end_in_every_process(several: Server) -> None:
    with several.new_user() as owner:
        found, _ = new_map(owner), new_table(owner)
        layer = new_layer(owner, found["id"], "places", exportable="t")
        paths = public_paths(found["id"], layer["id"], new_feature(owner, layer["id"], name="here"))
        hidden = {path: {403 if path == f"layers/{layer['id']}" else 404} for path in paths}
        assert statuses(several, paths) == hidden
        for _ in range(2):
            given = share(owner, found["resource_id"], "anonymous", "READ")
            assert statuses(several, paths, times=2) == {path: {200} for path in paths}
            unshare(owner, found["resource_id"], given)
            assert statuses(several, paths, times=4) == hidden


def test_every_change_of_a_role_counts_at_once_in_every_process(several: Server) -> None:
    with several.new_user() as owner, several.new_user() as member:
        found, top, role = new_map(owner), new_role(owner), new_role(owner)
        path, there, gone = f"maps/{found['id']}?api_key={member.key}", {200}, {404}

        def seen() -> set[int]:
            return statuses(several, [path], times=6)[path]

        share_with_role(owner, found["resource_id"], top["id"], "READ")
        join(owner, role["id"], member)
        assert seen() == gone
        for parent, expected in ((top["id"], there), (None, gone), (top["id"], there)):
            got(owner.put(f"roles/{role['id']}", json={"parent_id": parent}))
            assert seen() == expected
        assert owner.delete(f"roles/{role['id']}/users/{member.user_id}").status_code == 204
        assert seen() == gone
        join(owner, role["id"], member)
        assert seen() == there
        assert owner.delete(f"roles/{top['id']}").status_code == 204
        assert seen() == gone


def test_the_last_administrator_stays(several: Server) -> None:
    with several.new_user(administrator=True) as first, several.new_user(administrator=True) as last:
        got(last.put(f"users/{first.user_id}", json={"administrator": False}))
        refused(first.post("users", json={"username": "x"}), 403)
        for sent in ({"active": False}, {"administrator": "f"}):
            refused(last.put(f"users/{last.user_id}", json=sent), 409)
        for path in (f"users/{last.user_id}", f"users/{last.user_id}?force=true"):
            refused(last.delete(path), 409)
        got(last.put(f"users/{first.user_id}", json={"administrator": True}))
        got(last.put(f"users/{last.user_id}", json={"administrator": False}))


def test_a_revoked_key_ends_in_every_process(several: Server) -> None:
    with several.new_user() as owner:
        key = made(owner.post("keys", json={"key_desc": "to be revoked"}))
        with Caller(several.url, key["key"]) as caller:
            assert got(caller.get("users/current"))["username"] == owner.username
        assert owner.delete(f"keys/{key['id']}").status_code == 204
        assert statuses(several, [f"users/current?api_key={key['key']}"], times=10).popitem()[1] == {403}


@pytest.mark.parametrize("permission", ["READ", "EXPORT", "INSERT", "EDIT", "SHARE", "EDIT_WITH_SHARE", "OWNER"])
def test_data_behind_a_layer_needs_the_right_to_share_it(
    server: Server, user: Caller, other: Caller, anonymous: Caller, permission: str
) -> None:
    """``user`` has a table; ``other`` makes a layer of it with a lesser right, and shares the map with everyone."""
    table = new_table(user)
    row = new_row(user, "places", name="the user's")
    given = share(user, table["resource_id"], other.username, permission)
    found = new_map(other)
    layer = new_layer(other, found["id"], f"usrsch{user.user_id}.places", exportable="t")
    share(other, found["resource_id"], "anonymous", "READ")
    may_publish = permission in {"SHARE", "EDIT_WITH_SHARE", "OWNER"}
    with server.new_user() as editor:
        share(other, found["resource_id"], editor.username, "EDIT")
        for caller, shown in ((other, True), (anonymous, may_publish), (editor, may_publish)):
            shown_data(caller, found["id"], layer["id"], row, shown=shown)
        unshare(user, table["resource_id"], given)
        for caller in (anonymous, editor, other):
            shown_data(caller, found["id"], layer["id"], row, shown=False)


def shown_data(caller: Caller, map_id: str, layer: str, row: int, *, shown: bool) -> None:
    """Whether a caller sees data through a layer: all of it, or not a trace."""
    codes = {
        path: caller.get(path).status_code
        for path in (
            f"layers/{layer}/features",
            f"layers/{layer}/features.csv",
            f"layers/{layer}/features/{row}",
            f"layers/{layer}/tiles/0/0/0.mvt",
            f"layers/{layer}/render.png?width=16&height=16",
            f"layers/{layer}/export.geojson",
        )
    }
    assert codes == dict.fromkeys(codes, 200 if shown else 403)
    assert caller.get(f"maps/{map_id}/tiles/0/0/0.mvt").status_code == (200 if shown else 204)
    assert (layer in got(caller.get(f"maps/{map_id}/style.json"))["sources"]) == shown
    described = got(caller.get(f"layers/{layer}?expand=columns"))
    assert [described["x_min"], described["y_max"]] == (["1.0", "2.0"] if shown else [None, None])
    assert list(described["columns"]) == (["name", "size"] if shown else [])
    assert [one["name"] for one in got(caller.get(f"layers/{layer}/columns"))] == (["name", "size"] if shown else [])
    of_map = got(caller.get(f"maps/{map_id}/layers?expand=columns"))["data"][0]
    assert ([of_map["x_min"]], list(of_map["columns"])) == ([described["x_min"]], list(described["columns"]))


@pytest.mark.parametrize(
    ("on_data", "on_map", "may"),
    [
        ("SHARE", "EDIT", {"GET"}),
        ("SHARE", "OWNER", {"GET"}),
        ("EDIT_WITH_SHARE", "READ", {"GET"}),
        ("EDIT_WITH_SHARE", "INSERT", {"GET", "POST"}),
        ("EDIT_WITH_SHARE", "EDIT", {"GET", "POST", "PUT", "DELETE"}),
        ("EDIT_WITH_SHARE", "OWNER", {"GET", "POST", "PUT", "DELETE"}),
        ("EDIT_WITH_SHARE", "EDIT_MOBILE", {"GET", "POST"}),
        ("EDIT_WITH_SHARE", "EXPORT", {"GET"}),
        ("OWNER", "EXPORT", {"GET", "EXPORT"}),
        ("OWNER", "OWNER", {"GET", "EXPORT", "POST", "PUT", "DELETE"}),
    ],
)
def test_the_lesser_of_both_rights(
    server: Server, user: Caller, other: Caller, on_data: str, on_map: str, may: set[str]
) -> None:
    table = new_table(user)
    row = new_row(user, "places")
    share(user, table["resource_id"], other.username, on_data)
    found = new_map(other)
    layer = new_layer(other, found["id"], f"usrsch{user.user_id}.places")["id"]
    with server.new_user() as third:
        share(other, found["resource_id"], third.username, on_map)
        answers = {
            "GET": third.get(f"layers/{layer}/features"),
            "EXPORT": third.get(f"layers/{layer}/export.csv"),
            "POST": third.post(f"layers/{layer}/features", json={"geometry": "POINT (1 1)"}),
            "PUT": third.put(f"layers/{layer}/features/{row}", json={"data": {"size": 3}}),
            "DELETE": third.delete(f"layers/{layer}/features/{row}"),
        }
    assert {name for name, answer in answers.items() if answer.is_success} == may
    assert {answer.status_code for name, answer in answers.items() if name not in may} <= {403}


def test_the_rights_are_those_of_who_set_the_source(user: Caller, other: Caller, anonymous: Caller) -> None:
    """A second editor who changes anything but the source does not lend the layer any rights."""
    table = new_table(user)
    new_row(user, "places")
    share(user, table["resource_id"], other.username, "READ")
    found = new_map(other)
    layer = new_layer(other, found["id"], f"usrsch{user.user_id}.places")
    share(other, found["resource_id"], "anonymous", "READ")
    share(other, found["resource_id"], user.username, "EDIT")
    same = user.put(f"layers/{layer['id']}", json={"name": "renamed", "source": layer["source"]})
    assert got(same)["name"] == "renamed"
    assert anonymous.get(f"layers/{layer['id']}/features").status_code == 403
    got(user.put(f"layers/{layer['id']}", json={"source": {"type": "pg", "src": "places"}}))
    assert len(feature_ids(anonymous, layer["id"])) == 1


def test_a_source_needs_the_right_to_read(user: Caller, other: Caller) -> None:
    new_table(user)
    upload(user, "", square__geojson=SQUARE)
    found = new_map(other)
    sources = (
        {"type": "pg", "src": f"usrsch{user.user_id}.places"},
        {"type": "file", "src": f"/{account_of(user)}/square.geojson"},
    )
    for source in sources:
        answer = other.post(f"maps/{found['id']}/layers", json={"source": source, "type": "point"})
        assert (answer.status_code, answer.json()["nested"]["field"]) == (400, "source")
    assert ids(other, f"maps/{found['id']}/layers") == []
    assert other.get(f"tables/usrsch{user.user_id}.places").status_code == 404


@pytest.mark.parametrize("permission", ["READ", "SHARE"])
def test_files_behind_layers(user: Caller, other: Caller, anonymous: Caller, permission: str) -> None:
    """The same holds for files, shared themselves or with a directory above them."""
    upload(user, "deep/down", square__geojson=SQUARE)
    resource = resource_of_file(user, "deep/down/square.geojson")
    if permission == "SHARE":
        above = got(user.get("storage/fs/info"))["data"]
        resource = next(one["resource_id"] for one in above if one["filename"] == "deep")
    given = share(user, resource, other.username, permission)
    path = f"{account_of(user)}/deep/down/square.geojson"
    assert other.get(f"storage/fs/{path}").content == SQUARE
    found = new_map(other)
    layer = new_file_layer(other, found["id"], f"/{path}")
    share(other, found["resource_id"], "anonymous", "READ")
    features = f"layers/{layer['id']}/features"
    assert anonymous.get(features).status_code == (200 if permission == "SHARE" else 403)
    unshare(user, resource, given)
    assert [caller.get(features).status_code for caller in (anonymous, other)] == [403, 403]
    assert other.get(f"storage/fs/{path}").status_code == 404


def test_a_raster_behind_a_layer(user: Caller, other: Caller, anonymous: Caller, data_dir: Path) -> None:
    upload(user, "", earth__tif=(data_dir / "earth.tif").read_bytes())
    resource = resource_of_file(user, "earth.tif")
    share(user, resource, other.username, "READ")
    found = new_map(other)
    layer = new_file_layer(other, found["id"], f"/{account_of(user)}/earth.tif")
    share(other, found["resource_id"], "anonymous", "READ")
    picture = f"layers/{layer['id']}/render.png?width=16&height=16"
    of_map = f"maps/{found['id']}/render.png?width=16&height=16&bounds=-180,-90,180,90"
    blank = anonymous.get(of_map).content
    assert anonymous.get(picture).status_code == 403
    assert other.get(of_map).content != blank
    share(user, resource, other.username, "SHARE")
    assert anonymous.get(picture).status_code == 200
    assert anonymous.get(of_map).content == other.get(of_map).content


def test_own_features_only(server: Server, user: Caller, other: Caller) -> None:
    found, _ = new_map(user), new_table(user)
    layer = new_layer(user, found["id"], "places")["id"]
    theirs = new_feature(user, layer, name="the owner's")
    for permission in ("INSERT_MDC", "UPDATE_MDC", "DELETE_MDC"):
        share(user, found["resource_id"], other.username, permission)
    with server.new_user() as third:
        share(user, found["resource_id"], third.username, "EDIT_MOBILE")
        thirds = new_feature(third, layer, name="a third's")
        mine = new_feature(other, layer, name="mine")
        assert feature_ids(other, layer) == [mine]
        assert got(other.get(f"layers/{layer}/features"))["total"] == 1
        assert got(other.get(f"layers/{layer}/features?where=name<>''"))["total"] == 1
        assert other.get(f"layers/{layer}/features.csv").text.count("\n") == 2
        assert feature_ids(third, layer) == [theirs, thirds, mine]
        assert change(other, layer, mine) == 200
        assert [change(other, layer, feature) for feature in (theirs, thirds)] == [404, 404]
        assert [change(third, layer, feature) for feature in (theirs, thirds, mine)] == [403, 200, 403]
        assert [remove(third, layer, feature) for feature in (theirs, mine)] == [403, 403]
        assert [remove(other, layer, feature) for feature in (theirs, mine)] == [404, 204]
        assert [one["__owner"] for one in got(user.get(f"layers/{layer}/features"))["data"]] == [
            user.user_id,
            third.user_id,
        ]


def change(caller: Caller, layer: str, feature: int) -> int:
    return caller.put(f"layers/{layer}/features/{feature}", json={"data": {"size": 5}}).status_code


def remove(caller: Caller, layer: str, feature: int) -> int:
    return caller.delete(f"layers/{layer}/features/{feature}").status_code


def test_what_is_made_without_a_key_is_nobodys_own(user: Caller, other: Caller, anonymous: Caller) -> None:
    found, _ = new_map(user), new_table(user)
    layer = new_layer(user, found["id"], "places")["id"]
    for permission in ("INSERT_MDC", "UPDATE_MDC", "DELETE_MDC"):
        share(user, found["resource_id"], "anonymous", permission)
    nobodys = new_feature(anonymous, layer, name="left here")
    assert got(user.get(f"layers/{layer}/features/{nobodys}"))["__owner"] == 0
    mine = new_feature(other, layer, name="mine")
    for caller, seen in ((anonymous, []), (other, [mine])):
        assert feature_ids(caller, layer) == seen
        assert caller.get(f"layers/{layer}/features/{nobodys}").status_code == 404
        assert (change(caller, layer, nobodys), remove(caller, layer, nobodys)) == (404, 404)
        assert caller.get(f"layers/{layer}/tiles/0/0/0.mvt").status_code == (200 if seen else 204)
    share(user, found["resource_id"], "anonymous", "READ")
    assert feature_ids(anonymous, layer) == [nobodys, mine]
    assert (change(anonymous, layer, nobodys), remove(anonymous, layer, nobodys)) == (403, 403)
    assert feature_ids(user, layer) == [nobodys, mine]


def test_rows_made_without_a_key(user: Caller, anonymous: Caller) -> None:
    table = new_table(user)
    share(user, table["resource_id"], "anonymous", "INSERT_MDC")
    name = f"usrsch{user.user_id}.places"
    row = new_row(anonymous, name, name="left here")
    assert got(anonymous.get(f"tables/{name}/rows"))["total"] == 0
    assert anonymous.get(f"tables/{name}/rows/{row}").status_code == 404
    assert got(user.get(f"tables/places/rows/{row}"))["name"] == "left here"


def owner_shares(caller: Caller, resource: str, username: str) -> str:
    """The id of a user's OWNER share."""
    for group in got(caller.get(f"resources/{resource}/permissions"))["data"]:
        if group.get("username") == username:
            return str(next(one["share_id"] for one in group["permissions"] if one["type"] == "OWNER"))
    raise AssertionError(f"{username} is no owner")


def test_the_last_owner_stays(user: Caller, other: Caller) -> None:
    resource = new_map(user)["resource_id"]
    first = owner_shares(user, resource, user.username)
    refused = user.delete(f"resources/{resource}/permissions/{first}")
    assert (refused.status_code, refused.json()["code"]) == (409, "CONFLICT")
    second = share(user, resource, other.username, "OWNER")
    unshare(user, resource, first)
    assert user.get(f"resources/{resource}/permissions").status_code == 404
    assert other.delete(f"resources/{resource}/permissions/{second}").status_code == 409


def test_giving_up_ones_own_share(user: Caller, other: Caller) -> None:
    found = new_map(user)
    resource = found["resource_id"]
    given = share(user, resource, other.username, "READ")
    kept = share(user, resource, "anonymous", "READ")
    assert other.delete(f"resources/{resource}/permissions/{kept}").status_code == 403
    unshare(other, resource, given)
    assert other.get(f"resources/{resource}/permissions/{given}").status_code == 404
    assert other.get(f"maps/{found['id']}").status_code == 200
    unshare(user, resource, kept)
    assert other.get(f"maps/{found['id']}").status_code == 404


def test_who_may_not_share_does_not_learn_what_others_have(user: Caller, other: Caller) -> None:
    """A share of somebody else, one that is not there, and one of another resource: one answer to all."""
    resource = new_map(user)["resource_id"]
    share(user, resource, other.username, "READ")
    owners = owner_shares(user, resource, user.username)
    elsewhere = owner_shares(user, new_map(user)["resource_id"], user.username)
    paths = [f"resources/{resource}/permissions/{one}" for one in (owners, elsewhere, "999999999")]
    assert [other.delete(path).status_code for path in paths] == [403] * 3
    assert [other.get(path).status_code for path in paths] == [404] * 3
    share(user, resource, other.username, "SHARE")
    assert [other.delete(path).status_code for path in paths] == [403, 404, 404]


@pytest.mark.parametrize(
    ("held", "may_give"),
    [
        ("READ", set()),
        ("EDIT", set()),
        ("SHARE", {"READ", "SHARE"}),
        (
            "EDIT_WITH_SHARE",
            {
                "READ", "SHARE", "EDIT", "EDIT_WITH_SHARE", "INSERT", "UPDATE", "DELETE", "EDIT_MOBILE", "INSERT_MDC",
                "UPDATE_MDC", "DELETE_MDC",
            },
        ),
    ],
)  # fmt: skip
def test_one_gives_what_one_has(user: Caller, other: Caller, held: str, may_give: set[str]) -> None:
    resource = new_map(user)["resource_id"]
    share(user, resource, other.username, held)
    names = (
        "OWNER", "READ", "EDIT", "EXPORT", "EDIT_MOBILE", "EDIT_WITH_SHARE", "INSERT", "INSERT_MDC", "UPDATE",
        "UPDATE_MDC", "DELETE", "DELETE_MDC", "SHARE",
    )  # fmt: skip
    codes = {}
    for name in names:
        sent = {"username": "anonymous", "permission": name}
        codes[name] = other.post(f"resources/{resource}/permissions", json=sent).status_code
    assert codes == {name: 201 if name in may_give else 403 for name in names}


def test_one_sees_the_shares_that_hold_for_oneself(user: Caller, other: Caller, anonymous: Caller) -> None:
    resource = new_map(user)["resource_id"]
    mine = share(user, resource, other.username, "READ")
    everyones = share(user, resource, "anonymous", "READ")
    path = f"resources/{resource}/permissions"
    groups = {one["username"]: one["permissions"] for one in got(other.get(path))["data"]}
    assert groups == {
        other.username: [{"type": "READ", "share_id": mine}],
        "anonymous": [{"type": "READ", "share_id": everyones}],
    }
    assert anonymous.get(path).status_code == 403
    assert len(got(user.get(path))["data"]) == 3
    owners = owner_shares(user, resource, user.username)
    assert other.get(f"{path}/{owners}").status_code == 404
    share(user, resource, other.username, "SHARE")
    assert len(got(other.get(path))["data"]) == 3


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"permission": "READ"}, "username"),
        ({"permission": "READ", "username": "nobody of that name"}, "username"),
        ({"permission": "EVERYTHING", "username": "anonymous"}, "permission"),
        ({"username": "anonymous"}, "permission"),
        ({"permission": "READ", "user_id": [1]}, "user_id"),
        ({"permission": "READ", "user_id": True}, "user_id"),
        ({"permission": "READ", "user_id": "1_0"}, "user_id"),
        ({"permission": "READ", "user_id": 10**18}, "user_id"),
        ({"permission": "READ", "user_id": None}, "username"),
        ({"permission": ["READ"], "username": "anonymous"}, "permission"),
        ({"permission": "X" * 100_000, "username": "anonymous"}, "permission"),
        ({"permission": "READ", "username": {"a": 1}}, "username"),
        ({"permission": "READ", "username": "a\0"}, "username"),
    ],
)
def test_shares_that_cannot_be(user: Caller, sent: dict[str, object], field: str) -> None:
    resource = new_map(user)["resource_id"]
    answer = user.post(f"resources/{resource}/permissions", json=sent)
    assert (answer.status_code, answer.json()["nested"]["field"]) == (400, field)
    assert len(answer.content) < 1000
    assert len(got(user.get(f"resources/{resource}/permissions"))["data"]) == 1


def test_sharing_again_is_the_same_share(user: Caller, other: Caller) -> None:
    resource = new_map(user)["resource_id"]
    assert share(user, resource, other.username, "READ") == share(user, resource, other.username.upper(), "READ")


def test_lists_hold_what_is_visible(user: Caller, other: Caller, anonymous: Caller) -> None:
    """Own, shared with me, of everyone; of a map shared by layers only these layers."""
    mine, shared, everyones, hidden = (new_map(user, name=name) for name in ("mine", "shared", "everyone's", "hidden"))
    new_table(user)
    layers = {found["id"]: new_layer(user, found["id"], "places") for found in (mine, shared, everyones, hidden)}
    second = new_layer(user, hidden["id"], "places")
    share(user, shared["resource_id"], other.username, "READ")
    share(user, everyones["resource_id"], "anonymous", "READ")
    share(user, second["resource_id"], other.username, "READ")
    theirs = new_map(other)
    of_others = {shared["id"], everyones["id"], theirs["id"]}
    all_four = {mine["id"], shared["id"], everyones["id"], hidden["id"]}

    assert set(ids(other, "maps")) & (all_four | {theirs["id"]}) == of_others
    assert set(ids(user, "maps?type=private")) == all_four
    assert set(ids(other, "maps?type=shared")) == {shared["id"]}
    assert set(ids(other, "maps?type=private")) == {theirs["id"]}
    assert everyones["id"] in ids(anonymous, "maps")
    assert not set(ids(anonymous, "maps")) & {mine["id"], shared["id"], hidden["id"], theirs["id"]}

    every_layer = {layer["id"] for layer in layers.values()} | {second["id"]}
    assert set(ids(user, "layers")) & every_layer == every_layer
    seen = {layers[shared["id"]]["id"], layers[everyones["id"]]["id"], second["id"]}
    assert set(ids(other, "layers")) & every_layer == seen
    assert set(ids(anonymous, "layers")) & every_layer == {layers[everyones["id"]]["id"]}
    assert ids(other, f"maps/{hidden['id']}/layers") == [second["id"]]
    assert other.get(f"maps/{hidden['id']}").status_code == 404
    assert other.get(f"maps/{mine['id']}/layers").status_code == 404


def test_totals_count_what_is_visible(user: Caller, other: Caller) -> None:
    before = got(other.get("maps"))["total"]
    for _ in range(3):
        new_map(user)
    share(user, new_map(user)["resource_id"], other.username, "READ")
    assert got(other.get("maps"))["total"] == before + 1


def test_lists_of_tables_and_files(user: Caller, other: Caller) -> None:
    shared, _ = new_table(user, "shared_table"), new_table(user, "own_table")
    upload(user, "folder", a__txt=b"a", b__txt=b"b")
    share(user, shared["resource_id"], other.username, "READ")
    share(user, resource_of_file(user, "folder/a.txt"), other.username, "READ")
    assert tables_of(other, user) == ["shared_table"]
    assert tables_of(user, user) == ["own_table", "shared_table"]
    account = account_of(user)
    assert other.get(f"storage/fs/{account}/folder").status_code == 404
    assert other.get(f"storage/fs/{account}").status_code == 404
    assert other.get(f"storage/fs/{account}/folder/a.txt").text == "a"
    assert other.get(f"storage/fs/{account}/folder/b.txt").status_code == 404
    assert got(other.get("storage/fs"))["data"] == []


def test_a_directory_is_shared_with_what_it_holds(user: Caller, other: Caller) -> None:
    upload(user, "folder/below", a__txt=b"a")
    upload(user, "folderish", b__txt=b"b")
    above = got(user.get("storage/fs/info"))["data"]
    resource = next(one["resource_id"] for one in above if one["filename"] == "folder")
    given = share(user, resource, other.username, "READ")
    account = account_of(user)
    assert other.get(f"storage/fs/{account}/folder/below/a.txt").text == "a"
    assert [one["filename"] for one in got(other.get(f"storage/fs/{account}/folder"))["data"]] == ["below"]
    assert other.get(f"storage/fs/{account}/folderish/b.txt").status_code == 404
    below = resource_of_file(user, "folder/below/a.txt")
    assert got(other.get(f"resources/{below}"))["type"] == "file"
    unshare(user, resource, given)
    assert other.get(f"storage/fs/{account}/folder/below/a.txt").status_code == 404


def test_a_new_file_of_an_old_name_is_not_shared(user: Caller, other: Caller) -> None:
    upload(user, "", a__txt=b"old")
    share(user, resource_of_file(user, "a.txt"), other.username, "READ")
    path = f"storage/fs/{account_of(user)}/a.txt"
    upload(user, "", a__txt=b"changed")
    assert other.get(path).text == "changed"
    assert user.delete("storage/fs/a.txt").status_code == 204
    upload(user, "", a__txt=b"new")
    assert other.get(path).status_code == 404
