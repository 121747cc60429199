"""Pictures of maps and layers."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

import numpy as np

from graticule.actions import need
from graticule.actions.drawing import Drawable, drawable_layer, drawables_of_map, raster_of
from graticule.actions.layers import note_recovery
from graticule.actions.maps import map_crs
from graticule.actions.rasters import raster_to_read
from graticule.actions.sources import wms_server
from graticule.actions.storage import place
from graticule.errors import BadRequest, Conflict, NotFound
from graticule.geometry.bounds import Bounds, boxes_in, parse_map_bounds
from graticule.geometry.crs import Crs
from graticule.geometry.reproject import reproject, reproject_box
from graticule.model.features import Query
from graticule.render.legend_panel import LegendLayer
from graticule.render.mapnik_renderer import render
from graticule.render.picture import ImageLayer, Picture, VectorLayer
from graticule.style.legend import legend_classes
from graticule.style.values import colour
from graticule.style.zoom import zoom_of_resolution
from graticule.transfer.rasters import read_window
from graticule.transfer.web_tiles import TileServer, read_tiles
from graticule.transfer.wms import definition, read_wms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.catalogue.orm import Layer, Map
    from graticule.model.features import Batch, Box
    from graticule.render.picture import PictureLayer
    from graticule.style.model import Colour

Format = Literal["png", "jpg"]
WORLD_MERCATOR = (-20037508.34, -20037508.34, 20037508.34, 20037508.34)
PIXEL_METRES = 0.00028
# Around the picture, in pixels: what is drawn for features just outside may reach in.
MARGIN = 48
IMAGES_AT_ONCE = 8
PICTURE_SUFFIXES = {"png": (".png",), "jpg": (".jpg", ".jpeg")}


@dataclass(frozen=True, slots=True)
class Frame:
    """What part of the world a picture shows, and how large. ``crs`` and ``box`` None are the map's own."""

    width: int = 256
    height: int = 256
    crs: Crs | None = None
    box: Box | None = None
    scale: float | None = None
    transparent: bool = False
    legend: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture as a file. ``missing`` are the ids of layers that could not be had and were left out."""

    content: bytes
    format: Format
    name: str
    missing: tuple[int, ...] = ()


def map_picture(backend: Backend, actor: Actor, map_id: int, frame: Frame, fmt: Format) -> Drawn:
    """A picture of the visible layers of a map that the caller may see. Raises ``NotFound``, ``BadRequest``."""
    found, drawables = drawables_of_map(backend, actor, map_id)
    shown = [drawable for drawable in drawables if is_visible(drawable, drawables)]
    return draw(backend, found, shown, frame, fmt, found.name or f"map {map_id}", framed_by_map=True)


def layer_picture(
    backend: Backend,
    actor: Actor,
    layer_id: int,
    frame: Frame,
    fmt: Format,
    map_id: int | None = None,
    *,
    transparent: bool = False,
) -> Drawn:
    """A picture of one layer, also of one that is not visible on its map. Raises ``NotFound``, ``Forbidden``."""
    frame = replace(frame, transparent=transparent)
    drawable = drawable_layer(backend, actor, layer_id, map_id)
    layer = drawable.layer
    return draw(backend, layer.map, [drawable], frame, fmt, layer.name or f"layer {layer_id}", framed_by_map=False)


def is_visible(drawable: Drawable, others: Sequence[Drawable]) -> bool:
    """Whether the layer and all folders above it are switched on."""
    by_id = {other.layer.id: other.layer for other in others}
    layer = drawable.layer
    for _ in range(len(by_id) + 1):
        if layer.visible != "t":
            return False
        parent = by_id.get(layer.parent or 0)
        if parent is None:
            return True
        layer = parent
    return True


def draw(
    backend: Backend,
    found: Map,
    drawables: Sequence[Drawable],
    frame: Frame,
    fmt: Format,
    name: str,
    *,
    framed_by_map: bool,
) -> Drawn:
    """A picture of layers, the bottom one first."""
    crs = frame.crs or map_crs(found)
    box = frame.box or _default_box(backend, found, drawables, crs, framed_by_map=framed_by_map)
    box = _scaled(box, frame, crs) if frame.scale else _with_aspect(box, frame.width, frame.height)
    view = _View(crs, box, frame.width, frame.height)
    images = _images(backend, drawables, view)
    layers = [_picture_layer(backend, drawable, view, images) for drawable in drawables]
    zoom = zoom_of_resolution((box[2] - box[0]) / frame.width * crs.metres_per_unit)
    picture = Picture(
        frame.width,
        frame.height,
        box,
        zoom,
        tuple(layer for layer in layers if layer is not None),
        background=None if frame.transparent else background_colour(found),
    )
    missing = tuple(layer_id for layer_id, image in images.items() if image is None)
    legend = _legend(drawables) if frame.legend else ()
    return Drawn(render(picture, fmt, legend), fmt, name, missing)


def _legend(drawables: Sequence[Drawable]) -> tuple[LegendLayer, ...]:
    """The layers of features that are drawn, the top one first."""
    return tuple(
        LegendLayer(
            drawable.layer.name or f"Layer {drawable.layer.id}",
            drawable.look.family,
            tuple(legend_classes(drawable.look.parsed)),
        )
        for drawable in reversed(drawables)
        if drawable.look is not None
    )


@dataclass(frozen=True, slots=True)
class _View:
    """The part of the world that is drawn."""

    crs: Crs
    box: Box
    width: int
    height: int

    @property
    def definition(self) -> str:
        """The projection in words that GDAL knows."""
        return definition(self.crs)


def _default_box(backend: Backend, found: Map, drawables: Sequence[Drawable], crs: Crs, *, framed_by_map: bool) -> Box:
    """The map's bounds, else the extent of the layers, else the world."""
    held = parse_map_bounds(found.bounds) if framed_by_map and found.bounds else None
    if held is not None:
        box = reproject_box((held["xmin"], held["ymin"], held["xmax"], held["ymax"]), map_crs(found), crs)
        if box is not None and box[0] < box[2] and box[1] < box[3]:
            return box
    return layers_box(backend, drawables, crs) or _world(crs)


