"""Reading files into the account's feature store: once, and again when the file changes; large ones by a job.

The steps are ordered so that a process that dies at any of them leaves either nothing or everything, and what it
prepared is cleared away by the next one that starts.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from graticule.catalogue.orm import Dataset, Layer, Resource
from graticule.errors import BadRequest, NotFound, Unavailable
from graticule.transfer.drivers import group
from graticule.transfer.reading import open_source
from graticule.transfer.staging import staging_geopackage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session

    from graticule.backend import Backend
    from graticule.model.features import Family, Table

    # Told the number of rows that are done, and of how many, None when that is not known.
    Report = Callable[[int, int | None], None]

FILE_PREFIX = "file_"
# What the catalogue says of a table without geometry.
NO_GEOMETRY = "NONE"
# SQLite takes 2000; some are ours.
MOST_COLUMNS = 1990
# How often a file is read that changes while it is read.
MOST_TRIES = 30
NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Stated:
    """What is said of a file that the file does not say itself; None is found out.

    ``encoding`` of its text, ``crs`` as ``EPSG:n``, the columns of a text table that hold x and y, or WKT.
    """

    encoding: str | None = None
    crs: str | None = None
    x_column: str | None = None
    y_column: str | None = None
    wkt_column: str | None = None

    @property
    def text(self) -> str | None:
        """As the catalogue keeps it; None when nothing is stated."""
        said = {name: value for name, value in asdict(self).items() if value is not None}
        return json.dumps(said, sort_keys=True) if said else None


@dataclass(frozen=True, slots=True)
class Part:
    """Which features of a file: of which of its layers, and of which geometry family; None is the first that fits."""

    sublayer: str | None = None
    family: Family | None = None
    stated: Stated = Stated()


def read_already(backend: Backend, account: int, path: str, part: Part, local: Path) -> Dataset | None:
    known = _known(backend, account, path, part)
    fresh = known is not None and known.status == "ready" and known.fingerprint == fingerprint(local)
    return known if fresh else None


def new_dataset(session: Session, account: int, path: str, part: Part) -> Dataset:
    dataset = Dataset(account_id=account, kind="file", path=path, created=int(time.time()))
    dataset.sublayer, dataset.family, dataset.stated = part.sublayer, part.family, part.stated.text
    dataset.store_table, dataset.skipped = _store_table(path), 0
    session.add(dataset)
    session.flush()
    return dataset


def ensure_file_dataset(
    backend: Backend,
    account: int,
    path: str,
    part: Part,
    progress: Report | None = None,
    *,
    drawn: bool = False,
) -> Dataset:
    """What the file holds, read in now if it was not yet, or if the file has changed since.

    Raises ``BadRequest``, also for one without geometry that is to be ``drawn``.
    """
    known = read_already(backend, account, path, part, local_file(backend, account, path))
    if known is not None:
        return known
    return read_in(backend, account, path, part, progress, drawn=drawn)


def local_file(backend: Backend, account: int, path: str) -> Path:
    """Where a file that a source names lies on disk. Raises ``BadRequest`` when there is none."""
    with suppress(NotFound):
        local = backend.files.local_path(account, path)
        if local.is_file():
            return local
    raise BadRequest(f"There is no file {path}.", field="source", value=path, expected="a file of your storage")


def fingerprint(local: Path) -> str:
    """What a file and those that belong to it look like from outside: sizes and times."""
    try:
        stats = [(found.name, found.stat()) for found in group(local)]
    except FileNotFoundError:  # one was removed just now
        return ""
    return ";".join(f"{name},{stat.st_size},{stat.st_mtime_ns}" for name, stat in stats)


def mark_unreadable(backend: Backend, dataset_id: int, why: str) -> None:
    with backend.catalogue.write() as session:
        found = session.get_one(Dataset, dataset_id)
        found.status, found.status_text, found.fingerprint = "error", why, None


def part_of(dataset: Dataset) -> Part:
    stated = Stated(**json.loads(dataset.stated or "{}"))
    return Part(dataset.sublayer, dataset.family, stated)  # type: ignore[arg-type]


def _known(backend: Backend, account: int, path: str, part: Part) -> Dataset | None:
    with backend.catalogue.read() as session:
        return known_in(session, account, path, part)


def known_in(session: Session, account: int, path: str, part: Part) -> Dataset | None:
    return session.scalar(
        select(Dataset).where(
            Dataset.account_id == account,
            Dataset.path == path,
            Dataset.sublayer == part.sublayer,
            Dataset.family == part.family,
            Dataset.stated == part.stated.text,
        )
    )


def read_in(backend: Backend, account: int, path: str, part: Part, progress: Report | None, *, drawn: bool) -> Dataset:
    """Read a file; once more when it is changed meanwhile, so that what is kept is never of an older one."""
    for _ in range(MOST_TRIES):
        local = local_file(backend, account, path)
        looked_like, name = fingerprint(local), _store_table(path)
        with naming(path), backend.files.staging(account) as staging:
            try:
                staged = stage(local, part, staging, name, account, progress, drawn=drawn)
            except BadRequest:
                if fingerprint(local) == looked_like:
                    raise
                continue
            if progress is not None:
                progress(staged.rows, staged.rows)
            with keeping(backend, account):
                if fingerprint(local) == looked_like:
                    return _keep(backend, account, path, part, name, looked_like, staged)
    raise Unavailable(f"The file {path} is being changed all the time.")


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Say of which file it is that what it holds could not be stored."""
    try:
        yield
    except Unavailable as error:
        error.message = f"{path} was not read in. {error.message}"
        raise


