"""Features of several layers in one order: found by their ids first, and read when it is known which are wanted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from graticule.actions import features

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from graticule.actions.features import LayerData
    from graticule.backend import Backend
    from graticule.model.features import Batch, Query

# What a batch calls the index of the condition that holds.
CLASS = "__class"


@dataclass(frozen=True, slots=True)
class Found:
    """One feature: the row ``at`` of a batch of its layer, and how far it is where that was asked, in metres."""

    data: LayerData
    batch: Batch
    at: int
    distance: float | None = None


@dataclass(frozen=True, slots=True)
class Hits:
    """Ids of features with their distances in metres, both (n,)."""

    ids: NDArray[np.int64]
    distances: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)


def hits_of(pairs: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]]) -> Hits:
    """Hits that came in several batches."""
    ids = [np.empty(0, np.int64), *(ids for ids, _ in pairs)]
    return Hits(np.concatenate(ids), np.concatenate([np.empty(0), *(distances for _, distances in pairs)]))


def nearest(hits: Sequence[Hits], skip: int, size: int | None) -> list[tuple[int, int, float]]:
    """A page of all hits together, the nearest first: which of ``hits`` each is of, its id and its distance."""
    whose = np.repeat(np.arange(len(hits)), [len(one) for one in hits])
    together = hits_of([(one.ids, one.distances) for one in hits])
    order = np.lexsort((together.ids, whose, together.distances))[skip:][:size]
    picked = zip(whose[order].tolist(), together.ids[order].tolist(), together.distances[order].tolist(), strict=True)
    return list(picked)


def read(
    backend: Backend, layers: Sequence[tuple[LayerData, Query]], picked: Sequence[tuple[int, int, float]]
) -> list[Found]:
    """The features that were picked, in that order, with what each layer's query asks of them.

    One that was deleted meanwhile is left out.
    """
    places: dict[tuple[int, int], tuple[Batch, int]] = {}
    for index, (data, query) in enumerate(layers):
        ids = tuple(feature for whose, feature, _ in picked if whose == index)
        if ids:
            wanted = replace(query, ids=ids, where=None, boxes=())
            for batch in features.read_batches(backend, data, wanted):
                places |= {(index, feature): (batch, at) for at, feature in enumerate(batch.ids.tolist())}
    return [
        Found(layers[whose][0], *places[whose, feature], distance)
        for whose, feature, distance in picked
        if (whose, feature) in places
    ]
