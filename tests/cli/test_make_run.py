"""What ``make run`` does once everything is installed: scripts/run.py."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from tests.server import free_port

SCRIPT = Path(__file__).parents[2] / "scripts" / "run.py"
LAST_LINE = "Ctrl-C ends the server."

Start = Callable[..., "Started"]


class Started:
    """The script, running; ``printed`` is what it said until the server answered."""

    def __init__(self, data: Path, port: int, **environment: str) -> None:
        command = [sys.executable, str(SCRIPT), "--data", str(data), "--port", str(port)]
        self.process = subprocess.Popen(
            command,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.printed = ""
        for line in self.process.stdout:
            self.printed += line
            if LAST_LINE in line:
                break

    def end(self) -> int:
        """End it the way ``kill`` does, which must end the server too."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the script; what still runs is ended at the end."""
    begun: list[Started] = []

    def start(data: Path, port: int, **environment: str) -> Started:
        begun.append(Started(data, port, **environment))
        return begun[-1]

    yield start
    for one in begun:
        one.end()


def told(printed: str) -> dict[str, str]:
    """The login as it was printed."""
    found = re.search(r"Sign in as +(\S+)\nwith password +(\S+)\nAPI key +(\S+)\n", printed)
    assert found is not None, printed
    return dict(zip(("user", "password", "key"), found.groups(), strict=True))


def test_first_and_second_start(start: Start, tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    first = start(data, port)
    login = told(first.printed)
    assert stat.S_IMODE((data / "login.txt").stat().st_mode) == 0o600
    # It holds everybody's files, and the hashes of their passwords.
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert not (tmp_path / "data.new").exists()

    headers = {"api-username": login["user"], "api-password": login["password"]}
    assert httpx.post(f"http://127.0.0.1:{port}/1/keys.json", headers=headers).status_code == 201
    commands = [line.strip() for line in first.printed.splitlines() if line.startswith("  curl ")]
    assert len(commands) == 3
    answers = [
        subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        for command in commands
    ]
    assert "The world in four layers" in answers[0]
    assert "China" in answers[1]
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")

    assert first.end() == 0
    second = start(data, port)
    assert "First start" not in second.printed
    assert told(second.printed) == login
    maps = httpx.get(f"http://127.0.0.1:{port}/1/maps.json", headers={"API-Key": login["key"]}).json()
    assert maps["total"] == 1


def test_a_first_start_that_broke_off_is_made_anew(start: Start, tmp_path: Path) -> None:
    (tmp_path / "data.new").mkdir()
    (tmp_path / "data.new" / "catalogue.sqlite").write_text("half made")
    (tmp_path / "data").mkdir()
    assert told(start(tmp_path / "data", free_port()).printed)["user"] == "admin"
    assert not (tmp_path / "data.new").exists()


def test_an_installation_of_another_making_is_served_without_its_login(start: Start, data: Path) -> None:
    printed = start(data, free_port()).printed
    assert "password" not in printed
    assert f"graticule key add --data {data}" in printed


def test_a_folder_of_other_things_is_left_alone(start: Start, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").write_text("Dear Ada")
    refused = start(tmp_path / "letters", free_port())
    assert refused.end() == 1
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["one.txt"]


def test_a_file_is_no_data_directory(start: Start, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("Dear Ada")
    refused = start(tmp_path / "data", free_port())
    assert (refused.end(), refused.printed) == (1, "")


def test_nothing_is_made_behind_a_link_that_somebody_laid(start: Start, tmp_path: Path) -> None:
    """Where others may write beside the data directory, as in /tmp."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "data.new").symlink_to(tmp_path / "theirs")
    refused = start(tmp_path / "data", free_port())
    assert refused.end() == 1
    assert list((tmp_path / "theirs").iterdir()) == []
    assert not (tmp_path / "data").exists()


class Listening(ThreadingHTTPServer):
    """Another program on the port: it answers all that it is asked, and keeps the headers."""

    heard: list[dict[str, str]]


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Listening)
        self.server.heard.append(dict(self.headers))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"data": []}')


@pytest.fixture
def listening() -> Iterator[Listening]:
    with Listening(("127.0.0.1", 0), Answering) as program:
        program.heard = []
        thread = Thread(target=program.serve_forever)
        thread.start()
        yield program
        program.shutdown()
        thread.join()


def with_login(data: Path) -> Path:
    (data / "login.txt").write_text("user: admin\npassword: secret\nkey: 0123456789abcdef0123456789abcdef\n")
    return data


def test_another_program_on_the_port_is_told_nothing(start: Start, data: Path, listening: Listening) -> None:
    refused = start(with_login(data), listening.server_port)
    assert refused.end() == 1
    assert refused.printed == ""
    assert [one for one in listening.heard if "API-Key" in one] == []


def test_a_proxy_is_told_nothing(start: Start, data: Path, listening: Listening) -> None:
    proxy = f"http://127.0.0.1:{listening.server_port}"
    started = start(with_login(data), free_port(), http_proxy=proxy, HTTP_PROXY=proxy, no_proxy="", NO_PROXY="")
    assert LAST_LINE in started.printed
    assert listening.heard == []


@pytest.mark.parametrize(("host", "shown"), [("::1", "[::1]"), ("::", "[::1]"), ("0.0.0.0", "127.0.0.1")])
def test_other_addresses_to_listen_on(start: Start, data: Path, host: str, shown: str) -> None:
    port = free_port()
    started = start(data, port, GRATICULE_HOST=host)
    assert f"Graticule is at  http://{shown}:{port}/\n" in started.printed
    assert httpx.get(f"http://{shown}:{port}/health").status_code == 200
