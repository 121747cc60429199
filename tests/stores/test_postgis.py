"""What is particular to PostgreSQL: how tables look to other programs, connections that are lost, writers at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pyproj
import pytest
import shapely
from sqlalchemy import String, func, select
from sqlalchemy.exc import ProgrammingError
from tests.server import wait_until

from graticule.catalogue.database import NEWEST, Catalogue
from graticule.catalogue.orm import User
from graticule.catalogue.postgres import Postgres
from graticule.errors import BadRequest, Conflict, PreconditionFailed, Unavailable
from graticule.filters.check import check
from graticule.filters.parse import parse
from graticule.model.features import Column, Query, Table
from graticule.postgres import as_ours
from graticule.stores.base import Change
from graticule.stores.postgis import PostgisStore

COLUMNS = (Column("n", "integer"), Column("r", "real"), Column("t", "text"))
ALBERS = pyproj.CRS("+proj=aea +lat_1=40 +lat_2=50 +lon_0=11 +datum=WGS84").to_wkt("WKT2_2019")


def fetched(url: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture
def table(postgis: PostgisStore, request: pytest.FixtureRequest) -> Iterator[Table]:
    """An empty table of polygons of one's own in account 1."""
    name = f"t{abs(hash(request.node.name))}"
    postgis.create(1, Table(name, COLUMNS, "MULTIPOLYGON", crs="EPSG:3857"))
    yield postgis.table(1, name)
    postgis.drop(1, name)


def test_what_other_programs_see(postgis: PostgisStore, store_url: str, table: Table) -> None:
    seen = f"SELECT type, srid, coord_dimension FROM geometry_columns WHERE f_table_name = '{table.name}'"
    assert fetched(store_url, seen) == [("MULTIPOLYGON", 3857, 2)]
    indexes = fetched(store_url, f"SELECT indexdef FROM pg_indexes WHERE tablename = '{table.name}'")
    assert sum("USING gist (wkb_geometry)" in str(definition) for (definition,) in indexes) == 1
    own = f"INSERT INTO usrsch1.{table.name} (n) VALUES (5) RETURNING ogc_fid"
    (number,) = fetched(store_url, own)[0]
    assert [batch.columns["n"] for batch in postgis.read(1, table, Query(ids=(int(str(number)),)))] == [[5]]


def test_heights_are_seen_with_type_and_projection(postgis: PostgisStore, store_url: str) -> None:
    postgis.create(1, Table("high", (), "POLYGON", crs="EPSG:25832", has_z=True))
    seen = "SELECT type, srid FROM geometry_columns WHERE f_table_name = 'high'"
    assert fetched(store_url, seen) == [("POLYGON", 25832)]
    with pytest.raises(psycopg.errors.CheckViolation):
        fetched(store_url, "INSERT INTO usrsch1.high (wkb_geometry) VALUES (ST_SetSRID(ST_MakePoint(1, 2), 25832))")


def test_a_projection_without_a_number(postgis: PostgisStore, store_url: str) -> None:
    for name in ("albers", "more_albers"):
        postgis.create(1, Table(name, (), "POINT", crs=ALBERS))
    first, second = postgis.table(1, "albers"), postgis.table(1, "more_albers")
    assert (first.crs, first.srid) == (ALBERS, second.srid)
    known = fetched(store_url, f"SELECT proj4text LIKE '%aea%' FROM spatial_ref_sys WHERE srid = {first.srid}")
    assert known == [(True,)]
    postgis.insert(1, first, [Change({}, shapely.Point(1, 2), set_geometry=True)], 1)
    assert postgis.count(1, first, Query(boxes=((0, 0, 3, 3),))) == 1


def test_types_that_only_others_make(postgis: PostgisStore, store_url: str, table: Table) -> None:
    fetched_nothing(
        store_url, f"ALTER TABLE usrsch1.{table.name} ADD u uuid, ADD j jsonb, ADD q numeric(10, 2), ADD s smallint"
    )
    fetched_nothing(
        store_url,
        f"INSERT INTO usrsch1.{table.name} (u, j, q, s) "
        "VALUES ('6ba7b810-9dad-11d1-80b4-00c04fd430c8', '{\"a\": 1}', 2.50, 3)",
    )
    (batch,) = postgis.read(1, postgis.table(1, table.name), Query(columns=("u", "j", "q", "s")))
    assert list(batch.columns.values()) == [["6ba7b810-9dad-11d1-80b4-00c04fd430c8"], ['{"a": 1}'], [2.5], [3]]


@pytest.mark.parametrize("where", ["r * 1e300 * 1e300 > 1", "r / 1e-300 / 1e-300 > 1"])
def test_an_overflow_is_the_callers(postgis: PostgisStore, table: Table, where: str) -> None:
    postgis.insert(1, table, [Change({"r": 1e10})], 1)
    query = Query(where=check(parse(where), COLUMNS))
    for ask in (lambda: postgis.count(1, table, query), lambda: list(postgis.read(1, table, query))):
        with pytest.raises(BadRequest):
            ask()
    assert postgis.count(1, table, Query()) == 1


