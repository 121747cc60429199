"""Small files of many formats, made by GDAL or by hand."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import shapely
from pyogrio import raw

if TYPE_CHECKING:
    from pathlib import Path


def save(
    path: Path, driver: str, shapes: list[str | None] | None, crs: str | None = "EPSG:4326", **columns: list[Any]
) -> Path:
    """A file of the geometries, given as WKT, and columns."""
    values: dict[str, Any] = {name: pa.array(each) for name, each in columns.items()}
    how: dict[str, Any] = {}
    if shapes is not None:
        found = shapely.from_wkt(shapes)
        values["shape"] = pa.array(shapely.to_wkb(found, flavor="iso", output_dimension=4), pa.binary())
        kinds = {each.geom_type + (" Z" if each.has_z else "") for each in found if each is not None}
        how = {"geometry_name": "shape", "geometry_type": kinds.pop() if len(kinds) == 1 else "Unknown", "crs": crs}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw.write_arrow(pa.table(values), path, driver=driver, layer=path.stem, **how)
    return path


def geojson(path: Path, *geometries: Any, **members: Any) -> Path:
    """A FeatureCollection with one feature, of one attribute ``n``, for each geometry."""
    features = [{"type": "Feature", "properties": {"n": n}, "geometry": each} for n, each in enumerate(geometries)]
    path.write_text(json.dumps({"type": "FeatureCollection", **members, "features": features}))
    return path


def dbf_in(path: Path, encoding: str, texts: list[str], *, language: int = 0) -> Path:
    """A point shapefile whose one column ``name`` is in that encoding, without a .cpg."""
    save(path, "ESRI Shapefile", ["POINT (1 2)"] * len(texts), name=["x" * 40] * len(texts))
    table = path.with_suffix(".dbf")
    data = bytearray(table.read_bytes())
    start, width = int.from_bytes(data[8:10], "little"), int.from_bytes(data[10:12], "little")
    rows = b"".join(b" " + text.encode(encoding).ljust(width - 1) for text in texts)
    data[start:] = rows + b"\x1a"
    data[29] = language
    table.write_bytes(data)
    path.with_suffix(".cpg").unlink(missing_ok=True)
    return path
