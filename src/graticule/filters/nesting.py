"""How deeply a condition may be nested for every engine to read it.

The narrowest is SQLite: before version 3.46 its parser has a stack of 100 entries. What stands to the left of an
operand and waits for it takes entries: in ``a OR (b AND (…`` the three of ``a OR (``, then the three of ``b AND (``.
``stack_depth`` counts them in the SQL that ``to_sql`` writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graticule.filters.nodes import (
    And,
    Arithmetic,
    Between,
    Call,
    ColumnRef,
    Compare,
    In,
    Like,
    Literal,
    Node,
    Not,
    Or,
    Pseudo,
    children,
    continues,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

# Leaves 30 entries to the statement around the condition.
MAX_STACK_DEPTH = 70
# From here on the order of AND and OR is changed; below it conditions are tried as they were written.
_DEEP = 20
# CAST ( t . "name", the longest.
_LEAF = 5


def stack_depth(node: Node) -> int:
    """The entries that ``node`` takes: as many as it really does, or a few more."""
    below = children(node)
    if not below:
        return _LEAF
    waiting = _waiting(node)
    mixed = {kind_of(child) for child in below} == {"integer", "real"}
    return max(
        waiting[min(place, len(waiting) - 1)] + _opened(child, node, mixed) + stack_depth(child)
        for place, child in enumerate(below)
    )


def deepest_first(operands: Sequence[Node]) -> tuple[Node, ...]:
    """The operands of AND or OR, in an order that takes few entries: nothing waits for the first one."""
    if max(map(stack_depth, operands)) < _DEEP:
        return tuple(operands)
    return tuple(sorted(operands, key=stack_depth, reverse=True))


def _opened(child: Node, node: Node, mixed: bool) -> int:
    """The parenthesis or the cast around an operand."""
    if isinstance(node, Arithmetic) and child is node.left and continues(node):
        return 0
    if mixed and kind_of(child) == "integer":
        return 3
    return 0 if isinstance(child, Literal | ColumnRef | Pseudo | Call) else 1


def _waiting(node: Node) -> tuple[int, ...]:
    """What waits for the first operand, for the second, and so on; the last number is for all that follow."""
    match node:
        case And() | Or():
            # A long chain is written in groups, each in parentheses.
            return (0, 2) if len(node.operands) < 100 else (1, 5)
        case Not():
            return (1,)
        case Compare() | Arithmetic():
            return (0, 2)
        case Between():
            return (0, 2, 4)
        case In():
            return (0, 3, 5)
        case Like():
            return (5, 7)
        case Call():
            return (3, 5)
        case _:
            return (0,)
