"""Finding features of many layers by a text that one of their attributes holds.

The conditions are put to the stores: what does not match is never fetched. Of several layers, those that have an order
of their own follow one another, each counted and read in part; those by distance are mixed, and of them only ids and
places are read before it is known which are wanted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from graticule.actions import features, fields, found
from graticule.actions.attributes import find_column
from graticule.actions.found import CLASS, Found
from graticule.catalogue.orm import Layer
from graticule.errors import BadRequest, GraticuleError
from graticule.filters.folding import folded, lowered
from graticule.filters.nodes import ColumnRef, Contains, Literal, Or
from graticule.filters.order import check_order
from graticule.model.features import Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graticule.actions.features import LayerData
    from graticule.actions.found import Hits
    from graticule.actions.listing import Page
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.filters.nodes import Node
    from graticule.geometry.place import Place
    from graticule.model.features import Column

EXPECTED = "{layer}~{column},{column}|*[~{column}[:ASC|DESC]|---] groups, joined by ;"
BY_DISTANCE = "---"
MOST_LAYERS = 1000
LONGEST_QUERY = 1000


@dataclass(frozen=True, slots=True)
class Group:
    """A layer to search in. ``columns`` None are those that hold text, ``*`` all; ``order`` is as it was sent."""

    layer_id: int
    columns: tuple[str, ...] | None = None
    order: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """What is sought. ``groups`` None means the caller's own layers, to which ``more`` come.

    Near ``place`` the nearest come first.
    """

    text: str
    groups: tuple[Group, ...] | None = None
    more: tuple[Group, ...] = ()
    place: Place | None = None
    plain_letters: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """A feature that was found, and the column whose value holds the text."""

    found: Found
    column: Column

    @property
    def value(self) -> str:
        return str(self.found.batch.columns[self.column.name][self.found.at])


@dataclass(frozen=True, slots=True)
class _Target:
    """A layer with the columns that are looked into, and the query that finds its features."""

    data: LayerData
    columns: tuple[Column, ...]
    query: Query
    by_distance: bool

    def matches(self, hits: Iterable[Found]) -> list[Match]:
        """The features with the column that matches, the first of them; one that has changed meanwhile is left out."""
        which = [(one, one.batch.columns[CLASS][one.at]) for one in hits]
        return [Match(one, self.columns[index]) for one, index in which if index >= 0]


@dataclass(frozen=True, slots=True)
class Results:
    """A page of what was found, in ``layers``; ``total`` None where it was not to be counted."""

    total: int | None
    matches: list[Match]
    layers: list[LayerData]


def parse_groups(text: str) -> tuple[Group, ...]:
    """The layers, columns and orders that ``fields`` names. Raises ``BadRequest``."""
    groups = tuple(_group(part) for part in text.split(";") if part.strip())
    if len(groups) > MOST_LAYERS:
        raise BadRequest(f"There are {len(groups)} groups.", field="fields", expected=f"up to {MOST_LAYERS}")
    return groups


def _group(text: str) -> Group:
    layer, _, rest = text.partition("~")
    columns, _, order = rest.partition("~")
    names = tuple(dict.fromkeys(name.strip() for name in columns.split(",") if name.strip()))
    try:
        return Group(fields.integer("fields", layer.strip(), 0), names or None, order.strip())
    except BadRequest:
        raise BadRequest("This names no layer.", field="fields", value=text, expected=EXPECTED) from None


def search(backend: Backend, actor: Actor, wanted: Search, page: Page) -> Results:
    """The features whose attributes hold the text. Raises ``BadRequest`` on ``query`` and ``fields``.

    Layers that the caller may not read, or whose data is not there, are passed over.
    """
    needle = _needle(wanted)
    groups = _own_layers(backend, actor) if wanted.groups is None else wanted.groups
    opened = (_open(backend, actor, group, wanted, needle) for group in dict.fromkeys((*groups, *wanted.more)))
    targets = [target for target in opened if target is not None]
    total, matches = _page_of(backend, targets, wanted.place, page)
    return Results(total, matches, [target.data for target in targets])


def _needle(wanted: Search) -> Literal:
    text = " ".join(fields.text("query", wanted.text).split())
    if not text or len(text) > LONGEST_QUERY:
        expected = f"a text of 1 to {LONGEST_QUERY} characters"
        raise BadRequest("There is nothing to search for.", field="query", value=text, expected=expected)
    return Literal(folded(text) if wanted.plain_letters else lowered(text), "text")


def _own_layers(backend: Backend, actor: Actor) -> tuple[Group, ...]:
    if not actor.signed_in:
        return ()
    with backend.catalogue.read() as session:
        own = select(Layer.id).where(Layer.owner_id == actor.user_id, Layer.dataset_id.is_not(None))
        return tuple(Group(layer_id) for layer_id in session.scalars(own.order_by(Layer.id)))


def _open(backend: Backend, actor: Actor, group: Group, wanted: Search, needle: Literal) -> _Target | None:
    try:
        data = features.readable(features.open_layer(backend, actor, group.layer_id))
    except GraticuleError:
        return None
    columns = _columns(data, group.columns)
    conditions = tuple(_holds(column, needle, wanted.plain_letters) for column in columns)
    by_distance = group.order == BY_DISTANCE or not group.order
    ordered = () if by_distance else check_order(group.order, data.table.columns, field="fields")
    if not conditions:
        return None
    where: Node = Or(conditions) if len(conditions) > 1 else conditions[0]
    query = Query(where=where, order_by=ordered, classes=conditions)
    spatial = wanted.place is not None and data.table.geometry_type is not None
    return _Target(data, columns, query, by_distance and spatial)


def _columns(data: LayerData, names: tuple[str, ...] | None) -> tuple[Column, ...]:
    if names is None:
        return tuple(column for column in data.table.columns if column.type == "text")
    if "*" in names:
        return data.table.columns
    try:
        return tuple(dict.fromkeys(find_column(data.table, name) for name in names))
    except BadRequest as error:
        error.field = "fields"
        raise


def _holds(column: Column, needle: Literal, plain_letters: bool) -> Node:
    return Contains(ColumnRef(column.name, column.type), needle, plain_letters)


def _page_of(
    backend: Backend, targets: Sequence[_Target], place: Place | None, page: Page
) -> tuple[int | None, list[Match]]:
    """The blocks one after another: a layer in an order of its own, or all of those by distance where the first is."""
    total, matches, skip = 0, list[Match](), page.offset
    near = [target for target in targets if target.by_distance]
    for target in targets:
        left = (page.size or 0) - len(matches)
        if not left and not page.total:
            break
        if target.by_distance:
            if target is not near[0]:
                continue
            assert place is not None
            count, some = _near(backend, near, place, skip, left)
        else:
            count, some = _ordered(backend, target, skip, left, count=page.total or skip > 0)
        total, matches, skip = total + count, matches + some, max(skip - count, 0)
    return (total if page.total else None), matches


def _ordered(backend: Backend, target: _Target, skip: int, left: int, *, count: bool) -> tuple[int, list[Match]]:
    """How many features of the layer match (0 where that need not be known), and those of the page.

    A page that is not full says how many there are itself.
    """
    matches: list[Match] = []
    if left:
        batches = features.read_batches(backend, target.data, replace(target.query, limit=left, offset=skip))
        matches = target.matches(Found(target.data, batch, at) for batch in batches for at in range(len(batch)))
    if len(matches) < left and (matches or not skip):
        return skip + len(matches), matches
    return (features.count(backend, target.data, target.query) if count else 0), matches


def _near(backend: Backend, targets: Sequence[_Target], place: Place, skip: int, left: int) -> tuple[int, list[Match]]:
    """How many features of these layers match, and those of the page, the nearest first."""
    hits = [_distances(backend, target, place) for target in targets]
    picked = found.nearest(hits, skip, left)
    read = found.read(backend, [(target.data, target.query) for target in targets], picked)
    by_data = {id(target.data): target for target in targets}
    matches = [match for one in read for match in by_data[id(one.data)].matches([one])]
    return sum(map(len, hits)), matches


def _distances(backend: Backend, target: _Target, place: Place) -> Hits:
    query = replace(target.query, columns=(), classes=None)
    return found.hits_of(
        [
            (batch.ids, place.to_envelopes(batch.geometry, target.data.crs))
            for batch in features.read_batches(backend, target.data, query)
            if batch.geometry is not None
        ]
    )
