"""How long a vector tile's layer takes: random polygons of 7 vertices with 4 attributes, median of many runs.

Run it with ``python benchmarks/bench_mvt.py``.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np
import shapely

from graticule.tiles.grid import tile_box
from graticule.tiles.mvt import encode_layer

TILE = (12, 2200, 1343)
RUNS = 100


def polygons(count: int, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.object_]]:
    """Star-shaped polygons, spread over the tile and a little beyond, up to a hundredth of it wide."""
    xmin, ymin, xmax, ymax = tile_box(*TILE)
    width = xmax - xmin
    centres = rng.uniform((xmin - width / 64, ymin - width / 64), (xmax + width / 64, ymax + width / 64), (count, 2))
    angles = np.sort(rng.uniform(0, 2 * np.pi, (count, 7)), axis=1)
    radii = rng.uniform(0.4, 1, (count, 7)) * rng.uniform(width / 800, width / 200, (count, 1))
    offsets = np.stack((radii * np.cos(angles), radii * np.sin(angles)), axis=-1)
    made: np.ndarray[Any, np.dtype[np.object_]] = shapely.polygons(centres[:, None, :] + offsets)
    return made


def attributes(count: int, rng: np.random.Generator) -> dict[str, list[Any]]:
    """Names all different, heights mostly so, floors and kinds often the same."""
    return {
        "name": [f"Building {number}" for number in range(count)],
        "height": rng.uniform(3, 90, count).round(2).tolist(),
        "floors": rng.integers(1, 30, count).tolist(),
        "kind": rng.choice(["house", "shop", "school", "garage"], count).tolist(),
    }


def main() -> None:
    """Print the medians."""
    rng = np.random.default_rng(7)
    for count in (1000, 4000):
        shapes, columns, ids = polygons(count, rng), attributes(count, rng), np.arange(count, dtype=np.int64)
        times = []
        for _ in range(RUNS):
            start = time.perf_counter()
            layer = encode_layer("buildings", ids, shapes, columns, tile_box(*TILE))
            times.append(time.perf_counter() - start)
        print(f"{count} polygons: {statistics.median(times) * 1000:.2f} ms, {len(layer)} bytes")


if __name__ == "__main__":
    main()
