"""Who may do what: every permission on every kind of thing, against every action."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from tests.people import join, new_role, share_with_role
from tests.server import Caller, Server
from tests.sharing import (
    account_of,
    made,
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
    """What one owner has of the kind that a test is about, each with one feature of the owner's."""

    map: str = ""
    layer: str = ""
    table: str = ""
    feature: int = 0
    row: int = 0
    file: str = ""
    role: int = 0
    account: int = 0
    datasource: str = ""
    form: str = ""
    resources: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One of its own: what is shared with everyone here would stand in the lists of other tests."""
    running = Server(tmp_path_factory.mktemp("matrix"), environment={"GRATICULE_JOB_WORKERS": "0"})
    running.new_user(administrator=True).close()
    yield running.start()
    running.stop()


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


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[Caller]:
    """Who makes accounts, and owns them for the purpose of these tests."""
    with server.new_user(administrator=True) as caller:
        yield caller


@pytest.fixture(scope="module")
def owners(user: Caller, admin: Caller) -> dict[str, Caller]:
    """Who owns the things of each kind."""
    return dict.fromkeys(KINDS, user) | {"user": admin}


def a_map(owner: Caller) -> Things:
    data = f"data_{next(NUMBERS)}"
    found, _ = new_map(owner), new_table(owner, data)
    layer = new_layer(owner, found["id"], data)
    feature = new_feature(owner, layer["id"], name="the owner's")
    resources = {"map": found["resource_id"], "layer": layer["resource_id"]}
    return Things(map=found["id"], layer=layer["id"], feature=feature, resources=resources)


def a_table(owner: Caller) -> Things:
    name = f"places_{next(NUMBERS)}"
    table = new_table(owner, name)
    row = new_row(owner, name, name="the owner's")
    return Things(table=f"usrsch{owner.user_id}.{name}", row=row, resources={"table": table["resource_id"]})


def a_file(owner: Caller) -> Things:
    name = f"notes_{next(NUMBERS)}.txt"
    upload(owner, "", **{name.replace(".", "__"): b"notes"})
    return Things(file=f"storage/fs/{account_of(owner)}/{name}", resources={"file": resource_of_file(owner, name)})


def a_role(owner: Caller) -> Things:
    role = new_role(owner)
    return Things(role=role["id"], resources={"role": role["resource_id"]})


def a_user(owner: Caller) -> Things:
    account = made(owner.post("users", json={"username": f"account{next(NUMBERS)}_{owner.username}"}))
    return Things(account=account["id"], resources={"user": account["resource_id"]})


def a_datasource(owner: Caller) -> Things:
    source = made(owner.post("datasources", json={"name": "a source", "type": 20, "params": {"src": "/a.shp"}}))
    return Things(datasource=source["id"], resources={"datasource": source["resource_id"]})


def a_form(owner: Caller) -> Things:
    form = made(owner.post("forms", json={"name": "a form", "definition": []}))
    return Things(form=form["id"], resources={"form": form["resource_id"]})


MAKERS = {
    "map": a_map,
    "layer": a_map,
    "table": a_table,
    "file": a_file,
    "role": a_role,
    "user": a_user,
    "datasource": a_datasource,
    "form": a_form,
}


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
OPTION = {"option_name": "a", "option_value": "b"}
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
    Action("its sharing", lambda c, t: c.get(f"maps/{t.map}/sharing"), 200, READ),
    Action("its timestamp", lambda c, t: c.get(f"maps/{t.map}/get_modified_timestamp"), 200, READ),
    Action("its options", lambda c, t: c.get(f"maps/{t.map}/options"), 200, READ),
    Action("keep an option", lambda c, t: c.post(f"maps/{t.map}/options", json=OPTION), 201, EDIT),
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
    Action("its options", lambda c, t: c.get(f"layers/{t.layer}/options"), 200, READ),
    Action("keep an option", lambda c, t: c.post(f"layers/{t.layer}/options", json=OPTION), 201, EDIT),
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

OF_ROLE = [
    Action("get a role", lambda c, t: c.get(f"roles/{t.role}"), 200, READ, stranger=403),
    Action("its users", lambda c, t: c.get(f"roles/{t.role}/users"), 200, READ),
    Action("its options", lambda c, t: c.get(f"resources/{t.resources['role']}/options"), 200, READ),
    Action("change a role", lambda c, t: c.put(f"roles/{t.role}", json={"name": "renamed"}), 200, EDIT, stranger=403),
    Action(
        "change a role by body",
        lambda c, t: c.put("roles", json={"id": t.role, "name": "renamed"}),
        200,
        EDIT,
        stranger=403,
    ),
    Action("add a user", lambda c, t: c.post(f"roles/{t.role}/users", json={"user_id": 1}), 201, EDIT),
    Action("remove a user", lambda c, t: c.delete(f"roles/{t.role}/users/1"), 204, EDIT),
    Action("see shares", lambda c, t: c.get(f"resources/{t.resources['role']}/permissions"), 200, set(NAMES)),
    Action("share", lambda c, t: c.post(f"resources/{t.resources['role']}/permissions", json=GRANT), 201, GIVE),
    Action("delete a role", lambda c, t: c.delete(f"roles/{t.role}"), 204, EDIT, stranger=403),
]

OF_USER = [
    Action("get a user", lambda c, t: c.get(f"users/{t.account}"), 200, READ, stranger=403),
    Action("its options", lambda c, t: c.get(f"resources/{t.resources['user']}/options"), 200, READ),
    Action("change a user", lambda c, t: c.put(f"users/{t.account}", json={"web": "new"}), 200, EDIT, stranger=403),
    Action("its mail", lambda c, t: c.put(f"users/{t.account}", json={"email": "a@b.c"}), 200, set(), stranger=403),
    Action("end it", lambda c, t: c.put(f"users/{t.account}", json={"active": False}), 200, set(), stranger=403),
    Action("see shares", lambda c, t: c.get(f"resources/{t.resources['user']}/permissions"), 200, set(NAMES)),
    Action("share", lambda c, t: c.post(f"resources/{t.resources['user']}/permissions", json=GRANT), 201, GIVE),
    Action("delete a user", lambda c, t: c.delete(f"users/{t.account}"), 204, EDIT, stranger=403),
]

OF_DATASOURCE = [
    Action("get a datasource", lambda c, t: c.get(f"datasources/{t.datasource}"), 200, READ),
    Action("change it", lambda c, t: c.put(f"datasources/{t.datasource}", json={"name": "renamed"}), 200, EDIT),
    Action("share", lambda c, t: c.post(f"resources/{t.resources['datasource']}/permissions", json=GRANT), 201, GIVE),
    Action("delete it", lambda c, t: c.delete(f"datasources/{t.datasource}"), 204, {"OWNER"}),
]

OF_FORM = [
    Action("get a form", lambda c, t: c.get(f"forms/{t.form}"), 200, READ),
    Action("change it", lambda c, t: c.put(f"forms/{t.form}", json={"name": "renamed"}), 200, EDIT),
    Action("share", lambda c, t: c.post(f"resources/{t.resources['form']}/permissions", json=GRANT), 201, GIVE),
    Action("delete it", lambda c, t: c.delete(f"forms/{t.form}"), 204, {"OWNER"}),
]

KINDS = {
    "map": OF_MAP,
    "layer": OF_LAYER,
    "table": OF_TABLE,
    "file": OF_FILE,
    "role": OF_ROLE,
    "user": OF_USER,
    "datasource": OF_DATASOURCE,
    "form": OF_FORM,
}


def answers(actions: list[Action], caller: Caller, things: Things) -> dict[str, int]:
    return {action.name: action.do(caller, things).status_code for action in actions}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("permission", NAMES)
def test_each_permission(owners: dict[str, Caller], other: Caller, kind: str, permission: str) -> None:
    things = MAKERS[kind](owners[kind])
    share(owners[kind], things.resources[kind], other.username, permission)
    expected = {action.name: action.expected(permission) for action in KINDS[kind]}
    assert answers(KINDS[kind], other, things) == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("through", "permission"),
    [("role", "READ"), ("role", "OWNER"), ("nested role", "EDIT"), ("nested role", "UPDATE_MDC")],
)
def test_by_a_role(
    owners: dict[str, Caller],
    members: dict[str, Caller],
    roles: dict[str, int],
    kind: str,
    permission: str,
    through: str,
) -> None:
    """Who is in a role, or in one below it, has what the role has; who is in the one above has nothing by it."""
    things = MAKERS[kind](owners[kind])
    share_with_role(owners[kind], things.resources[kind], roles["role"], permission)
    actions = [action for action in KINDS[kind] if action.name not in DRAWN]
    assert answers(actions, members["above"], things) == {action.name: action.stranger for action in actions}
    assert answers(actions, members[through], things) == {
        action.name: action.expected(permission) for action in actions
    }


# By one and the same right; what it is drawn by is looked at in person.
DRAWN = {
    "picture", "iframe", "tile", "vector tile", "style", "TileJSON", "export", "picture of a layer", "tile of a layer",
    "vector tile of a layer", "features as CSV", "its rows as CSV",
}  # fmt: skip


@pytest.fixture(scope="module")
def members(server: Server) -> Iterator[dict[str, Caller]]:
    """Who is in which of the roles, and has nothing else."""
    with server.new_user() as above, server.new_user() as role, server.new_user() as nested:
        yield {"above": above, "role": role, "nested role": nested}


@pytest.fixture(scope="module")
def roles(user: Caller, admin: Caller, members: dict[str, Caller]) -> dict[str, int]:
    """A role with one above and one below it; the administrator, who sees all roles, can share with them too."""
    above = new_role(user)["id"]
    middle = new_role(user, parent_id=above)["id"]
    made_of = {"above": above, "role": middle, "nested role": new_role(user, parent_id=middle)["id"]}
    for name, role in made_of.items():
        join(user, role, members[name])
    return made_of


@pytest.mark.parametrize("kind", KINDS)
def test_the_owner(owners: dict[str, Caller], kind: str) -> None:
    things = MAKERS[kind](owners[kind])
    for action in KINDS[kind]:
        if action.allowed:
            assert (action.name, action.do(owners[kind], things).status_code) == (action.name, action.status)


@pytest.mark.parametrize("kind", KINDS)
def test_strangers(owners: dict[str, Caller], other: Caller, kind: str) -> None:
    things = MAKERS[kind](owners[kind])
    assert answers(KINDS[kind], other, things) == {action.name: action.stranger for action in KINDS[kind]}


@pytest.mark.parametrize("kind", KINDS)
def test_nobody(owners: dict[str, Caller], anonymous: Caller, kind: str) -> None:
    """What needs a signed-in caller says so; all else is hidden."""
    things = MAKERS[kind](owners[kind])
    creating = {"add a layer": 403}
    expected = {action.name: creating.get(action.name, action.stranger) for action in KINDS[kind]}
    assert answers(KINDS[kind], anonymous, things) == expected


@pytest.fixture
def wrong(server: Server) -> Iterator[Caller]:
    with Caller(server.url, "0" * 32) as caller:
        yield caller


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_key(owners: dict[str, Caller], wrong: Caller, kind: str) -> None:
    """Is refused before anything is looked at, also where everyone may read."""
    things = MAKERS[kind](owners[kind])
    share(owners[kind], things.resources[kind], "anonymous", "READ")
    assert set(answers(KINDS[kind], wrong, things).values()) == {403}


@pytest.mark.parametrize("permission", ["READ", "INSERT", "UPDATE", "DELETE", "EDIT"])
def test_everyone(user: Caller, anonymous: Caller, other: Caller, permission: str) -> None:
    """What is shared with anonymous holds for callers with and without a key."""
    things = a_map(user)
    share(user, things.resources["map"], "anonymous", permission)
    ends = {"delete another's feature", "remove a layer", "delete a map"}
    lasting = [action for action in OF_MAP if action.name not in ends]
    expected = {action.name: action.expected(permission) for action in lasting}
    assert answers(lasting, other, things) == expected
    signed_in_only = {"add a layer": 403, "see shares": 403, "keep an option": 403}
    assert answers(lasting, anonymous, things) == expected | signed_in_only


@pytest.mark.parametrize("path", ["maps", "tables", "layers", "storage/fs", "users", "roles"])
def test_creating_needs_a_caller(anonymous: Caller, path: str) -> None:
    response = anonymous.post(path, json={"name": "x", "filename": "x", "content": "x", "mid": 1, "type": "folder"})
    assert (response.status_code, response.json()["code"]) == (403, "FORBIDDEN")
