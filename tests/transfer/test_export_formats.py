"""What is peculiar to a format: what is in its files besides the features, and what becomes of what it cannot hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyogrio
import pytest
import shapely
from pyogrio import raw

from graticule.errors import BadRequest
from graticule.model.features import Column
from graticule.transfer import dxf, workbook
from graticule.transfer.attributes import ARROW
from graticule.transfer.drivers import EXPORTS
from graticule.transfer.outgoing import field_names
from graticule.transfer.writing import Features, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAME = Column("name", "text")


def features(
    shapes: list[str | None] | None, kind: str | None = "GEOMETRY", crs: str = "EPSG:4326", **values: list[Any]
) -> Features:
    """Features with columns by name; the value of each is a list, the first word of its name its type."""
    columns = tuple(Column(name.partition("_")[2] or name, name.partition("_")[0]) for name in values)  # type: ignore[arg-type]
    return of_columns(shapes, kind, crs, dict(zip(columns, values.values(), strict=True)))


def of_columns(
    shapes: list[str | None] | None, kind: str | None, crs: str, values: dict[Column, list[Any]]
) -> Features:
    fields = {column.name: pa.array(each, ARROW[column.type]) for column, each in values.items()}
    found = shapely.from_wkt(shapes if shapes is not None else [])
    if shapes is not None:
        fields["wkb_geometry"] = pa.array(shapely.to_wkb(found, flavor="iso"), pa.binary())
    batch = pa.RecordBatch.from_pydict(fields)
    has_z = bool(shapely.has_z(found).any())
    # One row a batch, that there are several.
    return Features(tuple(values), kind, crs, has_z, (batch.slice(at, 1) for at in range(len(batch))))


def written(fmt: str, folder: Path, what: Features, **how: Any) -> dict[str, str]:
    """The files that were written, by suffix; text as it is."""
    paths = write(fmt, folder / f"out{EXPORTS[fmt].extension}", what, name="out", **how)
    assert sorted(folder.iterdir()) == sorted(paths)
    return {path.suffix: path.read_text("utf-8", "replace") for path in paths}


# ---------------------------------------------------------------- ended, or gone wrong


@pytest.mark.parametrize("fmt", EXPORTS)
@pytest.mark.parametrize("at", [0, 2])
def test_what_progress_raises_ends_the_work_and_leaves_nothing(tmp_path: Path, fmt: str, at: int) -> None:
    def stop(done: int) -> None:
        told.append(done)
        if done >= at:
            raise KeyboardInterrupt

    told: list[int] = []
    what = features(["POINT (1 2)", "POINT (3 4)", "POINT (5 6)"], "POINT", text_name=["a", "b", "c"])
    with pytest.raises(KeyboardInterrupt):
        write(fmt, tmp_path / f"out.{fmt}", what, name="out", progress=stop)
    assert list(tmp_path.iterdir()) == []
    assert told[-1] == (at or (0 if EXPORTS[fmt].surveyed else 1))


@pytest.mark.parametrize("fmt", EXPORTS)
def test_progress_tells_of_all_rows(tmp_path: Path, fmt: str) -> None:
    told: list[int] = []
    what = features(["POINT (1 2)", "POINT (3 4)", "POINT (5 6)"], "POINT", text_name=["a", "b", "c"])
    written(fmt, tmp_path, what, progress=told.append)
    assert told == [*([0] * 3 if EXPORTS[fmt].surveyed else []), 1, 2, 3]


@pytest.mark.parametrize("fmt", EXPORTS)
def test_what_goes_wrong_comes_out_and_leaves_nothing(tmp_path: Path, fmt: str) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield from features(["POINT (1 2)"], "POINT", text_name=["a"]).batches
        raise BadRequest("row 2 is broken")

    with pytest.raises(BadRequest, match="row 2 is broken"):
        write(fmt, tmp_path / f"a.{fmt}", Features((NAME,), "POINT", "EPSG:4326", False, broken()), name="a")
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- names

LONG = "a very long name of a column, 1"
CASES = [
    ("xml", ["1st (km)", "a b", "a_b", "XmlThing"], ["_1st__km_", "a_b_1", "a_b", "_XmlThing"]),
    ("word", ["a-b", "širina", "2d"], ["a_b", "širina", "_2d"]),
    ("markup", ['<a href="&">', "a b"], ["_a href=____", "a b"]),
    ("any", ["a\x01b", "<>"], ["a_b", "<>"]),
]


@pytest.mark.parametrize(("naming", "names", "wanted"), CASES)
def test_names_by_the_rules_of_formats(naming: Any, names: list[str], wanted: list[str]) -> None:
    assert list(field_names([Column(name, "text") for name in names], None, naming)) == wanted


@pytest.mark.parametrize("limit", [10, 31])
@pytest.mark.parametrize("letter", ["a", "č", "東", "🗺"])
def test_a_thousand_long_names_stay_apart(limit: int, letter: str) -> None:
    cut = field_names([Column(letter * 40 + str(number), "text") for number in range(1000)], limit)
    assert len({name.lower() for name in cut}) == 1000
    assert max(len(name.encode()) for name in cut) <= limit


# ---------------------------------------------------------------- MapInfo


def test_mif_says_its_encoding_projection_and_bounds(tmp_path: Path) -> None:
    what = features(
        ["POINT (500000 5000000)", "POINT (600000 5100000)"], "POINT", "EPSG:32633", text_name=["Čačak", ""]
    )
    files = written("mif", tmp_path, what)
    assert 'Charset "UTF-8"' in files[".mif"]
    assert 'CoordSys Earth Projection 8, 104, "m", 15, 0, 0.9996, 500000, 0' in files[".mif"]
    assert "Bounds (400000, 4900000) (700000, 5200000)" in files[".mif"]
    assert '"Čačak"' in files[".mid"]


# Lambert azimuthal with a false origin, polar stereographic, and a datum that MapInfo is not told of.
@pytest.mark.parametrize(("epsg", "at"), [(3035, "4321000 3210000"), (3031, "0 1000000"), (31467, "3500000 5500000")])
def test_mif_refuses_projections_that_it_would_say_wrongly(tmp_path: Path, epsg: int, at: str) -> None:
    what = features([f"POINT ({at})"], "POINT", f"EPSG:{epsg}", text_name=["a"])
    with pytest.raises(BadRequest, match="cannot describe this projection") as error:
        written("mif", tmp_path, what)
    assert error.value.field == "epsg"
    assert list(tmp_path.iterdir()) == []


def test_mif_says_that_points_are_parted(tmp_path: Path) -> None:
    files = written("mif", tmp_path, features(["MULTIPOINT (1 2, 3 4)"], "MULTIPOINT", text_name=["a"]))
    assert "becomes several features" in files[".txt"]
    assert files[".mif"].count("\nPoint ") == 2


@pytest.mark.parametrize(("value", "kind"), [(2**31 - 1, "Integer"), (-(2**31), "LargeInt"), (2**40, "LargeInt")])
def test_integers_of_mif_are_as_wide_as_need_be(tmp_path: Path, value: int, kind: str) -> None:
    files = written("mif", tmp_path, features(["POINT (1 2)"], "POINT", integer_n=[value]))
    assert f"  n {kind}\n" in files[".mif"]
    assert files[".mid"].strip() == str(value)


# ---------------------------------------------------------------- GPX


def test_gpx_has_its_own_elements_and_extensions_for_the_rest(tmp_path: Path) -> None:
    what = features(
        ["POINT Z (15 45 120.5)", "MULTIPOINT (16 46, 17 47)"], "GEOMETRY", text_NAME=["Vrh <1> & \x01", None],
        text_description=["opis", None], text_sym=["Summit", None], integer_people=[7, None],
    )  # fmt: skip
    text = written("gpx", tmp_path, what)[".gpx"]
    assert '<wpt lat="45.0" lon="15.0"><ele>120.5</ele><name>Vrh &lt;1&gt; &amp; </name>' in text
    assert "<desc>opis</desc><sym>Summit</sym><extensions><ogr:people>7</ogr:people></extensions></wpt>" in text
    assert text.count("<wpt") == 3


def test_gpx_puts_points_and_lines_into_two_files(tmp_path: Path) -> None:
    what = features(["POINT (1 2)", "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))"], text_name=["a", "b"])
    paths = write("gpx", tmp_path / "out.gpx", what, name="out")
    assert [path.name for path in paths] == ["out_point.gpx", "out_line.gpx"]
    assert paths[1].read_text().count("<trkseg>") == 2
    assert "<trk><name>b</name><trkseg>" in paths[1].read_text()
    assert "<wpt" in paths[0].read_text()


def test_longitudes_of_gpx_are_those_of_the_globe(tmp_path: Path) -> None:
    text = written("gpx", tmp_path, features(["POINT (190 5)"], "POINT", text_name=["a"]))[".gpx"]
    assert 'lat="5.0" lon="-170.0"' in text


# ---------------------------------------------------------------- KML


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"text_name": ["a"], "text_title": ["b"]}, "a"),
        ({"text_code": ["a"], "text_NAZIV": ["b"]}, "b"),
        ({"text_code": ["a"], "text_long_name": ["b"]}, "b"),
        ({"integer_n": [1], "text_code": ["a"]}, "a"),
        ({"integer_name": [7]}, "7"),
        ({"integer_n": [1]}, None),
    ],
)
def test_names_of_placemarks(tmp_path: Path, values: dict[str, list[Any]], name: str | None) -> None:
    text = written("kml", tmp_path, features(["POINT (1 2)"], "POINT", **values))[".kml"]
    placemark = text[text.index("<Placemark") :]
    assert re.findall("<name>(.*?)</name>", placemark) == ([] if name is None else [name])
    kept = [column.partition("_")[2] for column in values if not column.endswith("_name") or column == "text_long_name"]
    assert re.findall('<SimpleData name="(.*?)">', placemark) == kept


def test_kml_is_in_wgs_84_whatever_is_asked(tmp_path: Path) -> None:
    what = features(["POINT (1781119.39 5535395.33)"], "POINT", "EPSG:3857", text_name=["a"])
    text = written("kml", tmp_path, what, to_crs="3857")[".kml"]
    x, y = (float(each) for each in re.findall("<coordinates>(.*?),(.*?)</coordinates>", text)[0])
    assert (x, y) == pytest.approx((16, 44.45), abs=0.01)


# ---------------------------------------------------------------- GML


def test_gml_is_version_3_1_with_x_before_y(tmp_path: Path) -> None:
    files = written("gml", tmp_path, features(["POINT (15 45)"], "POINT", text_name=["Čačak"]))
    assert '<gml:Point srsName="EPSG:4326"><gml:pos>15 45</gml:pos></gml:Point>' in files[".gml"]
    assert 'xmlns:gml="http://www.opengis.net/gml"' in files[".gml"]
    assert "schemas.opengis.net/gml/3.1.1" in files[".xsd"]
    assert 'http://ogr.maptools.org/ out.xsd"' in files[".gml"]


# ---------------------------------------------------------------- DXF


@pytest.mark.parametrize(
    ("colour", "number"),
    [((255, 0, 0), 1), ((250, 5, 3), 1), ((0, 0, 0), 7), ((255, 255, 255), 7), ((255, 127, 0), 30), (None, 7)],
)
def test_a_drawing_has_a_layer_with_a_name_and_a_colour(tmp_path: Path, colour: Any, number: int) -> None:
    what = features(["POINT (1 2)", "POLYGON ((0 0, 4 0, 4 4, 0 0))"], text_name=["a", "b"])
    what = Features(what.columns, what.geometry_type, what.crs, what.has_z, what.batches, colour)
    write("dxf", tmp_path / "x.dxf", what, name="Šume")
    text = (tmp_path / "x.dxf").read_text("latin-1")
    (record,) = re.findall(r"AcDbLayerTableRecord\n  2\n(\\U\+0160ume)\n 70\n +0\n 62\n +(\d+)\n", text)
    assert int(record[1]) == number
    entities = text[text.index("ENTITIES") :]
    assert re.findall(r"\n  8\n(.*)\n", entities) == ["\\U+0160ume"] * 2


def test_every_colour_has_a_number() -> None:
    assert {dxf.colour_number((r, g, b)) for r in (0, 99, 255) for g in (0, 99, 255) for b in (0, 99, 255)} <= set(
        range(1, 250)
    )


# ---------------------------------------------------------------- FlatGeobuf


@pytest.mark.parametrize(("shapes", "indexed"), [(["POINT (1 2)"], True), (["POINT (1 2)", None], False)])
def test_the_index_of_flatgeobuf(tmp_path: Path, shapes: list[str | None], indexed: bool) -> None:
    """Features without geometry cannot be in the index; so there is none."""
    write("fgb", tmp_path / "a.fgb", features(shapes, "POINT", text_name=["a"] * len(shapes)), name="a")
    assert raw.read(tmp_path / "a.fgb")[0]["fields"].tolist() == ["name"]
    assert len(raw.read(tmp_path / "a.fgb")[2]) == len(shapes)
    assert pyogrio.read_info(tmp_path / "a.fgb")["capabilities"]["fast_spatial_filter"] == indexed


# ---------------------------------------------------------------- Excel


def test_a_long_geometry_goes_on_in_the_next_cells(tmp_path: Path) -> None:
    ring = shapely.Point(0, 0).buffer(1, quad_segs=400)
    what = features([ring.wkt, "POINT (1 2)"], text_name=["a", "b"])
    write("xlsx", tmp_path / "a.xlsx", what, name="a")
    table = raw.read_arrow(tmp_path / "a.xlsx")[1].to_pylist()
    cells = [value for name, value in table[-2].items() if name != "name" and value is not None]
    assert len(cells) > 1 or len(cells[0]) <= workbook.LONGEST_TEXT
    assert shapely.from_wkt("".join(cells).removeprefix("a")).equals_exact(ring, 1e-12)


def test_long_texts_are_cut_and_said(tmp_path: Path) -> None:
    files = written("xlsx", tmp_path, features(["POINT (1 2)"], "POINT", text_name=["č" * 40_000]))
    assert "cut to the 32767 characters" in files[".txt"]


def test_a_full_sheet_goes_on_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    what = features(None, None, integer_n=[1, 2, 3, 4, 5])
    write("xlsx", tmp_path / "a.xlsx", what, name="sheet [1]: a very long name of a sheet")
    names = ["sheet _1__ a very long name of ", "sheet _1__ a very long name (2)", "sheet _1__ a very long name (3)"]
    found = [raw.read_arrow(tmp_path / "a.xlsx", layer=name, HEADERS="FORCE")[1]["n"].to_pylist() for name in names[:2]]
    assert found == [[1, 2], [3, 4]]


# ---------------------------------------------------------------- tables, empty layers, geometries without coordinates


@pytest.mark.parametrize("fmt", EXPORTS)
def test_a_table_without_geometry(tmp_path: Path, fmt: str) -> None:
    what = features(None, None, text_name=["Šibenik", None])
    if not EXPORTS[fmt].bare:
        with pytest.raises(BadRequest, match="holds geometries"):
            written(fmt, tmp_path, what)
        assert list(tmp_path.iterdir()) == []
        return
    files = written(fmt, tmp_path, what)
    assert EXPORTS[fmt].extension in files or ".dbf" in files


@pytest.mark.parametrize("fmt", EXPORTS)
@pytest.mark.parametrize("kind", ["POINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRY"])
def test_no_features_at_all(tmp_path: Path, fmt: str, kind: str) -> None:
    what = Features((NAME,), kind, "EPSG:4326", False, iter(()))
    if (fmt, kind) == ("gpx", "MULTIPOLYGON"):
        with pytest.raises(BadRequest, match="cannot hold geometries of the kind polygon"):
            written(fmt, tmp_path, what)
    else:
        assert EXPORTS[fmt].extension in written(fmt, tmp_path, what)


@pytest.mark.parametrize(
    ("fmt", "found"),
    [
        ("kml", lambda files: files[".kml"].count("<coordinates>") == 1),
        ("mif", lambda files: files[".mif"].lower().count("none") == 3),
        ("gpx", lambda files: files[".gpx"].count("<wpt") == 1 and ": 3." in files[".txt"]),
        ("geojson", lambda files: files[".geojson"].count('"geometry": null') == 3),
        ("gml", lambda files: files[".gml"].count("<gml:pos>") == 1),
        ("csv", lambda files: files[".csv"].count('"POINT EMPTY"') == 1),
    ],
)
def test_geometries_without_coordinates_are_none(tmp_path: Path, fmt: str, found: Callable[[Any], bool]) -> None:
    shapes: list[str | None] = ["POINT (1 2)", "POINT EMPTY", None, "GEOMETRYCOLLECTION EMPTY"]
    assert found(written(fmt, tmp_path, features(shapes, text_name=["a", "b", "c", "d"])))


def test_a_projection_without_a_number_is_said_beside_the_file(tmp_path: Path) -> None:
    crs = "+proj=laea +lat_0=10 +lon_0=20 +datum=WGS84 +units=m"
    for fmt in ("csv", "dxf", "xlsx"):
        files = written(fmt, tmp_path, features(["POINT (1 2)"], "POINT", crs, text_name=["a"]), prj=True)
        assert "Lambert_Azimuthal_Equal_Area" in files[".prj"]
        for path in tmp_path.iterdir():
            path.unlink()


@pytest.mark.parametrize("fmt", EXPORTS)
def test_numbers_that_are_not_finite_are_none(tmp_path: Path, fmt: str) -> None:
    what = features(["POINT (1 2)"] * 3, "POINT", real_r=[float("nan"), float("inf"), 1.5], text_name=["a", "b", "c"])
    files = written(fmt, tmp_path, what)
    for text in files.values():
        assert not re.search(r"[>,: ](nan|inf)\b", text, re.IGNORECASE)


def test_no_file_of_ours_is_named_like_a_layer(tmp_path: Path) -> None:
    """Layers may be called like the files that are made on the way."""
    for name in ("header", "plain", "features", "probe"):
        what = features(["POINT (1 2)"], "POINT", text_name=["a"])
        for fmt in ("dxf", "mif"):
            assert write(fmt, tmp_path / f"{name}.{fmt}", what, name=name)[0].stat().st_size > 0
            what = features(["POINT (1 2)"], "POINT", text_name=["a"])
