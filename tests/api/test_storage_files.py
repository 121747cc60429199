"""/storage/fs: files in, out and away, by every way there is to send them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.answers import refused
from tests.server import Caller, Server
from tests.sharing import got, resource_of_file

FIELDS = ("file", "filedata", "upfile", "anything at all", "größe", "")


def names(caller: Caller, folder: str = "") -> list[str]:
    return [one["filename"] for one in got(caller.get(f"storage/fs/{folder}"))["data"]]


def send(caller: Caller, folder: str, *parts: tuple[str, bytes], field: str = "file") -> httpx.Response:
    return caller.post(f"storage/fs/{folder}", files=[(field, part) for part in parts])


def packed(**files: bytes) -> bytes:
    """A zip of files by path, with the dot of the name as ``__``."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return held.getvalue()


def raw_multipart(caller: Caller, path: str, boundary: str, body: bytes) -> httpx.Response:
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return caller.post(path, content=body, headers=headers)


@pytest.mark.parametrize("field", FIELDS)
def test_a_part_may_be_called_anything(shared: Caller, field: str) -> None:
    folder = f"parts/{FIELDS.index(field)}"
    answer = send(shared, folder, ("a.txt", b"content"), field=field)
    assert (answer.status_code, answer.headers["Location"]) == (201, f"1/storage/fs/{folder}/a.txt")
    assert shared.get(f"storage/fs/{folder}/a.txt").content == b"content"


@pytest.mark.parametrize("boundary", ["plain", '"quoted"', "'()+_,-./:=?", '"with blank inside"'])
def test_boundaries(shared: Caller, boundary: str) -> None:
    mark = boundary.strip('"').encode()
    body = b"--%b\r\nContent-Disposition: form-data; name=f; filename=b.txt\r\n\r\nb\r\n--%b--\r\n" % (mark, mark)
    answer = raw_multipart(shared, "storage/fs/boundaries", boundary, body)
    assert (answer.status_code, answer.headers.get("Location")) == (201, "1/storage/fs/boundaries/b.txt")


def test_several_files(user: Caller) -> None:
    answer = send(user, "several/deep", ("a.txt", b"a"), ("b.bin", bytes(range(256))))
    assert (answer.status_code, answer.headers["Location"]) == (201, "1/storage/fs/several/deep")
    assert answer.json()["is_dir"] == "t"
    assert names(user, "several/deep") == ["a.txt", "b.bin"]
    assert user.get("storage/fs/several/deep/b.bin").content == bytes(range(256))


def test_fields_beside_files_are_no_files(user: Caller) -> None:
    parts: list[Any] = [("file", ("a.txt", b"a")), ("comment", (None, b"not a file"))]
    assert user.post("storage/fs", files=parts).headers["Location"] == "1/storage/fs/a.txt"
    assert names(user) == ["a.txt"]


