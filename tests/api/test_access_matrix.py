"""Who may do what: every permission on every kind of thing, against every action."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest
from tests.server import Caller, Server
from tests.sharing import (
    account_of,
    new_feature,
    new_layer,
    new_map,
    new_row,
    new_table,
    resource_of_file,
    share,
    upload,
)

NAMES = (
    "OWNER", "READ", "EDIT", "EXPORT", "EDIT_MOBILE", "EDIT_WITH_SHARE", "INSERT", "INSERT_MDC", "UPDATE",
    "UPDATE_MDC", "DELETE", "DELETE_MDC", "SHARE",
)  # fmt: skip
OWN_ONLY = {"INSERT_MDC", "UPDATE_MDC", "DELETE_MDC"}
READ = set(NAMES) - OWN_ONLY
EDIT = {"OWNER", "EDIT", "EDIT_WITH_SHARE"}
GIVE = {"OWNER", "EDIT_WITH_SHARE", "SHARE"}
NUMBERS = itertools.count(1)


@dataclass
class Things:
    """What one owner has, each with one feature of the owner's."""

    map: str
    layer: str
    table: str
    feature: int
    row: int
    file: str
    resources: dict[str, str]


@pytest.fixture(scope="module")
def user(server: Server) -> Iterator[Caller]:
    """The owner of everything here."""
    with server.new_user() as caller:
        yield caller


@pytest.fixture(scope="module")
def other(server: Server) -> Iterator[Caller]:
    """Who has what is shared, and nothing else: each test has things of its own."""
    with server.new_user() as caller:
        yield caller


@pytest.fixture
def things(user: Caller) -> Things:
    number = next(NUMBERS)
    table_name, data_name, file_name = f"places_{number}", f"data_{number}", f"notes_{number}.txt"
    found, table = new_map(user), new_table(user, table_name)
    new_table(user, data_name)
    layer = new_layer(user, found["id"], data_name)
    upload(user, "", **{file_name.replace(".", "__"): b"notes"})
    return Things(
        map=found["id"],
        layer=layer["id"],
        table=f"usrsch{user.user_id}.{table_name}",
        feature=new_feature(user, layer["id"], name="the owner's"),
        row=new_row(user, table_name, name="the owner's"),
        file=f"storage/fs/{account_of(user)}/{file_name}",
        resources={
            "map": found["resource_id"],
            "layer": layer["resource_id"],
            "table": table["resource_id"],
            "file": resource_of_file(user, file_name),
        },
    )


@dataclass(frozen=True)
class Action:
    """A request, the status when it is allowed, and which permissions allow it. ``stranger``: the answer to a caller
    with nothing on the thing; ``others``: to one with some other permission, by the permission."""

    name: str
    do: Callable[[Caller, Things], httpx.Response]
    status: int
    allowed: set[str]
    stranger: int = 404
    others: tuple[tuple[str, int], ...] = ()

    def expected(self, permission: str | None) -> int:
        if permission is None:
            return self.stranger
        return self.status if permission in self.allowed else dict(self.others).get(permission, 403)


FEATURE = {"data": {"name": "new"}, "geometry": "POINT (3 4)"}
GRANT = {"username": "anonymous", "permission": "READ"}

# What the layer's own permissions and its map's both bring.
OF_FEATURES = [
    Action("list features", lambda c, t: c.get(f"layers/{t.layer}/features"), 200, set(NAMES)),
    Action("features as CSV", lambda c, t: c.get(f"layers/{t.layer}/features.csv"), 200, set(NAMES)),
    Action(
        "get a feature",
        lambda c, t: c.get(f"layers/{t.layer}/features/{t.feature}"),
        200,
        READ,
        others=tuple((name, 404) for name in OWN_ONLY),
    ),
    Action(
        "create a feature",
        lambda c, t: c.post(f"layers/{t.layer}/features", json=FEATURE),
        201,
        EDIT | {"INSERT", "INSERT_MDC", "EDIT_MOBILE"},
    ),
    Action(
        "change another's feature",
        lambda c, t: c.put(f"layers/{t.layer}/features/{t.feature}", json={"data": {"size": 1}}),
        200,
        EDIT | {"UPDATE"},
        others=(("UPDATE_MDC", 404),),
    ),
    Action("export", lambda c, t: c.get(f"layers/{t.layer}/export.geojson"), 200, {"OWNER", "EXPORT"}),
    Action("picture of a layer", lambda c, t: c.get(f"layers/{t.layer}/render.png?width=8&height=8"), 200, set(NAMES)),
    Action("tile of a layer", lambda c, t: c.get(f"layers/{t.layer}/tiles/0/0/0.png"), 200, set(NAMES)),
    Action(
        "vector tile of a layer",
        lambda c, t: c.get(f"layers/{t.layer}/tiles/0/0/0.mvt"),
        200,
        READ | {"INSERT_MDC"},  # which has made one by now
        others=(("UPDATE_MDC", 204), ("DELETE_MDC", 204)),
    ),
    Action("get a layer", lambda c, t: c.get(f"layers/{t.layer}"), 200, READ, stranger=403),
    Action("columns", lambda c, t: c.get(f"layers/{t.layer}/columns"), 200, READ),
    Action(
        "delete another's feature",
        lambda c, t: c.delete(f"layers/{t.layer}/features/{t.feature}"),
        204,
        EDIT | {"DELETE"},
        others=(("DELETE_MDC", 404),),
    ),
]

