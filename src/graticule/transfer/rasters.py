"""Raster files: what they are, copies with overviews, and windows of them as pictures; the only user of rasterio."""

from __future__ import annotations

import math
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
import rasterio.shutil
from rasterio._err import CPLE_BaseError
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import CRSError, RasterioError
from rasterio.io import MemoryFile
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds

from graticule.errors import BadRequest, NotFound
from graticule.transfer import projections
from graticule.transfer.drivers import group, require_format, sidecar
from graticule.transfer.hush import hush

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from graticule.model.features import Box

# Without overviews an image of at most so many pixels is read whole for every picture.
SMALL_PIXELS = 1024 * 1024
SAMPLE_SIZE = 512
# So large an image may be, whatever its file's size; a larger one may be packed so well.
RATIO_FREE_VALUES, MOST_VALUES_PER_BYTE = 256 * 1024 * 1024, 250
PNG = b"\x89PNG\r\n\x1a\n"
PERCENTILES = (2, 98)
FOREIGN = (RasterioError, CRSError, CPLE_BaseError, OSError, ValueError)

_ENV = {
    "GDAL_ERROR_ON_LIBJPEG_WARNING": "TRUE",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "GDAL_CACHEMAX": 128,
}


@dataclass(frozen=True, slots=True)
class RasterInfo:
    """A georeferenced image: its size in pixels, number of bands, projection, extent in that, and value for no data."""

    width: int
    height: int
    bands: int
    crs: str
    box: Box
    has_overviews: bool
    nodata: float | None


@contextmanager
def _opened(path: Path, **options: Any) -> Iterator[Any]:
    """The dataset, opened with no driver but that of its extension; rasterio's errors leave as BadRequest."""
    row = require_format(path, "raster")
    if str(path).startswith("/vsi") or not path.is_file():
        raise NotFound(f"There is no file “{path.name}”.")
    if path.stat().st_size == 0:
        raise BadRequest(f"“{path.name}” is empty.")
    if row.name == "png":
        _check_png(path)
    with ExitStack() as stack:
        stack.enter_context(hush)
        stack.enter_context(rasterio.Env(**_ENV))
        plain = stack.enter_context(_alone(path))
        try:
            dataset = stack.enter_context(rasterio.open(plain, driver=row.drivers[0], **options))
        except FOREIGN as error:
            raise BadRequest(f"“{path.name}” is not a {row.title} image, or is damaged.") from error
        if dataset.tags(ns="OVERVIEWS"):
            raise BadRequest(f"“{path.name}” names another file as its overviews, which is not allowed.")
        try:
            yield dataset
        except FOREIGN as error:
            raise BadRequest(f"“{path.name}” cannot be read: the image is damaged.") from error


@contextmanager
def _alone(path: Path) -> Iterator[Path]:
    """The same file with nothing beside it but its sidecars: GDAL would look for more, and follow what they name."""
    with TemporaryDirectory(prefix="graticule-") as folder:
        for part in group(path.absolute()):
            (type(path)(folder) / ("data" + part.name[len(path.stem) :])).symlink_to(part)
        yield type(path)(folder) / ("data" + path.suffix)


def _check_png(path: Path) -> None:
    """The chunks up to the last, IEND (ISO/IEC 15948, 5.3): GDAL fills what a file that was cut off lacks."""
    with path.open("rb") as file:
        if file.read(len(PNG)) != PNG:
            raise BadRequest(f"“{path.name}” is not a PNG image, or is damaged.")
        size = path.stat().st_size
        while len(head := file.read(8)) == 8 and file.tell() <= size:
            if head[4:] == b"IEND":
                return
            file.seek(int.from_bytes(head[:4], "big") + 4, 1)
    raise BadRequest(f"“{path.name}” cannot be read: the image is cut off.")


def open_raster(path: Path, *, crs: str | None = None) -> RasterInfo:
    """What the image is. ``crs`` is its projection where the file does not say it.

    Raises NotFound for no file, BadRequest for what is no image, is cut off, has no georeferencing or, where its
    coordinates are not in degrees, no projection.
    """
    with _opened(path) as dataset:
        box = _box(dataset, path)
        projection = _projection(dataset, path, box, crs)
        if np.dtype(dataset.dtypes[0]).kind == "c":
            raise BadRequest(f"“{path.name}” has complex numbers, which cannot be drawn.")
        _check_ratio(dataset, path)
        overviews = len(dataset.overviews(1))
        _read_end(dataset)
        small = dataset.width * dataset.height <= SMALL_PIXELS
        info = RasterInfo(
            dataset.width, dataset.height, dataset.count, projection, box, small or overviews > 0, dataset.nodata
        )  # fmt: skip
    for level in range(overviews):
        with _opened(path, overview_level=level) as dataset:
            _read_end(dataset)
    return info


