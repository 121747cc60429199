"""Conditions that the address of a map adds: of a layer only the features that fulfil one are drawn.

The server selects, by the language of ``where``; the browser gets tiles that hold nothing else.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from graticule.actions import fields
from graticule.errors import BadRequest
from graticule.filters.check import check
from graticule.filters.parse import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graticule.actions.drawing import Drawable

EXPECTED = "{layer_id}~{expression} parts, joined by ;"
MOST_EXPRESSIONS = 100
# A semicolon within quotes belongs to the condition.
PART = re.compile(r"""(?:'[^']*+'|"[^"]*+"|[^;])++""")

Expressions = dict[int, str]


def parse_expressions(text: str) -> Expressions:
    """The conditions by layer, as they were sent; where a layer has two, both must hold.

    Raises ``BadRequest`` for ``expressions``.
    """
    found: Expressions = {}
    parts = [part for part in PART.findall(text) if part.strip()]
    if len(parts) > MOST_EXPRESSIONS:
        raise BadRequest(
            f"There are {len(parts)} expressions.", field="expressions", expected=f"up to {MOST_EXPRESSIONS}"
        )
    for part in parts:
        layer_id, expression = _part(part)
        found[layer_id] = f"({found[layer_id]}) AND ({expression})" if layer_id in found else expression
    return found


def _part(text: str) -> tuple[int, str]:
    layer, tilde, expression = text.partition("~")
    try:
        layer_id = fields.integer("expressions", layer.strip(), 0)
    except BadRequest:
        tilde = ""
    if not tilde or not expression.strip():
        raise BadRequest("This is no expression of a layer.", field="expressions", value=text, expected=EXPECTED)
    return layer_id, expression.strip()


def as_parameter(expressions: Expressions) -> str:
    """What ``parse_expressions`` reads, encoded for an address."""
    return quote(";".join(f"{layer}~{expression}" for layer, expression in expressions.items()), safe="")


def narrowed(drawables: Sequence[Drawable], expressions: Expressions) -> list[Drawable]:
    """The layers, each with the condition on it. Raises ``BadRequest`` for ``expressions``."""
    return [with_condition(one, expressions.get(one.layer.id), "expressions") for one in drawables]


def with_condition(drawable: Drawable, expression: str | None, field: str) -> Drawable:
    """The layer with the condition checked against its table; one without features stays as it is.

    Raises ``BadRequest`` for ``field``.
    """
    table = drawable.table
    if table is None or expression is None:
        return drawable
    return replace(drawable, where=check(parse(expression, field=field), table.columns, field=field))


def left_over(drawables: Sequence[Drawable], expressions: Expressions) -> list[str]:
    """A sentence for each layer that has an expression and cannot have one."""
    layers = {drawable.layer.id: drawable for drawable in drawables}
    return [
        f"There is no layer {layer_id} on this map to select features of."
        for layer_id in expressions
        if layer_id not in layers or (layers[layer_id].table is None and layers[layer_id].layer.dataset is None)
    ]
