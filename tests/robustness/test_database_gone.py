"""A database that cannot be reached for a while: requests are told so, and go on when it is there again."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests import postgres
from tests.api_data import TYPED, typed_layer
from tests.server import Caller, Server, free_port, wait_until
from tests.sharing import got, made


class Wire:
    """What carries bytes between the server and its database, and can be cut."""

    def __init__(self, host: str, port: int) -> None:
        self.to, self.port = (host, port), free_port()
        self.open: list[socket.socket] = []

    def mend(self) -> None:
        self.door = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self.door,), daemon=True).start()

    def cut(self) -> None:
        # Closing alone would not wake a thread that waits for the next connection.
        for one in (self.door, *self.open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self.open.clear()

    def _accept(self, door: socket.socket) -> None:
        with suppress(OSError):
            while True:
                ours = door.accept()[0]
                theirs = socket.create_connection(self.to)
                self.open += (ours, theirs)
                for pair in ((ours, theirs), (theirs, ours)):
                    threading.Thread(target=carry, args=pair, daemon=True).start()


def carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(65536):
            target.sendall(content)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def wire(database_url: str) -> Iterator[Wire]:
    address = urlsplit(database_url)
    assert address.hostname is not None
    assert address.port is not None
    wire = Wire(address.hostname, address.port)
    wire.mend()
    yield wire
    wire.cut()


@pytest.fixture
def server(wire: Wire, database_url: str, tmp_path: Path) -> Iterator[Server]:
    data = tmp_path / "server"
    data.mkdir()
    url = database_url.replace(postgres.server_url().rpartition(":")[2].partition("/")[0], str(wire.port))
    server = Server(data, environment={"GRATICULE_DATABASE_URL": url})
    server.new_user(administrator=True).close()
    yield server.start()
    server.stop()


def test_a_database_that_goes_and_comes_back(server: Server, wire: Wire) -> None:
    with server.new_user() as user:
        layer = typed_layer(user)
        asked = ("maps", f"layers/{layer}/features", "tables/typed/rows")
        assert {user.get(one).status_code for one in asked} == {200}
        wire.cut()
        for one in asked:
            refused = user.get(one)
            assert (refused.status_code, refused.headers.get("retry-after")) == (503, "5"), refused.text
        assert user.post(f"layers/{layer}/features", json=TYPED).status_code == 503
        wire.mend()
        for one in asked:
            wait_until(lambda one=one: user.get(one).status_code == 200, f"{one} does not come back")  # type: ignore[misc]
        assert rows(user, layer) == len(TYPED)
        made(user.post(f"layers/{layer}/features", json=TYPED))
        assert rows(user, layer) == 2 * len(TYPED)


def rows(caller: Caller, layer: str) -> int:
    return len(got(caller.get(f"layers/{layer}/features"))["data"])
