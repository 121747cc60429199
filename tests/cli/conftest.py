"""Running commands, and an installation to run them on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from graticule import cli
from tests.server import PASSWORD


@dataclass(frozen=True)
class Ran:
    """What became of a command."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs ``graticule`` with these words, as the command line would."""

    def run(*words: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["graticule", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        return Ran(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that ``graticule init`` made, as a process of its own; not to be changed."""
    data = tmp_path_factory.mktemp("made") / "data"
    command = [sys.executable, "-m", "graticule", "init", "--data", str(data), "--password", PASSWORD, "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    (data / "key.txt").write_text(done.stdout)
    return data


@pytest.fixture
def data(made_once: Path, tmp_path: Path) -> Path:
    """A data directory of one's own with the administrator ``admin``; ``key.txt`` in it is what init printed."""
    return Path(shutil.copytree(made_once, tmp_path / "data"))
