"""The page of export formats says what the table in the code says, and its examples run."""

from __future__ import annotations

import os
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from graticule.cli import SEVERAL_FILES
from graticule.transfer.drivers import EXPORTS
from graticule.transfer.workbook import LONGEST_TEXT, MOST_ROWS
from graticule.transfer.writers import DEGREE_DIGITS, MOST_INDEXED
from tests.api_data import table_layer
from tests.server import Caller, Server
from tests.sharing import new_feature

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
ROWS = {
    cells[0].strip("`"): cells
    for cells in (line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| `"))
}


@pytest.mark.parametrize("fmt", EXPORTS)
def test_the_table_of_formats(fmt: str) -> None:
    row = EXPORTS[fmt]
    _, files, _, projection, names, texts = ROWS[fmt]
    assert files.split() == [row.extension, *row.sidecars] or set(files.split()) == {row.extension, *row.sidecars}
    assert ("EPSG:4326" in projection) == (row.crs is not None)
    assert ("always" in projection) == row.fixed
    assert (row.name_bytes is None) == ("bytes" not in names)
    assert row.name_bytes is None or f"{row.name_bytes} bytes" in names
    assert row.text_bytes is None or f"{row.text_bytes} bytes" in texts
    assert (len(files.split()) > 1) == (fmt in SEVERAL_FILES)


def test_limits() -> None:
    for number in (MOST_INDEXED, MOST_ROWS, LONGEST_TEXT):
        assert f"{number:,}" in PAGE
    assert f"{DEGREE_DIGITS} decimals of a degree" in PAGE


def test_the_examples_run(server: Server, user: Caller, tmp_path: Path) -> None:
    layer = table_layer(user, "cities", "POINT", {"name": "text"})
    new_feature(user, layer, name="Zadar")
    (script,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    words = {"URL": server.url, "KEY": str(user.key), "LAYER": layer}
    subprocess.run(["sh", "-e", "-c", script], cwd=tmp_path, env=os.environ | words, check=True, capture_output=True)
    assert (tmp_path / "cities.gpkg").read_bytes().startswith(b"SQLite format 3")
    for name in ("cities.zip", "cities.csv.zip"):
        with zipfile.ZipFile(tmp_path / name) as archive:
            assert archive.testzip() is None
