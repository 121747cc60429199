"""Pictures drawn with Mapnik (https://mapnik.org). This folder is the only importer of it.

Geometries come in the picture's projection, so Mapnik is told one and the same projection for the map and all layers
and never projects. Each class is handed over by itself, so its rules need no filter. Every picture has its own map and
image: any number may be drawn at once, and Mapnik lets go of Python's lock while it draws.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import mapnik
import numpy as np

from graticule.errors import BadRequest
from graticule.render.layer_content import LayerContent
from graticule.render.legend_panel import legend_panel
from graticule.render.picture import ImageLayer, VectorLayer
from graticule.render.png import encode_png
from graticule.style.model import Label, shown_at
from graticule.style.to_mapnik import map_xml

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from graticule.model.features import Family
    from graticule.render.legend_panel import LegendLayer
    from graticule.render.picture import Picture
    from graticule.style.model import Symbolizer

Format = Literal["png", "jpg"]
FORMATS: tuple[Format, ...] = ("png", "jpg")

PROJECTION = "epsg:3857"
JPEG = "jpeg85"
WHITE = (255, 255, 255)


def render(picture: Picture, fmt: Format, legend: tuple[LegendLayer, ...] = ()) -> bytes:
    """The picture as a PNG or JPEG file, with a legend to its right if any. A JPEG without background is white.

    Raises ``BadRequest`` for another format, and what the layers' batches raise.
    """
    if fmt not in FORMATS:
        raise BadRequest(f"Pictures cannot be had as {fmt}.", field="format", value=fmt, expected="png or jpg")
    image = _draw(picture)
    if legend:
        panel = _draw(legend_panel(legend, picture.height))
        image = _image_of(np.concatenate([_pixels(image), _pixels(panel)], axis=1))
    if fmt == "jpg":
        return _on_white(image).to_string(JPEG)  # type: ignore[no-any-return]
    return encode_png(_pixels(image), photo=any(isinstance(layer, ImageLayer) for layer in picture.layers))


def _draw(picture: Picture) -> mapnik.Image:
    """The picture as an image of Mapnik's, unmultiplied.

    Labels come last, above the geometry of all layers; those of the top layer find their places first.
    """
    image = _blank(picture.width, picture.height, picture.background)
    detector = mapnik.LabelCollisionDetector(mapnik.Box2d(0, 0, picture.width, picture.height))
    labels: list[tuple[mapnik.Map, float]] = []
    for layer in picture.layers:
        if isinstance(layer, ImageLayer):
            _lay_over(image, _image_of(layer.rgba), layer.alpha)
        elif layer.style.alpha > 0 and shown_at(picture.zoom, layer.style):
            of_geometry, of_labels = _maps_of(picture, layer)
            _draw_map(image, of_geometry, layer.style.alpha, detector)
            labels.append((of_labels, layer.style.alpha))
    for drawing, alpha in reversed(labels):
        _draw_map(image, drawing, alpha, detector)
    return image


def _draw_map(image: mapnik.Image, drawing: mapnik.Map, alpha: float, detector: mapnik.LabelCollisionDetector) -> None:
    """A translucent layer is drawn apart and laid over as a whole: its own features do not shine through."""
    if not len(drawing.layers):
        return
    if alpha >= 1:
        mapnik.render_with_detector(drawing, image, detector)
        return
    apart = mapnik.Image(image.width(), image.height())
    mapnik.render_with_detector(drawing, apart, detector)
    _lay_over(image, apart, alpha)


def _maps_of(picture: Picture, layer: VectorLayer) -> tuple[mapnik.Map, mapnik.Map]:
    """The geometry of a layer, and its labels."""
    drawn = [entry for entry in layer.style.drawn() if shown_at(picture.zoom, entry[2])]
    content = LayerContent(picture, layer.family, [(n, symbolizer) for n, _, symbolizer in drawn])
    for batch in layer.batches:
        content.add(batch)
    pairs = [(entry[2], source) for entry, source in zip(drawn, content.datasources(), strict=True)]
    geometry = [pair for pair in pairs if not isinstance(pair[0], Label)]
    labels = [pair for pair in pairs if isinstance(pair[0], Label)]
    return (
        _map_of(picture, layer.family, geometry, content.margin),
        _map_of(picture, layer.family, labels, content.margin),
    )


def _map_of(
    picture: Picture, family: Family, pairs: list[tuple[Symbolizer, mapnik.MemoryDatasource]], margin: int
) -> mapnik.Map:
    drawing = mapnik.Map(picture.width, picture.height, PROJECTION)
    drawing.aspect_fix_mode = mapnik.aspect_fix_mode.RESPECT
    mapnik.load_map_from_string(drawing, map_xml([symbolizer for symbolizer, _ in pairs], family))
    drawing.srs = PROJECTION
    drawing.buffer_size = margin
    for number, (_, datasource) in enumerate(pairs):
        drawing.layers.append(_mapnik_layer(str(number), datasource))
    drawing.zoom_to_box(mapnik.Box2d(*picture.box))
    return drawing


def _mapnik_layer(name: str, datasource: mapnik.MemoryDatasource) -> mapnik.Layer:
    layer = mapnik.Layer(name, PROJECTION)
    layer.datasource = datasource
    layer.styles.append(name)
    return layer


# ---------------------------------------------------------------- images


def _blank(width: int, height: int, colour: tuple[int, int, int] | None) -> mapnik.Image:
    image = mapnik.Image(width, height)
    if colour is not None:
        image.fill(mapnik.Color(*colour))
    return image


def _lay_over(below: mapnik.Image, above: mapnik.Image, alpha: float) -> None:
    """Mapnik composites premultiplied images, and draws on others."""
    below.premultiply()
    above.premultiply()
    below.composite(above, mapnik.CompositeOp.src_over, alpha)
    below.demultiply()


def _on_white(image: mapnik.Image) -> mapnik.Image:
    white = _blank(image.width(), image.height(), WHITE)
    _lay_over(white, image, 1.0)
    return white


def _image_of(rgba: NDArray[np.uint8]) -> mapnik.Image:
    """The binding takes no pixels, only files: one that is not packed costs little."""
    return mapnik.Image.from_buffer(encode_png(rgba, level=0))


def _pixels(image: mapnik.Image) -> NDArray[np.uint8]:
    return np.frombuffer(image.to_string(), np.uint8).reshape(image.height(), image.width(), 4)
