"""Paths: what is cleaned and what is refused."""

from __future__ import annotations

import hashlib

import pytest

from graticule.errors import BadRequest
from graticule.storage.paths import clean_path, split_account, used_as_both

CLEANED = [
    ("", ""),
    ("/", ""),
    ("///", ""),
    ("a", "a"),
    ("/a//b///c/", "a/b/c"),
    ("dir/My file (1).shp", "dir/My file (1).shp"),
    ("100%.csv", "100%.csv"),
    ("a%20b", "a%20b"),
    ("...", "..."),
    (".hidden", ".hidden"),
    ("a..b/c..", "a..b/c.."),
    ("日本/ქუჩები/الطرق.shp", "日本/ქუჩები/الطرق.shp"),
    ("می\u200cخواهم", "می\u200cخواهم"),
    ("Z\u030ci\u0301la", "Ž\u00edla"),
    ("n" * 255, "n" * 255),
]

REFUSED = [
    ("..", "segment"),
    ("a/../b", "segment"),
    ("a/.", "segment"),
    ("./a", "segment"),
    ("%2e%2e/a", "segment"),
    ("a/%252E./b", "segment"),
    ("a%2fb", "twice"),
    ("a%00", "twice"),
    ("a\\b", "backslash"),
    ("..%5c..", "backslash"),
    ("a\0b", "control"),
    ("a\nb", "control"),
    ("a\x7f", "control"),
    ("a\x85", "control"),
    ("a\u2028b", "control"),
    ("a\udcffb", "no text"),
    ("a\ufffdb", "UTF-8"),
    ("n" * 256, "255 bytes"),
    ("ž" * 128, "255 bytes"),
    ("/".join(["n" * 200] * 6), "1024 bytes"),
]


@pytest.mark.parametrize(("raw", "path"), CLEANED)
def test_a_path_is_cleaned_once_and_for_all(raw: str, path: str) -> None:
    assert clean_path(raw) == path
    assert clean_path(path) == path


@pytest.mark.parametrize(("raw", "reason"), REFUSED)
def test_a_bad_path_is_refused_with_its_reason(raw: str, reason: str) -> None:
    with pytest.raises(BadRequest) as caught:
        clean_path(raw)
    assert caught.value.field == "path"
    assert reason in caught.value.message
    caught.value.message.encode()


def test_an_account_stands_before_the_rest() -> None:
    account = hashlib.md5(b"7").hexdigest()
    assert split_account(f"{account}/roads/a.shp") == (account, "roads/a.shp")
    assert split_account(account.upper()) == (account, "")
    assert split_account("roads/a.shp") == (None, "roads/a.shp")
    assert split_account(f"{account}0/a.shp") == (None, f"{account}0/a.shp")


@pytest.mark.parametrize(
    ("paths", "clash"),
    [(["a", "b/a"], None), (["a/b", "a"], "a"), (["x", "a/b/c/d", "a/b"], "a/b"), (["a", "ab/c"], None)],
)
def test_a_file_that_must_be_a_directory_too_is_found(paths: list[str], clash: str | None) -> None:
    assert used_as_both(paths) == clash
