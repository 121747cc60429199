"""The door to GDAL's vector side: every call of pyogrio goes through here, and its errors leave it as ours.

Only the drivers of the table of formats stay registered. GDAL could else be led by the content of an uploaded file
to open another one, or an address on the network.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyogrio
from pyogrio import _ogr, raw
from pyogrio.errors import CRSError, DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError

from graticule.errors import BadRequest, Unavailable
from graticule.transfer.drivers import group, vector_drivers
from graticule.transfer.hush import hush

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator, Mapping

# What pyogrio, GDAL under it, and Arrow are known to raise on a file that is not as it should be.
FOREIGN = (
    CRSError, DataSourceError, DataLayerError, FeatureError, FieldError, GeometryError,
    pa.ArrowException, RuntimeError, OSError, ValueError, NotImplementedError,
)  # fmt: skip

BATCH_ROWS = 65_536
BATCH_BYTES = 32 * 1024 * 1024

# What SQLite and the C library say, by way of GDAL, when nothing more can be written.
_DISK_FULL = re.compile("disk I/O error|disk is full|No space left|File too large|quota exceeded", re.IGNORECASE)
DISK_FULL = "The server's disk is full; nothing was changed."

# pyogrio takes these for the parts of an address.
_AMBIGUOUS = frozenset("!;?#")

_CONFIG = {
    "OGR_SKIP": ",".join(sorted(set(pyogrio.list_drivers()) - vector_drivers() - {"MEM"})),
    "OGR_ARROW_MEM_LIMIT": str(BATCH_BYTES),
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    # SpatiaLite's virtual tables would read any file of the server that an uploaded database names.
    "SPATIALITE_LOAD": "NO",
    "GDAL_DISABLE_READDIR_ON_OPEN": "FALSE",
    "GPX_ELE_AS_25D": "YES",
    "OSM_USE_CUSTOM_INDEXING": "YES",
    # GDAL's faster way mixes up the geometries of a file in which a feature has none.
    "OGR_FLATGEOBUF_STREAM_BASE_IMPL": "YES",
    # Polygons stay areas with their holes; as closed lines nobody could tell which is a hole.
    "DXF_WRITE_HATCH": "YES",
}
pyogrio.set_gdal_config_options(_CONFIG)
_ogr._register_drivers()


@contextmanager
def plain_path(path: Path, hidden: Path | None = None) -> Iterator[Path]:
    """A path to the same file whose name means nothing else to GDAL or pyogrio, without the ``hidden`` sidecar."""
    real = path.absolute()
    if hidden is None and not _AMBIGUOUS & set(str(real)):
        yield real
        return
    with TemporaryDirectory(prefix="graticule-") as folder:
        for other in group(real):
            if hidden is not None and other.name == hidden.name:
                continue
            link = Path(folder) / ("data" + other.name[len(real.stem) :])
            link.symlink_to(other)
        yield Path(folder) / ("data" + real.suffix)


def layers(path: Path) -> list[tuple[str, str | None]]:
    """Name and declared geometry type (None: no geometry) of each layer of the file."""
    with hush:
        return [(str(name), kind) for name, kind in pyogrio.list_layers(path)]


def info(
    path: Path, layer: str | int, *, options: Mapping[str, str], count: bool = False, bounds: bool = False
) -> dict[str, Any]:
    """What GDAL knows of a layer: crs, fields, geometry_type, features, total_bounds, driver."""
    with hush:
        answer: dict[str, Any] = pyogrio.read_info(
            path, layer=layer, force_feature_count=count, force_total_bounds=bounds, **options
        )
    return answer


@contextmanager
def stream(
    path: Path, layer: str | int, *, columns: list[str] | None = None, options: Mapping[str, str]
) -> Iterator[tuple[dict[str, Any], Iterator[pa.RecordBatch]]]:
    """The layer's meta data, with the Arrow ``schema`` of its batches, and these.

    ``columns`` None means all, an empty list the geometry alone.
    """
    with hush:
        source = raw.open_arrow(path, layer=layer, columns=columns, batch_size=BATCH_ROWS, use_pyarrow=True, **options)
        meta, reader = source.__enter__()
    try:
        yield {**meta, "schema": reader.schema}, _quiet(reader)
    finally:
        with hush:
            source.__exit__(None, None, None)


def _quiet(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    while True:
        with hush:
            batch = next(reader, None)
        if batch is None:
            return
        yield batch


def save(reader: pa.RecordBatchReader, path: Path, layer: str, driver: str, **how: Any) -> None:
    """Writes the batches into a new file. Raises BadRequest when GDAL refuses them, Unavailable for a full disk."""
    with hush:
        try:
            raw.write_arrow(reader, path, layer=layer, driver=driver, **how)
        except FOREIGN as error:
            if _DISK_FULL.search(str(error)):
                raise Unavailable(DISK_FULL, retry_after=60) from error
            raise BadRequest(f"“{path.name}” could not be written.") from error


def save_to_memory(table: pa.Table, buffer: io.BytesIO, driver: str, **how: Any) -> None:
    """Writes a table into a buffer in a format of one file."""
    with hush:
        raw.write_arrow(table, buffer, driver=driver, **how)


def support_file(name: str) -> Path:
    """A file of those that come with GDAL."""
    return Path(pyogrio.get_gdal_data_path()) / name
