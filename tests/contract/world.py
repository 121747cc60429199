"""What the cases are tried on: real data and things of every kind, each made when a case first names it.

Names that begin with ``new_`` stand for a thing made for one case alone, which may change or delete it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.server import Caller, Server
from tests.sharing import account_of, got, made, new_map, share

NAME = re.compile(r"\{([a-z]\w*)\}")
# Where the points of ``table`` are, with their values.
SIGHTS = (("Split", 178, 16.44, 43.51), ("Zadar", 75, 15.23, 44.12), ("Pula", 57, 13.85, 44.87))
COLUMNS = {"name": {"type": "text"}, "value": {"type": "number"}, "photo": {"type": "text"}}
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645"
    "400000000049454e44ae426082"
)


@dataclass
class World:
    """Callers, and the things that were made so far, by name."""

    server: Server
    data: Path
    owner: Caller
    other: Caller
    anonymous: Caller
    admin: Caller
    things: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def caller(self, name: str) -> Caller:
        return {"owner": self.owner, "other": self.other, "anonymous": self.anonymous, "admin": self.admin}[name]

    def thing(self, name: str) -> str:
        """What a name stands for."""
        if name not in self.things:
            self.things[name] = MAKERS[name](self)
        return self.things[name]

    def unused(self, stem: str) -> str:
        """A name that nothing has yet."""
        self.count += 1
        return f"{stem}_{self.count}"


@dataclass
class Here:
    """The world as one case sees it: with the things that were made for it alone."""

    world: World
    own: dict[str, str] = field(default_factory=dict)
    answered: bool = False

    def thing(self, name: str) -> str:
        there = name in self.own or name in self.world.things or name in CALLERS
        assert there or not self.answered, f"{name} is made after the answer; the case has to say that it needs it."
        if not name.startswith("new_"):
            return self.world.thing(name)
        if name not in self.own:
            self.own[name] = NEW[name](self)
        return self.own[name]

    def fill(self, value: Any) -> Any:
        """A value with the names in its texts replaced; a text that is a name and ``#`` becomes a number."""
        if isinstance(value, dict):
            return {name: self.fill(held) for name, held in value.items()}
        if isinstance(value, list):
            return [self.fill(held) for held in value]
        if not isinstance(value, str):
            return value
        if found := re.fullmatch(r"\{(\w+)\}#", value):
            return int(self.thing(found[1]))
        return NAME.sub(lambda found: self.thing(found[1]), value)


def _map(world: World) -> str:
    fields = {"name": "Contract", "epsg": None, "description": "of the table"}
    return str(new_map(world.owner, **fields)["id"])


def _resource(path: str) -> Callable[[World], str]:
    """The resource id of a thing at that path."""
    return lambda world: str(got(world.owner.get(Here(world).fill(path)))["resource_id"])


def _table(world: World) -> str:
    name = world.unused("sights")
    make_table(world.owner, name)
    return name


def make_table(caller: Caller, name: str) -> None:
    """A table of the three sights."""
    made(caller.post("tables", json={"name": name, "geometry": "point", "columns": COLUMNS}))
    for place, value, x, y in SIGHTS:
        sent = {"data": {"name": place, "value": value}, "geometry": f"POINT ({x} {y})"}
        made(caller.post(f"tables/{name}/rows", json=sent))


def table_layer(world: World, map_id: str, table: str, **fields: Any) -> str:
    source = json.dumps({"type": "pg", "src": table})
    sent = {"mid": map_id, "name": "Sights", "type": "point", "source": source, "exportable": True, **fields}
    return str(made(world.owner.post("layers", json=sent))["id"])


def _file_layer(name: str) -> Callable[[World], str]:
    def make(world: World) -> str:
        folder = name.replace(".", "_")
        with (world.data / name).open("rb") as file:
            made(world.owner.post(f"storage/fs/{folder}", files={"file": (name, file)}))
        files = [one["filename"] for one in got(world.owner.get(f"storage/fs/{folder}/info"))["data"]]
        chosen = next((one for one in files if one.endswith(".shp")), name)
        source = {"type": "file", "src": f"/{folder}/{chosen}"}
        sent = {"mid": world.thing("map"), "name": name.partition(".")[0], "source": source, "exportable": True}
        return str(made(world.owner.post("layers", json=sent))["id"])

    return make


