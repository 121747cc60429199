"""DXF files: what GDAL writes, put on a layer of the drawing that has a name and a colour.

GDAL takes the name of an entity's layer from no Arrow stream; so its layer is put into the head of the drawing
beforehand, and the entities are moved to it afterwards.
"""

from __future__ import annotations

import colorsys
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from graticule.transfer import engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

Colour = tuple[int, int, int]

# A handle that no object of GDAL's template has.
HANDLE = "1FFFF"
# The record of the layer "0" in the template of GDAL, which every drawing has.
_RECORD = re.compile(
    r"(  0\r?\nLAYER\r?\n  5\r?\n)10(\r?\n(?:.*\r?\n)*?  2\r?\n)0(\r?\n 70\r?\n +0\r?\n 62\r?\n +)7"
    r"(\r?\n(?:.*\r?\n)*?)(?=  0\r?\nENDTAB)"
)
# AutoCAD's colours: 1 to 7 by name; from 10 on 24 hues, each in five depths and those again half as strong.
_NAMED = ((255, 0, 0), (255, 255, 0), (0, 255, 0), (0, 255, 255), (0, 0, 255), (255, 0, 255))
_DEPTHS = (1.0, 0.65, 0.5, 0.3, 0.15)
BLACK_OR_WHITE = 7


def header(name: str, colour: Colour | None) -> str:
    """The head of a drawing with a layer of that name beside the layer 0."""
    template = engine.support_file("header.dxf").read_text("latin-1")
    number = BLACK_OR_WHITE if colour is None else colour_number(colour)

    def with_ours(found: re.Match[str]) -> str:
        before, middle, state, rest = found.groups()
        return found[0] + f"{before}{HANDLE}{middle}{_escaped(name)}{state}{number}{rest}"

    return _RECORD.sub(with_ours, template, count=1)


@lru_cache(maxsize=256)
def colour_number(colour: Colour) -> int:
    """The number of AutoCAD's colour next to this one."""
    return min(_palette(), key=lambda pair: sum((a - b) ** 2 for a, b in zip(pair[1], colour, strict=True)))[0]


@lru_cache(maxsize=1)
def _palette() -> list[tuple[int, Colour]]:
    found: list[tuple[int, Colour]] = list(enumerate(_NAMED, 1))
    found += [
        (BLACK_OR_WHITE, (0, 0, 0)),
        (BLACK_OR_WHITE, (255, 255, 255)),
        (8, (128, 128, 128)),
        (9, (192, 192, 192)),
    ]
    for number in range(10, 250):
        hue, step = divmod(number - 10, 10)
        strength = 0.5 if step % 2 else 1.0
        red, green, blue = colorsys.hsv_to_rgb(hue / 24, strength, _DEPTHS[step // 2])
        found.append((number, (round(red * 255), round(green * 255), round(blue * 255))))
    return found


def _escaped(name: str) -> str:
    """Characters beyond ASCII as drawings of this version write them."""
    return "".join(char if char.isascii() else f"\\U+{ord(char):04X}" for char in name)


def on_layer(source: Path, target: Path, name: str) -> None:
    """Copies a drawing with all its entities moved from the layer 0 to the named one."""
    with source.open(encoding="latin-1", newline="") as read, target.open("w", encoding="latin-1", newline="") as out:
        out.writelines(_moved(read, _escaped(name)))


def _moved(lines: TextIO, name: str) -> Iterator[str]:
    """The lines of a drawing come in pairs, a code and its value: the code 8 names an entity's layer."""
    in_entities = False
    for code in lines:
        value = next(lines, "")
        if value.strip() == "ENTITIES" and code.strip() == "2":
            in_entities = True
        if in_entities and code.strip() == "8" and value.strip() == "0":
            value = value.replace("0", name)
        yield code
        yield value
