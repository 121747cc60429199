"""Both stores give the same answers: of files read in, of values at their limits, of every kind of query."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import shapely

from graticule.actions.datasets import Part, stage
from graticule.errors import Conflict, NotFound, PreconditionFailed, Unavailable
from graticule.filters.check import check
from graticule.filters.parse import parse
from graticule.model.features import Batch, Column, Order, Query, Table
from graticule.stores.base import Change, FeatureStore
from graticule.stores.geopackage import GeoPackageStore
from graticule.stores.postgis import PostgisStore

ACCOUNT, OWNER = 7, 3
LONG = "how many people of the settlement answered the question in the year 2021, čšž"
COLUMNS = (
    Column("t", "text"),
    Column("i", "integer"),
    Column("r", "real"),
    Column("n", "number"),
    Column("b", "boolean"),
    Column("d", "date"),
    Column("m", "datetime"),
    Column(LONG, "text"),
    Column(LONG + "!", "integer"),
    Column("xmin", "real"),
    Column("100% sure", "text"),
    Column('say "x"', "text"),
    Column("Need", "text", not_null=True),
)
LIMITS: list[dict[str, Any]] = [
    {"t": "ä'\"\\n", "i": 2**63 - 1, "r": 1e308, "n": 7, "b": True, "d": "2026-02-03", "m": "2026-02-03T04:05:06.789Z"},
    {"t": "", "i": -(2**63), "r": -1e-300, "n": 0.1, "b": False, "d": "0001-01-01", "m": "0001-01-01T00:00:00.000Z"},
    {"t": "東", "i": 2**53 + 1, "r": 5e-324, "n": 1e20, "b": None, "d": "9999-12-31", "m": "9999-12-31T23:59:59.999Z"},
    {LONG: "long", LONG + "!": 5, "xmin": -1.5, "100% sure": "50%", 'say "x"': "%s"},
    {},
]  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """The two stores and a table of that name in both."""

    geopackage: GeoPackageStore
    postgis: PostgisStore
    name: str = ""

    @property
    def stores(self) -> tuple[FeatureStore, FeatureStore]:
        return self.geopackage, self.postgis

    def answers(self, query: Query) -> list[tuple[int, list[Any]]]:
        """What each store answers: the count and the rows."""
        found = []
        for store in self.stores:
            table = store.table(ACCOUNT, self.name)
            batches = store.read(ACCOUNT, table, query, batch_size=50)
            found.append((store.count(ACCOUNT, table, query), [row for batch in batches for row in rows_of(batch)]))
        return found


def rows_of(batch: Batch) -> list[tuple[Any, ...]]:
    shapes = [None] * len(batch) if batch.geometry is None else shapely.to_wkb(batch.geometry, flavor="iso").tolist()
    columns = [list(map(repr, values)) for values in batch.columns.values()]
    return list(zip(batch.ids.tolist(), batch.owner, shapes, *columns, strict=True))


@pytest.fixture(scope="module")
def empty_pair(tmp_path_factory: pytest.TempPathFactory, postgis: PostgisStore) -> Pair:
    return Pair(GeoPackageStore(tmp_path_factory.mktemp("accounts")), postgis)


FILES = ("countries.zip", "borders.zip", "lakes.zip", "cities.geojson")


@pytest.fixture(scope="module", params=FILES)
def of_file(
    request: pytest.FixtureRequest, data_dir: Path, tmp_path_factory: pytest.TempPathFactory, empty_pair: Pair
) -> Pair:
    """A file of real data, taken over by both."""
    folder = tmp_path_factory.mktemp("file")
    path = data_dir / request.param
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
        path = next(folder.rglob("*.shp"))
    name = path.stem[:40]
    staged = stage(path, Part(), folder, name, OWNER)
    for store in empty_pair.stores:
        store.adopt(ACCOUNT, staged.path, name, staged.rows)
    return replace(empty_pair, name=name)


@pytest.fixture(scope="module")
def typed(empty_pair: Pair) -> Pair:
    """A table of every type, with values at their limits."""
    for store in empty_pair.stores:
        store.create(ACCOUNT, Table("typed", COLUMNS, "MULTIPOINT", crs="EPSG:4326"))
        table = store.table(ACCOUNT, "typed")
        shapes = [shapely.MultiPoint([(at, 45 + at), (at + 0.1, 46)]) for at in range(len(LIMITS))]
        changes = [
            Change({"Need": "x"} | values, shape, set_geometry=True)
            for values, shape in zip(LIMITS, shapes, strict=True)
        ]
        assert store.insert(ACCOUNT, table, changes, OWNER) == [1, 2, 3, 4, 5]
        assert store.insert(ACCOUNT, table, [Change({"Need": "y"}, None, set_geometry=True)], 0) == [6]
    return replace(empty_pair, name="typed")


def alike(answers: list[tuple[int, list[Any]]], *, least: int = 1) -> None:
    (count, rows), other = answers
    assert (count, rows) == other
    assert len(rows) >= least


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(geometry=False, columns=()),
        Query(boxes=((0, 40, 20, 50),)),
        Query(boxes=((0, 40, 20, 50),), exact=True),
        Query(boxes=((20, -90, 180, 90), (-180, -90, -60, 90)), exact=True),
        Query(limit=3, offset=2),
        Query(ids=(1, 3, 5, 99999999)),
        Query(owner=OWNER, limit=1),
    ],
    ids=str,
)  # fmt: skip
def test_files(of_file: Pair, query: Query) -> None:
    alike(of_file.answers(query))


def test_what_is_known_of_a_file(of_file: Pair) -> None:
    ours, theirs = (replace(store.table(ACCOUNT, of_file.name), srid=None) for store in of_file.stores)
    assert ours == theirs
    assert of_file.geopackage.extent(ACCOUNT, of_file.name) == of_file.postgis.extent(ACCOUNT, of_file.name)


def test_columns_order_alike(of_file: Pair) -> None:
    columns = of_file.geopackage.table(ACCOUNT, of_file.name).columns
    for at, column in enumerate(columns[:20]):
        order = (Order(column.name, descending=at % 2 == 1), Order("FID", descending=True))
        alike(of_file.answers(Query(columns=(column.name,), order_by=order, limit=200, geometry=False)))


@pytest.mark.parametrize("column", [column.name for column in COLUMNS])
def test_values_at_their_limits(typed: Pair, column: str) -> None:
    alike(typed.answers(Query(columns=(column,), order_by=(Order(column, descending=True),))))


@pytest.mark.parametrize(
    "where",
    [
        f"\"{LONG}\" = 'long'",
        f'"{LONG}!" + 1 = 6',
        "xmin < 0",
        "\"100% sure\" LIKE '50\\%'",
        '"say ""x""" = \'%s\'',
        "i > 9007199254740992",
        "d >= '9999-12-31'",
        "m < '0002-01-01'",
        "n = 0.1 OR b = FALSE",
        "need = 'y'",
    ],
)
def test_conditions(typed: Pair, where: str) -> None:
    node = check(parse(where), COLUMNS)
    alike(typed.answers(Query(where=node)))
    alike(typed.answers(Query(classes=(node, None), columns=())))


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_summaries(typed: Pair, column: Column) -> None:
    for query in (Query(), Query(owner=OWNER, limit=2, offset=1), Query(owner=99)):
        ours, theirs = (
            (repr(store.summary(ACCOUNT, table, query, column)), store.distinct(ACCOUNT, table, query, column))
            for store in typed.stores
            if (table := store.table(ACCOUNT, "typed"))
        )
        assert ours == theirs


