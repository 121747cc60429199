"""No format takes a full disk for a success."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely

from graticule.errors import Unavailable
from graticule.model.features import Column
from graticule.storage.disk import disk_errors
from graticule.transfer.drivers import EXPORTS
from graticule.transfer.writing import Features, write

ROWS = 20_000
# Bytes: less than the smallest of the files.
SMALL_DISK = 400_000
# XlsxWriter leaves an unfinished file to Python, which then complains of it outside of the test.
TESTED = [fmt for fmt in EXPORTS if fmt != "xlsx"]


def may_mount() -> bool:
    return os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "none", tmp_path], check=True)
    yield tmp_path
    subprocess.run(["umount", "--lazy", tmp_path], check=True)


def many() -> Iterator[pa.RecordBatch]:
    points = shapely.points(np.arange(ROWS) % 90, np.arange(ROWS) % 45)
    text = pa.array([f"{number:030d}" for number in range(ROWS)])
    batch = pa.RecordBatch.from_pydict({"name": text, "wkb_geometry": pa.array(shapely.to_wkb(points), pa.binary())})
    yield from (batch.slice(at, 1000) for at in range(0, ROWS, 1000))


@pytest.mark.skipif(not may_mount(), reason="only root may mount a small disk")
@pytest.mark.parametrize("fmt", TESTED)
def test_a_full_disk_is_said(small_disk: Path, fmt: str) -> None:
    what = Features((Column("name", "text"),), "POINT", "EPSG:4326", False, many())
    with pytest.raises(Unavailable), disk_errors("nothing was exported"):
        write(fmt, small_disk / f"a.{fmt}", what, name="a")
    assert list(small_disk.iterdir()) == []