def _keep(
    backend: Backend, account: int, path: str, part: Part, name: str, looked_like: str, staged: Staged
) -> Dataset:
    """Take over what was read, unless somebody else has just done so, in place of what was read before."""
    known = _known(backend, account, path, part)
    if known is not None and known.status == "ready" and known.fingerprint == looked_like:
        return known
    backend.store.adopt(account, staged.path, name, staged.rows)
    table = backend.store.table(account, name)
    dataset = _enter(backend, account, path, part, table, looked_like, staged.skipped, known)
    if known is not None:
        backend.store.drop(account, known.store_table)
    return dataset


@dataclass(frozen=True, slots=True)
class Staged:
    """A GeoPackage that holds what was read from a file; ``skipped`` features were of another geometry family."""

    path: Path
    rows: int
    skipped: int


def stage(
    local: Path,
    part: Part,
    staging: Path,
    name: str,
    owner: int,
    progress: Report | None = None,
    *,
    drawn: bool = False,
) -> Staged:
    """Read a file into a GeoPackage of its own, ready to be adopted. Raises ``BadRequest``."""
    source = open_source(local, layer=part.sublayer, family=part.family, **asdict(part.stated))
    if drawn and source.geometry_type is None:
        raise BadRequest(f"“{local.name}” has no geometry to draw.", field="source", expected="a file with geometry")
    if len(source.columns) > MOST_COLUMNS:
        message = f"“{local.name}” has {len(source.columns)} columns; {MOST_COLUMNS} can be kept."
        raise BadRequest(message, field="source", expected=f"up to {MOST_COLUMNS} columns")
    now = int(time.time())
    extra = {"__created": now, "__modified": now, "__owner": owner}
    total = source.feature_count if source.feature_count > 0 else None
    told = None if progress is None else lambda done: progress(done, total)
    rows = staging_geopackage(staging / "table.gpkg", name, source, extra, progress=told)
    return Staged(staging / "table.gpkg", rows, source.skipped)


