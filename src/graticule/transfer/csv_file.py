"""CSV files: a table of text, with the geometry as WKT in its first column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import shapely
from pyarrow import csv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def write_csv(target: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch], *, geometry: bool) -> None:
    """Writes batches of that schema, of which the last field is the geometry where there is ``geometry``.

    A null is nothing at all, an empty text is a pair of quotes.
    """
    if geometry:
        taken = {name.lower() for name in schema.names[:-1]}
        label = "wkt" if "wkt" not in taken else "wkt_geometry"
        schema = pa.schema([pa.field(label, pa.string()), *list(schema)[:-1]])
    with csv.CSVWriter(target, schema, write_options=csv.WriteOptions(quoting_style="needed")) as writer:
        for batch in batches:
            values = [_wkt(batch.columns[-1]), *batch.columns[:-1]] if geometry else batch.columns
            writer.write_batch(pa.RecordBatch.from_arrays(values, schema=schema))


def _wkt(wkb: pa.Array) -> pa.Array:
    shape = shapely.from_wkb(wkb.to_numpy(zero_copy_only=False))
    return pa.array(shapely.to_wkt(shape, rounding_precision=-1, output_dimension=3), pa.string())
