"""A real server process on a data directory of its own, and callers that speak to it over HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import httpx
import pyogrio

from graticule.actions import keys, users
from graticule.backend import Backend, open_backend
from graticule.catalogue.access import Actor
from graticule.catalogue.orm import User
from graticule.catalogue.secrets import hash_password
from graticule.settings import Settings
from tests import postgres

PASSWORD = "a long password"


class Caller(httpx.Client):
    """An HTTP client with the base address of the API and, unless anonymous, a key."""

    def __init__(self, url: str, key: str | None = None, username: str = "anonymous", user_id: int = 0) -> None:
        super().__init__(base_url=f"{url}/1/", headers={"API-Key": key} if key else {}, timeout=60)
        self.key, self.username, self.user_id = key, username, user_id


@dataclass
class Server:
    """A running server. ``url`` has no slash at its end.

    With ``pytest --store postgis`` it has a database of its own in PostgreSQL, which stays with the data directory.
    """

    data: Path
    workers: int = 1
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    made: int = 0

    def __post_init__(self) -> None:
        if postgres.is_wanted() and "GRATICULE_DATABASE_URL" not in self.environment:
            self.environment = self.environment | {"GRATICULE_DATABASE_URL": postgres.database_of(self.data)}

    @property
    def settings(self) -> Settings:
        """The settings by which a backend opens what the server has open."""
        given = {"database_url": self.environment.get("GRATICULE_DATABASE_URL")}
        return Settings(data=self.data, **{name: value for name, value in given.items() if value})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Server:
        """Start the server and wait until it answers."""
        self.port = self.port or free_port()
        command = [sys.executable, "-m", "graticule", "serve", "--data", str(self.data), "--port", str(self.port)]
        log = (self.data / "server.log").open("ab")
        self.process = subprocess.Popen(
            [*command, "--workers", str(self.workers)],
            env=os.environ | self.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        wait_until(self.answers, f"the server on {self.url} does not answer: {self.log()}")
        return self

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        try:
            return httpx.get(f"{self.url}/health", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def log(self) -> str:
        """What the server has logged so far."""
        return (self.data / "server.log").read_text(errors="replace")

    def tables_in_store(self, account: int) -> list[str]:
        """The tables that hold an account's features, as other programs see them."""
        url = self.environment.get("GRATICULE_DATABASE_URL")
        if url:
            return postgres.tables_in(url, f"usrsch{account}")
        path = self.data / "accounts" / str(account) / "data.gpkg"
        return [name for name, _ in pyogrio.list_layers(path)] if path.exists() else []

    def stop(self, signal: int = 15) -> None:
        """End all processes of the server with that signal."""
        if self.process is not None:
            os.killpg(self.process.pid, signal)
            self.process.wait(20)
            self.process = None

    @contextmanager
    def backend(self) -> Iterator[Backend]:
        """What the server has open, opened once more: to look at what it keeps."""
        opened = open_backend(self.settings)
        try:
            yield opened
        finally:
            opened.close()

    def anonymous(self) -> Caller:
        return Caller(self.url)

    def new_user(self, *, administrator: bool = False) -> Caller:
        """A caller with an account of its own, which nobody else uses."""
        self.made += 1
        name = f"user{self.made}_{os.getpid()}"
        backend = open_backend(self.settings)
        try:
            users.ensure_anonymous(backend)
            user = users.create_user(backend, name, None, administrator=administrator)
            with backend.catalogue.write() as session:
                session.get_one(User, user.id).password_hash = hash_of_password()
            key = keys.create_key(backend, Actor(user.id, user.username))
        finally:
            backend.close()
        return Caller(self.url, key.value, name, user.id)


@cache
def hash_of_password() -> str:
    """One for all: to make one takes a tenth of a second, on purpose."""
    return hash_password(PASSWORD)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: object, message: str, seconds: float = 60) -> None:
    """Ask until the condition holds; fail with the message when it does not in time."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(message)
        time.sleep(0.02)
