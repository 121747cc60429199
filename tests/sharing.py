"""Short words for what tests of access do all the time: making things, and giving and taking rights to them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx

from tests.server import Caller


def made(response: httpx.Response) -> Any:
    """The body of a 201."""
    assert response.status_code == 201, response.text
    return response.json()


def got(response: httpx.Response) -> Any:
    """The body of a 200."""
    assert response.status_code == 200, response.text
    return response.json()


def account_of(caller: Caller) -> str:
    """What names the caller's storage in the paths of others."""
    return hashlib.md5(str(caller.user_id).encode()).hexdigest()


def new_map(caller: Caller, **fields: Any) -> dict[str, Any]:
    return dict(made(caller.post("maps", json={"name": "a map", "epsg": "4326", **fields})))


def new_table(caller: Caller, name: str = "places") -> dict[str, Any]:
    """A table of points with the columns name and size."""
    columns = {"name": {"type": "text"}, "size": {"type": "integer"}}
    return dict(made(caller.post("tables", json={"name": name, "geometry": "point", "columns": columns})))


def new_layer(caller: Caller, map_id: str, table: str, **fields: Any) -> dict[str, Any]:
    """A layer on a table."""
    source = {"type": "pg", "src": table}
    return dict(made(caller.post(f"maps/{map_id}/layers", json={"type": "point", "source": source, **fields})))


def new_file_layer(caller: Caller, map_id: str, path: str, **fields: Any) -> dict[str, Any]:
    source = {"type": "file", "src": path}
    return dict(made(caller.post(f"maps/{map_id}/layers", json={"source": source, **fields})))


def new_row(caller: Caller, table: str, x: float = 1, y: float = 2, **data: Any) -> int:
    row = made(caller.post(f"tables/{table}/rows", json={"data": data, "geometry": f"POINT ({x} {y})"}))
    return int(row["ogc_fid"])


def new_feature(caller: Caller, layer: str, x: float = 1, y: float = 2, **data: Any) -> int:
    sent = {"data": data, "geometry": f"POINT ({x} {y})"}
    return int(made(caller.post(f"layers/{layer}/features", json=sent))["__id"])


def upload(caller: Caller, folder: str, **files: bytes) -> httpx.Response:
    """Files by name, with the dot of the name as ``__``."""
    parts = [("file", (name.replace("__", "."), content)) for name, content in files.items()]
    return caller.post(f"storage/fs/{folder}", files=parts)


def share(owner: Caller, resource: str, username: str, permission: str) -> str:
    """Give a permission; answers the id of the share."""
    sent = {"username": username, "permission": permission}
    return str(made(owner.post(f"resources/{resource}/permissions", json=sent))["id"])


def unshare(owner: Caller, resource: str, share_id: str) -> None:
    response = owner.delete(f"resources/{resource}/permissions/{share_id}")
    assert response.status_code == 204, response.text


def resource_of_file(owner: Caller, path: str) -> str:
    return str(got(owner.get(f"storage/fs/{path}/info"))["data"][0]["resource_id"])


def feature_ids(caller: Caller, layer: str) -> list[int]:
    return [one["__id"] for one in got(caller.get(f"layers/{layer}/features"))["data"]]


def tables_of(reader: Caller, owner: Caller) -> list[str]:
    """The names of the owner's tables that the reader finds in the list; others may share theirs with everyone."""
    return [one["name"] for one in pages(reader, "tables") if one["owner_id"] == owner.user_id]


def ids(caller: Caller, path: str) -> list[str]:
    """The ids of everything in a list."""
    return [one["id"] for one in pages(caller, path)]


def pages(caller: Caller, path: str) -> Iterator[dict[str, Any]]:
    number, joint = 1, "&" if "?" in path else "?"
    while data := got(caller.get(f"{path}{joint}page={number}&perpage=50"))["data"]:
        yield from data
        number += 1


def text(value: Any) -> str:
    return json.dumps(value)
