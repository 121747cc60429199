"""Exported files, opened as other programs would: with pyogrio, and with the program ogrinfo."""

from __future__ import annotations

import csv
import re
import subprocess
import warnings
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import shapely
from pyogrio import raw

# The layer of a file where it is not the only one.
GPX_LAYERS = {"point": "waypoints", "line": "tracks"}


# What the program must be told to take the first line as names.
OPTIONS = {
    ".csv": ("-oo", "GEOM_POSSIBLE_NAMES=wkt", "-oo", "HEADERS=YES"),
    ".xlsx": ("--config", "OGR_XLSX_HEADERS", "FORCE"),
}


@dataclass
class Opened:
    """What a program found in a file: the number of features, their extent, the projection, the columns' values."""

    count: int
    box: tuple[float, ...] | None
    crs: str | None
    columns: dict[str, list[Any]] = field(default_factory=dict)


def received(response: httpx.Response, folder: Path) -> list[Path]:
    """The files of an answer: the one that it is, or those of the zip that it is."""
    assert response.status_code == 200, response.text
    name = re.search(r'filename="([^"]+)"', response.headers["content-disposition"])
    assert name is not None
    path = folder / name[1]
    path.write_bytes(response.content)
    assert int(response.headers["content-length"]) == len(response.content)
    if path.suffix != ".zip":
        assert not response.content.startswith(b"PK") or path.suffix == ".xlsx"
        return [path]
    assert response.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
        return [folder / each for each in archive.namelist()]


def main_file(paths: list[Path], fmt: str) -> Path:
    (path,) = [path for path in paths if path.suffix == f".{fmt}"]
    return path


def by_pyogrio(path: Path, layer: str | None = None) -> Opened:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if path.suffix == ".fgb":
            return _without_arrow(path)
        meta, table = raw.read_arrow(path, layer=layer, **({"HEADERS": "FORCE"} if path.suffix == ".xlsx" else {}))
    shapes = [name for name in table.column_names if name in ("wkb_geometry", meta["geometry_name"])]
    columns = {name: table[name].to_pylist() for name in table.column_names if name not in shapes}
    box = _box(table[shapes[0]].to_numpy()) if shapes else None
    return Opened(len(table), box, meta["crs"], columns)


def _without_arrow(path: Path) -> Opened:
    """By way of Arrow GDAL fails on a FlatGeobuf file with features without geometry."""
    meta, _, shapes, values = raw.read(path)
    columns = {str(name): each.tolist() for name, each in zip(meta["fields"], values, strict=True)}
    return Opened(len(shapes), _box(shapes), meta["crs"], columns)


def _box(wkb: Any) -> tuple[float, ...] | None:
    bounds = shapely.total_bounds(shapely.from_wkb(wkb))
    return tuple(bounds.tolist()) if np.isfinite(bounds).all() else None


def by_csv_reader(path: Path) -> Opened:
    """A CSV file; GDAL's driver for it is not among ours."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    shapes = shapely.from_wkt([row.pop("wkt") or None for row in rows])
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return Opened(len(rows), tuple(shapely.total_bounds(shapes).tolist()), None, columns)


def by_ogrinfo(path: Path, layer: str | None = None) -> Opened:
    """What the program of another version of GDAL says, with all drivers that it has."""
    options = OPTIONS.get(path.suffix, ())
    command = [
        "ogrinfo",
        "-ro",
        "-geom=NO",
        *options,
        *(() if layer else ("-al",)),
        str(path),
        *((layer,) if layer else ()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    text = done.stdout
    count = re.search(r"Feature Count: (\d+)", text)
    assert count is not None, text[:2000]
    numbers = r"\(([-\d.]+), ([-\d.]+)\)"
    extent = re.search(rf"Extent: {numbers} - {numbers}", text)
    box = tuple(map(float, extent.groups())) if extent else None
    system = re.search(r"Layer SRS WKT:\n(.*?)Data axis", text, re.DOTALL)
    columns: dict[str, list[Any]] = {}
    for name, value in re.findall(r"^  (.+?) \(String\) = (.*)$", text, re.MULTILINE):
        columns.setdefault(name, []).append(value)
    return Opened(int(count[1]), box, system[1] if system else None, columns)
