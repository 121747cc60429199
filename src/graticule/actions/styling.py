"""The look of a layer on its data: its styles, with the class conditions checked against the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graticule.actions.attributes import find_column
from graticule.errors import BadRequest
from graticule.filters.check import check
from graticule.filters.parse import parse
from graticule.style.parse import (
    ParsedStyle,
    columns_needed,
    expressions,
    layer_style,
    parse_styles,
    with_columns,
    without_classes,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graticule.catalogue.orm import Layer
    from graticule.filters.nodes import Node
    from graticule.model.features import Column, Family, Table
    from graticule.style.model import LayerStyle


@dataclass(frozen=True, slots=True)
class Look:
    """A style ready for drawing.

    ``classes`` are the conditions by class index (None is the default class), ``columns`` what labels and the tooltip
    show, ``parsed`` the style itself with sentences on what of it cannot be used.
    """

    style: LayerStyle
    parsed: ParsedStyle
    classes: tuple[Node | None, ...]
    columns: tuple[str, ...]
    family: Family


def look_of(layer: Layer, table: Table) -> Look:
    """The look of a layer on its table; what cannot be understood is left out, and said in ``parsed.problems``."""
    family = family_of(layer, table)
    names = [column.name for column in table.columns]
    parsed = with_columns(parse_styles(layer.styles, family), names)
    parsed, classes = _checked(parsed, table.columns)
    style = layer_style(
        parsed,
        alpha=float(layer.alpha),
        hide_geometry=layer.hidegeometry == "t",
        onscale=_number(layer.onscale),
        offscale=_number(layer.offscale),
    )
    wanted = [*columns_needed(parsed), *_tooltip(layer, table)]
    return Look(style, parsed, classes, tuple(dict.fromkeys(wanted)), family)


def family_of(layer: Layer, table: Table) -> Family:
    """The geometry family that a layer draws: what its type says, which follows the data."""
    if layer.type == "point":
        return "point"
    if layer.type == "line":
        return "line"
    return "polygon" if layer.type == "polygon" else table.family or "polygon"


def _checked(parsed: ParsedStyle, columns: Sequence[Column]) -> tuple[ParsedStyle, tuple[Node | None, ...]]:
    """The style without the classes whose condition cannot be understood, and the conditions of the others."""
    nodes: list[Node | None] = []
    disabled: list[int] = []
    problems: list[str] = []
    for index, expression in enumerate(expressions(parsed)):
        try:
            nodes.append(None if expression is None else check(parse(expression), columns, field="expression"))
        except BadRequest as error:
            disabled.append(index)
            problems.append(f"The expression {expression!r} cannot be understood: {error.message}")
    return (without_classes(parsed, disabled, problems) if disabled else parsed), tuple(nodes)


def _tooltip(layer: Layer, table: Table) -> tuple[str, ...]:
    if not layer.tooltip:
        return ()
    try:
        return (find_column(table, layer.tooltip).name,)
    except BadRequest:
        return ()


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)
