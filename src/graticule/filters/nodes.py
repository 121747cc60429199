"""The nodes of a condition, as ``parse`` makes them and ``check`` completes them.

A condition is read in three steps: text → ``parse`` → nodes with unresolved names → ``check`` against a table's
columns → nodes in which every name, literal and function has one type → a compiler for one target (``to_sql``, …).
The compilers rely on what ``check`` promises and refuse nothing themselves.

Truth is three-valued as in SQL: a comparison with NULL is neither true nor false, and a condition holds for a row
only when it is true.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from typing import Literal as OneOf

if TYPE_CHECKING:
    from graticule.model.features import ColumnType

# What a value can be once checked; a column of type "number" counts as real.
Kind = OneOf["text", "integer", "real", "boolean", "date", "datetime"]
CompareOperator = OneOf["=", "<>", "<", "<=", ">", ">="]
ArithmeticOperator = OneOf["+", "-", "*", "/"]
PseudoName = OneOf["FID", "OWNER", "CREATED", "MODIFIED"]
PSEUDO_NAMES: tuple[PseudoName, ...] = ("FID", "OWNER", "CREATED", "MODIFIED")
FunctionName = OneOf["lower", "upper", "length", "abs", "round", "coalesce"]


@dataclass(frozen=True, slots=True)
class Positioned:
    """``at`` is the 1-based character where the node begins (for an operator, where the operator stands)."""

    at: int = field(default=0, kw_only=True, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Literal(Positioned):
    """A value in the text. Dates are ISO 8601 text; ``kind`` tells them from text and is None for a bare NULL."""

    value: bool | int | float | str | None
    kind: Kind | None


@dataclass(frozen=True, slots=True)
class ColumnRef(Positioned):
    """A column; before ``check`` ``type`` is None and ``name`` is as it was written (perhaps a pseudo-column's)."""

    name: str
    type: ColumnType | None = None


@dataclass(frozen=True, slots=True)
class Pseudo(Positioned):
    """The feature's number, its owner's number, or its epoch seconds of creation or change: integers all."""

    name: PseudoName


@dataclass(frozen=True, slots=True)
class Compare(Positioned):
    operator: CompareOperator
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class And(Positioned):
    """Two or more conditions."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(Positioned):
    """Two or more conditions."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not(Positioned):
    operand: Node


@dataclass(frozen=True, slots=True)
class In(Positioned):
    """One or more ``items``."""

    operand: Node
    items: tuple[Node, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Between(Positioned):
    """Both bounds belong to the range."""

    operand: Node
    low: Node
    high: Node
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Like(Positioned):
    r"""``%`` is any text, ``_`` any one character, ``\`` takes the next character as it is.

    The pattern has no columns in it and does not end in a lone ``\``. With ``ilike`` case does not count: both
    sides are taken in lower case, and a final sigma as any sigma.
    """

    operand: Node
    pattern: Node
    ilike: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Contains(Positioned):
    """Whether the value, as text, holds ``needle`` somewhere; case does not count. No part of the language: search.

    With ``folded`` accents do not count either. ``needle`` is a text that ``filters/folding.py`` has made alike.
    """

    operand: Node
    needle: Literal
    folded: bool = False


@dataclass(frozen=True, slots=True)
class IsNull(Positioned):
    operand: Node
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Arithmetic(Positioned):
    """Integers stay integers but for ``/``, which is real division and NULL by zero. ``-x`` is ``0 - x``.

    ``kind`` is None before ``check``.
    """

    operator: ArithmeticOperator
    left: Node
    right: Node
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Call(Positioned):
    """``length`` counts code points; ``round`` goes half away from zero and takes digits as a second argument.

    ``kind`` is None before ``check``.
    """

    name: FunctionName
    arguments: tuple[Node, ...]
    kind: Kind | None = None


Node = (
    Literal
    | ColumnRef
    | Pseudo
    | Compare
    | And
    | Or
    | Not
    | In
    | Between
    | Like
    | Contains
    | IsNull
    | Arithmetic
    | Call
)


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below ``node``, from left to right."""
    match node:
        case Compare() | Arithmetic():
            return (node.left, node.right)
        case And() | Or():
            return node.operands
        case Not() | IsNull():
            return (node.operand,)
        case In():
            return (node.operand, *node.items)
        case Between():
            return (node.operand, node.low, node.high)
        case Like():
            return (node.operand, node.pattern)
        case Contains():
            return (node.operand, node.needle)
        case Call():
            return node.arguments
        case _:
            return ()


def columns_of(node: Node) -> set[str]:
    """The names of the columns that ``node`` reads, pseudo-columns left out."""
    if isinstance(node, ColumnRef):
        return {node.name}
    return set().union(*map(columns_of, children(node)))


def kind_of(node: Node) -> Kind | None:
    """The kind of value that a checked node gives; None only for a bare NULL."""
    match node:
        case Literal() | Arithmetic() | Call():
            return node.kind
        case ColumnRef():
            return "real" if node.type == "number" else node.type
        case Pseudo():
            return "integer"
        case _:
            return "boolean"


def continues(node: Arithmetic) -> bool:
    """Whether the left side is written without parentheses or a cast: a + b + c, a * b / c, but not (a + b) * c.

    A parser takes a long chain in its stride, but not as many parentheses.
    """
    binds = isinstance(node.left, Arithmetic) and (node.operator in "+-" or node.left.operator in "*/")
    return binds and kind_of(node.left) == kind_of(node)
