"""Multipart bodies: what is read, what is refused, and that nothing stays behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from graticule.errors import BadRequest, GraticuleError, PayloadTooLarge, Unavailable, UnsupportedMediaType
from graticule.storage.multipart import MultipartReader, StagedFile, Upload

if TYPE_CHECKING:
    from pathlib import Path

KIND = "multipart/form-data; boundary=XyZ"


def part(disposition: str | bytes, content: bytes, *headers: str) -> bytes:
    encoded = disposition if isinstance(disposition, bytes) else disposition.encode()
    lines = [b"--XyZ", b"Content-Disposition: " + encoded, *(header.encode() for header in headers), b"", content]
    return b"\r\n".join(lines) + b"\r\n"


END = b"--XyZ--\r\n"


def read(body: bytes, staging: Path, kind: str = KIND, step: int = 1 << 20, max_bytes: int = 1 << 24) -> Upload:
    reader = MultipartReader(kind, staging, max_bytes)
    for at in range(0, len(body), step):
        reader.feed(body[at : at + step])
    return reader.finish()


def contents(upload: Upload) -> list[tuple[str, str, bytes]]:
    return [(file.field, file.filename, file.path.read_bytes()) for file in upload.files]


@pytest.mark.parametrize("step", [1, 7, 64, 1 << 20])
def test_files_and_fields_come_out_whatever_the_pieces(tmp_path: Path, step: int) -> None:
    tricky = b"\r\n--Xy\r\n--XyZnot\r\r\n\0\xff" * 50
    body = (
        part('form-data; name="upfile"; filename="a.bin"', tricky, "Content-Type: application/octet-stream")
        + part('form-data; name="filename"', "žuti.txt".encode())
        + part('form-data; name="other"; filename="leer.txt"', b"")
        + END
    )
    upload = read(body, tmp_path, step=step)
    assert contents(upload) == [("upfile", "a.bin", tricky), ("other", "leer.txt", b"")]
    assert [file.size for file in upload.files] == [len(tricky), 0]
    assert upload.fields == {"filename": "žuti.txt"}


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data; boundary=XyZ",
        'multipart/form-data; boundary="XyZ"',
        "Multipart/Form-Data;charset=utf-8;Boundary=XyZ",
        'multipart/form-data; boundary="XyZ"; charset=utf-8',
    ],
)
def test_the_boundary_may_be_quoted_or_not(tmp_path: Path, kind: str) -> None:
    body = part('form-data; name="f"; filename="a"', b"x") + END
    assert contents(read(body, tmp_path, kind)) == [("f", "a", b"x")]


def test_a_boundary_may_have_any_signs_without_quotes(tmp_path: Path) -> None:
    body = part('form-data; name="f"; filename="a"', b"x").replace(b"XyZ", b"----=_Part:1/2?") + b"------=_Part:1/2?--"
    assert contents(read(body, tmp_path, "multipart/form-data; boundary=----=_Part:1/2?")) == [("f", "a", b"x")]


@pytest.mark.parametrize(
    ("parameters", "filename"),
    [
        ('name="f"; filename="my roads.shp"', "my roads.shp"),
        ("name=f; filename=roads.shp", "roads.shp"),
        ('filename="roads.shp"', "roads.shp"),
        ('FILENAME="roads.shp"; Name=f', "roads.shp"),
        ('name="f"; filename="Čačak 道路.shp"', "Čačak 道路.shp"),
        ('name="f"; filename="x"; filename*=UTF-8\'\'%C4%8Da%20%e9%81%93.shp', "ča 道.shp"),
        ("name=\"f\"; filename*=iso-8859-1'fr'%E9t%E9.shp", "été.shp"),
        (r'name="f"; filename="a\"b\\c;d.shp"', 'a"b\\c;d.shp'),
        (r'name="f"; filename="C:\Users\Ana\roads.shp"', "roads.shp"),
        (r'name="f"; filename="\\server\share\roads.shp"', "roads.shp"),
        ('name="f"; filename="dir/../../roads.shp"', "dir/../../roads.shp"),
    ],
)
def test_names_of_files(tmp_path: Path, parameters: str, filename: str) -> None:
    upload = read(part(f"form-data; {parameters}", b"x") + END, tmp_path)
    assert [file.filename for file in upload.files] == [filename]


def test_where_contents_are_staged_is_ours_to_say(tmp_path: Path) -> None:
    bodies = [part(f'form-data; name="f"; filename="{name}"', b"x") for name in ("../../e", "/etc/e", "same", "same")]
    upload = read(b"".join(bodies) + END, tmp_path)
    assert {file.path.parent for file in upload.files} == {tmp_path}
    assert len({file.path for file in upload.files}) == len(bodies)


def test_an_empty_file_input_is_no_file(tmp_path: Path) -> None:
    assert read(part('form-data; name="f"; filename=""', b"") + END, tmp_path) == Upload((), {})
    assert list(tmp_path.iterdir()) == []


def test_a_body_without_parts_is_empty(tmp_path: Path) -> None:
    assert read(END, tmp_path) == Upload((), {})


def test_what_follows_the_end_does_not_count(tmp_path: Path) -> None:
    upload = read(part('form-data; name="f"; filename="a"', b"x") + END + b"epilogue", tmp_path)
    assert upload.files == (StagedFile("f", "a", tmp_path / "part-1", 1),)


FILE = part('form-data; name="f"; filename="a"', b"x" * 100)
BROKEN: list[tuple[str, bytes, type[GraticuleError]]] = [
    ("nothing at all", b"", BadRequest),
    ("no end", FILE, BadRequest),
    ("cut in the content", FILE[:80], BadRequest),
    ("cut in the headers", FILE[:30], BadRequest),
    ("cut in the last boundary", FILE + END[:5], BadRequest),
    ("another boundary", FILE.replace(b"XyZ", b"ABC") + END, BadRequest),
    ("not multipart", FILE + b'{"json": true}', BadRequest),
    ("bare line feeds", (FILE + END).replace(b"\r\n", b"\n"), BadRequest),
    ("a header without a colon", FILE + b"--XyZ\r\nnonsense\r\n\r\nx\r\n" + END, BadRequest),
    ("no disposition", FILE + b"--XyZ\r\nContent-Type: a/b\r\n\r\nx\r\n" + END, BadRequest),
    ("another disposition", FILE + part('attachment; filename="a"', b"x") + END, BadRequest),
    ("no name of any kind", FILE + part("form-data", b"x") + END, BadRequest),
    ("a file without a name", FILE + part('form-data; name="f"; filename=""', b"x") + END, BadRequest),
    ("a name that is no UTF-8", FILE + part(b'form-data; name="f"; filename="\xe9.shp"', b"x") + END, BadRequest),
    ("an unknown charset", FILE + part("form-data; name=f; filename*=utf-7''a", b"x") + END, BadRequest),
    ("no charset", FILE + part("form-data; name=f; filename*=a", b"x") + END, BadRequest),
    ("percent signs that are no UTF-8", FILE + part("form-data; filename*=utf-8''%ff", b"x") + END, BadRequest),
    ("a field that is no UTF-8", FILE + part('form-data; name="g"', b"\xff") + END, BadRequest),
    ("base64", FILE + part("form-data; name=g", b"eA==", "Content-Transfer-Encoding: base64") + END, BadRequest),
    ("endless headers", FILE + part("form-data; name=g", b"x", "X-A: " + "a" * 20_000) + END, BadRequest),
    ("too many parts", part("form-data; name=g", b"") * 2001 + END, BadRequest),
    ("too large a field", FILE + part("form-data; name=g", b"x" * (1 << 20) + b"y") + END, PayloadTooLarge),
    ("many fields, too large", FILE + part("form-data; name=g", b"x" * 300_000) * 4 + END, PayloadTooLarge),
    ("too large", FILE + part('form-data; name="f"; filename="b"', b"x" * (1 << 21)) + END, PayloadTooLarge),
    ("too large after the end", FILE + END + b"x" * (1 << 21), PayloadTooLarge),
]


@pytest.mark.parametrize("step", [11, 1 << 16])
@pytest.mark.parametrize(("body", "error"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_broken_body_is_refused_and_leaves_nothing(
    tmp_path: Path, body: bytes, error: type[GraticuleError], step: int
) -> None:
    step = max(step, len(body) // 5000)
    with pytest.raises(error):
        read(body, tmp_path, step=step, max_bytes=(1 << 21) - 1)
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_failed_never_finishes(tmp_path: Path) -> None:
    reader = MultipartReader(KIND, tmp_path, 300)
    reader.feed(FILE + END)
    with pytest.raises(PayloadTooLarge):
        reader.feed(b"x" * 300)
    with pytest.raises(BadRequest):
        reader.finish()


def test_an_upload_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    reader = MultipartReader(KIND, tmp_path, 1000)
    reader.feed(FILE[:100])
    assert list(tmp_path.iterdir())
    reader.close()
    reader.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("", UnsupportedMediaType),
        ("application/json", UnsupportedMediaType),
        ("multipart/mixed; boundary=a", UnsupportedMediaType),
        ("multipart/form-data", BadRequest),
        ("multipart/form-data; boundary=", BadRequest),
        ('multipart/form-data; boundary=""', BadRequest),
        ("multipart/form-data; boundary=" + "a" * 201, BadRequest),
        ("multipart/form-data; boundary=" + "a" * 5000, BadRequest),
    ],
)
def test_a_body_of_another_kind_is_refused(tmp_path: Path, kind: str, error: type[GraticuleError]) -> None:
    with pytest.raises(error):
        MultipartReader(kind, tmp_path, 1000)


def test_a_long_boundary_is_taken(tmp_path: Path) -> None:
    boundary = "a" * 200
    body = (FILE + END).replace(b"XyZ", boundary.encode())
    assert len(read(body, tmp_path, f"multipart/form-data; boundary={boundary}").files) == 1


def test_a_full_disk_is_said_and_leaves_nothing(tiny_disk: Path) -> None:
    reader = MultipartReader(KIND, tiny_disk, 1 << 30)
    reader.feed(part('form-data; name="f"; filename="a"', b"")[:-2])
    with pytest.raises(Unavailable, match="disk is full"):
        for _ in range(10):
            reader.feed(b"x" * 100_000)
    assert list(tiny_disk.iterdir()) == []


def test_a_body_from_curl(tmp_path: Path, data_dir: Path) -> None:
    sent = (data_dir / "countries.zip").read_bytes()
    boundary = "------------------------d74496d66958873e"
    body = (
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="filedata"; filename="countries.zip"\r\n'
            "Content-Type: application/zip\r\n\r\n"
        ).encode()
        + sent
        + f"\r\n--{boundary}--\r\n".encode()
    )
    upload = read(body, tmp_path, f"multipart/form-data; boundary={boundary}", step=65_536)
    assert contents(upload) == [("filedata", "countries.zip", sent)]
