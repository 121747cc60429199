"""Files on a local disk: what is stored, what is refused, and what a killed process leaves."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import graticule
from graticule.errors import BadRequest, Conflict, GraticuleError, NotFound, Unavailable
from graticule.storage.archive import ZipLimits, unpack
from graticule.storage.local import LocalFileStore

if TYPE_CHECKING:
    from graticule.storage.base import FileStore


@pytest.fixture
def store(tmp_path: Path) -> LocalFileStore:
    return LocalFileStore(tmp_path / "accounts")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Where account 7 has its files."""
    return tmp_path / "accounts" / "7" / "files"


def put(store: LocalFileStore, path: str, content: bytes = b"x") -> None:
    store.write(7, path, io.BytesIO(content))


def get(store: LocalFileStore, path: str) -> bytes:
    with store.open(7, path) as file:
        return file.read()


def tree(store: LocalFileStore, account: int = 7) -> dict[str, bytes | None]:
    """Path → content, None for directories."""
    found: dict[str, bytes | None] = {}
    for info in store.walk(account, ""):
        found[info.path] = None if info.is_dir else store.local_path(account, info.path).read_bytes()
    return found


def staged(files: Path) -> list[Path]:
    return list((files.parent / "staging").iterdir())


def test_it_is_a_file_store(store: LocalFileStore) -> None:
    as_protocol: FileStore = store
    assert as_protocol.list(7, "") == ()


def test_a_file_comes_back_as_it_was_sent(store: LocalFileStore, files: Path) -> None:
    content = os.urandom(3_000_000)
    info = store.write(7, "//dir//Žuta 道路.shp", io.BytesIO(content))
    assert (info.path, info.name, info.size, info.is_dir) == ("dir/Žuta 道路.shp", "Žuta 道路.shp", 3_000_000, False)
    assert info == store.info(7, "dir/Z\u030cuta 道路.shp")
    assert get(store, "dir/Žuta 道路.shp") == content
    assert store.local_path(7, "dir/Žuta 道路.shp").read_bytes() == content
    assert staged(files) == []


def test_a_file_can_be_read_in_part(store: LocalFileStore) -> None:
    put(store, "a.bin", bytes(range(100)))
    with store.open(7, "a.bin") as file:
        file.seek(10)
        assert file.read(3) == bytes((10, 11, 12))


def test_accounts_do_not_see_each_other(store: LocalFileStore) -> None:
    put(store, "a.txt")
    assert store.list(8, "") == ()
    with pytest.raises(NotFound):
        store.info(8, "a.txt")


def test_replacing_changes_the_version_and_not_open_files(store: LocalFileStore) -> None:
    put(store, "a.txt", b"first")
    before = store.info(7, "a.txt")
    with store.open(7, "a.txt") as file:
        put(store, "a.txt", b"other")
        assert file.read() == b"first"
    after = store.info(7, "a.txt")
    assert get(store, "a.txt") == b"other"
    assert after.version != before.version
    assert after.modified >= before.modified >= before.created > 1_600_000_000


def test_the_root_is_always_a_directory(store: LocalFileStore) -> None:
    info = store.info(7, "/")
    assert (info.path, info.name, info.size, info.is_dir) == ("", "", 0, True)


def test_a_listing_is_one_directory_by_name(store: LocalFileStore) -> None:
    for path in ("b/z.txt", "b/a/deep.txt", "a.txt", "c.txt", "B.txt"):
        put(store, path)
    assert [info.path for info in store.list(7, "")] == ["B.txt", "a.txt", "b", "c.txt"]
    assert [(info.path, info.name, info.is_dir) for info in store.list(7, "b")] == [
        ("b/a", "a", True),
        ("b/z.txt", "z.txt", False),
    ]
    assert [info.path for info in store.walk(7, "")] == [
        "B.txt", "a.txt", "b", "b/a", "b/a/deep.txt", "b/z.txt", "c.txt",
    ]  # fmt: skip
    assert [info.path for info in store.walk(7, "b/a")] == ["b/a/deep.txt"]


