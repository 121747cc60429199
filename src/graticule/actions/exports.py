"""Layers as files of the field's formats."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import shapely

from graticule.actions import features
from graticule.errors import Forbidden
from graticule.model.features import Query
from graticule.transfer.drivers import require_export
from graticule.transfer.writing import write, zip_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.geometry.crs import Crs
    from graticule.model.features import Batch, Table

NOT_IN_FILE_NAMES = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written; it lies in the directory that the caller gave."""

    path: Path
    name: str
    media_type: str


def export_layer(
    backend: Backend,
    actor: Actor,
    layer_id: int,
    fmt: str,
    staging: Path,
    *,
    zipped: bool = False,
    crs: Crs | None = None,
    map_id: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Exported:
    """Write a layer's features as a file, or a zip of several, into ``staging``.

    Raises ``NotFound``, ``Forbidden``, ``BadRequest`` for an unknown format.
    """
    data = features.open_layer(backend, actor, layer_id, map_id=map_id)
    if "EXPORT" not in data.held and not ("READ" in data.held and data.layer.exportable == "t"):
        raise Forbidden("Exporting this layer needs the permission EXPORT.")
    row = require_export(fmt)
    name = NOT_IN_FILE_NAMES.sub("_", data.layer.name or f"layer_{layer_id}").strip("._") or f"layer_{layer_id}"
    written = write(
        row.name,
        staging / f"{name}{row.extension}",
        data.table.columns,
        data.table.geometry_type,
        data.table.crs or "EPSG:4326",
        data.table.has_z,
        _record_batches(features.read_batches(backend, data, Query()), data.table),
        name=name,
        to_crs=None if crs is None else crs.wkt,
        progress=progress,
    )
    if len(written) > 1 or zipped:
        archive = staging / f"{name}.zip"
        zip_files(written, archive)
        return Exported(archive, archive.name, "application/zip")
    return Exported(written[0], written[0].name, row.content_type)


def _record_batches(batches: Iterator[Batch], table: Table) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        arrays = {column.name: _array(column.type, batch.columns[column.name]) for column in table.columns}
        if batch.geometry is not None:
            wkb = shapely.to_wkb(batch.geometry, flavor="iso")
            arrays["wkb_geometry"] = pa.array(wkb, pa.binary())
        yield pa.RecordBatch.from_pydict(arrays)


def _array(kind: str, values: list[object]) -> pa.Array:
    if kind == "date":
        return pa.array(values, pa.string()).cast(pa.date32())
    if kind == "datetime":
        trimmed = [None if value is None else str(value).removesuffix("Z") for value in values]
        return pa.array(trimmed, pa.string()).cast(pa.timestamp("ms"))
    return pa.array(values, ARROW_TYPES[kind])


ARROW_TYPES = {
    "text": pa.string(),
    "integer": pa.int64(),
    "real": pa.float64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}
