"""Text of the ``where`` language → nodes with unresolved names.

Written by hand, a tokenizer and a Pratt parser (V. Pratt, "Top Down Operator Precedence", 1973), and not with an SQL
library: the grammar is a dozen operators; every error has to name the character where reading stopped; and whatever
is not written down here cannot get in, however many dialects, hints and extensions a general SQL parser learns.

    condition   := condition (AND | OR) condition | NOT condition | predicate
    predicate   := value (= <> != < <= > >=) value | value [NOT] IN ( value, … ) | value [NOT] BETWEEN value AND value
                 | value [NOT] (LIKE | ILIKE) value | value IS [NOT] NULL | value
    value       := value (+ - * /) value | - value | function ( value, … ) | ( condition )
                 | name | "name" | 'text' | number | TRUE | FALSE | NULL

``*`` and ``/`` bind tighter than ``+`` and ``-``, then predicates, NOT, AND, OR. Predicates do not chain: ``a = b = c``
is refused, as PostgreSQL refuses it. Keywords and functions are known in any case.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple, cast, get_args

from graticule.errors import BadRequest
from graticule.filters.nodes import (
    And,
    Arithmetic,
    ArithmeticOperator,
    Between,
    Call,
    ColumnRef,
    Compare,
    CompareOperator,
    FunctionName,
    In,
    IsNull,
    Like,
    Literal,
    Node,
    Not,
    Or,
    children,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LENGTH = 20_000
MAX_IN_ITEMS = 10_000
# Parentheses, calls, NOT and signs inside each other: up to 17 frames each, of Python's 1000.
MAX_NESTING = 32
# The height of the tree of nodes: how long a chain such as a + b + c … may get. Keeps every later walk, a recursion,
# far from Python's limit, and SQLite far from its 1000.
MAX_HEIGHT = 100
# SQLite takes 127, PostgreSQL 100 unless built otherwise.
MAX_ARGUMENTS = 100
MAX_DIGITS = 400

FUNCTIONS: tuple[FunctionName, ...] = get_args(FunctionName)
KEYWORDS = frozenset(("AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "ILIKE", "IS", "NULL", "TRUE", "FALSE"))

_OR, _AND, _NOT, _PREDICATE, _SUM, _PRODUCT, _SIGN = range(1, 8)
_POWER = {
    "OR": _OR,
    "AND": _AND,
    **dict.fromkeys(("=", "<>", "<", "<=", ">", ">=", "IS", "IN", "BETWEEN", "LIKE", "ILIKE", "NOT"), _PREDICATE),
    **dict.fromkeys(("+", "-"), _SUM),
    **dict.fromkeys(("*", "/"), _PRODUCT),
}

_TOKEN = re.compile(
    r"""(?P<space>\s++)
      | (?P<name>[^\W\d](?:\w|[^\x00-\x7f\s])*+)
      | (?P<number>(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+)
      | (?P<text>'(?:[^']++|'')*+')
      | (?P<quoted>"(?:[^"]++|"")*+")
      | (?P<wrong>--|/\*|==|\|\|)
      | (?P<symbol><>|!=|<=|>=|[=<>+\-*/(),])
    """,
    re.VERBOSE,
)
_WRONG = {
    "--": "Comments are not allowed",
    "/*": "Comments are not allowed",
    "==": "'==' is not an operator",
    "||": "'||' is not an operator",
    "'": "The text that begins here has no closing quote",
    '"': "The name that begins here has no closing quote",
    ";": "Only one condition is allowed, without ';'",
}
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_VALUE_WANTED = "a column, a value, a function or '('"


class Token(NamedTuple):
    """``kind`` is name, quoted, number, text, end, or the keyword or symbol itself; ``at`` counts from 1."""

    kind: str
    text: str
    at: int


def parse(text: str, *, field: str = "where") -> Node:
    """Read one condition.

    Raises BadRequest for ``field``, with the 1-based character where reading stopped, for anything that is not in
    the language or beyond its limits.
    """
    return _Parser(text, field).whole()


class _Parser:
    def __init__(self, text: str, field: str) -> None:
        self.text = text
        self.field = field
        self.nesting = 0
        self.check_text()
        self.tokens = self.tokenize()
        self.token = next(self.tokens)

    def check_text(self) -> None:
        if len(self.text) > MAX_LENGTH:
            message = f"The condition has {len(self.text)} characters"
            raise self.error(MAX_LENGTH + 1, message, f"at most {MAX_LENGTH} characters")
        if found := _UNSTORABLE.search(self.text):
            raise self.error(found.start() + 1, "There is a character that no text may hold")

    def error(self, at: int, problem: str, expected: str | None = None) -> BadRequest:
        message = f"{problem} (character {at})" + (f": expected {expected}." if expected else ".")
        printable = self.text[:MAX_LENGTH].encode(errors="replace").decode()
        return BadRequest(message, field=self.field, value=printable, expected=expected)

    # Tokens

    def tokenize(self) -> Iterator[Token]:
        at = 0
        while at < len(self.text):
            found = _TOKEN.match(self.text, at)
            if found is None or found.lastgroup == "wrong":
                raise self.bad_character(at, found[0] if found else self.text[at])
            if found.lastgroup != "space":
                yield self.make_token(found)
            at = found.end()
        yield Token("end", "", len(self.text) + 1)

    def bad_character(self, at: int, what: str) -> BadRequest:
        return self.error(
            at + 1, _WRONG.get(what, f"{what!r} is not part of the language"), "'='" if what == "==" else None
        )

    def make_token(self, found: re.Match[str]) -> Token:
        kind, text, at = str(found.lastgroup), found[0], found.start() + 1
        match kind:
            case "name":
                return self.name_token(text, at)
            case "number":
                return self.number_token(text, at)
            case "text" | "quoted":
                quote = text[0]
                return Token(kind, text[1:-1].replace(quote * 2, quote), at)
            case _:
                symbol = "<>" if text == "!=" else text
                return Token(symbol, text, at)

    def name_token(self, text: str, at: int) -> Token:
        if not text.isidentifier():
            good = next(n for n in range(len(text)) if not text[: n + 1].isidentifier())
            raise self.bad_character(at - 1 + good, text[good])
        word = text.upper()
        return Token(word if word in KEYWORDS else "name", text, at)

    def number_token(self, text: str, at: int) -> Token:
        end = at - 1 + len(text)
        following = self.text[end : end + 1]
        if following == "." or following == "_" or following.isalnum():
            raise self.error(at, "A number runs into something else", "a number, or a name in double quotes")
        return Token("number", text, at)

    def advance(self) -> Token:
        token = self.token
        if token.kind != "end":
            self.token = next(self.tokens)
        return token

    def take(self, kind: str, expected: str) -> Token:
        if self.token.kind != kind:
            raise self.unexpected(expected)
        return self.advance()

    def unexpected(self, expected: str) -> BadRequest:
        what = "The condition ends too early" if self.token.kind == "end" else f"Unexpected {self.token.text[:60]!r}"
        return self.error(self.token.at, what, expected)

    # Expressions

    def whole(self) -> Node:
        if self.token.kind == "end":
            raise self.error(1, "The condition is empty", "a condition such as name = 'text'")
        node = self.expression(0)
        if self.token.kind != "end":
            raise self.unexpected("AND, OR or the end")
        self.check_height(node)
        return node

    def check_height(self, root: Node) -> None:
        waiting = [(root, 1)]
        while waiting:
            node, height = waiting.pop()
            if height > MAX_HEIGHT:
                raise self.error(
                    node.at, "The condition is too complicated", f"at most {MAX_HEIGHT} operators in a chain"
                )
            waiting.extend((child, height + 1) for child in children(node))

    def expression(self, power: int) -> Node:
        """A value or condition whose operators all bind tighter than ``power``."""
        node = self.operand(power)
        compared = False
        while (found := _POWER.get(self.token.kind, 0)) > power:
            if found == _PREDICATE and compared:
                raise self.unexpected("AND, OR, ')' or the end")
            compared = found == _PREDICATE
            node = self.extended(node)
        return node

    def extended(self, left: Node) -> Node:
        """``left`` and the operator that follows it."""
        match self.token.kind:
            case "AND" | "OR":
                return self.junction(left)
            case "+" | "-" | "*" | "/":
                token = self.advance()
                operator = cast("ArithmeticOperator", token.kind)
                return Arithmetic(operator, left, self.expression(_POWER[token.kind]), at=token.at)
            case _:
                return self.predicate(left)

    def junction(self, first: Node) -> Node:
        token = self.token
        sort = And if token.kind == "AND" else Or
        operands: list[Node] = []
        self.add_operand(operands, first, sort)
        while self.token.kind == token.kind:
            self.advance()
            self.add_operand(operands, self.expression(_POWER[token.kind]), sort)
        return sort(tuple(operands), at=token.at)

    @staticmethod
    def add_operand(operands: list[Node], node: Node, sort: type[And | Or]) -> None:
        if isinstance(node, sort):
            operands.extend(node.operands)
        else:
            operands.append(node)

    def predicate(self, left: Node) -> Node:
        token = self.advance()
        if token.kind == "IS":
            negated = self.accept("NOT")
            self.take("NULL", "NULL")
            return IsNull(left, negated, at=token.at)
        if token.kind not in ("NOT", "IN", "BETWEEN", "LIKE", "ILIKE"):
            return Compare(cast("CompareOperator", token.kind), left, self.expression(_PREDICATE), at=token.at)
        negated = token.kind == "NOT"
        word = self.advance() if negated else token
        return self.word_predicate(left, word, negated)

    def word_predicate(self, left: Node, word: Token, negated: bool) -> Node:
        match word.kind:
            case "IN":
                return In(left, self.in_items(), negated, at=word.at)
            case "BETWEEN":
                low = self.expression(_PREDICATE)
                self.take("AND", "AND and the upper bound")
                return Between(left, low, self.expression(_PREDICATE), negated, at=word.at)
            case "LIKE" | "ILIKE":
                return Like(left, self.expression(_PREDICATE), word.kind == "ILIKE", negated, at=word.at)
            case _:
                raise self.error(word.at, "NOT stands before something else", "IN, BETWEEN, LIKE or ILIKE")

    def in_items(self) -> tuple[Node, ...]:
        self.take("(", "'(' and a list of values")
        items = self.comma_list(MAX_IN_ITEMS)
        self.take(")", "',' or ')'")
        return items

    def comma_list(self, most: int) -> tuple[Node, ...]:
        items = [self.nested(0)]
        while self.accept(","):
            if len(items) == most:
                raise self.error(self.token.at, "The list is too long", f"at most {most} items")
            items.append(self.nested(0))
        return tuple(items)

    def accept(self, kind: str) -> bool:
        found = self.token.kind == kind
        if found:
            self.advance()
        return found

    def nested(self, power: int) -> Node:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.error(self.token.at, "The condition is nested too deeply", f"at most {MAX_NESTING} levels")
        node = self.expression(power)
        self.nesting -= 1
        return node

    def operand(self, power: int) -> Node:
        token = self.token
        match token.kind:
            case "name":
                self.advance()
                return self.call(token) if self.token.kind == "(" else ColumnRef(token.text, at=token.at)
            case "number":
                self.advance()
                return self.number(token, 1)
            case "text":
                self.advance()
                return Literal(token.text, "text", at=token.at)
            case "quoted":
                self.advance()
                return self.quoted_name(token)
            case "TRUE" | "FALSE":
                self.advance()
                return Literal(token.kind == "TRUE", "boolean", at=token.at)
            case "NULL":
                self.advance()
                return Literal(None, None, at=token.at)
            case "(" | "-" | "NOT":
                return self.prefixed(token, power)
            case _:
                raise self.unexpected(_VALUE_WANTED)

    def prefixed(self, token: Token, power: int) -> Node:
        if token.kind == "NOT" and power > _NOT:
            raise self.unexpected(_VALUE_WANTED)
        self.advance()
        if token.kind == "NOT":
            return Not(self.nested(_NOT), at=token.at)
        if token.kind == "-":
            return self.negative(token)
        node = self.nested(0)
        self.take(")", "an operator or ')'")
        return node

    def negative(self, sign: Token) -> Node:
        if self.token.kind == "number":
            return self.number(self.advance(), -1)
        return Arithmetic("-", Literal(0, "integer", at=sign.at), self.nested(_SIGN), at=sign.at)

    def number(self, token: Token, sign: int) -> Literal:
        if len(token.text) > MAX_DIGITS:
            raise self.error(token.at, "The number has too many digits", f"at most {MAX_DIGITS} digits")
        if token.text.isdigit():
            return Literal(sign * int(token.text), "integer", at=token.at)
        value = sign * float(token.text)
        if math.isinf(value):
            raise self.error(token.at, "The number is too large", "a number up to 1.7e308")
        return Literal(value, "real", at=token.at)

    def quoted_name(self, token: Token) -> ColumnRef:
        if not token.text:
            raise self.error(token.at, "The name is empty", "a column")
        if self.token.kind == "(":
            raise self.unexpected("an operator")
        return ColumnRef(token.text, at=token.at)

    def call(self, token: Token) -> Call:
        name = token.text.lower()
        if name not in FUNCTIONS:
            raise self.error(token.at, f"There is no function {token.text!r}", f"one of {', '.join(FUNCTIONS)}")
        self.take("(", "'('")
        arguments = self.comma_list(MAX_ARGUMENTS)
        self.take(")", "',' or ')'")
        return Call(name, arguments, at=token.at)
