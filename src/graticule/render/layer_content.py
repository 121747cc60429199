"""The features of one layer of a picture, made into Mapnik's as they stream in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mapnik
import numpy as np
import shapely

from graticule.render.label_text import label_text
from graticule.render.parts import cut_large, grown, largest_of_each, take_apart
from graticule.render.thinning import Thinner, cell_of, squares
from graticule.style.model import Label, Line, Marker
from graticule.style.to_mapnik import LABEL_ATTRIBUTE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from graticule.model.features import Batch, Family
    from graticule.render.parts import Parts
    from graticule.render.picture import Picture
    from graticule.style.model import Symbolizer

# Two labels whose points share a cell of this many font sizes cannot both be placed.
LABEL_CELL = 0.5


class LayerContent:
    """``drawn`` is what is drawn, bottom first: pairs of a class's index and a symbolizer of that class."""

    def __init__(self, picture: Picture, family: Family, drawn: list[tuple[int, Symbolizer]]) -> None:
        self.family = family
        self.box = picture.box
        self.pixel = picture.pixel
        self.reach = grown(picture.box, *(2 * [_reach(drawn) * picture.pixel]))
        self.drawn = drawn
        self.geometry: dict[int, _Geometry] = {}
        self.labels: list[_Labels | None] = []
        for number, symbolizer in drawn:
            labels = _Labels(number, symbolizer, picture, family) if isinstance(symbolizer, Label) else None
            self.labels.append(labels)
            if labels is None and number not in self.geometry:
                self.geometry[number] = _Geometry(family, Thinner(family, self.reach, picture.pixel))

    def add(self, batch: Batch) -> None:
        """Take a batch; nothing of it is kept but what will be seen."""
        parts = cut_large(take_apart(batch, self.family, self.reach), self.box)
        for number, geometry in self.geometry.items():
            geometry.add(parts.pick(parts.classes == number))
        for labels in self.labels:
            if labels is not None:
                labels.add(parts, batch)

    def datasources(self) -> list[mapnik.MemoryDatasource]:
        """One for each of ``drawn``; complete after the last batch."""
        for geometry in self.geometry.values():
            geometry.finish()
        return [
            labels.datasource if labels is not None else self.geometry[number].datasource_for(symbolizer, self.pixel)
            for (number, symbolizer), labels in zip(self.drawn, self.labels, strict=True)
        ]


def _reach(drawn: list[tuple[int, Symbolizer]]) -> float:
    """How far outside the picture, in pixels, something may lie and still reach into it."""
    reaches = [1.0]
    for _, symbolizer in drawn:
        if isinstance(symbolizer, Marker):
            reaches.append(symbolizer.size / 2 + symbolizer.border_width)
        elif isinstance(symbolizer, Line):
            reaches.append(symbolizer.width * 2)  # miters stand out
    return max(reaches) + 1


class _Geometry:
    """The geometries of one class. Points stay arrays to the end, as boxes are made of them by the marker's size."""

    def __init__(self, family: Family, thinner: Thinner) -> None:
        self.family = family
        self.thinner = thinner
        self.datasource = mapnik.MemoryDatasource()
        self.points: NDArray[np.object_] = np.empty(0, object)
        self._context = mapnik.Context()
        self._count = 0

    def add(self, parts: Parts) -> None:
        self._feed(self.thinner.take_small(parts).geometry)

    def finish(self) -> None:
        rest = self.thinner.geometries()
        if self.family == "point":
            self.points = rest
        else:
            self._feed(rest)

    def datasource_for(self, symbolizer: Symbolizer, pixel: float) -> mapnik.MemoryDatasource:
        if self.family != "point":
            return self.datasource
        if isinstance(symbolizer, Marker) and symbolizer.shape == "box":
            return _datasource(squares(shapely.get_coordinates(self.points), symbolizer.size * pixel))
        return _datasource(np.array([shapely.multipoints(self.points)] if len(self.points) else [], object))

    def _feed(self, geometry: NDArray[np.object_]) -> None:
        self._count = _feed(self.datasource, self._context, geometry, self._count)


def _datasource(geometry: NDArray[np.object_]) -> mapnik.MemoryDatasource:
    datasource = mapnik.MemoryDatasource()
    _feed(datasource, mapnik.Context(), geometry, 0)
    return datasource


def _feed(
    datasource: mapnik.MemoryDatasource, context: mapnik.Context, geometry: NDArray[np.object_], count: int
) -> int:
    """Add features without attributes; the binding takes them one by one only."""
    make, from_wkb, add = mapnik.Feature, mapnik.Geometry.from_wkb, datasource.add_feature
    for wkb in shapely.to_wkb(geometry, output_dimension=2, byte_order=1).tolist():
        count += 1
        feature = make(context, count)
        feature.geometry = from_wkb(wkb)
        add(feature)
    return count


class _Labels:
    """The labels of one class: one a feature, without those that would lie upon an earlier one anyway."""

    def __init__(self, number: int, label: Label, picture: Picture, family: Family) -> None:
        self.number = number
        self.label = label
        self.family = family
        self.box = picture.box
        self.cell = label.size * LABEL_CELL * picture.pixel
        self.datasource = mapnik.MemoryDatasource()
        self._context = mapnik.Context()
        self._taken: set[tuple[int, int]] = set()
        self._count = 0

    def add(self, parts: Parts, batch: Batch) -> None:
        column = batch.columns.get(self.label.column)
        if column is None:
            return
        mine = largest_of_each(parts.pick(parts.classes == self.number), self.family)
        wkbs = shapely.to_wkb(mine.geometry, output_dimension=2, byte_order=1).tolist()
        for wkb, row, cell in zip(wkbs, mine.rows.tolist(), self._cells(mine), strict=True):
            text = label_text(column[row])
            if text and (self.family != "point" or cell not in self._taken):
                self._taken.add(cell)
                self._add_feature(wkb, text)

    def _cells(self, parts: Parts) -> list[tuple[int, int]]:
        centre = (parts.bounds[:, :2] + parts.bounds[:, 2:]) / 2
        column, row = cell_of(centre, np.array(self.box[:2]), self.cell)
        return list(zip(column.tolist(), row.tolist(), strict=True))

    def _add_feature(self, wkb: bytes, text: str) -> None:
        self._count += 1
        feature = mapnik.Feature(self._context, self._count)
        feature.geometry = mapnik.Geometry.from_wkb(wkb)
        feature[LABEL_ATTRIBUTE] = text
        self.datasource.add_feature(feature)