def _id(path: str, who: str = "owner", key: str = "id", **sent: Any) -> Callable[[World], str]:
    """The id of what a POST of these fields makes."""

    def make(world: World) -> str:
        here = Here(world)
        return str(made(world.caller(who).post(here.fill(path), json=here.fill(sent)))[key])

    return make


def _upload(world: World, path: str, content: bytes) -> str:
    folder, _, name = path.rpartition("/")
    made(world.owner.post(f"storage/fs/{folder}", files={"file": (name, content)}))
    return path


def _media_feature(world: World) -> str:
    """A feature of ``media_layer`` whose attribute photo names a file that was added through the API."""
    layer = world.thing("media_layer")
    sent = {"data": {"name": "seen"}, "geometry": "POINT (15 45)"}
    feature = made(world.owner.post(f"layers/{layer}/features", json=sent))["__id"]
    parts = {"file": ("seen.png", PICTURE, "image/png")}
    made(world.owner.post(f"layers/{layer}/features/{feature}/photo", files=parts))
    return str(feature)


def _media_file(world: World) -> str:
    feature = world.thing("media_feature")
    value = got(world.owner.get(f"layers/{world.thing('media_layer')}/features/{feature}"))["data"]["photo"]
    return str(value).rpartition("/")[2]


def _role_member(world: World) -> str:
    made(world.owner.post(f"roles/{world.thing('role')}/users", json={"username": world.other.username}))
    return str(world.other.user_id)


def _shared_map(world: World) -> str:
    """A map that ``other`` may only read."""
    fresh = new_map(world.owner, name="Shared")
    share(world.owner, fresh["resource_id"], world.other.username, "READ")
    return str(fresh["id"])


def _public_resource(world: World) -> str:
    """The resource of a map that everyone may read."""
    fresh = new_map(world.owner, name="Public")
    share(world.owner, fresh["resource_id"], "anonymous", "READ")
    return str(fresh["resource_id"])


def _shared_layer(world: World) -> str:
    return table_layer(world, world.thing("shared_map"), world.thing("table"))


# Names of what is there from the start.
CALLERS = ("key_value", "username", "other_name", "user", "other", "account", "schema")

MAKERS: dict[str, Callable[[World], str]] = {
    "key_value": lambda world: str(world.owner.key),
    "username": lambda world: world.owner.username,
    "other_name": lambda world: world.other.username,
    "user": lambda world: str(world.owner.user_id),
    "other": lambda world: str(world.other.user_id),
    "account": lambda world: account_of(world.owner),
    "schema": lambda world: f"usrsch{world.owner.user_id}",
    "map": _map,
    "map_resource": _resource("maps/{map}"),
    "shared_map": _shared_map,
    "shared_layer": _shared_layer,
    "shared_map_resource": _resource("maps/{shared_map}"),
    "other_map": _id("maps", "other", name="Not shared"),
    "table": _table,
    "plain_table": _id("tables", key="name", name="plain", columns={"code": {"type": "text"}}),
    "public_resource": _public_resource,
    "layer": lambda world: table_layer(world, world.thing("map"), world.thing("table")),
    "layer_resource": _resource("layers/{layer}"),
    "countries": _file_layer("countries.zip"),
    "osm": _id("layers", mid="{map}", name="Street map", type="tile", source='{"type":"tile","src":"osm"}'),
    "folder": _id("layers", mid="{map}", name="Folder", type="folder", source="{}"),
    "feature": lambda world: "1" if world.thing("layer") else "",
    "row": lambda world: "1" if world.thing("table") else "",
    "file": lambda world: _upload(world, "contract/notes.txt", b"some notes"),
    "css": lambda world: _upload(world, "contract/page.css", b".map { border: 1px solid red }"),
    "key": _id("keys", key_desc="upload"),
    "given_map": _id("maps", name="Given"),
    "given_resource": _resource("maps/{given_map}"),
    "share": lambda world: share(world.owner, world.thing("given_resource"), world.other.username, "READ"),
    "media_layer": lambda world: table_layer(world, world.thing("map"), _table(world)),
    "media_feature": _media_feature,
    "media_file": _media_file,
    "role": _id("roles", name="Surveyors"),
    "role_member": _role_member,
    "client": _id("oauth2_clients", name="app", redirect_uri="https://app.example.org/back"),
    "approval": _id("userapprovedapps", client_id="{client}#"),
    "datasource": _id("datasources", name="Roads", type=40, params={"url": "https://maps.example.org/wms"}),
    "form": _id("forms", name="Sight", definition='[{"type":"text","field":"name"}]'),
    "option": _id("maps/{map}/options", option_name="colour", option_value="red"),
    "layer_option": _id("layers/{layer}/options", option_name="colour", option_value="blue"),
    "user_option": lambda world: (
        "META" if made(world.owner.post("users/current/options", json={"name": "META", "value": "x"})) else ""
    ),
    "job": _id("layers/{layer}/export.csv"),
}  # fmt: skip


