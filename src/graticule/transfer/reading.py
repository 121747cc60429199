"""Vector files, opened and read as a stream of Arrow batches: one layer, one geometry family, one projection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from graticule.transfer import checks, layers, shapes, texts
from graticule.transfer.attributes import ARROW
from graticule.transfer.drivers import require_format
from graticule.transfer.sublayers import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from graticule.model.features import Column, Family
    from graticule.transfer.sublayers import Sublayer

GEOMETRY = "wkb_geometry"


class Rows(Protocol):
    """What a file gives: attributes in the types of its columns, with a geometry for each row."""

    columns: tuple[Column, ...]
    family: Family | None
    multi: bool
    has_z: bool
    crs: str | None
    feature_count: int

    def read(self) -> Iterator[tuple[list[pa.Array], shapes.Shapes | None]]:
        """Batch by batch. Raises BadRequest that names the file, and the row where it can."""
        ...


@dataclass
class Source:
    """One layer of a file, ready to be read. ``skipped`` counts, after reading, features of other families."""

    rows: Rows
    layer: str
    skipped: int = 0

    @property
    def columns(self) -> tuple[Column, ...]:
        """The attributes, under names that a table may have."""
        return self.rows.columns

    @property
    def family(self) -> Family | None:
        """The geometry family, None for a table without geometry."""
        return self.rows.family

    @property
    def geometry_type(self) -> str | None:
        """POINT, MULTIPOINT, MULTILINESTRING or MULTIPOLYGON; None for a table without geometry."""
        types = {
            "point": "MULTIPOINT" if self.rows.multi else "POINT",
            "line": "MULTILINESTRING",
            "polygon": "MULTIPOLYGON",
        }
        return types[self.rows.family] if self.rows.family else None

    @property
    def has_z(self) -> bool:
        """Whether any geometry has a third coordinate."""
        return self.rows.has_z

    @property
    def crs(self) -> str | None:
        """``EPSG:n`` or WKT; None for a table without geometry."""
        return self.rows.crs if self.rows.family else None

    @property
    def feature_count(self) -> int:
        """How many rows the file seems to have."""
        return self.rows.feature_count

    @property
    def schema(self) -> pa.Schema:
        """The fields of the batches: the columns, then ``wkb_geometry`` where there is geometry."""
        fields = [pa.field(column.name, ARROW[column.type]) for column in self.columns]
        return pa.schema([*fields, pa.field(GEOMETRY, pa.binary())] if self.family else fields)

    def batches(self, progress: Callable[[int], None] | None = None) -> Iterator[pa.RecordBatch]:
        """The features, geometry as ISO WKB. ``progress`` is told the number of rows read so far."""
        self.skipped = done = 0
        for values, found in self.rows.read():
            count = len(values[0]) if values else len(found) if found is not None else 0
            yield self._batch(values, found)
            done += count
            if progress is not None:
                progress(done)

    def _batch(self, values: list[pa.Array], found: shapes.Shapes | None) -> pa.RecordBatch:
        if self.rows.family is None or found is None:
            return pa.RecordBatch.from_arrays(values, schema=self.schema)
        gathered, belongs = shapes.gather(found, self.rows.family, multi=self.rows.multi)
        values = [*values, shapes.to_wkb(gathered, has_z=self.rows.has_z)]
        if not belongs.all():
            self.skipped += int((~belongs).sum())
            values = [column.filter(pa.array(belongs)) for column in values]
        return pa.RecordBatch.from_arrays(values, schema=self.schema)


def list_sublayers(path: Path) -> list[Sublayer]:
    """The layers of a file. Raises BadRequest for one that cannot be read, NotFound for one that is not there."""
    row = require_format(path, "vector")
    checks.check(path, row)
    return layers.listed(path, row) if row.drivers else texts.listed(path)


def open_source(
    path: Path,
    *,
    layer: str | None = None,
    family: Family | None = None,
    encoding: str | None = None,
    crs: str | None = None,
    x_column: str | None = None,
    y_column: str | None = None,
    wkt_column: str | None = None,
) -> Source:
    """One layer of a file: the named one, else the first with features of the family, else the first with features.

    The family is the one asked for if the layer has features of it, else that of its first geometry. ``encoding``
    goes before what the file says, ``crs`` behind it. Raises BadRequest that names the file, and the row or line
    where one is at fault; NotFound when there is no such file.
    """
    row = require_format(path, "vector")
    checks.check(path, row)
    wanted = Wanted(family, encoding, crs, x_column, y_column, wkt_column)
    if not row.drivers:
        return Source(texts.TextRows(path, wanted), path.stem)
    rows = layers.LayerRows(path, row, layers.pick(path, row, layer, family), wanted)
    if layer is not None and rows.name != layer:
        raise layers.unknown_layer(path, layer, [rows.name])
    return Source(rows, rows.name)
