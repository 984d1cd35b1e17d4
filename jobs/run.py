"""Doing a job: claim it, keep the lease, do each step once, tell how it ended."""

import logging
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn

from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Q
from django.db.models.functions import Now

from accounts import audit
from jobs import kinds
from jobs.locks import JobLock
from jobs.models import LEASE, MAX_ATTEMPTS, Job, JobStep, from_now
from rest.request_ids import within_job
from wire import WireError

logger = logging.getLogger(__name__)

HEARTBEAT = 1.0
RENEW_EVERY = LEASE.total_seconds() / 3

Action = Callable[["Step"], str | None]


class Ended(Exception):
    """The job ends here, in this state."""

    def __init__(self, state: Job.State, message: str = "") -> None:
        super().__init__(message)
        self.state = state
        self.message = message


class Parked(Exception):
    """The job waits for the world outside and is taken up again later."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class LeaseLost(Exception):
    """Another worker has the job now; this one must not touch it again."""


class Step:
    """A step being done. `interrupted`: an earlier attempt began it and vanished."""

    def __init__(self, row: JobStep) -> None:
        self.row = row
        self.interrupted = row.state == JobStep.State.RUNNING
        self.memo: dict[str, Any] = dict(row.memo)

    def remember(self, **memo: Any) -> None:
        """Commit what the next attempt must know, before acting on it."""
        self.memo |= memo
        JobStep.objects.filter(pk=self.row.pk).update(memo=self.memo)

    def say(self, detail: str) -> None:
        """Tell how it stands while the step is not over."""
        JobStep.objects.filter(pk=self.row.pk).update(detail=detail[:1000])


class Run:
    """One attempt at a job, as its work function sees it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.lost = threading.Event()
        self.cancelled = threading.Event()
        self._progress: dict[str, Any] = {}

    @property
    def arguments(self) -> dict[str, Any]:
        arguments: dict[str, Any] = self.job.arguments
        return arguments

    def do(self, key: str, action: Action, label: str = "") -> dict[str, Any]:
        """Do a step unless an earlier attempt finished it; return its memo.

        `action` may return a sentence for the step's detail. A WireError or Ended
        that it raises fails the step and the job.
        """
        row = self._step(key, label)
        if row.state in (JobStep.State.DONE, JobStep.State.SKIPPED):
            return dict(row.memo)
        self.check()
        step = Step(row)
        self._begin(row)
        try:
            detail = action(step)
        except Ended as end:
            self._end_step(row, _step_state(end), end.message)
            raise
        except WireError as error:
            state = JobStep.State.UNKNOWN if error.outcome_unknown else "failed"
            self._end_step(row, state, f"{error.message} {error.remedy}".strip())
            raise
        self._end_step(row, JobStep.State.DONE, detail or "")
        return step.memo

    def skip(self, key: str, detail: str) -> None:
        """Close a step that is not needed, saying why."""
        self._end_step(self._step(key, ""), JobStep.State.SKIPPED, detail)

    def steps(self) -> dict[str, JobStep]:
        """The steps by key, for work that does many of them at once."""
        return {step.key: step for step in self.job.steps.all()}

    def remember(
        self,
        memos: dict[str, dict[str, Any]],
        doing: str = "",
        details: dict[str, str] | None = None,
    ) -> None:
        """Begin these steps {key: memo}, committing what a next attempt must know.

        Args:
            details: what is to be said of some of them meanwhile.
        """
        with transaction.atomic():
            rows = list(self.job.steps.filter(key__in=memos))
            for row in rows:
                row.state = JobStep.State.RUNNING
                row.memo = row.memo | memos[row.key]
                row.detail = (details or {}).get(row.key, row.detail)[:1000]
                row.started_at = row.started_at or Now()
            _write(rows, ["state", "memo", "detail", "started_at"])
            if doing:
                Job.objects.filter(pk=self.job.pk).update(doing=doing[:255])

    def settle(self, results: dict[str, tuple[str, str]]) -> None:
        """Commit how these steps ended: {key: (state, sentence)}."""
        with transaction.atomic():
            rows = list(self.job.steps.filter(key__in=results))
            for row in rows:
                row.state, row.detail = results[row.key][0], results[row.key][1][:1000]
                row.finished_at = Now()
            _write(rows, ["state", "detail", "finished_at"])
            self._count()

    def add_steps(self, steps: list[tuple[str, str]]) -> None:
        """Append steps that are only known now; a resumed job has them already."""
        known = set(self.job.steps.values_list("key", flat=True))
        fresh = [(key, label) for key, label in steps if key not in known]
        JobStep.objects.bulk_create(
            JobStep(job=self.job, position=len(known) + n, key=key, label=label[:255])
            for n, (key, label) in enumerate(fresh)
        )
        Job.objects.filter(pk=self.job.pk).update(total=len(known) + len(fresh))

    def progress(self, done: int, total: int, doing: str = "") -> None:
        """Say how far it is; the heartbeat writes it, so this is cheap anywhere."""
        self._progress = {"done": done, "total": total, "doing": doing[:255]}

    def check(self) -> None:
        """End here if somebody cancelled the job or another worker took it over."""
        self.look()
        self.glance()

    def glance(self) -> None:
        """Like `check`, by what the heartbeat saw: where the database cannot be asked,
        as in a conversation, or often."""
        if self.lost.is_set():
            raise LeaseLost
        if self.cancelled.is_set():
            raise Ended(Job.State.CANCELLED, "Cancelled on request.")

    def look(self) -> None:
        if Job.objects.filter(pk=self.job.pk, cancel_requested=True).exists():
            self.cancelled.set()

    def fail(self, message: str) -> NoReturn:
        raise Ended(Job.State.FAILED, message)

    def needs_attention(self, message: str) -> NoReturn:
        raise Ended(Job.State.NEEDS_ATTENTION, message)

    def park(self, seconds: float) -> NoReturn:
        """Give the worker back and come again after `seconds`."""
        raise Parked(seconds)

    def flush(self) -> None:
        progress, self._progress = self._progress, {}
        if progress:
            Job.objects.filter(pk=self.job.pk).update(**progress)

    def _step(self, key: str, label: str) -> JobStep:
        row = self.job.steps.filter(key=key).first()
        if row is None:
            self.add_steps([(key, label)])
            row = self.job.steps.get(key=key)
        return row

    def _begin(self, row: JobStep) -> None:
        JobStep.objects.filter(pk=row.pk).update(
            state=JobStep.State.RUNNING, started_at=Now(), finished_at=None
        )
        Job.objects.filter(pk=self.job.pk).update(doing=row.label)

    def _end_step(self, row: JobStep, state: str, detail: str) -> None:
        JobStep.objects.filter(pk=row.pk).update(
            state=state, detail=detail[:1000], finished_at=Now()
        )
        self._count()

    def _count(self) -> None:
        """Derive progress from the steps, so that a repeated one never counts twice."""
        self._progress = {}
        open_states = [JobStep.State.PENDING, JobStep.State.RUNNING]
        counts = self.job.steps.aggregate(
            total=Count("pk"), open=Count("pk", filter=Q(state__in=open_states))
        )
        Job.objects.filter(pk=self.job.pk).update(
            done=counts["total"] - counts["open"], total=counts["total"]
        )


