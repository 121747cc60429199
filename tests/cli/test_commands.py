"""The command line: what it prints, what it leaves behind, and how it says no."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pyogrio
import pytest

from graticule import __version__

PASSWORD = "a long password"


def run(*arguments: object, code: int = 0, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A command that must end with that code; never with a traceback."""
    command = [sys.executable, "-m", "graticule", *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | (env or {}), stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "data"
    done = run("init", "--data", folder, "--admin", "ada", "--password", PASSWORD)
    assert re.fullmatch(r"[0-9a-f]{32}", done.stdout.splitlines()[-1])
    return folder


def test_version() -> None:
    assert run("--version").stdout.strip() == __version__


def test_init_quietly_prints_the_key_alone(tmp_path: Path) -> None:
    done = run("init", "--data", tmp_path / "new", "--quiet", env={"GRATICULE_PASSWORD": PASSWORD})
    assert re.fullmatch(r"[0-9a-f]{32}\n", done.stdout)


def test_init_with_the_demonstration(tmp_path: Path) -> None:
    run("init", "--data", tmp_path, "--password", PASSWORD, "--demo")
    assert {"capitals"} < set(pyogrio.list_layers(tmp_path / "accounts" / "1" / "data.gpkg")[:, 0])
    run("export", 4, tmp_path / "capitals.geojson", "--data", tmp_path)
    run("export", 1, tmp_path / "countries.zip", "--data", tmp_path)
    assert pyogrio.read_info(tmp_path / "capitals.geojson")["features"] == 14
    assert pyogrio.read_info(f"/vsizip/{tmp_path / 'countries.zip'}")["features"] == 177


def test_init_again_changes_nothing(data: Path) -> None:
    done = run("init", "--data", data, "--admin", "ada", "--password", "another password", code=1)
    assert "ada" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("command", [("serve",), ("user", "list"), ("key", "add"), ("export", 1, "x.csv")])
def test_a_directory_that_is_none(tmp_path: Path, command: tuple[object, ...]) -> None:
    done = run(*command, "--data", tmp_path / "nothing", code=1)
    assert "graticule init" in done.stderr


def test_users(data: Path) -> None:
    run("user", "add", "bob", "--password", PASSWORD, "--data", data)
    assert "bob" in run("user", "list", "--data", data).stdout
    assert "bob" in run("user", "add", "Bob", "--password", PASSWORD, "--data", data, code=1).stderr.lower()
    assert "password" in run("user", "add", "eve", "--password", "short", "--data", data, code=1).stderr
    run("user", "password", "bob", "--password", "quite another one", "--data", data)
    run("user", "password", "nobody", "--password", PASSWORD, "--data", data, code=1)


def test_keys(data: Path) -> None:
    run("user", "add", "carol", "--password", PASSWORD, "--data", data)
    made = run("key", "add", "--user", "carol", "--data", data).stdout.strip()
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    listed = run("key", "list", "--user", "carol", "--data", data).stdout
    assert made[-6:] in listed
    assert made not in listed
    (number,) = re.findall(rf"(\d+)\s+{made[-6:]}", listed)
    run("key", "revoke", number, "--user", "carol", "--data", data)
    assert made[-6:] not in run("key", "list", "--user", "carol", "--data", data).stdout
    run("key", "revoke", number, "--user", "carol", "--data", data, code=1)


def test_import_and_export(data: Path, data_dir: Path, tmp_path: Path) -> None:
    files = [data_dir / name for name in ("countries.zip", "cities.csv", "earth.tif")]
    done = run("import", *files, "--map", "Imported", "--data", data)
    numbers = [int(number) for number in re.findall(r"Layer (\d+) of map", done.stdout)]
    assert len(numbers) == 3, done.stdout
    run("export", numbers[1], tmp_path / "cities.gpkg", "--data", data)
    assert pyogrio.read_info(tmp_path / "cities.gpkg")["features"] == 34006
    unknown = run("export", numbers[1], tmp_path / "cities.docx", "--data", data, code=1)
    assert "geojson" in unknown.stderr
    assert not (tmp_path / "cities.docx").exists()
    run("export", 999, tmp_path / "x.csv", "--data", data, code=1)


def test_import_of_something_broken(data: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.geojson"
    broken.write_text('{"type": "FeatureCollection", "features": [')
    done = run("import", broken, "--map", "Broken", "--data", data, code=1)
    assert "broken.geojson" in done.stderr
    run("import", tmp_path / "missing.shp", "--data", data, code=2)


def test_a_port_that_is_taken(data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run("serve", "--data", data, "--port", taken.getsockname()[1], code=1)
    assert "--port" in done.stderr


def test_doctor(data: Path, tmp_path: Path) -> None:
    well = run("doctor", "--data", data)
    assert "Mapnik" in well.stdout
    assert "GDAL" in well.stdout
    ill = run("doctor", "--data", tmp_path / "nothing", code=1)
    assert "graticule init" in ill.stdout + ill.stderr


def test_doctor_finds_a_damaged_geopackage(tmp_path: Path) -> None:
    run("init", "--data", tmp_path, "--password", PASSWORD, "--demo", "--quiet")
    store = tmp_path / "accounts" / "1" / "data.gpkg"
    content = bytearray(store.read_bytes())
    content[4096:60_000] = bytes(60_000 - 4096)
    store.write_bytes(content)
    assert "data.gpkg" in run("doctor", "--data", tmp_path, code=1).stdout


def test_words_that_are_not_understood() -> None:
    run("frobnicate", code=2)
    run("serve", "--port", "x", code=2)
