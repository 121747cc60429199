"""Features, streamed into new files: the export formats, and the GeoPackage that an import is staged in."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapely
from pyarrow import csv

from graticule.errors import BadRequest, Unavailable
from graticule.model.features import FAMILY_OF_TYPE, Column
from graticule.transfer import engine, projections, shapes
from graticule.transfer.attributes import ARROW
from graticule.transfer.drivers import require_export, sidecar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from graticule.model.features import Family
    from graticule.transfer.drivers import Export
    from graticule.transfer.reading import Source

GEOMETRY = "wkb_geometry"
FID = "ogc_fid"
# One form for all times, as they are also compared as text.
TIMES = {"DATETIME_PRECISION": "MILLISECOND"}
# Bytes: with so little left, what went wrong is likely that; with this little, that it went well is not.
LITTLE_SPACE, NO_SPACE = 16 * 1024 * 1024, 256 * 1024
FAMILY_TYPES: dict[Family, str] = {"point": "POINT", "line": "MULTILINESTRING", "polygon": "MULTIPOLYGON"}
OGR_TYPES = {
    "POINT": "Point", "LINESTRING": "LineString", "POLYGON": "Polygon", "MULTIPOINT": "MultiPoint",
    "MULTILINESTRING": "MultiLineString", "MULTIPOLYGON": "MultiPolygon", "GEOMETRYCOLLECTION": "GeometryCollection",
    "GEOMETRY": "Unknown",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file to write holds: its columns under the names in the file, its type of geometry, its projection."""

    names: tuple[str, ...]
    columns: tuple[Column, ...]
    geometry_type: str | None
    crs: str
    has_z: bool
    utc: bool = False

    @property
    def schema(self) -> pa.Schema:
        """The fields of the batches as GDAL takes them."""
        fields = [pa.field(name, self.arrow(column)) for name, column in zip(self.names, self.columns, strict=True)]
        return pa.schema([*fields, pa.field(GEOMETRY, pa.binary())] if self.geometry_type else fields)

    def arrow(self, column: Column) -> pa.DataType:
        """The Arrow type of a column; in a GeoPackage times say that they are in UTC (OGC 12-128r18, table 1)."""
        zoned = self.utc and column.type == "datetime"
        return pa.timestamp("ms", "UTC") if zoned else ARROW[column.type]

    @property
    def ogr_type(self) -> str | None:
        """pyogrio's name for the geometry type."""
        if self.geometry_type is None:
            return None
        return OGR_TYPES[self.geometry_type] + (" Z" if self.has_z else "")


def write(
    fmt: str,
    target: Path,
    columns: tuple[Column, ...],
    geometry_type: str | None,
    crs: str,
    has_z: bool,
    batches: Iterator[pa.RecordBatch],
    *,
    name: str,
    to_crs: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Path]:
    """Writes features into ``target`` and, where a format wants it, files beside it; gives all of them.

    The batches hold the columns by name and ISO WKB in ``wkb_geometry``, in ``crs``. They are reprojected to
    ``to_crs``, to WGS 84 for GeoJSON unless that says otherwise. A shapefile holds one family: where ``geometry_type``
    leaves it open, features go to ``<stem>_point``, ``_line`` and ``_polygon`` as they need. Raises BadRequest for an
    unknown format or what the format cannot hold, Unavailable for a full disk.
    """
    row = require_export(fmt)
    goal = projections.stated(to_crs) if to_crs else row.crs or crs
    layout = Layout(field_names(columns, row.name_bytes), columns, geometry_type, goal, has_z, utc=row.name == "gpkg")
    moved = _moved(batches, columns, layout, crs)
    counted = _counted(moved, progress)
    if row.mixed or geometry_type is None or geometry_type in FAMILY_OF_TYPE:
        _write_one(row, target, layout, counted, name)
        return _written(row, target)
    return _write_families(row, target, layout, counted, name)