def test_a_table_is_as_it_was_made(typed: Pair) -> None:
    ours, theirs = (replace(store.table(ACCOUNT, "typed"), srid=None) for store in typed.stores)
    assert ours == theirs
    assert ours.columns == COLUMNS
    assert "typed" in typed.postgis.tables(ACCOUNT)
    assert sorted(typed.postgis.tables(ACCOUNT)) == sorted(typed.geopackage.tables(ACCOUNT))
    assert typed.postgis.counts(ACCOUNT) == typed.geopackage.counts(ACCOUNT)
    assert typed.postgis.counts(99) == typed.geopackage.counts(99) == {}


@pytest.mark.parametrize("index", [0, 1])
def test_changes(empty_pair: Pair, index: int) -> None:
    store = empty_pair.stores[index]
    store.create(ACCOUNT, Table("changed", COLUMNS, "POINT", crs="EPSG:3857"))
    table = store.table(ACCOUNT, "changed")
    with pytest.raises(Conflict):
        store.create(ACCOUNT, Table("Changed", COLUMNS))
    (first, second) = store.insert(ACCOUNT, table, [Change({"Need": "a"}), Change({"Need": "b", "t": "x"})], OWNER)
    before = store.version(ACCOUNT, table, first)
    assert store.update(ACCOUNT, table, Change({"Need": "a"}, id=first))
    assert store.version(ACCOUNT, table, first) == before
    point = shapely.Point(1.1, 2.2)
    assert store.update(ACCOUNT, table, Change({"b": True}, point, set_geometry=True, id=first), before)
    after = store.version(ACCOUNT, table, first)
    assert after not in (None, before)
    assert store.update(ACCOUNT, table, Change({"b": True}, point, set_geometry=True, id=first))
    assert store.version(ACCOUNT, table, first) == after
    with pytest.raises(PreconditionFailed):
        store.update(ACCOUNT, table, Change({"t": "y"}, id=first), before)
    with pytest.raises(PreconditionFailed):
        store.delete(ACCOUNT, table, first, before)
    assert store.extent(ACCOUNT, "changed") == (1.1, 2.2, 1.1, 2.2)
    assert store.delete(ACCOUNT, table, second)
    assert not store.delete(ACCOUNT, table, second)
    assert not store.update(ACCOUNT, table, Change({"t": "y"}, id=second))
    assert store.version(ACCOUNT, table, second) is None
    assert store.insert(ACCOUNT, table, [Change({"Need": "c"})], OWNER) == [3]
    store.empty(ACCOUNT, table)
    assert (store.count(ACCOUNT, table, Query()), store.extent(ACCOUNT, "changed")) == (0, None)
    assert list(store.read(ACCOUNT, table, Query())) == []
    assert store.insert(ACCOUNT, table, [Change({"Need": "d"})], OWNER) == [4]
    store.drop(ACCOUNT, "changed")
    store.drop(ACCOUNT, "changed")
    with pytest.raises(NotFound):
        store.table(ACCOUNT, "changed")
    with pytest.raises(Unavailable):
        list(store.read(ACCOUNT, table, Query()))


