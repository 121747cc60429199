"""Four server processes on one data directory, many readers, several writers: no error, no lost write.

GRATICULE_TEST_SOAK says for how many seconds; a few are enough to show a lock that is missing.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mapbox_vector_tile
import pytest
from tests.server import Caller, Server

SECONDS = float(os.environ.get("GRATICULE_TEST_SOAK", "8"))
READERS, WRITERS = 16, 4


@pytest.fixture
def four_processes(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, workers=4)
    yield server
    server.stop()


def editable_layer(owner: Caller) -> tuple[str, str]:
    """The ids of a map and of a layer on a table of points."""
    made = owner.post("maps.json", json={"name": "Busy"}).json()["id"]
    table = {
        "name": "busy",
        "geometry": "point",
        "columns": {"writer": {"type": "integer"}, "step": {"type": "integer"}},
    }
    assert owner.post("tables.json", json=table).status_code == 201
    layer = owner.post("layers.json", json={"mid": made, "name": "b", "source": {"type": "pg", "src": "busy"}}).json()
    return made, layer["id"]


def test_no_error_and_no_lost_write(four_processes: Server) -> None:
    with four_processes.new_user() as account:
        key = account.key
    four_processes.start()
    with Caller(four_processes.url, key) as owner:
        hammer(four_processes, owner)


def hammer(four_processes: Server, owner: Caller) -> None:
    made, layer = editable_layer(owner)
    end = time.monotonic() + SECONDS
    begun = threading.Barrier(READERS + WRITERS)

    def write(number: int) -> dict[int, int]:
        """What is there at the end by this writer's account: the last step of each of its features."""
        there: dict[int, int] = {}
        with Caller(four_processes.url, owner.key) as caller:
            begun.wait()
            step = 0
            while time.monotonic() < end:
                step += 1
                sent = {"data": {"writer": number, "step": step}, "geometry": f"POINT({number} {step % 80})"}
                answer = caller.post(f"layers/{layer}/features.json", json=sent)
                assert answer.status_code == 201, answer.text
                there[answer.json()["__id"]] = step
                if step % 3 == 0:
                    changed = next(iter(there))
                    answer = caller.put(f"layers/{layer}/features/{changed}.json", json={"data": {"step": -step}})
                    assert answer.status_code == 200, answer.text
                    there[changed] = -step
                if step % 5 == 0:
                    gone = next(iter(there))
                    assert caller.delete(f"layers/{layer}/features/{gone}.json").status_code == 204
                    del there[gone]
        return there

    paths = (
        f"layers/{layer}/features.json?geometry=geojson&perpage=200",
        f"layers/{layer}/tiles/3/4/3.mvt",
        f"layers/{layer}/features.json?bounds=0,0,10,40&epsg=4326",
        f"maps/{made}/layers.json",
        f"layers/{layer}/tiles/2/2/1.png",
    )

    def read(number: int) -> int:
        """How many answers there were."""
        answers = 0
        with Caller(four_processes.url, owner.key) as caller:
            begun.wait()
            while time.monotonic() < end:
                answer = caller.get(paths[(number + answers) % len(paths)])
                assert answer.status_code in (200, 204), answer.text
                if answer.headers.get("content-type", "").endswith("mapbox-vector-tile"):
                    mapbox_vector_tile.decode(answer.content)
                answers += 1
        return answers

    with ThreadPoolExecutor(READERS + WRITERS) as pool:
        writing = [pool.submit(write, number) for number in range(WRITERS)]
        reading = [pool.submit(read, number) for number in range(READERS)]
        expected = [future.result() for future in writing]
        answered = [future.result() for future in reading]

    assert min(answered) > 0
    assert min(len(there) for there in expected) > 0
    found: dict[int, int] = {}
    page = 1
    while rows := owner.get(f"layers/{layer}/features.json?perpage=1000&page={page}").json()["data"]:
        found |= {row["__id"]: row["data"]["step"] for row in rows}
        page += 1
    assert found == {number: step for there in expected for number, step in there.items()}
    assert "Traceback" not in four_processes.log()
    print(f"{sum(answered)} answers, {len(found)} features at the end")
