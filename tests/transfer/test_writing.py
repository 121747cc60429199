"""Exports read back, and the GeoPackage that imports are staged in."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import zipfile
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import shapely

from graticule.errors import BadRequest
from graticule.model.features import Column
from graticule.transfer.attributes import ARROW
from graticule.transfer.drivers import EXPORTS
from graticule.transfer.outgoing import field_names
from graticule.transfer.reading import open_source
from graticule.transfer.staging import staging_geopackage
from graticule.transfer.writing import Features, zip_files
from graticule.transfer.writing import write as write_features

from .making import geojson, save

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COLUMNS = (
    Column("name", "text"), Column("count", "integer"), Column("share", "real"), Column("open", "boolean"),
    Column("day", "date"), Column("seen", "datetime"), Column("number", "number"),
)  # fmt: skip
VALUES: list[list[Any]] = [
    ["Čačak, \"東京\"\nб", "", None], [2**40, -1, None], [0.1, -2.5e10, None], [True, False, None],
    [dt.date(2024, 2, 29), dt.date(1999, 1, 1), None],
    [dt.datetime(2024, 2, 29, 10, 30, 15), dt.datetime(1999, 1, 1), None], [1.5, 2.5, None],
]  # fmt: skip
SHAPES: dict[str, list[str | None]] = {
    "POINT": ["POINT (1 2)", "POINT (3 4.125)", None],
    "MULTIPOINT": ["MULTIPOINT ((1 2), (3 4))", "MULTIPOINT ((5 6))", None],
    "MULTILINESTRING": ["MULTILINESTRING ((0 0, 1 1))", "MULTILINESTRING ((2 2, 3 3), (4 4, 5 5))", None],
    "MULTIPOLYGON": [
        "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))", "MULTIPOLYGON (((2 2, 3 2, 3 3, 2 2)), ((5 5, 6 5, 6 6, 5 5)))", None,
    ],
}  # fmt: skip


def batches(
    shapes: list[str | None] | None, columns: tuple[Column, ...] = COLUMNS, values: Any = VALUES
) -> Iterator[pa.RecordBatch]:
    fields = {column.name: pa.array(each, ARROW[column.type]) for column, each in zip(columns, values, strict=True)}
    if shapes is not None:
        fields["wkb_geometry"] = pa.array(shapely.to_wkb(shapely.from_wkt(shapes), flavor="iso"), pa.binary())
    yield pa.RecordBatch.from_pydict(fields)


def write(
    fmt: str,
    target: Path,
    columns: tuple[Column, ...],
    kind: str | None,
    crs: str,
    has_z: bool,
    found: Iterator[pa.RecordBatch],
    *,
    name: str,
    **how: Any,
) -> list[Path]:
    return write_features(fmt, target, Features(columns, kind, crs, has_z, found), name=name, **how)


def read(path: Path, **how: Any) -> tuple[Any, pa.Table]:
    source = open_source(path, **how)
    return source, pa.Table.from_batches(list(source.batches()), schema=source.schema)


def shapes_of(rows: pa.Table) -> list[Any]:
    return list(shapely.from_wkb(rows["wkb_geometry"].to_numpy()))


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("fmt", ["shp", "geojson", "csv", "gpkg", "gml", "fgb"])
def test_round_trip(tmp_path: Path, fmt: str, kind: str) -> None:
    told: list[int] = []
    paths = write(
        fmt,
        tmp_path / f"out.{fmt}",
        COLUMNS,
        kind,
        "EPSG:4326",
        False,
        batches(SHAPES[kind]),
        name="out",
        progress=told.append,
    )
    source, rows = read(paths[0])
    assert (source.geometry_type, source.crs, told[-1]) == (kind, "EPSG:4326", 3)
    wanted = [None if each is None else shapely.from_wkt(each) for each in SHAPES[kind]]
    assert [a == b or a.equals(b) for a, b in zip(shapes_of(rows), wanted, strict=True)] == [True] * 3
    found = rows.to_pydict()
    assert [found["name"][0], found["name"][2]] == [VALUES[0][0], None]
    assert found["count"] == VALUES[1]
    assert found["share"] == pytest.approx(VALUES[2])
    # FlatGeobuf has moments only.
    assert [str(each)[:10] for each in found["day"]] == [str(each) for each in VALUES[4]]
    assert [str(each or "")[:10].replace("/", "-") for each in found["seen"]] == ["2024-02-29", "1999-01-01", ""]
    assert found["open"] == VALUES[3]


@pytest.mark.parametrize("fmt", ["geojson", "csv", "gpkg", "shp"])
def test_a_table_without_geometry(tmp_path: Path, fmt: str) -> None:
    paths = write(fmt, tmp_path / f"t.{fmt}", COLUMNS, None, "EPSG:4326", False, batches(None), name="t")
    source, rows = read(paths[0])
    assert (source.geometry_type, rows["count"].to_pylist()) == (None, VALUES[1])


@pytest.mark.parametrize("fmt", ["shp", "csv", "gpkg", "geojson"])
def test_z_is_kept(tmp_path: Path, fmt: str) -> None:
    shapes: list[str | None] = ["MULTILINESTRING Z ((0 0 5, 1 1 6))"]
    one = (Column("n", "integer"),)
    paths = write(
        fmt, tmp_path / f"z.{fmt}", one, "MULTILINESTRING", "EPSG:4326", True, batches(shapes, one, [[1]]), name="z"
    )
    source, rows = read(paths[0])
    assert source.has_z
    assert shapely.get_coordinates(shapes_of(rows), include_z=True).tolist() == [[0, 0, 5], [1, 1, 6]]


def test_a_shapefile_says_its_encoding_and_projection(tmp_path: Path) -> None:
    paths = write("shp", tmp_path / "a.shp", COLUMNS, "POINT", "EPSG:3765", False, batches(SHAPES["POINT"]), name="a")
    assert [path.suffix for path in paths] == [".shp", ".shx", ".dbf", ".prj", ".cpg"]
    assert (tmp_path / "a.cpg").read_text() == "UTF-8"
    assert open_source(paths[0]).crs == "EPSG:3765"
    packed = zip_files(paths, tmp_path / "a.zip")
    assert zipfile.ZipFile(packed).namelist() == ["a.shp", "a.shx", "a.dbf", "a.prj", "a.cpg"]


def test_geojson_is_in_wgs_84_unless_asked_otherwise(tmp_path: Path) -> None:
    one, shapes = (Column("n", "integer"),), ["POINT (1781119.39 5535395.33)"]
    path = write(
        "geojson", tmp_path / "a.geojson", one, "POINT", "EPSG:3857", False, batches(shapes, one, [[1]]), name="a"
    )[0]
    document = json.loads(path.read_text())
    assert "crs" not in document
    assert document["features"][0]["geometry"]["coordinates"] == pytest.approx([16, 44.45], abs=0.01)
    path = write(
        "geojson",
        tmp_path / "b.geojson",
        one,
        "POINT",
        "EPSG:3857",
        False,
        batches(shapes, one, [[1]]),
        name="b",
        to_crs="3857",
    )[0]
    source, rows = read(path)
    assert source.crs == "EPSG:3857"
    assert shapely.get_coordinates(shapes_of(rows))[0] == pytest.approx([1781119.39, 5535395.33])


@pytest.mark.parametrize("fmt", ["csv", "gpkg", "shp"])
def test_another_projection(tmp_path: Path, fmt: str) -> None:
    one = (Column("n", "integer"),)
    path = write(
        fmt,
        tmp_path / f"a.{fmt}",
        one,
        "POINT",
        "EPSG:4326",
        False,
        batches(["POINT (15 45)"], one, [[1]]),
        name="a",
        to_crs="32633",
    )[0]
    _, rows = read(path, crs="EPSG:32633")
    assert shapely.get_coordinates(shapes_of(rows))[0] == pytest.approx([500000, 4982950.4], abs=0.1)


NAMES = [
    (["population_2020", "population_2021", "POPULATION_2022"], ["population", "populati_1", "POPULATI_2"]),
    (["a", "b"], ["a", "b"]),
    (["Županijašš", "Županijaščić"], ["Županija", "Županija_1"]),
    (["čččččč", "čččččč2"], ["ččččč", "čččč_1"]),
]  # fmt: skip


@pytest.mark.parametrize(("names", "wanted"), NAMES)
def test_names_are_cut_without_collisions(names: list[str], wanted: list[str]) -> None:
    cut = field_names(tuple(Column(name, "text") for name in names), 10)
    assert all(len(name.encode()) <= 10 for name in cut)
    assert len({name.lower() for name in cut}) == len(names)
    assert cut[0].encode() == names[0].encode()[:10].decode(errors="ignore").encode()
    if names[0].isascii():
        assert list(cut) == wanted


def test_cut_names_reach_the_file(tmp_path: Path) -> None:
    columns = tuple(Column(f"population_{year}", "integer") for year in (2020, 2021, 2022))
    path = write(
        "shp",
        tmp_path / "a.shp",
        columns,
        "POINT",
        "EPSG:4326",
        False,
        batches(["POINT (1 2)"], columns, [[1], [2], [3]]),
        name="a",
    )[0]
    assert read(path)[1].select([0, 1, 2]).to_pydict() == {"population": [1], "populati_1": [2], "populati_2": [3]}


def test_a_shapefile_of_mixed_geometries_is_split(tmp_path: Path) -> None:
    one = (Column("n", "integer"),)
    shapes = [
        "POINT (1 2)", "LINESTRING (0 0, 1 1)", "POLYGON ((0 0, 1 0, 1 1, 0 0))", None, "MULTIPOINT ((3 4), (5 6))",
        "GEOMETRYCOLLECTION (POINT (7 8), LINESTRING (2 2, 3 3))",
    ]  # fmt: skip
    paths = write(
        "shp",
        tmp_path / "m.shp",
        one,
        "GEOMETRY",
        "EPSG:4326",
        False,
        batches(shapes, one, [[0, 1, 2, 3, 4, 5]]),
        name="m",
    )
    found = {path.stem: read(path)[1]["n"].to_pylist() for path in paths if path.suffix == ".shp"}
    assert found == {"m_point": [0, 3, 4, 5], "m_line": [1, 5], "m_polygon": [2]}
    for fmt in ("gpkg", "geojson"):
        path = write(
            fmt,
            tmp_path / f"m.{fmt}",
            one,
            "GEOMETRY",
            "EPSG:4326",
            False,
            batches(shapes, one, [[0, 1, 2, 3, 4, 5]]),
            name="m",
        )[0]
        assert read(path)[0].feature_count == 6


def test_what_goes_wrong_in_the_batches_comes_out_as_it_is(tmp_path: Path) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield from batches(SHAPES["POINT"])
        raise BadRequest("row 7 is broken")

    with pytest.raises(BadRequest, match="row 7 is broken"):
        write("gpkg", tmp_path / "a.gpkg", COLUMNS, "POINT", "EPSG:4326", False, broken(), name="a")


def test_unknown_formats_and_projections_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="cannot be exported as “dwg”") as error:
        write("dwg", tmp_path / "a", (), "POINT", "EPSG:4326", False, iter(()), name="a")
    assert (error.value.field, error.value.expected) == ("format", ", ".join(EXPORTS))
    with pytest.raises(BadRequest, match="“1” is not known"):
        write("csv", tmp_path / "a", (), "POINT", "EPSG:4326", False, iter(()), name="a", to_crs="1")


def test_staging(tmp_path: Path) -> None:
    when = dt.datetime(2024, 2, 29, 12, 30, 15)
    shapes: list[str | None] = [
        "POLYGON ((0 0, 0 1, 1 1, 0 0))", None, "MULTIPOLYGON (((2 2, 2 3, 3 3, 2 2)))",
    ]  # fmt: skip
    path = save(
        tmp_path / "s.gpkg", "GPKG", shapes, "EPSG:3765",
        t=["ü", None, "x"], i=[2**40, 2, 3], r=[0.5, 1.5, 2.5], b=[True, None, False],
        d=[dt.date(2024, 2, 29)] * 3, w=[when] * 3,
    )  # fmt: skip
    target = tmp_path / "staging.gpkg"
    count = staging_geopackage(
        target, "t_12", open_source(path), {"__created": 1700000000, "__modified": 1700000001, "__owner": 7}
    )
    database = sqlite3.connect(target)
    assert count == 3
    info = [(name, kind) for _, name, kind, *_ in database.execute("PRAGMA table_info(t_12)")]
    assert info[:2] == [("ogc_fid", "INTEGER"), ("wkb_geometry", "MULTIPOLYGON")]
    assert info[2:] == [
        ("t", "TEXT"), ("i", "INTEGER"), ("r", "REAL"), ("b", "BOOLEAN"), ("d", "DATE"), ("w", "DATETIME"),
        ("__created", "INTEGER"), ("__modified", "INTEGER"), ("__owner", "INTEGER"),
    ]  # fmt: skip
    rows = database.execute(
        "SELECT ogc_fid, t, i, b, d, w, __created, __modified, __owner FROM t_12 ORDER BY 1"
    ).fetchall()
    assert rows[0] == (1, "ü", 2**40, 1, "2024-02-29", "2024-02-29T12:30:15.000Z", 1700000000, 1700000001, 7)
    assert [row[0] for row in rows] == [1, 2, 3]
    assert database.execute("SELECT count(*) FROM rtree_t_12_wkb_geometry").fetchone() == (2,)
    assert database.execute("SELECT geometry_type_name, srs_id, z FROM gpkg_geometry_columns").fetchone() == (
        "MULTIPOLYGON",
        3765,
        0,
    )
    database.close()


def test_staging_counts_what_it_left_out_and_takes_plain_tables(tmp_path: Path) -> None:
    extra = {"__created": 1, "__modified": 1, "__owner": 1}
    mixed = geojson(
        tmp_path / "m.geojson",
        {"type": "Point", "coordinates": [1, 2]},
        {"type": "LineString", "coordinates": [[1, 2], [3, 4]]},
    )
    source = open_source(mixed, family="line")
    assert (staging_geopackage(tmp_path / "a.gpkg", "t", source, extra), source.skipped) == (1, 1)
    plain = tmp_path / "p.csv"
    plain.write_text("a\n1\n2\n")
    assert staging_geopackage(tmp_path / "b.gpkg", "t", open_source(plain), extra) == 2
    database = sqlite3.connect(tmp_path / "b.gpkg")
    assert database.execute("SELECT ogc_fid, a, __owner FROM t").fetchall() == [(1, 1, 1), (2, 2, 1)]
    assert database.execute("SELECT data_type FROM gpkg_contents").fetchall() == [("attributes",)]
    database.close()
