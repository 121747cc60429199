"""Reading files into the account's feature store: once, and again when the file changes; large ones by a job.

The steps are ordered so that a process that dies at any of them leaves either nothing or everything, and what it
prepared is cleared away by the next one that starts.
"""

from __future__ import annotations

import json
import re
import secrets
import time
import zipfile
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from graticule.actions import jobs
from graticule.catalogue.database import exclusive
from graticule.catalogue.orm import Dataset, Job, Layer, Resource
from graticule.errors import BadRequest, GraticuleError, NotFound, Unavailable
from graticule.transfer.checks import check
from graticule.transfer.drivers import group, require_format
from graticule.transfer.reading import open_source
from graticule.transfer.writing import staging_geopackage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from sqlalchemy.orm import Session

    from graticule.actions.jobs import Progress
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.model.features import Family, Table

    # Told the number of rows that are done, and of how many, None when that is not known.
    Report = Callable[[int, int | None], None]

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


NOT_READ = "The file was not read in; store it again."
# Files that are zip archives themselves.
ZIPPED = ("kmz", "xlsx", "ods")


def file_dataset(backend: Backend, actor: Actor, account: int, path: str, part: Part) -> Dataset:
    """What the file holds, for a layer that shows it; a large one that is not read in yet is busy until a job has.

    Raises ``BadRequest`` for a file that cannot be read, or of a small one has nothing to draw.
    """
    local = local_file(backend, account, path)
    if _read_already(backend, account, path, part, local) is None and _is_large(backend, local):
        row = require_format(local, "vector")
        if not row.xml:  # the job does that: it takes as long as reading
            check(local, row)
        return _read_later(backend, actor.user_id, account, path, part, drawn=True)
    return ensure_file_dataset(backend, account, path, part, drawn=True)


def _is_large(backend: Backend, local: Path) -> bool:
    return size_of(local) > backend.settings.import_inline_bytes


def size_of(local: Path) -> int:
    """The bytes of a file and those that belong to it; of a zip archive those of what it holds."""
    row = require_format(local, "vector")
    if row.name in ZIPPED:
        with suppress(zipfile.BadZipFile, OSError), zipfile.ZipFile(local) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    try:
        return sum(found.stat().st_size for found in group(local))
    except FileNotFoundError:  # one was removed just now; reading says so
        return 0


def _read_already(backend: Backend, account: int, path: str, part: Part, local: Path) -> Dataset | None:
    known = _known(backend, account, path, part)
    fresh = known is not None and known.status == "ready" and known.fingerprint == fingerprint(local)
    return known if fresh else None


def _read_later(backend: Backend, owner: int, account: int, path: str, part: Part, *, drawn: bool) -> Dataset:
    """Have a job read a file; where one is at it already, or waits to, that one."""
    with keeping(backend, account):
        local = local_file(backend, account, path)
        done = _read_already(backend, account, path, part, local)
        if done is not None:
            return done
        with backend.catalogue.write() as session:
            known = _known_in(session, account, path, part)
            if known is not None and _is_being_read(session, known):
                return known
            dataset = known or _new_dataset(session, account, path, part)
            arguments = {"dataset_id": dataset.id, "file": f"/{path}", "drawn": drawn}
            job = jobs.enter(session, owner, "import", arguments)
            dataset.status, dataset.status_text, dataset.job_id = "busy", None, job.id
    jobs.send(backend, job.id)
    return dataset


def _is_being_read(session: Session, dataset: Dataset) -> bool:
    job = session.get(Job, dataset.job_id) if dataset.status == "busy" and dataset.job_id else None
    return job is not None and job.state not in jobs.ENDED and not job.cancelled


def _new_dataset(session: Session, account: int, path: str, part: Part) -> Dataset:
    dataset = Dataset(account_id=account, kind="file", path=path, created=int(time.time()))
    dataset.sublayer, dataset.family, dataset.stated = part.sublayer, part.family, part.stated.text
    dataset.store_table, dataset.skipped = _store_table(path), 0
    session.add(dataset)
    session.flush()
    return dataset


