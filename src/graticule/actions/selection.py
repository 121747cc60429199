"""The features that the address of a map names by a value: where they are, for the map to go there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from graticule.filters.check import check
from graticule.filters.names import Names
from graticule.filters.nodes import And, Compare, Literal
from graticule.geometry.crs import Crs
from graticule.geometry.reproject import reproject
from graticule.model.features import Query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graticule.actions.drawing import Drawable
    from graticule.backend import Backend
    from graticule.filters.nodes import Node
    from graticule.model.features import Batch, Box


@dataclass(frozen=True, slots=True)
class Selection:
    """``box`` is in degrees, None where nothing was found; ``feature`` is set where it is one alone."""

    box: Box | None = None
    feature: int | None = None


def features_with(backend: Backend, drawable: Drawable, name: str, value: str) -> Selection:
    """The features whose attribute is ``value``, and that the layer draws.

    Raises ``BadRequest``: for ``f`` when the layer has no such attribute, for ``v`` when it cannot have that value.
    """
    table = drawable.table
    if table is None:
        return Selection()
    column = Names(table.columns, "f").resolve(name)
    equal = check(Compare("=", column, Literal(value, "text")), table.columns, field="v")
    query = Query(columns=(), where=_both(equal, drawable.where), owner=drawable.owner)
    boxes: list[Box] = []
    ids: list[int] = []
    for batch in backend.store.read(drawable.account, table, query):
        boxes += _box(batch, Crs.from_text(table.crs) if table.crs else Crs.wgs84())
        ids = (ids + batch.ids[:2].tolist())[:2]
    return Selection(_around(boxes), ids[0] if len(ids) == 1 else None)


def _both(one: Node, other: Node | None) -> Node:
    return one if other is None else And((one, other))


def _box(batch: Batch, crs: Crs) -> list[Box]:
    """The box of some features in degrees; none where they are nowhere."""
    if batch.geometry is None or not len(batch):
        return []
    xmin, ymin, xmax, ymax = shapely.total_bounds(reproject(batch.geometry, crs, Crs.wgs84())).tolist()
    return [(xmin, ymin, xmax, ymax)] if np.isfinite([xmin, ymin, xmax, ymax]).all() else []


def _around(boxes: Sequence[Box]) -> Box | None:
    if not boxes:
        return None
    low, high = np.array(boxes).min(axis=0).tolist(), np.array(boxes).max(axis=0).tolist()
    return low[0], low[1], high[2], high[3]
