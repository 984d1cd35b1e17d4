"""Working on a job: claim it, keep the lease, do its work, record how it ended."""

import logging
import threading
import time
import uuid
from contextlib import suppress
from datetime import timedelta

from django.db import Error, connection, transaction
from django.db.models import Count, F
from django.db.models.functions import Now

from accounts import audit, rights
from base.request_ids import within_job
from jobs import presence
from jobs.alone import new_owner, perform_alone
from jobs.kind import kind_named
from jobs.locks import JobLock
from jobs.models import (
    LEASE,
    MAX_ATTEMPTS,
    MAX_CRASHES,
    Job,
    JobCount,
    JobQuerySet,
    JobStep,
    from_now,
)
from jobs.run import Ended, GivenBack, LeaseLost, Parked, Run
from rest.outages import Outage, outage_of
from wire import WireError

logger = logging.getLogger(__name__)

UNEXPECTED = "An unexpected error; the worker's log has it."

HEARTBEAT = 1.0
# Seconds until a job that met somebody's lock goes on.
LOCKED_PAUSE = 5.0
# Between two attempts to reach a database that does not answer.
AWAY_PAUSE = 1.0
RENEW_EVERY = LEASE.total_seconds() / 3


def perform_job(job_id: str, *, alone: bool = False) -> None:
    """Work on a due job to its end; do nothing if it is not due or was taken.

    Args:
        alone: work on a job that took a worker down in a process of its own.
    """
    if presence.stopping.is_set():
        return
    owner = uuid.uuid4().hex
    job = Job.objects.claim(job_id, owner, presence.current_process())
    if job is None:
        return
    with presence.in_hand(owner):
        if alone and 0 < job.crashes < MAX_CRASHES:
            with Heartbeat(Run(job), owner):
                done = perform_alone(job.pk, owner)
            if done or presence.stopping.is_set():
                return
            Job.objects.take_over(job_id, new_owner(owner), owner)
            mine = Job.objects.filter(pk=job.pk, owner=owner, state=Job.State.RUNNING)
            if not mine.update(crashes=F("crashes") + 1):
                return
        resume_job(job_id, owner)


def resume_job(job_id: str, owner: str) -> None:
    """Work on a job that was claimed."""
    job = Job.objects.filter(pk=job_id, owner=owner, state=Job.State.RUNNING).first()
    if job is None:
        return
    run = Run(job)
    on_behalf = rights.using_token(job.requested_token)
    with (
        presence.in_hand(owner),
        within_job(str(job.pk), job.request_id),
        on_behalf,
    ):
        with Heartbeat(run, owner):
            outcome = attempt_job(run)
        if not run.lost.is_set():
            finish_when_free(run, owner, outcome)


def finish_when_free(run: Run, owner: str, outcome: Ended | Parked) -> None:
    """Write the end once the database answers and nobody else holds the rows; keep
    the lease until then."""
    while True:
        try:
            return finish_job(run, owner, outcome)
        except Error as error:
            outage = outage_of(error)
            away = outage is Outage.AWAY and not presence.stopping.is_set()
            if outage is not Outage.LOCKED and not away:
                raise
            logger.warning("job %s waits for the database to write its end", run.job.pk)
        if away:
            connection.close()
            time.sleep(AWAY_PAUSE)
        with suppress(Error):
            Job.objects.filter(
                pk=run.job.pk, owner=owner, state=Job.State.RUNNING
            ).update(lease_until=from_now(LEASE))


def attempt_job(run: Run) -> Ended | Parked:
    """Do the work and say how it ended, whatever was raised."""
    if run.job.crashes >= MAX_CRASHES:
        return set_aside(run.job)
    if run.job.attempts > MAX_ATTEMPTS:
        return Ended(
            Job.State.NEEDS_ATTENTION,
            f"Interrupted {MAX_ATTEMPTS} times; look at the steps before you retry.",
        )
    try:
        # Work that was resumed checks for itself, since it may have to clean up.
        if not run.job.steps.exclude(state=JobStep.State.PENDING).exists():
            run.raise_if_cancelled()
        kind_named(run.job.kind)(run).work()
    except (Ended, Parked) as end:
        return end
    except GivenBack:
        return Parked(0)
    except LeaseLost:
        run.lost.set()
        return Ended(Job.State.FAILED)
    except WireError as error:
        unclear = error.outcome_unknown
        state = Job.State.NEEDS_ATTENTION if unclear else Job.State.FAILED
        said = f"{error.message} {error.remedy}".strip()
        return Ended(state, said, error.code.value)
    except Error as error:
        # Read back like a crash: the step goes on where it was.
        outage = outage_of(error)
        if outage is Outage.AWAY:
            return Parked(0)
        return Parked(LOCKED_PAUSE) if outage is Outage.LOCKED else unexpected_end(run)
    except Exception:
        return unexpected_end(run)
    return Ended(Job.State.SUCCEEDED)