def _new_feature(here: Here) -> str:
    sent = {"data": {"name": "new", "value": 1}, "geometry": "POINT (15 45)"}
    answer = made(here.world.owner.post(f"layers/{here.thing('new_layer')}/features", json=sent))
    return str(answer["__id"])


def _new_table(here: Here) -> str:
    name = here.world.unused("fresh")
    make_table(here.world.owner, name)
    return name


def _counties(here: Here) -> str:
    """A table with the columns that the examples of the description name, and one row."""
    columns = {"city": "text", "county": "text", "attribute_string": "text", "attribute_int": "integer"}
    described = {name: {"type": kind} for name, kind in (columns | {"attribute_real": "real"}).items()}
    name = here.world.unused("counties")
    made(here.world.owner.post("tables", json={"name": name, "geometry": "point", "columns": described}))
    made(here.world.owner.post(f"tables/{name}/rows", json={"data": {"city": "New York"}, "geometry": "POINT(-74 40)"}))
    return name


def _own(path: str, who: str = "owner", key: str = "id", **sent: Any) -> Callable[[Here], str]:
    def make(here: Here) -> str:
        return str(made(here.world.caller(who).post(here.fill(path), json=here.fill(sent)))[key])

    return make


def _new_user(here: Here) -> str:
    name = here.world.unused("person")
    sent = {"username": name, "email": f"{name}@example.org", "password": "a long password"}
    return str(made(here.world.admin.post("users", json=sent))["id"])


NEW: dict[str, Callable[[Here], str]] = {
    "new_name": lambda here: here.world.unused("named"),
    "new_map": _own("maps", name="Fresh"),
    "new_map_resource": lambda here: str(got(here.world.owner.get(here.fill("maps/{new_map}")))["resource_id"]),
    "new_table": _new_table,
    "new_layer": lambda here: table_layer(here.world, here.thing("new_map"), here.thing("new_table")),
    "new_counties": _counties,
    "new_counties_layer": lambda here: table_layer(here.world, here.thing("new_map"), here.thing("new_counties")),
    "new_feature": _new_feature,
    "new_row": lambda here: "2" if here.thing("new_table") else "",
    "new_file": lambda here: _upload(here.world, f"contract/{here.world.unused('file')}.txt", b"some text"),
    "new_key": _own("keys", key_desc="fresh"),
    "new_share": _own("resources/{new_map_resource}/permissions", username="{other_name}", permission="READ"),
    "new_role": _own("roles", name="{new_name}"),
    "new_member": lambda here: str(
        made(here.world.owner.post(here.fill("roles/{new_role}/users"), json={"user_id": here.world.other.user_id}))
        and here.world.other.user_id
    ),
    "new_user": _new_user,
    "new_client": _own("oauth2_clients", name="fresh", redirect_uri="https://fresh.example.org/back"),
    "new_approval": _own("userapprovedapps", client_id="{new_client}#"),
    "new_datasource": _own("datasources", name="Fresh", type=60, params={"url": "https://tiles.example.org"}),
    "new_form": _own("forms", name="Fresh", definition="[]"),
    "new_option": _own("maps/{new_map}/options", option_name="colour", option_value="red"),
}  # fmt: skip
