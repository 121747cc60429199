"""Features, streamed into new files of the export formats."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pyarrow as pa
import shapely

from graticule.errors import BadRequest
from graticule.model.features import FAMILY_OF_TYPE, Column
from graticule.transfer import mapinfo, outgoing, projections, shapes
from graticule.transfer.attributes import ARROW
from graticule.transfer.drivers import FAMILIES, require_export, sidecar
from graticule.transfer.outgoing import Notes, Written
from graticule.transfer.stream import GEOMETRY
from graticule.transfer.survey import Survey, survey
from graticule.transfer.writers import Job, work_folder, write_part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from graticule.model.features import Family
    from graticule.transfer.drivers import Export

FAMILY_TYPES: dict[Family, str] = {"point": "POINT", "line": "MULTILINESTRING", "polygon": "MULTIPOLYGON"}


@dataclass(frozen=True, slots=True)
class Features:
    """What is to be written: the columns and batches of a table, its type of geometry and its projection.

    The batches hold the columns by name and ISO WKB in ``wkb_geometry``. ``colour`` is what the features are drawn
    in, for formats that have colours.
    """

    columns: tuple[Column, ...]
    geometry_type: str | None
    crs: str
    has_z: bool
    batches: Iterator[pa.RecordBatch]
    colour: tuple[int, int, int] | None = None


def write(
    fmt: str,
    target: Path,
    features: Features,
    *,
    name: str,
    to_crs: str | None = None,
    prj: bool = False,
    progress: Callable[[int], None] | None = None,
) -> list[Path]:
    """Writes features into ``target`` and, where a format wants it, files beside it; gives all of them.

    They are reprojected to ``to_crs``; to WGS 84 where that is the format's own, unless another is asked for and the
    format takes it. Where a file holds one geometry family only and there are several, they go to ``<stem>_point``,
    ``_line`` and ``_polygon``. What could not be kept as it was stands in ``<stem>.txt``, which is there only then.
    ``prj`` adds the projection as a file to formats that do not hold it. ``progress`` is told how many features are
    written; what it raises ends the work. After an error there are no files. Raises BadRequest for an unknown format
    or for what the format cannot hold, Unavailable for a full disk.
    """
    row = require_export(fmt)
    _refuse(row, features.geometry_type)
    asked = None if to_crs is None or row.fixed else to_crs
    goal = projections.stated(asked) if asked else row.crs or projections.named(features.crs)
    with TemporaryDirectory(dir=target.parent) as folder:
        draft = target.parent / folder / target.name
        work_folder(draft).mkdir()
        paths = _Export(row, features, goal, draft, name, progress).run()
        if prj and row.prj and features.geometry_type is not None:
            paths.append(_prj(draft, goal))
        return [path.replace(target.parent / path.name) for path in paths]


def _refuse(row: Export, geometry_type: str | None) -> None:
    """Raises BadRequest for a table that the format cannot hold any feature of."""
    family = FAMILY_OF_TYPE.get(geometry_type or "")
    if family is not None and family not in row.holds:
        raise _unheld(row, family)
    if geometry_type is None and not row.bare:
        raise BadRequest(
            f"A {row.name} file holds geometries, and this table has none.", field="format", value=row.name,
            expected="a format for tables: csv, xlsx",
        )  # fmt: skip


def _unheld(row: Export, family: Family) -> BadRequest:
    sentence = f"A {row.name} file cannot hold geometries of the kind {family}."
    expected = f"another format; {row.name} holds: {', '.join(row.holds)}"
    return BadRequest(sentence, field="format", value=row.name, expected=expected)


@dataclass(slots=True)
class _Export:
    """One run of ``write``, in a folder of its own."""

    row: Export
    features: Features
    goal: str
    draft: Path
    name: str
    progress: Callable[[int], None] | None
    done: int = 0

    def run(self) -> list[Path]:
        notes = Notes()
        found = self._survey() if self.row.surveyed else None
        if found is not None:
            self._look_at(found, notes)
        fields = outgoing.plan(self.row, self.features.columns, found, notes)
        batches = self._prepared() if found is None else found.batches()
        paths = self._write_parts(fields, batches, found, notes)
        return [*paths, *self._notes(notes)]

    def _survey(self) -> Survey:
        geometry = self.features.geometry_type is not None
        schema = _schema([(column.name, _arrow(column)) for column in self.features.columns], geometry=geometry)
        return survey(self._watched(self._prepared()), schema, work_folder(self.draft) / "features.arrow")

    def _watched(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Lets the work be ended in the first of two passes; nothing is written yet."""
        for batch in batches:
            if self.progress is not None:
                self.progress(0)
            yield batch

    def _look_at(self, found: Survey, notes: Notes) -> None:
        """Raises BadRequest for geometries that the format cannot hold."""
        for family in found.census.families:
            if family not in self.row.holds:
                raise _unheld(self.row, family)
        if not self.row.bare and found.census.nulls:
            notes.add(f"Features without geometry are left out, for the format cannot hold them: {found.census.nulls}.")
        if self.row.name == "mif" and self.features.geometry_type is not None:
            if {shapes.MULTIPOINT, shapes.COLLECTION} & set(found.census.codes):
                notes.add("A feature of several points or of several kinds of geometry becomes several features.")
            mapinfo.require_system(work_folder(self.draft), self.goal, found.box)

    def _prepared(self) -> Iterator[pa.RecordBatch]:
        """The batches in the projection of the file, without what the format makes no difference of."""
        columns, has_geometry = self.features.columns, self.features.geometry_type is not None
        schema = _schema([(column.name, _arrow(column)) for column in columns], geometry=has_geometry)
        for batch in self.features.batches:
            values = [batch.column(column.name).cast(_arrow(column), safe=False) for column in columns]
            if has_geometry:
                values.append(self._shapes(batch.column(GEOMETRY).cast(pa.binary())))
            yield pa.RecordBatch.from_arrays(values, schema=schema)

    def _shapes(self, wkb: pa.Array) -> pa.Array:
        same = self.goal == projections.named(self.features.crs)
        if same and self.row.empties and self._has_z == self.features.has_z:
            return wkb
        found = shapely.from_wkb(wkb.to_numpy(zero_copy_only=False))
        if not self.row.empties:
            found[shapely.is_empty(found)] = None
        if not same:
            found = projections.reproject(found, self.features.crs, self.goal)
        if self.row.alike and self._has_z:
            found = shapely.force_3d(found, 0.0)
        return shapes.to_wkb(found, has_z=self._has_z)

    @property
    def _has_z(self) -> bool:
        return self.features.has_z and self.row.high

    def _write_parts(
        self, fields: tuple[Written, ...], batches: Iterator[pa.RecordBatch], found: Survey | None, notes: Notes
    ) -> list[Path]:
        job = Job(
            self.row, self.draft, fields, self.features.geometry_type, self.goal, self._has_z, self.name, notes,
            found, self.features.colour,
        )  # fmt: skip
        kind = self.features.geometry_type
        if found is None or self.row.mixed or kind is None or kind in FAMILY_OF_TYPE:
            return self._write_one(job, batches)
        # A file for each family; features without geometry go to the first.
        paths: list[Path] = []
        for at, family in enumerate(found.census.families or FAMILIES[:1]):
            multi = family != "point" or bool({shapes.MULTIPOINT, shapes.COLLECTION} & set(found.census.codes))
            kind = "MULTIPOINT" if multi and family == "point" else FAMILY_TYPES[family]
            several = len(found.census.families) > 1 or self.row.name == "shp"
            tail = f"_{family}" if several else ""
            part = self.draft.with_name(f"{self.draft.stem}{tail}{self.draft.suffix}")
            own = replace(job, target=part, geometry_type=kind, name=self.name + tail)
            chosen = _of_family(found.batches(), family, multi=multi, has_z=self._has_z, with_null=at == 0)
            paths += self._write_one(own, chosen)
        return paths

    def _write_one(self, job: Job, batches: Iterator[pa.RecordBatch]) -> list[Path]:
        if not self.row.bare:
            batches = (batch.filter(batch.column(GEOMETRY).is_valid()) for batch in batches)
        write_part(job, self._counted(batches))
        beside = (sidecar(job.target, suffix) for suffix in self.row.sidecars)
        return [path for path in (job.target, *beside) if path is not None and path.exists()]

    def _counted(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield batch
            self.done += len(batch)
            if self.progress is not None:
                self.progress(self.done)

    def _notes(self, notes: Notes) -> list[Path]:
        if not notes.lines:
            return []
        path = self.draft.with_suffix(".txt")
        path.write_text("\n".join(("What this export could not keep as it was:", "", *notes.lines, "")), "utf-8")
        return [path]


def _arrow(column: Column) -> pa.DataType:
    return ARROW[column.type]


def _schema(fields: list[tuple[str, pa.DataType]], *, geometry: bool) -> pa.Schema:
    return pa.schema([*fields, (GEOMETRY, pa.binary())] if geometry else fields)


def _of_family(
    batches: Iterator[pa.RecordBatch], family: Family, *, multi: bool, has_z: bool, with_null: bool
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        found = shapely.from_wkb(batch.column(GEOMETRY).to_numpy(zero_copy_only=False))
        gathered, belongs = shapes.gather(found, family, multi=multi)
        kept = pa.array(belongs if with_null else belongs & ~shapely.is_missing(gathered))
        values = [*batch.columns[:-1], shapes.to_wkb(gathered, has_z=has_z)]
        yield pa.RecordBatch.from_arrays([each.filter(kept) for each in values], schema=batch.schema)


def _prj(draft: Path, goal: str) -> Path:
    """The projection in the dialect of WKT that .prj files are written in."""
    path = draft.with_suffix(".prj")
    path.write_text(projections.esri_wkt(goal), "utf-8")
    return path


def zip_files(paths: list[Path], target: Path) -> Path:
    """Packs files, by their names alone, into a new archive."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            archive.write(path, path.name)
    return target
