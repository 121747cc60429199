"""Layers of the files that GDAL reads."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graticule.errors import BadRequest
from graticule.model.features import FAMILY_OF_TYPE
from graticule.transfer import coordinates, encodings, engine, jsontext, projections, shapes
from graticule.transfer.attributes import columns_of, convert
from graticule.transfer.drivers import sidecar
from graticule.transfer.sublayers import Sublayer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pyarrow as pa

    from graticule.model.features import Family
    from graticule.transfer.drivers import Format
    from graticule.transfer.sublayers import Wanted

MAX_LISTED = 20
SHEETS = frozenset(("xlsx", "ods", "dbf"))
_AT = re.compile(r"[Aa]t line (\d+), character (\d+)")


@dataclass(frozen=True, slots=True)
class Declared:
    """What the layer's header says: the type's name in capitals without its dimensions ("" for any), and Z."""

    kind: str | None
    has_z: bool

    @property
    def family(self) -> Family | None:
        """The family, None where the header leaves it open."""
        return FAMILY_OF_TYPE.get(self.kind or "")


def declared(name: str | None) -> Declared:
    """The geometry type as pyogrio writes it (``2.5D MultiPolygon``, ``Point ZM``, ``Unknown``, None)."""
    if name is None or name == "None":
        return Declared(None, has_z=False)
    has_z = name.startswith("2.5D") or name.endswith((" Z", " ZM"))
    return Declared(re.sub(r"^2\.5D | (Z|M|ZM)$", "", name).upper(), has_z)


@contextmanager
def _reading(path: Path, row: Format) -> Iterator[None]:
    """GDAL's errors as ours; they would name paths of the server."""
    try:
        yield
    except engine.FOREIGN as error:
        place = _AT.search(str(error))
        if place:
            message = f"“{path.name}”, line {place[1]}, character {place[2]}: the {row.title} is broken there."
        else:
            message = f"“{path.name}” cannot be read as {row.title}: it is damaged or of another kind."
        raise BadRequest(message) from error


def _plain(path: Path, row: Format) -> AbstractContextManager[Path]:
    """The path for GDAL, which would refuse the whole file for a .prj that it does not understand."""
    prj = _prj(path, row)
    known = prj is None or projections.identify(prj.read_text("utf-8", "replace")) is not None
    return engine.plain_path(path, None if known else prj)


def _prj(path: Path, row: Format) -> Path | None:
    """The .prj beside the file, where it has any text."""
    prj = sidecar(path, ".prj") if ".prj" in row.sidecars else None
    return prj if prj is not None and prj.stat().st_size else None


def _options(path: Path, row: Format, encoding: str | None) -> dict[str, str]:
    """GDAL's open options for the file."""
    options = dict(row.options)
    if row.name in ("shp", "dbf"):
        table = path if row.name == "dbf" else sidecar(path, ".dbf")
        if table is not None:
            options["ENCODING"] = _gdal_name(encodings.stated(encoding) if encoding else encodings.of_dbf(table))
    return options


def _gdal_name(codec: str) -> str:
    """GDAL's (iconv's) name for one of Python's encodings."""
    return {"koi8-r": "KOI8-R", "iso8859-1": "ISO-8859-1"}.get(codec, re.sub(r"^iso8859-", "ISO-8859-", codec).upper())


def listed(path: Path, row: Format) -> list[Sublayer]:
    """The layers of the file, those of markup formats counted feature by feature."""
    with _reading(path, row), _plain(path, row) as plain:
        return [_sublayer(plain, row, name, kind) for name, kind in engine.layers(plain)]


def pick(path: Path, row: Format, layer: str | None, family: Family | None) -> str | int:
    """The layer to read, by name or number: the one asked for, else that with features of the family, else with any.

    In a file of a format with one layer it is that, whatever its name.
    """
    if row.single:
        return 0
    with _reading(path, row), _plain(path, row) as plain:
        names = [name for name, _ in engine.layers(plain)]
    if layer is not None and layer not in names:
        raise unknown_layer(path, layer, names)
    if layer is not None or len(names) == 1:
        return layer or names[0]
    found = listed(path, row)
    full = [each for each in found if each.feature_count]
    suits = [each for each in full if family in each.families]
    for each in (*suits, *full, *found):
        return each.name
    raise BadRequest(f"“{path.name}” has no layer.")


def unknown_layer(path: Path, layer: str, names: list[str]) -> BadRequest:
    """The error for a layer that the file does not have."""
    known = ", ".join(names[:MAX_LISTED])
    message = f"There is no layer “{layer}” in “{path.name}”."
    return BadRequest(message, field="layer", value=layer, expected=f"one of: {known}")


def _sublayer(path: Path, row: Format, name: str, kind: str | None) -> Sublayer:
    header = declared(kind)
    options = _options(path, row, None)
    if header.kind is None or (row.declares and header.family is not None):
        count = engine.info(path, name, count=True, options=options)["features"]
        return Sublayer(name, (header.family,) if header.family else (), header.kind, max(count, 0))
    census = shapes.Census(row.zero_is_flat)
    with engine.stream(path, name, columns=[], options=options) as (meta, batches):
        for batch in batches:
            census.add(batch.column(meta["geometry_name"] or "wkb_geometry"))
    return Sublayer(name, tuple(census.families), header.kind, census.rows)