def _check_ratio(dataset: Any, path: Path) -> None:
    """Raises BadRequest for a large image of next to nothing: it would keep the server busy for hours."""
    values = dataset.width * dataset.height * dataset.count
    if values > RATIO_FREE_VALUES and values > MOST_VALUES_PER_BYTE * path.stat().st_size:
        raise BadRequest(
            f"“{path.name}” unpacks to far more than it holds: {dataset.width} by {dataset.height} pixels."
        )


def _read_end(dataset: Any) -> None:
    """Reads the last block, which a file that was cut off lacks."""
    *_, (_, last) = dataset.block_windows(1)
    dataset.read(1, window=last)


def _box(dataset: Any, path: Path) -> Box:
    transform = dataset.transform
    if transform.is_identity or transform.determinant == 0:
        raise BadRequest(
            f"“{path.name}” has no georeferencing: neither in the file itself nor in a world file beside it.",
            expected=f"a GeoTIFF, or a world file such as {path.stem}.wld",
        )
    corners = [transform @ corner for corner in _corners(dataset)]
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _corners(dataset: Any) -> list[tuple[int, int]]:
    return [(0, 0), (dataset.width, 0), (0, dataset.height), (dataset.width, dataset.height)]


def _projection(dataset: Any, path: Path, box: Box, stated: str | None) -> str:
    beside = sidecar(path, ".prj")
    own = dataset.crs.to_wkt() if dataset.crs else beside.read_text("utf-8", "replace") if beside else None
    found = projections.identify(own) or (projections.stated(stated) if stated else None)
    if found is not None:
        return found
    if own is None and projections.fits_lonlat(box):
        return projections.LONLAT
    raise BadRequest(f"The projection of “{path.name}” is not known; state it.", field="epsg", expected="an EPSG code")


def prepare(path: Path, target: Path, *, crs: str | None = None) -> Path:
    """A file that pictures are drawn from fast: ``path`` itself where it will do, else a copy made at ``target``.

    The copy is a Cloud Optimized GeoTIFF in the same projection; it loses nothing but what was a JPEG before.
    """
    info = open_raster(path, crs=crs)
    if info.has_overviews and require_format(path, "raster").name == "tif":
        return path
    with _opened(path) as dataset, MemoryFile(ext=".vrt") as memory:
        rasterio.shutil.copy(dataset, memory.name, driver="VRT")
        with rasterio.open(memory.name, "r+", driver="VRT") as described:
            described.crs = rasterio.CRS.from_user_input(info.crs)
        rasterio.shutil.copy(memory.name, target, driver="COG", **_cog_options(dataset))
    return target


def _cog_options(dataset: Any) -> dict[str, str]:
    options = {"bigtiff": "IF_SAFER", "overview_resampling": "NEAREST" if _palette(dataset) else "AVERAGE"}
    was_jpeg = dataset.driver == "JPEG" or dataset.compression == rasterio.enums.Compression.jpeg
    if was_jpeg and dataset.count in (1, 3):
        return options | {"compress": "JPEG", "quality": "85"}
    # Samples of fewer than 8 bits have no predictor.
    predictor = "NO" if "NBITS" in dataset.tags(1, ns="IMAGE_STRUCTURE") else "YES"
    return options | {"compress": "DEFLATE", "predictor": predictor}


def _palette(dataset: Any) -> bool:
    return bool(dataset.colorinterp[0] == ColorInterp.palette)


def read_window(
    path: Path, box: Box, crs: str, width: int, height: int, *, source_crs: str | None = None
) -> NDArray[np.uint8]:
    """The part of the image in a box of any projection, as (height, width, 4) bytes RGBA, the first row on top.

    Alpha is 0 outside the image and where it has no data. Bands of more than 8 bits, or none whole, are stretched
    between their 2nd and 98th percentile. Raises BadRequest for a projection that PROJ does not know.
    """
    target = projections.stated(crs)
    with _opened(path) as dataset:
        own = _projection(dataset, path, _box(dataset, path), source_crs)
        level = _overview(dataset, own, target, box, width, height)
    options = {} if level is None else {"overview_level": level}
    with _opened(path, **options) as dataset, _warped(dataset, own, target, box, width, height) as warped:
        return _to_rgba(dataset, warped, path)


