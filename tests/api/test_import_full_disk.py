"""A server whose disk is full says so, keeps what it had, and goes on."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.server import Server
from tests.sharing import feature_ids, got, ids, new_feature, new_file_layer, new_layer, new_map, new_table, upload

SMALL_DISK, LARGEST_FILE = 12_000_000, 3_000_000


def may_mount() -> bool:
    return os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


# A file system of its own with room for little; no room for files beyond a size, which anybody may set.
KINDS = ["disk", "files"] if may_mount() else ["files"]


@dataclass
class Cramped:
    """A server that has room for a few megabytes, until ``lift``."""

    server: Server
    kind: str

    def start(self) -> None:
        self.server.start()
        if self.kind == "files":
            self._limit_files(LARGEST_FILE)

    def lift(self) -> None:
        if self.kind == "files":
            self._limit_files(resource.RLIM_INFINITY)
        else:
            subprocess.run(["mount", "-o", f"remount,size={SMALL_DISK * 10}", self.server.data], check=True)

    def _limit_files(self, size: int) -> None:
        assert self.server.process is not None
        _, most = resource.prlimit(self.server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.server.process.pid, resource.RLIMIT_FSIZE, (size, most))


@contextmanager
def mounted(folder: Path) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "none", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(params=KINDS)
def cramped(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cramped]:
    with mounted(tmp_path) if request.param == "disk" else nullcontext():
        # A worker would take of the little room when it likes.
        cramped = Cramped(Server(tmp_path, environment={"GRATICULE_JOB_WORKERS": "0"}), request.param)
        cramped.server.new_user().close()
        cramped.start()
        try:
            yield cramped
        finally:
            cramped.server.stop()


ROWS = "\n".join(["id,name,lat,lon", *(f"{i},{i:040},{i % 90},{i % 180}" for i in range(40_000))]).encode()
LONG = "x" * 200_000


def refused(answer: httpx.Response, name: str = "") -> None:
    """503 with a sentence that names the file."""
    assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE"), answer.text
    assert int(answer.headers["Retry-After"]) > 0
    sentence = answer.json()["nested"]["msg"]
    assert "disk" in sentence
    assert name in sentence


def fill(send: Callable[[], httpx.Response]) -> int:
    """Send until it is refused; how often it was not."""
    for times in range(200):
        answer = send()
        if answer.status_code != 201:
            refused(answer)
            return times
    raise AssertionError("the disk is never full")


def test_a_full_disk(cramped: Cramped) -> None:
    server = cramped.server
    with server.new_user() as caller:
        map_id, _ = new_map(caller)["id"], new_table(caller)
        layer = new_layer(caller, map_id, "places")["id"]
        first = new_feature(caller, layer, name="first")
        home = server.data / "accounts" / str(caller.user_id)

        refused(upload(caller, "", large__bin=os.urandom(SMALL_DISK)), "large.bin")
        assert got(caller.get("storage/fs"))["data"] == []

        assert upload(caller, "", rows__csv=ROWS).status_code == 201
        source = {"type": "file", "src": "rows.csv"}
        refused(caller.post(f"maps/{map_id}/layers", json={"source": source}), "rows.csv")
        refused(caller.post("tables", json={"name": "rows", "source": source}), "rows.csv")
        assert ids(caller, f"maps/{map_id}/layers") == [layer]
        assert [one["name"] for one in got(caller.get("tables"))["data"]] == ["places"]
        assert list((home / "staging").iterdir()) == []

        features = fill(lambda: caller.post(f"layers/{layer}/features", json={"data": {"name": LONG}}))
        maps = fill(lambda: caller.post("maps", json={"description": LONG}))
        for _ in range(2):
            assert len(feature_ids(caller, layer)) == 1 + features
            assert got(caller.get("maps"))["total"] == 1 + maps
            for path in (f"layers/{layer}/features/{first}", f"layers/{layer}/tiles/0/0/0.mvt", "tables/places"):
                assert caller.get(path).status_code == 200
            server.stop()
            cramped.start()
        with closing(sqlite3.connect(home / "data.gpkg")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("SELECT table_name FROM gpkg_contents").fetchall() == [("places",)]

        cramped.lift()
        added = new_file_layer(caller, map_id, "rows.csv")["id"]
        assert got(caller.get(f"layers/{added}/features?perpage=1"))["total"] == 40_000
        new_feature(caller, layer, name="more")
        new_map(caller)
        assert "Traceback" not in server.log()
