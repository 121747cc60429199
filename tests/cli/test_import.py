"""``graticule import``: files of this machine become files, tables and layers of an account."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.server import Server

STORED = Path("accounts") / "1" / "files"


def stored(data: Path) -> list[str]:
    """The files of the administrator's storage."""
    return sorted(str(path.relative_to(data / STORED)) for path in (data / STORED).rglob("*") if path.is_file())


def zip_of(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


POINTS = b"name,lon,lat\nA,1,2\nB,3,4\n"


def test_a_csv_is_stored_and_read(run: Run, data: Path, data_dir: Path) -> None:
    done = run("import", data_dir / "cities.csv", "--data", data)
    assert done.code == 0
    assert done.lines == ["/imports/cities.csv: 34006 points."]
    assert "34006/34006" in done.err, "no progress was shown"
    assert stored(data) == ["imports/cities.csv"]


def test_a_zip_gets_a_folder_of_its_own(run: Run, data: Path, data_dir: Path) -> None:
    done = run("import", data_dir / "countries.zip", "--data", data, "--folder", "from disk")
    assert done.lines == ["/from disk/countries/ne_110m_admin_0_countries.shp: 177 polygons."]
    assert "from disk/countries/ne_110m_admin_0_countries.dbf" in stored(data)


def test_a_shapefile_brings_its_other_files(run: Run, data: Path, data_dir: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(data_dir / "lakes.zip") as archive:
        archive.extractall(tmp_path / "lakes")
    done = run("import", tmp_path / "lakes" / "ne_10m_lakes.shp", "--data", data)
    assert done.lines == ["/imports/ne_10m_lakes.shp: 1355 polygons."]
    assert stored(data) == [f"imports/ne_10m_lakes.{part}" for part in ("prj", "shp", "shx")]


def test_a_running_server_shows_the_layers(run: Run, server: Server, data_dir: Path) -> None:
    files = [data_dir / name for name in ("borders.gpx", "countries.kml", "earth.tif", "lakes.zip")]
    with server.new_user() as user:
        done = run("import", *files, "--data", server.data, "--user", user.username, "--map", "All [of] them")
        assert done.code == 0
        assert all(line.endswith("shows it.") for line in done.lines)
        (made,) = user.get("maps.json?type=private").json()["data"]
        assert made["name"] == "All [of] them"
        layers = {one["name"]: one["type"] for one in user.get(f"maps/{made['id']}/layers.json").json()["data"]}
        assert layers == {"borders": "line", "countries": "polygon", "earth": "raster", "ne_10m_lakes": "polygon"}
        # Another file goes onto the same map.
        run(
            "import",
            data_dir / "cities.geojson",
            "--data",
            server.data,
            "--user",
            user.username,
            "--map",
            "All [of] them",
        )
        assert user.get("maps.json?type=private").json()["total"] == 1
        newest = user.get(f"maps/{made['id']}/layers.json").json()["data"][0]
        assert (newest["name"], newest["type"]) == ("cities", "point")
        assert user.get(f"layers/{newest['id']}/features.json").json()["total"] == 1000


def test_each_family_of_a_mixed_file_is_a_layer(run: Run, data: Path, tmp_path: Path) -> None:
    geometries = (
        '{"type": "Point", "coordinates": [1, 2]}',
        '{"type": "LineString", "coordinates": [[1, 2], [3, 4]]}',
        '{"type": "Point", "coordinates": [5, 6]}',
    )
    features = ",".join(f'{{"type": "Feature", "properties": {{}}, "geometry": {one}}}' for one in geometries)
    mixed = tmp_path / "mixed.geojson"
    mixed.write_text(f'{{"type": "FeatureCollection", "features": [{features}]}}')
    done = run("import", mixed, "--data", data, "--map", "Mixed")
    said = ["2 points of “mixed”. Layer 1 of map 1 shows it.", "1 line of “mixed”. Layer 2 of map 1 shows it."]
    assert done.lines == [f"/imports/mixed.geojson: {one}" for one in said]


def test_a_newer_file_takes_the_place_of_the_older(run: Run, data: Path, tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    file.write_bytes(POINTS)
    run("import", file, "--data", data)
    file.write_bytes(POINTS + b"C,5,6\n")
    assert run("import", file, "--data", data).lines == ["/imports/points.csv: 3 points."]


def test_notes_beside_the_data_are_no_data(run: Run, data: Path, tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "points.zip", {"points.csv": POINTS, "README.txt": b"About the points, a note."})
    assert run("import", archive, "--data", data).lines == ["/imports/points/points.csv: 2 points."]
    assert "imports/points/README.txt" in stored(data)


def test_a_part_that_cannot_be_read_stays_a_file(run: Run, data: Path, tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "both.zip", {"points.csv": POINTS, "broken.geojson": b'{"type": "Feat'})
    done = run("import", archive, "--data", data)
    assert done.code == 0
    assert "/imports/both/points.csv: 2 points." in done.lines
    assert any(line.startswith("Left as a file: “broken.geojson”") for line in done.lines)


UNREADABLE = {
    "empty.csv": (b"", "empty"),
    "text.shp": (b"this is no shapefile", "text.shp"),
    "broken.geojson": (b'{"type": "FeatureCollection", "features": [{]}', "broken.geojson"),
    "notes.md": (b"# Notes", "not of a vector format"),
    "cut.zip": (b"PK\x03\x04 and then nothing", "cut.zip"),
    "picture.png": (b"\x89PNG and then nothing", "picture.png"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_leaves_nothing(run: Run, data: Path, tmp_path: Path, name: str) -> None:
    content, said = UNREADABLE[name]
    bad, good = tmp_path / name, tmp_path / "good.csv"
    bad.write_bytes(content)
    good.write_bytes(POINTS)
    done = run("import", bad, good, "--data", data)
    assert done.code == 1
    assert done.lines == ["/imports/good.csv: 2 points."], "the other file was not imported"
    assert said in done.err
    assert str(bad) in done.err.replace("\n", "")
    assert stored(data) == ["imports/good.csv"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("missing.csv",), 2, "missing.csv"),
        ((), 2, "files"),
        (("points.csv", "--user", "nobody"), 1, "no user named nobody"),
        (("points.csv", "--folder", "../elsewhere"), 1, ".."),
    ],
)
def test_refusals(
    run: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("points.csv").write_bytes(POINTS)
    refused = run("import", *words, "--data", data)
    assert (refused.code, refused.out) == (code, "")
    assert said in refused.err


def test_no_installation(run: Run, tmp_path: Path, data_dir: Path) -> None:
    refused = run("import", data_dir / "cities.csv", "--data", tmp_path / "none")
    assert refused.code == 1
    assert "graticule init --data" in refused.err
    assert not (tmp_path / "none").exists()


def test_the_file_itself_stays(run: Run, data: Path, data_dir: Path, tmp_path: Path) -> None:
    copy = shutil.copyfile(data_dir / "countries.kml", tmp_path / "countries.kml")
    run("import", copy, "--data", data)
    assert copy.read_bytes() == (data_dir / "countries.kml").read_bytes()
