"""Nodes against a table's columns: names are resolved, literals take the kind of what they stand beside, and
whatever would mean one thing to one engine and another to the next is refused.

Two sides of a comparison, the items of a list and the arguments of ``coalesce`` must be of one family: text, numbers
(integer, real and number together), boolean, date, datetime. How literals bend to that is told in ``literals``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from graticule.errors import BadRequest
from graticule.filters.literals import EXPECTED, literal_as
from graticule.filters.names import Names
from graticule.filters.nesting import MAX_STACK_DEPTH, deepest_first, stack_depth
from graticule.filters.nodes import (
    And,
    Arithmetic,
    Between,
    Call,
    ColumnRef,
    Compare,
    Contains,
    In,
    IsNull,
    Like,
    Literal,
    Node,
    Not,
    Or,
    Pseudo,
    children,
    columns_of,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graticule.filters.nodes import Kind
    from graticule.model.features import Column

MAX_ROUND_DIGITS = 30
_NUMERIC = ("integer", "real")
# Fewest and most arguments.
_ARITY = {"lower": (1, 1), "upper": (1, 1), "length": (1, 1), "abs": (1, 1), "round": (1, 2), "coalesce": (2, 100)}


def check(node: Node, columns: Sequence[Column], *, field: str = "where") -> Node:
    """The condition ``node`` on a table with ``columns``, complete and ready for a compiler.

    Raises BadRequest for ``field`` when a column is unknown or ambiguous, when kinds do not go together, or when the
    whole is a value and not a condition (a boolean column is a condition).
    """
    return _Checker(columns, field).whole(node)


class _Checker:
    def __init__(self, columns: Sequence[Column], field: str) -> None:
        self.field = field
        self.names = Names(columns, field)

    def error(self, node: Node, problem: str, expected: str) -> BadRequest:
        place = f" (character {node.at})" if node.at else ""
        value = node.value if isinstance(node, Literal) else getattr(node, "name", None)
        return BadRequest(f"{problem}{place}: expected {expected}.", field=self.field, value=value, expected=expected)

    def whole(self, node: Node) -> Node:
        checked = self.condition(node)
        if stack_depth(checked) > MAX_STACK_DEPTH:
            raise self.error(node, "The condition is nested too deeply", "fewer levels of parentheses and functions")
        return checked

    def condition(self, node: Node) -> Node:
        checked = self.visit(node)
        if isinstance(checked, Literal) and checked.value is None:
            return literal_as(checked, "boolean")
        if kind_of(checked) != "boolean":
            raise self.error(node, f"{_describe(checked)} is not a condition", "a comparison or a boolean column")
        return checked

    def visit(self, node: Node) -> Node:
        match node:
            case ColumnRef():
                return self.names.resolve(node.name, node.at)
            case Literal() | Pseudo() | Contains():
                return node
            case And() | Or():
                return replace(node, operands=deepest_first([self.condition(operand) for operand in node.operands]))
            case Not():
                return replace(node, operand=self.condition(node.operand))
            case Arithmetic():
                return self.arithmetic(node)
            case Call():
                return self.call(node)
            case _:
                return self.predicate(node)

    def predicate(self, node: Compare | In | Between | Like | IsNull) -> Node:
        match node:
            case Compare():
                left, right = self.alike((node.left, node.right), node)
                return replace(node, left=left, right=right)
            case In():
                operand, *items = self.alike((node.operand, *node.items), node)
                return replace(node, operand=operand, items=tuple(items))
            case Between():
                operand, low, high = self.alike((node.operand, node.low, node.high), node)
                return replace(node, operand=operand, low=low, high=high)
            case Like():
                return replace(node, operand=self.text(node.operand), pattern=self.pattern(node.pattern))
            case IsNull():
                operand = self.visit(node.operand)
                return replace(node, operand=self.as_kind(operand, kind_of(operand) or "text"))

    def call(self, node: Call) -> Call:
        fewest, most = _ARITY[node.name]
        if not fewest <= len(node.arguments) <= most:
            count = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            raise self.error(node, f"{node.name} has {len(node.arguments)} arguments", f"{count}")
        match node.name:
            case "lower" | "upper" | "length":
                kind: Kind = "integer" if node.name == "length" else "text"
                return replace(node, arguments=(self.text(node.arguments[0]),), kind=kind)
            case "abs" | "round":
                value, digits = self.number(node.arguments[0]), map(self.digits, node.arguments[1:])
                return replace(node, arguments=(value, *digits), kind=kind_of(value))
            case "coalesce":
                values = self.alike(node.arguments, node)
                kinds = [kind_of(value) for value in values]
                return replace(node, arguments=values, kind="real" if "real" in kinds else kinds[0])

    def arithmetic(self, node: Arithmetic) -> Arithmetic:
        left, right = self.number(node.left), self.number(node.right)
        whole = kind_of(left) == kind_of(right) == "integer" and node.operator != "/"
        return replace(node, left=left, right=right, kind="integer" if whole else "real")

    def text(self, node: Node) -> Node:
        checked = self.visit(node)
        if isinstance(checked, Literal):
            return self.as_kind(checked, "text")
        if kind_of(checked) != "text":
            raise self.error(node, f"{_describe(checked)} is not text", "text")
        return checked

    def number(self, node: Node) -> Node:
        checked = self.visit(node)
        if isinstance(checked, Literal):
            return self.as_kind(checked, "real" if isinstance(checked.value, float) else "integer")
        if kind_of(checked) not in _NUMERIC:
            raise self.error(node, f"{_describe(checked)} is not a number", "a number")
        return checked

    def digits(self, node: Node) -> Node:
        checked = self.number(node)
        digits = checked.value if isinstance(checked, Literal) else None
        if not isinstance(digits, int) or abs(digits) > MAX_ROUND_DIGITS:
            expected = f"a whole number from -{MAX_ROUND_DIGITS} to {MAX_ROUND_DIGITS}"
            raise self.error(node, "round cannot take these digits", expected)
        return checked

    def pattern(self, node: Node) -> Node:
        """A pattern is constant, so that a trailing escape, an error to PostgreSQL, is found here and not there."""
        checked = self.text(node)
        if columns_of(checked):
            raise self.error(node, "A pattern cannot be made of columns", "a text such as 'Z%'")
        if any(_ends_in_escape(text) for text in _texts(checked)):
            raise self.error(node, "The pattern ends in a lone '\\'", "a character after it, as in '\\%' or '\\\\'")
        return checked

    def alike(self, nodes: Sequence[Node], owner: Node) -> tuple[Node, ...]:
        """``nodes`` as values of one kind; literals give way to the rest, and among literals all to the first."""
        checked = [self.visit(node) for node in nodes]
        kind = self.common_kind(checked, owner)
        return tuple(self.as_kind(node, kind) for node in checked)

    def common_kind(self, nodes: Sequence[Node], owner: Node) -> Kind:
        firm: list[Node] = [node for node in nodes if not isinstance(node, Literal)]
        deciding = firm or [node for node in nodes if kind_of(node)]
        kinds = {kind for node in deciding if (kind := kind_of(node))}
        if kinds and kinds <= {"integer", "real"}:
            return "real" if "real" in kinds else "integer"
        if len(kinds) > 1 and firm:
            what = " and ".join(_describe(node) for node in _one_of_each(firm))
            raise self.error(owner, f"{what} do not go together", "values of one kind")
        return kind_of(deciding[0]) or "text" if deciding else "text"

    def as_kind(self, node: Node, kind: Kind) -> Node:
        if not isinstance(node, Literal):
            return node
        try:
            return literal_as(node, kind)
        except ValueError:
            raise self.error(node, f"{_describe(node)} cannot be used as {_ARTICLED[kind]}", EXPECTED[kind]) from None


_ARTICLED: dict[Kind, str] = {
    "text": "a text",
    "integer": "an integer",
    "real": "a number",
    "boolean": "a boolean",
    "date": "a date",
    "datetime": "a datetime",
}


def _describe(node: Node) -> str:
    match node:
        case Literal():
            shown = repr(node.value) if not isinstance(node.value, str) else f"'{node.value}'"
            return shown if len(shown) <= 60 else shown[:60] + "…"
        case ColumnRef():
            return f"The {node.type} column {node.name!r}"
        case Pseudo():
            return f"{node.name} (integer)"
        case _:
            return f"This {kind_of(node)} expression"


def _one_of_each(nodes: Sequence[Node]) -> list[Node]:
    return list({kind_of(node): node for node in reversed(nodes)}.values())[::-1][:2]


def _texts(node: Node) -> list[str]:
    if isinstance(node, Literal):
        return [node.value] if isinstance(node.value, str) else []
    return [text for child in children(node) for text in _texts(child)]


def _ends_in_escape(pattern: str) -> bool:
    return (len(pattern) - len(pattern.rstrip("\\"))) % 2 == 1
