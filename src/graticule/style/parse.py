"""The API's style JSON read into the model.

The meaning of the properties stands in the API's description of ``styles``. A value that cannot be read counts as not
given, and is reported; it never takes the layer away.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from graticule.errors import BadRequest
from graticule.style import values
from graticule.style.model import Anchor, Colour, Fill, Label, LayerStyle, Line, Marker, Shape, StyleClass, Symbolizer
from graticule.style.zoom import zoom_of_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from graticule.model.features import Family

T = TypeVar("T")

DEFAULT_FILL: Colour = (200, 200, 200)
DEFAULT_LINE: Colour = (90, 90, 90)
DEFAULT_SIZE = 6.0
MAX_WIDTH = 500.0
# All of them are read for every picture and tile. The characters are those of all expressions together.
MAX_ENTRIES = 1000
MAX_EXPRESSIONS = 200_000
MAX_PROBLEMS = 20
LABEL_GAP = 2.0

_width = values.number(0, MAX_WIDTH)
_font_size = values.number(1, 200)
_offset = values.number(-MAX_WIDTH, MAX_WIDTH)
_level = values.number(0, 30)


@dataclass(frozen=True, slots=True)
class ParsedStyle:
    """The classes of a layer in order of first appearance, and a sentence for each value that could not be read."""

    classes: tuple[StyleClass, ...]
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class _Entry:
    """One entry of the array while it is read."""

    number: int
    values: dict[str, Any]
    family: Family
    problems: list[str] = field(default_factory=list)

    def has(self, *names: str) -> bool:
        return any(self.values.get(name) not in (None, "") for name in names)

    def get(self, name: str, read: Callable[[Any], T], default: T) -> T:
        """The value of a property; ``default`` when it is not given or cannot be read."""
        if not self.has(name):
            return default
        value = self.values[name]
        try:
            return read(value)
        except ValueError as error:
            self.problems.append(f"Style {self.number}: {name} is {_shortened(value)}, expected {error}.")
            return default


def _shortened(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")
    return shown if len(shown) <= 60 else shown[:60] + "…"


# ---------------------------------------------------------------- the array


def parse_styles(text: str | None, family: Family) -> ParsedStyle:
    """Read the styles of a layer; none at all gives the default look of its geometry family.

    Raises ``BadRequest`` for text that is not a JSON array of objects.
    """
    entries = _objects(text)
    if not entries:
        return ParsedStyle((StyleClass(None, symbolizers=_default_look(_Entry(1, {}, family))),))
    problems: list[str] = []
    found: dict[str | None, list[_Entry]] = {}
    for number, properties in enumerate(entries, start=1):
        entry = _Entry(number, properties, family, problems)
        try:
            found.setdefault(_expression(properties), []).append(entry)
        except ValueError as error:
            problems.append(f"Style {number}: {error}; it is left out.")
    classes = tuple(_style_class(expression, group) for expression, group in found.items())
    return ParsedStyle(classes, tuple(dict.fromkeys(problems))[:MAX_PROBLEMS])


def _objects(text: str | None) -> list[dict[str, Any]]:
    if text is None or not text.strip():
        return []
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _not_styles(text, f"The styles are not JSON: {error}.") from error
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise _not_styles(text, "The styles are not a JSON array of objects.")
    if len(found) > MAX_ENTRIES:
        raise _not_styles(text, f"There are {len(found)} styles; {MAX_ENTRIES} are allowed.")
    if sum(len(str(entry.get("expression") or "")) for entry in found) > MAX_EXPRESSIONS:
        raise _not_styles(text, f"The expressions of the styles have more than {MAX_EXPRESSIONS} characters.")
    return found


def _not_styles(text: str, message: str) -> BadRequest:
    return BadRequest(message, field="styles", value=text[:200], expected="a JSON array of objects")


def _expression(properties: dict[str, Any]) -> str | None:
    """The entry's condition, None for the default class."""
    value = properties.get("expression")
    if value is None:
        return None
    try:
        stripped = values.text(value)
    except ValueError as error:
        raise ValueError("its expression is not text") from error
    return None if not stripped or stripped.upper() == "ELSE" else stripped


def _style_class(expression: str | None, entries: list[_Entry]) -> StyleClass:
    """All entries of one expression, the first listed on top."""
    shown = [entry for entry in entries if entry.get("visible", values.boolean, True)]
    symbolizers = [symbolizer for entry in reversed(shown) for symbolizer in _geometry(entry)]
    labels = [label for entry in reversed(shown) for label in _labels(entry)]
    captions = [caption for entry in entries if (caption := entry.get("label", values.text, ""))]
    return StyleClass(
        expression,
        label=captions[0] if captions else None,
        show_label=any(_shows_label(entry) for entry in entries),
        visible=bool(shown),
        symbolizers=(*symbolizers, *labels),
    )


