"""Fixtures that every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.server import Caller, Server


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--store",
        choices=("geopackage", "postgis"),
        default="geopackage",
        help="Where the servers of the tests keep catalogue and features.",
    )


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.begin(config.getoption("--store"))


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.end()


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The address of an empty PostgreSQL database with PostGIS."""
    return postgres.database_of(tmp_path)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data that the tests read: Natural Earth and GeoNames files."""
    return Path(os.environ.get("GRATICULE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server that tests share; each makes users of its own."""
    data = tmp_path_factory.mktemp("server")
    running = Server(data)
    running.new_user(administrator=True).close()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def user(server: Server) -> Iterator[Caller]:
    """A caller with a new account."""
    with server.new_user() as caller:
        yield caller


@pytest.fixture
def other(server: Server) -> Iterator[Caller]:
    """Another caller with a new account."""
    with server.new_user() as caller:
        yield caller


@pytest.fixture
def anonymous(server: Server) -> Iterator[Caller]:
    """A caller without a key."""
    with server.anonymous() as caller:
        yield caller
