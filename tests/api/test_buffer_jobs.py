"""Buffers of many features: layers that are busy until a job has made their table."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tests.answers import refused
from tests.server import Caller, Server
from tests.sharing import got, made, new_feature, new_layer, new_map, new_table

from graticule.actions import buffers
from graticule.actions.jobs import Cancelled, Progress
from graticule.actions.work import run_job
from graticule.backend import Backend, open_backend
from graticule.catalogue.access import Actor
from graticule.catalogue.orm import Job
from graticule.errors import NotFound

SENT = {"name": "b", "size": "5", "units": "kilometer"}
# Of more features than this a buffer is a job here.
INLINE = 1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without workers: its jobs wait for the test."""
    environment = {"GRATICULE_JOB_WORKERS": "0", "GRATICULE_BUFFER_INLINE_FEATURES": str(INLINE)}
    server = Server(tmp_path_factory.mktemp("buffers"), environment=environment)
    server.new_user(administrator=True).close()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def backend(server: Server) -> Iterator[Backend]:
    opened = open_backend(server.settings)
    yield opened
    opened.close()


@pytest.fixture
def places(user: Caller) -> str:
    """A layer with two points."""
    new_table(user)
    layer = str(new_layer(user, new_map(user)["id"], "places")["id"])
    new_feature(user, layer, 10, 60, name="one")
    new_feature(user, layer, 11, 60, name="two")
    return layer


def buffered(caller: Caller, layer: str, **fields: Any) -> dict[str, Any]:
    return dict(made(caller.post(f"layers/{layer}/buffer", json=SENT | fields)))


def status(caller: Caller, layer: str) -> tuple[str, str | None]:
    told = got(caller.get(f"layers/{layer}"))
    return told["status"], told["status_text"]


def tables(caller: Caller) -> list[str]:
    return [one["name"] for one in got(caller.get("tables"))["data"]]


def test_busy_then_ready(backend: Backend, user: Caller, places: str) -> None:
    answer = user.post(f"layers/{places}/buffer", json=SENT)
    buffer = made(answer)
    assert answer.headers["location"] == f"1/maps/{buffer['map_id']}/layers/{buffer['id']}"
    assert (buffer["status"], buffer["type"], buffer["epsg"]) == ("busy", "polygon", "4326")
    for path in ("features", "columns", "export.geojson", "attributeops/info?column=x"):
        refused(user.get(f"layers/{buffer['id']}/{path}"), 503)
    assert tables(user) == ["places"]
    run_job(backend, int(buffer["job_id"]), "a worker of the test", threading.Event())
    job = got(user.get(f"jobs/{buffer['job_id']}"))
    assert (job["state"], job["kind"], job["rows"], job["error"]) == ("done", "buffer", 2, None)
    table = json.loads(buffer["source"])["src"]
    assert job["result"] == {"map_id": buffer["map_id"], "layer_id": buffer["id"], "table": table}
    assert status(user, buffer["id"]) == ("ready", None)
    assert tables(user) == sorted(["places", table])
    (one,) = got(user.get(f"layers/{buffer['id']}/features"))["data"]
    assert one["__xmin"] < 10 < 11 < one["__xmax"]


def test_few_features_are_no_job(user: Caller, places: str) -> None:
    assert user.delete(f"layers/{places}/features/1").status_code == 204
    buffer = buffered(user, places)
    assert (buffer["status"], buffer["job_id"]) == ("ready", None)


def test_cancelled_it_says_so(user: Caller, places: str) -> None:
    buffer = buffered(user, places)
    assert user.delete(f"jobs/{buffer['job_id']}").status_code in (200, 204)
    assert status(user, buffer["id"]) == ("error", "It was cancelled.")
    refused(user.get(f"layers/{buffer['id']}/features"), 409)
    assert tables(user) == ["places"]


def test_what_it_was_to_be_of_is_gone(backend: Backend, user: Caller, places: str) -> None:
    buffer = buffered(user, places)
    assert user.delete(f"layers/{places}").status_code == 204
    run_job(backend, int(buffer["job_id"]), "a worker of the test", threading.Event())
    kind, why = status(user, buffer["id"])
    assert (kind, why) == ("error", f"There is no layer {places}, or it is not shared with you.")


def test_broken_off_and_done_again(backend: Backend, user: Caller, places: str) -> None:
    buffer = buffered(user, places, merge_geom=False)
    actor = Actor(user.user_id, user.username)
    with backend.catalogue.read() as session:
        arguments = json.loads(session.get_one(Job, int(buffer["job_id"])).arguments)
    progress = Progress()
    progress.tell(Cancelled())
    with pytest.raises(Cancelled):
        buffers.run_buffer(backend, actor, arguments, progress)
    assert status(user, buffer["id"]) == ("busy", None)
    buffers.run_buffer(backend, actor, arguments, Progress())
    with pytest.raises(NotFound):
        buffers.run_buffer(backend, actor, arguments, Progress())
    found = got(user.get(f"layers/{buffer['id']}/features"))["data"]
    assert [one["data"]["name"] for one in found] == ["one", "two"]
