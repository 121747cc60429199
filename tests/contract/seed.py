"""The description of the API that the product answers to, read by position: its tables and its curl lines.

The text has no headings. ``sections.SECTIONS`` says, in the text's order, how many tables and curl lines each call has.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HEADS = ("Attribute name", "Parameter name", "URI Parameters", "Responses", "Code")
CURL = re.compile(r"(?:\$ )?(curl .+)")


@dataclass(frozen=True)
class Curl:
    """A curl line with what it goes on in; ``line`` is where in the text it begins."""

    line: int
    text: str


@dataclass(frozen=True)
class Table:
    """The first cells of a table: parameters (``{…}`` are those of the path) or statuses."""

    line: int
    rows: tuple[str, ...]


@dataclass(frozen=True)
class Seed:
    """Everything of the text that can be counted, in its order."""

    tables: tuple[Table, ...]
    curls: tuple[Curl, ...]


def seed_path() -> Path:
    shared = Path(__file__).parents[3] / "shared" / "seed" / "rest-api.txt"
    return Path(os.environ.get("GRATICULE_TEST_SEED", shared))


def read_seed(path: Path) -> Seed:
    """The tables and curl lines of the text."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return Seed(tuple(_tables(lines)), tuple(_curls(lines)))


def _tables(lines: list[str]) -> Iterator[Table]:
    for at, line in enumerate(lines):
        if _is_head(line):
            yield Table(at + 1, tuple(_named_once(_rows(lines[at + 1 :]))))


def _is_head(line: str) -> bool:
    return line.endswith("|") and line.split(" | ")[0] in HEADS


def _rows(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if " | " not in line or _is_head(line):
            return
        yield line.split(" | ")[0].strip()


def _named_once(names: Iterator[str]) -> Iterator[str]:
    """The names; one that comes again in its table as ``name:2``."""
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name}:{seen[name]}"


def _curls(lines: list[str]) -> Iterator[Curl]:
    for at, line in enumerate(lines):
        if found := CURL.fullmatch(line):
            text = found[1].removesuffix("\\").strip()
            following = lines[at + 1] if at + 1 < len(lines) else ""
            yield Curl(at + 1, f"{text} {following}" if following.startswith("-d ") else text)
