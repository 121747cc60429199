"""Batches of features streamed into a new file by GDAL."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from graticule.errors import BadRequest, Unavailable
from graticule.transfer import engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GEOMETRY = "wkb_geometry"
# Bytes: with so little left, what went wrong is likely that; with this little, that it went well is not.
LITTLE_SPACE, NO_SPACE = 16 * 1024 * 1024, 256 * 1024
OGR_TYPES = {
    "POINT": "Point", "LINESTRING": "LineString", "POLYGON": "Polygon", "MULTIPOINT": "MultiPoint",
    "MULTILINESTRING": "MultiLineString", "MULTIPOLYGON": "MultiPolygon", "GEOMETRYCOLLECTION": "GeometryCollection",
    "GEOMETRY": "Unknown",
}  # fmt: skip


def ogr_type(geometry_type: str | None, *, has_z: bool) -> str | None:
    """pyogrio's name for a geometry type."""
    return None if geometry_type is None else OGR_TYPES[geometry_type] + (" Z" if has_z else "")


def stream(
    batches: Iterator[pa.RecordBatch],
    schema: pa.Schema,
    target: Path,
    layer: str,
    driver: str,
    *,
    geometry: str | None,
    crs: str,
    **options: Any,
) -> None:
    """Lets GDAL draw the batches; their geometry, of pyogrio's type ``geometry``, is in ``wkb_geometry``.

    What goes wrong in making the batches comes out as it is, not as an error of GDAL. Raises BadRequest when GDAL
    refuses them, Unavailable for a full disk.
    """
    if geometry is not None:
        options |= {"geometry_name": GEOMETRY, "geometry_type": geometry, "crs": crs}
    failures: list[BaseException] = []

    def guarded() -> Iterator[pa.RecordBatch]:
        try:
            yield from batches
        except GeneratorExit:
            raise
        except BaseException as error:
            failures.append(error)
            raise

    reader = pa.RecordBatchReader.from_batches(schema, guarded())
    try:
        engine.save(reader, target, layer, driver, **options)
    except BadRequest:
        if failures:
            raise failures[0] from None
        need_space(target, LITTLE_SPACE)
        raise
    # On closing a file GDAL may find no room for the last of it, and keep that to itself.
    need_space(target, NO_SPACE)


def need_space(target: Path, space: int) -> None:
    """Raises Unavailable when the disk that the file is on has less."""
    if shutil.disk_usage(target.parent).free < space:
        raise Unavailable(engine.DISK_FULL, retry_after=60)
