"""The table of file formats: their extensions, the files that belong together, and what reads or writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from graticule.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from graticule.model.features import Family

Kind = Literal["vector", "raster"]
Naming = Literal["any", "word", "xml", "markup"]
Times = Literal["text", "utc", "clock"]
FAMILIES: tuple[Family, ...] = ("point", "line", "polygon")


@dataclass(frozen=True, slots=True)
class Format:
    """One row of the table.

    ``drivers`` are GDAL's names; none for what is read without GDAL. ``required`` and ``sidecars`` are suffixes of
    the files beside the main one, which it cannot or can do without. ``crs`` is the projection that the format
    itself lays down. ``declares`` says that the geometry type in the file's header can be relied on, ``counted``
    that the header tells the number of features and GDAL does not mind when some are missing, ``single`` that a file
    holds one layer, ``zero_is_flat`` that a height of 0 all over means that none was given. ``options`` are GDAL's open
    options.
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    drivers: tuple[str, ...]
    kind: Kind = "vector"
    required: tuple[str, ...] = ()
    sidecars: tuple[str, ...] = ()
    crs: str | None = None
    xml: bool = False
    declares: bool = False
    counted: bool = False
    directory: bool = False
    single: bool = False
    zero_is_flat: bool = False
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """A format that features can be written in.

    ``driver`` is GDAL's name; empty for what is written without GDAL. ``content_type`` is that of a single file.
    ``naming`` says what field names are made of, ``name_bytes`` how many bytes of UTF-8 they may have, ``text_bytes``
    how many a text may have. ``holds`` are the geometry families, ``mixed`` says whether one file may hold several,
    ``bare`` whether a feature needs no geometry, ``empties`` whether empty geometries are kept apart from none.
    ``high`` says whether there are heights, ``alike`` that all or none of the geometries must have one.
    ``times`` says how moments are written: as text, in UTC, or as a clock shows them. ``surveyed`` formats need to
    know all of the features before the first is written. ``prj`` puts a .prj into a zip. ``crs`` is the projection
    that is taken unless another is asked for, ``fixed`` says that there is no other.
    """

    name: str
    driver: str
    extension: str
    content_type: str
    name_bytes: int | None = None
    naming: Naming = "any"
    text_bytes: int | None = None
    holds: tuple[Family, ...] = FAMILIES
    mixed: bool = True
    bare: bool = True
    high: bool = True
    alike: bool = False
    empties: bool = False
    times: Times = "utc"
    surveyed: bool = False
    sidecars: tuple[str, ...] = ()
    prj: bool = False
    crs: str | None = None
    fixed: bool = False
    options: tuple[tuple[str, str], ...] = ()


SHAPEFILE_SIDECARS = (
    ".dbf",
    ".prj",
    ".cpg",
    ".qix",
    ".sbn",
    ".sbx",
    ".shp.xml",
    ".qpj",
    ".fbn",
    ".fbx",
    ".idm",
    ".ind",
)
SHAPEFILE_PARTS = (".shx", ".dbf", ".prj", ".cpg")
# Not .ovr and .msk: GDAL opens these with any driver, so that they can name every file of the machine.
WORLD = (".wld", ".prj")

