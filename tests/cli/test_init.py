"""``graticule init``: all of it, or a sentence and nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.server import PASSWORD, Caller, Server

KEY = re.compile(r"[0-9a-f]{32}")


def test_other_users_of_the_machine_are_kept_out(data: Path) -> None:
    assert data.stat().st_mode & 0o077 == 0


def test_quiet_prints_the_key_and_nothing_else(data: Path) -> None:
    printed = (data / "key.txt").read_text()
    assert KEY.fullmatch(printed.rstrip("\n"))


def test_the_key_and_the_password_open_the_server(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    made = run("init", "--data", data, "--admin", "chief", "--password", PASSWORD, "--demo")
    assert made.code == 0
    assert KEY.fullmatch(made.lines[-1])
    assert "chief" in made.out
    assert "7/7" in made.err, "no progress was shown"
    server = Server(data).start()
    try:
        with Caller(server.url, made.lines[-1]) as caller:
            assert caller.get("users/current.json").json()["username"] == "chief"
            (shown,) = caller.get("maps.json").json()["data"]
            assert len(caller.get(f"maps/{shown['id']}/layers.json").json()["data"]) == 4
        with Caller(server.url) as stranger:
            assert stranger.get(f"maps/{shown['id']}.json").status_code == 200
            headers = {"api-username": "chief", "api-password": PASSWORD}
            assert stranger.post("keys.json", headers=headers).status_code == 201
    finally:
        server.stop()


def test_again_changes_nothing(run: Run, data: Path) -> None:
    before = run("user", "list", "--data", data).out, run("key", "list", "--data", data).out
    again = run("init", "--data", data, "--password", "another password", "--demo")
    assert again.code == 1
    assert again.out == ""
    assert "nothing was changed" in again.err
    assert (run("user", "list", "--data", data).out, run("key", "list", "--data", data).out) == before
    assert not (data / "accounts" / "1").exists(), "the demonstration map was made all the same"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--password", "short"), 1, "8 to 1024 characters"),
        (("--password", PASSWORD, "--admin", "two words"), 1, "user name"),
        ((), 2, "GRATICULE_PASSWORD"),
    ],
)
def test_what_it_refuses_leaves_nothing(run: Run, tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    data = tmp_path / "data"
    refused = run("init", "--data", data, *words)
    assert (refused.code, refused.out) == (code, "")
    assert said in refused.err
    assert not data.exists()


def test_the_password_may_come_from_the_environment(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRATICULE_PASSWORD", PASSWORD)
    assert KEY.fullmatch(run("init", "--data", tmp_path / "data", "--quiet").out.strip())


def test_a_place_that_cannot_be_made(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused = run("init", "--data", tmp_path / "file" / "data", "--password", PASSWORD)
    assert refused.code == 1
    assert "Not a directory" in refused.err