OF_MAP = [
    Action("get a map", lambda c, t: c.get(f"maps/{t.map}"), 200, READ),
    Action("layers of a map", lambda c, t: c.get(f"maps/{t.map}/layers"), 200, READ),
    Action("get a layer of a map", lambda c, t: c.get(f"maps/{t.map}/layers/{t.layer}"), 200, READ),
    Action("picture", lambda c, t: c.get(f"maps/{t.map}/render.jpg?width=8&height=8"), 200, READ),
    Action("iframe", lambda c, t: c.get(f"maps/{t.map}/render.iframe"), 200, READ),
    Action("tile", lambda c, t: c.get(f"maps/{t.map}/tiles/0/0/0.png"), 200, READ),
    Action("vector tile", lambda c, t: c.get(f"maps/{t.map}/tiles/0/0/0.mvt"), 200, READ),
    Action("style", lambda c, t: c.get(f"maps/{t.map}/style.json"), 200, READ),
    Action("TileJSON", lambda c, t: c.get(f"maps/{t.map}/tilejson.json"), 200, READ),
    *OF_FEATURES,
    Action("change a map", lambda c, t: c.put(f"maps/{t.map}", json={"name": "renamed"}), 200, EDIT),
    Action("change a map by body", lambda c, t: c.put("maps", json={"id": t.map, "name": "renamed"}), 200, EDIT),
    Action("change a layer", lambda c, t: c.put(f"layers/{t.layer}", json={"name": "renamed"}), 200, EDIT),
    Action(
        "add a layer",
        lambda c, t: c.post("layers", json={"mid": t.map, "type": "folder", "name": "a folder"}),
        201,
        EDIT,
    ),
    Action("see shares", lambda c, t: c.get(f"resources/{t.resources['map']}/permissions"), 200, set(NAMES)),
    Action("share", lambda c, t: c.post(f"resources/{t.resources['map']}/permissions", json=GRANT), 201, GIVE),
    Action("remove a layer", lambda c, t: c.delete(f"layers/{t.layer}"), 204, EDIT),
    Action("delete a map", lambda c, t: c.delete(f"maps/{t.map}"), 200, {"OWNER"}),
]

# A layer's own share says nothing of its map.
OF_LAYER = [
    *OF_FEATURES,
    Action("its map", lambda c, t: c.get(f"maps/{t.map}"), 200, set(), others=tuple((name, 404) for name in NAMES)),
    Action("change it", lambda c, t: c.put(f"layers/{t.layer}", json={"name": "renamed"}), 200, set()),
    Action("remove it", lambda c, t: c.delete(f"layers/{t.layer}"), 204, set()),
    Action("share", lambda c, t: c.post(f"resources/{t.resources['layer']}/permissions", json=GRANT), 201, GIVE),
]