def field_names(columns: tuple[Column, ...], limit: int | None) -> tuple[str, ...]:
    """The columns' names, cut to so many bytes of UTF-8 and told apart by a number, whatever their case."""
    if limit is None:
        return tuple(column.name for column in columns)
    taken: set[str] = set()
    result = []
    for column in columns:
        short, count = _cut(column.name, limit), 1
        while short.lower() in taken:
            short, count = _cut(column.name, limit - len(f"_{count}")) + f"_{count}", count + 1
        taken.add(short.lower())
        result.append(short)
    return tuple(result)


def _cut(name: str, limit: int) -> str:
    return name.encode()[:limit].decode("utf-8", "ignore")


def _moved(
    batches: Iterator[pa.RecordBatch], columns: tuple[Column, ...], layout: Layout, crs: str
) -> Iterator[pa.RecordBatch]:
    """The batches with the fields of the layout, in its projection."""
    for batch in batches:
        values = [batch.column(column.name).cast(layout.arrow(column), safe=False) for column in columns]
        if layout.geometry_type is not None:
            wkb = batch.column(GEOMETRY).cast(pa.binary())
            values.append(wkb if layout.crs == crs else _reprojected(wkb, crs, layout))
        yield pa.RecordBatch.from_arrays(values, schema=layout.schema)


def _reprojected(wkb: pa.Array, crs: str, layout: Layout) -> pa.Array:
    moved = projections.reproject(shapely.from_wkb(wkb.to_numpy(zero_copy_only=False)), crs, layout.crs)
    return shapes.to_wkb(moved, has_z=layout.has_z)


def _counted(batches: Iterator[pa.RecordBatch], progress: Callable[[int], None] | None) -> Iterator[pa.RecordBatch]:
    done = 0
    for batch in batches:
        yield batch
        done += len(batch)
        if progress is not None:
            progress(done)


def _write_one(row: Export, target: Path, layout: Layout, batches: Iterator[pa.RecordBatch], name: str) -> None:
    if row.name == "csv":
        _write_csv(target, layout, batches)
        return
    options: dict[str, Any] = {"layer_options": _layer_options(row, layout)}
    if row.name != "gpkg":
        options["encoding"] = "UTF-8"
    _stream(batches, layout, target, name, row.driver, options)


def _layer_options(row: Export, layout: Layout) -> dict[str, str]:
    """GDAL's layer creation options for the format."""
    if row.name == "shp":
        return {"SPATIAL_INDEX": "NO"}
    if row.name == "geojson":
        return {"RFC7946": "YES" if layout.crs == projections.LONLAT else "NO"}
    taken = {name.lower() for name in layout.names}
    fid = {"FID": FID if FID not in taken else f"{FID}_", **TIMES}
    return fid | {"GEOMETRY_NAME": "geom" if "geom" not in taken else "geom_"} if layout.geometry_type else fid


def _stream(
    batches: Iterator[pa.RecordBatch], layout: Layout, target: Path, name: str, driver: str, options: dict[str, Any]
) -> None:
    """Lets GDAL draw the batches. What goes wrong in making them comes out as it is, not as an error of GDAL."""
    if layout.geometry_type is not None:
        options |= {"geometry_name": GEOMETRY, "geometry_type": layout.ogr_type, "crs": layout.crs}
    failures: list[Exception] = []

    def guarded() -> Iterator[pa.RecordBatch]:
        try:
            yield from batches
        except Exception as error:
            failures.append(error)
            raise

    reader = pa.RecordBatchReader.from_batches(layout.schema, guarded())
    try:
        engine.save(reader, target, name, driver, **options)
    except BadRequest:
        if failures:
            raise failures[0] from None
        _need_space(target, LITTLE_SPACE)
        raise
    # On closing a file GDAL may find no room for the last of it, and keep that to itself.
    _need_space(target, NO_SPACE)


def _need_space(target: Path, space: int) -> None:
    if shutil.disk_usage(target.parent).free < space:
        raise Unavailable(engine.DISK_FULL, retry_after=60)


