"""The ids of jobs on their way to a worker.

What a job is and how it stands is in the catalogue alone: an id that is lost, or comes twice, does no harm.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from huey.api import Huey
    from huey.consumer import Consumer

    from graticule.settings import Settings

# Seconds: how soon, and at the latest how late, a worker that waits looks again.
SHORTEST_WAIT, LONGEST_WAIT = 0.1, 0.5


class JobQueue:
    """The queue of an installation: in Redis, or in the file ``path`` where ``redis_url`` is None."""

    def __init__(self, path: Path, redis_url: str | None) -> None:
        self._path, self._redis_url = path, redis_url
        self._opened: Huey | None = None
        self._lock = threading.Lock()
        self._work: Callable[[int], None] | None = None

    def send(self, job_id: int) -> None:
        """Put a job's id at the end of the queue."""
        huey = self._huey()
        try:
            huey.enqueue(self._task.s(job_id))
        finally:
            huey.storage.close()  # a thread of the server has no further use for its connection

    def is_empty(self) -> bool:
        """Whether no id waits for a worker."""
        return int(self._huey().pending_count()) == 0

    def consumer(self, work: Callable[[int], None]) -> Consumer:
        """What takes ids from the queue and calls ``work`` with each, one at a time, in a thread of its own."""
        self._work = work
        return self._huey().create_consumer(
            workers=1, periodic=False, initial_delay=SHORTEST_WAIT, max_delay=LONGEST_WAIT, scheduler_interval=60
        )

    def _huey(self) -> Huey:
        from graticule.jobs.carrier import open_huey

        with self._lock:
            if self._opened is None:
                self._opened = open_huey(self._path, self._redis_url)
                self._task = self._opened.task(name="run")(self._run)
        return self._opened

    def _run(self, job_id: int) -> None:
        assert self._work is not None
        self._work(job_id)


def open_queue(settings: Settings) -> JobQueue:
    """The queue of an installation; it is reached for when there is something to send or to take."""
    url = settings.redis_url
    return JobQueue(settings.data / "jobs.sqlite", None if url is None else url.get_secret_value())
