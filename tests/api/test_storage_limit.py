"""A limit to what the files of an account may hold (the contract, section 9)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.answers import refused
from tests.server import Caller, Server
from tests.sharing import account_of, got, made, new_feature, new_layer, new_map, new_table, share

LIMIT = 10_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on which an account's files may hold 10 000 bytes."""
    running = Server(tmp_path_factory.mktemp("limited"), environment={"GRATICULE_STORAGE_LIMIT_BYTES": str(LIMIT)})
    running.new_user().close()
    running.start()
    yield running
    running.stop()


def send(caller: Caller, path: str, size: int) -> httpx.Response:
    return caller.post(f"storage/fs/{path}", files={"file": ("a.bin", b"x" * size)})


def held(caller: Caller) -> dict[str, int]:
    return {one["filename"]: one["size"] for one in got(caller.get("storage/fs"))["data"]}


def too_much(response: httpx.Response) -> None:
    assert refused(response, 403)["msg"] == "Storage limit exceeded"


def staged(server: Server, caller: Caller) -> list[Path]:
    return list((server.data / "accounts" / str(caller.user_id) / "staging").iterdir())


def test_a_limit(server: Server, user: Caller) -> None:
    too_much(send(user, "", LIMIT + 1))
    assert held(user) == {}
    assert send(user, "", LIMIT).status_code == 201
    too_much(user.post("storage/fs", data={"filename": "b.txt", "content": "b"}))
    too_much(user.put("storage/fs/b.txt", json={"content": "b"}))
    too_much(user.get(f"maps/{new_map(user)['id']}/render.png?saveto=c.png"))
    assert held(user) == {"a.bin": LIMIT}
    # In place of itself a file may become smaller, and then there is room.
    assert user.put("storage/fs/a.bin", json={"content": "x" * 4000}).status_code == 200
    assert user.put("storage/fs/b.txt", json={"content": "b" * 6000}).status_code == 200
    too_much(user.put("storage/fs/a.bin", json={"content": "x" * 4001}))
    assert user.delete("storage/fs/b.txt").status_code == 204
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("1.txt", "2.txt"):
            archive.writestr(name, "x" * 3001)
    too_much(user.post("storage/fs", files={"file": ("z.zip", packed.getvalue())}))
    assert held(user) == {"a.bin": 4000}
    assert staged(server, user) == []


def test_what_others_store_counts_for_the_owner(server: Server, user: Caller, other: Caller) -> None:
    found = new_map(user)
    new_table(user)
    layer = new_layer(user, found["id"], "places")["id"]
    feature = new_feature(user, layer, name="x")
    share(user, found["resource_id"], other.username, "EDIT")
    assert send(user, "", LIMIT - 10).status_code == 201
    assert send(other, "", LIMIT).status_code == 201
    too_much(send(other, f"?destination_map={found['id']}", 11))
    path = f"layers/{layer}/features/{feature}/name"
    too_much(other.post(path, files={"file": ("m.txt", b"x" * 11)}))
    assert got(user.get(f"layers/{layer}/features/{feature}"))["data"]["name"] == "x"
    assert held(user) == {"a.bin": LIMIT - 10}
    made(other.post(path, files={"file": ("m.txt", b"x" * 5)}))
    answer = send(other, f"?destination_map={found['id']}", 5)
    assert answer.headers["location"] == f"1/storage/fs/{account_of(user)}/a_1.bin"
    too_much(other.post(path, files={"file": ("m.txt", b"x")}))
    assert staged(server, user) == staged(server, other) == []
