"""What is too small to see, drawn once instead of a thousand times.

Geometries smaller than half a pixel are gathered by cells of half a pixel. A cell is drawn as one geometry of the same
amount of ink: a square of the summed area, a stretch of the summed length, or a single point.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import shapely

from graticule.render.parts import size_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from graticule.model.features import Box, Family
    from graticule.render.parts import Parts

CELL_IN_PIXELS = 0.5

# Mapnik draws nothing of an outline of no length.
SMALLEST_IN_PIXELS = 0.01
PENDING_AT_MOST = 100_000
_ROW = 1 << 32


@dataclass(slots=True)
class _Cells:
    """Cells in drawing order: number, centre (x, y) and direction of the last geometry, on top, and summed ink."""

    number: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    centre: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    ink: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    along: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))


class Thinner:
    """Gathers the small geometries of one class; ``pixel`` is its size in map units."""

    def __init__(self, family: Family, box: Box, pixel: float) -> None:
        self.family = family
        self.origin = np.array(box[:2])
        self.pixel = pixel
        self.cell = CELL_IN_PIXELS * pixel
        self._cells = _Cells()
        self._pending: list[_Cells] = []
        self._waiting = 0

    def take_small(self, parts: Parts) -> Parts:
        """Keep the small ones of these parts, return the others."""
        small = np.all(parts.bounds[:, 2:] - parts.bounds[:, :2] < self.cell, axis=1)
        if small.any():
            self._add(parts.pick(small))
        return parts.pick(~small)

    def shapes(self) -> NDArray[np.float64]:
        """What to draw for the cells that something small lies in, in drawing order, as coordinates (n, vertices, 2).

        Points have one vertex, lines two, polygons are squares of five. The squares do not overlap.
        """
        self._merge()
        return {"polygon": self._squares, "line": self._stretches, "point": self._points}[self.family](self._cells)

    def _add(self, parts: Parts) -> None:
        centre = (parts.bounds[:, :2] + parts.bounds[:, 2:]) / 2
        column, row = cell_of(centre, self.origin, self.cell)
        self._pending.append(
            _Cells(column * _ROW + row, centre, size_of(parts.geometry, self.family), self._along(parts))
        )
        self._waiting += len(parts)
        if self._waiting > max(PENDING_AT_MOST, len(self._cells.number)):
            self._merge()

    def _along(self, parts: Parts) -> NDArray[np.float64]:
        """The unit vector from the first to the last vertex of a line; of anything else, and of loops, to the right."""
        right = np.tile([1.0, 0.0], (len(parts), 1))
        if self.family != "line":
            return right
        first, last = (shapely.get_coordinates(shapely.get_point(parts.geometry, end)) for end in (0, -1))
        length = np.hypot(*(last - first).T)[:, None]
        return np.where(length > 0, (last - first) / np.where(length > 0, length, 1.0), right)

    def _merge(self) -> None:
        groups = [self._cells, *self._pending]
        number = np.concatenate([group.number for group in groups])
        _, from_end, inverse = np.unique(number[::-1], return_index=True, return_inverse=True)
        ink = np.zeros(len(from_end))
        np.add.at(ink, inverse[::-1], np.concatenate([group.ink for group in groups]))
        last = len(number) - 1 - from_end
        order = np.argsort(last)
        last = last[order]
        centre = np.concatenate([group.centre for group in groups])[last]
        along = np.concatenate([group.along for group in groups])[last]
        self._cells, self._pending, self._waiting = _Cells(number[last], centre, ink[order], along), [], 0

    def _squares(self, cells: _Cells) -> NDArray[np.float64]:
        """In the middle of their cells, so that they do not overlap."""
        middle = (np.stack(np.divmod(cells.number, _ROW), axis=1) + 0.5) * self.cell + self.origin
        return squares(middle, np.clip(np.sqrt(cells.ink), SMALLEST_IN_PIXELS * self.pixel, self.cell))

    def _stretches(self, cells: _Cells) -> NDArray[np.float64]:
        half = np.clip(cells.ink, SMALLEST_IN_PIXELS * self.pixel, self.cell)[:, None] / 2 * cells.along
        return np.stack([cells.centre - half, cells.centre + half], axis=1)

    def _points(self, cells: _Cells) -> NDArray[np.float64]:
        return cells.centre[:, None, :]


def cell_of(
    centre: NDArray[np.float64], origin: NDArray[np.float64], cell: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Column and row of the cells that the centres (n, 2) lie in."""
    place = np.floor((centre - origin) / cell).astype(np.int64)
    return place[:, 0], place[:, 1]


def squares(centre: NDArray[np.float64], side: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Closed rings (n, 5, 2) of squares about the centres (n, 2), in map units."""
    corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5)])
    sides = np.broadcast_to(np.asarray(side, float), len(centre))
    return np.asarray(centre[:, None, :] + corners * sides[:, None, None])