def _write_csv(target: Path, layout: Layout, batches: Iterator[pa.RecordBatch]) -> None:
    """A table of text with the geometry as WKT in its first column, ``wkt``."""
    fields = list(layout.schema)
    if layout.geometry_type is not None:
        label = "wkt" if "wkt" not in {name.lower() for name in layout.names} else "wkt_geometry"
        fields = [pa.field(label, pa.string()), *fields[:-1]]
    schema = pa.schema(fields)
    with csv.CSVWriter(target, schema, write_options=csv.WriteOptions(quoting_style="needed")) as writer:
        for batch in batches:
            values = list(batch.columns)
            if layout.geometry_type is not None:
                values = [_wkt(values[-1]), *values[:-1]]
            writer.write_batch(pa.RecordBatch.from_arrays(values, schema=schema))


def _wkt(wkb: pa.Array) -> pa.Array:
    shape = shapely.from_wkb(wkb.to_numpy(zero_copy_only=False))
    return pa.array(shapely.to_wkt(shape, rounding_precision=-1, output_dimension=3), pa.string())


def _write_families(
    row: Export, target: Path, layout: Layout, batches: Iterator[pa.RecordBatch], name: str
) -> list[Path]:
    """A file for each geometry family found, by way of a copy on disk, for one stream cannot feed several files.

    Features without geometry go to the first file.
    """
    written: list[Path] = []
    with TemporaryDirectory(dir=target.parent) as folder:
        copy = Path(folder) / "features.arrow"
        census = _spool(batches, layout.schema, copy)
        families: list[Family] = census.families or ["point"]
        for at, family in enumerate(families):
            multi = family != "point" or bool({shapes.MULTIPOINT, shapes.COLLECTION} & set(census.codes))
            kind = "MULTIPOINT" if multi and family == "point" else FAMILY_TYPES[family]
            part = target.with_name(f"{target.stem}_{family}{target.suffix}")
            chosen = _of_family(copy, family, layout, multi=multi, with_null=at == 0)
            _write_one(row, part, replace(layout, geometry_type=kind), chosen, f"{name}_{family}")
            written += _written(row, part)
    return written


def _spool(batches: Iterator[pa.RecordBatch], schema: pa.Schema, copy: Path) -> shapes.Census:
    census = shapes.Census()
    with pa.OSFile(str(copy), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        for batch in batches:
            census.add(batch.column(GEOMETRY))
            writer.write_batch(batch)
    return census


def _of_family(copy: Path, family: Family, layout: Layout, *, multi: bool, with_null: bool) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(str(copy)) as file, pa.ipc.open_file(file) as reader:
        for at in range(reader.num_record_batches):
            batch = reader.get_batch(at)
            found = shapely.from_wkb(batch.column(GEOMETRY).to_numpy(zero_copy_only=False))
            gathered, belongs = shapes.gather(found, family, multi=multi)
            kept = belongs if with_null else belongs & ~shapely.is_missing(gathered)
            values = [*batch.columns[:-1], shapes.to_wkb(gathered, has_z=layout.has_z)]
            yield pa.RecordBatch.from_arrays([each.filter(pa.array(kept)) for each in values], schema=layout.schema)


def _written(row: Export, target: Path) -> list[Path]:
    beside = (sidecar(target, suffix) for suffix in row.sidecars)
    return [target, *(path for path in beside if path is not None)] if target.exists() else [p for p in beside if p]


def zip_files(paths: list[Path], target: Path) -> Path:
    """Packs files, by their names alone, into a new archive."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            archive.write(path, path.name)
    return target


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
    names = tuple(column.name for column in columns)
    layout = Layout(names, columns, source.geometry_type, source.crs or projections.LONLAT, source.has_z, utc=True)
    count = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal count
        for batch in source.batches(progress):
            own = len(source.columns)
            constant = [pa.array(np.full(len(batch), value, np.int64)) for value in extra.values()]
            count += len(batch)
            values = [
                each.cast(layout.arrow(column))
                for each, column in zip(batch.columns[:own], source.columns, strict=True)
            ]
            values += [*constant, *batch.columns[own:]]
            yield pa.RecordBatch.from_arrays(values, schema=layout.schema)

    options = {"FID": FID, **TIMES} | ({"GEOMETRY_NAME": GEOMETRY, "SPATIAL_INDEX": "YES"} if source.family else {})
    _stream(batches(), layout, path, table_name, "GPKG", {"layer_options": options})
    return count