def _shows_label(entry: _Entry) -> bool:
    return entry.get("showlabel", values.boolean, True)


# ---------------------------------------------------------------- one entry


def _geometry(entry: _Entry) -> list[Symbolizer]:
    if not entry.has("color", "bordercolor", "symbol", "labelfield", "textfield"):
        return list(_default_look(entry))
    return _READERS[entry.family](entry)


def _default_look(entry: _Entry) -> tuple[Symbolizer, ...]:
    """What an entry that says nothing of colours looks like; widths count where they are given."""
    zooms = _zooms(entry)
    if entry.family == "polygon":
        outline = Line(DEFAULT_LINE, _border_width(entry), _dashes(entry), **zooms)
        return (Fill(DEFAULT_FILL, **zooms), outline)
    if entry.family == "line":
        return (Line(DEFAULT_LINE, entry.get("width", _width, 1.0), _dashes(entry), **zooms),)
    return (Marker("circle", DEFAULT_SIZE, DEFAULT_LINE, **zooms),)


def _polygon(entry: _Entry) -> list[Symbolizer]:
    found: list[Symbolizer] = []
    fill, border, width = _colour(entry, "color"), _colour(entry, "bordercolor"), _border_width(entry)
    if fill is not None:
        found.append(Fill(fill, **_zooms(entry)))
    if border is not None and width > 0:
        found.append(Line(border, width, _dashes(entry), **_zooms(entry)))
    return found


def _line(entry: _Entry) -> list[Symbolizer]:
    found: list[Symbolizer] = []
    colour, casing = _colour(entry, "color"), _colour(entry, "bordercolor")
    width, border = entry.get("width", _width, 1.0), _border_width(entry)
    if casing is not None and border > 0:
        found.append(Line(casing, width + 2 * border, **_zooms(entry)))
    if colour is not None and width > 0:
        found.append(Line(colour, width, _dashes(entry), **_zooms(entry)))
    return found


def _point(entry: _Entry) -> list[Symbolizer]:
    marker = _marker(entry)
    return [] if marker is None or marker.size <= 0 else [marker]


_READERS: dict[Family, Callable[[_Entry], list[Symbolizer]]] = {"polygon": _polygon, "line": _line, "point": _point}


def _marker(entry: _Entry) -> Marker | None:
    """The marker of ``symbol``; without it, a circle where a colour is given."""
    fill, border = _colour(entry, "color"), _colour(entry, "bordercolor")
    if entry.has("symbol"):
        return _symbol(entry, fill)
    if fill is None and border is None:
        return None
    return Marker("circle", DEFAULT_SIZE, fill, border, _border_width(entry) if border else 0.0, **_zooms(entry))


def _symbol(entry: _Entry, fill: Colour | None) -> Marker:
    inner = _Entry(entry.number, entry.get("symbol", _object, {}), entry.family, entry.problems)
    border = _colour(inner, "border")
    colour = _colour(inner, "color") or fill
    return Marker(
        inner.get("type", _shape, "circle"),
        inner.get("size", _width, DEFAULT_SIZE),
        colour if colour or border else DEFAULT_LINE,
        border,
        inner.get("bw", _width, 1.0) if border else 0.0,
        **_zooms(entry),
    )


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, dict):
        raise ValueError("an object with type, color, border, bw and size")
    return value


def _shape(value: Any) -> Shape:
    if value not in ("circle", "box"):
        raise ValueError('"circle" or "box"')
    return "box" if value == "box" else "circle"


def _labels(entry: _Entry) -> list[Label]:
    column = entry.get("labelfield", values.text, "")
    if not column or not _shows_label(entry):
        return []
    anchor, gap = _default_place(entry)
    return [
        Label(
            column,
            entry.get("fontsize", _font_size, 12.0),
            entry.get("fontcolor", values.colour, (0, 0, 0)),
            _halo(entry),
            anchor=entry.get("labelplacement", values.anchor, anchor),
            dx=entry.get("ldx", _offset, 0.0),
            dy=entry.get("ldy", _offset, -gap),
            **_zooms(entry),
        )
    ]


