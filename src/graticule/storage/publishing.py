"""Several files moved to their places so that, whatever happens, all are there or none.

The order is what makes it safe. First the journal gets a second name for each file that will be replaced, and the plan:
what goes where, by which marks each new file is known, which directories will be made. Then the moves are made.
Removing the plan ends it. A journal that still has its plan is one to undo. Each step of undoing looks at what
is there now, so undoing can itself be broken off and begun again, and leaves alone what others wrote since.

Both functions are called with the account's lock held.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from graticule.storage.disk import sync

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_PLAN = "plan.json"


def publish(journal: Path, root: Path, files: Mapping[str, Path]) -> None:
    """Move staged files (path below ``root`` → where it lies now) to their places; ``journal`` must not exist yet.

    Raises ``OSError``; everything is as it was then.
    """
    journal.mkdir()
    try:
        _prepare(journal, root, files)
        _move(root, files)
        (journal / _PLAN).unlink()
        sync(journal)
    except BaseException:
        undo(journal, root)
        raise
    shutil.rmtree(journal, ignore_errors=True)


def undo(journal: Path, root: Path) -> None:
    """Put back what a journal says, where it has a plan, and remove the journal."""
    try:
        plan = json.loads((journal / _PLAN).read_bytes())
    except (FileNotFoundError, ValueError):  # it ended, or not a single move was made
        plan = {"files": [], "directories": []}
    for number, (path, marks) in enumerate(plan["files"]):
        if _marks(root / path) == marks:
            _put_back(journal / str(number), root / path)
    for path in reversed(plan["directories"]):
        with suppress(OSError):  # somebody has put something in it
            (root / path).rmdir()
    shutil.rmtree(journal, ignore_errors=True)


def _prepare(journal: Path, root: Path, files: Mapping[str, Path]) -> None:
    for number, path in enumerate(files):
        with suppress(FileNotFoundError):
            os.link(root / path, journal / str(number), follow_symlinks=False)
    plan = {
        "files": [(path, _marks(staged)) for path, staged in files.items()],
        "directories": _missing_directories(root, files),
    }
    (journal / _PLAN).write_text(json.dumps(plan), encoding="utf-8")
    sync(journal / _PLAN)
    sync(journal)
    sync(journal.parent)


def _move(root: Path, files: Mapping[str, Path]) -> None:
    changed = {root / path for path in _missing_directories(root, files)}
    for directory in sorted(changed):
        directory.mkdir()
    for path, staged in files.items():
        staged.replace(root / path)
    for directory in {made.parent for made in changed} | {(root / path).parent for path in files}:
        sync(directory)


def _missing_directories(root: Path, files: Iterable[str]) -> list[str]:
    """Those that have to be made, each after the one that it is in."""
    parents = {parent for path in files for parent in (root / path).relative_to(root).parents}
    return sorted(str(parent) for parent in parents if not (root / parent).exists())


def _put_back(kept: Path, place: Path) -> None:
    if kept.exists():
        kept.replace(place)
    else:
        place.unlink()


def _marks(path: Path) -> list[int] | None:
    """What tells one file from every other that has been at the same place; moving it keeps them."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return [found.st_ino, found.st_mtime_ns, found.st_size]
