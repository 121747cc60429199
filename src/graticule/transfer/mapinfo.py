"""MapInfo's coordinate systems: their bounds, and whether one says the same as ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from graticule.errors import BadRequest
from graticule.geometry.crs import Crs
from graticule.geometry.reproject import reproject_points
from graticule.transfer import engine, projections
from graticule.transfer.stream import GEOMETRY, stream

if TYPE_CHECKING:
    from pathlib import Path

    from graticule.model.features import Box

# Degrees: some ten metres, by which datums differ that MapInfo has no name for and takes for WGS 84.
TOLERANCE = 1e-4


def bounds(box: Box) -> str:
    """MapInfo keeps coordinates as whole numbers between bounds: those of the data with room around, as GDAL says them.

    A cell is then less than a thousand-millionth part of the extent.
    """
    room = max(box[2] - box[0], box[3] - box[1], 1.0)
    return f"{box[0] - room!r},{box[1] - room!r},{box[2] + room!r},{box[3] + room!r}"


def require_system(folder: Path, crs: str, box: Box | None) -> None:
    """Raises BadRequest for a projection that MapInfo cannot say, or says otherwise where the data is."""
    schema = pa.schema([("id", pa.int32()), (GEOMETRY, pa.binary())])
    probe = folder / "probe.mif"
    stream(iter(()), schema, probe, "probe", "MapInfo File", geometry="Point", crs=crs, FORMAT="MIF", BOUNDS="0,0,1,1")
    said = projections.identify(engine.info(probe, 0, options={})["crs"])
    if said is None or not _agree(said, crs, box):
        raise BadRequest(
            "MapInfo's formats cannot describe this projection exactly.", field="epsg", value=crs[:200],
            expected="another one, such as epsg=4326",
        )  # fmt: skip


def _agree(said: str, meant: str, box: Box | None) -> bool:
    """Whether the corners and the middle of the data are at the same places in both."""
    if box is None:
        return True
    xmin, ymin, xmax, ymax = box
    middle = ((xmin + xmax) / 2, (ymin + ymax) / 2)
    points = np.array([(xmin, ymin), (xmin, ymax), (xmax, ymin), (xmax, ymax), middle])
    globe = Crs.wgs84()
    first, second = (reproject_points(points, Crs.from_text(text), globe) for text in (said, meant))
    apart = np.abs(first - second)
    apart[:, 0] = np.minimum(apart[:, 0], 360 - apart[:, 0])
    known = np.isfinite(apart).all(axis=1)
    return bool(known.any()) and bool((apart[known] <= TOLERANCE).all())