def test_what_users_cannot_name_is_not_listed(store: LocalFileStore, files: Path) -> None:
    put(store, "a.txt")
    for name in (b"bad\xff", b"new\nline", b"back\\slash"):
        Path(os.fsdecode(os.fsencode(files) + b"/" + name)).touch()
    (files / "link").symlink_to("a.txt")
    os.mkfifo(files / "pipe")
    assert list(tree(store)) == ["a.txt"]


def test_directories_are_made_and_removed(store: LocalFileStore, files: Path) -> None:
    assert store.mkdir(7, "a/b/c")
    assert not store.mkdir(7, "a/b")
    assert not store.mkdir(7, "")
    put(store, "a/b/file.txt")
    store.delete(7, "a/b/file.txt")
    assert list(tree(store)) == ["a", "a/b", "a/b/c"]
    put(store, "a/b/c/file.txt")
    store.delete(7, "/a/")
    assert tree(store) == {}
    assert staged(files) == []


def test_deleting_a_directory_leaves_what_its_links_point_to(
    store: LocalFileStore, files: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.txt").touch()
    store.mkdir(7, "dir")
    (files / "dir" / "link").symlink_to(tmp_path / "outside")
    store.delete(7, "dir")
    assert (tmp_path / "outside" / "a.txt").exists()


WRONG: list[tuple[str, tuple[str, ...], type[GraticuleError]]] = [
    ("info", ("missing",), NotFound),
    ("info", ("file/below",), NotFound),
    ("info", ("../7/files",), BadRequest),
    ("info", ("link",), BadRequest),
    ("info", ("linked/a.txt",), BadRequest),
    ("info", ("pipe",), BadRequest),
    ("list", ("missing",), NotFound),
    ("list", ("file",), BadRequest),
    ("list", ("linked",), BadRequest),
    ("open", ("missing",), NotFound),
    ("open", ("dir",), BadRequest),
    ("open", ("",), BadRequest),
    ("open", ("link",), BadRequest),
    ("open", ("linked/a.txt",), BadRequest),
    ("open", ("pipe",), BadRequest),
    ("open", ("a\0b",), BadRequest),
    ("local_path", ("missing",), NotFound),
    ("local_path", ("link",), BadRequest),
    ("mkdir", ("file",), Conflict),
    ("mkdir", ("file/below/it",), Conflict),
    ("mkdir", ("linked/new",), BadRequest),
    ("delete", ("missing",), NotFound),
    ("delete", ("",), BadRequest),
    ("delete", ("/",), BadRequest),
    ("delete", ("link",), BadRequest),
    ("delete", ("linked/a.txt",), BadRequest),
    ("write", ("",), Conflict),
    ("write", ("dir",), Conflict),
    ("write", ("file/below/it",), Conflict),
    ("write", ("link",), BadRequest),
    ("write", ("linked/new/a.txt",), BadRequest),
    ("write", ("a/../b",), BadRequest),
]


@pytest.mark.parametrize(("method", "arguments", "error"), WRONG)
def test_wrong_paths_change_nothing(
    store: LocalFileStore, files: Path, tmp_path: Path, method: str, arguments: tuple[str, ...], error: type[Exception]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.txt").touch()
    put(store, "file")
    put(store, "dir/file")
    (files / "link").symlink_to(outside / "a.txt")
    (files / "linked").symlink_to(outside)
    os.mkfifo(files / "pipe")
    before = sorted(files.rglob("*"))
    source = (io.BytesIO(b"x"),) if method == "write" else ()
    with pytest.raises(error):
        getattr(store, method)(7, *arguments, *source)
    assert sorted(files.rglob("*")) == before
    assert list(outside.iterdir()) == [outside / "a.txt"]
    assert staged(files) == []


def test_an_account_may_be_moved_to_another_disk_by_a_link(store: LocalFileStore, files: Path, tmp_path: Path) -> None:
    """Only below ``files`` do users' names count; what the operator links above it is theirs to decide."""
    put(store, "a.txt")
    moved = tmp_path / "elsewhere"
    files.parent.rename(moved)
    files.parent.symlink_to(moved)
    assert get(store, "a.txt") == b"x"


class Failing(io.BytesIO):
    """Gives its content, then the error in place of the end."""

    def __init__(self, content: bytes, error: Exception) -> None:
        super().__init__(content)
        self._error = error

    def read(self, size: int | None = -1, /) -> bytes:
        if found := super().read(size):
            return found
        raise self._error


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), Unavailable),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), Unavailable),
        (ConnectionResetError(), ConnectionResetError),
        (BadRequest("The upload broke off."), BadRequest),
    ],
)
def test_a_broken_source_leaves_the_old_content(
    store: LocalFileStore, files: Path, error: Exception, raised: type[Exception]
) -> None:
    put(store, "a.txt", b"old")
    for path in ("a.txt", "new/b.txt"):
        with pytest.raises(raised):
            store.write(7, path, Failing(b"new" * 100_000, error))
    assert tree(store) == {"a.txt": b"old"}
    assert staged(files) == []


