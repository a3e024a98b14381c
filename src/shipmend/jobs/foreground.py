"""Doing a job here and now, for a person at a terminal who waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from uuid import UUID

from shipmend.jobs.queries import JobState, JobView, find_job
from shipmend.jobs.queue import Claimer
from shipmend.jobs.registry import Registry
from shipmend.jobs.running import Running, heartbeat, owner_name

LOOK_EVERY = 0.2
LEASE = 15.0
"""Seconds; short, because a person who gives up and starts anew should not wait long for the old lease."""


class JobFailed(Exception):
    """Another worker did the job and failed. `for_people` is the sentence it left."""

    def __init__(self, for_people: str) -> None:
        super().__init__(for_people)
        self.for_people = for_people


def do_now(
    registry: Registry, *, job_id: UUID, entity_id: UUID, kind: str, key: str, on_wait: Callable[[], None]
) -> None:
    """Do this job in the calling thread, or, when a worker has it already, wait until that worker is through.

    `on_wait` is called now and then while waiting. Raises what the handler raises, or JobFailed for another's.
    """
    running = Running(registry, lease=LEASE, stopping=threading.Event())
    claimer = Claimer([kind], owner=owner_name(), lease=LEASE)
    with heartbeat(running, lease=LEASE):
        while not _is_over(find_job(entity_id, job_id)):
            # Perhaps first one that a vanished worker has left: as long as that is open, ours can't begin.
            claim = claimer.of(entity_id, kind, key)
            if claim is None:
                on_wait()
                time.sleep(LOOK_EVERY)
                continue
            error = running.run(claim, running.hold(claim))
            if error is not None and claim.id == job_id:
                raise error


def _is_over(job: JobView | None) -> bool:
    """Whether the job has been done. Raises JobFailed when it went wrong elsewhere."""
    if job is None:
        return True
    if job.error and job.state is not JobState.RUNNING:
        raise JobFailed(job.error)
    return job.state is JobState.DONE