def _overview(dataset: Any, own: str, target: str, box: Box, width: int, height: int) -> int | None:
    """The coarsest overview that is still at least as fine as the picture; None for the image itself."""
    try:
        left, bottom, right, top = transform_bounds(target, own, *box)
        scale = math.sqrt(abs((right - left) * (top - bottom) / dataset.transform.determinant) / (width * height))
    except (CRSError, RasterioError, ValueError):
        return None
    if not math.isfinite(scale):
        return None
    fine_enough = [at for at, factor in enumerate(dataset.overviews(1)) if factor <= scale * 1.01]
    return fine_enough[-1] if fine_enough else None


def _warped(dataset: Any, own: str, target: str, box: Box, width: int, height: int) -> WarpedVRT:
    has_mask = dataset.nodata is not None or ColorInterp.alpha in dataset.colorinterp
    return WarpedVRT(
        dataset, src_crs=own, crs=target, transform=from_bounds(*box, width, height), width=width, height=height,
        resampling=Resampling.nearest if _palette(dataset) else Resampling.bilinear,
        add_alpha=not has_mask, init_dest_nodata=True,
    )  # fmt: skip


def _to_rgba(dataset: Any, warped: Any, path: Path) -> NDArray[np.uint8]:
    bands = _bands(dataset)
    values = warped.read(bands)
    alpha = warped.dataset_mask()
    if values.dtype.kind == "f":
        alpha = np.where(np.isfinite(values).all(axis=0), alpha, 0)
    if _palette(dataset):
        return _painted(values[0], dataset.colormap(1), alpha)
    if values.dtype != np.uint8:
        ranges = _ranges(path, path.stat().st_mtime_ns)
        values = np.stack([_stretched(band, *ranges[index - 1]) for band, index in zip(values, bands, strict=True)])
    colours = np.broadcast_to(values, (3, *values.shape[1:])) if len(bands) == 1 else values
    return np.ascontiguousarray(np.moveaxis(np.concatenate([colours, alpha[None].astype(np.uint8)]), 0, -1))


def _bands(dataset: Any) -> list[int]:
    """The numbers of the bands to draw: one, or red, green and blue."""
    kinds = list(dataset.colorinterp)
    named = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
    if all(kind in kinds for kind in named):
        return [kinds.index(kind) + 1 for kind in named]
    plain = [at for at, kind in enumerate(kinds, 1) if kind != ColorInterp.alpha]
    return plain[:3] if len(plain) >= 3 else plain[:1]


def _painted(
    values: NDArray[Any], palette: dict[int, tuple[int, int, int, int]], alpha: NDArray[Any]
) -> NDArray[np.uint8]:
    table = np.zeros((max(256, max(palette) + 1), 4), np.uint8)
    for index, colour in palette.items():
        table[index] = colour
    picture: NDArray[np.uint8] = table[values]
    picture[..., 3] = np.minimum(picture[..., 3], alpha)
    return picture


def _stretched(band: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    scaled = (np.nan_to_num(band.astype(np.float64)) - low) * (255 / (high - low))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


@lru_cache(maxsize=256)
def _ranges(path: Path, changed: int) -> tuple[tuple[float, float], ...]:
    """The 2nd and 98th percentile of each band, from a coarse reading; ``changed`` keeps the cache honest."""
    with _opened(path) as dataset:
        factor = max(1.0, max(dataset.width, dataset.height) / SAMPLE_SIZE)
        shape = max(1, round(dataset.height / factor)), max(1, round(dataset.width / factor))
        sample = dataset.read(out_shape=(dataset.count, *shape), masked=True).astype(np.float64)
    return tuple(_range(np.ma.masked_invalid(band).compressed()) for band in sample)


def _range(values: NDArray[np.float64]) -> tuple[float, float]:
    if not len(values):
        return 0.0, 1.0
    low, high = np.percentile(values, PERCENTILES)
    if low == high:
        low, high = values.min(), values.max()
    return float(low), float(high if high > low else low + 1)
