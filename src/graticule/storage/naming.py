"""Names that are free: where one is taken, it gets a suffix."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

# So many suffixes are counted up; what comes then is drawn by lot.
MOST_COUNTED = 1000


def free_names(targets: Mapping[str, Path], taken: Callable[[str], bool]) -> dict[str, Path]:
    """The same files under paths of which none is ``taken``.

    Files of one directory that share all before the first dot of their names (roads.shp, roads.dbf, roads.shp.xml) are
    one thing: they get the same suffix, as in roads_1.shp.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for path in targets:
        groups.setdefault(_parted(path)[:2], []).append(path)
    free: dict[str, Path] = {}
    for paths in groups.values():
        for suffix in _suffixes():
            named = {_suffixed(path, suffix): targets[path] for path in paths}
            if not any(name in free or taken(name) for name in named):
                free |= named
                break
    return free


def _parted(path: str) -> tuple[str, str, str]:
    """The directory with its slash, the name up to its first dot, the rest."""
    folder, slash, name = path.rpartition("/")
    stem, dot, rest = name.partition(".")
    return folder + slash, stem, dot + rest


def _suffixed(path: str, suffix: str) -> str:
    folder, stem, rest = _parted(path)
    return f"{folder}{stem}{suffix}{rest}"


def _suffixes() -> Iterator[str]:
    yield ""
    for number in range(1, MOST_COUNTED):
        yield f"_{number}"
    while True:
        yield f"_{secrets.token_hex(4)}"
