"""Workers that are killed, told to end or doubled in the middle of a job: it is done once, and whole, in the end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyogrio
import pytest
import shapely
from sqlalchemy import select, update
from tests.server import Caller, Server, wait_until
from tests.sharing import got, made, new_file_layer, new_map, upload

from graticule.actions.work import take_up
from graticule.backend import open_backend
from graticule.catalogue.orm import Job

COUNT = 160_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that takes seconds to read."""
    path = tmp_path_factory.mktemp("source") / "many.fgb"
    corners = np.random.default_rng(3).uniform(0, 80, (COUNT, 2))
    table = pa.table({"g": shapely.to_wkb(shapely.box(*corners.T, *(corners + 0.01).T)), "n": np.arange(COUNT)})
    how = {"driver": "FlatGeobuf", "geometry_name": "g", "geometry_type": "Polygon", "crs": "EPSG:4326"}
    pyogrio.write_arrow(table, path, layer="many", layer_options={"SPATIAL_INDEX": "NO"}, **how)
    return path


@contextmanager
def serving(folder: Path, workers: int) -> Iterator[tuple[Server, Caller]]:
    """A server with so many workers, and an account of it."""
    environment = {"GRATICULE_IMPORT_INLINE_BYTES": "1000", "GRATICULE_JOB_WORKERS": str(workers)}
    server = Server(folder, environment=environment)
    with server.new_user() as account:
        server.start()
        try:
            with Caller(server.url, account.key, account.username, account.user_id) as caller:
                yield server, caller
        finally:
            server.stop()


@pytest.fixture
def doomed(tmp_path: Path) -> Iterator[tuple[Server, Caller]]:
    """A server of one worker, which a test may kill."""
    with serving(tmp_path, 1) as made:
        yield made


def started(server: Server, owner: Caller, large: Path) -> dict[str, Any]:
    """A layer whose job is in the middle of its work."""
    with large.open("rb") as file:
        made(owner.post("storage/fs/", files={"file": ("many.fgb", file)}))
    layer = new_file_layer(owner, new_map(owner)["id"], "many.fgb")
    wait_until_begun(server, owner, layer)
    return layer


def wait_until_begun(server: Server, owner: Caller, layer: dict[str, Any]) -> None:
    wait_until(lambda: any(staging(server, owner).rglob("*.gpkg")), "the job did not begin")
    assert state(owner, layer["job_id"]) == "running"


def staging(server: Server, owner: Caller) -> Path:
    return server.data / "accounts" / str(owner.user_id) / "staging"


def state(owner: Caller, job_id: str) -> str:
    return str(got(owner.get(f"jobs/{job_id}"))["state"])


def row_of(server: Server, job_id: str) -> Job:
    backend = open_backend(server.settings)
    with backend.catalogue.read() as session:
        job = session.get_one(Job, int(job_id))
    backend.close()
    return job


def is_whole(server: Server, owner: Caller, layer: dict[str, Any]) -> None:
    """The layer shows all of the file, which is kept once, and nothing else is left."""
    wait_until(lambda: state(owner, layer["job_id"]) == "done", "the job was not done again", 150)
    described = got(owner.get(f"layers/{layer['id']}"))
    assert (described["status"], described["type"]) == ("ready", "polygon")
    assert got(owner.get(f"layers/{layer['id']}/features?perpage=1"))["total"] == COUNT
    assert len(pyogrio.list_layers(server.data / "accounts" / str(owner.user_id) / "data.gpkg")) == 1
    wait_until(lambda: not any(staging(server, owner).iterdir()), "something is left in the staging folder")


def test_a_worker_that_is_killed(doomed: tuple[Server, Caller], large: Path) -> None:
    server, owner = doomed
    layer = started(server, owner, large)
    worker = row_of(server, layer["job_id"]).worker or ""
    os.kill(int(worker.split("-")[-2]), signal.SIGKILL)
    assert owner.get(f"layers/{layer['id']}/features").status_code == 503
    is_whole(server, owner, layer)
    again = row_of(server, layer["job_id"])
    assert (again.attempts, again.worker != worker) == (2, True)


