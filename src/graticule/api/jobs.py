"""/jobs: work that takes more than a moment."""

from __future__ import annotations

from fastapi import APIRouter, Response

from graticule.actions import jobs, work
from graticule.api import reply
from graticule.api.deps import ApiCall
from graticule.api.schemas.out import job_out
from graticule.errors import BadRequest

router = APIRouter(tags=["jobs"])


@router.get("/jobs")
def list_jobs(call: ApiCall) -> Response:
    """The caller's jobs, the newest first."""
    wanted = call.listing()
    total, found = jobs.list_jobs(call.backend, call.actor, wanted)
    return reply.listed("jobs", total, wanted.page, [job_out(job) for job in found])


@router.get("/jobs/{job_id:id}")
def get_job(call: ApiCall, job_id: int) -> Response:
    """One job: how far it is, and what came of it."""
    job = jobs.get_job(call.backend, call.actor, job_id)
    return reply.tagged(call, job_out(job), job.version)


@router.put("/jobs/{job_id:id}")
def update_job(call: ApiCall, job_id: int) -> Response:
    """Cancel a job by the state "cancelled"; nothing else of it can be changed."""
    job, state = jobs.get_job(call.backend, call.actor, job_id), call.fields.get("state")
    if state not in (None, "cancelled", job.state):
        message = "The state of a job can only be changed to cancelled."
        raise BadRequest(message, field="state", value=state, expected="cancelled")
    if state == "cancelled":
        job = work.cancel_job(call.backend, call.actor, job_id, call.if_match_version())
    return reply.updated(call, job_out(job), job.version)


@router.delete("/jobs/{job_id:id}", status_code=204)
def cancel_job(call: ApiCall, job_id: int) -> Response:
    """Cancel a job: at once where it waits, else as soon as it can leave off."""
    work.cancel_job(call.backend, call.actor, job_id, call.if_match_version())
    return reply.nothing()
