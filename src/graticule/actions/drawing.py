"""The layers of a map that a caller may see, ready to be drawn: the access check of pictures, tiles and styles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from graticule.actions import need
from graticule.actions.styling import Look, look_of
from graticule.actions.wfs import freshen
from graticule.catalogue import access
from graticule.catalogue.orm import Layer
from graticule.errors import BadRequest, Forbidden, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.catalogue.orm import Map
    from graticule.filters.nodes import Node
    from graticule.model.features import Box, Table


@dataclass(frozen=True, slots=True)
class Drawable:
    """A layer that may be drawn. ``owner`` is set where the caller sees only features of their own.

    ``table`` and ``look`` are there for layers of features whose data is ready. With ``where``, which has been checked
    against the table, only the features that it holds for are drawn.
    """

    layer: Layer
    owner: int | None = None
    table: Table | None = None
    look: Look | None = None
    where: Node | None = None

    @property
    def account(self) -> int:
        """Whose store the table is in."""
        assert self.layer.dataset is not None
        return self.layer.dataset.account_id


def drawables_of_map(backend: Backend, actor: Actor, map_id: int) -> tuple[Map, list[Drawable]]:
    """The map and its layers, the bottom one first; a layer whose data the caller may not see is not among them.

    Raises ``NotFound``, ``Forbidden``.
    """
    with backend.catalogue.read() as session:
        found = need.find_map(session, actor, map_id)
        layers = session.scalars(select(Layer).where(Layer.map_id == map_id).order_by(Layer.order, Layer.id)).all()
        held = [need.data_permissions(session, actor, layer) for layer in layers]
    return found, _drawables(backend, actor, layers, held)


def drawable_layer(backend: Backend, actor: Actor, layer_id: int, map_id: int | None = None) -> Drawable:
    """One layer. Raises ``NotFound``, ``Forbidden``."""
    with backend.catalogue.read() as session:
        layer = session.get(Layer, layer_id)
        of_layer = need.layer_permissions(session, actor.user_id, layer) if layer else frozenset()
        if layer is None or not of_layer or map_id not in (None, layer.map_id):
            raise NotFound(f"There is no layer {layer_id}, or it is not shared with you.")
        held = need.data_permissions(session, actor, layer)
    drawable = _drawables(backend, actor, [layer], [held])
    if not drawable:
        raise Forbidden(f"The data behind layer {layer_id} is not shared by the user who put it there.")
    return drawable[0]


def _drawables(
    backend: Backend, actor: Actor, layers: Sequence[Layer], held: Sequence[frozenset[str]]
) -> list[Drawable]:
    return [_drawable(backend, actor, layer, mine) for layer, mine in zip(layers, held, strict=True) if mine]


def _drawable(backend: Backend, actor: Actor, layer: Layer, held: frozenset[str]) -> Drawable:
    owner = access.sees_features_of(actor.user_id, held)
    dataset = layer.dataset
    if dataset is not None:
        freshen(backend, dataset)
    if dataset is None or dataset.status != "ready":
        return Drawable(layer, owner)
    try:
        table = backend.store.table(dataset.account_id, dataset.store_table)
    except (NotFound, Unavailable, BadRequest):  # a table that is gone, or a database of others that is
        return Drawable(layer, owner)
    return Drawable(layer, owner, table, look_of(layer, table))


def raster_of(boxes: Sequence[Box], columns: float, rows: float) -> tuple[float, float]:
    """The size of a cell, in the units of the boxes, where together they are drawn on so many columns and rows."""
    across = sum(xmax - xmin for xmin, _, xmax, _ in boxes)
    return across / columns, max(ymax - ymin for _, ymin, _, ymax in boxes) / rows
