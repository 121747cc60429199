"""Uploads that go wrong leave nothing behind."""

from __future__ import annotations

import io
import socket
import struct
import zipfile
from pathlib import Path

import httpx
import pytest
from tests.server import Caller, Server, wait_until
from tests.sharing import got

CONTENT = b"content " * 50_000
HEAD = b'--b\r\nContent-Disposition: form-data; name="f"; filename="broken.txt"\r\n\r\n'
WHOLE = HEAD + CONTENT + b"\r\n--b--\r\n"


def home(server: Server, caller: Caller) -> Path:
    return server.data / "accounts" / str(caller.user_id)


def nothing_is_left(server: Server, caller: Caller) -> bool:
    staging = home(server, caller) / "staging"
    return got(caller.get("storage/fs"))["data"] == [] and list(staging.glob("*")) == []


def as_multipart(caller: Caller, body: bytes) -> httpx.Response:
    return caller.post("storage/fs/folder", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"})


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("sent", [len(HEAD) // 2, len(HEAD) + 100_000, len(WHOLE) - 4])
def test_a_connection_that_breaks(server: Server, user: Caller, sent: int, chunked: bool) -> None:
    length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(WHOLE)
    head = b"POST /1/storage/fs/folder HTTP/1.1\r\nHost: localhost\r\nAPI-Key: %b\r\n%b\r\n%b\r\n\r\n"
    kind = b"Content-Type: multipart/form-data; boundary=b"
    part = WHOLE[:sent]
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head % ((user.key or "").encode(), kind, length))
        connection.sendall(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
        wait_until(lambda: list(home(server, user).glob("staging/*")), "the upload did not begin")
        # Reset, not ended: nothing more is sent, not even a goodbye.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_until(lambda: nothing_is_left(server, user), "something is left of a broken upload")


@pytest.mark.parametrize(
    "body",
    [
        WHOLE[: len(HEAD) // 2],
        WHOLE[: len(HEAD) + 1000],
        WHOLE[:-8],
        WHOLE.replace(b"--b", b"--c"),
        HEAD.replace(b"form-data", b"attachment") + b"x\r\n--b--\r\n",
        b"no multipart at all",
        b"",
        WHOLE.replace(b"\r\n\r\ncontent", b"\r\nContent-Transfer-Encoding: base64\r\n\r\ncontent", 1),
        WHOLE[:-4] + b"\r\n" + WHOLE[: len(HEAD) + 10],
    ],
    ids=["in a header", "in a file", "no end", "other boundary", "no form data", "text", "empty", "base64", "second"],
)
def test_a_body_that_is_broken(server: Server, user: Caller, body: bytes) -> None:
    answer = as_multipart(user, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert nothing_is_left(server, user)


def test_an_empty_file(server: Server, user: Caller) -> None:
    answer = user.post("storage/fs", files=[("file", ("full.txt", b"x")), ("file", ("empty.geojson", b""))])
    assert answer.status_code == 400
    assert "empty.geojson" in answer.json()["nested"]["msg"]
    assert nothing_is_left(server, user)


def archive(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members:
            opened.writestr(name, content)
    return held.getvalue()


def link() -> zipfile.ZipInfo:
    found = zipfile.ZipInfo("link.txt")
    found.external_attr = 0o120777 << 16
    return found


GOOD = ("good.txt", b"a" * 1000)
ZIPS = {
    "truncated": (archive(GOOD, ("b.bin", bytes(range(256)) * 400))[:500], ""),
    "without its list": (archive(GOOD)[:-30], ""),
    "damaged": (archive(GOOD).replace(b"KL", b"KM", 1), "good.txt"),
    "above": (archive(GOOD, ("../up.txt", b"x")), "../up.txt"),
    "below and above": (archive(GOOD, ("a/../../up.txt", b"x")), "up.txt"),
    "absolute": (archive(GOOD, ("/etc/up.txt", b"x")), "/etc/up.txt"),
    "drive": (archive(GOOD, ("C:\\up.txt", b"x")), "up.txt"),
    "a link": (archive(GOOD, (link(), b"/etc/passwd")), "link.txt"),
    "a bomb": (archive(GOOD, ("bomb.bin", bytes(64 * 1024 * 1024))), "bomb.bin"),
    "a file and a directory": (archive(GOOD, ("a", b"x"), ("a/b", b"x")), "a"),
    "no zip": (b"this is text", ""),
    "nothing in it": (archive(), ""),
}


@pytest.mark.parametrize("case", ZIPS)
def test_zips_that_are_refused(server: Server, user: Caller, case: str) -> None:
    content, member = ZIPS[case]
    answer = user.post("storage/fs/folder", files=[("file", ("first.txt", b"x")), ("file", ("bad.zip", content))])
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    sentence = answer.json()["nested"]["msg"]
    assert "bad.zip" in sentence
    assert member in sentence
    assert nothing_is_left(server, user)
    assert not list(server.data.rglob("up.txt"))


def test_all_or_nothing_where_something_stands_in_the_way(user: Caller) -> None:
    user.post("storage/fs/folder/taken.txt/mkdir")
    files = [("file", (name, b"x")) for name in ("before.txt", "taken.txt", "zlast.txt")]
    assert user.post("storage/fs/folder", files=files).status_code == 409
    assert [one["filename"] for one in got(user.get("storage/fs/folder"))["data"]] == ["taken.txt"]


def test_two_files_of_one_name(server: Server, user: Caller) -> None:
    files = [("file", ("a.txt", b"one")), ("file", ("a.txt", b"two"))]
    assert user.post("storage/fs", files=files).status_code == 400
    assert nothing_is_left(server, user)


def test_limits(tmp_path: Path) -> None:
    limits = {"UPLOAD_BYTES": "200000", "BODY_BYTES": "50000", "UNPACKED_BYTES": "100000", "UNPACKED_FILES": "20"}
    small = Server(tmp_path, environment={f"GRATICULE_MAX_{name}": value for name, value in limits.items()})
    small.new_user().close()
    small.start()
    noise = bytes((i * i + i // 7) % 251 for i in range(150_000))
    sent = (
        ("large.txt", CONTENT, 413),
        ("large.zip", archive(("a.bin", noise)), 400),
        ("many.zip", archive(*((f"{i}.txt", b"x") for i in range(21))), 400),
        ("good.zip", archive(*((f"{i}.txt", b"x") for i in range(20))), 201),
    )
    try:
        with small.new_user() as caller:
            for name, content, status in sent:
                answer = caller.post("storage/fs/folder", files={"file": (name, content)})
                assert (name, answer.status_code) == (name, status)
                assert nothing_is_left(small, caller) == (status != 201)
            assert caller.put("storage/fs/a.txt", json={"content": "x" * 60_000}).status_code == 413
    finally:
        small.stop()
