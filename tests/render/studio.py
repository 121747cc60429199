"""Pictures from a few lines: a map unit is a pixel, y upwards, 100 × 100."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from graticule.model.features import Batch
from graticule.render.mapnik_renderer import Format, render
from graticule.render.picture import Picture, PictureLayer, VectorLayer
from graticule.style.parse import layer_style, parse_styles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from graticule.model.features import Family

    Decoded = Callable[[bytes, Format], NDArray[np.uint8]]

SIDE = 100


class Studio:
    """Makes layers and pictures of them."""

    def batch(self, geometries: Iterable[BaseGeometry | None], **columns: list[Any]) -> Batch:
        geometry = np.array([*geometries, None], dtype=object)[:-1]
        return Batch(np.arange(len(geometry)), geometry, dict(columns))

    def layer(self, family: Family, styles: Any, *batches: Batch, **options: Any) -> VectorLayer:
        text = None if styles is None else json.dumps(styles)
        return VectorLayer("layer", layer_style(parse_styles(text, family), **options), family, batches)

    def picture(self, *layers: PictureLayer, zoom: float = 5, background: Any = (255, 255, 255)) -> Picture:
        return Picture(SIDE, SIDE, (0, 0, SIDE, SIDE), zoom, layers, background)

    def draw(self, *layers: PictureLayer, zoom: float = 5, background: Any = (255, 255, 255)) -> NDArray[np.uint8]:
        """Pixels as (row, column, red green blue alpha), row 0 at the top."""
        return decode(render(self.picture(*layers, zoom=zoom, background=background), "png"))


def decode(data: bytes, fmt: Format = "png") -> NDArray[np.uint8]:
    image = Image.open(io.BytesIO(data))
    assert image.format == {"png": "PNG", "jpg": "JPEG"}[fmt]
    return np.asarray(image.convert("RGBA"))
