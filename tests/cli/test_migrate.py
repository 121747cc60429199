"""Moving an installation into PostgreSQL: what it answers is the same before and after."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import postgres
from tests.api_data import TYPED, typed_layer
from tests.cli.conftest import Run
from tests.server import PASSWORD, Caller, Server
from tests.sharing import got, made

# What changes with every look at a map.
VOLATILE = ("accessed", "visited", "lastlog")
Answer = tuple[int, str, Any]


@contextmanager
def running(data: Path, database_url: str = "", port: int = 0) -> Iterator[Server]:
    """A server on the files or on a database, whatever ``--store`` says."""
    server = Server(data, environment={"GRATICULE_DATABASE_URL": database_url}, port=port)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the demonstration, a table of every type, a share, and things that were deleted."""
    data = tmp_path_factory.mktemp("migrate") / "data"
    command = [sys.executable, "-m", "graticule", "init", "--data", str(data), "--password", PASSWORD]
    done = subprocess.run([*command, "--demo", "--quiet"], capture_output=True, text=True, check=True)
    (data / "key.txt").write_text(done.stdout.strip())
    with running(data) as server, caller_of(server) as caller:
        layer = typed_layer(caller)
        assert caller.delete(f"layers/{layer}/features/{len(TYPED)}").is_success
        gone = made(caller.post("maps", json={"name": "Gone"}))["id"]
        assert caller.delete(f"maps/{gone}").is_success
    return data


@pytest.fixture
def data(installation: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(installation, tmp_path / "data"))


def caller_of(server: Server) -> Caller:
    return Caller(server.url, (server.data / "key.txt").read_text(), "admin", 1)


def addresses(caller: Caller) -> Iterator[str]:
    """About a hundred of what can be asked for."""
    yield from ("maps", "maps?order_by=name:desc", "maps?query=WORLD", "layers", "tables", "keys", "storage/fs")
    yield from (f"layers?order_by={order}" for order in ("name", "name:desc", "id:desc", "type,name", "created,id"))
    for one in got(caller.get("maps"))["data"]:
        for rest in ("", "/layers", "/permissions", "/render.json", "/render.png?width=300&height=200"):
            yield f"maps/{one['id']}{rest}"
    for table in got(caller.get("tables"))["data"]:
        yield f"tables/{table['name']}"
        yield f"tables/{table['name']}/rows"
    for layer in got(caller.get("layers"))["data"]:
        of = f"layers/{layer['id']}"
        yield of
        yield f"{of}/columns"
        yield from (f"{of}/features{query}" for query in QUERIES)
        yield f"{of}/export.geojson"


QUERIES = (
    "?perpage=5",
    "?perpage=50&page=2&geometry=wkt",
    "?geometry=geojson&order_by=FID:desc&perpage=20",
    "?where=FID > 3&geometry=wkb&perpage=20",
    "?bounds=-20,-20,40,40&epsg=4326&perpage=100",
    "?where=CREATED > 0 AND OWNER = 1&perpage=3",
    "?where=FID IN (1, 2, 3) OR OWNER IS NULL&geometry=gml",
    "?where=NOT (FID < 5 OR MODIFIED < 5)&perpage=7",
    "?bounds=-180,-90,180,90&epsg=4326&perpage=3&order_by=FID",
    "?page=9999",
)


def answers(server: Server, asked: list[str]) -> dict[str, Answer]:
    with caller_of(server) as caller:
        return {address: answer(caller, address) for address in asked}


def answer(caller: Caller, address: str) -> Answer:
    response = caller.get(address)
    kind = response.headers.get("content-type", "")
    content = without_volatile(response.json()) if "json" in kind else response.content
    return response.status_code, kind, content


def without_volatile(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: without_volatile(value) for name, value in content.items() if name not in VOLATILE}
    return [without_volatile(one) for one in content] if isinstance(content, list) else content


@pytest.fixture
def migrate(run: Run, data: Path, database_url: str) -> Callable[[], Any]:
    return lambda: run("migrate", "--data", data, "--to", database_url)


