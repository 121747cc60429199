"""A first look at all the features of an export: some formats must know them before the first one is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from graticule.transfer import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from graticule.model.features import Box

GEOMETRY = "wkb_geometry"


@dataclass
class Survey:
    """A copy of the features on disk, and what was found in them.

    ``longest`` are the most bytes of a text, ``largest`` the greatest magnitude of a number, by column.
    """

    copy: Path
    census: shapes.Census = field(default_factory=shapes.Census)
    rows: int = 0
    box: Box | None = None
    longest: dict[str, int] = field(default_factory=dict)
    largest: dict[str, float] = field(default_factory=dict)
    with_nulls: set[str] = field(default_factory=set)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The features again, as often as wanted."""
        with pa.OSFile(str(self.copy)) as file, pa.ipc.open_file(file) as reader:
            for at in range(reader.num_record_batches):
                yield reader.get_batch(at)

    def add(self, batch: pa.RecordBatch) -> None:
        self.rows += len(batch)
        for name, values in zip(batch.schema.names, batch.columns, strict=True):
            if name == GEOMETRY:
                self._add_shapes(values)
            else:
                self._add_values(name, values)

    def _add_values(self, name: str, values: pa.Array) -> None:
        if values.null_count:
            self.with_nulls.add(name)
        if pa.types.is_string(values.type):
            most = pc.max(pc.binary_length(values)).as_py() or 0
            self.longest[name] = max(self.longest.get(name, 0), most)
        elif pa.types.is_integer(values.type):
            low, high = (each.as_py() or 0 for each in pc.min_max(values).values())
            self.largest[name] = max(self.largest.get(name, 0.0), -low, high)
        elif pa.types.is_floating(values.type):
            finite = pc.if_else(pc.is_finite(values), pc.abs(values), 0.0)
            self.largest[name] = max(self.largest.get(name, 0.0), pc.max(finite).as_py() or 0.0)

    def _add_shapes(self, wkb: pa.Array) -> None:
        self.census.add(wkb)
        box = shapely.total_bounds(shapes.from_wkb(wkb.to_numpy(zero_copy_only=False)))
        if np.isfinite(box).all():
            known = self.box or tuple(box.tolist())
            low, high = np.minimum(known[:2], box[:2]), np.maximum(known[2:], box[2:])
            self.box = (*low.tolist(), *high.tolist())


def survey(batches: Iterator[pa.RecordBatch], schema: pa.Schema, copy: Path) -> Survey:
    """Reads all batches, once, into the file ``copy``."""
    found = Survey(copy)
    with pa.OSFile(str(copy), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        for batch in batches:
            found.add(batch)
            writer.write_batch(batch)
    return found