def run_import(backend: Backend, _actor: Actor, arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """The job that reads a file: then what it holds is ready, for all layers that show it.

    Raises ``BadRequest``; then the reason stands with the data, too.
    """
    with backend.catalogue.read() as session:
        dataset = session.get(Dataset, arguments["dataset_id"])
        showing = select(Layer.id).where(Layer.dataset_id == arguments["dataset_id"]).order_by(Layer.id)
    if dataset is None:
        raise NotFound(f"Nothing shows the file {arguments['file']} any more.")
    _read_for_job(backend, dataset, progress, drawn=arguments["drawn"])
    with backend.catalogue.read() as session:
        layers = [str(layer_id) for layer_id in session.scalars(showing)]
    return {"file": arguments["file"], "layer_id": layers[0] if layers else None, "layer_ids": layers}


def _read_for_job(backend: Backend, dataset: Dataset, progress: Progress, *, drawn: bool) -> None:
    account, path = dataset.account_id, dataset.path or ""
    for last in (*(False,) * (MOST_TRIES - 1), True):
        looked_like = _look(backend, account, path)
        try:
            _read_in(backend, account, path, _part_of(dataset), progress.rows, drawn=drawn)
        except GraticuleError as error:
            # Whoever changes the file now sees a job that has failed, not one that may still find out.
            with keeping(backend, account):
                if last or _look(backend, account, path) == looked_like:
                    _mark_unreadable(backend, dataset.id, error.message)
                    raise
        else:
            return


def _look(backend: Backend, account: int, path: str) -> str | None:
    with suppress(BadRequest):
        return fingerprint(local_file(backend, account, path))
    return None


def import_not_done(session: Session, job: Job, why: str) -> None:
    """What a job should have read will not come, unless another has it by now."""
    its_own = update(Dataset).where(Dataset.job_id == job.id, Dataset.status == "busy")
    session.execute(its_own.values(status="error", status_text=why, fingerprint=None))


def let_go(backend: Backend) -> None:
    """Of what no job reads any more, say so: the job went with the user that it was of."""
    at_work = select(Job.id).where(Job.state.not_in(jobs.ENDED))
    left = update(Dataset).where(Dataset.kind == "file", Dataset.status == "busy", Dataset.job_id.not_in(at_work))
    with backend.catalogue.write() as session:
        session.execute(left.values(status="error", status_text=NOT_READ, fingerprint=None))


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
    known = _read_already(backend, account, path, part, local_file(backend, account, path))
    if known is not None:
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
    account, path, part = dataset.account_id, dataset.path or "", _part_of(dataset)
    with backend.catalogue.read() as session:
        drawn = session.scalar(select(Layer.id).where(Layer.dataset_id == dataset.id).limit(1)) is not None
    try:
        local = local_file(backend, account, path)
        if _read_already(backend, account, path, part, local) is None and _is_large(backend, local):
            _read_later(backend, account, account, path, part, drawn=drawn)
        else:
            ensure_file_dataset(backend, account, path, part, drawn=drawn)
    except GraticuleError as error:
        _mark_unreadable(backend, dataset.id, error.message)


def _mark_unreadable(backend: Backend, dataset_id: int, why: str) -> None:
    with backend.catalogue.write() as session:
        found = session.get_one(Dataset, dataset_id)
        found.status, found.status_text, found.fingerprint = "error", why, None


def _part_of(dataset: Dataset) -> Part:
    stated = Stated(**json.loads(dataset.stated or "{}"))
    return Part(dataset.sublayer, dataset.family, stated)  # type: ignore[arg-type]


def _stem(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"{folder}/{name.split('.')[0].lower()}"


def _known(backend: Backend, account: int, path: str, part: Part) -> Dataset | None:
    with backend.catalogue.read() as session:
        return _known_in(session, account, path, part)


def _known_in(session: Session, account: int, path: str, part: Part) -> Dataset | None:
    return session.scalar(
        select(Dataset).where(
            Dataset.account_id == account,
            Dataset.path == path,
            Dataset.sublayer == part.sublayer,
            Dataset.family == part.family,
            Dataset.stated == part.stated.text,
        )
    )


def _read_in(backend: Backend, account: int, path: str, part: Part, progress: Report | None, *, drawn: bool) -> Dataset:
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
        dataset = dataset or _new_dataset(session, account, path, part)
        dataset.store_table, dataset.fingerprint, dataset.skipped = table.name, looked_like, skipped
        dataset.status, dataset.status_text = "ready", _left_out(skipped)
        for layer in session.scalars(select(Layer).where(Layer.dataset_id == dataset.id)):
            suit(layer, dataset, table)
    return dataset


def suit(layer: Layer, dataset: Dataset, table: Table) -> None:
    """Give a layer the type and projection of its data, which may be another file's by now."""
    found = (table.family or dataset.family or layer.type, epsg_of(table))
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
    """Hold the account's tables and what the catalogue says of them together, across processes."""
    path = backend.accounts / str(account) / "tables.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(path):
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
