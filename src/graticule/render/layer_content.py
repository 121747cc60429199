"""The features of one layer of a picture, made into Mapnik's as they stream in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import mapnik
import numpy as np
import shapely

from graticule.render.label_text import label_text
from graticule.render.parts import cut_large, grown, largest_of_each, size_of, take_apart
from graticule.render.thinning import Thinner, cell_of, squares
from graticule.render.wkb import multi_wkbs
from graticule.style.model import Label, Line, Marker
from graticule.style.to_mapnik import LABEL_ATTRIBUTE

if TYPE_CHECKING:
    from collections.abc import Iterable

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
        self.margin = _margin(drawn)
        self.reach = grown(picture.box, *(2 * [self.margin * picture.pixel]))
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
            labels.datasource() if labels is not None else self.geometry[number].datasource_for(symbolizer, self.pixel)
            for (number, symbolizer), labels in zip(self.drawn, self.labels, strict=True)
        ]


def _margin(drawn: list[tuple[int, Symbolizer]]) -> int:
    """How far outside the picture, in pixels, something may lie and still reach into it."""
    reaches = [1.0]
    for _, symbolizer in drawn:
        if isinstance(symbolizer, Marker):
            reaches.append(symbolizer.size / 2 + symbolizer.stroke)
        elif isinstance(symbolizer, Line):
            reaches.append(symbolizer.width * 2)  # miters stand out
    return math.ceil(max(reaches)) + 1


class _Geometry:
    """The geometries of one class. Points stay coordinates to the end: what is made of them is up to the marker."""

    def __init__(self, family: Family, thinner: Thinner) -> None:
        self.family = family
        self.thinner = thinner
        self.features = _Features()
        self.points: NDArray[np.float64] = np.empty((0, 1, 2))

    def add(self, parts: Parts) -> None:
        self.features.add(_wkbs(self.thinner.take_small(parts).geometry))

    def finish(self) -> None:
        shapes = self.thinner.shapes()
        if self.family == "point":
            self.points = shapes
        else:
            self.features.add(multi_wkbs(self.family, shapes))

    def datasource_for(self, symbolizer: Symbolizer, pixel: float) -> mapnik.MemoryDatasource:
        if self.family != "point":
            return self.features.datasource
        features = _Features()
        if isinstance(symbolizer, Marker) and symbolizer.shape == "box":
            features.add(_wkbs(shapely.polygons(squares(self.points[:, 0], symbolizer.across * pixel))))
        else:
            features.add(multi_wkbs(self.family, self.points))
        return features.datasource


class _Features:
    """A datasource that fills; the binding takes features one by one only."""

    def __init__(self) -> None:
        self.datasource = mapnik.MemoryDatasource()
        self._context = mapnik.Context()
        self._count = 0

    def add(self, wkbs: Iterable[bytes]) -> None:
        make, from_wkb, put = mapnik.Feature, mapnik.Geometry.from_wkb, self.datasource.add_feature
        for wkb in wkbs:
            self._count += 1
            feature = make(self._context, self._count)
            feature.geometry = from_wkb(wkb)
            put(feature)

    def add_text(self, wkb: bytes, text: str) -> None:
        self._count += 1
        feature = mapnik.Feature(self._context, self._count)
        feature.geometry = mapnik.Geometry.from_wkb(wkb)
        feature[LABEL_ATTRIBUTE] = text
        self.datasource.add_feature(feature)


def _wkbs(geometry: NDArray[np.object_]) -> list[bytes]:
    return shapely.to_wkb(geometry, output_dimension=2, byte_order=1).tolist()  # type: ignore[no-any-return]


class _Labels:
    """The labels of one class: one a feature, large features first, and none that would lie upon another anyway."""

    def __init__(self, number: int, label: Label, picture: Picture, family: Family) -> None:
        self.number = number
        self.label = label
        self.family = family
        self.origin = np.array(picture.box[:2])
        self.cell = label.size * LABEL_CELL * picture.pixel
        self._kept: dict[tuple[int, ...], tuple[float, bytes, str]] = {}
        self._seen = 0

    def add(self, parts: Parts, batch: Batch) -> None:
        column = batch.columns.get(self.label.column)
        if column is None:
            return
        mine = largest_of_each(parts.pick(parts.classes == self.number), self.family)
        wkbs = _wkbs(mine.geometry)
        sizes = size_of(mine.geometry, self.family).tolist()
        for wkb, size, row, key in zip(wkbs, sizes, mine.rows.tolist(), self._keys(mine), strict=True):
            text = label_text(column[row])
            if text and (key not in self._kept or size > self._kept[key][0]):
                self._kept[key] = (size, wkb, text)

    def datasource(self) -> mapnik.MemoryDatasource:
        """Mapnik places labels in this order; those that find no place are left out."""
        features = _Features()
        for _, wkb, text in sorted(self._kept.values(), key=lambda kept: -kept[0]):
            features.add_text(wkb, text)
        return features.datasource

    def _keys(self, parts: Parts) -> list[tuple[int, ...]]:
        """The cell of each part's label; a part that is larger than a cell has a key of its own."""
        low, high = parts.bounds[:, :2], parts.bounds[:, 2:]
        column, row = cell_of((low + high) / 2, self.origin, self.cell)
        small = np.all(high - low < self.cell, axis=1)
        own = self._seen + np.arange(len(parts))
        self._seen += len(parts)
        keys = zip(column.tolist(), row.tolist(), own.tolist(), small.tolist(), strict=True)
        return [(x, y) if is_small else (x, y, n) for x, y, n, is_small in keys]