def _write(steps: list[JobStep], fields: list[str]) -> None:
    """Update many rows by their ids; several times quicker than bulk_update."""
    JobStep.objects.bulk_create(
        steps, update_conflicts=True, unique_fields=["id"], update_fields=fields
    )


def _step_state(end: Ended) -> JobStep.State:
    if end.state == Job.State.CANCELLED:
        return JobStep.State.SKIPPED
    if end.state == Job.State.SUCCEEDED:
        return JobStep.State.DONE
    return JobStep.State.FAILED


def perform(job_id: str) -> None:
    """Work on a due job to its end; do nothing if it is not due or was taken."""
    owner = uuid.uuid4().hex
    job = Job.objects.claim(job_id, owner)
    if job is None:
        return
    run = Run(job)
    with within_job(str(job.pk), job.request_id):
        with Heartbeat(run, owner):
            outcome = attempt(run)
        if not run.lost.is_set():
            finish(run, owner, outcome)


def attempt(run: Run) -> Ended | Parked:
    """Do the work and say how it ended, whatever was raised."""
    if run.job.attempts > MAX_ATTEMPTS:
        return Ended(
            Job.State.NEEDS_ATTENTION,
            f"Interrupted {MAX_ATTEMPTS} times; look at the steps before you retry.",
        )
    try:
        kinds.get(run.job.kind).work(run)
    except (Ended, Parked) as end:
        return end
    except LeaseLost:
        run.lost.set()
        return Ended(Job.State.FAILED)
    except WireError as error:
        unclear = error.outcome_unknown
        state = Job.State.NEEDS_ATTENTION if unclear else Job.State.FAILED
        return Ended(state, f"{error.message} {error.remedy}".strip())
    except Exception:
        logger.exception("job %s (%s) broke", run.job.pk, run.job.kind)
        return Ended(Job.State.FAILED, "An unexpected error; the worker's log has it.")
    return Ended(Job.State.SUCCEEDED)


@transaction.atomic
def finish(run: Run, owner: str, outcome: Ended | Parked) -> None:
    """Write the end, if the job is still ours, and free what it held."""
    run.flush()
    mine = Job.objects.filter(pk=run.job.pk, owner=owner, state=Job.State.RUNNING)
    if isinstance(outcome, Parked):
        # A parked job was not interrupted: its attempts do not count against it.
        mine.update(
            state=Job.State.QUEUED,
            lease_until=None,
            attempts=0,
            not_before=from_now(timedelta(seconds=outcome.seconds)),
            ring_at=from_now(timedelta(seconds=outcome.seconds)),
        )
        return
    ended = mine.update(
        state=outcome.state,
        error=outcome.message[:1000],
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
        if kinds.get(run.job.kind).audited:
            tell_audit(run.job, outcome)


def tell_audit(job: Job, outcome: Ended) -> None:
    """Record how it ended, as done for whoever asked."""
    asker = audit.Actor(job.requested_by, job.requested_from)
    steps = job.steps.order_by().values_list("state").annotate(n=Count("pk"))
    changes: audit.Changes = {
        "state": [Job.State.RUNNING, outcome.state],
        "steps": [None, dict(sorted(steps))],
    }
    if outcome.message:
        changes["error"] = ["", outcome.message[:1000]]
    audit.record(asker, "end job", job, changes)


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
                    self.run.look()
                    if waited >= RENEW_EVERY:
                        waited = 0.0
                        self.renew()
                except DatabaseError:
                    logger.warning("the lease could not be renewed", exc_info=True)
        finally:
            connection.close()

    def renew(self) -> None:
        held = Job.objects.filter(pk=self.run.job.pk, owner=self.owner)
        if not held.update(lease_until=from_now(LEASE)):
            self.run.lost.set()
