"""The R*Tree that is taken over with a file is whole, and extents are exact whatever was done to a table."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from pyogrio.raw import write

from graticule.actions.datasets import Part, stage
from graticule.model.features import Query, Table
from graticule.stores.base import Change
from graticule.stores.geopackage import GeoPackageStore
from graticule.stores.gpkg_functions import register

ACCOUNT, NAME = 1, "t"
INDEX = f"rtree_{NAME}_wkb_geometry"
Shape = Callable[[random.Random], shapely.Geometry]


@pytest.fixture
def store(tmp_path: Path) -> GeoPackageStore:
    return GeoPackageStore(tmp_path / "accounts")


def adopt(store: GeoPackageStore, shapes: NDArray[np.object_], folder: Path) -> None:
    """Take over a file of shapes, as an import does."""
    source = folder / "source.gpkg"
    write(
        source,
        geometry=shapely.to_wkb(shapes),
        field_data=[np.arange(len(shapes))],
        fields=["n"],
        geometry_type="Polygon",
        crs="EPSG:4326",
        driver="GPKG",
    )
    staging = folder / "staging"
    staging.mkdir()
    staged = stage(source, Part(), staging, NAME, ACCOUNT)
    store.adopt(ACCOUNT, staged.path, NAME, staged.rows)


def boxes(number: int, seed: int) -> NDArray[np.object_]:
    rng = np.random.default_rng(seed)
    x, y, width, height = rng.uniform((-170, -80, 0, 0), (170, 80, 2, 2), (number, 4)).T
    return np.asarray(shapely.box(x, y, x + width, y + height), dtype=object)


def everything(store: GeoPackageStore) -> tuple[list[int], NDArray[np.object_]]:
    """All ids and geometries, read without the index."""
    batches = list(store.read(ACCOUNT, store.table(ACCOUNT, NAME), Query(columns=())))
    geometry = [batch.geometry for batch in batches if batch.geometry is not None]
    return [i for batch in batches for i in batch.ids.tolist()], np.concatenate([*geometry, np.array([], dtype=object)])


def true_extent(store: GeoPackageStore) -> tuple[float, ...] | None:
    _, shapes = everything(store)
    bounds = shapely.bounds(shapes[~shapely.is_missing(shapes)])
    return (*bounds[:, :2].min(axis=0).tolist(), *bounds[:, 2:].max(axis=0).tolist()) if len(bounds) else None


def index_is_whole(store: GeoPackageStore) -> None:
    """SQLite's own check of the tree, and every row in it just once, inside its cell."""
    with closing(sqlite3.connect(store.path(ACCOUNT))) as connection:
        register(connection)
        assert connection.execute("SELECT rtreecheck('main', ?)", (INDEX,)).fetchone() == ("ok",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        unmatched = connection.execute(
            f"SELECT count(*) FROM {NAME} t FULL JOIN {INDEX} r ON r.id = t.ogc_fid "
            "WHERE (t.wkb_geometry IS NULL) <> (r.id IS NULL) OR r.minx > ST_MinX(t.wkb_geometry) "
            "OR r.maxx < ST_MaxX(t.wkb_geometry) OR r.miny > ST_MinY(t.wkb_geometry) "
            "OR r.maxy < ST_MaxY(t.wkb_geometry)"
        ).fetchone()
        assert unmatched == (0,)


def in_box(store: GeoPackageStore, box: tuple[float, float, float, float]) -> list[int]:
    batches = store.read(ACCOUNT, store.table(ACCOUNT, NAME), Query(columns=(), boxes=(box,), exact=True))
    return sorted(i for batch in batches for i in batch.ids.tolist())


def a_box(rnd: random.Random) -> shapely.Geometry:
    x, y = rnd.uniform(-171, 171), rnd.uniform(-85, 85)
    return shapely.MultiPolygon([shapely.box(x, y, x + rnd.random(), y + rnd.random())])


def edit(store: GeoPackageStore, ids: list[int], shape: Shape, rnd: random.Random) -> None:
    """One insert, update or delete; updates also take geometries away and give them back."""
    table, choice = store.table(ACCOUNT, NAME), rnd.random()
    if not ids or choice < 0.35:
        ids += store.insert(ACCOUNT, table, [Change({}, shape(rnd), set_geometry=True)], owner=1)
    elif choice < 0.65:
        geometry = None if rnd.random() < 0.2 else shape(rnd)
        assert store.update(ACCOUNT, table, Change({}, geometry, set_geometry=True, id=rnd.choice(ids)))
    else:
        assert store.delete(ACCOUNT, table, ids.pop(rnd.randrange(len(ids))))


# One leaf, two levels, three levels.
@pytest.mark.parametrize("number", [0, 1, 30, 51, 52, 700, 20_000])
def test_an_index_that_was_taken_over(store: GeoPackageStore, tmp_path: Path, number: int) -> None:
    shapes = boxes(number, seed=number)
    adopt(store, shapes, tmp_path)
    index_is_whole(store)
    assert store.count(ACCOUNT, store.table(ACCOUNT, NAME), Query()) == number
    assert store.extent(ACCOUNT, NAME) == true_extent(store)
    for box in ((-20.0, -20.0, 20.0, 20.0), (100.0, 10.0, 101.0, 11.0), (-180.0, -90.0, 180.0, 90.0)):
        assert in_box(store, box) == (np.flatnonzero(shapely.intersects(shapes, shapely.box(*box))) + 1).tolist()


@pytest.mark.parametrize("number", [1, 60, 3_000])
def test_an_index_that_was_taken_over_is_edited(store: GeoPackageStore, tmp_path: Path, number: int) -> None:
    adopt(store, boxes(number, seed=number), tmp_path)
    rnd, ids = random.Random(number), list(range(1, number + 1))
    for step in range(150):
        edit(store, ids, a_box, rnd)
        if step % 10 == 0:
            assert store.extent(ACCOUNT, NAME) == true_extent(store)
    index_is_whole(store)
    found, shapes = everything(store)
    assert found == ids == sorted(ids)
    half = (-180.0, -90.0, 0.5, 90.0)
    expected = [i for i, hit in zip(found, shapely.intersects(shapes, shapely.box(*half)), strict=True) if hit]
    assert in_box(store, half) == expected


def near_each_other(rnd: random.Random) -> shapely.Geometry:
    """Points that single precision, which the index has, can hardly tell apart."""
    return shapely.Point(-2e7 + rnd.uniform(-4, 4), 1.9e7 + rnd.uniform(-4, 4))


def on_a_grid(rnd: random.Random) -> shapely.Geometry:
    """Many points on the sides of the extent; a tenth is no float."""
    return shapely.Point(rnd.randint(-2, 2) / 10, rnd.randint(-2, 2))


def tiny(rnd: random.Random) -> shapely.Geometry:
    return shapely.Point(rnd.choice([0.0, 1e-30, -1e-30, 1e-7]), rnd.choice([0.0, -1e-37, 1e-16]))


@pytest.mark.parametrize("shape", [near_each_other, on_a_grid, tiny])
@pytest.mark.parametrize("seed", range(3))
def test_extents_are_exact(store: GeoPackageStore, shape: Shape, seed: int) -> None:
    store.create(ACCOUNT, Table(NAME, (), "POINT", crs="EPSG:3857"))
    rnd = random.Random(seed)
    ids: list[int] = []
    assert store.extent(ACCOUNT, NAME) is None
    for _ in range(120):
        edit(store, ids, shape, rnd)
        box = true_extent(store)
        assert store.extent(ACCOUNT, NAME) == box
    assert announced_extent(store) == (box or (None,) * 4)
    index_is_whole(store)
    store.empty(ACCOUNT, store.table(ACCOUNT, NAME))
    assert store.extent(ACCOUNT, NAME) is None
    assert announced_extent(store) == (None,) * 4
    index_is_whole(store)


def announced_extent(store: GeoPackageStore) -> tuple[float | None, ...]:
    """What the file's own register says."""
    with closing(sqlite3.connect(store.path(ACCOUNT))) as connection:
        row: tuple[float | None, ...] = connection.execute(
            "SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE table_name = ?", (NAME,)
        ).fetchone()
        return row
