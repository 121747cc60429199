"""``graticule user``, ``graticule key`` and ``graticule role``."""

from __future__ import annotations

from pathlib import Path

import pytest

from graticule.actions.auth import check_login
from graticule.backend import open_backend
from graticule.errors import Forbidden
from graticule.settings import Settings
from tests.cli.conftest import Run
from tests.server import PASSWORD, Caller, Server


def test_users_are_added_and_listed(run: Run, data: Path) -> None:
    assert run("user", "add", "Ada", "--data", data, "--password", PASSWORD).code == 0
    assert run("user", "add", "ben", "--data", data, "--password", PASSWORD, "--administrator").code == 0
    listed = run("user", "list", "--data", data)
    assert listed.lines == ["1\tadmin\tyes\tyes", "2\tAda\tno\tyes", "3\tben\tyes\tyes"]


def test_another_password_counts_from_then_on(run: Run, data: Path) -> None:
    assert run("user", "password", "admin", "--data", data, "--password", "quite another one").code == 0
    backend = open_backend(Settings(data=data))
    try:
        assert check_login(backend, "admin", "quite another one").username == "admin"
        with pytest.raises(Forbidden):
            check_login(backend, "admin", PASSWORD)
    finally:
        backend.close()


def test_keys_are_made_listed_and_revoked(run: Run, data: Path) -> None:
    run("user", "add", "Ada", "--data", data, "--password", PASSWORD)
    made = run("key", "add", "--data", data, "--user", "ada", "--description", "for [scripts]", "--scope", "read")
    (row,) = run("key", "list", "--data", data, "--user", "Ada").lines
    number, *told = row.split("\t")
    assert told == [made.out.strip()[-6:], "for [scripts]", "read"]
    assert run("key", "revoke", number, "--data", data, "--user", "Ada").code == 0
    assert run("key", "list", "--data", data, "--user", "Ada").lines == [""]


def test_without_a_user_keys_are_the_administrators(run: Run, data: Path) -> None:
    run("key", "add", "--data", data)
    assert len(run("key", "list", "--data", data, "--user", "admin").lines) == 2


def test_a_running_server_knows_at_once(run: Run, server: Server) -> None:
    with server.new_user() as caller:
        added = run("key", "add", "--data", server.data, "--user", caller.username).out.strip()
        number = run("key", "list", "--data", server.data, "--user", caller.username).lines[-1].split("\t")[0]
        with Caller(server.url, added) as with_key:
            assert with_key.get("users/current.json").json()["username"] == caller.username
            run("key", "revoke", number, "--data", server.data, "--user", caller.username)
            assert with_key.get("users/current.json").status_code == 403


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("user", "add", "ADMIN", "--password", PASSWORD), 1, "already a user named ADMIN"),
        (("user", "add", "a/b", "--password", PASSWORD), 1, "letters, digits"),
        (("user", "add", "Ada", "--password", "short"), 1, "too short"),
        (("user", "add", "Ada"), 2, "--password"),
        (("user", "add", "--password", PASSWORD), 2, "name"),
        (("user", "password", "nobody", "--password", PASSWORD), 1, "no user named nobody"),
        (("user", "password", "anonymous", "--password", PASSWORD), 1, "no user named anonymous"),
        (("key", "add", "--user", "nobody"), 1, "graticule user list"),
        (("key", "add", "--user", "anonymous"), 1, "no user named anonymous"),
        (("key", "revoke", "77"), 1, "no key 77"),
        (("key", "revoke", "all"), 2, "integer"),
    ],
)
def test_refusals(run: Run, data: Path, words: tuple[str, ...], code: int, said: str) -> None:
    refused = run(*words, "--data", data)
    assert (refused.code, refused.out) == (code, "")
    assert said in refused.err


def test_roles_are_made_and_joined(run: Run, data: Path) -> None:
    run("user", "add", "Ada", "--data", data, "--password", PASSWORD)
    assert run("role", "add", "Surveyors", "--data", data).lines == ["1"]
    assert run("role", "add", "Juniors", "--data", data, "--user", "ada").lines == ["2"]
    assert run("role", "add", "Below", "--data", data, "--parent", "1").lines == ["3"]
    assert run("role", "member", "1", "ada", "--data", data).code == 0
    listed = ["1\tSurveyors\t\tadmin\t1", "2\tJuniors\t\tAda\t0", "3\tBelow\t1\tadmin\t0"]
    assert run("role", "list", "--data", data).lines == listed
    assert run("role", "member", "1", "Ada", "--data", data, "--remove").code == 0
    assert run("role", "list", "--data", data).lines[0] == "1\tSurveyors\t\tadmin\t0"
    for words in (("1", "nobody"), ("9", "Ada"), ("1", "Ada", "--remove")):
        assert run("role", "member", *words, "--data", data).code == 1