def test_the_same_answers(migrate: Callable[[], Any], data: Path, database_url: str) -> None:
    with running(data) as server, caller_of(server) as caller:
        asked = list(addresses(caller))
        before = answers(server, asked)
    assert len(asked) > 80
    assert sum(status == 200 for status, _, _ in before.values()) > 70
    done = migrate()
    assert (done.code, "Moved" in done.out) == (0, True), done.err
    (data / "catalogue.sqlite").rename(data / "catalogue.old")  # nothing is read from the files any more
    with running(data, database_url, server.port) as moved, caller_of(moved) as caller:
        after = answers(moved, asked)
        assert [address for address in asked if before[address] != after[address]] == []
        ids_go_on(caller, before)


def ids_go_on(caller: Caller, before: dict[str, Answer]) -> None:
    """What is new gets an id that nothing had before, deleted things included."""
    maps = [int(one["id"]) for one in before["maps"][2]["data"]]
    assert int(made(caller.post("maps", json={"name": "New"}))["id"]) > max(maps) + 1
    layer = next(one["id"] for one in before["layers"][2]["data"] if "typed" in str(one["source"]))
    made_now = caller.post(f"layers/{layer}/features", json={"data": {}, "geometry": "MULTIPOINT(1 1)"})
    assert int(made_now.headers["location"].rpartition("/")[2]) == len(TYPED) + 1


def test_again(migrate: Callable[[], Any], data: Path, database_url: str) -> None:
    assert migrate().code == 0
    done = migrate()
    assert (done.code, "Moved 0 parts" in done.out) == (0, True), done.err
    make_a_table(data, "later")
    done = migrate()
    assert (done.code, "Moved 2 parts" in done.out) == (0, True), (done.out, done.err)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM usrsch1.later").fetchone() == (1,)


def make_a_table(data: Path, name: str) -> None:
    """By a server that runs on the files for a moment."""
    with running(data) as server, caller_of(server) as caller:
        made(caller.post("tables", json={"name": name, "geometry": "point", "columns": {"name": {"type": "text"}}}))
        assert caller.post(f"tables/{name}/rows", json={"data": {"name": "a"}}).status_code == 201


def test_half_moved(migrate: Callable[[], Any], data: Path, database_url: str) -> None:
    """What a move that was cut short left behind is replaced."""
    assert migrate().code == 0
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM usrsch1.capitals WHERE ogc_fid > 2")
        connection.execute("DELETE FROM graticule_store.moved WHERE part = 'catalogue'")
        connection.execute("TRUNCATE users CASCADE")
    done = migrate()
    assert (done.code, "Moved 2 parts" in done.out) == (0, True), (done.out, done.err)


def test_what_has_changed_in_the_database_is_kept(migrate: Callable[[], Any], data: Path, database_url: str) -> None:
    assert migrate().code == 0
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM usrsch1.capitals WHERE ogc_fid > 2")
    done = migrate()
    assert (done.code, "has been written to since" in done.err) == (1, True)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM usrsch1.capitals").fetchone() == (2,)


def test_another_installation_is_kept(run: Run, data: Path, database_url: str, tmp_path: Path) -> None:
    environment = {"GRATICULE_DATABASE_URL": database_url}
    other = Server(tmp_path / "other", environment=environment)
    other.data.mkdir()
    other.new_user().close()
    done = run("migrate", "--data", data, "--to", database_url)
    assert (done.code, "another installation" in done.err) == (1, True)


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("mysql://root@127.0.0.1/x", "no address as postgresql://"),
        ("postgresql://nobody:hidden@127.0.0.1:1/x", "cannot be reached"),
    ],
)
def test_no_database(run: Run, data: Path, to: str, said: str) -> None:
    postgres.server_url()
    done = run("migrate", "--data", data, "--to", to)
    assert (done.code, said in done.err) == (1, True), done.err
    assert "hidden" not in done.err + done.out


def test_nothing_to_move(run: Run, tmp_path: Path) -> None:
    done = run("migrate", "--data", tmp_path, "--to", "postgresql://127.0.0.1:1/x")
    assert (done.code, "nothing to move" in done.err) == (1, True)
