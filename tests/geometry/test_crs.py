"""Which projections are taken, and what is known of them."""

from __future__ import annotations

import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pyproj
import pytest

from graticule.errors import BadRequest
from graticule.geometry.crs import GOOGLE_PROJ4, Crs, named_srid

if TYPE_CHECKING:
    from pathlib import Path

MERCATOR_PROJ4 = "+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m +nadgrids=@null"


@pytest.mark.parametrize(
    ("given", "epsg", "geographic", "units"),
    [
        (4326, 4326, True, "degree"),
        ("4326", 4326, True, "degree"),
        (" EPSG:3857 ", 3857, False, "meter"),
        (900913, 900913, False, "meter"),
        ("102100", 102100, False, "meter"),
        (102113, 102113, False, "meter"),
        (3785, 3785, False, "meter"),
        (27700, 27700, False, "meter"),
        (2263, 2263, False, "foot_us"),
        (6405, 6405, False, "foot"),
        (2314, 2314, False, "foot"),
        (4807, 4807, True, "degree"),
        (4979, 4979, True, "degree"),
        (7405, 7405, False, "meter"),
        (54009, 54009, False, "meter"),
        (102003, 102003, False, "meter"),
    ],
)
def test_number(given: int | str, epsg: int, geographic: bool, units: str) -> None:
    crs = Crs.from_epsg(given)
    assert (crs.epsg, crs.is_geographic, crs.units) == (epsg, geographic, units)
    assert pyproj.CRS.from_wkt(crs.wkt).name == crs.pyproj.name
    assert "+type=crs" not in crs.proj4
    assert crs.proj4.startswith("+proj=")


@pytest.mark.parametrize("number", [900913, 102100, 102113, 3785, 3857])
def test_all_web_mercators_are_one(number: int) -> None:
    crs = Crs.from_epsg(number)
    assert crs.same_as(Crs.web_mercator())
    assert crs.is_web_mercator
    assert (crs.proj4 == GOOGLE_PROJ4) == (number == 900913)


def test_number_too_long_to_print() -> None:
    with pytest.raises(BadRequest):
        Crs.from_epsg(10**5000)


def test_equality_is_of_what_was_asked_for() -> None:
    assert Crs.from_epsg("3857") == Crs.web_mercator() != Crs.from_epsg(900913)
    assert len({Crs.from_epsg(4326), Crs.wgs84(), Crs.from_epsg("EPSG:4326")}) == 1
    assert not Crs.wgs84().same_as(Crs.web_mercator())


@pytest.mark.parametrize(
    "value",
    [
        "",
        "abc",
        0,
        -1,
        999999,
        2**40,
        True,
        None,
        "4326; DROP",
        4978,
        5714,
        5703,
        "1" * 5000,
        "4326\x00",
        3.5,
        [[]],
    ],
)
def test_bad_number(value: object) -> None:
    with pytest.raises(BadRequest) as caught:
        Crs.from_epsg(value, "srid")  # type: ignore[arg-type]
    assert caught.value.field == "srid"
    assert caught.value.expected
    assert len(caught.value.value) <= 200