class LayerRows:
    """The rows of one layer of a file that GDAL reads."""

    def __init__(self, path: Path, row: Format, layer: str | int, wanted: Wanted) -> None:
        self._path, self._format, self._layer, self._wanted = path, row, layer, wanted
        self._options = _options(path, row, wanted.encoding)
        self._place: coordinates.Place | None = None
        with _reading(path, row), _plain(path, row) as plain:
            self._open(plain)

    def _open(self, path: Path) -> None:
        about = engine.info(path, self._layer, options=self._options)
        if about["driver"] not in self._format.drivers:
            raise BadRequest(f"“{self._path.name}” is not a {self._format.title} file.")
        self.name = str(about["layer_name"])
        self._promised = int(about["features"]) if self._format.counted else 0
        with engine.stream(path, self._layer, options=self._options) as (meta, batches):
            header = declared(meta["geometry_type"])
            self._field = (meta["geometry_name"] or "wkb_geometry") if header.kind is not None else None
            self._names = [str(name) for name in meta["fields"]]
            self._set_columns(meta)
            self._set_geometry(header, about["features"], batches)
        if self._format.name in SHEETS and self._field is None:
            self._find_place(path)
        self.crs = self._projection(path, meta["crs"]) if self.family else None

    def _set_columns(self, meta: dict[str, Any]) -> None:
        invented = meta["fid_column"] if meta["fid_column"] not in self._names else None
        self._kept, self.columns = columns_of(meta["schema"], [self._field, invented])

    def _set_geometry(self, header: Declared, count: int, batches: Iterator[pa.RecordBatch]) -> None:
        self.family, self.multi, self.has_z, self.feature_count = (
            header.family,
            header.kind != "POINT",
            header.has_z,
            count,
        )
        if header.kind is None or (self._format.declares and header.family is not None):
            return
        census = shapes.Census(self._format.zero_is_flat)
        for batch in batches:
            census.add(batch.column(self._field))
        jsontext.check_nulls(self._path, self._format, census.nulls)
        families = census.families
        asked = self._wanted.family
        self.family = asked if asked in families else next(iter(families), header.family)
        self.multi = self.family != "point" or bool({shapes.MULTIPOINT, shapes.COLLECTION} & set(census.codes))
        self.has_z, self.feature_count = census.has_z, census.rows

    def _find_place(self, path: Path) -> None:
        wanted = self._wanted
        place = coordinates.find(self._names, x=wanted.x_column, y=wanted.y_column, shape=wanted.wkt_column)
        if place is not None:
            survey = coordinates.Survey(place)
            with engine.stream(path, self._layer, options=self._options) as (_, batches):
                for batch in batches:
                    survey.add(batch)
            survey.settle(self, self._path.name, wanted.family, lambda at: f"row {at + 1}")
            self._place = place if self.family else None

    def _projection(self, path: Path, own: str | None) -> str:
        stated = projections.stated(self._wanted.crs) if self._wanted.crs else None
        named = jsontext.named_crs(self._path, self._format)
        if named is not None and stated is None and projections.identify(named) is None:
            message = f"The projection “{named}” that “{self._path.name}” names is not known; state it."
            raise BadRequest(message, field="epsg", value=named, expected="an EPSG code")
        found = projections.identify(own) or stated or self._format.crs
        if found is not None:
            return found
        prj = _prj(self._path, self._format)
        if prj is not None:
            raise BadRequest(
                f"The projection in “{prj.name}” is not known; state the one of “{self._path.name}”.", field="epsg"
            )
        box = engine.info(path, self._layer, bounds=True, options=self._options)["total_bounds"]
        if not projections.fits_lonlat(box):
            raise BadRequest(
                f"“{self._path.name}” does not say its projection, and its coordinates are not in degrees; state it.",
                field="epsg", expected="an EPSG code",
            )  # fmt: skip
        return projections.LONLAT

    def read(self) -> Iterator[tuple[list[pa.Array], shapes.Shapes | None]]:
        """Batch by batch. Raises BadRequest that names the file, and the row where it can."""
        done = 0
        with ExitStack() as stack:
            stack.enter_context(_reading(self._path, self._format))
            plain = stack.enter_context(_plain(self._path, self._format))
            _, batches = stack.enter_context(engine.stream(plain, self._layer, options=self._options))
            for batch in batches:
                yield self._values(batch), self._shapes(batch, done)
                done += len(batch)
        if done < self._promised:
            raise BadRequest(f"“{self._path.name}” is cut off: {done} of its {self._promised} features are there.")

    def _values(self, batch: pa.RecordBatch) -> list[pa.Array]:
        return [convert(batch.column(at), column.type) for at, column in zip(self._kept, self.columns, strict=True)]

    def _shapes(self, batch: pa.RecordBatch, done: int) -> shapes.Shapes | None:
        if self.family is None:
            return None
        if self._place is not None:
            return coordinates.build(batch, self._place)[0]
        try:
            return shapes.parse(batch.column(self._field))
        except shapes.BrokenShapeError as error:
            raise BadRequest(f"“{self._path.name}”, feature {done + error.at + 1} {error.why}.") from error
