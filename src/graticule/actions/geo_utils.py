"""Questions of where: what is at a place, what is nearest, what lies in a shape, how large features are."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely

from graticule.actions import features, found
from graticule.actions.listing import Page
from graticule.errors import BadRequest, Forbidden, NotFound
from graticule.filters.check import check
from graticule.filters.parse import parse
from graticule.geometry.crs import Crs
from graticule.geometry.input import check_fits, read_geometry
from graticule.geometry.place import FARTHEST_METRES, area_and_perimeter
from graticule.geometry.reproject import reproject
from graticule.geometry.soundness import sound
from graticule.model.features import Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from graticule.actions.features import LayerData
    from graticule.actions.found import Found, Hits
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.geometry.place import Place
    from graticule.model.features import Batch, Box

    Geometries = NDArray[np.object_]

Relation = Literal["intersects", "within", "contains"]
RELATIONS: tuple[Relation, ...] = ("intersects", "within", "contains")
MOST_LAYERS = 1000
# Of a layer that others are compared with; they are held in memory.
MOST_SHAPES = 100_000
# Where the search for the nearest begins, and how much further it goes each time, in metres.
FIRST_REACH, FURTHER = 100.0, 4.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of each layer: a condition as it was sent, and whether attributes are wanted."""

    where: str | None = None
    attributes: bool = True

    def of(self, data: LayerData) -> Query:
        """The query on a layer's table. Raises ``BadRequest``."""
        where = None if self.where is None else check(parse(self.where), data.table.columns)
        return Query(columns=None if self.attributes else (), where=where)


@dataclass(frozen=True, slots=True)
class Measured:
    """A feature's area in square metres and perimeter, or length, in metres; None where it has no geometry."""

    feature: int
    area: float | None
    perimeter: float | None


def open_layers(backend: Backend, actor: Actor, layer_ids: Sequence[int]) -> list[LayerData]:
    """Layers that the caller may read. Raises ``NotFound`` also for one that may not be read, ``BadRequest``."""
    if len(layer_ids) > MOST_LAYERS:
        raise BadRequest(f"There are {len(layer_ids)} layers.", field="layer_id", expected=f"up to {MOST_LAYERS}")
    return [open_layer(backend, actor, layer_id) for layer_id in dict.fromkeys(layer_ids)]


def open_layer(backend: Backend, actor: Actor, layer_id: int) -> LayerData:
    """One of them."""
    try:
        return features.readable(features.open_layer(backend, actor, layer_id))
    except Forbidden:
        raise NotFound(f"There is no layer {layer_id}, or it is not shared with you.") from None


def features_at_point(
    backend: Backend, layers: Sequence[LayerData], place: Place, metres: float, asked: Asked, page: Page
) -> list[Found]:
    """The features within so many metres on the ground, the nearest first, then by layer and id."""
    queries = [asked.of(data) for data in layers]
    hits = [_within(backend, data, query, place, metres) for data, query in zip(layers, queries, strict=True)]
    picked = found.nearest(hits, page.offset, page.size)
    return found.read(backend, list(zip(layers, queries, strict=True)), picked)


def nearest(
    backend: Backend, layers: Sequence[LayerData], place: Place, count: int, metres: float | None, asked: Asked
) -> list[Found]:
    """The ``count`` features that are nearest on the ground, none further than ``metres``."""
    limit = FARTHEST_METRES if metres is None else metres
    reach = min(FIRST_REACH, limit)
    one_page = Page(1, count, total=False)
    while True:
        hits = features_at_point(backend, layers, place, reach, asked, one_page)
        if len(hits) >= count or reach >= limit:
            return hits
        reach = min(reach * FURTHER, limit)


def _within(backend: Backend, data: LayerData, query: Query, place: Place, metres: float) -> Hits:
    near = replace(query, columns=(), boxes=place.boxes(metres, data.crs))
    return found.hits_of([_reached(batch, data, place, metres) for batch in features.read_batches(backend, data, near)])