def layers_box(backend: Backend, drawables: Sequence[Drawable], crs: Crs) -> Box | None:
    """What holds all the layers' data, in a projection; a little around a single point."""
    boxes = [box for drawable in drawables if (box := _extent(backend, drawable, crs)) is not None]
    if not boxes:
        return None
    xmin, ymin = (min(box[side] for box in boxes) for side in (0, 1))
    xmax, ymax = (max(box[side] for box in boxes) for side in (2, 3))
    margin = max(xmax - xmin, ymax - ymin) * 0.02 or 500 / crs.metres_per_unit
    return _on_the_map((xmin - margin, ymin - margin, xmax + margin, ymax + margin), crs)


def _on_the_map(box: Box, crs: Crs) -> Box:
    """The part of a box that a map shows: Mercator's poles are at infinity, and its square ends before them."""
    if not crs.is_web_mercator:
        return box
    return (
        max(box[0], WORLD_MERCATOR[0]),
        max(box[1], WORLD_MERCATOR[1]),
        min(box[2], WORLD_MERCATOR[2]),
        min(box[3], WORLD_MERCATOR[3]),
    )


def _extent(backend: Backend, drawable: Drawable, crs: Crs) -> Box | None:
    layer, table = drawable.layer, drawable.table
    if drawable.owner is not None:
        return None  # it would tell where the features of others are
    if table is not None and table.crs is not None:
        box = backend.store.extent(drawable.account, table.name)
        return None if box is None else reproject_box(box, Crs.from_text(table.crs), crs)
    if layer.type in ("raster", "wms") and layer.epsg and layer.x_min:
        sides = (layer.x_min, layer.y_min, layer.x_max, layer.y_max)
        xmin, ymin, xmax, ymax = (float(side or 0) for side in sides)
        return reproject_box((xmin, ymin, xmax, ymax), Crs.from_epsg(layer.epsg), crs)
    return None


def _world(crs: Crs) -> Box:
    return reproject_box(WORLD_MERCATOR, Crs.web_mercator(), crs) or WORLD_MERCATOR


def _with_aspect(box: Box, width: int, height: int) -> Box:
    """The box grown on its shorter side to the picture's proportions."""
    xmin, ymin, xmax, ymax = box
    if not (xmin < xmax and ymin < ymax):
        raise BadRequest("The bounds are empty.", field="bounds", value=list(box), expected="xmin,ymin,xmax,ymax")
    unit = max((xmax - xmin) / width, (ymax - ymin) / height)
    return _around(box, unit * width, unit * height)


def _scaled(box: Box, frame: Frame, crs: Crs) -> Box:
    unit = (frame.scale or 1.0) * PIXEL_METRES / crs.metres_per_unit
    return _around(box, unit * frame.width, unit * frame.height)


def _around(box: Box, width: float, height: float) -> Box:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _images(backend: Backend, drawables: Sequence[Drawable], view: _View) -> dict[int, ImageLayer | None]:
    """The layers that are images, read side by side; None where one is not to be had."""
    wanted = [drawable for drawable in drawables if drawable.layer.type in ("raster", "tile", "wms")]
    if not wanted:
        return {}
    with ThreadPoolExecutor(min(len(wanted), IMAGES_AT_ONCE)) as pool:
        read = pool.map(lambda drawable: _image(backend, drawable, view), wanted)
        return {drawable.layer.id: image for drawable, image in zip(wanted, read, strict=True)}


