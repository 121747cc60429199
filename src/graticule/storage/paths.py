"""Paths in an account's storage: relative to its root, ``/`` between names, no ``/`` at either end, ``""`` the root.

Names may be in any script and are kept in Unicode form NFC, so that one name has one spelling whichever system sent it.
No name is reserved: what the server itself needs lies outside the tree that users see.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import unquote

from graticule.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 1024

_ACCOUNT = re.compile(r"[0-9a-fA-F]{32}")
# Control characters, halves of surrogate pairs, line and paragraph separators.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
# What a decoder puts in place of bytes that are no UTF-8.
_REPLACEMENT = "\ufffd"


def clean_path(raw: str) -> str:
    """The path that ``raw`` (already percent-decoded) names: leading, trailing and doubled slashes do not count.

    Raises ``BadRequest`` for what is no plain path: ``.`` and ``..``, also percent-encoded a second time,
    backslashes, control characters, text that was no UTF-8, names and paths that are too long.
    """
    names = [unicodedata.normalize("NFC", name) for name in raw.split("/") if name]
    for name in names:
        if reason := _fault(name):
            raise _bad_path(raw, reason)
    path = "/".join(names)
    if len(path.encode()) > MAX_PATH_BYTES:
        raise _bad_path(raw, f"it is longer than {MAX_PATH_BYTES} bytes")
    return path


def split_account(path: str) -> tuple[str | None, str]:
    """A cleaned path's account, where it begins with the MD5 of a user's id (32 hex digits, given in lower case),
    and the rest of the path."""
    first, _, rest = path.partition("/")
    return (first.lower(), rest) if _ACCOUNT.fullmatch(first) else (None, path)


def used_as_both(paths: Iterable[str]) -> str | None:
    """The first of the paths of some files that would have to be a directory as well, for another of them."""
    files = set(paths)
    parents = {path[:end] for path in files for end in _slashes(path)}
    return min(files & parents, default=None)


def _slashes(path: str) -> list[int]:
    return [at for at, letter in enumerate(path) if letter == "/"]


def _fault(name: str) -> str | None:
    """Why this cannot be a name in a path; None when it can."""
    if any(unicodedata.category(letter) in _REFUSED_CATEGORIES for letter in name):
        return "it has control characters or characters that are no text"
    if _REPLACEMENT in name:
        return "it is not in UTF-8"
    if len(name.encode()) > MAX_NAME_BYTES:
        return f"a name in it is longer than {MAX_NAME_BYTES} bytes"
    plain = _decoded(name)
    if "\\" in plain:
        return "it has a backslash; names are separated by /"
    if "/" in plain or "\0" in plain:
        return "it is percent-encoded twice"
    if plain in {".", ".."}:
        return "it has a . or .. segment"
    return None


def _decoded(name: str) -> str:
    """The name with every layer of percent-encoding taken off."""
    while (plain := unquote(name)) != name:
        name = plain
    return name


def _bad_path(raw: str, reason: str) -> BadRequest:
    shown = raw.encode("utf-8", "backslashreplace").decode()[:200]
    return BadRequest(
        f"The path {shown!r} cannot be used: {reason}.",
        field="path",
        value=shown,
        expected="names separated by /, relative to the account's root",
    )
