"""What of the environment is missing or wrong.

Each check imports what it asks about by itself: the others still answer where one library cannot even be loaded.
Nothing is changed, except that a file is written into the data directory and removed again.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection

OLDEST_PYTHON = (3, 11)
OLDEST_POSTGRES = 14
LEAST_FREE_BYTES = 1024**3
# SQLite's write-ahead log needs memory that processes share, which these cannot give (https://sqlite.org/wal.html).
REMOTE_DISKS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph"})
MOUNTS = Path("/proc/self/mounts")
RASTER_DRIVERS = ("GTiff", "JPEG", "PNG")
APPLICATION_ID = 0x47504B47  # "GPKG" (OGC 12-128r19, requirement 2)


@dataclass(frozen=True, slots=True)
class Finding:
    """How it stands with one subject, in words for a person."""

    well: bool
    subject: str
    text: str


def examine(data: Path) -> list[Finding]:
    """Everything that Graticule needs, looked at. Never raises."""
    checks: tuple[tuple[str, Callable[[], Finding]], ...] = (
        ("Python", _python),
        ("settings", _settings),
        ("SQLite", _sqlite),
        ("GDAL vector formats", _vector_formats),
        ("GDAL raster formats", _raster_formats),
        ("projections", _projections),
        ("Mapnik", _mapnik),
        ("web front end", _front_end),
        ("data directory", lambda: _data_directory(data)),
        ("jobs", lambda: _jobs(data)),
    )
    found = [_carried_out(subject, check) for subject, check in checks]
    if os.environ.get("GRATICULE_DATABASE_URL"):
        return [*found, _carried_out("database", _database)]
    return [*found, _carried_out("catalogue", lambda: _catalogue(data / "catalogue.sqlite")), *_geopackages(data)]


def _carried_out(subject: str, check: Callable[[], Finding]) -> Finding:
    """The finding; a check that fails is one too, whatever it fails with."""
    try:
        return check()
    except Exception as error:
        return Finding(False, subject, f"{type(error).__name__}: {error}")


# ---------------------------------------------------------------- the program


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    wanted = ".".join(map(str, OLDEST_PYTHON))
    well = sys.version_info >= OLDEST_PYTHON
    return Finding(well, "Python", version if well else f"{version} is too old; Graticule needs {wanted} or newer.")


def _settings() -> Finding:
    from pydantic import ValidationError

    from graticule.settings import Settings

    try:
        Settings()
    except ValidationError as error:
        names = ("GRATICULE_" + "_".join(map(str, wrong["loc"])).upper() for wrong in error.errors())
        return Finding(False, "settings", f"These environment variables cannot be used: {', '.join(names)}.")
    known = {f"GRATICULE_{name.upper()}" for name in Settings.model_fields}
    given = sorted(known & set(os.environ))
    return Finding(True, "settings", f"from the environment: {', '.join(given)}" if given else "all as by default")


def _front_end() -> Finding:
    made = Path(__file__).parent / "web_dist" / "manifest.json"
    if made.exists():
        return Finding(True, "web front end", "built")
    return Finding(False, "web front end", "not built. Installing the package with pip builds it.")


# ---------------------------------------------------------------- libraries


def _sqlite() -> Finding:
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("CREATE VIRTUAL TABLE probe USING rtree(id, xmin, xmax, ymin, ymax)")
        except sqlite3.OperationalError:
            return Finding(False, "SQLite", f"{sqlite3.sqlite_version} lacks the R*Tree module.")
    return Finding(True, "SQLite", f"{sqlite3.sqlite_version} with R*Tree")


def _vector_formats() -> Finding:
    import pyogrio

    from graticule.transfer.drivers import EXPORTS, FORMATS

    drivers: dict[str, str] = pyogrio.list_drivers()
    wanted = [row for row in FORMATS if row.kind == "vector" and row.drivers]
    lost = [row.title for row in wanted if not drivers.keys() & set(row.drivers)]
    lost += [f"writing {row.name}" for row in EXPORTS.values() if row.driver and "w" not in drivers.get(row.driver, "")]
    version = ".".join(map(str, pyogrio.__gdal_version__))
    if lost:
        return Finding(False, "GDAL vector formats", f"GDAL {version} lacks: {', '.join(lost)}.")
    return Finding(True, "GDAL vector formats", f"GDAL {version} reads all {len(wanted)}")


def _raster_formats() -> Finding:
    import rasterio

    with rasterio.Env() as environment:
        drivers = environment.drivers()
    lost = [name for name in RASTER_DRIVERS if name not in drivers]
    if lost:
        return Finding(False, "GDAL raster formats", f"GDAL {rasterio.__gdal_version__} lacks: {', '.join(lost)}.")
    return Finding(True, "GDAL raster formats", f"GDAL {rasterio.__gdal_version__} with {', '.join(RASTER_DRIVERS)}")


def _projections() -> Finding:
    import pyproj

    folder = pyproj.datadir.get_data_dir()
    east, north = pyproj.Transformer.from_crs(4326, 3035, always_xy=True).transform(10, 52)
    # The false origin of EPSG:3035 lies at 10° E, 52° N.
    if abs(east - 4321000) > 1 or abs(north - 3210000) > 1:
        return Finding(
            False, "projections", f"PROJ {pyproj.proj_version_str} computes wrong with the data in {folder}."
        )
    return Finding(True, "projections", f"PROJ {pyproj.proj_version_str} with the database in {folder}")


def _mapnik() -> Finding:
    import mapnik

    from graticule.style.to_mapnik import FONT_FACE

    faces = set(mapnik.FontEngine.face_names())
    plugins = sorted(mapnik.DatasourceCache.plugin_names())
    version = mapnik.version_string()
    if FONT_FACE not in faces:
        return Finding(False, "Mapnik", f"{version} has no font {FONT_FACE}: there would be no labels.")
    return Finding(True, "Mapnik", f"{version} with {len(faces)} fonts and the plugins {', '.join(plugins)}")


# ---------------------------------------------------------------- data


def _data_directory(data: Path) -> Finding:
    subject = "data directory"
    if not data.is_dir():
        return Finding(False, subject, f"{data} is not there. This makes it: graticule init --data {data}")
    try:
        with tempfile.TemporaryFile(dir=data, prefix=".doctor-"):
            pass
    except OSError as error:
        return Finding(False, subject, f"{data} cannot be written: {error.strerror}.")
    disk, kind = _disk_of(data)
    free = shutil.disk_usage(data).free
    where = f"{data} on {disk} ({kind}), {free / 1024**3:.1f} GiB free"
    if kind in REMOTE_DISKS and not os.environ.get("GRATICULE_DATABASE_URL"):
        return Finding(False, subject, f"{where}. SQLite needs a disk of this machine.")
    if free < LEAST_FREE_BYTES:
        return Finding(False, subject, f"{where}. That is little: uploads will soon be refused.")
    return Finding(True, subject, where)


def _disk_of(place: Path) -> tuple[str, str]:
    """Where the disk that holds a place is mounted, and the kind of its file system."""
    above = {str(place.resolve()), *map(str, place.resolve().parents)}
    # Blanks in the names are written in octal there; of several mounts on one place the last is on top.
    lines = [line.split() for line in MOUNTS.read_text().splitlines()]
    mounts = [(fields[1].replace("\\040", " "), fields[2]) for fields in lines]
    return max((mount for mount in mounts if mount[0] in above), key=lambda mount: len(mount[0]))


def _database() -> Finding:
    import psycopg

    from graticule.postgres import checked_url, without_password

    url = checked_url(os.environ["GRATICULE_DATABASE_URL"])
    where = without_password(url)
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            well, text = _of_database(connection)
    except psycopg.Error as error:
        well, text = False, str(error).strip()
    return Finding(well, "database", f"{where}: {text}")


def _of_database(connection: Connection[tuple[object, ...]]) -> tuple[bool, str]:
    """Whether a database can be used, and why."""
    from graticule.catalogue.database import NEWEST

    version = connection.info.server_version // 10000
    if version < OLDEST_POSTGRES:
        return False, f"PostgreSQL {version} is too old; Graticule needs {OLDEST_POSTGRES} or newer."
    postgis = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'postgis'").fetchone()
    if postgis is None:
        return False, "it lacks PostGIS. Its administrator adds that: CREATE EXTENSION postgis"
    made = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone() == (True,)
    held = connection.execute("SELECT version_num FROM alembic_version").fetchone() if made else None
    if held != (NEWEST,):
        hint = "The server brings an older one up to date when it starts."
        return False, f"at the migration {held[0] if held else 'none'}; the newest is {NEWEST}. {hint}"
    return True, f"PostgreSQL {version} with PostGIS {postgis[0]}, at the newest migration, {NEWEST}"


def _catalogue(path: Path) -> Finding:
    from graticule.catalogue.database import NEWEST

    if not path.exists():
        return Finding(False, "catalogue", f"{path} is not there.")
    problem = _integrity(path)
    if problem:
        return Finding(False, "catalogue", f"{path} is damaged: {problem}.")
    held = _migration(path)
    if held == NEWEST:
        return Finding(True, "catalogue", f"at the newest migration, {NEWEST}")
    hint = "The server brings an older one up to date when it starts."
    return Finding(False, "catalogue", f"at the migration {held or 'none'}; the newest is {NEWEST}. {hint}")


def _migration(path: Path) -> str | None:
    with closing(_opened(path)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return None
    return str(row[0]) if row else None


def _jobs(data: Path) -> Finding:
    from graticule.jobs import workers

    folder = data / "workers"
    at_work = [name for name in workers.known(folder) if workers.lives(folder, name)]
    waiting = _waiting(data / "catalogue.sqlite")
    state = f"{waiting} waiting, {len(at_work)} workers on this machine"
    if waiting and not at_work:
        return Finding(False, "jobs", f"{state}. The server starts one; by itself: graticule worker --data {data}")
    return Finding(True, "jobs", state)


def _waiting(catalogue: Path) -> int:
    """How many jobs wait; none where there is no catalogue that can be asked, which is told elsewhere."""
    if not catalogue.exists():
        return 0
    with suppress(sqlite3.DatabaseError), closing(_opened(catalogue)) as connection:
        return int(connection.execute("SELECT count(*) FROM jobs WHERE state = 'queued'").fetchone()[0])
    return 0


def _geopackages(data: Path) -> Iterator[Finding]:
    for path in sorted(data.glob("accounts/*/data.gpkg"), key=lambda path: path.parent.name.zfill(20)):
        subject = f"features of account {path.parent.name}"
        yield _carried_out(subject, lambda subject=subject, path=path: _geopackage(subject, path))  # type: ignore[misc]


def _geopackage(subject: str, path: Path) -> Finding:
    problem = _integrity(path)
    if problem:
        return Finding(False, subject, f"{path} is damaged: {problem}.")
    with closing(_opened(path)) as connection:
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            return Finding(False, subject, f"{path} is no GeoPackage.")
        tables = connection.execute("SELECT count(*) FROM gpkg_contents").fetchone()[0]
    return Finding(True, subject, f"whole; {tables} table{'' if tables == 1 else 's'}")


def _integrity(path: Path) -> str | None:
    """What SQLite finds wrong with the structure of a file; None when nothing."""
    try:
        with closing(_opened(path)) as connection:
            found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if found == "ok" else found.replace("\n", " ")


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
