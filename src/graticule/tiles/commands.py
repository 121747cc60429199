"""Paths on a tile's grid as the command integers of a vector tile's geometries.

Source: Mapbox Vector Tile Specification 2.1, section 4.3: MoveTo, LineTo and ClosePath with their counts, followed by
zigzag-coded steps from vertex to vertex. The first vertex of a feature is a step from the tile's north-west corner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from graticule.tiles.paths import POINT, POLYGON, Paths
from graticule.tiles.varints import spread, zigzag

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOVE_TO, _LINE_TO, _CLOSE_PATH = 1, 2, 7


@dataclass(frozen=True, slots=True)
class Shapes:
    """Geometries: ``counts[i]`` of ``tokens`` are those of feature i, made from ``rows[i]``, of type ``kinds[i]``."""

    tokens: NDArray[np.uint64]
    counts: NDArray[np.int64]
    rows: NDArray[np.int64]
    kinds: NDArray[np.int64]


def commands(paths: Paths, family: int) -> Shapes:
    """One feature for each row of the paths; ``family`` is the specification's number of a geometry type."""
    lengths = 2 * paths.sizes + {POINT: 1, POLYGON: 3}.get(family, 2)
    ends = np.cumsum(lengths)
    base = ends - lengths
    fixed = [(base, (paths.sizes if family == POINT else 1) << 3 | _MOVE_TO)]
    if family != POINT:
        fixed.append((base + 3, (paths.sizes - 1) << 3 | _LINE_TO))
    if family == POLYGON:
        fixed.append((ends - 1, 1 << 3 | _CLOSE_PATH))
    features = np.flatnonzero(np.diff(paths.rows, prepend=-1))
    tokens = _filled(fixed, zigzag(_steps(paths, features)).ravel())
    return Shapes(tokens, np.add.reduceat(lengths, features), paths.rows[features], np.full(len(features), family))


def _filled(fixed: list[tuple[NDArray[np.int64], Any]], steps: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The commands at their places, and the steps in the places that these leave free."""
    tokens = np.empty(len(steps) + sum(len(places) for places, _ in fixed), np.uint64)
    free = np.ones(len(tokens), bool)
    for places, command in fixed:
        tokens[places] = command
        free[places] = False
    tokens[free] = steps
    return tokens


def _steps(paths: Paths, features: NDArray[np.int64]) -> NDArray[np.int64]:
    """Steps from vertex to vertex, through all paths of a feature; ``features`` are the indices of first paths."""
    steps = np.diff(paths.xy, axis=0, prepend=0)
    first = paths.starts[features]
    steps[first] = paths.xy[first]
    return steps


def in_row_order(shapes: list[Shapes]) -> Shapes:
    """Shapes of several families as one, features in the order of their rows."""
    tokens, counts, rows, kinds = (np.concatenate([getattr(s, n) for s in shapes]) for n in Shapes.__slots__)
    if len(shapes) == 1:
        return shapes[0]
    order = np.argsort(rows, kind="stable")
    starts = np.cumsum(counts) - counts
    return Shapes(tokens[spread(starts[order], counts[order])], counts[order], rows[order], kinds[order])
