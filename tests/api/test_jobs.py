"""Jobs: large files read by workers, layers busy meanwhile, exports into the storage, cancelling, who sees what."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.server import PASSWORD, Caller, Server, free_port, wait_until
from tests.sharing import (
    account_of,
    feature_ids,
    got,
    made,
    new_feature,
    new_file_layer,
    new_layer,
    new_map,
    new_table,
    resource_of_file,
    share,
    upload,
)

from graticule.actions import jobs, users
from graticule.actions.work import run_job
from graticule.backend import open_backend
from graticule.catalogue.access import Actor
from graticule.settings import Settings

# Files of more bytes than this are large here.
LARGE = 2_000
ENVIRONMENT = {"GRATICULE_IMPORT_INLINE_BYTES": str(LARGE)}


def points(count: int, x: float = 1) -> bytes:
    return "\n".join(["name,lon,lat", *(f"p{number},{x},2" for number in range(count))]).encode()


MANY = points(300)


@contextmanager
def running(tmp_path_factory: pytest.TempPathFactory, **environment: str) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("jobs"), environment=ENVIRONMENT | environment)
    server.new_user(administrator=True).close()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with one worker, as by default."""
    with running(tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without a worker: whatever becomes a job waits."""
    with running(tmp_path_factory, GRATICULE_JOB_WORKERS="0") as server:
        yield server


@pytest.fixture
def waiter(idle: Server) -> Iterator[Caller]:
    """A caller of the server without a worker."""
    with idle.new_user() as caller:
        yield caller


def over(caller: Caller, job_id: str) -> dict[str, Any]:
    """The job, when nothing more will become of it."""
    wait_until(lambda: got(caller.get(f"jobs/{job_id}"))["finished"] is not None, f"job {job_id} does not end")
    return dict(got(caller.get(f"jobs/{job_id}")))


def do(server: Server, caller: Caller, job_id: str) -> dict[str, Any]:
    """Do a job of the server that has no worker, as one would; the job after that."""
    backend = open_backend(server.settings)
    run_job(backend, int(job_id), "a worker of the test", threading.Event())
    backend.close()
    return dict(got(caller.get(f"jobs/{job_id}")))


# ---------------------------------------------------------------- a large file


def test_a_large_file_becomes_a_layer(server: Server, user: Caller) -> None:
    upload(user, "", many__csv=MANY)
    answer = user.post(f"maps/{new_map(user)['id']}/layers", json={"source": {"type": "file", "src": "/many.csv"}})
    layer = made(answer)
    assert answer.headers["location"] == f"1/layers/{layer['id']}"
    assert layer["status"] == "busy"
    job = over(user, layer["job_id"])
    told = {"state": "done", "percentage": 100, "rows": 300, "kind": "import", "error": None, "id": layer["job_id"]}
    assert told.items() <= job.items()
    assert job["result"] == {"file": "/many.csv", "layer_id": layer["id"], "layer_ids": [layer["id"]]}
    assert job["created"] <= job["started"] <= job["finished"]
    ready = got(user.get(f"layers/{layer['id']}"))
    assert {
        "status": "ready",
        "type": "point",
        "epsg": "4326",
        "x_max": "1.0",
        "status_text": None,
    }.items() <= ready.items()
    assert got(user.get(f"layers/{layer['id']}/features?perpage=1"))["total"] == 300
    assert [one["name"] for one in got(user.get(f"layers/{layer['id']}/columns"))] == ["name", "lon", "lat"]


def test_a_small_file_is_read_at_once(waiter: Caller) -> None:
    upload(waiter, "", few__csv=points(3))
    layer = new_file_layer(waiter, new_map(waiter)["id"], "few.csv")
    assert (layer["status"], layer["job_id"], len(feature_ids(waiter, layer["id"]))) == ("ready", None, 3)


def test_what_a_zipped_file_unpacks_to_counts(waiter: Caller) -> None:
    placemark = "<Placemark><Point><coordinates>1,2</coordinates></Point></Placemark>"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "doc.kml", f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{placemark * 50}</Document></kml>'
        )
    assert len(packed.getvalue()) < LARGE
    upload(waiter, "", places__kmz=packed.getvalue())
    assert new_file_layer(waiter, new_map(waiter)["id"], "places.kmz")["status"] == "busy"


@pytest.fixture(scope="module")
def busy(idle: Server) -> Iterator[tuple[Caller, str, str]]:
    """A caller with a busy layer, and its map."""
    with idle.new_user() as caller:
        upload(caller, "", many__csv=MANY)
        map_id = new_map(caller, bounds='{"xmin":0,"ymin":0,"xmax":10,"ymax":10}')["id"]
        yield caller, map_id, new_file_layer(caller, map_id, "many.csv", type="point")["id"]


@pytest.mark.parametrize(
    "path", ["features", "features/1", "features.csv", "columns", "export.csv", "export.shp.zip", "export.geojson"]
)
def test_what_a_busy_layer_does_not_give(busy: tuple[Caller, str, str], path: str) -> None:
    caller, _, layer = busy
    answer = caller.get(f"layers/{layer}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(("method", "path"), [("POST", "features"), ("PUT", "features/1"), ("DELETE", "features/1")])
def test_what_a_busy_layer_does_not_take(busy: tuple[Caller, str, str], method: str, path: str) -> None:
    caller, _, layer = busy
    assert caller.request(method, f"layers/{layer}/{path}", json={"geometry": "POINT(1 2)"}).status_code == 503
    assert caller.post(f"layers/{layer}/export.csv").status_code == 503


def test_pictures_leave_a_busy_layer_out(busy: tuple[Caller, str, str]) -> None:
    caller, map_id, layer = busy
    new_table(caller)
    shown = new_layer(caller, map_id, "places")["id"]
    new_feature(caller, shown, 5, 5)
    for one, status in ((layer, 204), (shown, 200)):
        assert caller.get(f"layers/{one}/tiles/0/0/0.mvt").status_code == status
    with_it = caller.get(f"maps/{map_id}/render.png?width=64&height=64")
    assert list(got(caller.get(f"maps/{map_id}/style.json"))["sources"]) == [shown]
    hidden = {"visible": "f"}
    got(caller.put(f"layers/{layer}", json=hidden))
    without = caller.get(f"maps/{map_id}/render.png?width=64&height=64")
    assert (with_it.status_code, with_it.content) == (200, without.content)


def test_the_page_says_how_far_it_is(busy: tuple[Caller, str, str]) -> None:
    caller, map_id, _ = busy
    page = caller.get(f"maps/{map_id}/render.iframe").text
    config = json.loads(re.findall(r'<script [^>]*id="config">(.*?)</script>', page, re.DOTALL)[0])
    assert {one["status"]: one["percentage"] for one in config["layers"]} == {"busy": 0, "ready": None}


def test_a_busy_layer_is_described_and_changed_as_others(busy: tuple[Caller, str, str]) -> None:
    caller, _, layer = busy
    before = caller.get(f"layers/{layer}?expand=columns")
    assert {"status": "busy", "x_min": None, "columns": {}, "type": "point"}.items() <= before.json().items()
    got(caller.put(f"layers/{layer}", json=before.json()))
    after = caller.get(f"layers/{layer}?expand=columns")
    assert after.headers["etag"] == before.headers["etag"]
    assert got(caller.put(f"layers/{layer}", json={"name": "renamed"}))["name"] == "renamed"


def test_layers_of_one_file_share_the_job(idle: Server, waiter: Caller) -> None:
    upload(waiter, "", many__csv=MANY)
    map_id = new_map(waiter)["id"]
    layers = [new_file_layer(waiter, map_id, "many.csv") for _ in range(3)]
    assert len({layer["job_id"] for layer in layers}) == 1
    assert {layer["type"] for layer in layers} == {None}
    assert [waiter.get(f"layers/{layers[0]['id']}/{path}").status_code for path in ("columns", "features")] == [503] * 2
    assert got(waiter.get("jobs"))["total"] == 1
    job = do(idle, waiter, layers[0]["job_id"])
    assert job["result"]["layer_ids"] == [layer["id"] for layer in layers]
    assert {got(waiter.get(f"layers/{layer['id']}"))["type"] for layer in layers} == {"point"}


def test_a_source_that_is_set_anew(idle: Server, waiter: Caller) -> None:
    upload(waiter, "", few__csv=points(3), many__csv=MANY)
    layer = new_file_layer(waiter, new_map(waiter)["id"], "few.csv")["id"]
    changed = got(waiter.put(f"layers/{layer}", json={"source": {"type": "file", "src": "/many.csv"}}))
    assert (changed["status"], waiter.get(f"layers/{layer}/features").status_code) == ("busy", 503)
    do(idle, waiter, changed["job_id"])
    assert got(waiter.get(f"layers/{layer}/features?perpage=1"))["total"] == 300


def test_a_file_that_grows(idle: Server, waiter: Caller) -> None:
    upload(waiter, "", a__csv=points(3))
    layer = new_file_layer(waiter, new_map(waiter)["id"], "a.csv")["id"]
    assert upload(waiter, "", a__csv=points(280)).status_code == 201
    described = got(waiter.get(f"layers/{layer}"))
    assert (described["status"], waiter.get(f"layers/{layer}/features").status_code) == ("busy", 503)
    assert upload(waiter, "", a__csv=points(300, x=7)).status_code == 201  # while the job still waits
    assert got(waiter.get(f"layers/{layer}"))["job_id"] == described["job_id"]
    do(idle, waiter, described["job_id"])
    ready = got(waiter.get(f"layers/{layer}"))
    assert (ready["status"], ready["x_min"], len(feature_ids(waiter, layer))) == ("ready", "7.0", 100)
    upload(waiter, "", a__csv=points(300, x=8))
    again = got(waiter.get(f"layers/{layer}"))
    assert again["status"] == "busy"
    assert again["job_id"] != described["job_id"]
    upload(waiter, "", a__csv=points(2))
    assert (got(waiter.get(f"layers/{layer}"))["status"], len(feature_ids(waiter, layer))) == ("ready", 2)


def test_a_file_that_is_gone_before_its_job_runs(idle: Server, waiter: Caller) -> None:
    upload(waiter, "", many__csv=MANY)
    layer = new_file_layer(waiter, new_map(waiter)["id"], "many.csv")
    assert waiter.delete("storage/fs/many.csv").status_code == 204
    assert waiter.get(f"layers/{layer['id']}/features").status_code == 409
    job = do(idle, waiter, layer["job_id"])
    assert (job["state"], job["error"]["file"]) == ("failed", "/many.csv")
    assert "many.csv" in got(waiter.get(f"layers/{layer['id']}"))["status_text"]


# ---------------------------------------------------------------- what goes wrong


def test_a_large_file_that_is_bad(user: Caller) -> None:
    upload(user, "", bad__csv=MANY + b"\nlast,here,there\n")
    layer = new_file_layer(user, new_map(user)["id"], "bad.csv")
    job = over(user, layer["job_id"])
    assert (job["state"], job["result"]) == ("failed", None)
    assert (job["error"]["file"], job["error"]["row"]) == ("/bad.csv", 302)
    described = got(user.get(f"layers/{layer['id']}"))
    assert (described["status"], described["status_text"]) == ("error", job["error"]["message"])
    for path in ("features", "columns", "export.csv"):
        answer = user.get(f"layers/{layer['id']}/{path}")
        assert (answer.status_code, "line 302" in answer.json()["nested"]["msg"]) == (409, True), answer.text
    upload(user, "", bad__csv=MANY)
    over(user, got(user.get(f"layers/{layer['id']}"))["job_id"])
    assert got(user.get(f"layers/{layer['id']}/features?perpage=1"))["total"] == 300


def test_a_large_file_without_geometry(user: Caller) -> None:
    upload(user, "", plain__csv="\n".join(["name,size", *(f"p{number},1" for number in range(500))]).encode())
    layer = new_file_layer(user, new_map(user)["id"], "plain.csv")
    assert "no geometry" in over(user, layer["job_id"])["error"]["message"]
    assert got(user.get(f"layers/{layer['id']}"))["status"] == "error"


@pytest.mark.parametrize(
    ("name", "content"),
    [("cut.gpkg", b"SQLite format 3" * 200), ("cut.fgb", b"x" * 5_000), ("what.xyz", b"x" * 5_000)],
)
def test_a_large_file_that_is_plainly_bad_is_refused(waiter: Caller, name: str, content: bytes) -> None:
    waiter.post("storage/fs/", files={"file": (name, content)})
    map_id = new_map(waiter)["id"]
    answer = waiter.post(f"maps/{map_id}/layers", json={"source": {"type": "file", "src": f"/{name}"}})
    assert (answer.status_code, name in answer.json()["nested"]["msg"]) == (400, True), answer.text
    assert got(waiter.get(f"maps/{map_id}/layers"))["data"] == []
    assert got(waiter.get("jobs"))["data"] == []


# ---------------------------------------------------------------- cancelling


def test_cancelling_what_waits(idle: Server, waiter: Caller) -> None:
    upload(waiter, "", many__csv=MANY)
    map_id = new_map(waiter)["id"]
    layer = new_file_layer(waiter, map_id, "many.csv")
    path = f"jobs/{layer['job_id']}"
    assert waiter.delete(path).status_code == 204
    job = got(waiter.get(path))
    assert (job["state"], job["finished"] is not None) == ("cancelled", True)
    described = got(waiter.get(f"layers/{layer['id']}"))
    assert (described["status"], "cancelled" in described["status_text"]) == ("error", True)
    assert waiter.get(f"layers/{layer['id']}/features").status_code == 409
    assert waiter.delete(path).status_code == 204
    again = new_file_layer(waiter, map_id, "many.csv")
    assert (again["status"], again["job_id"] != layer["job_id"]) == ("busy", True)
    do(idle, waiter, again["job_id"])
    assert got(waiter.get(path))["state"] == "cancelled"
    assert got(waiter.get(f"layers/{layer['id']}"))["status"] == "ready"


def test_cancelling_by_put(waiter: Caller) -> None:
    upload(waiter, "", many__csv=MANY)
    job = f"jobs/{new_file_layer(waiter, new_map(waiter)['id'], 'many.csv')['job_id']}"
    before = waiter.get(job)
    assert waiter.get(job, headers={"If-None-Match": before.headers["etag"]}).status_code == 304
    assert got(waiter.put(job, json=before.json())) == before.json()
    for state in ("done", "running", 5, [], {"a": 1}):
        answer = waiter.put(job, json={"state": state})
        assert (answer.status_code, answer.json()["nested"]["field"]) == (400, "state")
    stale = {"If-Match": '"99-00000000"'}
    assert waiter.put(job, json={"state": "cancelled"}, headers=stale).status_code == 412
    assert waiter.delete(job, headers=stale).status_code == 412
    cancelled = waiter.put(job, json={"state": "cancelled"}, headers={"If-Match": before.headers["etag"]})
    assert got(cancelled)["state"] == "cancelled"
    assert cancelled.headers["etag"] != before.headers["etag"]
    assert got(waiter.put(job, json={"state": "cancelled"})) == cancelled.json()


def test_what_is_over_cannot_be_cancelled(user: Caller) -> None:
    upload(user, "", many__csv=MANY)
    job = over(user, new_file_layer(user, new_map(user)["id"], "many.csv")["job_id"])
    for answer in (user.delete(f"jobs/{job['id']}"), user.put(f"jobs/{job['id']}", json={"state": "cancelled"})):
        assert (answer.status_code, answer.json()["code"]) == (409, "CONFLICT")
    assert got(user.get(f"jobs/{job['id']}")) == job


# ---------------------------------------------------------------- who sees jobs


def test_whose_a_job_is(idle: Server, waiter: Caller) -> None:
    upload(waiter, "", many__csv=MANY)
    job = new_file_layer(waiter, new_map(waiter)["id"], "many.csv")["job_id"]
    with idle.new_user() as stranger, idle.anonymous() as anonymous, idle.new_user(administrator=True) as administrator:
        for caller in (stranger, anonymous):
            answers = (
                caller.get(f"jobs/{job}"), caller.put(f"jobs/{job}", json={"state": "cancelled"}),
                caller.delete(f"jobs/{job}"), caller.get("jobs/999999"),
            )  # fmt: skip
            assert [answer.status_code for answer in answers] == [404] * 4
        assert anonymous.get("jobs").status_code == 403
        assert got(stranger.get("jobs"))["data"] == got(administrator.get("jobs"))["data"] == []
        assert got(administrator.get(f"jobs/{job}"))["owner"] == str(waiter.user_id)
        assert administrator.delete(f"jobs/{job}").status_code == 204
    assert got(waiter.get(f"jobs/{job}"))["state"] == "cancelled"


def test_the_list(waiter: Caller) -> None:
    map_id = new_map(waiter)["id"]
    upload(waiter, "", **{f"a{number}__csv": MANY for number in range(3)})
    made_ids = [new_file_layer(waiter, map_id, f"a{number}.csv")["job_id"] for number in range(3)]
    assert waiter.delete(f"jobs/{made_ids[1]}").status_code == 204
    listed = got(waiter.get("jobs?perpage=2"))
    assert (listed["type"], listed["total"], listed["page"]) == ("jobs", 3, 1)
    assert [one["id"] for one in listed["data"]] == made_ids[:0:-1]
    ordered = got(waiter.get("jobs?order_by=state,id:desc"))["data"]
    assert [one["id"] for one in ordered] == [made_ids[1], made_ids[2], made_ids[0]]
    assert waiter.get("jobs?order_by=arguments").status_code == 400


def test_the_file_of_somebody_else(idle: Server, waiter: Caller) -> None:
    """Whoever may read a file shares the job that reads it, which stays that of who came first."""
    upload(waiter, "", many__csv=MANY)
    first = new_file_layer(waiter, new_map(waiter)["id"], "many.csv")
    with idle.new_user() as friend:
        share(waiter, resource_of_file(waiter, "many.csv"), friend.username, "READ")
        second = new_file_layer(friend, new_map(friend)["id"], f"/{account_of(waiter)}/many.csv")
        assert (second["status"], second["job_id"]) == ("busy", first["job_id"])
        assert friend.get(f"jobs/{first['job_id']}").status_code == 404
        assert do(idle, waiter, first["job_id"])["result"]["layer_ids"] == [first["id"]]
        assert got(friend.get(f"layers/{second['id']}/features?perpage=1"))["total"] == 300


# ---------------------------------------------------------------- exports


@pytest.mark.parametrize(("fmt", "suffix"), [("csv", "csv"), ("shp", "zip"), ("geojson.zip", "zip")])
def test_an_export_by_a_job(user: Caller, fmt: str, suffix: str) -> None:
    new_table(user)
    layer = new_layer(user, new_map(user)["id"], "places", name="My places")["id"]
    new_feature(user, layer, name="one")
    answer = user.post(f"layers/{layer}/export.{fmt}")
    started = made(answer)
    assert answer.headers["location"] == f"1/jobs/{started['id']}"
    job = over(user, started["id"])
    assert (job["kind"], job["state"], job["rows"]) == ("export", "done", 1)
    assert job["result"]["file"] == f"/exports/My_places_{job['id']}.{suffix}"
    stored = user.get("storage/fs" + job["result"]["file"])
    assert stored.content[:2] == (b"PK" if suffix == "zip" else stored.content[:2])
    assert len(stored.content) == job["result"]["size"]
    listed = got(user.get("storage/fs/exports"))["data"]
    assert [one["pathname"] for one in listed] == [job["result"]["file"]]


def test_an_export_in_another_projection(user: Caller) -> None:
    new_table(user)
    map_id = new_map(user)["id"]
    layer = new_layer(user, map_id, "places", name="p")["id"]
    new_feature(user, layer, 180, 0)
    job = over(user, made(user.post(f"maps/{map_id}/layers/{layer}/export.csv?epsg=3857"))["id"])
    assert "POINT (20037508.34" in user.get("storage/fs" + job["result"]["file"]).text


def test_who_may_export(user: Caller, other: Caller, anonymous: Caller) -> None:
    new_table(user)
    found = new_map(user)
    layer = new_layer(user, found["id"], "places")
    path = f"layers/{layer['id']}/export"
    assert [caller.post(f"{path}.csv").status_code for caller in (other, anonymous)] == [404, 403]
    share(user, found["resource_id"], other.username, "READ")
    assert other.post(f"{path}.csv").status_code == 403
    got(user.put(f"layers/{layer['id']}", json={"exportable": "t"}))
    job = over(other, made(other.post(f"{path}.csv"))["id"])
    assert other.get("storage/fs" + job["result"]["file"]).status_code == 200
    for wrong in ("doc", "csv.gz"):
        assert other.post(f"{path}.{wrong}").status_code in (400, 406)
    assert other.post(f"maps/{new_map(other)['id']}/{path}.csv").status_code == 404
    assert other.post(f"{path}.csv?epsg=1").status_code == 400


# ---------------------------------------------------------------- queues and workers


def test_jobs_outlive_the_server(tmp_path: Path) -> None:
    server = Server(tmp_path, environment=ENVIRONMENT | {"GRATICULE_JOB_WORKERS": "0"})
    with server.new_user() as account:
        server.start()
        try:
            upload(caller := Caller(server.url, account.key), "", many__csv=MANY)
            layer = new_file_layer(caller, new_map(caller)["id"], "many.csv")
            server.stop()
            (tmp_path / "jobs.sqlite").unlink()  # what holds is in the catalogue
            server.environment["GRATICULE_JOB_WORKERS"] = "1"
            server.start()
            assert over(caller, layer["job_id"])["state"] == "done"
            caller.close()
        finally:
            server.stop()


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Redis of its own."""
    program = shutil.which("redis-server")
    if program is None and os.environ.get("CI") != "true":
        pytest.skip("redis-server is not installed; scripts/install-test-tools does that")
    assert program is not None, "redis-server is not installed"
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    words = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(20)


def test_a_queue_in_redis(tmp_path_factory: pytest.TempPathFactory, redis: str) -> None:
    with running(tmp_path_factory, GRATICULE_REDIS_URL=redis) as server, server.new_user() as caller:
        upload(caller, "", many__csv=MANY)
        layer = new_file_layer(caller, new_map(caller)["id"], "many.csv")
        assert over(caller, layer["job_id"])["state"] == "done"
        assert not (server.data / "jobs.sqlite").exists()


def test_a_job_waits_where_the_queue_cannot_be_reached(tmp_path: Path) -> None:
    backend = open_backend(Settings(data=tmp_path, redis_url=SecretStr(f"redis://127.0.0.1:{free_port()}/0")))
    owner = users.create_user(backend, "somebody", PASSWORD)
    actor = Actor(owner.id, owner.username)
    job = jobs.start(backend, actor, "import", {})
    assert jobs.get_job(backend, actor, job.id).state == "queued"
    backend.close()


def test_a_worker_beside_the_server(idle: Server, waiter: Caller) -> None:
    upload(waiter, "", many__csv=MANY)
    layer = new_file_layer(waiter, new_map(waiter)["id"], "many.csv")
    command = [sys.executable, "-m", "graticule", "worker", "--workers", "2", "--data", str(idle.data)]
    worker = subprocess.Popen(command, env=os.environ | idle.environment)
    assert over(waiter, layer["job_id"])["state"] == "done"
    worker.terminate()
    assert worker.wait(30) == 0
    assert list((idle.data / "workers").iterdir()) == []
