"""Tables of text: separators, encodings, coordinates, types, and what is wrong in which line."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import shapely

from graticule.errors import BadRequest
from graticule.transfer.reading import list_sublayers, open_source

if TYPE_CHECKING:
    from pathlib import Path

    from graticule.transfer.reading import Source


def write(folder: Path, text: str, name: str = "t.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def rows(source: Source) -> list[dict[str, Any]]:
    found = pa.Table.from_batches(list(source.batches()), schema=source.schema).to_pylist()
    for row in found:
        if row.get("wkb_geometry") is not None:
            row["wkb_geometry"] = shapely.to_wkt(shapely.from_wkb(row["wkb_geometry"]), rounding_precision=6)
    return found


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.txt"])
def test_separators(tmp_path: Path, separator: str, name: str) -> None:
    lines = [["name", "lon", "lat"], ['"a, b; c | d"', "15.5", "44.25"], ["e", "-1", "2"]]
    source = open_source(write(tmp_path, "\n".join(separator.join(line) for line in lines), name))
    assert rows(source) == [
        {"name": "a, b; c | d", "lon": 15.5, "lat": 44.25, "wkb_geometry": "POINT (15.5 44.25)"},
        {"name": "e", "lon": -1.0, "lat": 2.0, "wkb_geometry": "POINT (-1 2)"},
    ]


def test_decimal_commas(tmp_path: Path) -> None:
    source = open_source(write(tmp_path, "ime;lat;lon;n\nZadar;44,12;15,23;1\nSplit;43,5;16,44;-2\n"))
    assert rows(source)[0] == {
        "ime": "Zadar",
        "lat": 44.12,
        "lon": 15.23,
        "n": 1,
        "wkb_geometry": "POINT (15.23 44.12)",
    }


PAIRS = [
    ("longitude", "latitude"), ("Lon", "LAT"), ("LNG", "Lat"), ("long", "lat"), ("x", "y"), ("X_Coord", "Y_Coord"),
    ("GPS Longitude", "GPS Latitude"), ("decimalLongitude", "decimalLatitude"),
]  # fmt: skip


@pytest.mark.parametrize(("x", "y"), PAIRS)
def test_coordinate_columns_are_guessed(tmp_path: Path, x: str, y: str) -> None:
    source = open_source(write(tmp_path, f"{y},n,{x}\n44,1,15\n"))
    assert source.geometry_type == "POINT"
    assert rows(source)[0]["wkb_geometry"] == "POINT (15 44)"
    assert len(source.columns) == 3


def test_columns_and_projection_are_told(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n500000,5000000\n")
    source = open_source(path, x_column="A", y_column="b", crs="EPSG:3765")
    assert (source.crs, rows(source)[0]["wkb_geometry"]) == ("EPSG:3765", "POINT (500000 5000000)")
    with pytest.raises(BadRequest, match="no column “c”") as error:
        open_source(path, x_column="c", y_column="b")
    assert (error.value.field, error.value.expected) == ("x_column", "a, b")
    with pytest.raises(BadRequest, match="state it"):
        open_source(path, x_column="a", y_column="b")


@pytest.mark.parametrize("name", ["wkt", "WKT", "geom", "the_geom", "geometry", "wkb_geometry"])
def test_wkt_columns_are_guessed(tmp_path: Path, name: str) -> None:
    source = open_source(
        write(tmp_path, f'n,{name}\n1,"POLYGON ((0 0, 0 1, 1 1, 0 0))"\n2,\n3,"LINESTRING (0 0, 1 1)"\n')
    )
    assert (source.geometry_type, [column.name for column in source.columns]) == ("MULTIPOLYGON", ["n"])
    assert [(row["n"], row["wkb_geometry"]) for row in rows(source)] == [
        (1, "MULTIPOLYGON (((0 0, 0 1, 1 1, 0 0)))"), (2, None),
    ]  # fmt: skip
    assert source.skipped == 1


def test_ewkt_and_hexadecimal_wkb(tmp_path: Path) -> None:
    source = open_source(write(tmp_path, "geom\nSRID=3765;POINT Z (500000 5000000 7)\n"))
    assert (source.crs, source.has_z, rows(source)[0]["wkb_geometry"]) == (
        "EPSG:3765",
        True,
        "POINT Z (500000 5000000 7)",
    )
    source = open_source(write(tmp_path, f"wkb_geometry,n\n{shapely.to_wkb(shapely.Point(1, 2), hex=True)},1\n"))
    assert rows(source) == [{"n": 1, "wkb_geometry": "POINT (1 2)"}]


@pytest.mark.parametrize(
    "text", ["a,b\n1,2\n", "shape,x\nround,1\n", "x,y\nleft,right\n", "geometry\nhard\n", "a\n1\n"]
)
def test_a_table_without_coordinates_is_plain(tmp_path: Path, text: str) -> None:
    source = open_source(write(tmp_path, text))
    assert (source.geometry_type, source.crs, len(rows(source))) == (None, None, 1)
    assert list_sublayers(write(tmp_path, text))[0].family is None


TYPES: list[tuple[list[str], str, list[Any]]] = [
    (["1", "-20", ""], "integer", [1, -20, None]),
    (["1", "2.5", "1e3"], "real", [1.0, 2.5, 1000.0]),
    (["00123", "5", "6"], "text", ["00123", "5", "6"]),
    (["+385", "5", "6"], "text", ["+385", "5", "6"]),
    (["12345678901234567890", "1", "2"], "text", ["12345678901234567890", "1", "2"]),
    (["1", "x", "2"], "text", ["1", "x", "2"]),
    (["0", "0.5", "-0.25"], "real", [0.0, 0.5, -0.25]),
    (["true", "FALSE", ""], "boolean", [True, False, None]),
    (["2024-02-29", "1999-12-31", ""], "date", [dt.date(2024, 2, 29), dt.date(1999, 12, 31), None]),
    (["2024-02-30", "1999-12-31", ""], "text", ["2024-02-30", "1999-12-31", None]),
    (
        ["2024-02-29T10:30", "2024-02-29 10:30:15.5", "2024-02-29T10:30:00+02:00"], "datetime",
        [dt.datetime(2024, 2, 29, 10, 30), dt.datetime(2024, 2, 29, 10, 30, 15, 500000),
         dt.datetime(2024, 2, 29, 8, 30)],
    ),
    (["2024-02-29T25:00", "2024-02-29T10:00Z", ""], "text", ["2024-02-29T25:00", "2024-02-29T10:00Z", None]),
    (["", "", ""], "text", [None, None, None]),
    (["NA", "null", "NaN"], "text", ["NA", "null", "NaN"]),
]  # fmt: skip


@pytest.mark.parametrize(("values", "kind", "wanted"), TYPES)
def test_types_are_found(tmp_path: Path, values: list[str], kind: str, wanted: list[Any]) -> None:
    source = open_source(write(tmp_path, "n,v\n" + "".join(f"{at},{value}\n" for at, value in enumerate(values))))
    assert source.columns[1].type == kind
    assert [row["v"] for row in rows(source)] == wanted


ENCODED = [
    ("utf-8", "東京"), ("utf-8-sig", "Čačak"), ("utf-16", "Čačak"), ("cp1250", "Dvořáková"), ("cp1252", "Müller"),
    ("cp1251", "Москва"), ("shift_jis", "東京都"), ("gb18030", "北京市"),
]  # fmt: skip


@pytest.mark.parametrize(("encoding", "word"), ENCODED)
def test_encodings(tmp_path: Path, encoding: str, word: str) -> None:
    path = write(tmp_path, f"naam,lon,lat\r\n{word},1,2\r\n", encoding=encoding)
    assert rows(open_source(path))[0] == {"naam": word, "lon": 1, "lat": 2, "wkb_geometry": "POINT (1 2)"}
    if encoding != "utf-8-sig":
        assert rows(open_source(path, encoding=encoding))[0]["naam"] == word


HALF = 'name,latitude,longitude\na,1,2\n"b\nc",3,4\n\nd,,5\ne,1,2\nf,x,7\n'
BAD: list[tuple[str, str]] = [
    (HALF, r"“t\.csv”, line 6: “5, nothing” is no longitude and latitude\. So it is in 2 of 5 rows"),
    ("lat,lon\n1,2\n91,5\n", r"“t\.csv”, line 3: “5, 91” is no longitude and latitude"),
    ("lat,lon\n1,2\ninf,5\n", r"“t\.csv”, line 3: “5, inf” is no"),
    ("a,b\n1,2\n3\n", r"“t\.csv”, line 3: 1 values where the header has 2"),
    ("a,b\n1,2\n3,4,5\n", r"“t\.csv”, line 3: 3 values where the header has 2"),
    ("wkt,n\nPOINT (1 2),1\nPOINT (1,2\n", r"“t\.csv”, line 3: “POINT \(1” is no geometry"),
    ('wkt,n\nPOINT (1 2),1\n"POLYGON ((0 0, 0 1, 1 1, 1 0))",2\n', r"“t\.csv”, line 3: “POLYGON .*” is no geometry"),
    ('wkt,n\nPOINT (1 2),1\nPOINT (1 inf),2\n', r"“t\.csv”, line 3: “POINT \(1 inf\)” is no geometry"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD)
def test_the_first_bad_line_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        open_source(write(tmp_path, text))


def test_a_header_alone_is_an_empty_table(tmp_path: Path) -> None:
    source = open_source(write(tmp_path, "name,lat,lon\n"))
    assert (len(rows(source)), [column.type for column in source.columns]) == (0, ["text"] * 3)


def test_many_blocks(tmp_path: Path) -> None:
    count = 120_000
    path = write(
        tmp_path,
        "n,lon,lat,filler\n"
        + "".join(
            f"{at},{at % 180},{at % 90},some text that makes the file longer than one block is by far and so on\n"
            for at in range(count)
        ),
    )
    source = open_source(path)
    batches = list(source.batches())
    assert len(batches) > 1
    assert sum(map(len, batches)) == source.feature_count == count
    assert batches[-1].column(0)[-1].as_py() == count - 1
