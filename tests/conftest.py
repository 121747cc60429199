"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data that the tests read: Natural Earth and GeoNames files."""
    return Path(os.environ.get("GRATICULE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
