"""Raster files behind layers: prepared once for quick reading at every scale."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graticule.actions.datasets import fingerprint, local_file
from graticule.errors import BadRequest
from graticule.geometry.crs import Crs
from graticule.transfer.rasters import open_raster, prepare

if TYPE_CHECKING:
    from pathlib import Path

    from graticule.backend import Backend


@dataclass(frozen=True, slots=True)
class RasterData:
    """Where a raster lies. ``extent`` is text: xmin, ymin, xmax, ymax in its own projection."""

    epsg: str | None
    extent: tuple[str, str, str, str]


def ensure_raster(backend: Backend, account: int, path: str) -> RasterData:
    """What a user's file shows; a copy that can be read fast is made where it is slow. Raises ``BadRequest``."""
    local = local_file(backend, account, path)
    info = open_raster(local)
    ready = _prepared(backend, account, path, local)
    if not ready.exists():
        with backend.files.staging(account) as staging:
            made = prepare(local, staging / "raster.tif")
            if made != local:
                ready.parent.mkdir(exist_ok=True)
                made.rename(ready)
    epsg = Crs.from_text(info.crs).epsg
    xmin, ymin, xmax, ymax = (str(side) for side in info.box)
    return RasterData(None if epsg is None else str(epsg), (xmin, ymin, xmax, ymax))


def raster_to_read(backend: Backend, account: int, path: str) -> Path | None:
    """The file that pictures are drawn from: the fast copy, else the user's own; None when that is gone."""
    try:
        local = local_file(backend, account, path)
    except BadRequest:
        return None
    ready = _prepared(backend, account, path, local)
    return ready if ready.exists() else local


def _prepared(backend: Backend, account: int, path: str, local: Path) -> Path:
    word = hashlib.sha256(f"{path};{fingerprint(local)}".encode()).hexdigest()[:24]
    return backend.accounts / str(account) / "rasters" / f"{word}.tif"
