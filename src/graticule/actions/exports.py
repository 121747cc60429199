"""Layers as files of the field's formats."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import shapely

from graticule.actions import features
from graticule.errors import BadRequest, Forbidden
from graticule.model.features import Query
from graticule.storage.disk import disk_errors
from graticule.style.model import Label
from graticule.style.parse import parse_styles
from graticule.transfer.drivers import require_export
from graticule.transfer.writing import Features, write, zip_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from graticule.actions.features import LayerData
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.catalogue.orm import Layer
    from graticule.geometry.crs import Crs
    from graticule.model.features import Batch, Family, Table
    from graticule.style.model import Colour

# Bytes of UTF-8; file systems take 255, and suffixes are to come.
LONGEST_NAME = 120
KEPT_IN_NAMES = ("L", "M", "N")


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

    ``progress`` is told how many features are written so far, at times the same number again; what it raises ends the
    work and comes out of here, and nothing is left in ``staging``. Raises ``NotFound``, ``Forbidden``, ``BadRequest``
    for an unknown format or for what the format cannot hold, ``Unavailable`` for a full disk.
    """
    data = features.open_layer(backend, actor, layer_id, map_id=map_id)
    if "EXPORT" not in data.held and not ("READ" in data.held and data.layer.exportable == "t"):
        raise Forbidden("Exporting this layer needs the permission EXPORT.")
    row = require_export(fmt)
    name = file_stem(data.layer.name or "") or f"layer_{layer_id}"
    with disk_errors("nothing was exported"):
        written = write(
            row.name,
            staging / f"{name}{row.extension}",
            _features(backend, data),
            name=name,
            to_crs=None if crs is None else crs.wkt,
            prj=zipped,
            progress=progress,
        )
        if len(written) == 1 and not zipped:
            return Exported(written[0], written[0].name, row.content_type)
        archive = zip_files(written, staging / f"{name}.zip")
    for path in written:
        path.unlink()
    return Exported(archive, archive.name, "application/zip")


def file_stem(name: str) -> str:
    """What of a layer's name can be a file's: letters of any script, digits, ``.``, ``-``, and ``_`` for all else."""
    composed = unicodedata.normalize("NFC", name)
    kept = (char if char in ".-" or unicodedata.category(char)[0] in KEPT_IN_NAMES else "_" for char in composed)
    words = [word for word in "".join(kept).split("_") if word]
    return "_".join(words).encode()[:LONGEST_NAME].decode("utf-8", "ignore").strip("._-")


def _features(backend: Backend, data: LayerData) -> Features:
    table = data.table
    batches = _record_batches(features.read_batches(backend, data, Query()), table)
    return Features(
        table.columns, table.geometry_type, table.crs or "EPSG:4326", table.has_z, batches, colour_of(data.layer)
    )


def colour_of(layer: Layer) -> Colour | None:
    """The colour that the layer's first class with one is drawn in."""
    family: Family = layer.type if layer.type in ("point", "line", "polygon") else "polygon"  # type: ignore[assignment]
    if not layer.styles:
        return None
    with suppress(BadRequest):
        for one in parse_styles(layer.styles, family).classes:
            for symbolizer in one.symbolizers:
                colour = getattr(symbolizer, "colour", None)
                if colour is not None and not isinstance(symbolizer, Label):
                    return symbolizer.colour  # type: ignore[attr-defined, no-any-return]
    return None


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
