"""Waiting for a fetch, for a call that speaks of what may just have been pushed."""

from __future__ import annotations

import time
from functools import partial
from uuid import UUID

from shipmend.catalog.models import Repo
from shipmend.db.writes import aside
from shipmend.history.actions import request_index
from shipmend.jobs.queries import JobState, find_job

FIRST_LOOK = 0.01
LAST_LOOK = 0.1
"""Seconds between two looks at the job, growing from the first to the last."""


def fetch_and_wait(entity_id: UUID, repo_id: UUID, seconds: float) -> bool:
    """Have a repo fetched and indexed, and wait for that so many seconds at the most; never inside write().

    True when all that was on the remote at the time of the call is indexed. False when that takes longer or
    failed, and for a repo that is not there.
    """
    return aside(partial(_fetch_and_wait, entity_id, repo_id, seconds))


def _fetch_and_wait(entity_id: UUID, repo_id: UUID, seconds: float) -> bool:
    repo = Repo.objects.filter(entity_id=entity_id, id=repo_id).first()
    if repo is None:
        return False
    until = time.monotonic() + seconds
    job_id = request_index(repo, reason="a call named a commit not seen yet")
    pause = FIRST_LOOK
    while time.monotonic() < until:
        time.sleep(pause)
        pause = min(pause * 1.5, LAST_LOOK)
        job = find_job(entity_id, job_id)
        if job is None or job.error or job.state in (JobState.DONE, JobState.DEAD):
            return job is not None and not job.error
    return False
