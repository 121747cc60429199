"""The two stores, to be compared; what PostgreSQL is needed for is skipped where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import postgres

from graticule.stores.postgis import PostgisStore


@pytest.fixture(scope="module")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a database that the tests of a file share."""
    return postgres.database_of(tmp_path_factory.mktemp("database"))


@pytest.fixture(scope="module")
def postgis(store_url: str) -> Iterator[PostgisStore]:
    """A store in it."""
    store = PostgisStore(store_url)
    yield store
    store.close()


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    folder = tmp_path / "staging"
    folder.mkdir()
    return folder