FORMATS: tuple[Format, ...] = (
    Format(
        "shp", "ESRI Shapefile", (".shp",), ("ESRI Shapefile",),
        required=(".shx",), sidecars=SHAPEFILE_SIDECARS, declares=True, single=True,
    ),
    Format("dbf", "dBASE table", (".dbf",), ("ESRI Shapefile",), sidecars=(".cpg",), declares=True, single=True),
    Format(
        "geojson", "GeoJSON", (".geojson", ".json"), ("GeoJSON", "TopoJSON", "ESRIJSON", "JSONFG"), crs="EPSG:4326",
        single=True,
    ),
    Format(
        "geojsonl", "newline-delimited GeoJSON", (".geojsonl", ".geojsons", ".ndjson", ".jsonl"), ("GeoJSONSeq",),
        crs="EPSG:4326", single=True,
    ),
    Format("topojson", "TopoJSON", (".topojson",), ("TopoJSON",), crs="EPSG:4326"),
    Format("kml", "KML", (".kml",), ("LIBKML", "KML"), crs="EPSG:4326", xml=True, zero_is_flat=True),
    Format("kmz", "KMZ", (".kmz",), ("LIBKML",), crs="EPSG:4326", zero_is_flat=True),
    Format("gpx", "GPX", (".gpx",), ("GPX",), crs="EPSG:4326", xml=True, zero_is_flat=True),
    Format("csv", "CSV", (".csv", ".tsv", ".txt"), (), crs="EPSG:4326"),
    Format("gpkg", "GeoPackage", (".gpkg",), ("GPKG",), sidecars=("-wal", "-shm"), declares=True),
    Format("fgb", "FlatGeobuf", (".fgb",), ("FlatGeobuf",), declares=True, counted=True, single=True),
    Format(
        "gml", "GML", (".gml",), ("GML",), sidecars=(".xsd", ".gfs"), xml=True,
        options=(("WRITE_GFS", "NO"), ("DOWNLOAD_SCHEMA", "NO")),
    ),
    Format("tab", "MapInfo TAB", (".tab",), ("MapInfo File",), required=(".dat",), sidecars=(".map", ".id", ".ind")),
    Format("mif", "MapInfo MIF", (".mif",), ("MapInfo File",), required=(".mid",)),
    Format("dxf", "DXF", (".dxf",), ("DXF",), sidecars=(".prj",)),
    Format("dgn", "DGN", (".dgn",), ("DGN",), sidecars=(".prj",)),
    Format("sqlite", "SQLite", (".sqlite", ".sqlite3", ".db"), ("SQLite",)),
    Format("xlsx", "Excel workbook", (".xlsx", ".xlsm"), ("XLSX",), crs="EPSG:4326"),
    Format("ods", "OpenDocument spreadsheet", (".ods",), ("ODS",), crs="EPSG:4326"),
    Format("gdb", "Esri file geodatabase", (".gdb",), ("OpenFileGDB",), directory=True),
    Format("osm", "OpenStreetMap", (".osm", ".pbf"), ("OSM",), crs="EPSG:4326"),
    Format("gmt", "GMT", (".gmt",), ("OGR_GMT",)),
    Format("jml", "OpenJUMP JML", (".jml",), ("JML",), xml=True),
    Format("georss", "GeoRSS", (".georss", ".rss"), ("GeoRSS",), crs="EPSG:4326", xml=True),
    Format("mapml", "MapML", (".mapml",), ("MapML",), xml=True),
    Format("e00", "Arc/Info export", (".e00",), ("AVCE00",)),
    Format("s57", "S-57 chart", (".000",), ("S57",)),
    Format("sxf", "SXF", (".sxf",), ("SXF",), sidecars=(".rsc",)),
    Format("vdv", "VDV-452", (".x10",), ("VDV",)),
    Format("selafin", "Selafin", (".slf",), ("Selafin",)),
    Format("idrisi", "Idrisi vector", (".vct",), ("Idrisi",), sidecars=(".vdc", ".avl", ".adc")),
    Format("miramon", "MiraMon vector", (".pnt", ".arc", ".pol"), ("MiraMonVector",), sidecars=(".nod", ".rel")),
    Format("pmtiles", "PMTiles", (".pmtiles",), ("PMTiles",)),
    Format("mbtiles", "MBTiles", (".mbtiles",), ("MBTiles",)),
    Format("tif", "GeoTIFF", (".tif", ".tiff"), ("GTiff",), "raster", sidecars=(".tfw", ".tifw", ".aux.xml", *WORLD)),
    Format("jpg", "JPEG", (".jpg", ".jpeg"), ("JPEG",), "raster", sidecars=(".jgw", ".jpgw", ".aux.xml", *WORLD)),
    Format("png", "PNG", (".png",), ("PNG",), "raster", sidecars=(".pgw", ".pngw", ".aux.xml", *WORLD)),
)  # fmt: skip