def test_nothing_sent(user: Caller) -> None:
    for answer in (
        user.post("storage/fs", files=[("comment", (None, b"not a file"))]),
        raw_multipart(user, "storage/fs", "b", b"--b--\r\n"),
        user.post("storage/fs"),
        user.post("storage/fs", json={"content": "a"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert names(user) == []


def test_a_zip_is_unpacked_in_place(user: Caller) -> None:
    content = packed(**{"a__txt": b"a", "below/b__txt": b"b", "Ελλάδα__txt": b"c", "empty__cpg": b""})
    answer = send(user, "data", ("things.zip", content))
    assert (answer.status_code, answer.headers["Location"]) == (201, "1/storage/fs/data")
    assert names(user, "data") == ["a.txt", "below", "empty.cpg", "Ελλάδα.txt"]
    assert user.get("storage/fs/data/below/b.txt").text == "b"


def test_zips_and_files_together(user: Caller) -> None:
    answer = send(user, "", ("one.zip", packed(a__txt=b"a")), ("b.txt", b"b"), ("two.ZIP", packed(c__txt=b"c")))
    assert (answer.status_code, answer.headers["Location"]) == (201, "1/storage/fs")
    assert names(user) == ["a.txt", "b.txt", "c.txt"]


def test_a_path_that_ends_in_the_files_name_is_the_file(user: Caller) -> None:
    for _ in range(2):
        answer = send(user, "here/a.txt", ("a.txt", b"a"))
        assert (answer.status_code, answer.headers["Location"]) == (201, "1/storage/fs/here/a.txt")
    assert names(user, "here") == ["a.txt"]
    answer = send(user, "here/other.txt", ("a.txt", b"a"))
    assert answer.headers["Location"] == "1/storage/fs/here/other.txt/a.txt"


@pytest.mark.parametrize("form", ["urlencoded", "json"])
def test_content_as_a_field(user: Caller, form: str) -> None:
    sent = {"filename": "räksmörgås 1.txt", "content": "Größe\n=&%"}
    answer = user.post("storage/fs/notes", **{"data" if form == "urlencoded" else "json": sent})  # type: ignore[arg-type]
    assert (answer.status_code, answer.headers["Location"]) == (
        201,
        "1/storage/fs/notes/r%C3%A4ksm%C3%B6rg%C3%A5s%201.txt",
    )
    assert user.get(answer.headers["Location"].removeprefix("1/")).text == "Größe\n=&%"


@pytest.mark.parametrize("name", ["", "/", "..", "a/b", "a\\b", "../a", "a\0b", "x" * 256])
def test_names_that_cannot_be(user: Caller, name: str) -> None:
    answers = [user.post("storage/fs", json={"filename": name, "content": "a"})]
    if name not in ("", "a/b"):
        disposition = f'form-data; name="f"; filename="{name}"'.encode()
        body = b"--b\r\nContent-Disposition: " + disposition + b"\r\n\r\na\r\n--b--\r\n"
        answers.append(raw_multipart(user, "storage/fs", "b", body))
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert names(user) == []


def test_a_name_with_directories(user: Caller) -> None:
    """As browsers send them when a directory was chosen."""
    answer = send(user, "chosen", ("a/b/c.txt", b"c"), ("a/d.txt", b"d"))
    assert (answer.status_code, names(user, "chosen/a")) == (201, ["b", "d.txt"])


def test_put_content(user: Caller) -> None:
    first = user.put("storage/fs/new/folder/a.txt", data={"content": "one"})
    assert (first.status_code, first.json()["pathname"]) == (200, "/new/folder/a.txt")
    tag = user.get("storage/fs/new/folder/a.txt").headers["ETag"]
    assert user.put("storage/fs/new/folder/a.txt", json={"content": ""}).status_code == 200
    after = user.get("storage/fs/new/folder/a.txt")
    assert after.content == b""
    assert after.headers["ETag"] != tag
    assert user.put("storage/fs/new/folder/a.txt", json={}).status_code == 400
    assert user.put("storage/fs/new/folder", json={"content": "a"}).status_code == 409
    assert user.put("storage/fs/new/folder/a.txt/b.txt", json={"content": "a"}).status_code == 409


def test_an_uploaded_file_replaces_the_one_before(user: Caller) -> None:
    send(user, "", ("a.txt", b"one"))
    resource = resource_of_file(user, "a.txt")
    assert send(user, "", ("a.txt", b"two")).status_code == 201
    assert user.get("storage/fs/a.txt").content == b"two"
    assert resource_of_file(user, "a.txt") == resource


def test_directories(user: Caller) -> None:
    for path in ("one/mkdir", "one/two/three/mkdir.json", "one/mkdir"):
        answer = user.post(f"storage/fs/{path}")
        assert answer.status_code == 201
        assert answer.headers["Location"] == f"1/storage/fs/{path.rpartition('/')[0]}"
        assert answer.json()["is_dir"] == "t"
    assert names(user, "one/two") == ["three"]
    assert got(user.get("storage/fs/one/two/three"))["data"] == []
    send(user, "one", ("a.txt", b"a"))
    refused = user.post("storage/fs/one/a.txt/mkdir")
    assert (refused.status_code, refused.json()["code"]) == (409, "CONFLICT")
    assert user.post("storage/fs/a/../mkdir").status_code in (201, 400)
    assert user.post("storage/fs/a/%2E%2E/b/mkdir").status_code == 400


@pytest.mark.parametrize("path", ["folder/info", "folder/info.json", "folder", "folder/", "//folder//info"])
def test_info_of_a_directory(shared: Caller, path: str) -> None:
    send(shared, "folder", ("roads.tar.gz", b"12345"), ("README", b""[:0] + b"1"))
    shared.post("storage/fs/folder/below/mkdir")
    found = {one["filename"]: one for one in got(shared.get(f"storage/fs/{path}"))["data"]}
    assert sorted(found) == ["README", "below", "roads.tar.gz"]
    one = found["roads.tar.gz"]
    assert {name: one[name] for name in ("name", "extension", "path", "pathname", "size", "is_dir")} == {
        "name": "roads.tar",
        "extension": "gz",
        "path": "/folder/",
        "pathname": "/folder/roads.tar.gz",
        "size": 5,
        "is_dir": "f",
    }
    assert (found["README"]["name"], found["README"]["extension"]) == ("README", "")
    assert (found["below"]["is_dir"], found["below"]["size"]) == ("t", 0)
    for entry in found.values():
        assert isinstance(entry["id"], str)
        assert isinstance(entry["resource_id"], str)
        assert isinstance(entry["created"], int)
        assert entry["modified"] >= entry["created"] > 1_600_000_000


@pytest.mark.parametrize("name", ["info", "info.json", "mkdir.json", "data.xml", "page.html", "a.json"])
def test_no_suffix_is_taken_off_and_a_file_comes_before_a_word(shared: Caller, name: str) -> None:
    path = f"storage/fs/words/{name}"
    assert shared.put(path, json={"content": "the file"}).status_code == 200
    assert shared.get(path).text == "the file"
    assert got(shared.get(f"{path}/info"))["data"][0]["filename"] == name
    assert shared.delete(path).status_code == 204


def test_delete(user: Caller) -> None:
    send(user, "a/b", ("one.txt", b"1"), ("two.txt", b"2"))
    assert user.delete("storage/fs/a/b/one.txt").status_code == 204
    assert user.get("storage/fs/a/b/one.txt").status_code == 404
    assert user.delete("storage/fs/a").status_code == 204
    assert names(user) == []
    for path in ("a", "a/b/two.txt", "a/info", "nothing"):
        assert user.get(f"storage/fs/{path}").status_code == 404
    for path in ("a", "a/b/two.txt"):
        assert user.delete(f"storage/fs/{path}").status_code == 404
    assert user.delete("storage/fs").status_code in (400, 405)


SCRIPTS = (
    "ördög fű.txt", "Ελλάδα.txt", "Москва.txt", "東京.txt", "القاهرة.txt", "हिन्दी.txt", "🗺️.txt", "a b  c.txt",
    "100% sure.txt", "#1?.txt", "a+b&c=d;e.txt", "semi;colon, comma.txt", "'quotes'.txt",
)  # fmt: skip


@pytest.mark.parametrize("name", SCRIPTS)
def test_names_in_many_scripts(shared: Caller, name: str) -> None:
    answer = shared.post("storage/fs/scripts", data={"filename": name, "content": name})
    assert answer.status_code == 201
    location = answer.headers["Location"]
    assert location.isascii()
    assert " " not in location
    assert shared.get(location.removeprefix("1/")).text == name
    assert answer.json()["filename"] == name
    assert name in names(shared, "scripts")
    sent = shared.post("storage/fs/uploaded", files={"file": (name, b"x")})
    assert sent.json()["filename"] == name


def test_one_name_has_one_spelling(user: Caller) -> None:
    """Letters with marks of their own, as one system sends them, are the letters that others send."""
    send(user, "", ("Cafe\u0301.txt", b"a"))
    assert names(user) == ["Caf\u00e9.txt"]
    assert user.get("storage/fs/Cafe%CC%81.txt").content == b"a"


@pytest.mark.parametrize(
    "path", ["a/b/c.txt", "/a//b/c.txt", "a%2Fb%2fc.txt", "%2Fa/b%2F%2Fc.txt", "a/b/c.txt/", "a/b/%63.txt"]
)
def test_slashes(shared: Caller, path: str) -> None:
    shared.put("storage/fs/a/b/c.txt", json={"content": "here"})
    assert shared.get(f"storage/fs/{path}").text == "here"


@pytest.mark.parametrize(
    "path",
    [
        "%2E%2E/hidden", "a/%2e%2e/%2e%2e/hidden", "..%2Fhidden", "%2F..%2Fhidden", "%252e%252e/hidden", "a%5C..%5Cb",
        "a%00b", "%2e/a", "%FF%FE", "%C3%28", "%252Fetc/passwd", "%25252e%25252e/a",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_paths_that_lead_away(shared: Caller, server: Server, method: str, path: str) -> None:
    url = f"{server.url}/1/storage/fs/{path}"
    answer = shared.request(method, url, json=None if method == "GET" else {"content": "x", "filename": "y"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/json")
    assert not list(server.data.rglob("hidden"))


def test_links_are_not_followed(user: Caller, server: Server, tmp_path: Path) -> None:
    """One that somebody put there on the machine itself."""
    send(user, "", ("a.txt", b"a"))
    (tmp_path / "outside.txt").write_text("secret")
    files = server.data / "accounts" / str(user.user_id) / "files"
    (files / "link").symlink_to(tmp_path)
    (files / "link.txt").symlink_to(tmp_path / "outside.txt")
    assert names(user) == ["a.txt"]
    for path in ("link/outside.txt", "link.txt", "link"):
        assert user.get(f"storage/fs/{path}").status_code == 400
        assert user.put(f"storage/fs/{path}", json={"content": "x"}).status_code == 400
    assert (tmp_path / "outside.txt").read_text() == "secret"


CONTENT = bytes(range(100))


@pytest.mark.parametrize(
    ("asked", "status", "first", "after"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=90-", 206, 90, 100),
        ("bytes=-5", 206, 95, 100),
        ("bytes=-500", 206, 0, 100),
        ("bytes=50-500", 206, 50, 100),
        ("bytes=99-99", 206, 99, 100),
        ("bytes=0-1,5-6", 200, 0, 100),
        ("lines=0-1", 200, 0, 100),
        ("bytes=9-1", 200, 0, 100),
        ("bytes=100-", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
    ],
)
def test_ranges(shared: Caller, asked: str, status: int, first: int, after: int) -> None:
    send(shared, "", ("ranges.bin", CONTENT))
    answer = shared.get("storage/fs/ranges.bin", headers={"Range": asked})
    assert answer.status_code == status
    if status == 416:
        assert answer.headers["Content-Range"] == "bytes */100"
        assert answer.json()["nested"]["field"] == "Range"
        return
    assert answer.content == CONTENT[first:after]
    assert answer.headers["Content-Length"] == str(after - first)
    assert answer.headers["Accept-Ranges"] == "bytes"
    expected = f"bytes {first}-{after - 1}/100" if status == 206 else None
    assert answer.headers.get("Content-Range") == expected


def test_tags(user: Caller) -> None:
    send(user, "", ("a.bin", CONTENT))
    tag = user.get("storage/fs/a.bin").headers["ETag"]
    same = user.get("storage/fs/a.bin", headers={"If-None-Match": tag})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    part = {"Range": "bytes=0-4", "If-Range": tag}
    assert user.get("storage/fs/a.bin", headers=part).status_code == 206
    send(user, "", ("a.bin", CONTENT[::-1]))
    changed = user.get("storage/fs/a.bin", headers={"If-None-Match": tag})
    assert (changed.status_code, changed.content) == (200, CONTENT[::-1])
    whole = user.get("storage/fs/a.bin", headers=part)
    assert (whole.status_code, whole.content) == (200, CONTENT[::-1])


@pytest.mark.parametrize(
    ("name", "media_type", "inline"),
    [
        ("a.png", "image/png", True),
        ("a.JPG", "image/jpeg", True),
        ("a.pdf", "application/pdf", True),
        ("a.mp3", "audio/mpeg", True),
        ("a.webm", "video/webm", True),
        ("a.txt", "text/plain; charset=utf-8", True),
        ("a.svg", "image/svg+xml", False),
        ("a.html", "text/html", False),
        ("a.xhtml", "application/xhtml+xml", False),
        ("a.xml", "application/xml", False),
        ("a.css", "text/css; charset=utf-8", False),
        ("a.js", "application/octet-stream", False),
        ("a.geojson", "application/geo+json", False),
        ("no suffix", "application/octet-stream", False),
        ("a.html.png", "image/png", True),
    ],
)
def test_files_are_sent_so_that_they_can_do_no_harm(shared: Caller, name: str, media_type: str, inline: bool) -> None:
    send(shared, "types", (name, b"<script>alert(1)</script>"))
    answer = shared.get(f"storage/fs/types/{name}")
    assert answer.headers["Content-Type"] == media_type
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers.get("Content-Disposition", "inline").startswith("inline" if inline else "attachment")
    assert "private" in answer.headers["Cache-Control"]
    download = shared.get(f"storage/fs/types/{name}?download")
    assert download.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''a"[: 29 + (name[0] == "a")])


def test_a_large_file_comes_back_as_it_was(user: Caller) -> None:
    content = bytes(range(256)) * 20_000
    assert send(user, "", ("large.bin", content)).status_code == 201
    assert user.get("storage/fs/large.bin").content == content
    assert (
        user.get("storage/fs/large.bin", headers={"Range": "bytes=4000000-4000009"}).content
        == content[4_000_000:4_000_010]
    )


def test_pages_of_a_directory(user: Caller) -> None:
    sizes = {"b.txt": 2, "A.txt": 1, "c.png": 3, "d.txt": 3}
    send(user, "many", *((name, b"x" * size) for name, size in sizes.items()))
    assert user.post("storage/fs/many/sub/mkdir").status_code == 201

    def told(query: str) -> Any:
        answer = got(user.get(f"storage/fs/many{query}"))
        return [one["filename"] for one in answer.pop("data")], answer

    assert told("") == (["A.txt", "b.txt", "c.png", "d.txt", "sub"], {"type": "storage", "total": 5, "page": 1})
    assert told("?perpage=2&page=2") == (["c.png", "d.txt"], {"type": "storage", "total": 5, "page": 2})
    assert told("/info?perpage=2&page=9&nototal") == ([], {"type": "storage", "page": 9})
    assert told("?order_by=size:desc,filename:desc")[0] == ["d.txt", "c.png", "b.txt", "A.txt", "sub"]
    assert told("?order_by=is_dir:desc,extension&perpage=2")[0] == ["sub", "c.png"]
    assert told("?query=A")[0] == ["A.txt"]
    assert told("?query=PNG&query_on=extension,filename") == (["c.png"], {"type": "storage", "total": 1, "page": 1})
    for query, field in (("page=0", "page"), ("perpage=x", "perpage"), ("order_by=owner", "order_by"),
                         ("query=x&query_on=owner", "query_on"), ("order_by=size:up", "order_by")):  # fmt: skip
        refused(user.get(f"storage/fs/many?{query}"), 400, field)


def test_stale_changes_of_files(user: Caller) -> None:
    send(user, "", ("a.txt", b"1"))
    tag = user.get("storage/fs/a.txt").headers["etag"]
    assert user.put("storage/fs/a.txt", json={"content": "2"}, headers={"If-Match": tag}).status_code == 200
    refused(user.put("storage/fs/a.txt", json={"content": "3"}, headers={"If-Match": tag}), 412, "If-Match")
    refused(user.delete("storage/fs/a.txt", headers={"If-Match": tag}), 412, "If-Match")
    refused(user.put("storage/fs/new.txt", json={"content": "3"}, headers={"If-Match": tag}), 412, "If-Match")
    assert user.get("storage/fs/a.txt").content == b"2"
    refused(user.get("storage/fs/new.txt"), 404)
    tag = user.get("storage/fs/a.txt").headers["etag"]
    assert user.put("storage/fs/a.txt", json={"content": "4"}, headers={"If-Match": "*"}).status_code == 200
    tag = user.get("storage/fs/a.txt").headers["etag"]
    assert user.delete("storage/fs/a.txt", headers={"If-Match": f"W/{tag}"}).status_code == 204
