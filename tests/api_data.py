"""Data that the tests of the API share."""

from __future__ import annotations

from dataclasses import dataclass

from tests.server import Caller
from tests.sharing import made, new_map

COLUMNS = {
    "t": "text",
    "n": "number",
    "i": "integer",
    "r": "real",
    "b": "boolean",
    "d": "date",
    "m": "datetime",
}

# Features with values of every type, at their limits; the last has nothing at all.
TYPED = [
    {
        "data": {
            "t": "ä'ö\"",
            "n": 7,
            "i": 9223372036854775807,
            "r": 1.7e308,
            "b": True,
            "d": "2026-02-03",
            "m": "2026-02-03T04:05:06.000Z",
        },
        "geometry": "POINT (15 45)",
    },
    {
        "data": {
            "t": "",
            "n": 0.1,
            "i": -9223372036854775808,
            "r": -1e-300,
            "b": False,
            "d": "1000-01-01",
            "m": "1969-12-31T23:59:59.500Z",
        },
        "geometry": {"type": "MultiPoint", "coordinates": [[16, 46], [17, 47]]},
    },
    {"data": dict.fromkeys(COLUMNS), "geometry": None},
]


@dataclass(frozen=True)
class World:
    """A caller, their map, and the id of its layer of each file by the file's name."""

    caller: Caller
    map: str
    layers: dict[str, str]

    @property
    def countries(self) -> str:
        return self.layers["countries.zip"]


def table_layer(caller: Caller, name: str, geometry: str, columns: dict[str, str], srid: int = 4326) -> str:
    """The id of a layer on a new table, on a map of its own in EPSG:4326."""
    described = {column: {"type": kind} for column, kind in columns.items()}
    made(caller.post("tables", json={"name": name, "geometry": geometry, "srid": srid, "columns": described}))
    sent = {"mid": new_map(caller)["id"], "source": {"type": "pg", "src": name}}
    if geometry == "GEOMETRY":
        sent["type"] = "polygon"
    return str(made(caller.post("layers", json=sent))["id"])


def typed_layer(caller: Caller, name: str = "typed") -> str:
    """The id of a layer that holds ``TYPED``."""
    layer = table_layer(caller, name, "MULTIPOINT", COLUMNS)
    made(caller.post(f"layers/{layer}/features", json=TYPED))
    return layer