EXPORTS: dict[str, Export] = {
    row.name: row
    for row in (
        Export(
            "shp", "ESRI Shapefile", ".shp", "application/zip", 10, text_bytes=254, mixed=False, times="text",
            surveyed=True, sidecars=SHAPEFILE_PARTS, options=(("SPATIAL_INDEX", "NO"),),
        ),
        Export(
            "mif", "MapInfo File", ".mif", "application/zip", 31, "word", text_bytes=254, high=False, times="clock",
            surveyed=True, sidecars=(".mid",), options=(("FORMAT", "MIF"), ("ENCODING", "UTF-8")),
        ),
        Export(
            "kml", "KML", ".kml", "application/vnd.google-earth.kml+xml", naming="markup", times="text",
            crs="EPSG:4326", fixed=True,
        ),
        Export(
            "gpx", "", ".gpx", "application/gpx+xml", naming="xml", holds=("point", "line"), mixed=False, bare=False,
            times="text", surveyed=True, crs="EPSG:4326", fixed=True,
        ),
        Export("dxf", "DXF", ".dxf", "image/vnd.dxf", bare=False, surveyed=True, prj=True),
        Export(
            "gml", "GML", ".gml", "application/gml+xml", naming="xml", sidecars=(".xsd",),
            options=(("FORMAT", "GML3"), ("GML3_LONGSRS", "NO")),
        ),
        Export("csv", "", ".csv", "text/csv; charset=utf-8", empties=True, times="text", prj=True),
        Export("geojson", "GeoJSON", ".geojson", "application/geo+json", times="text", crs="EPSG:4326"),
        Export("gpkg", "GPKG", ".gpkg", "application/geopackage+sqlite3", empties=True),
        Export("fgb", "FlatGeobuf", ".fgb", "application/flatgeobuf", alike=True, surveyed=True),
        Export(
            "xlsx", "", ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", times="clock",
            prj=True,
        ),
    )
}  # fmt: skip

_BY_EXTENSION = {extension: row for row in FORMATS for extension in row.extensions}


def vector_drivers() -> frozenset[str]:
    """The names of every GDAL driver that reading or writing vector files may use."""
    return frozenset(driver for row in FORMATS if row.kind == "vector" for driver in row.drivers)


def extensions(kind: Kind) -> tuple[str, ...]:
    """The extensions of the files that can be read, with their dot."""
    return tuple(extension for row in FORMATS if row.kind == kind for extension in row.extensions)


def format_of(path: Path) -> Format | None:
    """The format that the file's extension stands for, whatever its case."""
    return _BY_EXTENSION.get(path.suffix.lower())


def require_format(path: Path, kind: Kind) -> Format:
    """The format of a file of that kind. Raises BadRequest that lists what can be read."""
    row = format_of(path)
    if row is None or row.kind != kind:
        known = " ".join(extension[1:] for extension in extensions(kind))
        raise BadRequest(
            f"“{path.name}” is not of a {kind} format that can be read.",
            value=path.suffix[1:],
            expected=f"one of: {known}",
        )
    return row


def sidecar(path: Path, suffix: str) -> Path | None:
    """The file beside ``path`` with the same stem and that suffix, whatever its case; None when there is none.

    A suffix that begins with "-" or has two dots (``roads.shp.xml``) may follow the whole name, too.
    """
    exact = path.with_name(path.stem + suffix)
    return exact if exact.exists() else _beside(path, suffix, sorted(path.parent.iterdir()))


def _beside(path: Path, suffix: str, near: Iterable[Path]) -> Path | None:
    wanted = {(path.stem + suffix).lower(), (path.name + suffix).lower()}
    alike = [other for other in near if other.name.lower() in wanted]
    exact = path.with_name(path.stem + suffix)
    return exact if exact in alike else next(iter(alike), None)


def group(path: Path) -> list[Path]:
    """The file and all those present that belong to it, the main one first."""
    row = format_of(path)
    suffixes = (*row.required, *row.sidecars) if row else ()
    near = sorted(path.parent.iterdir()) if suffixes else []
    found = (_beside(path, suffix, near) for suffix in suffixes)
    return [path, *dict.fromkeys(other for other in found if other is not None and other != path)]


def require_export(name: str) -> Export:
    """The format to write. Raises BadRequest that lists what can be written."""
    row = EXPORTS.get(name.lower())
    if row is None:
        raise BadRequest(
            f"Features cannot be exported as “{name}”.", field="format", value=name, expected=", ".join(EXPORTS)
        )
    return row