def test_columns_called_like_what_statements_call_theirs(postgis: PostgisStore) -> None:
    names = ("t", "b", "box", "boxes", "hit", "ctid", "oid")
    postgis.create(1, Table("called", tuple(Column(name, "text") for name in names), "POINT", crs="EPSG:4326"))
    table = postgis.table(1, "called")
    assert tuple(column.name for column in table.columns) == names
    (number,) = postgis.insert(1, table, [Change(dict.fromkeys(names, "x"), shapely.Point(1, 2), set_geometry=True)], 1)
    version = postgis.version(1, table, number)
    assert postgis.update(1, table, Change({"ctid": "y", "t": "z"}, id=number), version)
    assert postgis.version(1, table, number) not in (None, version)
    assert postgis.extent(1, "called") == (1, 2, 1, 2)


def test_lost_connections_are_replaced(postgis: PostgisStore, store_url: str, table: Table) -> None:
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name LIKE 'graticule%'"
    )
    assert fetched(store_url, kill)
    assert postgis.insert(1, table, [Change({"n": 1})], 1) == [1]
    reading = postgis.read(1, table, Query())
    next(reading)
    fetched(store_url, kill)
    with pytest.raises(Unavailable):
        postgis.insert(1, table, [Change({"n": 2})], 1) and [*reading]
    assert postgis.count(1, table, Query()) == 2


def test_a_table_that_has_become_another_is_read_by_the_next_request(postgis: PostgisStore) -> None:
    """A prepared statement does not outlive the types it was prepared for."""
    for kind in ("integer", "text"):
        postgis.drop(1, "changing")
        postgis.create(1, Table("changing", (Column("a", kind),)))
        table = postgis.table(1, "changing")
        postgis.insert(1, table, [Change({"a": None})], 1)
        for _ in range(12):
            try:
                assert [batch.columns["a"] for batch in postgis.read(1, table, Query(ids=(1,)))] == [[None]]
            except Unavailable:
                continue
    assert [batch.columns["a"] for batch in postgis.read(1, table, Query(ids=(1,)))] == [[None]]


def test_reads_go_to_the_replica(store_url: str, postgis: PostgisStore, table: Table) -> None:
    """Known by a user who may not read there."""
    fetched_nothing(store_url, "CREATE ROLE stranger LOGIN")
    fetched_nothing(store_url, "GRANT USAGE ON SCHEMA usrsch1 TO stranger")
    store = PostgisStore(store_url, store_url.replace("postgres@", "stranger@"), pool_max=2)
    try:
        assert store.insert(1, table, [Change({"n": 1})], 1) == [1]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            store.count(1, table, Query())
    finally:
        store.close()
    catalogue = Catalogue(Postgres(store_url, store_url.replace("postgres@", "stranger@"), pool_max=2))
    catalogue.migrate()
    add(catalogue, "written to the primary")
    with pytest.raises(ProgrammingError, match="permission denied"):
        names(catalogue, "written")
    catalogue.close()


def fetched_nothing(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql)


def at_once(number: int, do: Callable[[int], object]) -> list[object]:
    """What each of so many threads that begin together answers, or raises."""
    gate = threading.Barrier(number)

    def run(at: int) -> object:
        gate.wait()
        try:
            return do(at)
        except Exception as error:
            return error

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def test_one_of_many_makes_a_table(postgis: PostgisStore) -> None:
    found = at_once(6, lambda at: postgis.create(55, Table("once", COLUMNS)))
    assert [type(one) for one in found if one is not None] == [Conflict] * 5


def test_one_of_many_changes_what_it_expects(postgis: PostgisStore, table: Table) -> None:
    postgis.insert(1, table, [Change({"n": 0})], 1)
    version = postgis.version(1, table, 1)
    found = at_once(6, lambda at: postgis.update(1, table, Change({"n": at + 1}, id=1), version))
    assert [one for one in found if one is True] == [True]
    assert [type(one) for one in found if one is not True] == [PreconditionFailed] * 5


def test_ids_of_many_are_their_own(postgis: PostgisStore, table: Table) -> None:
    found = at_once(4, lambda at: postgis.insert(1, table, [Change({"n": at})] * 20, 1))
    ids = [number for one in found for number in one]  # type: ignore[attr-defined]
    assert sorted(ids) == list(range(1, 81))


# ---------------------------------------------------------------- the catalogue


@pytest.fixture(scope="module")
def catalogues(store_url: str) -> Iterator[list[Catalogue]]:
    """Two, as on two machines, of one database that was empty."""
    both = [Catalogue(Postgres(store_url, pool_max=6)) for _ in range(2)]
    at_once(4, lambda at: both[at % 2].migrate())
    yield both
    for one in both:
        one.close()


