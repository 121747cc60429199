"""What a picture is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graticule.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from graticule.model.features import Batch, Box, Family
    from graticule.style.model import Colour, LayerStyle

MAX_SIDE = 16384


@dataclass(frozen=True, slots=True)
class VectorLayer:
    """Features in the picture's projection.

    ``batches`` have geometry, the column ``__class`` (absent: all of class 0) and the columns that labels show. They
    are read once, as the picture is drawn. Geometries of another family are passed over.
    """

    name: str
    style: LayerStyle
    family: Family
    batches: Iterable[Batch]


@dataclass(frozen=True, slots=True)
class ImageLayer:
    """An image that covers exactly the picture: (height, width, 4), red, green, blue and unmultiplied alpha."""

    rgba: NDArray[np.uint8]
    alpha: float = 1.0


PictureLayer = VectorLayer | ImageLayer


@dataclass(frozen=True, slots=True)
class Picture:
    """``width`` × ``height`` pixels of ``box`` at ``zoom``, ``layers`` bottom first; no background is transparent.

    Raises ``BadRequest`` for a size or a box that cannot be drawn.
    """

    width: int
    height: int
    box: Box
    zoom: float
    layers: tuple[PictureLayer, ...] = ()
    background: Colour | None = None

    def __post_init__(self) -> None:
        if not (1 <= self.width <= MAX_SIDE and 1 <= self.height <= MAX_SIDE):
            raise BadRequest(f"A picture cannot have {self.width} × {self.height} pixels.", field="width")
        xmin, ymin, xmax, ymax = self.box
        if not all(math.isfinite(value) for value in self.box) or xmin >= xmax or ymin >= ymax:
            raise BadRequest("The bounds of the picture are empty.", field="bounds", value=list(self.box))

    @property
    def pixel(self) -> float:
        """The size of a pixel in map units, the larger of its sides."""
        xmin, ymin, xmax, ymax = self.box
        return max((xmax - xmin) / self.width, (ymax - ymin) / self.height)
