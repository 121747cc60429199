"""kill -9 again and again, wherever the server just is: files, tables and layers still agree with each other."""

from __future__ import annotations

import random
import signal
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pyogrio
from tests.server import Caller, Server, wait_until
from tests.sharing import got, new_file_layer, new_map, upload

ROUNDS, WORKERS = 3, 4
# How many rows each file has to begin with.
FIRST = 10


def rows(number: int, worker: int) -> bytes:
    """A file whose rows say how many they are, and of which worker."""
    places = (f"{number},{worker},{i % 180},{i % 90}" for i in range(number))
    return "\n".join(["many,worker,lon,lat", *places]).encode()


class Worker(threading.Thread):
    """Uploads its file anew, makes tables of it and drops them, until the server dies. Knows what was acknowledged."""

    def __init__(self, server: Server, account: Caller, number: int, seed: int) -> None:
        super().__init__()
        self.server, self.account, self.number = server, account, number
        self.rnd = random.Random(seed)
        self.tables: set[str] = set()
        self.uncertain: set[str] = set()
        self.uploaded = {FIRST}
        self.steps = 0

    def run(self) -> None:
        with suppress(httpx.TransportError), Caller(self.server.url, self.account.key) as caller:
            while True:
                self.step(caller)
                self.steps += 1

    def step(self, caller: Caller) -> None:
        choice = self.rnd.random()
        if choice < 0.5:
            many = self.rnd.randint(1_000, 6_000)
            self.uploaded.add(many)
            answer = upload(caller, f"of{self.number}", data__csv=rows(many, self.number))
            assert answer.status_code == 201, answer.text
            self.uploaded = {many}
        elif choice < 0.8 or not self.tables:
            name = f"t{self.number}_{self.rnd.getrandbits(40):x}"
            source = {"type": "file", "src": f"of{self.number}/data.csv"} if choice < 0.7 else None
            self.uncertain.add(name)
            answer = caller.post("tables", json={"name": name, "geometry": "point", "source": source})
            assert answer.status_code == 201, answer.text
            self.uncertain.remove(name)
            self.tables.add(name)
        else:
            name = min(self.tables)
            self.tables.remove(name)
            self.uncertain.add(name)
            assert caller.delete(f"tables/{name}").status_code == 204
            self.uncertain.remove(name)


def test_a_server_that_is_killed_again_and_again(tmp_path: Path, seed: int = 1) -> None:
    server = Server(tmp_path, workers=2)
    with server.new_user() as account:
        pass
    server.start()
    try:
        with Caller(server.url, account.key, account.username, account.user_id) as caller:
            map_id = new_map(caller)["id"]
            layers = {}
            for number in range(WORKERS):
                upload(caller, f"of{number}", data__csv=rows(FIRST, number))
                layers[number] = new_file_layer(caller, map_id, f"of{number}/data.csv")["id"]
            workers = [Worker(server, account, number, seed + number) for number in range(WORKERS)]
            for again in range(ROUNDS):
                workers = [successor(worker, seed + 100 * again) for worker in workers]
                kill_at_work(server, workers, random.Random(seed + again).randint(3, 12))
                server.start()
                check(server, caller, workers, layers)
    finally:
        server.stop()


def kill_at_work(server: Server, workers: list[Worker], steps: int) -> None:
    """Let them work until that many steps are done."""
    for worker in workers:
        worker.start()
    wait_until(lambda: sum(worker.steps for worker in workers) >= steps, "nothing is done")
    server.stop(signal.SIGKILL)
    for worker in workers:
        worker.join()


def successor(worker: Worker, seed: int) -> Worker:
    """One that goes on with the same things."""
    made = Worker(worker.server, worker.account, worker.number, seed + worker.number)
    made.tables, made.uploaded = worker.tables, worker.uploaded
    return made


def check(server: Server, caller: Caller, workers: list[Worker], layers: dict[int, str]) -> None:
    home = server.data / "accounts" / str(caller.user_id)
    # One process may still be reading in what the dead ones had begun to.
    wait_until(lambda: list((home / "staging").iterdir()) == [], "staging is not cleared")
    assert "Traceback" not in server.log()

    listed = {one["name"] for one in got(caller.get("tables"))["data"]}
    acknowledged = set().union(*(worker.tables for worker in workers))
    uncertain = set().union(*(worker.uncertain for worker in workers))
    assert acknowledged <= listed <= acknowledged | uncertain
    for worker in workers:
        worker.tables |= listed & worker.uncertain
    for name in listed:
        found = got(caller.get(f"tables/{name}/rows?perpage=1"))
        assert found["total"] in (0, *(int(row["many"]) for row in found["data"] if "many" in row))

    for worker in workers:
        content = caller.get(f"storage/fs/of{worker.number}/data.csv").content
        many = content.count(b"\n")
        assert content == rows(many, worker.number)
        assert many in worker.uploaded
        worker.uploaded = {many}
        shown = got(caller.get(f"layers/{layers[worker.number]}/features?perpage=1"))
        assert (shown["total"], shown["data"][0]["data"]["many"]) == (many, many)

    with closing(sqlite3.connect(home / "data.gpkg")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    in_store = {name for name, _ in pyogrio.list_layers(home / "data.gpkg")}
    assert {name for name in in_store if not name.startswith("file_")} == listed
    assert len(in_store) == len(listed) + len(layers)