def test_a_full_disk_is_said_and_can_be_cleared(tiny_disk: Path) -> None:
    store = LocalFileStore(tiny_disk)
    store.write(7, "dir/old.bin", io.BytesIO(b"o" * 100_000))
    with pytest.raises(Unavailable, match="disk is full") as caught:
        store.write(7, "dir/new.bin", io.BytesIO(b"n" * 1_000_000))
    assert "dir/new.bin" in caught.value.message
    assert tree(store) == {"dir": None, "dir/old.bin": b"o" * 100_000}
    filling = tiny_disk / "filling"
    with pytest.raises(OSError, match="No space left"), filling.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    with pytest.raises(Unavailable):
        store.write(7, "b.txt", io.BytesIO(b"x"))
    store.delete(7, "dir")
    assert tree(store) == {}
    store.write(7, "b.txt", io.BytesIO(b"x"))


def test_several_files_are_published_at_once(store: LocalFileStore, files: Path) -> None:
    put(store, "maps/roads.shp", b"old")
    with store.staging(7) as staging:
        (staging / "1").write_bytes(b"shape")
        (staging / "2").write_bytes(b"table")
        infos = store.write_tree(7, "maps", {"roads.shp": staging / "1", "more/roads.dbf": staging / "2"})
    assert [(info.path, info.size) for info in infos] == [("maps/roads.shp", 5), ("maps/more/roads.dbf", 5)]
    assert tree(store) == {
        "maps": None, "maps/more": None, "maps/more/roads.dbf": b"table", "maps/roads.shp": b"shape",
    }  # fmt: skip
    assert staged(files) == []


@pytest.mark.parametrize(
    ("names", "error"),
    [
        (["new/a.txt", "taken"], Conflict),
        (["new/a.txt", "file/below"], Conflict),
        (["new/a.txt", "link"], BadRequest),
        (["new/a.txt", "../e.txt"], BadRequest),
        (["new/a.txt", "new//a.txt"], BadRequest),
        (["new/a.txt", "Z\u030c", "Ž"], BadRequest),
        (["new/a", "new/a/b"], BadRequest),
    ],
)
def test_of_several_files_none_appears_when_one_cannot(
    store: LocalFileStore, files: Path, names: list[str], error: type[Exception]
) -> None:
    store.mkdir(7, "taken")
    put(store, "file", b"old")
    (files / "link").symlink_to("file")
    before = tree(store)
    with store.staging(7) as staging, pytest.raises(error):
        store.write_tree(7, "", {name: _stage(staging, number) for number, name in enumerate(names)})
    assert tree(store) == before
    assert staged(files) == []


def _stage(staging: Path, number: int) -> Path:
    path = staging / str(number)
    path.write_bytes(b"new")
    return path