def _default_place(entry: _Entry) -> tuple[Anchor, float]:
    """Above a marker, clear of it; in the middle of anything else."""
    if entry.family != "point":
        return ("C", 0.0)
    if entry.has("labelplacement"):
        return ("B", 0.0)
    markers = [symbolizer for symbolizer in _geometry(replace(entry, problems=[])) if isinstance(symbolizer, Marker)]
    radius = max((marker.size / 2 + marker.stroke for marker in markers), default=0.0)
    return ("B", radius + LABEL_GAP) if markers else ("C", 0.0)


def _halo(entry: _Entry) -> Colour | None:
    return entry.get("outline", values.colour, None) if entry.has("outline") else None


def _colour(entry: _Entry, name: str) -> Colour | None:
    """A colour; None when it is not given, the default one when it cannot be read."""
    fallback = DEFAULT_FILL if entry.family == "polygon" and name == "color" else DEFAULT_LINE
    return entry.get(name, values.colour, fallback) if entry.has(name) else None


def _border_width(entry: _Entry) -> float:
    return entry.get("borderwidth" if entry.has("borderwidth") else "line_width", _width, 1.0)


def _dashes(entry: _Entry) -> tuple[float, ...]:
    return entry.get("dashed", values.dashes, ())


class _Zooms(TypedDict):
    min_zoom: float
    max_zoom: float


def _zooms(entry: _Entry) -> _Zooms:
    """``tolevel`` is the last level of the range, so that it ends where the next one begins."""
    last = entry.get("tolevel", _level, math.inf)
    return _Zooms(min_zoom=entry.get("fromlevel", _level, 0.0), max_zoom=last + 1)


# ---------------------------------------------------------------- what is made of a parsed style


def expressions(parsed: ParsedStyle) -> tuple[str | None, ...]:
    """The condition of each class, by its index. None is the default class: it takes what no other class does."""
    return tuple(style_class.expression for style_class in parsed.classes)


def columns_needed(parsed: ParsedStyle) -> tuple[str, ...]:
    """The columns that labels show, named as in the style, each once."""
    labels = [s for c in parsed.classes for s in c.symbolizers if isinstance(s, Label)]
    return tuple(dict.fromkeys(label.column for label in labels))


def with_columns(parsed: ParsedStyle, columns: Sequence[str]) -> ParsedStyle:
    """The style with its label columns named as the table names them.

    Names match exactly, else regardless of case when only one fits; a label of an unknown column is left out, and said.
    """
    names = {wanted: _match(wanted, columns) for wanted in columns_needed(parsed)}
    problems = tuple(f"There is no column {wanted!r} to label by." for wanted, name in names.items() if name is None)
    classes = tuple(replace(c, symbolizers=_renamed(c.symbolizers, names)) for c in parsed.classes)
    return ParsedStyle(classes, (parsed.problems + problems)[:MAX_PROBLEMS])


def _match(wanted: str, columns: Sequence[str]) -> str | None:
    if wanted in columns:
        return wanted
    fitting = [name for name in columns if name.lower() == wanted.lower()]
    return fitting[0] if len(fitting) == 1 else None


def _renamed(symbolizers: tuple[Symbolizer, ...], names: dict[str, str | None]) -> tuple[Symbolizer, ...]:
    renamed: list[Symbolizer] = []
    for symbolizer in symbolizers:
        if not isinstance(symbolizer, Label):
            renamed.append(symbolizer)
        elif (name := names[symbolizer.column]) is not None:
            renamed.append(replace(symbolizer, column=name))
    return tuple(renamed)


def without_classes(parsed: ParsedStyle, disabled: Collection[int], problems: Sequence[str] = ()) -> ParsedStyle:
    """The style without the classes of these indexes: those whose expression cannot be understood."""
    kept = tuple(style_class for n, style_class in enumerate(parsed.classes) if n not in disabled)
    return ParsedStyle(kept, (*parsed.problems, *problems)[:MAX_PROBLEMS])


def layer_style(
    parsed: ParsedStyle,
    *,
    alpha: float = 100,
    hide_geometry: bool = False,
    onscale: float | None = None,
    offscale: float | None = None,
) -> LayerStyle:
    """The style of a whole layer; ``alpha`` 0…100, ``onscale`` and ``offscale`` as the layer's fields say."""
    start, stop = zoom_of_limit(onscale), zoom_of_limit(offscale)
    return LayerStyle(
        parsed.classes,
        alpha=min(max(alpha / 100, 0.0), 1.0),
        hide_geometry=hide_geometry,
        min_zoom=0.0 if start is None else start,
        max_zoom=math.inf if stop is None else stop,
    )
