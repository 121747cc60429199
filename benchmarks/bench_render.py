"""How long a picture of 5,000 polygons takes: ours from features in memory, Mapnik alone from files through GDAL.

    python benchmarks/bench_render.py [polygons]

Prints the median of the repeats in milliseconds.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mapnik
import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from graticule.model.features import Batch
from graticule.render.mapnik_renderer import render
from graticule.render.picture import Picture, VectorLayer
from graticule.style.parse import layer_style, parse_styles

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH, HEIGHT, REPEATS = 1024, 768, 15
STYLES = '[{"color": "#c8b090", "bordercolor": "#604020"}]'
XML = (
    '<Map srs="epsg:3857" background-color="white"><Style name="s"><Rule><PolygonSymbolizer fill="#c8b090"/>'
    '<LineSymbolizer stroke="#604020" stroke-width="1"/></Rule></Style></Map>'
)


def polygons(number: int) -> Any:
    """Buildings of 4 to 14 vertices, 3 to 9 pixels from their middle."""
    random = np.random.default_rng(1)
    rings = []
    for x, y, corners in zip(
        random.uniform(0, WIDTH, number), random.uniform(0, HEIGHT, number), random.integers(4, 15, number), strict=True
    ):
        angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
        radius = random.uniform(3, 9, corners)
        rings.append(shapely.Polygon(np.c_[x + radius * np.cos(angle), y + radius * np.sin(angle)]))
    return np.array(rings, dtype=object)


def median(run: Callable[[], object]) -> float:
    run()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def ours(geometry: Any) -> Picture:
    style = layer_style(parse_styles(STYLES, "polygon"))
    layer = VectorLayer("b", style, "polygon", [Batch(np.arange(len(geometry)), geometry)])
    return Picture(WIDTH, HEIGHT, (0, 0, WIDTH, HEIGHT), 15, (layer,), (255, 255, 255))


def mapnik_alone(path: Path) -> mapnik.Map:
    drawing = mapnik.Map(WIDTH, HEIGHT, "epsg:3857")
    mapnik.load_map_from_string(drawing, XML)
    layer = mapnik.Layer("b", "epsg:3857")
    layer.datasource = mapnik.Datasource(type="ogr", file=str(path), layer="b")
    layer.styles.append("s")
    drawing.layers.append(layer)
    drawing.zoom_to_box(mapnik.Box2d(0, 0, WIDTH, HEIGHT))
    return drawing


def mapnik_image(drawing: mapnik.Map) -> mapnik.Image:
    image = mapnik.Image(WIDTH, HEIGHT)
    mapnik.render(drawing, image)
    return image


def write(path: Path, geometry: Any) -> None:
    table = pa.table({"fid": np.arange(len(geometry)), "geometry": shapely.to_wkb(geometry)})
    pyogrio.write_arrow(table, path, layer="b", geometry_type="Polygon", geometry_name="geometry", crs="EPSG:3857")


def main() -> None:
    geometry = polygons(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
    picture = ours(geometry)
    print(f"graticule, png            {median(lambda: render(picture, 'png')):7.1f} ms")
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("fgb", "gpkg"):
            write(Path(folder) / f"b.{suffix}", geometry)
            drawing = mapnik_alone(Path(folder) / f"b.{suffix}")
            for fmt in ("png32", "png32:z=1"):
                run = lambda m=drawing, f=fmt: mapnik_image(m).to_string(f)  # noqa: E731
                print(f"mapnik, {suffix:4}, {fmt:10}  {median(run):7.1f} ms")


if __name__ == "__main__":
    main()
