"""The real data behind one map, which tests of this folder read and none of them changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.api_data import World
from tests.server import Caller, Server
from tests.sharing import got, made

FILES = ("countries.zip", "lakes.zip", "cities.geojson", "borders.gpx", "countries.kml", "earth.tif")


@pytest.fixture(scope="module")
def shared(server: Server) -> Iterator[Caller]:
    """A caller with an account that the tests of a file share: they look only at what each made itself."""
    with server.new_user() as caller:
        yield caller


@pytest.fixture(scope="session")
def world(server: Server, data_dir: Path) -> Iterator[World]:
    """A map of real data. Nothing of it may be changed."""
    with server.new_user() as caller:
        map_id = made(caller.post("maps", json={"name": "World"}))["id"]
        layers = {name: layer_of(caller, map_id, data_dir / name)["id"] for name in FILES}
        yield World(caller, map_id, layers)


def layer_of(caller: Caller, map_id: str, path: Path, **fields: Any) -> Any:
    """A new layer of a file, which is uploaded for it."""
    folder = path.name.replace(".", "_")
    with path.open("rb") as file:
        assert caller.post(f"storage/fs/{folder}", files={"file": (path.name, file)}).status_code == 201
    names = [entry["filename"] for entry in got(caller.get(f"storage/fs/{folder}"))["data"]]
    name = next(name for name in names if path.suffix != ".zip" or name.endswith(".shp"))
    source = {"type": "file", "src": f"/{folder}/{name}"}
    return made(caller.post("layers", json={"mid": map_id, "name": path.stem, "source": json.dumps(source), **fields}))


@pytest.fixture(scope="session")
def cities(server: Server, data_dir: Path) -> Iterator[World]:
    """A map with 34,006 places. Nothing of it may be changed."""
    with server.new_user() as caller:
        map_id = made(caller.post("maps", json={"name": "Cities"}))["id"]
        layer = layer_of(caller, map_id, data_dir / "cities.csv")
        yield World(caller, map_id, {"cities.csv": layer["id"]})
