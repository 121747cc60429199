"""Jobs: work that takes more than a moment. Starting them, looking at them, and what one is told while it runs.

The catalogue's row is what holds: it says what is to be done and how it stands. The queue only carries its id.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from graticule.actions import listing, need
from graticule.catalogue.orm import Job
from graticule.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy.orm import Session

    from graticule.actions.listing import Listing
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor

log = logging.getLogger("graticule.jobs")

ENDED = ("done", "failed", "cancelled")
ATTRIBUTES = {name: getattr(Job, name) for name in ("id", "kind", "state", "percentage", "created", "finished")}


class Stopped(Exception):
    """A job must leave off where it is, and leave nothing half made. No error: nothing is wrong with what it does."""


class Cancelled(Stopped):
    """Somebody has asked for it."""


class TakenAway(Stopped):
    """This worker was thought dead, and another one is at the job."""


class WorkerEnds(Stopped):
    """The worker is told to end; the job goes back into the queue."""


class Progress:
    """What a running job says of itself, and is told. ``percentage`` is 0 to 99 while it runs.

    Nothing here waits for the catalogue: another thread brings it there, and brings news back (``actions/work.py``).
    """

    def __init__(self) -> None:
        self.done = 0
        self.percentage = 0
        self._told: Stopped | None = None
        self._lock = threading.Lock()

    def rows(self, done: int, of: int | None = None) -> None:
        """So many rows are done, of so many where that is known. Raises what ``check`` raises."""
        self.done = done
        if of is not None and of > 0:
            self.percentage = min(99, max(0, 100 * done // of))
        self.check()

    def check(self) -> None:
        """To be asked now and then. Raises ``Cancelled``, or another ``Stopped``, when the job must leave off."""
        if self._told is not None:
            raise self._told

    def tell(self, why: Stopped) -> None:
        """Have the job leave off at its next ``check``; the first reason holds."""
        with self._lock:
            self._told = self._told or why


def start(backend: Backend, actor: Actor, kind: str, arguments: Mapping[str, Any]) -> Job:
    """A new job of the caller. ``kind`` is one of ``actions/job_kinds.py``, ``arguments`` what JSON can hold."""
    with backend.catalogue.write() as session:
        job = enter(session, actor.user_id, kind, arguments)
    send(backend, job.id)
    return job


def enter(session: Session, owner: int, kind: str, arguments: Mapping[str, Any]) -> Job:
    """The same within a transaction, for the user of that id; ``send`` it when that is over."""
    now = int(time.time())
    job = Job(owner_id=owner, kind=kind, state="queued", arguments=json.dumps(dict(arguments)), created=now)
    job.percentage, job.rows, job.attempts, job.cancelled, job.version = 0, 0, 0, False, 1
    session.add(job)
    session.flush()
    return job


def send(backend: Backend, job_id: int) -> None:
    """Tell a worker of the job. Where the queue cannot be reached one finds it later by itself."""
    try:
        backend.queue.send(job_id)
    except Exception:
        log.warning("Job %d waits: the queue cannot be reached.", job_id, exc_info=True)


def list_jobs(backend: Backend, actor: Actor, wanted: Listing) -> tuple[int | None, list[Job]]:
    """The caller's jobs, the newest first. Raises ``Forbidden``, ``BadRequest``."""
    need.signed_in(actor)
    with backend.catalogue.read() as session:
        statement = select(Job).where(Job.owner_id == actor.user_id)
        statement = statement if wanted.order_by else statement.order_by(Job.id.desc())
        return listing.run(session, statement, wanted, ATTRIBUTES)


def get_job(backend: Backend, actor: Actor, job_id: int) -> Job:
    """One job. Raises ``NotFound``."""
    with backend.catalogue.read() as session:
        return find_job(session, actor, job_id)


def find_job(session: Session, actor: Actor, job_id: int) -> Job:
    """One's own job; for an administrator, anybody's. Raises ``NotFound``."""
    job = session.get(Job, job_id)
    if job is None or not actor.signed_in or not (job.owner_id == actor.user_id or actor.administrator):
        raise NotFound(f"There is no job {job_id}, or it is not yours.")
    return job


def percentages(backend: Backend, job_ids: Collection[int]) -> dict[int, int]:
    """How far the jobs are."""
    if not job_ids:
        return {}
    with backend.catalogue.read() as session:
        rows = session.execute(select(Job.id, Job.percentage).where(Job.id.in_(job_ids)))
        return {row.id: row.percentage for row in rows}
