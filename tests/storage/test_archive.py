"""Zips from strangers: hostile, broken, odd, and plain ones."""

from __future__ import annotations

import io
import random
import stat
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest

from graticule.errors import BadRequest, Unavailable
from graticule.storage.archive import ZipLimits, unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIMITS = ZipLimits(total_bytes=64 * 1024**2, members=100)


def packed(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def with_mode(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def renamed(archive: bytes, old: bytes, new: bytes) -> bytes:
    """The archive with a name changed to one of the same length that zipfile itself would not write."""
    assert len(old) == len(new)
    assert archive.count(old) == 2
    return archive.replace(old, new)


def flagged(archive: bytes, flag: int) -> bytes:
    """The archive with a flag set in each header of its members."""
    changed = bytearray(archive)
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = archive.find(signature)
        while start >= 0:
            changed[start + at : start + at + 2] = flag.to_bytes(2, "little")
            start = archive.find(signature, start + 4)
    return bytes(changed)


def open_zip(archive: bytes, target: Path, limits: ZipLimits = LIMITS) -> list[str]:
    return unpack(io.BytesIO(archive), target, limits, "upload.zip")


def tree(target: Path) -> dict[str, bytes]:
    return {str(file.relative_to(target)): file.read_bytes() for file in target.rglob("*") if file.is_file()}


def test_directories_are_kept_and_junk_is_dropped(tmp_path: Path) -> None:
    archive = packed(
        ("roads/", b""),
        ("roads/a.shp", b"shape"),
        ("roads//deep/b.txt", b""),
        ("./c.txt", b"c"),
        ("empty/", b""),
        ("__MACOSX/roads/._a.shp", b"junk"),
        ("roads/.DS_Store", b"junk"),
        ("Thumbs.db", b"junk"),
    )
    assert open_zip(archive, tmp_path) == ["roads/a.shp", "roads/deep/b.txt", "c.txt"]
    assert tree(tmp_path) == {"roads/a.shp": b"shape", "roads/deep/b.txt": b"", "c.txt": b"c"}


def test_the_real_countries(tmp_path: Path, data_dir: Path) -> None:
    names = unpack(data_dir / "countries.zip", tmp_path, LIMITS)
    assert {name.rpartition(".")[2] for name in names} >= {"shp", "shx", "dbf", "prj", "cpg"}
    with zipfile.ZipFile(data_dir / "countries.zip") as archive:
        assert tree(tmp_path) == {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_large_members_come_out_whole(tmp_path: Path, method: int) -> None:
    content = random.Random(1).randbytes(1_000_003)
    assert open_zip(packed(("a.bin", content), method=method), tmp_path) == ["a.bin"]
    assert tree(tmp_path) == {"a.bin": content}


def test_zip64(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, archive.open("a.bin", "w", force_zip64=True) as member:
        member.write(b"content")
    assert open_zip(file.getvalue(), tmp_path) == ["a.bin"]
    assert tree(tmp_path) == {"a.bin": b"content"}


def in_encoding(name: str, encoding: str) -> bytes:
    stand_in = b"n" * len(name.encode(encoding))
    return renamed(packed((stand_in.decode(), b"x")), stand_in, name.encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-8", "cp866", "cp1251"])
def test_names_without_a_stated_encoding(tmp_path: Path, encoding: str) -> None:
    assert open_zip(in_encoding("Дороги/реки.shp", encoding), tmp_path) == ["Дороги/реки.shp"]


def test_names_with_the_flag_for_utf8(tmp_path: Path) -> None:
    assert open_zip(packed(("Źródła 道路.shp", b"x")), tmp_path) == ["Źródła 道路.shp"]


def test_names_in_the_extra_field_for_utf8(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("Z_r_d_a.shp")
    told = struct.pack("<BL", 1, zlib.crc32(b"Z_r_d_a.shp")) + "Źródła.shp".encode()
    info.extra = struct.pack("<HH", 0x9999, 2) + b"ab" + struct.pack("<HH", 0x7075, len(told)) + told
    assert open_zip(packed((info, b"x")), tmp_path) == ["Źródła.shp"]


def test_an_extra_field_for_another_name_does_not_count(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("plain.shp")
    told = struct.pack("<BL", 1, 0) + b"other.shp"
    info.extra = struct.pack("<HH", 0x7075, len(told)) + told
    assert open_zip(packed((info, b"x")), tmp_path) == ["plain.shp"]


LINK, FIFO = stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o666
PLAIN = packed(("good.txt", b"good " * 100))
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "parent": (lambda: packed(("a/../../e.txt", b"x")), "a/../../e.txt"),
    "absolute": (lambda: packed(("/etc/e.txt", b"x")), "/etc/e.txt has an absolute path"),
    "drive": (lambda: packed(("C:/e.txt", b"x")), "C:/e.txt has an absolute path"),
    "drive relative": (lambda: packed(("c:e.txt", b"x")), "c:e.txt has an absolute path"),
    "backslashes": (lambda: renamed(packed(("..|e.txt", b"x")), b"..|e.txt", b"..\\e.txt"), "backslash"),
    "a dot inside": (lambda: packed(("a/./e.txt", b"x")), "a/./e.txt"),
    "control": (lambda: packed(("a\ne.txt", b"x")), "control"),
    "null": (lambda: renamed(packed(("a|e.txt", b"x")), b"a|e.txt", b"a\0e.txt"), "control"),
    "parent directory": (lambda: packed(("../e/", b"")), "../e/"),
    "link": (lambda: packed((with_mode("e", LINK), b"/etc/passwd")), "e is a link"),
    "linked directory": (lambda: packed((with_mode("d", LINK), b"/tmp"), ("d/e", b"x")), "d is a link"),
    "pipe": (lambda: packed((with_mode("e", FIFO), b"")), "e is neither a file nor a directory"),
    "encrypted": (lambda: flagged(PLAIN, 1), "good.txt is encrypted"),
    "duplicate": (lambda: renamed(packed(("a1", b"x"), ("a2", b"y")), b"a2", b"a1"), "a1 is in it twice"),
    "duplicate by slashes": (lambda: packed(("a/b", b"x"), ("a//b", b"y")), "a//b is in it twice"),
    "file and directory": (lambda: packed(("a/b", b"x"), ("a", b"y")), "a would be a file and a directory"),
    "lzma": (lambda: packed(("a", b"x"), method=zipfile.ZIP_LZMA), "a is packed by a method other than deflate"),
    "too many": (lambda: packed(*((f"{n}", b"") for n in range(101))), "holds 101 files; 100 are allowed"),
    "no files": (lambda: packed(("a/", b"")), "holds no files"),
    "only junk": (lambda: packed(("__MACOSX/a", b"")), "holds no files"),
    "empty": (lambda: packed(), "holds no files"),
    "0 bytes": (lambda: b"", "damaged or no zip"),
    "text": (lambda: b"This is no zip file.", "damaged or no zip"),
    "truncated": (lambda: PLAIN[:-30], "damaged or no zip"),
    "a name that is no UTF-8": (
        lambda: flagged(renamed(packed(("abc.txt", b"x")), b"abc.txt", b"a\xffc.txt"), 0x800),
        "its structure makes no sense",
    ),
}


@pytest.mark.parametrize(("make", "said"), REFUSED.values(), ids=REFUSED)
def test_a_bad_archive_is_refused_by_name(tmp_path: Path, make: Callable[[], bytes], said: str) -> None:
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(BadRequest) as caught:
        open_zip(make(), target)
    assert caught.value.message.startswith("upload.zip")
    assert said in caught.value.message
    assert list(tmp_path.iterdir()) == [target]
    assert tree(target) == {}


def test_a_wrong_checksum_names_the_member(tmp_path: Path) -> None:
    archive = packed(("a.txt", b"aaaa"), ("b.txt", b"bbbb"), method=zipfile.ZIP_STORED).replace(b"bbbb", b"bxbb")
    with pytest.raises(BadRequest, match=r"upload\.zip: b\.txt is damaged"):
        open_zip(archive, tmp_path)


def test_a_zip_without_its_beginning_names_the_member(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"upload\.zip: good\.txt is damaged"):
        open_zip(PLAIN[20:], tmp_path)


def test_a_truncated_real_file(tmp_path: Path, data_dir: Path) -> None:
    sent = tmp_path / "countries.zip"
    sent.write_bytes((data_dir / "countries.zip").read_bytes()[:100_000])
    with pytest.raises(BadRequest, match=r"^countries\.zip cannot be unpacked"):
        unpack(sent, tmp_path / "target", LIMITS)


def bomb(size: int, names: list[str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in names:
            with archive.open(name, "w") as member:
                for _ in range(size >> 20):
                    member.write(bytes(1 << 20))
    return file.getvalue()


def test_a_bomb_is_stopped_by_its_ratio(tmp_path: Path) -> None:
    archive = bomb(40 << 20, ["zeros.bin"])
    assert len(archive) < 50_000
    with pytest.raises(BadRequest, match=r"upload\.zip: zeros\.bin unpacks to more than 200 times"):
        open_zip(archive, tmp_path)
    assert (tmp_path / "zeros.bin").stat().st_size <= 16 << 20


def test_many_small_bombs_are_stopped_by_their_sum(tmp_path: Path) -> None:
    archive = bomb(2 << 20, ["a", "b", "c", "d"])
    with pytest.raises(BadRequest, match=r"upload\.zip: c does not fit: .* more than 5000000 bytes"):
        open_zip(archive, tmp_path, ZipLimits(total_bytes=5_000_000, members=100))
    assert sum(map(len, tree(tmp_path).values())) <= 5_000_000


def test_exactly_as_much_as_is_allowed_is_taken(tmp_path: Path) -> None:
    archive = packed(("a", b"x" * 600), ("b", b"y" * 400))
    assert open_zip(archive, tmp_path, ZipLimits(total_bytes=1000, members=2)) == ["a", "b"]


def test_sizes_are_counted_and_not_believed(tmp_path: Path) -> None:
    archive = bytearray(packed(("a", b"x" * 100_000)))
    for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = archive.find(signature) + at
        archive[start : start + 4] = struct.pack("<L", 10)
    with pytest.raises(BadRequest, match=r"upload\.zip"):
        open_zip(bytes(archive), tmp_path, ZipLimits(total_bytes=50_000, members=5))
    assert sum(map(len, tree(tmp_path).values())) <= 50_000


def test_an_endless_list_of_members_is_not_read(tmp_path: Path) -> None:
    archive = packed(*((f"{number:0200}", b"") for number in range(5000)))
    with pytest.raises(BadRequest, match="list of members is too long"):
        open_zip(archive, tmp_path)


def test_no_damage_brings_anything_but_a_bad_request(tmp_path: Path) -> None:
    dice = random.Random(20)
    archive = packed(("roads/a.shp", b"shape" * 50), ("roads/ž.dbf", b"table"), ("c.txt", b""))
    refused = 0
    for number in range(250):
        broken = bytearray(archive)
        for _ in range(dice.randint(1, 4)):
            broken[dice.randrange(len(broken))] = dice.choice((0, 1, 0x7F, 0xFF, dice.randrange(256)))
        target = tmp_path / str(number)
        target.mkdir()
        try:
            open_zip(bytes(broken), target)
        except BadRequest:
            refused += 1
    assert 50 < refused < 250


def test_the_same_for_a_file_on_disk(tmp_path: Path) -> None:
    dice = random.Random(21)
    archive = packed(("a.shp", b"shape" * 50))
    sent = tmp_path / "a.zip"
    for number in range(100):
        at = dice.randrange(archive.index(b"PK\x01\x02"), len(archive))
        sent.write_bytes(archive[:at] + dice.randbytes(2) + archive[at + 2 :])
        try:
            unpack(sent, tmp_path / str(number), LIMITS)
        except BadRequest as error:
            assert error.message.startswith("a.zip")


def test_a_full_disk_is_said(tiny_disk: Path) -> None:
    archive = packed(("a.bin", random.Random(2).randbytes(500_000)))
    with pytest.raises(Unavailable, match="disk is full"):
        open_zip(archive, tiny_disk)