def _reached(
    batch: Batch, data: LayerData, place: Place, metres: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    assert batch.geometry is not None
    distances = place.distances(batch.geometry, data.crs, metres)
    reached = np.isfinite(distances)
    return batch.ids[reached], distances[reached]


def take_shape(value: Any, crs: Crs | None, field: str) -> tuple[Geometries, Crs]:
    """A geometry that was sent, as an array of one, and its projection: the one asked for, its own, or EPSG:4326.

    Raises ``BadRequest`` on ``field``.
    """
    with _about(field):
        parsed = read_geometry(value)
        source = crs or (Crs.wgs84() if parsed.srid is None else Crs.from_epsg(parsed.srid, field=field))
        return np.array([check_fits(parsed.geometry, "GEOMETRY", source)], dtype=object), source


@contextmanager
def _about(field: str) -> Iterator[None]:
    try:
        yield
    except BadRequest as error:
        error.field = field
        raise


def shapes_of(backend: Backend, data: LayerData, asked: Asked, ids: tuple[int, ...] | None = None) -> Geometries:
    """The geometries of a layer's features. Raises ``BadRequest`` for more than can be held."""
    query = replace(asked.of(data), columns=(), ids=ids)
    if features.count(backend, data, query) > MOST_SHAPES:
        raise BadRequest("There are too many features to compare with.", expected=f"up to {MOST_SHAPES}")
    parts = [batch.geometry for batch in features.read_batches(backend, data, query) if batch.geometry is not None]
    shapes: Geometries = np.concatenate([np.empty(0, dtype=object), *parts])
    held: Geometries = shapes[~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)]
    return held


def spatial_filter(
    backend: Backend,
    data: LayerData,
    shapes: Geometries,
    shapes_crs: Crs,
    relation: Relation,
    asked: Asked,
    page: Page,
) -> list[Found]:
    """The features of a layer that stand in that relation to any of the shapes, in the layer's projection; by id."""
    there = reproject(shapes, shapes_crs, data.crs)
    there = sound(there[~shapely.is_missing(there) & ~shapely.is_empty(there)])
    query = asked.of(data)
    wanted = replace(query, columns=(), boxes=_envelope(there))
    ids = np.empty(0, np.int64)
    if len(there) and data.table.geometry_type is not None:
        tree = shapely.STRtree(there)
        for batch in features.read_batches(backend, data, wanted):
            ids = np.concatenate([ids, _related(batch, tree, relation)])
            if page.size is not None and len(ids) >= page.offset + page.size:
                break
    picked = [(0, feature, 0.0) for feature in ids[page.offset :][: page.size].tolist()]
    return found.read(backend, [(data, query)], picked)


def _envelope(shapes: Geometries) -> tuple[Box, ...]:
    if not len(shapes):
        return ()
    xmin, ymin, xmax, ymax = shapely.total_bounds(shapes).tolist()
    return ((xmin, ymin, xmax, ymax),)


def _related(batch: Batch, tree: shapely.STRtree, relation: Relation) -> NDArray[np.int64]:
    assert batch.geometry is not None
    at = tree.query(sound(batch.geometry), predicate=relation)[0]
    related: NDArray[np.int64] = batch.ids[np.unique(at)]
    return related


def measure(backend: Backend, data: LayerData, asked: Asked, ids: tuple[int, ...] | None, page: Page) -> list[Measured]:
    """The area and perimeter on the ellipsoid of features of a layer, by id. Raises ``NotFound`` for unknown ids."""
    _need_all(backend, data, ids)
    query = replace(asked.of(data), columns=(), ids=ids, limit=page.size, offset=page.offset)
    return [one for batch in features.read_batches(backend, data, query) for one in _measured(batch, data)]


def _measured(batch: Batch, data: LayerData) -> list[Measured]:
    assert batch.geometry is not None
    sizes = area_and_perimeter(batch.geometry, data.crs)
    rows = zip(batch.ids.tolist(), sizes.tolist(), strict=True)
    return [
        Measured(feature, area, perimeter) if area == area else Measured(feature, None, None)
        for feature, (area, perimeter) in rows
    ]


def bounds(backend: Backend, data: LayerData, asked: Asked, ids: tuple[int, ...] | None, target: Crs) -> Box | None:
    """The envelope of features in a projection; None when none has a geometry. Raises ``NotFound`` for unknown ids."""
    _need_all(backend, data, ids)
    query = replace(asked.of(data), columns=(), ids=ids)
    boxes = [np.full(4, np.nan)]
    for batch in features.read_batches(backend, data, query):
        assert batch.geometry is not None
        boxes.append(shapely.total_bounds(reproject(batch.geometry, data.crs, target)))
    every = np.array(boxes)[np.isfinite(boxes).all(axis=1)]
    if not len(every):
        return None
    (xmin, ymin), (xmax, ymax) = every[:, :2].min(axis=0).tolist(), every[:, 2:].max(axis=0).tolist()
    return xmin, ymin, xmax, ymax


def _need_all(backend: Backend, data: LayerData, ids: tuple[int, ...] | None) -> None:
    if ids is not None and features.count(backend, data, Query(ids=ids)) < len(ids):
        raise NotFound(f"Layer {data.layer.id} has not all of these features.")
