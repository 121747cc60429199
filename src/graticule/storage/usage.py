"""How much room an account's files take.

Files are never changed in place: whatever is stored, replaced or removed changes the time of the directory that it is
in. So a directory is read again only when its time has changed, and asking again costs a look at each directory,
however many files there are.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections import Counter, OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# How many directories are remembered, of all accounts together.
MOST_KNOWN = 50_000
# A directory can change again within one tick of its clock: what changed just now is not remembered, in nanoseconds.
TOO_RECENT = 2 * 10**9


@dataclass(frozen=True, slots=True)
class _Directory:
    """What a directory held when it had that time: bytes by suffix, and the directories in it."""

    state: tuple[int, int]
    sizes: Counter[str]
    directories: tuple[str, ...]


class UsageReader:
    """Adds up the sizes of files; may be used from any thread."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Directory] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, root: str) -> Counter[str]:
        """Bytes of all files below a directory by suffix, in small letters and with its dot."""
        total: Counter[str] = Counter()
        waiting = [root]
        while waiting:
            with suppress(FileNotFoundError, NotADirectoryError):  # gone by now
                found = self._look(waiting.pop())
                total.update(found.sizes)
                waiting.extend(found.directories)
        return total

    def _look(self, place: str) -> _Directory:
        status = Path(place).lstat()
        state = (status.st_mtime_ns, status.st_ino)
        with self._lock:
            known = self._known.get(place)
            if known is not None and known.state == state:
                self._known.move_to_end(place)
                return known
        found = _scan(place, state)
        if time.time_ns() - status.st_mtime_ns > TOO_RECENT:
            self._remember(place, found)
        return found

    def _remember(self, place: str, found: _Directory) -> None:
        with self._lock:
            self._known[place] = found
            self._known.move_to_end(place)
            while len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)


def _scan(place: str, state: tuple[int, int]) -> _Directory:
    sizes: Counter[str] = Counter()
    directories = []
    with os.scandir(place) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    directories.append(entry.path)
                elif stat.S_ISREG(status.st_mode):
                    sizes[Path(entry.name).suffix.lower()] += status.st_size
    return _Directory(state, sizes, tuple(directories))
