"""What is read of a large table for a small-scale picture: enough for every cell of the raster, and hardly more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyogrio
import pytest
import shapely

from graticule.model.features import Query
from graticule.stores.base import FeatureStore
from graticule.stores.geopackage import GeoPackageStore

FEATURES = 60_000
WORLD = (0.0, 0.0, 1000.0, 1000.0)
RASTER = (4.0, 4.0)


@pytest.fixture(scope="module")
def boxes() -> np.ndarray:
    """Envelopes (n, 4): clustered small squares, some empty land, and every hundredth one large."""
    random = np.random.default_rng(5)
    centres = random.uniform(50, 950, (40, 2))[random.integers(0, 40, FEATURES)]
    corners = np.clip(centres + random.normal(0, 12, (FEATURES, 2)), 1, 980)
    sizes = np.where(np.arange(FEATURES) % 100 == 0, 9.0, 0.05)[:, None]
    return np.hstack([corners, corners + sizes])


@pytest.fixture(scope="module", params=["geopackage", "postgis"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, boxes: np.ndarray) -> FeatureStore:
    folder = tmp_path_factory.mktemp("store")
    stage(folder / "staged.gpkg", boxes)
    in_files = request.param == "geopackage"
    made: FeatureStore = GeoPackageStore(folder / "accounts") if in_files else request.getfixturevalue("postgis")
    made.adopt(1, folder / "staged.gpkg", "many", FEATURES)
    return made


def stage(path: Path, boxes: np.ndarray) -> None:
    zero = np.zeros(len(boxes), np.int64)
    table = pa.table(
        {
            "wkb_geometry": shapely.to_wkb(shapely.multipolygons(shapely.box(*boxes.T)[:, None])),
            "n": np.arange(1, len(boxes) + 1),
            "__created": zero,
            "__modified": zero,
            "__owner": zero,
        }
    )
    options = {"FID": "ogc_fid", "GEOMETRY_NAME": "wkb_geometry"}
    pyogrio.write_arrow(
        table,
        path,
        driver="GPKG",
        layer="many",
        geometry_name="wkb_geometry",
        geometry_type="MultiPolygon",
        crs="EPSG:3857",
        layer_options=options,
    )


def read(store: FeatureStore, query: Query) -> np.ndarray:
    """The numbers of the features that the query hits."""
    batches = list(store.read(1, store.table(1, "many"), query))
    return np.concatenate([batch.ids for batch in batches]) if batches else np.empty(0, np.int64)


def cells(boxes: np.ndarray) -> set[tuple[int, int]]:
    """The cells of the raster in which the envelopes begin."""
    return set(map(tuple, np.floor(boxes[:, :2] / RASTER).astype(int).tolist()))


@pytest.mark.parametrize("box", [WORLD, (100.0, 100.0, 900.0, 800.0)])
def test_every_cell_that_has_features_keeps_some(store: FeatureStore, boxes: np.ndarray, box: tuple) -> None:
    sampled = read(store, Query(boxes=(box,), raster=RASTER))
    every = read(store, Query(boxes=(box,)))
    assert len(sampled) < len(every) / 2
    assert set(sampled) <= set(every)
    # The index keeps floats of four bytes, so that an envelope on a line may count to the cell beside.
    lost = cells(boxes[every - 1]) - cells(boxes[sampled - 1])
    assert len(lost) <= len(cells(boxes[every - 1])) / 100


def test_features_larger_than_a_cell_are_all_kept(store: FeatureStore) -> None:
    sampled = read(store, Query(boxes=(WORLD,), raster=RASTER))
    assert set(range(1, FEATURES + 1, 100)) <= set(sampled)


def test_attributes_belong_to_their_features(store: FeatureStore) -> None:
    (batch,) = store.read(1, store.table(1, "many"), Query(boxes=(WORLD,), raster=RASTER), batch_size=FEATURES)
    assert batch.columns["n"] == batch.ids.tolist()
    assert (np.diff(batch.ids) > 0).all()


@pytest.mark.parametrize(
    "query",
    [
        Query(boxes=((400.0, 400.0, 440.0, 440.0),), raster=RASTER),
        Query(boxes=(WORLD,), raster=RASTER, owner=0),
        Query(boxes=(WORLD,), raster=RASTER, ids=(1, 2, 3)),
        Query(boxes=((2000.0, 2000.0, 2001.0, 2001.0),), raster=RASTER),
    ],
)
def test_few_features_and_other_conditions_are_read_whole(store: FeatureStore, query: Query) -> None:
    plain = Query(boxes=query.boxes, owner=query.owner, ids=query.ids)
    assert read(store, query).tolist() == read(store, plain).tolist()


def test_two_boxes_are_sampled_together(store: FeatureStore) -> None:
    west, east = (0.0, 0.0, 450.0, 1000.0), (550.0, 0.0, 1000.0, 1000.0)
    sampled = set(read(store, Query(boxes=(west, east), raster=RASTER)))
    assert sampled <= set(read(store, Query(boxes=(west, east))))
    assert sampled & set(read(store, Query(boxes=(west,))))
    assert sampled & set(read(store, Query(boxes=(east,))))


def test_an_empty_table_has_nothing_to_sample(store: FeatureStore, tmp_path: Path) -> None:
    from graticule.model.features import Table

    store.create(2, Table("none", (), "POINT", crs="EPSG:4326"))
    table = store.table(2, "none")
    assert list(store.read(2, table, Query(boxes=(WORLD,), raster=RASTER))) == []
