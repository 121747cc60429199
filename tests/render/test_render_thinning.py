"""Features too small to see are drawn once, and the picture stays the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely

from graticule.render import thinning
from graticule.render.parts import take_apart
from graticule.render.thinning import Thinner

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from studio import Studio

    from graticule.model.features import Family

BOX = (0.0, 0.0, 100.0, 100.0)


def tiny(family: Family, number: int, seed: int = 1) -> NDArray[Any]:
    """Small things in the left half, denser to the left."""
    random = np.random.default_rng(seed)
    x, y = 50 * random.random(number) ** 2, random.uniform(0, 100, number)
    size = random.uniform(0.02, 0.3, number)
    if family == "polygon":
        return np.asarray(shapely.box(x, y, x + size, y + size))
    if family == "line":
        return np.asarray(shapely.linestrings(np.stack([np.c_[x, y], np.c_[x + size, y - size]], axis=1)))
    return np.asarray(shapely.points(x, y))


@pytest.mark.parametrize(
    ("family", "style", "tolerance"),
    [
        ("polygon", [{"color": "0,0,0"}], 3),
        ("polygon", [{"color": "255,0,0", "bordercolor": "0,0,0"}], 8),
        ("line", [{"color": "0,0,0", "width": 1}], 10),
        ("point", [{"symbol": {"color": "255,0,0", "border": "0,0,0", "bw": 1, "size": 5}}], 1),
    ],
)
def test_the_picture_stays_the_same(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, family: Family, style: Any, tolerance: float
) -> None:
    batch = studio.batch(tiny(family, 20_000))
    thinned = studio.draw(studio.layer(family, style, batch))
    monkeypatch.setattr(thinning, "CELL_IN_PIXELS", 0.0 if family != "point" else 1e-6)
    whole = studio.draw(studio.layer(family, style, batch))
    difference = np.abs(_blurred(thinned) - _blurred(whole))
    assert (whole[:, :40, 1] < 200).mean() > 0.1
    assert difference.mean() < tolerance
    assert (thinned[:, 60:] == 255).all()


def _blurred(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Means of 4 × 4 pixels."""
    return np.asarray(pixels[:, :, :3].astype(float).reshape(25, 4, 25, 4, 3).mean(axis=(1, 3)))


def test_at_most_one_a_cell_across_batches_in_order(studio: Studio) -> None:
    thinner = Thinner("point", BOX, pixel=1.0)
    for seed in range(5):
        parts = take_apart(studio.batch(tiny("point", 5_000, seed)), "point", BOX)
        assert len(thinner.take_small(parts)) == 0
    points = thinner.shapes()[:, 0]
    cells = np.floor(points / 0.5)
    assert len(np.unique(cells, axis=0)) == len(points) <= 200 * 200
    assert (points[-1] == shapely.get_coordinates(tiny("point", 5_000, 4)[-1])[0]).all()


def test_areas_add_up_to_no_more_than_the_cell(studio: Studio) -> None:
    thinner = Thinner("polygon", BOX, pixel=1.0)
    few, many = [shapely.box(10.1, 10.1, 10.2, 10.2)] * 3, [shapely.box(20.1, 20.1, 20.4, 20.4)] * 300
    thinner.take_small(take_apart(studio.batch([*few, *many]), "polygon", BOX))
    assert shapely.area(shapely.polygons(thinner.shapes())) == pytest.approx([0.03, 0.25])


def test_large_features_pass(studio: Studio) -> None:
    thinner = Thinner("polygon", BOX, pixel=1.0)
    parts = take_apart(studio.batch([shapely.box(0, 0, 0.1, 5), shapely.box(1, 1, 1.1, 1.1)]), "polygon", BOX)
    assert thinner.take_small(parts).rows.tolist() == [0]


def test_thinning_is_by_class(studio: Studio) -> None:
    style = [
        {"expression": "a", "symbol": {"color": "255,0,0", "size": 3}},
        {"symbol": {"color": "0,0,255", "size": 9}},
    ]
    batch = studio.batch([shapely.Point(50, 50)] * 2, __class=[0, 1])
    pixels = studio.draw(studio.layer("point", style, batch))
    assert tuple(pixels[50, 50, :3]) == (255, 0, 0)
    assert tuple(pixels[47, 50, :3]) == (0, 0, 255)