@pytest.mark.parametrize("index", [0, 1])
def test_heights_are_kept_where_there_are_some(empty_pair: Pair, index: int) -> None:
    store = empty_pair.stores[index]
    store.create(ACCOUNT, Table("high", (), "LINESTRING", crs="EPSG:4326", has_z=True))
    table = store.table(ACCOUNT, "high")
    assert (table.geometry_type, table.has_z, table.crs) == ("LINESTRING", True, "EPSG:4326")
    shapes = [shapely.from_wkt("LINESTRING Z (0 0 5, 1 1 6.5)"), shapely.from_wkt("LINESTRING (0 0, 1 1)")]
    store.insert(ACCOUNT, table, [Change({}, shape, set_geometry=True) for shape in shapes], OWNER)
    (batch,) = store.read(ACCOUNT, table, Query())
    assert shapely.has_z(batch.geometry).tolist() == [True, False]
    assert shapely.equals_exact(batch.geometry, shapes).all()
    assert shapely.get_coordinates(batch.geometry[:1], include_z=True)[:, 2].tolist() == [5, 6.5]


@pytest.mark.parametrize("index", [0, 1])
def test_a_stage_that_is_not_whole_is_refused(empty_pair: Pair, index: int, data_dir: Path, staging: Path) -> None:
    staged = stage(data_dir / "cities.geojson", Part(), staging, "short", OWNER)
    store = empty_pair.stores[index]
    with pytest.raises(Unavailable):
        store.adopt(ACCOUNT, staged.path, "short", staged.rows + 1)
    assert "short" not in store.tables(ACCOUNT)
