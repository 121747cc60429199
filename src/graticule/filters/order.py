"""``order_by=attr[:asc|desc],…`` for the features of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graticule.errors import BadRequest
from graticule.filters.names import Names
from graticule.model.features import Order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graticule.model.features import Column

MAX_TERMS = 20
_DIRECTIONS = {"": False, "asc": False, "desc": True}


def check_order(text: str, columns: Sequence[Column], *, field: str = "order_by") -> tuple[Order, ...]:
    """The terms of ``text``, outermost first; blanks around names and empty terms do not count.

    A name may hold ``:`` as long as a direction follows its last one. ``Order.column`` is a column's name as the
    table has it, or a pseudo-column's where the table has no such column. Raises BadRequest for ``field``: unknown
    or ambiguous column (the known ones are listed), unknown direction, too many terms.
    """
    names = Names(columns, field)
    terms = [term.strip() for term in text.split(",") if term.strip()]
    if len(terms) > MAX_TERMS:
        raise BadRequest(f"There are {len(terms)} terms.", field=field, value=text, expected=f"at most {MAX_TERMS}")
    return tuple(_term(term, names, field) for term in terms)


def _term(term: str, names: Names, field: str) -> Order:
    if term in names.exact:
        return Order(term)
    name, _, direction = term.rpartition(":") if ":" in term else (term, "", "")
    word = direction.strip().lower()
    if word not in _DIRECTIONS:
        raise BadRequest(f"{direction!r} is not a direction.", field=field, value=term, expected="asc or desc")
    return Order(names.resolve(name.strip()).name, _DIRECTIONS[word])
