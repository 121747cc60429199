"""When files are read in: at once, or by a job where they are large; and again when they have changed."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from graticule.actions import jobs
from graticule.actions.datasets import (
    MOST_TRIES,
    ensure_file_dataset,
    fingerprint,
    keeping,
    known_in,
    local_file,
    mark_unreadable,
    new_dataset,
    note_geometry_types,
    part_of,
    read_already,
    read_in,
    sweep_account,
)
from graticule.catalogue.orm import Dataset, Job, Layer
from graticule.errors import BadRequest, GraticuleError, NotFound
from graticule.transfer.checks import check
from graticule.transfer.drivers import group, require_format

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sqlalchemy.orm import Session

    from graticule.actions.datasets import Part
    from graticule.actions.jobs import Progress
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor

NOT_READ = "The file was not read in; store it again."
# Files that are zip archives themselves.
ZIPPED = ("kmz", "xlsx", "ods")


def file_dataset(backend: Backend, actor: Actor, account: int, path: str, part: Part) -> Dataset:
    """What the file holds, for a layer that shows it; a large one that is not read in yet is busy until a job has.

    Raises ``BadRequest`` for a file that cannot be read, or of a small one has nothing to draw.
    """
    local = local_file(backend, account, path)
    if read_already(backend, account, path, part, local) is None and _is_large(backend, local):
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


# ---------------------------------------------------------------- by a job


def _read_later(backend: Backend, owner: int, account: int, path: str, part: Part, *, drawn: bool) -> Dataset:
    """Have a job read a file; where one is at it already, or waits to, that one."""
    with keeping(backend, account):
        local = local_file(backend, account, path)
        done = read_already(backend, account, path, part, local)
        if done is not None:
            return done
        with backend.catalogue.write() as session:
            known = known_in(session, account, path, part)
            if known is not None and _is_being_read(session, known):
                return known
            dataset = known or new_dataset(session, account, path, part)
            arguments = {"dataset_id": dataset.id, "file": f"/{path}", "drawn": drawn}
            job = jobs.enter(session, owner, "import", arguments)
            dataset.status, dataset.status_text, dataset.job_id = "busy", None, job.id
    jobs.send(backend, job.id)
    return dataset


def _is_being_read(session: Session, dataset: Dataset) -> bool:
    job = session.get(Job, dataset.job_id) if dataset.status == "busy" and dataset.job_id else None
    return job is not None and job.state not in jobs.ENDED and not job.cancelled


def run_import(backend: Backend, actor: Actor, arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """The job that reads a file: then what it holds is ready, for all layers that show it.

    Answers the file, and which of the actor's own layers show it. Raises ``BadRequest``; then the reason stands with
    the data, too.
    """
    with backend.catalogue.read() as session:
        dataset = session.get(Dataset, arguments["dataset_id"])
    if dataset is None:
        raise NotFound(f"Nothing shows the file {arguments['file']} any more.")
    _read_for_job(backend, dataset, progress, drawn=arguments["drawn"])
    with backend.catalogue.read() as session:
        showing = select(Layer.id).where(Layer.dataset_id == dataset.id, Layer.owner_id == actor.user_id)
        layers = [str(layer_id) for layer_id in session.scalars(showing.order_by(Layer.id))]
    return {"file": arguments["file"], "layer_id": layers[0] if layers else None, "layer_ids": layers}


def _read_for_job(backend: Backend, dataset: Dataset, progress: Progress, *, drawn: bool) -> None:
    account, path = dataset.account_id, dataset.path or ""
    for last in (*(False,) * (MOST_TRIES - 1), True):
        looked_like = _look(backend, account, path)
        try:
            read_in(backend, account, path, part_of(dataset), progress.rows, drawn=drawn)
        except GraticuleError as error:
            # Whoever changes the file now sees a job that has failed, not one that may still find out.
            with keeping(backend, account):
                if last or _look(backend, account, path) == looked_like:
                    mark_unreadable(backend, dataset.id, error.message)
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
    left = (Dataset.kind == "file", Dataset.status == "busy", Dataset.job_id.not_in(at_work))
    with backend.catalogue.read() as session:
        if session.scalar(select(Dataset.id).where(*left).limit(1)) is None:
            return
    with backend.catalogue.write() as session:
        session.execute(update(Dataset).where(*left).values(status="error", status_text=NOT_READ, fingerprint=None))


# ---------------------------------------------------------------- again


def refresh_changed(backend: Backend, account: int, paths: list[str]) -> None:
    """Read in again what was read from files that have changed; what cannot be read any more is marked so."""
    stems = {_stem(path) for path in paths}
    with backend.catalogue.read() as session:
        every = session.scalars(select(Dataset).where(Dataset.account_id == account, Dataset.kind == "file")).all()
    for dataset in every:
        if _stem(dataset.path or "") in stems:
            _refresh(backend, dataset)


def _refresh(backend: Backend, dataset: Dataset) -> None:
    account, path, part = dataset.account_id, dataset.path or "", part_of(dataset)
    with backend.catalogue.read() as session:
        drawn = session.scalar(select(Layer.id).where(Layer.dataset_id == dataset.id).limit(1)) is not None
    try:
        local = local_file(backend, account, path)
        if read_already(backend, account, path, part, local) is None and _is_large(backend, local):
            _read_later(backend, account, account, path, part, drawn=drawn)
        else:
            ensure_file_dataset(backend, account, path, part, drawn=drawn)
    except GraticuleError as error:
        mark_unreadable(backend, dataset.id, error.message)


def _stem(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"{folder}/{name.split('.')[0].lower()}"


def sweep(backend: Backend) -> None:
    """Clear away what processes that died left half done, and finish what can be; called when a process starts."""
    note_geometry_types(backend)
    for account in backend.files.sweep():
        with keeping(backend, account):
            sweep_account(backend, account)
        _refresh_stale(backend, account)


def _refresh_stale(backend: Backend, account: int) -> None:
    """Read files in again that a process had changed when it died."""
    with backend.catalogue.read() as session:
        of_account = select(Dataset).where(Dataset.account_id == account, Dataset.kind == "file")
        every = session.scalars(of_account.where(Dataset.status == "ready")).all()
    for dataset in every:
        _refresh(backend, dataset)
