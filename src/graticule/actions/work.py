"""Working at jobs: claiming one, doing it, saying what came of it; cancelling; taking up what a dead worker had."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from graticule.actions import jobs, reading
from graticule.actions.job_kinds import KINDS
from graticule.actions.jobs import Cancelled, Progress, TakenAway, WorkerEnds, find_job
from graticule.actions.versions import check_version
from graticule.catalogue.access import Actor
from graticule.catalogue.orm import Job, User
from graticule.errors import Conflict, GraticuleError
from graticule.jobs import workers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sqlalchemy.orm import Session

    from graticule.backend import Backend

log = logging.getLogger("graticule.jobs")

# Seconds: how often a running job's state is brought to the catalogue and asked for there; how long after its last
# word a worker of another machine is taken for dead.
BEAT, SILENCE = 0.5, 60
# How long, in seconds, a running job that says nothing new may go without a sign of life in the catalogue.
SIGN_OF_LIFE = 5
# After so many workers that died of it, a job is given up.
MOST_ATTEMPTS = 3
CANCELLED = "It was cancelled."
UNFORESEEN = "Something went wrong in the server; its log says what."
KILLED = f"The worker died while it was at this, {MOST_ATTEMPTS} times."
PLACE = re.compile(r"\b(?:line|row|feature) ([\d,]+)")


# ---------------------------------------------------------------- doing a job


def run_job(backend: Backend, job_id: int, worker: str, ending: threading.Event) -> None:
    """Do a job, unless another worker is at it or it is over. ``ending`` tells that this worker is to end."""
    job = _claim(backend, job_id, worker)
    if job is None:
        return
    progress = Progress()
    try:
        with _beating(backend, job, progress, ending):
            result = _do(backend, job, progress)
    except Cancelled:
        _end(backend, job, progress, "cancelled", error={"message": CANCELLED})
    except TakenAway:
        log.warning("Job %d was taken from the worker %s, which was thought dead.", job_id, worker)
    except WorkerEnds:
        _put_back(backend, job, died=False)
    except GraticuleError as error:
        _end(backend, job, progress, "failed", error=_told(job, error))
    except Exception:
        log.exception("Job %d (%s) failed.", job_id, job.kind)
        _end(backend, job, progress, "failed", error={"message": UNFORESEEN})
    else:
        _end(backend, job, progress, "done", result=result)


def _claim(backend: Backend, job_id: int, worker: str) -> Job | None:
    """Take a job that waits; None when another worker was quicker, or it no longer waits."""
    now = int(time.time())
    waiting = update(Job).where(Job.id == job_id, Job.state == "queued")
    taken = {"state": "running", "worker": worker, "claimed": now, "started": now, "attempts": Job.attempts + 1}
    with backend.catalogue.write() as session:
        if not _changed(session, waiting.values(**taken, version=Job.version + 1)):
            return None
        return session.get_one(Job, job_id)


def _do(backend: Backend, job: Job, progress: Progress) -> dict[str, Any] | None:
    with backend.catalogue.read() as session:
        owner = session.get_one(User, job.owner_id)
    actor = Actor(owner.id, owner.username, owner.administrator)
    return KINDS[job.kind].run(backend, actor, json.loads(job.arguments) | {"job_id": job.id}, progress)


def _told(job: Job, error: GraticuleError) -> dict[str, Any]:
    place = PLACE.search(error.message)
    row = int(place[1].replace(",", "")) if place else None
    return {"message": error.message, "file": json.loads(job.arguments).get("file"), "row": row}


def _end(
    backend: Backend,
    job: Job,
    progress: Progress,
    state: str,
    *,
    result: Mapping[str, Any] | None = None,
    error: Mapping[str, Any] | None = None,
) -> None:
    """Note what came of a job, unless another worker has it by now."""
    with backend.catalogue.write() as session:
        mine = session.scalar(select(Job).where(*_held_by(job)).with_for_update())
        if mine is None:
            return
        mine.rows = progress.done
        mine.percentage = 100 if state == "done" else progress.percentage
        _close(session, mine, state, result=result, error=error)


def _close(
    session: Session,
    job: Job,
    state: str,
    *,
    result: Mapping[str, Any] | None = None,
    error: Mapping[str, Any] | None = None,
) -> None:
    job.state, job.finished, job.version = state, int(time.time()), job.version + 1
    job.result = None if result is None else json.dumps(dict(result))
    job.error = None if error is None else json.dumps({"message": None, "file": None, "row": None} | dict(error))
    undo = KINDS[job.kind].not_done if job.kind in KINDS else None
    if undo is not None and error is not None:
        undo(session, job, str(error["message"]))


def _held_by(job: Job) -> tuple[Any, ...]:
    """The condition that the worker who claimed the job still has it."""
    return (Job.id == job.id, Job.state == "running", Job.worker == job.worker, Job.attempts == job.attempts)


def _changed(session: Session, statement: Any) -> bool:
    """Whether the statement found its row."""
    result: Any = session.execute(statement.execution_options(synchronize_session=False))
    return bool(result.rowcount == 1)


# ---------------------------------------------------------------- while it runs


@contextmanager
def _beating(backend: Backend, job: Job, progress: Progress, ending: threading.Event) -> Iterator[None]:
    """Bring a job's state to the catalogue from time to time, and the news from there to the job."""
    over = threading.Event()
    thread = threading.Thread(target=_beat, args=(backend, job, progress, ending, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _beat(backend: Backend, job: Job, progress: Progress, ending: threading.Event, over: threading.Event) -> None:
    said, at = (0, 0), time.monotonic()
    while not over.wait(BEAT):
        if ending.is_set():
            progress.tell(WorkerEnds())
        now = (progress.done, progress.percentage)
        silent = time.monotonic() - at > SIGN_OF_LIFE
        try:
            if now != said or silent:
                _say(backend, job, now)
                said, at = now, time.monotonic()
            _ask(backend, job, progress)
        except Exception:  # the catalogue may be busy for a while; the job goes on
            log.warning("Nothing could be said of job %d.", job.id, exc_info=True)


def _say(backend: Backend, job: Job, now: tuple[int, int]) -> None:
    values = {"rows": now[0], "percentage": now[1], "claimed": int(time.time()), "version": Job.version + 1}
    with backend.catalogue.write() as session:
        _changed(session, update(Job).where(*_held_by(job)).values(**values))


def _ask(backend: Backend, job: Job, progress: Progress) -> None:
    with backend.catalogue.read() as session:
        cancelled = session.scalar(select(Job.cancelled).where(*_held_by(job)))
    if cancelled is None:
        progress.tell(TakenAway())
    elif cancelled:
        progress.tell(Cancelled())


# ---------------------------------------------------------------- cancelling


def cancel_job(backend: Backend, actor: Actor, job_id: int, if_match: int | None = None) -> Job:
    """Cancel a job: at once where it waits, else at the next batch of rows.

    Raises ``NotFound``, ``PreconditionFailed``, ``Conflict`` when it is over.
    """
    with backend.catalogue.write() as session:
        job = find_job(session, actor, job_id)
        session.refresh(job, with_for_update=True)
        check_version(job.version, if_match)
        if job.state in ("done", "failed"):
            raise Conflict(f"Job {job_id} is over: {job.state}.", field="state", value=job.state)
        if job.state == "queued":
            _close(session, job, "cancelled", error={"message": CANCELLED})
        if not job.cancelled:
            job.cancelled, job.version = True, job.version + 1
        session.flush()
    return job


# ---------------------------------------------------------------- after a worker's death


def take_up(backend: Backend) -> None:
    """Put back into the queue what dead workers were at, and send again what waits and nobody was told of."""
    folder = workers.folder_of(backend.settings)
    buried = workers.dead(folder)
    with backend.catalogue.read() as session:
        running = session.scalars(select(Job).where(Job.state == "running")).all()
    orphans = [job for job in running if _orphaned(folder, job)]
    for job in orphans:
        log.warning("The worker %s died while it was at job %d.", job.worker, job.id)
        _put_back(backend, job, died=True)
    if orphans:
        reading.sweep(backend)
    reading.let_go(backend)
    for name in buried:
        workers.bury(folder, name)
    _send_again(backend)


def _orphaned(folder: Path, job: Job) -> bool:
    worker = job.worker or ""
    if workers.of_this_machine(worker):
        return not workers.lives(folder, worker)
    return time.time() - (job.claimed or 0) > SILENCE


def _put_back(backend: Backend, job: Job, *, died: bool) -> None:
    """Have a job done from its start by another worker; not when it is cancelled, or too many have died of it."""
    with backend.catalogue.write() as session:
        found = session.scalar(select(Job).where(*_held_by(job)).with_for_update())
        if found is None:
            return
        if found.cancelled:
            _close(session, found, "cancelled", error={"message": CANCELLED})
        elif died and found.attempts >= MOST_ATTEMPTS:
            _close(session, found, "failed", error={"message": KILLED})
        else:
            found.state, found.worker, found.claimed, found.started = "queued", None, None, None
            found.rows, found.percentage, found.version = 0, 0, found.version + 1
            found.attempts -= 0 if died else 1
        waits = found.state == "queued"
    if waits:
        jobs.send(backend, job.id)


def _send_again(backend: Backend) -> None:
    with backend.catalogue.read() as session:
        waiting = session.scalars(select(Job.id).where(Job.state == "queued").order_by(Job.id)).all()
    try:
        unknown = bool(waiting) and backend.queue.is_empty()
    except Exception:
        log.warning("The queue cannot be reached.", exc_info=True)
        return
    for job_id in waiting if unknown else ():
        jobs.send(backend, job_id)
