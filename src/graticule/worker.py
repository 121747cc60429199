"""Processes that work at jobs: one by itself, and a crew of them that a server or ``graticule worker`` keeps.

A job keeps a processor busy for minutes: in a process of its own it takes nothing from those who ask for maps.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from graticule.jobs import workers
from graticule.jobs.queue import open_queue

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from graticule.backend import Backend
    from graticule.jobs.queue import JobQueue
    from graticule.settings import Settings

log = logging.getLogger("graticule.worker")

# Seconds between two looks for jobs that were left lying, and to the first one after the start.
ROUND, FIRST_ROUND = 30, 10
# Seconds that a job has to leave off when its worker is told to end; then it is left, and taken up by another.
PATIENCE = 8
# Seconds: how often it is looked whether a worker has died; after how many it is replaced, and after how many when
# that happens all the time.
LOOK, PAUSE, LONGEST_PAUSE = 0.5, 1, 60
# With people waiting for maps, jobs come second.
NICENESS = 5
ENDING = (signal.SIGTERM, signal.SIGINT)


class Worker:
    """One worker: takes jobs from the queue, one at a time, until it is told to end."""

    def __init__(self, settings: Settings, queue: JobQueue) -> None:
        self._settings, self._queue = settings, queue
        self._ending = threading.Event()
        self._opened: Backend | None = None
        self._opening = threading.Lock()

    def run(self) -> None:
        """Work. A job that is being done when the end comes is put back into the queue."""
        folder = workers.folder_of(self._settings)
        inherited = bool(workers.dead(folder))
        with workers.living(folder) as self._name:
            consumer = self._queue.consumer(self._work)
            consumer.start()
            for number in ENDING:
                signal.signal(number, self._end)
            self._look_round(FIRST_ROUND if not inherited else 0)
            consumer.stop()
            for _, thread in consumer.worker_threads:
                thread.join(PATIENCE)
                if thread.is_alive():  # in the middle of something long that cannot be left
                    os._exit(0)

    def end(self) -> None:
        """Have it end soon; from any thread."""
        self._ending.set()

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.end()

    def _work(self, job_id: int) -> None:
        from graticule.actions.work import run_job

        run_job(self._backend(), job_id, self._name, self._ending)

    def _look_round(self, first: float) -> None:
        """Until the end, take up from time to time what was left lying."""
        wait = first
        while not self._ending.wait(wait):
            from graticule.actions.work import take_up

            try:
                take_up(self._backend())
            except Exception:
                log.exception("Looking for jobs that were left lying failed.")
            wait = ROUND

    def _backend(self) -> Backend:
        """Opened at the first job: what that takes is much, and many workers never get one."""
        from graticule.backend import open_backend

        with self._opening:
            if self._opened is None:
                self._opened = open_backend(self._settings)
            return self._opened


def work(settings: Settings, *, attended: bool = False) -> None:
    """Be a worker until SIGTERM or SIGINT; ``attended`` until standard input ends, as it does with its parent."""
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s: %(name)s: %(message)s")
    logging.getLogger("huey").setLevel(logging.WARNING)
    worker = Worker(settings, open_queue(settings))
    if attended:
        os.nice(NICENESS)
        threading.Thread(target=_end_with_parent, args=(worker,), daemon=True).start()
    worker.run()


def _end_with_parent(worker: Worker) -> None:
    while os.read(0, 1024):
        pass
    worker.end()


class Crew:
    """So many workers as processes of their own, kept up to that number for as long as this process lives."""

    def __init__(self, data: Path, size: int) -> None:
        self._command = [sys.executable, "-m", "graticule", "worker", "--data", str(data), "--attended"]
        self._size = size
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._keep, daemon=True) for _ in range(size)]

    def __enter__(self) -> Crew:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _keep(self) -> None:
        """Keep one worker at work."""
        pause = PAUSE
        while not self._ending.is_set():
            begun = time.monotonic()
            process = self._hire()
            while process.poll() is None and not self._ending.wait(LOOK):
                pass
            process.stdin.close()  # type: ignore[union-attr]
            ended = process.wait()
            if time.monotonic() - begun > LONGEST_PAUSE:
                pause = PAUSE
            if not self._ending.wait(pause):
                log.warning("A worker ended with %d; another one takes its place.", ended)
            # One that cannot even start is not tried all the time.
            pause = min(2 * pause, LONGEST_PAUSE)

    def _hire(self) -> subprocess.Popen[bytes]:
        """A worker that ends when its standard input does: with this process, however that ends."""
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)  # noqa: S603
