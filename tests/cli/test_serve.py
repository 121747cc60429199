"""``graticule serve``, and what all commands have in common."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from graticule import __version__
from graticule.jobs.workers import known, lives
from tests.cli.conftest import Run
from tests.server import Server, free_port

COMMANDS = (
    ("serve",), ("worker",), ("init",), ("doctor",), ("import",), ("export",), ("user",), ("user", "add"),
    ("user", "list"), ("user", "password"), ("key",), ("key", "add"), ("key", "list"), ("key", "revoke"),
)  # fmt: skip


def test_the_version(run: Run) -> None:
    assert run("--version").out == f"{__version__}\n"


@pytest.mark.parametrize("words", [(), *COMMANDS], ids=" ".join)
def test_every_command_explains_itself(run: Run, words: tuple[str, ...]) -> None:
    done = run(*words, "--help")
    assert done.code == 0
    assert "Usage: graticule" in done.out
    assert run(*words, "--no-such-option").code == 2


def test_a_command_that_needs_little_loads_little() -> None:
    heavy = {"sqlalchemy", "fastapi", "uvicorn", "shapely", "numpy", "pydantic", "pyogrio", "mapnik", "alembic"}
    code = f"import sys, graticule.cli; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_port_that_is_taken(run: Run, data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = run("serve", "--data", data, "--port", taken.getsockname()[1])
    assert refused.code == 1
    assert "Another program listens there; choose another one with --port" in refused.err


def test_an_address_of_another_machine(run: Run, data: Path) -> None:
    refused = run("serve", "--data", data, "--host", "192.0.2.1", "--port", free_port())
    assert refused.code == 1
    assert "Cannot listen on 192.0.2.1" in refused.err


def test_no_data_directory(run: Run, tmp_path: Path) -> None:
    refused = run("serve", "--data", tmp_path)
    assert refused.code == 1
    assert f"graticule init --data {tmp_path}" in refused.err


def test_a_damaged_catalogue(run: Run, data: Path) -> None:
    (data / "catalogue.sqlite").write_text("not a database " * 100)
    refused = run("serve", "--data", data, "--port", free_port())
    assert refused.code == 1
    assert f"graticule doctor --data {data}" in refused.err


def test_a_catalogue_of_a_newer_version(run: Run, data: Path) -> None:
    with closing(sqlite3.connect(data / "catalogue.sqlite")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    refused = run("serve", "--data", data, "--port", free_port())
    assert refused.code == 1
    assert "newer version" in refused.err


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("GRATICULE_THREADS", "many", "GRATICULE_THREADS cannot be 'many'"),
        ("GRATICULE_LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("GRATICULE_BASEMAPS", "osm", "basemaps"),
    ],
)
def test_settings_that_cannot_be_used(
    run: Run, data: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    refused = run("serve", "--data", data, "--port", free_port())
    assert refused.code == 1
    assert said in refused.err


@pytest.mark.parametrize("words", [("--port", "0"), ("--port", "http"), ("--workers", "0")])
def test_options_that_make_no_sense(run: Run, data: Path, words: tuple[str, str]) -> None:
    assert run("serve", "--data", data, *words).code == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", [1, 2])
def test_it_ends_when_told_to(data: Path, workers: int, number: int) -> None:
    server = Server(data, workers=workers).start()
    process = server.process
    assert process is not None
    server.stop(number)
    assert process.returncode in (0, -number)
    assert not any(workers_alive(data))
    assert not server_listens(server.port)


def workers_alive(data: Path) -> list[bool]:
    """Of each worker that has said that it is one, whether it still lives."""
    folder = data / "workers"
    return [lives(folder, name) for name in known(folder)]


def server_listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
