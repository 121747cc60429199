"""The style sheet that the address of a map names: a file in the storage of the map's owner.

It is read with the owner's rights, for whoever may see the map: a map in a page of others looks the same to everybody.
So only files whose name ends in ``.css`` are read. What would fetch something is refused: an address of ours that is
fetched from our own page is fetched with the rights of whoever looks at it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from graticule.errors import BadRequest, NotFound
from graticule.storage.paths import clean_path, split_account

if TYPE_CHECKING:
    from graticule.backend import Backend
    from graticule.catalogue.orm import Map

LARGEST = 256 * 1024
# An escape may stand for any letter of a name: u\72l( is url(.
ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|([^\n]))")
FETCHING = re.compile(r"@import|(?:url|src|image|image-set)\(", re.IGNORECASE)


def style_path(raw: str) -> str:
    """The cleaned path of a style sheet. Raises ``BadRequest`` for ``style``."""
    try:
        path = clean_path(raw)
    except BadRequest as error:
        raise BadRequest(error.message, field="style", value=raw, expected="the path of a .css file") from None
    if not path.lower().endswith(".css"):
        raise BadRequest("This is no style sheet.", field="style", value=raw, expected="the path of a .css file")
    return path


def css_of(backend: Backend, found: Map, path: str) -> str:
    """The text of the style sheet, safe to stand inside a ``<style>``. Raises ``NotFound``, ``BadRequest``."""
    account_hash, own = split_account(path)
    if account_hash not in (None, found.owner.account_hash):
        raise NotFound("It is not in the storage of the map's owner.")
    with backend.files.open(found.owner_id, own) as opened:
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise BadRequest(f"It is larger than {LARGEST // 1024} kB.", field="style", value=path)
    text = content.decode("utf-8-sig", "replace").replace("\0", "\ufffd")
    if FETCHING.search(text) or FETCHING.search(ESCAPE.sub(_unescaped, text)):
        raise BadRequest("It loads something by @import or url(), which is not allowed.", field="style", value=path)
    # The only text that ends the element; in strings, the only place where CSS has it, this says the same.
    return text.replace("</", "<\\/")


def _unescaped(match: re.Match[str]) -> str:
    digits, letter = match.groups()
    if letter is not None:
        return letter
    code = int(digits, 16)
    return chr(code) if 0 < code <= 0x10FFFF else "\ufffd"