def _image(backend: Backend, drawable: Drawable, view: _View) -> ImageLayer | None:
    layer = drawable.layer
    size = (view.definition, view.width, view.height)
    if layer.type == "tile":
        rgba = read_tiles(tile_server(backend, drawable), view.box, *size)
    elif layer.type == "wms":
        rgba = _wms(backend, layer, view)
    else:
        path = raster_to_read(backend, layer.raster_account_id or 0, layer.raster_path or "")
        rgba = None if path is None else read_window(path, view.box, *size)
    return None if rgba is None else ImageLayer(_once(rgba, view), float(layer.alpha) / 100)


def _wms(backend: Backend, layer: Layer, view: _View) -> NDArray[np.uint8] | None:
    settings = backend.settings
    terms = {"timeout": settings.service_timeout, "private": settings.fetch_private_addresses}
    server = wms_server(json.loads(layer.source or "{}"))
    rgba = read_wms(server, view.box, view.crs, view.width, view.height, **terms)  # type: ignore[arg-type]
    if rgba is not None and layer.status == "error":
        note_recovery(backend, layer.id)
    return rgba


def _once(rgba: NDArray[np.uint8], view: _View) -> NDArray[np.uint8]:
    """The image without what lies beyond the antimeridian, where GDAL begins anew: features are drawn only once."""
    if not (view.crs.is_web_mercator or view.crs.is_geographic):
        return rgba
    half = WORLD_MERCATOR[2] if view.crs.is_web_mercator else view.crs.half_turn
    pixel = (view.box[2] - view.box[0]) / view.width
    x = view.box[0] + pixel * (np.arange(view.width) + 0.5)
    rgba[:, np.abs(x) > half, 3] = 0
    return rgba


def tile_server(backend: Backend, drawable: Drawable) -> TileServer:
    """Where the tiles of a layer come from."""
    settings = backend.settings
    source = tile_source(backend, drawable)
    return TileServer(source["url"], settings.basemap_timeout, settings.fetch_private_addresses)


def tile_source(backend: Backend, drawable: Drawable) -> dict[str, str]:
    """The address template of a tile layer, and what must be said of where it comes from."""
    src = str(json.loads(drawable.layer.source or "{}").get("src"))
    return backend.settings.basemaps.get(src, {"url": src, "attribution": ""})


def _picture_layer(
    backend: Backend, drawable: Drawable, view: _View, images: dict[int, ImageLayer | None]
) -> PictureLayer | None:
    if drawable.layer.id in images:
        return images[drawable.layer.id]
    table, look = drawable.table, drawable.look
    if table is None or look is None or table.crs is None:
        return None
    crs = Crs.from_text(table.crs)
    boxes = boxes_in(_grown(view), view.crs, crs)
    query = Query(
        columns=look.columns,
        boxes=boxes,
        owner=drawable.owner,
        classes=look.classes,
        raster=raster_of(boxes, 2 * view.width, 2 * view.height),
    )
    batches = backend.store.read(drawable.account, table, query)
    return VectorLayer(str(drawable.layer.id), look.style, look.family, _moved(batches, crs, view.crs))


def _grown(view: _View) -> Bounds:
    xmin, ymin, xmax, ymax = view.box
    margin = (xmax - xmin) / view.width * MARGIN
    return Bounds(xmin - margin, ymin - margin, xmax + margin, ymax + margin)


def _moved(batches: Iterator[Batch], source: Crs, target: Crs) -> Iterator[Batch]:
    for batch in batches:
        assert batch.geometry is not None
        yield replace(batch, geometry=reproject(batch.geometry, source, target))


def background_colour(found: Map) -> Colour:
    """The map's ``bgcolor``; white when there is none, or none that can be read."""
    try:
        return colour(found.bgcolor or "255,255,255")
    except ValueError:
        return 255, 255, 255


def save(backend: Backend, actor: Actor, drawn: Drawn, path: str) -> None:
    """Store a picture in the caller's storage. Raises ``Forbidden``, ``BadRequest``, ``Conflict``."""
    need.signed_in(actor)
    suffix = PurePosixPath(path).suffix.lower()
    if suffix not in PICTURE_SUFFIXES[drawn.format]:
        expected = "a path that ends in " + " or ".join(PICTURE_SUFFIXES[drawn.format])
        raise BadRequest("This is no path for the picture.", field="saveto", value=path, expected=expected)
    at = place(backend, actor, path, "EDIT")
    try:
        if backend.files.info(at.account, at.path).is_dir:
            raise Conflict(f"{path} is a directory.", field="saveto", value=path)
    except NotFound:
        pass
    backend.files.write(at.account, at.path, io.BytesIO(drawn.content))