def test_a_failure_in_the_middle_is_undone(store: LocalFileStore, files: Path) -> None:
    """The second of the staged files is a directory: it cannot take the place of a file."""
    put(store, "a.txt", b"old a")
    put(store, "b.txt", b"old b")
    before = store.info(7, "a.txt")
    with store.staging(7) as staging:
        (staging / "1").write_bytes(b"new a")
        (staging / "2").mkdir()
        with pytest.raises(NotADirectoryError):
            store.write_tree(7, "", {"new/c.txt": _stage(staging, 3), "a.txt": staging / "1", "b.txt": staging / "2"})
    assert tree(store) == {"a.txt": b"old a", "b.txt": b"old b"}
    assert store.info(7, "a.txt").version == before.version
    assert staged(files) == []


def test_the_real_countries_unpacked_and_published(store: LocalFileStore, data_dir: Path) -> None:
    with store.staging(7) as staging:
        names = unpack(data_dir / "countries.zip", staging / "unpacked", ZipLimits(1 << 30, 100))
        store.write_tree(7, "world", {name: staging / "unpacked" / name for name in names})
    infos = store.list(7, "world")
    assert sorted(names) == [info.name for info in infos]
    assert all(info.size for info in infos)


def test_writers_at_the_same_time_never_mix_their_sets(store: LocalFileStore, files: Path) -> None:
    failures: list[BaseException] = []

    def write(content: bytes) -> None:
        try:
            for _ in range(8):
                with store.staging(7) as staging:
                    for name in ("a", "b", "c"):
                        (staging / name).write_bytes(content)
                    store.write_tree(7, "set", {name: staging / name for name in ("a", "b", "c")})
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(bytes([65 + number]) * 10,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    assert len({get(store, f"set/{name}") for name in ("a", "b", "c")}) == 1
    assert staged(files) == []


def test_sweeping_leaves_the_living_alone(store: LocalFileStore, tmp_path: Path) -> None:
    with store.staging(7) as staging:
        (staging / "a").write_bytes(b"x")
        assert LocalFileStore(tmp_path / "accounts").sweep() == ()
        store.write_tree(7, "", {"a": staging / "a"})
    assert tree(store) == {"a": b"x"}


def test_sweeping_takes_no_orders_from_users_files(store: LocalFileStore, files: Path) -> None:
    put(store, "a.txt")
    marks = (files / "a.txt").lstat()
    plan = f'{{"files": [["a.txt", [{marks.st_ino}, {marks.st_mtime_ns}, {marks.st_size}]]], "directories": []}}'
    for folder in ("work-dead", "trash-dead"):
        (files.parent / "staging" / folder).mkdir()
        (files.parent / "staging" / folder / "plan.json").write_text(plan)
    assert store.sweep() == (7,)
    assert tree(store) == {"a.txt": b"x"}
    assert staged(files) == []


def test_sweeping_passes_by_what_is_not_an_account(store: LocalFileStore, tmp_path: Path) -> None:
    (tmp_path / "accounts" / "lost+found" / "staging" / "work-x").mkdir(parents=True)
    (tmp_path / "accounts" / "9").mkdir()
    assert store.sweep() == ()
    assert (tmp_path / "accounts" / "lost+found" / "staging" / "work-x").exists()


# A process of its own that changes account 7 and is killed at its n-th step on the disk. Each n is a fork of it.
KILLED = """
import io, os, signal, sys
from pathlib import Path
from graticule.storage.local import LocalFileStore

STEPS = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree", "open"}

class Endless(io.RawIOBase):
    reads = 0

    def readinto(self, buffer):
        self.reads += 1
        if self.reads > 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return len(buffer)

def change(root, what):
    store = LocalFileStore(root)
    if what == "stream":
        store.write(7, "new/a.bin", Endless())
    elif what == "delete":
        store.delete(7, "set")
    else:
        with store.staging(7) as staging:
            for name in "abc":
                (staging / name).write_bytes(b"new")
            store.write_tree(7, "set", {"a": staging / "a", "b": staging / "b", "deep/er/c": staging / "c"})

def die_at(step):
    def count(event, arguments):
        nonlocal step
        if event in STEPS:
            step -= 1
            if step == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)

what = sys.argv[1]
for root in sys.argv[2:]:
    child = os.fork()
    if child == 0:
        die_at(int(Path(root).name))
        change(Path(root), what)
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""

OLD: dict[str, bytes | None] = {"keep": b"old", "set": None, "set/a": b"old"}
NEW: dict[str, bytes | None] = {
    "keep": b"old", "set": None, "set/a": b"new", "set/b": b"new", "set/deep": None, "set/deep/er": None,
    "set/deep/er/c": b"new",
}  # fmt: skip


def kill_at_each_step(tmp_path: Path, what: str, steps: range) -> list[tuple[LocalFileStore, bool]]:
    """For each step a store with OLD in it that a child was changing, and whether the child was killed."""
    stores = [LocalFileStore(tmp_path / str(step)) for step in steps]
    for store in stores:
        put(store, "keep", b"old")
        put(store, "set/a", b"old")
    roots = [str(tmp_path / str(step)) for step in steps]
    environment = {"PYTHONPATH": str(Path(graticule.__file__).parents[1])}
    run = [sys.executable, "-c", KILLED, what, *roots]
    lines = subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    return [(store, line == "9") for store, line in zip(stores, lines, strict=True)]


def leftovers(store: LocalFileStore) -> list[Path]:
    return list(store.local_path(7, "").parent.joinpath("staging").iterdir())


def test_a_set_of_files_whose_writer_is_killed_is_there_or_not(tmp_path: Path) -> None:
    outcomes = kill_at_each_step(tmp_path, "set", range(24, 68))
    half_way, seen = 0, {False: 0, True: 0}
    for store, killed in outcomes:
        half_way += tree(store) not in (OLD, NEW)
        store.sweep()
        found = tree(store)
        assert found in (OLD, NEW)
        assert killed or found == NEW
        assert leftovers(store) == []
        seen[found == NEW] += 1
    assert [killed for _, killed in outcomes] == sorted((killed for _, killed in outcomes), reverse=True)
    assert half_way >= 3
    assert seen[False] >= 10
    assert not outcomes[-1][1]


def test_a_set_half_published_is_left_alone_where_others_wrote_since(tmp_path: Path) -> None:
    for store, _ in kill_at_each_step(tmp_path, "set", range(34, 48)):
        put(store, "set/a", b"later")
        put(store, "set/deep/d", b"later")
        store.sweep()
        found = tree(store)
        assert (found["set/a"], found["set/deep/d"]) == (b"later", b"later")
        assert ("set/b" in found) == ("set/deep/er/c" in found)


def test_a_stream_whose_writer_is_killed_leaves_nothing(tmp_path: Path) -> None:
    """The last child dies in the middle of the content, the others on the way to it."""
    outcomes = kill_at_each_step(tmp_path, "stream", range(2, 40, 3))
    for store, killed in outcomes:
        assert killed
        assert tree(store) == OLD
        store.sweep()
        assert tree(store) == OLD
        assert leftovers(store) == []


def test_half_a_stream_is_left_to_be_swept(tmp_path: Path) -> None:
    store, _ = kill_at_each_step(tmp_path, "stream", range(40, 41))[0]
    (folder,) = leftovers(store)
    assert (folder / "content").stat().st_size > 0
    assert store.sweep() == (7,)
    assert leftovers(store) == []


def test_a_directory_whose_remover_is_killed_is_there_or_not(tmp_path: Path) -> None:
    outcomes = kill_at_each_step(tmp_path, "delete", range(1, 16))
    for store, killed in outcomes:
        assert tree(store) in (OLD, {"keep": b"old"})
        store.sweep()
        assert leftovers(store) == []
        assert killed or tree(store) == {"keep": b"old"}
    assert {killed for _, killed in outcomes} == {True, False}