def add(catalogue: Catalogue, name: str) -> None:
    with catalogue.write() as session:
        session.add(User(username=name, username_folded=name.casefold(), created=0, modified=0))


def names(catalogue: Catalogue, beginning: str) -> list[str]:
    """The names of users that begin so, in the order of their ids."""
    with catalogue.read() as session:
        found = select(User.username).where(User.username.startswith(beginning)).order_by(User.id)
        return list(session.scalars(found))


def test_migrations_at_once(catalogues: list[Catalogue], store_url: str) -> None:
    assert fetched(store_url, "SELECT version_num FROM alembic_version") == [(NEWEST,)]


def test_the_catalogue_is_as_its_classes_say(catalogues: list[Catalogue]) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from graticule.catalogue.orm import Base

    with catalogues[0].engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": of_ours, "compare_type": other_type})
        assert compare_metadata(context, Base.metadata) == []


def other_type(_context: object, _column: object, _meta: object, kept: object, meant: object) -> bool | None:
    """Whether two types differ; a text of whatever length is a text."""
    return False if isinstance(kept, String) and isinstance(meant, String) else None


def of_ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name != "spatial_ref_sys"


def test_one_writer_at_a_time(catalogues: list[Catalogue]) -> None:
    """Each counts and then writes; with two at once some would have counted the same."""

    def count_and_add(at: int) -> int:
        with catalogues[at % 2].write() as session:
            number = session.scalar(select(func.count()).where(User.username.startswith("counted"))) or 0
            session.add(User(username=f"counted{number}", username_folded=f"{number}", created=0, modified=0))
        return number

    found = [number for _ in range(3) for number in at_once(8, count_and_add)]
    assert sorted(found) == list(range(24))  # type: ignore[type-var]


def test_a_lock_holds_on_both(catalogues: list[Catalogue], store_url: str) -> None:
    entered: list[str] = []
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"

    def enter() -> None:
        with catalogues[1].exclusive("accounts/1/tables.lock"):
            entered.append("second")

    with catalogues[0].exclusive("accounts/1/tables.lock"):
        thread = threading.Thread(target=enter)
        thread.start()
        wait_until(lambda: fetched(store_url, waiting) == [(1,)], "the second does not wait")
        with catalogues[1].exclusive("accounts/2/tables.lock"):
            entered.append("first")
    thread.join(30)
    assert entered == ["first", "second"]


def test_text_folds_and_orders_as_in_sqlite(catalogues: list[Catalogue]) -> None:
    mixed = ["b", "a", "Ä", "B2", "č", "Č2", "ΟΔΟΣ", "é"]
    for name in mixed:
        add(catalogues[0], name)
    with catalogues[1].read() as session:
        found = list(session.scalars(select(User.username).where(User.username.in_(mixed)).order_by(User.username)))
        folded = {name: session.scalar(select(func.g_lower(name))) for name in mixed}
    assert found == sorted(mixed)
    assert folded == {name: name.lower() for name in mixed}


def test_what_text_cannot_hold_is_the_callers(catalogues: list[Catalogue]) -> None:
    with pytest.raises(BadRequest):
        add(catalogues[0], "a\0b")


def test_text_may_be_as_long_as_in_sqlite(catalogues: list[Catalogue]) -> None:
    add(catalogues[0], "long" * 1000)
    assert names(catalogues[0], "longlong") == ["long" * 1000]


def test_a_catalogue_whose_connections_are_lost(catalogues: list[Catalogue], store_url: str) -> None:
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'graticule catalogue'"
    )
    add(catalogues[0], "lost before")
    with pytest.raises(Unavailable), catalogues[0].write() as session:
        session.add(User(username="lost itself", username_folded="lost itself", created=0, modified=0))
        fetched(store_url, kill)
    add(catalogues[0], "lost after")
    assert names(catalogues[0], "lost") == ["lost before", "lost after"]


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("53100", Unavailable),
        ("53300", Unavailable),
        ("55P03", Unavailable),
        ("40P01", Unavailable),
        ("57P01", Unavailable),
        ("08006", Unavailable),
        ("25006", Unavailable),
        ("42P01", Unavailable),
        ("22003", BadRequest),
        ("23502", BadRequest),
        ("54011", BadRequest),
    ],
)
def test_what_errors_mean(state: str, kind: type[Exception]) -> None:
    assert type(as_ours(psycopg.errors.lookup(state)("x"))) is kind


def test_other_errors_stay_what_they_are() -> None:
    error = psycopg.errors.lookup("42601")("x")
    assert as_ours(error) is error


def test_a_database_without_postgis(tmp_path: Path) -> None:
    from tests import postgres

    url = postgres.server_url()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE plain LOGIN")
        connection.execute("CREATE DATABASE plain OWNER plain TEMPLATE template0")
    with pytest.raises(Exception, match="lacks PostGIS"):
        PostgisStore(postgres.of_database(url, "plain").replace("postgres@", "plain@"))