def test_a_server_that_ends_with_its_worker(doomed: tuple[Server, Caller], large: Path) -> None:
    server, owner = doomed
    layer = started(server, owner, large)
    server.stop(signal.SIGKILL)
    server.start()
    wait_until_begun(server, owner, layer)
    server.stop(signal.SIGTERM)
    server.start()
    is_whole(server, owner, layer)


def test_cancelling_what_runs(doomed: tuple[Server, Caller], large: Path) -> None:
    server, owner = doomed
    layer = started(server, owner, large)
    assert owner.delete(f"jobs/{layer['job_id']}").status_code == 204
    wait_until(lambda: state(owner, layer["job_id"]) != "running", "the job goes on")
    assert state(owner, layer["job_id"]) == "cancelled"
    described = got(owner.get(f"layers/{layer['id']}"))
    assert (described["status"], "cancelled" in described["status_text"]) == ("error", True)
    assert owner.get(f"layers/{layer['id']}/features").status_code == 409
    assert list(staging(server, owner).iterdir()) == []
    data = server.data / "accounts" / str(owner.user_id) / "data.gpkg"
    assert not data.exists() or len(pyogrio.list_layers(data)) == 0


def points() -> bytes:
    return "\n".join(["lon,lat", *("1,2" for _ in range(400))]).encode()


def test_no_job_is_done_twice(tmp_path: Path) -> None:
    """Two workers, and every job comes to them several times."""
    with serving(tmp_path, 2) as (server, owner):
        upload(owner, "", **{f"a{number}__csv": points() for number in range(8)})
        map_id = new_map(owner)["id"]
        layers = [new_file_layer(owner, map_id, f"a{number}.csv") for number in range(8)]
        backend = open_backend(server.settings)
        for layer in layers * 3:
            backend.queue.send(int(layer["job_id"]))
        for layer in layers:
            wait_until(lambda layer=layer: state(owner, layer["job_id"]) == "done", "a job was not done")
        with backend.catalogue.read() as session:
            assert session.scalars(select(Job.attempts)).all() == [1] * 8
        backend.close()
        assert len(pyogrio.list_layers(server.data / "accounts" / str(owner.user_id) / "data.gpkg")) == 8


# How a job stands when its worker is found dead, and what it and its layer come to.
LEFT = [
    ({"attempts": 3}, "failed", "error"),
    ({"attempts": 2, "cancelled": True}, "cancelled", "error"),
    ({"attempts": 2}, "queued", "busy"),
    ({"attempts": 3, "claimed": 2**40}, "running", "busy"),  # of another machine, where it was at it just now
    ({"attempts": 1, "state": "done"}, "done", "error"),  # nobody reads it any more
]


def test_what_becomes_of_the_jobs_of_dead_workers(tmp_path: Path) -> None:
    with serving(tmp_path, 0) as (server, owner):
        upload(owner, "", **{f"a{number}__csv": points() for number in range(len(LEFT))})
        map_id = new_map(owner)["id"]
        layers = [new_file_layer(owner, map_id, f"a{number}.csv") for number in range(len(LEFT))]
        backend = open_backend(server.settings)
        with backend.catalogue.write() as session:
            for layer, (values, _, _) in zip(layers, LEFT, strict=True):
                dead = {"state": "running", "worker": "another machine-1-dead", "claimed": 1} | values
                session.execute(update(Job).where(Job.id == int(layer["job_id"])).values(**dead))
        take_up(backend)
        backend.close()
        for layer, (_, job_state, layer_state) in zip(layers, LEFT, strict=True):
            assert state(owner, layer["job_id"]) == job_state
            assert got(owner.get(f"layers/{layer['id']}"))["status"] == layer_state
        assert "died" in got(owner.get(f"jobs/{layers[0]['job_id']}"))["error"]["message"]
