"""``graticule export``: what was imported comes out again."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def layer(run: Run, data: Path, data_dir: Path) -> Path:
    """The data directory, with the countries as layer 1."""
    assert run("import", data_dir / "countries.zip", "--data", data, "--map", "World").code == 0
    return data


def geojson_rows(path: Path) -> int:
    return len(json.loads(path.read_text())["features"])


def csv_rows(path: Path) -> int:
    return len(path.read_text().splitlines()) - 1


def gpkg_rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (name,) = connection.execute("SELECT table_name FROM gpkg_contents").fetchone()
        return int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])


def shapefile_rows(path: Path) -> int:
    """The record count in the head of the .dbf, at byte 4."""
    with zipfile.ZipFile(path) as archive:
        (dbf,) = [name for name in archive.namelist() if name.endswith(".dbf")]
        return int.from_bytes(archive.read(dbf)[4:8], "little")


def ogr_rows(path: Path) -> int:
    """What the program ogrinfo counts, in a file or in the only layer of a zip."""
    name = str(path)
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            (inside,) = (each for each in archive.namelist() if each.endswith(path.with_suffix("").suffix))
        name = f"/vsizip/{path}/{inside}"
    options = ("--config", "OGR_XLSX_HEADERS", "FORCE")
    done = subprocess.run(["ogrinfo", "-ro", "-so", "-al", *options, name], capture_output=True, text=True, check=True)
    return sum(map(int, re.findall(r"Feature Count: (\d+)", done.stdout)))


def zipped_geojson_rows(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        (only,) = archive.namelist()
        return len(json.loads(archive.read(only))["features"])


@pytest.mark.parametrize(
    ("name", "words", "rows"),
    [
        ("out.geojson", (), geojson_rows),
        ("out.csv", (), csv_rows),
        ("out.gpkg", (), gpkg_rows),
        ("out.zip", (), shapefile_rows),
        ("out.SHP.ZIP", (), shapefile_rows),
        ("out.geojson.zip", (), zipped_geojson_rows),
        ("out", ("--format", "geojson"), geojson_rows),
        *((name, (), ogr_rows) for name in ("out.fgb", "out.kml", "out.xlsx", "out.mif.zip", "out.gml.zip")),
    ],
)
def test_formats(run: Run, layer: Path, tmp_path: Path, name: str, words: tuple[str, ...], rows: object) -> None:
    assert callable(rows)
    target = tmp_path / name
    target.write_text("what was there before")
    done = run("export", 1, target, *words, "--data", layer)
    assert done.code == 0, done.err
    assert done.out == f"Wrote {target}.\n"
    assert rows(target) == 177
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((1, "out.shp"), "out.zip"),
        ((1, "out.mif"), "out.mif.zip"),
        ((1, "out.gml"), "out.gml.zip"),
        ((1, "out.gpx"), "cannot hold geometries of the kind polygon"),
        ((1, "out.tif"), "shp, mif, kml, gpx, dxf, gml, csv, geojson, gpkg, fgb, xlsx"),
        ((1, "out"), "shp, mif, kml, gpx, dxf, gml, csv, geojson, gpkg, fgb, xlsx"),
        ((1, "missing/out.csv"), "missing/out.csv cannot be written: No such file"),
        ((77, "out.csv"), "no layer 77"),
        ((1, "out.csv", "--user", "nobody"), "no user named nobody"),
    ],
)
def test_refusals_leave_nothing(
    run: Run, layer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[object, ...], said: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    refused = run("export", *words, "--data", layer)
    assert (refused.code, refused.out) == (1, "")
    assert said in refused.err
    assert not list(Path().iterdir())


def test_another_account_has_no_part_in_it(run: Run, layer: Path, tmp_path: Path) -> None:
    run("user", "add", "Ada", "--password", "a long password", "--data", layer)
    refused = run("export", 1, tmp_path / "out.csv", "--user", "Ada", "--data", layer)
    assert refused.code == 1
    assert "not shared with you" in refused.err
