"""An account's file is made as GDAL makes a GeoPackage, statement by statement."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyogrio
import pytest
import shapely

from graticule.model.features import Column, Table
from graticule.stores.base import Change
from graticule.stores.geopackage import GeoPackageStore

ACCOUNT, NAME = 1, "it's"
COLUMNS: dict[str, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "real": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "datetime": pa.timestamp("ms"),
}
REGISTERS = ("gpkg_spatial_ref_sys", "gpkg_contents", "gpkg_geometry_columns", "gpkg_extensions", "gpkg_ogr_contents")


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    store = GeoPackageStore(tmp_path)
    columns = tuple(Column(name, name) for name in COLUMNS)  # type: ignore[arg-type]
    store.create(ACCOUNT, Table(NAME, columns, "POINT", crs="EPSG:3035"))
    store.insert(ACCOUNT, store.table(ACCOUNT, NAME), [Change({}, shapely.Point(1, 2), set_geometry=True)], owner=1)
    store.close()
    with closing(sqlite3.connect(store.path(ACCOUNT))) as connection:
        yield connection


@pytest.fixture
def gdals(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "gdal.gpkg"
    values = {name: pa.array([None], kind) for name, kind in COLUMNS.items()}
    geometry = pa.array([shapely.to_wkb(shapely.Point(1, 2))], pa.binary())
    pyogrio.write_arrow(
        pa.table(values | {"wkb_geometry": geometry}),
        path,
        layer=NAME,
        driver="GPKG",
        geometry_name="wkb_geometry",
        geometry_type="Point",
        crs="EPSG:3035",
        dataset_options={"VERSION": "1.3"},
        layer_options={"FID": "ogc_fid", "GEOMETRY_NAME": "wkb_geometry"},
    )
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def shape_of(connection: sqlite3.Connection, table: str) -> list[list[tuple[object, ...]]]:
    """Columns with types, nullability, defaults and keys; foreign keys; what is unique."""
    pragmas = ("table_info", "foreign_key_list", "index_list")
    return [sorted(connection.execute(f"PRAGMA {pragma}({table})").fetchall()) for pragma in pragmas]


def triggers(connection: sqlite3.Connection) -> dict[str, str]:
    """Name → statement, without what makes no difference: quotes, case, blanks."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (NAME,))
    return {name: re.sub(r"[\s\"]+|;(?= *END)", "", sql).lower() for name, sql in rows}


@pytest.mark.parametrize("pragma", ["application_id", "user_version"])
def test_header(ours: sqlite3.Connection, gdals: sqlite3.Connection, pragma: str) -> None:
    assert ours.execute(f"PRAGMA {pragma}").fetchone() == gdals.execute(f"PRAGMA {pragma}").fetchone()


@pytest.mark.parametrize("table", REGISTERS)
def test_registers(ours: sqlite3.Connection, gdals: sqlite3.Connection, table: str) -> None:
    assert shape_of(ours, table) == shape_of(gdals, table)


def test_triggers(ours: sqlite3.Connection, gdals: sqlite3.Connection) -> None:
    assert triggers(ours) == triggers(gdals)
    assert len(triggers(ours)) == 8


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM gpkg_geometry_columns",
        "SELECT * FROM gpkg_extensions",
        "SELECT * FROM gpkg_ogr_contents",
        "SELECT table_name, data_type, identifier, description, min_x, min_y, max_x, max_y, srs_id FROM gpkg_contents",
        "SELECT srs_name, srs_id, organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys "
        "ORDER BY srs_id",
        'SELECT hex(wkb_geometry) FROM "it\'s"',
        'SELECT * FROM "rtree_it\'s_wkb_geometry"',
    ],
)
def test_content(ours: sqlite3.Connection, gdals: sqlite3.Connection, query: str) -> None:
    assert ours.execute(query).fetchall() == gdals.execute(query).fetchall()


def test_columns(ours: sqlite3.Connection, gdals: sqlite3.Connection) -> None:
    mine, other = (
        {name: (kind, not_null, key) for _, name, kind, not_null, _, key in c.execute(f'PRAGMA table_info("{NAME}")')}
        for c in (ours, gdals)
    )
    assert {name: mine[name] for name in other} == other
    assert mine.keys() - other.keys() == {"__created", "__modified", "__owner"}


def test_no_dangling_references(ours: sqlite3.Connection) -> None:
    assert ours.execute("PRAGMA foreign_key_check").fetchall() == []
    assert ours.execute("PRAGMA integrity_check").fetchone() == ("ok",)
