"""Whole pictures: formats, images, real data, several at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyogrio
import pytest
import shapely

from graticule.errors import BadRequest
from graticule.model.features import Batch
from graticule.render.mapnik_renderer import render
from graticule.render.picture import ImageLayer, Picture
from graticule.render.png import encode_png

if TYPE_CHECKING:
    from pathlib import Path

    from studio import Decoded, Studio

    from graticule.render.mapnik_renderer import Format

SQUARE = shapely.box(20, 20, 80, 80)


@pytest.mark.parametrize("photo", [False, True])
@pytest.mark.parametrize("level", [0, 1, 9])
@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (40, 60)])
def test_png_holds_every_value(photo: bool, level: int, shape: tuple[int, int], decoded: Decoded) -> None:
    rgba = np.random.default_rng(1).integers(0, 256, (*shape, 4), np.uint8)
    assert (decoded(encode_png(rgba, photo=photo, level=level), "png") == rgba).all()


def test_jpeg_is_on_white(studio: Studio, decoded: Decoded) -> None:
    layer = studio.layer("polygon", [{"color": "255,0,0"}], studio.batch([SQUARE]))
    pixels = decoded(render(studio.picture(layer, background=None), "jpg"), "jpg")
    assert pixels[5, 5].tolist() == pytest.approx([255, 255, 255, 255], abs=4)
    assert pixels[50, 50].tolist() == pytest.approx([254, 0, 0, 255], abs=4)


def test_an_unknown_format_is_refused(studio: Studio) -> None:
    with pytest.raises(BadRequest, match="gif"):
        render(studio.picture(), cast("Format", "gif"))


@pytest.mark.parametrize(
    ("width", "box"),
    [(0, (0, 0, 1, 1)), (20_000, (0, 0, 1, 1)), (10, (0, 0, 0, 1)), (10, (0, 0, np.inf, 1)), (10, (0, np.nan, 1, 1))],
)
def test_what_cannot_be_drawn_is_refused(width: int, box: Any) -> None:
    with pytest.raises(BadRequest):
        Picture(width, 10, box, 1)


def test_images_are_laid_over_with_their_alpha(studio: Studio) -> None:
    rgba = np.zeros((100, 100, 4), np.uint8)
    rgba[:, :50] = (0, 255, 0, 255)
    rgba[:, 50:75] = (0, 255, 0, 128)
    below = studio.layer("polygon", [{"color": "255,0,0"}], studio.batch([shapely.box(0, 0, 100, 50)]))
    pixels = studio.draw(below, ImageLayer(rgba, alpha=0.5))
    assert pixels[25, 25, :3].tolist() == pytest.approx([127, 255, 127], abs=2)
    assert pixels[75, 25, :3].tolist() == pytest.approx([127, 127, 0], abs=2)
    assert pixels[75, 60, :3].tolist() == pytest.approx([191, 64, 0], abs=2)
    assert pixels[75, 90, :3].tolist() == [255, 0, 0]


def test_features_are_drawn_above_an_image(studio: Studio) -> None:
    rgba = np.full((100, 100, 4), (0, 255, 0, 255), np.uint8)
    layer = studio.layer("polygon", [{"color": "255,0,0"}], studio.batch([SQUARE]))
    pixels = studio.draw(ImageLayer(rgba), layer)
    assert pixels[50, 50].tolist() == [255, 0, 0, 255]
    assert pixels[5, 5].tolist() == [0, 255, 0, 255]


def test_pixels_need_not_be_square(studio: Studio, decoded: Decoded) -> None:
    layer = studio.layer("polygon", [{"color": "255,0,0"}], studio.batch([shapely.box(0, 0, 50, 50)]))
    pixels = decoded(render(Picture(100, 50, (0, 0, 100, 100), 5, (layer,), (255, 255, 255)), "png"), "png")
    assert (pixels[:, :, 1] == 0).sum() == pytest.approx(50 * 25, abs=30)
    assert pixels[40, 10, 1] == 0


def test_several_pictures_at_once(studio: Studio) -> None:
    def draw(x: int) -> bytes:
        batch = studio.batch([shapely.box(x, 0, x + 10, 100)], name=[f"n{x}"])
        return render(
            studio.picture(studio.layer("polygon", [{"color": "255,0,0", "labelfield": "name"}], batch)), "png"
        )

    alone = [draw(x) for x in range(8)]
    together: list[bytes] = [b""] * 8

    def run(x: int) -> None:
        together[x] = draw(x)

    threads = [threading.Thread(target=run, args=(x,)) for x in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


@pytest.fixture(scope="module")
def countries(data_dir: Path) -> Batch:
    meta, table = pyogrio.read_arrow(f"/vsizip/{data_dir / 'countries.zip'}", columns=["NAME", "CONTINENT"])
    geometry = shapely.from_wkb(table[meta["geometry_name"] or "wkb_geometry"].to_numpy(zero_copy_only=False))
    classes = [0 if continent == "Europe" else 1 for continent in table["CONTINENT"].to_pylist()]
    return Batch(np.arange(len(geometry)), geometry, {"NAME": table["NAME"].to_pylist(), "__class": classes})


STYLE = [
    {"expression": "a", "color": "250,220,190", "bordercolor": "120,90,60", "labelfield": "NAME"},
    {"color": "200,220,250", "bordercolor": "60,90,120"},
]
PLACES = [
    ((2.5, 47.2), (250, 220, 190)),
    ((19.3, 52.5), (250, 220, 190)),
    ((34.0, 39.0), (200, 220, 250)),
    ((3.0, 33.0), (200, 220, 250)),
    ((-8.0, 46.0), (255, 255, 255)),
]


@pytest.mark.parametrize(
    "box", [(-180.0, -90.0, 180.0, 90.0), (-12.0, 30.0, 44.0, 58.0)], ids=["the world", "around Europe"]
)
def test_countries(studio: Studio, decoded: Decoded, countries: Batch, box: Any) -> None:
    layer = studio.layer("polygon", [{**entry, "fontsize": 8} for entry in STYLE], countries)
    pixels = decoded(render(Picture(720, 360, box, 3, (layer,), (255, 255, 255)), "png"), "png")
    xmin, ymin, xmax, ymax = box
    for (x, y), colour in PLACES:
        column, row = int((x - xmin) / (xmax - xmin) * 720), int((ymax - y) / (ymax - ymin) * 360)
        near = pixels[row - 3 : row + 4, column - 3 : column + 4, :3].reshape(-1, 3)
        assert (near == colour).all(axis=1).mean() > 0.4, (x, y)
