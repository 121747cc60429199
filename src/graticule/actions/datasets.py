"""Reading files into the account's feature store: once, and again when the file changes.

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
from graticule.errors import BadRequest, GraticuleError, NotFound, Unavailable
from graticule.transfer.drivers import group
from graticule.transfer.reading import open_source
from graticule.transfer.staging import staging_geopackage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session

    from graticule.backend import Backend
    from graticule.model.features import Family

FILE_PREFIX = "file_"
# SQLite takes 2000; some are ours.
MOST_COLUMNS = 1990
# How often a file is read that changes while it is read.
MOST_TRIES = 5
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


def ensure_file_dataset(
    backend: Backend,
    account: int,
    path: str,
    part: Part,
    progress: Callable[[int], None] | None = None,
    *,
    drawn: bool = False,
) -> Dataset:
    """What the file holds, read in if it was not yet, or if the file has changed since.

    Raises ``BadRequest``, also for one without geometry that is to be ``drawn``.
    """
    local = local_file(backend, account, path)
    known = _known(backend, account, path, part)
    if known is not None and known.status == "ready" and known.fingerprint == fingerprint(local):
        return known
    return _read_in(backend, account, path, part, progress, drawn=drawn)


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


def refresh_changed(backend: Backend, account: int, paths: list[str]) -> None:
    """Read in again what was read from files that have changed; what cannot be read any more is marked so."""
    stems = {_stem(path) for path in paths}
    with backend.catalogue.read() as session:
        every = session.scalars(select(Dataset).where(Dataset.account_id == account, Dataset.kind == "file")).all()
    for dataset in every:
        if _stem(dataset.path or "") in stems:
            _refresh(backend, dataset)


def _refresh(backend: Backend, dataset: Dataset) -> None:
    stated = Stated(**json.loads(dataset.stated or "{}"))
    part = Part(dataset.sublayer, dataset.family, stated)  # type: ignore[arg-type]
    with backend.catalogue.read() as session:
        drawn = session.scalar(select(Layer.id).where(Layer.dataset_id == dataset.id).limit(1)) is not None
    try:
        ensure_file_dataset(backend, dataset.account_id, dataset.path or "", part, drawn=drawn)
    except GraticuleError as error:
        with backend.catalogue.write() as session:
            found = session.get_one(Dataset, dataset.id)
            found.status, found.status_text, found.fingerprint = "error", error.message, None


def _stem(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"{folder}/{name.split('.')[0].lower()}"


def _known(backend: Backend, account: int, path: str, part: Part) -> Dataset | None:
    with backend.catalogue.read() as session:
        return session.scalar(
            select(Dataset).where(
                Dataset.account_id == account,
                Dataset.path == path,
                Dataset.sublayer == part.sublayer,
                Dataset.family == part.family,
                Dataset.stated == part.stated.text,
            )
        )


def _read_in(
    backend: Backend, account: int, path: str, part: Part, progress: Callable[[int], None] | None, *, drawn: bool
) -> Dataset:
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
    dataset = _enter(backend, account, path, part, name, looked_like, staged.skipped, known)
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
    progress: Callable[[int], None] | None = None,
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
    rows = staging_geopackage(staging / "table.gpkg", name, source, extra, progress=progress)
    return Staged(staging / "table.gpkg", rows, source.skipped)


def _enter(
    backend: Backend,
    account: int,
    path: str,
    part: Part,
    name: str,
    looked_like: str,
    skipped: int,
    known: Dataset | None,
) -> Dataset:
    """Note in the catalogue what was read in."""
    with backend.catalogue.write() as session:
        dataset = session.get(Dataset, known.id) if known else None
        if dataset is None:
            dataset = Dataset(account_id=account, kind="file", path=path, created=int(time.time()))
            dataset.sublayer, dataset.family, dataset.stated = part.sublayer, part.family, part.stated.text
            session.add(dataset)
        dataset.store_table, dataset.fingerprint, dataset.skipped = name, looked_like, skipped
        dataset.status, dataset.status_text = "ready", _left_out(skipped)
    return dataset


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


def sweep(backend: Backend) -> None:
    """Clear away what processes that died left half done, and finish what can be; called when a process starts."""
    for account in backend.files.sweep():
        with keeping(backend, account):
            _sweep_account(backend, account)
        _refresh_stale(backend, account)


def _sweep_account(backend: Backend, account: int) -> None:
    tables = set(backend.store.tables(account))
    with backend.catalogue.read() as session:
        every = session.scalars(select(Dataset).where(Dataset.account_id == account)).all()
    half_made = {one.store_table for one in every if one.kind == "table" and one.status != "ready"}
    read_in = {one.store_table for one in every if one.kind == "file"}
    left_over = {name for name in tables if name.startswith(FILE_PREFIX) and name not in read_in}
    for name in (half_made & tables) | left_over:
        backend.store.drop(account, name)
    with backend.catalogue.write() as session:
        for one in every:
            if one.kind == "table" and (one.status != "ready" or one.store_table not in tables):
                forget(session, one)


def _refresh_stale(backend: Backend, account: int) -> None:
    """Read files in again that a process had changed when it died."""
    with backend.catalogue.read() as session:
        of_account = select(Dataset).where(Dataset.account_id == account, Dataset.kind == "file")
        every = session.scalars(of_account.where(Dataset.status == "ready")).all()
    for dataset in every:
        _refresh(backend, dataset)


def forget(session: Session, dataset: Dataset) -> None:
    """Take a table out of the catalogue; the layers that show it say from now on that it is gone."""
    session.execute(update(Layer).where(Layer.dataset_id == dataset.id).values(dataset_id=None))
    session.execute(delete(Dataset).where(Dataset.id == dataset.id))
    session.execute(delete(Resource).where(Resource.id == dataset.resource_id))