def _enter(
    backend: Backend,
    account: int,
    path: str,
    part: Part,
    table: Table,
    looked_like: str,
    skipped: int,
    known: Dataset | None,
) -> Dataset:
    """Note in the catalogue what was read in, also with the layers that show it."""
    with backend.catalogue.write() as session:
        dataset = session.get(Dataset, known.id) if known else None
        dataset = dataset or new_dataset(session, account, path, part)
        dataset.store_table, dataset.fingerprint, dataset.skipped = table.name, looked_like, skipped
        dataset.status, dataset.status_text = "ready", _left_out(skipped)
        dataset.geometry_type = table.geometry_type or NO_GEOMETRY
        for layer in session.scalars(select(Layer).where(Layer.dataset_id == dataset.id)):
            suit(layer, dataset, table)
    return dataset


def geometry_type_of(backend: Backend, account: int, name: str) -> str:
    """The geometry type of a table as the catalogue keeps it, to filter lists by."""
    return backend.store.table(account, name).geometry_type or NO_GEOMETRY


def suit(layer: Layer, dataset: Dataset, table: Table) -> None:
    """Give a layer the type and projection of its data, which may be another file's by now."""
    family = layer.type if dataset.kind == "wfs" else table.family or dataset.family or layer.type
    found = (family, epsg_of(table))
    if table.geometry_type is not None and found != (layer.type, layer.epsg):
        layer.type, layer.epsg = found
        for changed in (layer, layer.map):
            changed.modified, changed.version = int(time.time()), changed.version + 1


def epsg_of(table: Table) -> str | None:
    """The number of a table's projection, as layers have it."""
    return table.crs.removeprefix("EPSG:") if table.crs and table.crs.startswith("EPSG:") else None


def _left_out(skipped: int) -> str | None:
    return f"{skipped} features of another geometry type were left out." if skipped else None


def _store_table(path: str) -> str:
    stem = path.rpartition("/")[2].rpartition(".")[0].lower()
    readable = NOT_IN_NAMES.sub("_", stem).strip("_")[:40]
    return f"{FILE_PREFIX}{readable}_{secrets.token_hex(4)}"


@contextmanager
def keeping(backend: Backend, account: int) -> Iterator[None]:
    """Hold the account's tables and what the catalogue says of them together, across processes and machines."""
    with backend.catalogue.exclusive(f"accounts/{account}/tables.lock"):
        yield


def note_geometry_types(backend: Backend) -> None:
    """Look into the tables of which the catalogue does not say what geometry they have: an older release made them."""
    made = (Dataset.kind == "table", Dataset.status == "ready", Dataset.geometry_type.is_(None))
    with backend.catalogue.read() as session:
        unknown = session.scalars(select(Dataset).where(*made)).all()
    for dataset in unknown:
        with suppress(NotFound):
            found = geometry_type_of(backend, dataset.account_id, dataset.store_table)
            with backend.catalogue.write() as session:
                session.execute(update(Dataset).where(Dataset.id == dataset.id).values(geometry_type=found))


def sweep_account(backend: Backend, account: int) -> None:
    tables = set(backend.store.tables(account))
    with backend.catalogue.read() as session:
        every = session.scalars(select(Dataset).where(Dataset.account_id == account)).all()
    half_made = {one.store_table for one in every if one.kind == "table" and one.status != "ready"}
    read_in = {one.store_table for one in every if one.kind in ("file", "wfs")}
    read_in |= {one.fingerprint for one in every if one.kind == "wfs" and one.fingerprint}
    left_over = {name for name in tables if name.startswith(FILE_PREFIX) and name not in read_in}
    for name in (half_made & tables) | left_over:
        backend.store.drop(account, name)
    with backend.catalogue.write() as session:
        for one in every:
            if one.kind == "table" and (one.status != "ready" or one.store_table not in tables):
                forget(session, one)


def forget(session: Session, dataset: Dataset) -> None:
    """Take a table out of the catalogue; the layers that show it say from now on that it is gone."""
    session.execute(update(Layer).where(Layer.dataset_id == dataset.id).values(dataset_id=None))
    session.execute(delete(Dataset).where(Dataset.id == dataset.id))
    session.execute(delete(Resource).where(Resource.id == dataset.resource_id))
