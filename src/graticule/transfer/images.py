"""Images that other servers send: decoded by nothing but image drivers, and moved into another projection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.transform import from_bounds
from rasterio.warp import reproject

from graticule.transfer.fetching import Unfetchable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from graticule.model.features import Box

ACCEPTED = "image/png,image/jpeg,image/webp;q=0.5"


def decoded(body: bytes, width: int, height: int, largest: int) -> NDArray[np.uint8]:
    """An image as (4, height, width) bytes RGBA, whatever its own size up to ``largest``. Raises ``Unfetchable``."""
    if not body:  # GDAL would take it for a file to be written
        raise Unfetchable("nothing came")
    try:
        # No other driver: a description of a virtual image could name any file of this machine, or any address.
        with (
            rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
            MemoryFile(body) as memory,
            memory.open(driver=["PNG", "JPEG", "WEBP"]) as image,
        ):
            if max(image.width, image.height) > largest:
                raise Unfetchable("the image is too large")
            bands: NDArray[np.uint8] = image.read(out_shape=(image.count, height, width)).astype(np.uint8)
            palette = image.colormap(1) if image.count == 1 and image.colorinterp[0].name == "palette" else None
    except RasterioError as error:
        raise Unfetchable("what came is no image") from error
    if palette is not None:
        table = np.array([palette.get(index, (0, 0, 0, 0)) for index in range(256)], np.uint8)
        return np.ascontiguousarray(table[bands[0]].transpose(2, 0, 1))
    opaque = np.full((1, height, width), 255, np.uint8)
    if len(bands) in (1, 2):
        bands = np.concatenate([bands[:1]] * 3 + [bands[1:]])
    return bands[:4] if len(bands) >= 4 else np.concatenate([bands[:3], opaque])


def warped(
    image: NDArray[np.uint8], own: Box, own_crs: str, box: Box, crs: str, width: int, height: int
) -> NDArray[np.uint8]:
    """An image of one box and projection as one of another: (height, width, 4) bytes RGBA."""
    target = np.zeros((4, height, width), np.uint8)
    _, rows, columns = image.shape
    reproject(
        image,
        target,
        src_transform=from_bounds(*own, columns, rows),
        src_crs=own_crs,
        dst_transform=from_bounds(*box, width, height),
        dst_crs=crs,
        resampling=Resampling.bilinear,
    )
    return as_picture(target)


def as_picture(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(4, height, width) as (height, width, 4)."""
    return np.ascontiguousarray(image.transpose(1, 2, 0))