def set_aside(job: Job) -> Ended:
    logger.error("job %s (%s) took its worker down: set aside", job.pk, job.kind)
    at = f" It was at: {job.doing}." if job.doing else ""
    return Ended(
        Job.State.NEEDS_ATTENTION,
        "A worker process ended twice while it worked on this job, so "
        f"the job was set aside; other jobs go on.{at} The worker's log has the cause. "
        "Retry the job when that is fixed.",
        "worker-lost",
    )


def unexpected_end(run: Run) -> Ended:
    logger.exception("job %s (%s) broke", run.job.pk, run.job.kind)
    return Ended(Job.State.FAILED, UNEXPECTED)


@transaction.atomic
def finish_job(run: Run, owner: str, outcome: Ended | Parked) -> None:
    """Write the end, if the job is still ours, and free what it held."""
    run.flush()
    mine = Job.objects.filter(pk=run.job.pk, owner=owner, state=Job.State.RUNNING)
    if isinstance(outcome, Parked):
        return park_job(run.job, mine, outcome)
    ended = mine.update(
        state=outcome.state,
        error=outcome.message[:1000],
        error_code=outcome.code,
        finished_at=Now(),
        lease_until=None,
        doing="",
    )
    if ended:
        run.job.steps.filter(state=JobStep.State.PENDING).update(
            state=JobStep.State.SKIPPED
        )
        run.job.steps.filter(state=JobStep.State.RUNNING).update(
            state=JobStep.State.UNKNOWN,
            detail="The job ended before the outcome was known.",
            finished_at=Now(),
        )
        JobLock.objects.filter(job=run.job).delete()
        run.job.error_code = outcome.code
        JobCount.objects.add(run.job.kind, outcome.state)
        run.job.clean_up(outcome.state)
        if kind_named(run.job.kind).audited:
            audit_end(run.job, outcome)


def park_job(job: Job, mine: JobQuerySet, outcome: Parked) -> None:
    """Queue a job again; it was not interrupted, so its attempts count for nothing."""
    later = from_now(timedelta(seconds=outcome.seconds))
    mine.update(
        state=Job.State.QUEUED,
        lease_until=None,
        attempts=0,
        not_before=later,
        ring_at=later,
        **({"queue": outcome.queue} if outcome.queue else {}),
    )
    if outcome.queue and not outcome.seconds:
        job.queue = outcome.queue
        transaction.on_commit(job.ring, robust=True)


def audit_end(job: Job, outcome: Ended) -> None:
    """Record how it ended, in the name of its requester."""
    requester = audit.Actor(job.requested_by, job.requested_from)
    steps = job.steps.order_by().values_list("state").annotate(n=Count("pk"))
    changes: audit.Changes = {
        "state": [Job.State.RUNNING, outcome.state],
        "steps": [None, dict(sorted(steps))],
    }
    if outcome.message:
        changes["error"] = ["", outcome.message[:1000]]
    audit.append_entry(requester, "end job", job, changes)


class Heartbeat:
    """A thread that renews the lease, writes progress and looks for a cancellation."""

    def __init__(self, run: Run, owner: str) -> None:
        self.run = run
        self.owner = owner
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.beat, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *exception: object) -> None:
        self.stop.set()
        self.thread.join()

    def beat(self) -> None:
        waited = 0.0
        try:
            while not self.stop.wait(HEARTBEAT):
                waited += HEARTBEAT
                try:
                    self.run.flush()
                    self.run.refresh_cancelled()
                    if waited >= RENEW_EVERY:
                        self.renew()
                        # Only now: what failed is tried again a second later.
                        waited = 0.0
                except Error:
                    logger.warning("the lease could not be renewed", exc_info=True)
                    # A broken one does not open again by itself.
                    connection.close()
        finally:
            connection.close()

    def renew(self) -> None:
        held = Job.objects.filter(pk=self.run.job.pk, owner=self.owner)
        if not held.update(lease_until=from_now(LEASE)):
            self.run.lost.set()