OF_TABLE = [
    Action("get a table", lambda c, t: c.get(f"tables/{t.table}"), 200, READ),
    Action("its rows", lambda c, t: c.get(f"tables/{t.table}/rows"), 200, set(NAMES)),
    Action("its rows as CSV", lambda c, t: c.get(f"tables/{t.table}.csv"), 200, set(NAMES)),
    Action(
        "a row",
        lambda c, t: c.get(f"tables/{t.table}/rows/{t.row}"),
        200,
        READ,
        others=tuple((name, 404) for name in OWN_ONLY),
    ),
    Action(
        "create a row",
        lambda c, t: c.post(f"tables/{t.table}/rows", json=FEATURE),
        201,
        EDIT | {"INSERT", "INSERT_MDC", "EDIT_MOBILE"},
    ),
    Action(
        "change another's row",
        lambda c, t: c.put(f"tables/{t.table}/rows/{t.row}", json={"data": {"size": 1}}),
        204,
        EDIT | {"UPDATE"},
        others=(("UPDATE_MDC", 404),),
    ),
    Action(
        "delete another's row",
        lambda c, t: c.delete(f"tables/{t.table}/rows/{t.row}"),
        204,
        EDIT | {"DELETE"},
        others=(("DELETE_MDC", 404),),
    ),
    Action("empty a table", lambda c, t: c.post(f"tables/{t.table}/reset"), 204, EDIT | {"DELETE"}),
    Action("share", lambda c, t: c.post(f"resources/{t.resources['table']}/permissions", json=GRANT), 201, GIVE),
    Action("delete a table", lambda c, t: c.delete(f"tables/{t.table}"), 204, {"OWNER"}),
]

OF_FILE = [
    Action("get a file", lambda c, t: c.get(t.file), 200, READ),
    Action("its info", lambda c, t: c.get(f"{t.file}/info"), 200, READ),
    Action("replace its content", lambda c, t: c.put(t.file, data={"content": "new"}), 200, EDIT),
    Action("share", lambda c, t: c.post(f"resources/{t.resources['file']}/permissions", json=GRANT), 201, GIVE),
    Action("delete a file", lambda c, t: c.delete(t.file), 204, {"OWNER"}),
]

KINDS = {"map": OF_MAP, "layer": OF_LAYER, "table": OF_TABLE, "file": OF_FILE}


def answers(actions: list[Action], caller: Caller, things: Things) -> dict[str, int]:
    return {action.name: action.do(caller, things).status_code for action in actions}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("permission", NAMES)
def test_each_permission(user: Caller, other: Caller, things: Things, kind: str, permission: str) -> None:
    share(user, things.resources[kind], other.username, permission)
    expected = {action.name: action.expected(permission) for action in KINDS[kind]}
    assert answers(KINDS[kind], other, things) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_the_owner(user: Caller, things: Things, kind: str) -> None:
    for action in KINDS[kind]:
        if action.allowed:
            assert (action.name, action.do(user, things).status_code) == (action.name, action.status)


@pytest.mark.parametrize("kind", KINDS)
def test_strangers(other: Caller, things: Things, kind: str) -> None:
    assert answers(KINDS[kind], other, things) == {action.name: action.stranger for action in KINDS[kind]}


@pytest.mark.parametrize("kind", KINDS)
def test_nobody(anonymous: Caller, things: Things, kind: str) -> None:
    """What needs a signed-in caller says so; all else is hidden."""
    creating = {"add a layer": 403}
    expected = {action.name: creating.get(action.name, action.stranger) for action in KINDS[kind]}
    assert answers(KINDS[kind], anonymous, things) == expected


@pytest.fixture
def wrong(server: Server) -> Iterator[Caller]:
    with Caller(server.url, "0" * 32) as caller:
        yield caller


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_key(user: Caller, wrong: Caller, things: Things, kind: str) -> None:
    """Is refused before anything is looked at, also where everyone may read."""
    share(user, things.resources[kind], "anonymous", "READ")
    assert set(answers(KINDS[kind], wrong, things).values()) == {403}


@pytest.mark.parametrize("permission", ["READ", "INSERT", "UPDATE", "DELETE", "EDIT"])
def test_everyone(user: Caller, anonymous: Caller, other: Caller, things: Things, permission: str) -> None:
    """What is shared with anonymous holds for callers with and without a key."""
    share(user, things.resources["map"], "anonymous", permission)
    ends = {"delete another's feature", "remove a layer", "delete a map"}
    lasting = [action for action in OF_MAP if action.name not in ends]
    expected = {action.name: action.expected(permission) for action in lasting}
    assert answers(lasting, other, things) == expected
    signed_in_only = {"add a layer": 403, "see shares": 403}
    assert answers(lasting, anonymous, things) == expected | signed_in_only


@pytest.mark.parametrize("path", ["maps", "tables", "layers", "storage/fs"])
def test_creating_needs_a_caller(anonymous: Caller, path: str) -> None:
    response = anonymous.post(path, json={"name": "x", "filename": "x", "content": "x", "mid": 1, "type": "folder"})
    assert (response.status_code, response.json()["code"]) == (403, "FORBIDDEN")
