"""A checked condition → the text of an SQL condition and the values bound to its placeholders.

Every literal is bound, never pasted. What differs between the engines is one table, ``Dialect``; what holds on both:

* integers are exact up to 64 bits; beside a real value an integer is compared as a double;
* ``+ - *`` on integers never fail: beyond 64 bits SQLite goes on in doubles, PostgreSQL in ``numeric``;
* ``/`` is division of doubles, NULL by zero;
* text is compared by code point;
* LIKE minds case and ILIKE does not, in any script; ``lower`` and ``upper`` know every script.

One thing cannot be levelled: where a double overflows (1e200 * 1e200) SQLite has infinity, PostgreSQL the error 22003,
which its store has to report as a bad request.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isqrt
from typing import TYPE_CHECKING, Any

from graticule.filters.folding import LETTERS
from graticule.filters.identifiers import postgres_name
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
    continues,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from graticule.filters.nodes import Kind, PseudoName

PSEUDO_COLUMNS: Mapping[PseudoName, str] = {
    "FID": "ogc_fid",
    "OWNER": "__owner",
    "CREATED": "__created",
    "MODIFIED": "__modified",
}


@dataclass(frozen=True)
class Dialect:
    """How one engine writes what the engines write differently; ``{0}`` and ``{1}`` are operands.

    ``literals`` are the placeholders by kind. ``as_double`` makes an integer real, ``number_column`` a column of the
    type "number"; ``exact`` makes an integer safe from overflow. ``as_text`` writes any value out; ``contains`` and
    ``contains_folded`` say whether the text ``{0}`` holds ``{1}``. ``text_order`` follows a text that is compared by
    order. ``calls`` has the functions by name, or by name and kind where kinds differ. ``name`` is how a column is
    called that the user calls so.
    """

    literals: Mapping[Kind, str]
    as_double: str
    number_column: str
    exact: str
    divide: str
    like: str
    ilike: str
    as_text: str
    contains: str
    contains_folded: str
    text_order: str
    calls: Mapping[str, str]
    identifier_escapes: Mapping[str, str] = field(default_factory=lambda: {'"': '""'})
    name: Callable[[str], str] = str


# A text of as many bytes as characters is ASCII, for which SQLite's own function does, ten times as fast as ours.
_SQLITE_CONTAINS = (
    "instr(CASE WHEN length({0}) = length(CAST({0} AS BLOB)) THEN lower({0}) ELSE made_alike({0}) END, {1}) > 0"
)

SQLITE = Dialect(
    literals=dict.fromkeys(("text", "integer", "real", "boolean", "date", "datetime"), "?"),
    as_double="CAST({0} AS REAL)",
    number_column="CAST({0} AS REAL)",
    exact="{0}",
    divide="{0} / {1}",
    like="g_like({0}, {1})",
    ilike="g_ilike({0}, {1})",
    as_text="CAST({0} AS TEXT)",
    contains=_SQLITE_CONTAINS.replace("made_alike", "g_lowered"),
    contains_folded=_SQLITE_CONTAINS.replace("made_alike", "g_folded"),
    text_order="",
    calls={
        "lower": "g_lower({0})",
        "upper": "g_upper({0})",
        "length": "length({0})",
        "abs": "g_abs({0})",
        "round": "g_round({0})",
        "round digits": "g_round({0}, {1})",
    },
)

# In parentheses: PostgreSQL does not take a bare COLLATE as the lower bound of BETWEEN.
_PG_LOWER = '(lower({0} COLLATE "und-x-icu") COLLATE "C")'
_PG_FOLD = f"replace({_PG_LOWER}, 'ς', 'σ')"
_SINGLE = {letter: plain for letter, plain in LETTERS.items() if len(plain) == 1}
# The same as ``folding.folded``.
_PG_PLAIN = (
    rf"translate(regexp_replace(normalize({_PG_FOLD}, NFKD), '[\u0300-\u036f]', '', 'g'), "
    f"'{''.join(_SINGLE)}', '{''.join(_SINGLE.values())}')"
)
for _letter in sorted(LETTERS.keys() - _SINGLE.keys()):
    _PG_PLAIN = f"replace({_PG_PLAIN}, '{_letter}', '{LETTERS[_letter]}')"
# For psycopg. By way of text, for the direct cast keeps 15 of a double's 17 digits.
_PG_DECIMAL = "CAST(CAST({0} AS text) AS numeric)"

POSTGRES = Dialect(
    literals={
        "text": "CAST(%s AS text)",
        "integer": "CAST(%s AS bigint)",
        "real": "CAST(%s AS double precision)",
        "boolean": "CAST(%s AS boolean)",
        "date": "CAST(%s AS date)",
        "datetime": "CAST(%s AS timestamptz)",
    },
    as_double="CAST({0} AS double precision)",
    number_column="CAST({0} AS double precision)",
    exact="CAST({0} AS numeric)",
    divide="{0} / NULLIF({1}, 0)",
    like="{0} LIKE {1}",
    ilike=f"{_PG_FOLD} LIKE {_PG_FOLD.replace('{0}', '{1}')}",
    as_text="CAST({0} AS text)",
    contains=f"strpos({_PG_FOLD}, {{1}}) > 0",
    contains_folded=f"strpos({_PG_PLAIN}, {{1}}) > 0",
    text_order=' COLLATE "C"',
    calls={
        "lower": _PG_LOWER,
        "upper": _PG_LOWER.replace("lower", "upper"),
        "length": "length({0})",
        "abs": "abs({0})",
        "round integer": "round({0}, 0)",
        "round digits integer": "round({0}, CAST({1} AS integer))",
        "round real": f"CAST(round({_PG_DECIMAL}, 0) AS double precision)",
        "round digits real": f"CAST(round({_PG_DECIMAL}, CAST({{1}} AS integer)) AS double precision)",
    },
    identifier_escapes={'"': '""', "%": "%%"},
    name=postgres_name,
)


def to_sql(node: Node, dialect: Dialect, *, alias: str = "t") -> tuple[str, list[Any]]:
    """The SQL condition and its values, in the order of the placeholders.

    ``node`` comes from ``check``. Columns are written as ``alias."name"``. Booleans are bound as bool, dates as
    ISO 8601 text. The text can stand where any operand can only when put in parentheses.
    """
    writer = _Writer(dialect, alias)
    return writer.condition(node), writer.values


class _Writer:
    """Operands are written from left to right, each once, so that ``values`` come in the placeholders' order."""

    def __init__(self, dialect: Dialect, alias: str) -> None:
        self.dialect = dialect
        self.alias = alias
        self.values: list[Any] = []

    def condition(self, node: Node) -> str:
        """Text that needs parentheses when it is to be an operand."""
        match node:
            case And() | Or():
                word = " AND " if isinstance(node, And) else " OR "
                return _joined([self.operand(operand) for operand in node.operands], word)
            case Not():
                return f"NOT {self.operand(node.operand)}"
            case Compare():
                collation = "" if node.operator in ("=", "<>") else self.collation(node.left)
                left, right = self.alike((node.left, node.right))
                return f"{left}{collation} {node.operator} {right}"
            case In():
                operand, *items = self.alike((node.operand, *node.items))
                return f"{operand} {_not(node.negated)}IN ({', '.join(items)})"
            case Between():
                collation = self.collation(node.operand)
                operand, low, high = self.alike((node.operand, node.low, node.high))
                return f"{operand}{collation} {_not(node.negated)}BETWEEN {low} AND {high}"
            case IsNull():
                return f"{self.operand(node.operand)} IS {_not(node.negated)}NULL"
            case Like():
                return self.like(node)
            case Contains():
                return self.contains(node)
            case Arithmetic():
                return self.arithmetic(node)
            case _:
                return self.atom(node)

    def operand(self, node: Node) -> str:
        """Text that can stand beside any operator."""
        if isinstance(node, Literal | ColumnRef | Pseudo | Call):
            return self.atom(node)
        return f"({self.condition(node)})"

    def atom(self, node: Literal | ColumnRef | Pseudo | Call) -> str:
        match node:
            case Literal():
                self.values.append(node.value)
                return self.dialect.literals[node.kind or "text"]
            case ColumnRef():
                name = self.column(node.name)
                return self.dialect.number_column.format(name) if node.type == "number" else name
            case Pseudo():
                return self.column(PSEUDO_COLUMNS[node.name])
            case Call():
                return self.call(node)

    def column(self, name: str) -> str:
        name = self.dialect.name(name)
        for character, escape in self.dialect.identifier_escapes.items():
            name = name.replace(character, escape)
        return f'{self.alias}."{name}"'

    def collation(self, node: Node) -> str:
        return self.dialect.text_order if kind_of(node) == "text" else ""

    def alike(self, nodes: Sequence[Node]) -> list[str]:
        """Operands of one kind: integers as doubles where there are both."""
        if {kind_of(node) for node in nodes} == {"integer", "real"}:
            return [self.double(node) for node in nodes]
        return [self.operand(node) for node in nodes]

    def double(self, node: Node) -> str:
        if kind_of(node) == "integer":
            return self.dialect.as_double.format(self.condition(node))
        return self.operand(node)

    def like(self, node: Like) -> str:
        template = self.dialect.ilike if node.ilike else self.dialect.like
        matches = template.format(self.operand(node.operand), self.operand(node.pattern))
        return f"NOT ({matches})" if node.negated else matches

    def contains(self, node: Contains) -> str:
        held = self.operand(node.operand)
        held = held if kind_of(node.operand) == "text" else self.dialect.as_text.format(held)
        template = self.dialect.contains_folded if node.folded else self.dialect.contains
        return template.format(held, self.operand(node.needle))

    def arithmetic(self, node: Arithmetic) -> str:
        write = self.exact if kind_of(node) == "integer" else self.double
        left = self.condition(node.left) if continues(node) else write(node.left)
        right = write(node.right)
        if node.operator == "/":
            return self.dialect.divide.format(left, right)
        return f"{left} {node.operator} {right}"

    def exact(self, node: Node) -> str:
        if isinstance(node, Arithmetic):
            return self.operand(node)
        return self.dialect.exact.format(self.operand(node))

    def call(self, call: Call) -> str:
        if call.name == "coalesce":
            return f"coalesce({', '.join(self.alike(call.arguments))})"
        name = f"{call.name} digits" if len(call.arguments) == 2 else call.name
        first, *rest = call.arguments
        exact = call.name in ("abs", "round") and kind_of(first) == "integer"
        operands = [self.exact(first) if exact else self.operand(first), *map(self.operand, rest)]
        calls = self.dialect.calls
        return (calls.get(name) or calls[f"{name} {kind_of(first)}"]).format(*operands)


def _not(negated: bool) -> str:
    return "NOT " if negated else ""


def _joined(terms: list[str], word: str) -> str:
    """The terms in groups, for an engine makes a chain of n terms a tree n deep, and SQLite stops at 1000."""
    if len(terms) < 100:
        return word.join(terms)
    size = isqrt(len(terms)) + 1
    return word.join(f"({word.join(terms[start : start + size])})" for start in range(0, len(terms), size))
