"""The kinds of jobs, and what does them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graticule.actions import buffers, export_jobs, reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from graticule.actions.jobs import Progress
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.catalogue.orm import Job

    Run = Callable[[Backend, Actor, Mapping[str, Any], Progress], dict[str, Any] | None]
    NotDone = Callable[[Session, Job, str], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """``run`` does the job, for its owner and with its arguments, and answers its result.

    It may begin anew after a worker died in the middle of it. ``not_done`` notes, in the transaction that ends the
    job, that it failed or was cancelled, and why.
    """

    run: Run
    not_done: NotDone | None = None


KINDS: dict[str, Kind] = {
    "import": Kind(reading.run_import, reading.import_not_done),
    "export": Kind(export_jobs.run_export),
    "buffer": Kind(buffers.run_buffer, buffers.buffer_not_done),
}