@pytest.mark.parametrize(
    ("text", "epsg"),
    [
        (GOOGLE_PROJ4, 900913),
        (MERCATOR_PROJ4, 3857),
        ("+proj=longlat +datum=WGS84 +no_defs", 4326),
        ("+proj=utm +zone=33 +datum=WGS84 +units=m", 32633),
        ("+init=epsg:27700", 27700),
        ("+init=EPSG:27700 +no_defs", 27700),
        ("proj=utm zone=33 datum=WGS84", 32633),
        ("+proj=laea +lat_0=47 +lon_0=13 +ellps=GRS80", None),
        ("+proj=tmerc +lon_0=15 +ellps=bessel +towgs84=577.3,90.1,463.9,5.137,1.474,5.297,2.4232", None),
        ("+proj=robin +lon_0=10", None),
    ],
)
def test_proj4(text: str, epsg: int | None) -> None:
    crs = Crs.from_proj4(text)
    assert crs.epsg == epsg
    if "init" not in text:
        assert crs.proj4 == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "+proj=nonsense",
        "+proj=utm +zone=99",
        "+proj=geocent +datum=WGS84",
        "+proj=longlat +nadgrids=/etc/passwd",
        "+proj=longlat +nadgrids=@foo.gsb",
        "+proj=longlat +nadgrids=@null,/etc/passwd",
        "+proj=merc +geoidgrids=egm96_15.gtx",
        "+init=/etc/passwd:1",
        "+init=epsg:999999",
        "@/etc/passwd",
        "+proj=pipeline +step +proj=merc",
        "+proj=hgridshift +grids=x",
        "+proj=tinshift +file=/etc/passwd",
        "+proj=defmodel +model=/etc/passwd",
        "+proj=merc +lon_0=\x00",
        "+proj=merc " + "+k=1 " * 1000,
        "+proj=longlat +a=0",
        "\ud800 +proj=merc",
    ],
)
def test_bad_proj4(text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        Crs.from_proj4(text)
    assert caught.value.field in ("proj4", "epsg")
    assert caught.value.expected


@pytest.mark.parametrize(
    ("text", "epsg"),
    [
        ("EPSG:3035", 3035),
        ("urn:ogc:def:crs:EPSG::3035", 3035),
        (pyproj.CRS.from_epsg(27700).to_wkt(), 27700),
        (pyproj.CRS.from_epsg(4326).to_wkt("WKT1_GDAL"), 4326),
        (pyproj.CRS.from_epsg(32633).to_wkt("WKT1_ESRI"), 32633),
        (pyproj.CRS.from_epsg(3857).to_wkt("WKT1_GDAL"), 3857),
        (pyproj.CRS.from_authority("ESRI", 54009).to_wkt(), 54009),
        ("+proj=longlat +datum=WGS84", 4326),
    ],
)
def test_text(text: str, epsg: int) -> None:
    crs = Crs.from_text(text)
    assert crs.epsg == epsg
    assert crs.same_as(Crs.from_epsg(epsg))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "WGS 84",
        "{}",
        '{"type": "GeographicCRS"}',
        "GEOGCS[",
        "EPSG:1",
        "x" * 100_000,
        'LOCAL_CS["x",UNIT["m",1]]',
        pyproj.CRS.from_epsg(5714).to_wkt(),
        'BOUNDCRS[SOURCECRS[],ABRIDGEDTRANSFORMATION["x",PARAMETERFILE["a","/etc/passwd"]]]',
    ],
)
def test_bad_text(text: str) -> None:
    with pytest.raises(BadRequest):
        Crs.from_text(text)


def test_prj_files_of_real_data(data_dir: Path) -> None:
    with zipfile.ZipFile(data_dir / "countries.zip") as archive:
        name = next(name for name in archive.namelist() if name.endswith(".prj"))
        assert Crs.from_text(archive.read(name).decode()).epsg == 4326


def test_units_are_exact() -> None:
    assert Crs.from_epsg(2263).metres_per_unit == pytest.approx(1200 / 3937, rel=1e-12)
    assert Crs.wgs84().metres_per_unit == pytest.approx(111319.49079327358)
    assert (Crs.from_epsg(4807).half_turn, Crs.wgs84().half_turn) == (200, 180)


@pytest.mark.parametrize(
    ("name", "srid"),
    [
        ("EPSG:4326", 4326),
        ("epsg:900913", 900913),
        ("urn:ogc:def:crs:EPSG::3857", 3857),
        ("urn:ogc:def:crs:EPSG:6.9:3857", 3857),
        ("urn:x-ogc:def:crs:EPSG:3857", None),
        ("http://www.opengis.net/def/crs/EPSG/0/27700", 27700),
        ("http://www.opengis.net/gml/srs/epsg.xml#27700", 27700),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", 4326),
        ("urn:ogc:def:crs:OGC::CRS84", 4326),
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", 4326),
        ("OGC:CRS84", 4326),
        ("WGS84", None),
        ("", None),
    ],
)
def test_names(name: str, srid: int | None) -> None:
    assert named_srid(name) == srid


def test_threads_agree() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(Crs.from_epsg, [2154] * 32))) == 1
