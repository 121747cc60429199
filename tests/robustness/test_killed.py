"""kill -9 at the worst moments: after a restart every acknowledged write is there, and nothing half done is."""

from __future__ import annotations

import http.client
import signal
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
import pyogrio
import pytest
import shapely
from tests.server import Caller, Server, wait_until

WRITERS = 4


@pytest.fixture
def doomed(tmp_path: Path) -> Iterator[Server]:
    """A server of two processes that a test may kill."""
    server = Server(tmp_path, workers=2, environment={"GRATICULE_IMPORT_INLINE_BYTES": str(2**40)})
    yield server
    server.stop()


@pytest.fixture
def owner(doomed: Server) -> Iterator[Caller]:
    with doomed.new_user() as account:
        doomed.start()
        with Caller(doomed.url, account.key, account.username, account.user_id) as caller:
            yield caller


def kill(server: Server) -> None:
    server.stop(signal.SIGKILL)


def account_folder(server: Server, owner: Caller) -> Path:
    return server.data / "accounts" / str(owner.user_id)


def check_geopackage(server: Server, owner: Caller) -> None:
    """The file is whole, and other programs can read all of it."""
    path = account_folder(server, owner) / "data.gpkg"
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE sql LIKE '%USING rtree%'").fetchall():
        assert connection.execute("SELECT rtreecheck(?)", (name,)).fetchone() == ("ok",)
    connection.close()
    for name, _ in pyogrio.list_layers(path):
        info = pyogrio.read_info(path, layer=name)
        assert pyogrio.raw.read_arrow(path, layer=name)[1].num_rows == info["features"]


def test_edits(doomed: Server, owner: Caller) -> None:
    made = owner.post("maps.json", json={"name": "m"}).json()["id"]
    owner.post("tables.json", json={"name": "t", "geometry": "point", "columns": {"n": {"type": "integer"}}})
    layer = owner.post("layers.json", json={"mid": made, "name": "l", "source": {"type": "pg", "src": "t"}}).json()[
        "id"
    ]
    acknowledged: set[tuple[int, int]] = set()
    enough = threading.Event()

    def write(number: int) -> None:
        with Caller(doomed.url, owner.key) as caller:
            for step in range(100_000):
                n = number * 1_000_000 + step
                try:
                    answer = caller.post(
                        f"layers/{layer}/features.json", json={"data": {"n": n}, "geometry": "POINT(1 2)"}
                    )
                except httpx.TransportError:
                    return
                assert answer.status_code == 201
                acknowledged.add((answer.json()["__id"], n))
                if len(acknowledged) > 60:
                    enough.set()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    assert enough.wait(60)
    kill(doomed)
    for writer in writers:
        writer.join()
    doomed.start()
    rows = owner.get(f"layers/{layer}/features.json?perpage=1000").json()
    found = {(row["__id"], row["data"]["n"]) for row in rows["data"]}
    assert rows["total"] == len(found)
    assert acknowledged <= found
    # An edit may have been stored when the answer had no time left to be sent: one for each writer at the most.
    assert len(found - acknowledged) <= WRITERS
    check_geopackage(doomed, owner)


def test_an_upload(doomed: Server, owner: Caller) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", doomed.port)
    connection.putrequest("POST", "/1/storage/fs/here")
    connection.putheader("API-Key", owner.key or "")
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.putheader("Content-Length", str(50_000_000))
    connection.endheaders()
    connection.send(b'--x\r\nContent-Disposition: form-data; name="file"; filename="half.csv"\r\n\r\n')
    connection.send(b"a" * 3_000_000)
    staging = account_folder(doomed, owner) / "staging"

    def has_begun() -> bool:
        return any(path.is_file() and path.stat().st_size > 1_000_000 for path in staging.rglob("*"))

    wait_until(has_begun, "nothing of the upload arrived")
    kill(doomed)
    connection.close()
    doomed.start()
    assert list(staging.iterdir()) == []
    assert owner.get("storage/fs").json()["data"] == []


def polygons(path: Path, count: int) -> None:
    corners = np.random.default_rng(3).uniform(0, 80, (count, 2))
    table = pa.table({"g": shapely.to_wkb(shapely.box(*corners.T, *(corners + 0.01).T)), "n": np.arange(count)})
    pyogrio.write_arrow(
        table, path, driver="GPKG", layer="many", geometry_name="g", geometry_type="Polygon", crs="EPSG:4326"
    )


def test_an_import(doomed: Server, owner: Caller, tmp_path_factory: pytest.TempPathFactory) -> None:
    source = tmp_path_factory.mktemp("source") / "many.gpkg"
    polygons(source, 150_000)
    with source.open("rb") as file:
        assert owner.post("storage/fs/data", files={"file": ("many.gpkg", file)}).status_code == 201
    made = owner.post("maps.json", json={"name": "m"}).json()["id"]
    sent = {"mid": made, "name": "many", "source": {"type": "file", "src": "/data/many.gpkg"}}

    def add() -> None:
        with Caller(doomed.url, owner.key) as caller, pytest.raises(httpx.TransportError):
            caller.post("layers.json", json=sent)

    adding = threading.Thread(target=add)
    adding.start()
    staging = account_folder(doomed, owner) / "staging"
    wait_until(lambda: any(staging.rglob("*.gpkg")), "the import did not begin")
    kill(doomed)
    adding.join()
    doomed.start()
    assert list(staging.iterdir()) == []
    assert owner.get(f"maps/{made}/layers.json").json()["data"] == []
    data = account_folder(doomed, owner) / "data.gpkg"
    assert not data.exists() or len(pyogrio.list_layers(data)) == 0
    layer = owner.post("layers.json", json=sent)
    assert layer.status_code == 201, layer.text
    assert owner.get(f"layers/{layer.json()['id']}/features.json?perpage=1").json()["total"] == 150_000
    check_geopackage(doomed, owner)
