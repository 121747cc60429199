"""One file of an export: what writes each format, and how GDAL is told to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from graticule.transfer import dxf, mapinfo, outgoing, projections
from graticule.transfer.csv_file import write_csv
from graticule.transfer.gpx import write_gpx
from graticule.transfer.outgoing import Written
from graticule.transfer.staging import FID, TIMES
from graticule.transfer.stream import GEOMETRY, ogr_type, stream
from graticule.transfer.workbook import write_workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from graticule.transfer.drivers import Export
    from graticule.transfer.outgoing import Notes
    from graticule.transfer.survey import Survey

# FlatGeobuf's index is made in memory: some 170 bytes a feature.
MOST_INDEXED = 500_000
KML_NAME = "Name"
# A tenth of a millimetre; GDAL's own 7 are a centimetre.
DEGREE_DIGITS = "9"


@dataclass(frozen=True, slots=True)
class Job:
    """One file to write: where, with which fields, what geometries, in which projection, called what."""

    row: Export
    target: Path
    fields: tuple[Written, ...]
    geometry_type: str | None
    crs: str
    has_z: bool
    name: str
    notes: Notes
    survey: Survey | None = None
    colour: tuple[int, int, int] | None = None

    @property
    def schema(self) -> pa.Schema:
        """The fields of the batches as they are written."""
        fields = [pa.field(each.name, each.type) for each in self.fields]
        return pa.schema([*fields, pa.field(GEOMETRY, pa.binary())] if self.geometry_type else fields)

    def converted(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches with the fields as they are written."""
        schema = self.schema
        for batch in batches:
            values = [each.values(batch.column(each.column.name)) for each in self.fields]
            if self.geometry_type is not None:
                values.append(batch.column(GEOMETRY))
            yield pa.RecordBatch.from_arrays(values, schema=schema)


def work_folder(target: Path) -> Path:
    """Where files are that are made on the way; a layer may be called like any of them."""
    return target.parent / "work"


def write_part(job: Job, batches: Iterator[pa.RecordBatch]) -> None:
    """Writes the file. Raises BadRequest for what the format cannot hold, Unavailable for a full disk."""
    _WRITERS.get(job.row.name, _write_by_gdal)(job, batches)


def _write_by_gdal(job: Job, batches: Iterator[pa.RecordBatch], **more: Any) -> None:
    options: dict[str, Any] = dict(job.row.options) | _options(job)
    encoding = {} if job.row.name in ("gpkg", "mif") else {"encoding": "UTF-8"}
    kind = ogr_type(job.geometry_type, has_z=job.has_z)
    stream(
        job.converted(batches), job.schema, job.target, _layer_name(job), job.row.driver,
        geometry=kind, crs=job.crs, **encoding, **options, **more,
    )  # fmt: skip


def _layer_name(job: Job) -> str:
    """The layer's name in the file; in a database some beginnings are taken, in GML it is an element's name."""
    if job.row.name == "gml":
        return outgoing.xml_name(job.name)
    taken = job.row.name == "gpkg" and job.name.lower().startswith(("gpkg_", "sqlite_", "rtree_"))
    return f"layer_{job.name}" if taken else job.name


def _options(job: Job) -> dict[str, str]:
    """GDAL's options of creation that depend on what is written."""
    make = _OPTIONS.get(job.row.name)
    return make(job) if make else {}


def _gpkg(job: Job) -> dict[str, str]:
    taken = {each.name.lower() for each in job.fields}
    fid = {"FID": FID if FID not in taken else f"{FID}_", **TIMES}
    return fid | {"GEOMETRY_NAME": "geom" if "geom" not in taken else "geom_"} if job.geometry_type else fid


def _geojson(job: Job) -> dict[str, str]:
    if job.crs != projections.LONLAT:
        return {"RFC7946": "NO"}
    return {"RFC7946": "YES", "COORDINATE_PRECISION": DEGREE_DIGITS}


def _fgb(job: Job) -> dict[str, str]:
    assert job.survey is not None
    indexed = job.geometry_type is not None and not job.survey.census.nulls and job.survey.rows <= MOST_INDEXED
    return {"SPATIAL_INDEX": "YES" if indexed else "NO"}


def _mif(job: Job) -> dict[str, str]:
    box = job.survey.box if job.survey else None
    return {"BOUNDS": mapinfo.bounds(box)} if box else {}


_OPTIONS: dict[str, Callable[[Job], dict[str, str]]] = {"gpkg": _gpkg, "geojson": _geojson, "fgb": _fgb, "mif": _mif}


def _write_csv(job: Job, batches: Iterator[pa.RecordBatch]) -> None:
    write_csv(job.target, job.schema, job.converted(batches), geometry=job.geometry_type is not None)


def _write_gpx(job: Job, batches: Iterator[pa.RecordBatch]) -> None:
    write_gpx(job.target, job.fields, job.converted(batches), job.name)


def _write_workbook(job: Job, batches: Iterator[pa.RecordBatch]) -> None:
    found = job.converted(batches)
    write_workbook(job.target, job.fields, job.geometry_type, found, job.name, job.notes, high=job.has_z)


def _write_kml(job: Job, batches: Iterator[pa.RecordBatch]) -> None:
    """A placemark is called by the column ``name``; where there is none, by the one that says best what it is."""
    named = next((each for each in job.fields if each.name.lower() == "name"), None)
    title = outgoing.title_of([each.column for each in job.fields])
    fields = [Written(each.column, each.name, pa.string()) if each is named else each for each in job.fields]
    if named is None and title is not None:
        fields.insert(0, Written(title, KML_NAME, pa.string()))
    _write_by_gdal(
        Job(job.row, job.target, tuple(fields), job.geometry_type, job.crs, job.has_z, job.name, job.notes), batches
    )


def _write_dxf(job: Job, batches: Iterator[pa.RecordBatch]) -> None:
    """A drawing has no attributes; all that is in it lies on one layer, which is called like the file."""
    head, plain = work_folder(job.target) / "header.dxf", work_folder(job.target) / "plain.dxf"
    head.write_text(dxf.header(job.name, job.colour), "latin-1")
    _write_by_gdal(replace(job, target=plain, fields=()), batches, HEADER=str(head))
    dxf.on_layer(plain, job.target, job.name)


_WRITERS: dict[str, Callable[[Job, Iterator[pa.RecordBatch]], None]] = {
    "csv": _write_csv,
    "gpx": _write_gpx,
    "xlsx": _write_workbook,
    "kml": _write_kml,
    "dxf": _write_dxf,
}
