"""Images: what they are, copies with overviews, windows of them in any projection."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.transform import Affine

from graticule.errors import BadRequest, NotFound
from graticule.transfer.rasters import open_raster, prepare, read_window

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MERCATOR = 20037508.342789244


def tif(path: Path, bands: NDArray[Any], **profile: Any) -> Path:
    """A GeoTIFF of bands (count, height, width) over the box 0 0 10 5 in EPSG:4326."""
    count, height, width = bands.shape
    colours = profile.pop("colormap", None)
    options = {"crs": "EPSG:4326", "transform": Affine(10 / width, 0, 0, 0, -5 / height, 5), **profile}
    with rasterio.open(
        path, "w", driver="GTiff", count=count, height=height, width=width, dtype=bands.dtype, **options
    ) as target:
        target.write(bands)
        if colours is not None:
            target.write_colormap(1, colours)
    return path


def picture(path: Path, width: int = 200, height: int = 100) -> Path:
    ramp = np.broadcast_to(np.linspace(0, 255, width).astype(np.uint8)[None, :, None], (height, width, 3))
    Image.fromarray(np.ascontiguousarray(ramp)).save(path)
    return path


def test_the_real_image(data_dir: Path, tmp_path: Path) -> None:
    path = data_dir / "earth.tif"
    info = open_raster(path)
    assert (info.width, info.height, info.bands, info.crs) == (2048, 1024, 3, "EPSG:4326")
    assert (info.box, info.has_overviews) == ((-180, -90, 180, 90), True)
    assert prepare(path, tmp_path / "copy.tif") == path
    world = read_window(path, (-MERCATOR, -MERCATOR, MERCATOR, MERCATOR), "EPSG:3857", 256, 256)
    assert (world.shape, world.dtype, world[..., 3].min()) == ((256, 256, 4), np.uint8, 255)
    ocean = read_window(path, (-3e6, 0, -2.9e6, 1e5), "EPSG:3857", 4, 4)
    assert (ocean[..., 2] > ocean[..., 0]).all()
    desert = read_window(path, (20, 22, 22, 24), "EPSG:4326", 4, 4)
    assert (desert[..., 0] > desert[..., 2] + 30).all()
    europe = read_window(path, (4321000 - 5e4, 3210000 - 5e4, 4321000 + 5e4, 3210000 + 5e4), "EPSG:3035", 10, 10)
    assert (europe[..., 1] > europe[..., 2]).all()


def test_outside_is_transparent(data_dir: Path) -> None:
    window = read_window(data_dir / "earth.tif", (-200, -100, 200, 100), "EPSG:4326", 400, 200)
    assert (window[0, :, 3] == 0).all()
    assert (window[:, 0, 3] == 0).all()
    assert (window[12:188, 22:378, 3] == 255).all()


@pytest.mark.parametrize(
    ("name", "world"), [("a.png", "a.pgw"), ("a.png", "a.wld"), ("a.jpg", "a.jgw"), ("b.jpeg", "b.wld")]
)
def test_pictures_with_a_world_file(tmp_path: Path, name: str, world: str) -> None:
    path = picture(tmp_path / name)
    with pytest.raises(BadRequest, match=f"“{name}” has no georeferencing"):
        open_raster(path)
    (tmp_path / world).write_text("0.1\n0\n0\n-0.1\n10.05\n49.95\n")
    info = open_raster(path)
    assert (info.crs, info.box) == ("EPSG:4326", pytest.approx((10, 40, 30, 50)))
    copy = prepare(path, tmp_path / "copy.tif")
    assert copy == tmp_path / "copy.tif"
    again = open_raster(copy)
    assert (again.crs, again.box, again.has_overviews) == ("EPSG:4326", pytest.approx((10, 40, 30, 50)), True)
    window = read_window(copy, (10, 40, 30, 50), "EPSG:4326", 200, 100)
    assert np.abs(window[50, 5:-5, 0].astype(int) - np.linspace(0, 255, 200)[5:-5]).max() < 8


def test_projection_of_a_picture(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png")
    (tmp_path / "a.pgw").write_text("10\n0\n0\n-10\n500005\n4999995\n")
    with pytest.raises(BadRequest, match=r"projection of “a\.png” is not known"):
        open_raster(path)
    assert open_raster(path, crs="3765").crs == "EPSG:3765"
    (tmp_path / "a.prj").write_text(rasterio.CRS.from_epsg(32633).to_wkt())
    assert open_raster(path).crs == "EPSG:32633"
    copy = prepare(path, tmp_path / "copy.tif")
    assert open_raster(copy).crs == "EPSG:32633"
    assert read_window(copy, (500000, 4999000, 502000, 5000000), "EPSG:32633", 20, 10)[..., 3].min() == 255


def test_a_large_image_gets_overviews(tmp_path: Path) -> None:
    path = tif(tmp_path / "big.tif", np.full((1, 1500, 1500), 77, np.uint8), nodata=0)
    assert not open_raster(path).has_overviews
    copy = prepare(path, tmp_path / "copy.tif")
    with rasterio.open(copy) as dataset:
        assert (dataset.profile["tiled"], dataset.overviews(1)[:1], dataset.nodata) == (True, [2], 0)
    assert read_window(copy, (0, 0, 10, 5), "EPSG:4326", 8, 4)[..., 0].tolist() == [[77] * 8] * 4


PALETTE = {0: (0, 0, 0, 0), 1: (255, 0, 0, 255), 2: (0, 0, 255, 255)}
HALF = np.zeros((1, 10, 20), np.uint8)
HALF[:, :, 10:] = 1
RAMP = np.tile(np.linspace(0, 1, 200), (100, 1))[None]
KINDS: list[tuple[str, NDArray[Any], dict[str, Any], tuple[int, ...], tuple[int, ...]]] = [
    ("grey", HALF * 100, {}, (0, 0, 0, 255), (100, 100, 100, 255)),
    ("nodata", HALF * 100, {"nodata": 0}, (-1, -1, -1, 0), (100, 100, 100, 255)),
    ("palette", HALF + 1, {"colormap": PALETTE}, (255, 0, 0, 255), (0, 0, 255, 255)),
    ("clear palette", HALF, {"colormap": PALETTE, "nodata": 0}, (-1, -1, -1, 0), (255, 0, 0, 255)),
    ("rgb", np.concatenate([HALF * 10, HALF * 20, HALF * 30]), {}, (0, 0, 0, 255), (10, 20, 30, 255)),
    ("rgba", np.concatenate([HALF * 10, HALF * 20, HALF * 30, HALF * 255]), {"photometric": "RGB", "alpha": "YES"},
     (-1, -1, -1, 0), (10, 20, 30, 255)),
    ("16 bit", (RAMP * 40000).astype(np.uint16), {}, (0, 0, 0, 255), (255, 255, 255, 255)),
    ("float", (RAMP * 3 - 1).astype(np.float32), {}, (0, 0, 0, 255), (255, 255, 255, 255)),
    ("holes", np.where(RAMP < 0.5, np.nan, RAMP).astype(np.float32), {}, (-1, -1, -1, 0), (255, 255, 255, 255)),
    ("signed", (RAMP * 200 - 100).astype(np.int16), {"nodata": -32768}, (0, 0, 0, 255), (255, 255, 255, 255)),
    ("constant", np.full((1, 10, 20), 7, np.uint16), {}, (0, 0, 0, 255), (0, 0, 0, 255)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("bands", "profile", "left", "right"), [kind[1:] for kind in KINDS], ids=[kind[0] for kind in KINDS]
)
def test_kinds_of_bands(
    tmp_path: Path, bands: Any, profile: dict[str, Any], left: tuple[int, ...], right: tuple[int, ...]
) -> None:
    window = read_window(tif(tmp_path / "k.tif", bands, **profile), (0, 0, 10, 5), "EPSG:4326", 40, 20)
    for found, wanted in ((window[10, 0], left), (window[10, -1], right)):
        assert all(want == -1 or abs(want - value) <= 1 for value, want in zip(found.tolist(), wanted, strict=True)), (
            found,
            wanted,
        )


def cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 255, (300, 300, 3), np.uint8)
    Image.fromarray(noise).save(buffer, kind)
    return buffer.getvalue()


BAD = [
    ("a.tif", b"hello", "“a.tif” is not a GeoTIFF image"), ("a.png", b"hello", "“a.png” is not a PNG image"),
    ("a.jpg", encoded("PNG"), "“a.jpg” is not a JPEG image"), ("a.png", b"", "“a.png” is empty"),
    ("a.tif", b"<VRTDataset rasterXSize='1' rasterYSize='1'/>", "“a.tif” is not a GeoTIFF image"),
    ("a.png", cut(encoded("PNG")), "“a.png” cannot be read"), ("a.jpg", cut(encoded("JPEG")), "“a.jpg” cannot be read"),
    ("a.bmp", encoded("BMP"), "“a.bmp” is not of a raster format"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "message"), BAD)
def test_bad_images(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    path.with_suffix(".wld").write_text("0.1\n0\n0\n-0.1\n10\n50\n")
    with pytest.raises(BadRequest) as error:
        open_raster(path)
    assert message in error.value.message
    assert str(tmp_path) not in error.value.message


def test_cut_geotiffs(tmp_path: Path, data_dir: Path) -> None:
    whole = (data_dir / "earth.tif").read_bytes()
    path = tmp_path / "earth.tif"
    for size in (len(whole) - 5000, len(whole) // 2, 2000, 100):
        path.write_bytes(whole[:size])
        with pytest.raises(BadRequest, match=r"“earth\.tif”"):
            open_raster(path)


def test_no_file_and_no_projection(tmp_path: Path, data_dir: Path) -> None:
    with pytest.raises(NotFound):
        open_raster(tmp_path / "a.tif")
    with pytest.raises(BadRequest, match="“EPSG:1” is not known"):
        read_window(data_dir / "earth.tif", (0, 0, 1, 1), "EPSG:1", 4, 4)
