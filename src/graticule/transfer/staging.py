"""The GeoPackage that an import is staged in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from graticule.model.features import Column
from graticule.transfer import projections
from graticule.transfer.attributes import ARROW
from graticule.transfer.stream import GEOMETRY, ogr_type, stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from graticule.transfer.reading import Source

FID = "ogc_fid"
# One form for all times, as they are also compared as text.
TIMES = {"DATETIME_PRECISION": "MILLISECOND"}


def staging_geopackage(
    path: Path,
    table_name: str,
    source: Source,
    extra: Mapping[str, int],
    progress: Callable[[int], None] | None = None,
) -> int:
    """Writes what the source gives into a new GeoPackage as one table, and says how many rows.

    The table has the key ``ogc_fid`` from 1, the geometry ``wkb_geometry`` with a spatial index, the source's columns
    and after them the columns of ``extra``, integers of one value.
    """
    columns = (*source.columns, *(Column(name, "integer") for name in extra))
    schema = _schema(columns, geometry=source.geometry_type is not None)
    count = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal count
        for batch in source.batches(progress):
            own = len(source.columns)
            constant = [pa.array(np.full(len(batch), value, np.int64)) for value in extra.values()]
            count += len(batch)
            values = [each.cast(wanted) for each, wanted in zip(batch.columns[:own], schema.types[:own], strict=True)]
            values += [*constant, *batch.columns[own:]]
            yield pa.RecordBatch.from_arrays(values, schema=schema)

    options = {"FID": FID, **TIMES} | ({"GEOMETRY_NAME": GEOMETRY, "SPATIAL_INDEX": "YES"} if source.family else {})
    kind, crs = ogr_type(source.geometry_type, has_z=source.has_z), source.crs or projections.LONLAT
    stream(batches(), schema, path, table_name, "GPKG", geometry=kind, crs=crs, layer_options=options)
    return count


def _schema(columns: tuple[Column, ...], *, geometry: bool) -> pa.Schema:
    """The fields as GDAL takes them; in a GeoPackage times say that they are in UTC (OGC 12-128r18, table 1)."""
    utc = {"datetime": pa.timestamp("ms", "UTC")}
    fields = [pa.field(column.name, utc.get(column.type, ARROW[column.type])) for column in columns]
    return pa.schema([*fields, pa.field(GEOMETRY, pa.binary())] if geometry else fields)
