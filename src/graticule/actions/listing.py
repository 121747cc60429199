"""Lists: pages, orders and searches that the database carries out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import func, or_, select

from graticule.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    Attributes = Mapping[str, ColumnElement[Any]]

T = TypeVar("T")

LARGEST_PAGE = 1000
LONGEST_QUERY = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list; ``size`` None is all of it. ``total`` says whether to count."""

    number: int = 1
    size: int | None = 100
    total: bool = True

    @property
    def offset(self) -> int:
        return (self.number - 1) * (self.size or 0)


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list, with its order and search as they were sent."""

    page: Page = Page()
    order_by: str | None = None
    query: str | None = None
    query_on: str | None = None


def run(session: Session, statement: Select[Any], listing: Listing, known: Attributes) -> tuple[int | None, list[Any]]:
    """How many there are (None when not to be counted) and those of the page.

    ``known`` are the attributes to order and search by. Raises ``BadRequest`` for any other.
    """
    statement = _searched(statement, listing, known)
    total = None
    if listing.page.total:
        total = session.scalar(select(func.count()).select_from(statement.order_by(None).subquery()))
    ordered = statement.order_by(*_order(listing.order_by, known), known["id"])
    rows = session.scalars(ordered.limit(listing.page.size).offset(listing.page.offset))
    return total, list(rows.unique())


def run_over(
    found: Sequence[T], listing: Listing, known: Mapping[str, Callable[[T], Any]]
) -> tuple[int | None, list[T]]:
    """The same for what is kept outside the database, such as files, in the order in which it was found.

    ``known`` gives the attributes to order and search by. Raises ``BadRequest`` for any other.
    """
    if listing.query:
        names = _names(listing)
        reads = [_known(name, known, "query_on") for name in names]
        text = listing.query.lower()
        found = [one for one in found if any(text in str(read(one)).lower() for read in reads)]
    ordered = list(found)
    for name, descending in reversed(_terms(listing.order_by)):
        ordered.sort(key=_known(name, known, "order_by"), reverse=descending)
    page = listing.page
    end = None if page.size is None else page.offset + page.size
    return len(ordered) if page.total else None, ordered[page.offset : end]


def _searched(statement: Select[Any], listing: Listing, known: Attributes) -> Select[Any]:
    if not listing.query:
        return statement
    names = _names(listing)
    pattern = "%" + _like(listing.query.lower()) + "%"
    columns = [_known(name, known, "query_on") for name in names]
    return statement.where(or_(*(func.g_lower(column).like(pattern, escape="\\") for column in columns)))


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _names(listing: Listing) -> list[str]:
    """The attributes to search, each once."""
    assert listing.query is not None
    if len(listing.query) > LONGEST_QUERY:
        expected = f"up to {LONGEST_QUERY} characters"
        raise BadRequest("This is too long to search for.", field="query", value=listing.query, expected=expected)
    return list(dict.fromkeys(name.strip() for name in (listing.query_on or "name").split(",") if name.strip()))


def _order(order_by: str | None, known: Attributes) -> list[ColumnElement[Any]]:
    terms = [(_known(name, known, "order_by"), descending) for name, descending in _terms(order_by)]
    # PostgreSQL would have what is empty last.
    return [column.desc().nulls_last() if descending else column.asc().nulls_first() for column, descending in terms]


def _terms(order_by: str | None) -> list[tuple[str, bool]]:
    """The attributes to order by, and whether each is descending; named again one changes nothing."""
    terms: dict[str, bool] = {}
    for term in filter(None, (part.strip() for part in (order_by or "").split(","))):
        name, _, direction = term.partition(":")
        if direction.strip().lower() not in ("", "asc", "desc"):
            raise BadRequest("Unknown direction.", field="order_by", value=direction, expected="asc or desc")
        terms.setdefault(name.strip(), direction.strip().lower() == "desc")
    return list(terms.items())


def _known(name: str, known: Mapping[str, T], field: str) -> T:
    if name not in known:
        raise BadRequest(f"Unknown attribute {name}.", field=field, value=name, expected="one of " + ", ".join(known))
    return known[name]
