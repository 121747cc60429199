"""Vector tiles of real countries: Antarctica, Russia and Fiji reach the ends of the map and the antimeridian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyogrio
import pyproj
import pytest
import shapely
from mapbox_vector_tile import decode  # type: ignore[import-untyped]

from graticule.tiles.grid import tile_box
from graticule.tiles.mvt import encode_layer

if TYPE_CHECKING:
    from pathlib import Path

Countries = tuple[list[str], Any]


@pytest.fixture(scope="module")
def countries(data_dir: Path) -> Countries:
    """Names, and polygons in EPSG:3857."""
    path = f"/vsizip/{data_dir / 'countries.zip'}"
    _, _, geometry, (names,) = pyogrio.raw.read(path, columns=["NAME"])
    mercator = pyproj.Transformer.from_crs(4326, 3857, always_xy=True)

    def project(xy: Any) -> Any:
        return np.stack(mercator.transform(xy[:, 0], xy[:, 1].clip(-85.06, 85.06)), axis=-1)

    return names.tolist(), shapely.transform(shapely.from_wkb(geometry), project)


TILES = [
    ((0, 0, 0), {"Antarctica", "Russia", "Fiji", "Chile"}),
    ((3, 0, 7), {"Antarctica"}),
    ((3, 7, 1), {"Russia"}),
    ((3, 0, 1), {"Russia", "United States of America"}),
    ((3, 4, 2), {"Germany", "Italy", "Russia"}),
    ((3, 7, 4), {"Fiji"}),
    ((6, 0, 63), {"Antarctica"}),
    ((6, 63, 63), {"Antarctica"}),
    ((6, 0, 15), {"Russia"}),
    ((6, 63, 35), {"Fiji"}),
    ((6, 44, 18), {"Russia"}),
    ((6, 33, 22), {"France", "Switzerland", "Germany"}),
    ((14, 11500, 4700), {"Russia"}),
]


@pytest.mark.parametrize(("tile", "expected"), TILES)
def test_countries_are_drawn_right(countries: Countries, tile: tuple[int, int, int], expected: set[str]) -> None:
    names, shapes = countries
    box = tile_box(*tile)
    layer = decode(
        encode_layer("countries", np.arange(len(shapes)), shapes, {"name": names}, box),
        default_options={"y_coord_down": True},
    )
    features = layer["countries"]["features"]
    assert expected <= {feature["properties"]["name"] for feature in features}
    unit = (box[2] - box[0]) / 4096
    for feature in features:
        assert names[feature["id"]] == feature["properties"]["name"]
        check(shapely.geometry.shape(feature["geometry"]), in_tile(shapes[feature["id"]], box, unit))


def in_tile(shape: Any, box: Any, unit: float) -> Any:
    return shapely.transform(shapely.make_valid(shape), lambda xy: (xy - (box[0], box[3])) / (unit, -unit))


def check(found: Any, original: Any) -> None:
    """The same area in the tile to 1 %, or to a unit along the outline, and what is larger than a speck is valid."""
    tile = shapely.box(0, 0, 4096, 4096)
    big = [part for part in shapely.get_parts(found) if shapely.get_num_coordinates(part) > 40]
    assert shapely.is_valid(big).all()
    exact = original.intersection(tile)
    difference = shapely.make_valid(found).intersection(tile).symmetric_difference(exact).area
    assert difference <= max(0.01 * exact.area, exact.length + 4)
    assert difference <= exact.length + 4


def test_between_them_the_tiles_of_a_level_hold_every_country(countries: Countries) -> None:
    names, shapes = countries
    met: set[str] = set()
    for x in range(8):
        for y in range(8):
            layer = encode_layer("c", np.arange(len(shapes)), shapes, {"name": names}, tile_box(3, x, y))
            met |= {f["properties"]["name"] for f in decode(layer)["c"]["features"]} if layer else set()
    assert met == set(names)
