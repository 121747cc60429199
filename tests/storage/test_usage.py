"""How much room an account's files take."""

from __future__ import annotations

import io
import itertools
import os
from pathlib import Path

from graticule.storage.local import LocalFileStore

SECONDS = itertools.count(10**9)


def age(root: Path) -> None:
    """Make every directory old enough to be remembered as it is."""
    time = next(SECONDS)
    for folder, _, _ in os.walk(root):
        os.utime(folder, (time, time))


def test_bytes_by_suffix(tmp_path: Path) -> None:
    store = LocalFileStore(tmp_path)
    assert store.usage(1) == {}
    for path, content in {"a.tif": b"12345", "b/c.TIF": b"123", "b/d/e.shp.zip": b"1", "b/none": b"12"}.items():
        store.write(1, path, io.BytesIO(content))
    store.write(2, "a.tif", io.BytesIO(b"of another account"))
    assert store.usage(1) == {".tif": 8, ".zip": 1, "": 2}


def test_every_change_counts_also_after_a_first_look(tmp_path: Path) -> None:
    store = LocalFileStore(tmp_path)
    store.write(1, "a/b/c.txt", io.BytesIO(b"123"))
    age(tmp_path)
    assert store.usage(1)[".txt"] == 3
    store.write(1, "a/b/d.txt", io.BytesIO(b"1"))
    assert store.usage(1)[".txt"] == 4
    age(tmp_path / "1" / "files" / "a" / "b")
    assert store.usage(1)[".txt"] == 4
    store.write(1, "a/b/c.txt", io.BytesIO(b"12345"))
    assert store.usage(1)[".txt"] == 6
    store.delete(1, "a/b/d.txt")
    assert store.usage(1)[".txt"] == 5
    store.delete(1, "a")
    assert store.usage(1) == {}


def test_what_is_no_file_of_the_account_is_not_counted(tmp_path: Path) -> None:
    store = LocalFileStore(tmp_path)
    store.write(1, "a.txt", io.BytesIO(b"1"))
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "large.txt").write_bytes(b"12345")
    (tmp_path / "1" / "files" / "link.txt").symlink_to(tmp_path / "outside" / "large.txt")
    (tmp_path / "1" / "files" / "folder").symlink_to(tmp_path / "outside")
    assert store.usage(1) == {".txt": 1}


def test_a_directory_that_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    """Writing into a file in place, which nobody here does, leaves its directory's time as it is."""
    store = LocalFileStore(tmp_path)
    store.write(1, "a.txt", io.BytesIO(b"1"))
    age(tmp_path)
    assert store.usage(1) == {".txt": 1}
    (tmp_path / "1" / "files" / "a.txt").write_bytes(b"12345")
    assert store.usage(1) == {".txt": 1}
