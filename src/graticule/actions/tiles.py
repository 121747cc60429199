"""Vector tiles of layers and maps, made on arrays from the live tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from graticule.actions.drawing import Drawable, drawable_layer, drawables_of_map, raster_of
from graticule.actions.expressions import narrowed, with_condition
from graticule.geometry.bounds import Bounds, boxes_in
from graticule.geometry.crs import Crs
from graticule.geometry.reproject import reproject
from graticule.model.features import Query
from graticule.style.model import Label
from graticule.tiles.grid import parse_tile, tile_box
from graticule.tiles.label_points import label_points
from graticule.tiles.mvt import BUFFER, EXTENT, encode_layer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from graticule.actions.expressions import Expressions
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.model.features import Batch, Box

LABELS = "labels"
# Polygons too small for the tile's grid are marked on a raster of so many cells across (see mvt.encode_layer).
RASTER = 1024


def layer_tile(
    backend: Backend,
    actor: Actor,
    layer_id: int,
    address: tuple[str, str, str],
    where: str | None = None,
    map_id: int | None = None,
) -> bytes:
    """The vector tile of one layer, of the features that the condition holds for.

    Raises ``NotFound``, ``Forbidden``, ``BadRequest``.
    """
    z, x, y = parse_tile(*address)
    drawable = with_condition(drawable_layer(backend, actor, layer_id, map_id), where, "where")
    return tile_of(backend, drawable, tile_box(z, x, y))


def map_tile(
    backend: Backend, actor: Actor, map_id: int, address: tuple[str, str, str], expressions: Expressions
) -> bytes:
    """The vector tile of all layers of a map that the caller may see. Raises as ``layer_tile``."""
    z, x, y = parse_tile(*address)
    _, drawables = drawables_of_map(backend, actor, map_id)
    return b"".join(tile_of(backend, one, tile_box(z, x, y)) for one in narrowed(drawables, expressions))


def names(layer_id: int) -> tuple[str, str]:
    """What the layers inside a tile are called: of the geometry, and of the points of its labels."""
    return str(layer_id), f"{layer_id}/{LABELS}"


def tile_of(backend: Backend, drawable: Drawable, box: Box) -> bytes:
    """The features of a layer in a square of EPSG:3857, and the points of their labels; nothing when there are none."""
    table, look = drawable.table, drawable.look
    if table is None or look is None or table.crs is None:
        return b""
    crs, mercator = Crs.from_text(table.crs), Crs.web_mercator()
    boxes = _boxes(box, crs)
    query = Query(
        columns=look.columns,
        boxes=boxes,
        where=drawable.where,
        owner=drawable.owner,
        classes=look.classes,
        raster=raster_of(boxes, RASTER, RASTER),
    )
    batches = list(backend.store.read(drawable.account, table, query, batch_size=50_000))
    if not batches:
        return b""
    ids = np.concatenate([batch.ids for batch in batches])
    geometry = reproject(np.concatenate([_geometry(batch) for batch in batches]), crs, mercator)
    columns = {name: [value for batch in batches for value in batch.columns[name]] for name in batches[0].columns}
    geometry_name, labels_name = names(drawable.layer.id)
    encoded = encode_layer(geometry_name, ids, geometry, columns, box, mark_tiny=True)
    if any(isinstance(symbolizer, Label) for _, _, symbolizer in look.style.drawn()):
        encoded += _labels(labels_name, ids, geometry, columns, box)
    return encoded


def _geometry(batch: Batch) -> NDArray[np.object_]:
    assert batch.geometry is not None
    return batch.geometry


def _boxes(box: Box, crs: Crs) -> tuple[Box, ...]:
    """The tile with its margin, in the table's projection."""
    xmin, ymin, xmax, ymax = box
    margin = (xmax - xmin) * BUFFER / EXTENT
    grown = Bounds(xmin - margin, ymin - margin, xmax + margin, ymax + margin)
    return boxes_in(grown, Crs.web_mercator(), crs)


def _labels(
    name: str, ids: NDArray[np.int64], geometry: NDArray[np.object_], columns: dict[str, list[Any]], box: Box
) -> bytes:
    """One point a feature, in the one tile that it lies in, so that no label is drawn twice."""
    points = label_points(geometry)
    x, y = shapely.get_x(points), shapely.get_y(points)
    xmin, ymin, xmax, ymax = box
    here = (x >= xmin) & (x < xmax) & (y >= ymin) & (y < ymax)
    rows = np.flatnonzero(here)
    chosen = {key: [values[row] for row in rows.tolist()] for key, values in columns.items()}
    return encode_layer(name, ids[rows], points[rows], chosen, box)
