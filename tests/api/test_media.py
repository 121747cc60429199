"""Media files of features (the contract, section 4) and files that are uploaded for a map (section 9)."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.answers import refused
from tests.server import Caller, Server
from tests.sharing import account_of, got, made, new_map, share, unshare, upload

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))


@dataclass(frozen=True)
class Place:
    """A map of somebody with a layer of points on the table ``trees``: text in photo and note, a number in height."""

    owner: Caller
    map: dict[str, Any]
    layer: str

    def write(self, caller: Caller, **data: Any) -> int:
        """The id of a new feature with these attributes."""
        return int(made(caller.post(f"layers/{self.layer}/features", json={"data": data}))["__id"])

    def change(self, caller: Caller, feature: int, **data: Any) -> None:
        got(caller.put(f"layers/{self.layer}/features/{feature}", json={"data": data}))

    def read(self, caller: Caller, feature: int, file: str, attribute: str = "photo", **asked: Any) -> httpx.Response:
        return caller.get(f"layers/{self.layer}/features/{feature}/{attribute}/{quote(file)}", **asked)

    def add(self, caller: Caller, feature: int, name: str, content: bytes, attribute: str = "photo") -> httpx.Response:
        parts = {"file": (name, content)}
        return caller.post(f"layers/{self.layer}/features/{feature}/{attribute}", files=parts)

    def share(self, caller: Caller, permission: str) -> str:
        return share(self.owner, self.map["resource_id"], caller.username, permission)


@pytest.fixture
def place(user: Caller) -> Place:
    columns = {"photo": {"type": "text"}, "note": {"type": "text"}, "height": {"type": "number"}}
    made(user.post("tables", json={"name": "trees", "geometry": "point", "columns": columns}))
    found = new_map(user)
    source = {"type": "pg", "src": "trees"}
    return Place(user, found, made(user.post("layers", json={"mid": found["id"], "source": source}))["id"])


def gone(response: httpx.Response) -> None:
    refused(response, 404)


def where(answer: httpx.Response) -> str:
    """The address of what was made, below that of the API."""
    assert answer.status_code == 201, answer.text
    return answer.headers["location"].removeprefix("1/")


WAYS = (
    "photos/oak.png",
    "/photos/oak.png",
    "//photos/oak.png",
    " /photos/oak.png ",
    "/{me}/photos/oak.png",
    "photos/oak.png,notes/none.txt",
    "/none.png, photos/oak.png",
)


def test_a_file_that_the_writer_names(place: Place, other: Caller) -> None:
    upload(place.owner, "photos", oak__png=PNG)
    place.share(other, "READ")
    for written in WAYS:
        feature = place.write(place.owner, photo=written.format(me=account_of(place.owner)))
        for caller in (place.owner, other):
            assert place.read(caller, feature, "oak.png").content == PNG, written
            assert place.read(caller, feature, "photos/oak.png").content == PNG
            below = f"maps/{place.map['id']}/layers/{place.layer}/features/{feature}/photo/oak.png"
            assert caller.get(below).content == PNG
        for file in ("none.png", "none.txt", "none/oak.png"):
            gone(place.read(other, feature, file))
        gone(place.read(other, feature, "oak.png", attribute="note"))
        gone(place.read(other, feature, "oak.png", attribute="nothing"))
        gone(place.read(other, feature + 1, "oak.png"))


def test_how_a_file_is_sent(place: Place, anonymous: Caller) -> None:
    upload(place.owner, "m", a__png=PNG, b__html=b"<script>1</script>", c__json=b"{}")
    feature = place.write(place.owner, photo="m/a.png,m/b.html,m/c.json")
    gone(place.read(anonymous, feature, "a.png"))
    share(place.owner, place.map["resource_id"], "anonymous", "READ")
    whole = place.read(anonymous, feature, "a.png")
    assert (whole.status_code, whole.headers["content-type"]) == (200, "image/png")
    assert "content-disposition" not in whole.headers
    assert whole.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert place.read(anonymous, feature, "a.png", headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    part = place.read(anonymous, feature, "a.png", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, PNG[:4], f"bytes 0-3/{len(PNG)}")
    refused_range = place.read(anonymous, feature, "a.png", headers={"Range": "bytes=9999-"})
    assert refused_range.status_code == 416
    for name, query in (("a.png", "?download"), ("b.html", ""), ("c.json", "")):
        sent = anonymous.get(f"layers/{place.layer}/features/{feature}/photo/{name}{query}")
        assert sent.status_code == 200
        assert sent.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"


def test_no_suffix_is_taken_off(place: Place) -> None:
    upload(place.owner, "", a__json=b"[1]", a=b"plain", b__xml=b"<b/>")
    feature = place.write(place.owner, photo="/a.json,/b.xml")
    assert place.read(place.owner, feature, "a.json").content == b"[1]"
    assert place.read(place.owner, feature, "b.xml").content == b"<b/>"
    gone(place.read(place.owner, feature, "a"))


def test_a_path_that_the_writer_could_not_read(place: Place, other: Caller, anonymous: Caller) -> None:
    upload(place.owner, "private", plan__txt=b"secret")
    place.share(other, "EDIT")
    share(place.owner, place.map["resource_id"], "anonymous", "INSERT")
    path = f"/{account_of(place.owner)}/private/plan.txt"
    by_other, by_anyone = place.write(other, photo=path), place.write(anonymous, photo=path)
    row = int(made(place.owner.post("tables/trees/rows", json={"data": {"photo": "unrelated"}}))["ogc_fid"])
    place.change(other, row, photo=path)
    for feature in (by_other, by_anyone, row):
        for caller in (place.owner, other, anonymous):
            gone(place.read(caller, feature, "plan.txt"))
    # Sent back as it was read it is no new value; written anew by who may read the file it is.
    place.change(place.owner, row, photo=path)
    gone(place.read(other, row, "plan.txt"))
    place.change(place.owner, row, photo=None)
    place.change(place.owner, row, photo=path)
    assert place.read(other, row, "plan.txt").content == b"secret"


def test_rights_of_the_writer_are_those_when_writing(place: Place, other: Caller) -> None:
    upload(other, "mine", a__txt=b"of the other", b__txt=b"b")
    place.share(other, "INSERT")
    feature = place.write(other, photo="mine/a.txt")
    assert place.read(place.owner, feature, "a.txt").content == b"of the other"
    # A relative path is of the writer's account, whoever appends to the value.
    upload(place.owner, "mine", a__txt=b"of the owner", b__txt=b"b of the owner")
    place.change(place.owner, feature, photo="mine/a.txt,mine/b.txt")
    assert place.read(other, feature, "a.txt").content == b"of the other"
    assert place.read(other, feature, "b.txt").content == b"b of the owner"
    gone(other.get(f"storage/fs/{account_of(place.owner)}/mine/b.txt"))


def test_a_shared_folder(place: Place, other: Caller) -> None:
    upload(other, "common", a__txt=b"a")
    path = f"/{account_of(other)}/common/a.txt"
    before = place.write(place.owner, photo=path)
    resource = next(e["resource_id"] for e in got(other.get("storage/fs"))["data"] if e["filename"] == "common")
    given = share(other, resource, place.owner.username, "READ")
    after = place.write(place.owner, photo=path)
    unshare(other, resource, given)
    gone(place.read(place.owner, before, "a.txt"))
    assert place.read(place.owner, after, "a.txt").content == b"a"


def test_a_value_that_names_a_file_no_longer(place: Place, other: Caller) -> None:
    upload(place.owner, "", a__txt=b"a", b__txt=b"b")
    place.share(other, "EDIT")
    for changed in ("b.txt", None, ""):
        feature = place.write(place.owner, photo="a.txt", note="a.txt")
        place.change(place.owner, feature, height=3)
        assert place.read(other, feature, "a.txt").status_code == 200
        place.change(place.owner, feature, photo=changed)
        gone(place.read(other, feature, "a.txt"))
        assert place.read(other, feature, "a.txt", attribute="note").status_code == 200
        # The other may write the name again, but not read the file by that.
        for path in ("a.txt", f"/{account_of(place.owner)}/a.txt"):
            place.change(other, feature, photo=path)
            gone(place.read(other, feature, "a.txt"))


def test_rows_arrays_and_collections(place: Place, other: Caller) -> None:
    upload(place.owner, "", a__txt=b"a", b__txt=b"b")
    place.share(other, "READ")
    row = int(made(place.owner.post("tables/trees/rows", json={"data": {"photo": "a.txt"}}))["ogc_fid"])
    assert place.read(other, row, "a.txt").content == b"a"
    assert place.owner.put(f"tables/trees/rows/{row}", json={"data": {"photo": "/b.txt"}}).status_code == 204
    assert place.read(other, row, "b.txt").content == b"b"
    gone(place.read(other, row, "a.txt"))
    features = [{"type": "Feature", "properties": {"photo": name}, "geometry": None} for name in ("a.txt", "b.txt")]
    for sent in (features, {"type": "FeatureCollection", "features": features}):
        first, second = (one["__id"] for one in made(place.owner.post(f"layers/{place.layer}/features", json=sent)))
        assert place.read(other, first, "a.txt").content == b"a"
        assert place.read(other, second, "b.txt").content == b"b"
        gone(place.read(other, first, "b.txt"))


def test_many_features_at_once(place: Place, server: Server) -> None:
    upload(place.owner, "p", **{f"{number}__txt": str(number).encode() for number in range(50)})
    names = [f"p/{number % 50}.txt" if number % 2 else "none/x.txt" for number in range(3000)]
    sent = [{"data": {"photo": name, "note": "Some text. And more, of it."}} for name in names]
    ids = [one["__id"] for one in made(place.owner.post(f"layers/{place.layer}/features", json=sent))]
    assert place.read(place.owner, ids[1], "1.txt").content == b"1"
    assert place.read(place.owner, ids[2999], "49.txt").content == b"49"
    gone(place.read(place.owner, ids[0], "x.txt"))


def test_deleted_features_and_emptied_tables(place: Place) -> None:
    upload(place.owner, "", a__txt=b"a")
    first, second = (place.write(place.owner, photo="a.txt") for _ in range(2))
    assert place.owner.delete(f"layers/{place.layer}/features/{first}").status_code == 204
    gone(place.read(place.owner, first, "a.txt"))
    assert place.read(place.owner, second, "a.txt").status_code == 200
    assert place.owner.delete("tables/trees/rows").status_code == 204
    gone(place.read(place.owner, second, "a.txt"))
    assert place.owner.delete("tables/trees?force=true").status_code == 204
    refused(place.read(place.owner, second, "a.txt"), 409)


def test_a_deleted_file_and_another_of_its_name(place: Place, other: Caller) -> None:
    upload(place.owner, "d", a__txt=b"old")
    feature = place.write(place.owner, photo="d/a.txt")
    place.share(other, "READ")
    assert place.owner.delete("storage/fs/d").status_code == 204
    gone(place.read(other, feature, "a.txt"))
    upload(place.owner, "d", a__txt=b"new and private")
    gone(place.read(other, feature, "a.txt"))


def test_adding_files(place: Place, other: Caller) -> None:
    feature = place.write(place.owner, note="x")
    place.share(other, "UPDATE")
    names = []
    for caller, content in ((place.owner, b"1"), (other, b"2"), (other, b"3")):
        answer = place.add(caller, feature, "oak, in May.png", content)
        assert made(answer)["size"] == 1
        location = where(answer)
        assert location.startswith(f"layers/{place.layer}/features/{feature}/photo/")
        assert place.owner.get(location).content == content
        assert other.get(location).content == content
        names.append(made(answer)["path"])
    data = got(other.get(f"layers/{place.layer}/features/{feature}"))["data"]
    assert data == {"photo": ",".join(names), "note": "x", "height": None}
    assert len(set(names)) == 3
    assert all(name.startswith(f"/{account_of(place.owner)}/media/trees/{feature}/") for name in names)
    gone(other.get("storage/fs" + names[0]))
    # The value sent back changes nothing.
    place.change(other, feature, photo=data["photo"])
    assert place.read(other, feature, names[0]).content == b"1"
    below = f"maps/{place.map['id']}/layers/{place.layer}/features/{feature}/note"
    assert made(place.owner.post(below, files={"any": ("é.txt", b"e")}))["filename"] == "é.txt"
    assert got(place.owner.get(f"layers/{place.layer}/features/{feature}"))["data"]["note"].startswith("x,/")
    assert place.read(place.owner, feature, "é.txt", attribute="note").content == b"e"


def test_who_may_add_files(place: Place, other: Caller, anonymous: Caller) -> None:
    feature = place.write(place.owner)
    gone(place.add(other, feature, "a.txt", b"a"))
    gone(place.add(anonymous, feature, "a.txt", b"a"))
    place.share(other, "READ")
    refused(place.add(other, feature, "a.txt", b"a"), 403)
    place.share(other, "INSERT_MDC")
    place.share(other, "UPDATE_MDC")
    refused(place.add(other, feature, "a.txt", b"a"), 403)
    own = place.write(other)
    assert place.add(other, own, "a.txt", b"a").status_code == 201
    assert place.read(other, own, "a.txt").content == b"a"
    assert place.owner.get("storage/fs/media/trees").json()["total"] == 1


def test_files_that_cannot_be_added(place: Place) -> None:
    feature = place.write(place.owner)
    refused(place.add(place.owner, feature, "a.txt", b"a", attribute="height"), 400, "attribute")
    refused(place.add(place.owner, feature, "a.txt", b"a", attribute="nothing"), 400, "nothing")
    gone(place.add(place.owner, feature + 1, "a.txt", b"a"))
    refused(place.add(place.owner, feature, "a.txt", b""), 400, "file")
    refused(place.add(place.owner, feature, "..", b"a"), 400)
    path = f"layers/{place.layer}/features/{feature}/photo"
    refused(place.owner.post(path, files=[("a", ("a.txt", b"a")), ("b", ("b.txt", b"b"))]), 400, "file")
    refused(place.owner.post(path, files={"a": (None, b"a")}), 400, "file")
    refused(place.owner.post(path, json={"a": 1}), 415)
    assert got(place.owner.get(f"layers/{place.layer}/features/{feature}"))["data"]["photo"] is None
    assert got(place.owner.get("storage/fs"))["data"] == []


def send_for_map(place: Place, caller: Caller, path: str, name: str, content: bytes, *, form: bool) -> httpx.Response:
    files = {"file": (name, content)}
    if form:
        return caller.post(f"storage/fs/{path}", files=files, data={"destination_map": place.map["id"]})
    return caller.post(f"storage/fs/{path}?destination_map={place.map['id']}", files=files)


@pytest.mark.parametrize("form", [False, True])
def test_uploading_for_a_map(place: Place, other: Caller, form: bool) -> None:
    upload(place.owner, "p", oak__png=b"of the owner")
    upload(other, "p", oak__png=b"of the other")
    gone(send_for_map(place, other, "p", "oak.png", b"new", form=form))
    for permission in ("READ", "UPDATE", "UPDATE_MDC", "EXPORT"):
        given = place.share(other, permission)
        refused(send_for_map(place, other, "p", "oak.png", b"new", form=form), 403)
        unshare(place.owner, place.map["resource_id"], given)
    for number, permission in enumerate(("INSERT", "INSERT_MDC", "EDIT", "EDIT_MOBILE", "OWNER"), 1):
        given = place.share(other, permission)
        answer = send_for_map(place, other, "p", "oak.png", permission.encode(), form=form)
        assert made(answer)["filename"] == f"oak_{number}.png"
        assert where(answer) == f"storage/fs/{account_of(place.owner)}/p/oak_{number}.png"
        assert place.owner.get(f"storage/fs/p/oak_{number}.png").content == permission.encode()
        unshare(place.owner, place.map["resource_id"], given)
    assert place.owner.get("storage/fs/p/oak.png").content == b"of the owner"
    assert other.get("storage/fs/p/oak.png").content == b"of the other"
    assert [entry["filename"] for entry in got(other.get("storage/fs/p"))["data"]] == ["oak.png"]


def test_who_may_read_what_was_uploaded_for_a_map(place: Place, other: Caller, server: Server) -> None:
    with server.new_user() as third:
        permission = place.share(other, "INSERT_MDC")
        place.share(third, "READ")
        location = where(send_for_map(place, other, "", "a.txt", b"a", form=False))
        assert third.get(location).content == b"a"
        gone(other.get(location))
        gone(third.get(f"storage/fs/{account_of(place.owner)}"))
        for path in ("a.txt", f"/{account_of(place.owner)}/a.txt"):
            feature = place.write(other, photo=path)
            assert place.read(third, feature, "a.txt").content == b"a"
            assert place.read(other, feature, "a.txt").content == b"a"
        refused(third.delete(location), 403)
        unshare(place.owner, place.map["resource_id"], permission)
        gone(place.read(other, feature, "a.txt"))
    with server.anonymous() as anonymous:
        gone(anonymous.get(location))
        share(place.owner, place.map["resource_id"], "anonymous", "READ")
        assert anonymous.get(location).content == b"a"


def test_a_file_of_another_map_is_not_given_out(place: Place, other: Caller) -> None:
    second = new_map(place.owner)
    answer = place.owner.post(f"storage/fs/z?destination_map={second['id']}", files={"f": ("z.txt", b"z")})
    assert answer.headers["location"] == "1/storage/fs/z/z.txt"
    place.share(other, "EDIT")
    feature = place.write(other, photo=f"/{account_of(place.owner)}/z/z.txt")
    gone(place.read(other, feature, "z.txt"))
    gone(place.read(place.owner, feature, "z.txt"))


def test_a_right_on_a_layer_of_the_map_is_enough(place: Place, other: Caller) -> None:
    layer = got(place.owner.get(f"layers/{place.layer}"))
    share(place.owner, layer["resource_id"], other.username, "INSERT")
    assert send_for_map(place, other, "p", "a.txt", b"a", form=False).status_code == 201


def test_other_ways_to_upload_for_a_map(place: Place, other: Caller, anonymous: Caller) -> None:
    place.share(other, "INSERT")
    hashed = account_of(place.owner)
    fields = {"filename": "n.txt", "content": "n"}
    for sent in ({"data": fields | {"destination_map": place.map["id"]}},
                 {"data": fields, "params": {"destination_map": place.map["id"]}}):  # fmt: skip
        assert other.post("storage/fs/n", **sent).headers["location"].startswith(f"1/storage/fs/{hashed}/n/n")
    assert [one["filename"] for one in got(place.owner.get("storage/fs/n"))["data"]] == ["n.txt", "n_1.txt"]
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in ("n.txt", "n.dbf", "sub/q.txt"):
            archive.writestr(name, name)
    answer = send_for_map(place, other, f"{hashed}/n", "a.zip", held.getvalue(), form=True)
    assert (answer.status_code, answer.headers["location"]) == (201, f"1/storage/fs/{hashed}/n")
    assert {one["filename"] for one in got(place.owner.get("storage/fs/n"))["data"]} == {
        "n.txt", "n_1.txt", "n_2.txt", "n_2.dbf", "sub",
    }  # fmt: skip
    answer = send_for_map(place, other, "q/named.txt", "named.txt", b"x", form=False)
    assert answer.headers["location"] == f"1/storage/fs/{hashed}/q/named.txt"
    for bad, status in (("0", 404), ("x", 400), ("99999999999999999999", 400), ("-1", 400)):
        refused(other.post(f"storage/fs/b?destination_map={bad}", files={"f": ("b.txt", b"b")}), status)
        refused(other.post("storage/fs/b", files={"f": ("b.txt", b"b")}, data={"destination_map": bad}), status)
    refused(send_for_map(place, other, f"{account_of(other)}/n", "a.txt", b"a", form=False), 400, "path")
    share(place.owner, place.map["resource_id"], "anonymous", "INSERT")
    for form in (True, False):
        refused(send_for_map(place, anonymous, "p", "a.txt", b"a", form=form), 403)


def test_names_up_to_the_longest(place: Place) -> None:
    name = "x" * 251 + ".txt"
    assert send_for_map(place, place.owner, "p", name, b"a", form=False).status_code == 201
    refused(send_for_map(place, place.owner, "p", name, b"b", form=False), 400, "path")
    assert place.owner.get(f"storage/fs/p/{name}").content == b"a"
