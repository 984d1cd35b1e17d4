"""An attempt at a job, as its work sees it: steps, progress, ways to end."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Now

from accounts.rights import Refusal
from jobs import presence
from jobs.kind import StepKind
from jobs.models import Job, JobStep
from wire import WireError

RETRY_AS_OTHER = "Somebody who has these rights can retry the job."

Action = Callable[["Step"], str | None]


class Ended(Exception):
    """The job ends here, in this state."""

    def __init__(self, state: Job.State, message: str = "", code: str = "") -> None:
        super().__init__(message)
        self.state = state
        self.message = message
        self.code = code


class Parked(Exception):
    """The job waits for the world outside and is taken up again later.

    Args:
        queue: whose workers take it up then; empty for those that had it.
    """

    def __init__(self, seconds: float, queue: str = "") -> None:
        self.seconds = seconds
        self.queue = queue


class GivenBack(Exception):
    """This process was asked to end: the job is for another one, as it stands."""


class LeaseLost(Exception):
    """Another worker has the job now; this one must not touch it again."""


class Step:
    """A step being done. `interrupted`: an earlier attempt began it and vanished."""

    def __init__(self, row: JobStep) -> None:
        self.row = row
        self.interrupted = row.state == JobStep.State.RUNNING
        self.memo: dict[str, Any] = dict(row.memo)

    def save_memo(self, **memo: Any) -> None:
        """Commit what the next attempt must know, before acting on it."""
        self.memo |= memo
        JobStep.objects.filter(pk=self.row.pk).update(memo=self.memo)

    def show(self, detail: str) -> None:
        """Update the detail shown while the step runs."""
        JobStep.objects.filter(pk=self.row.pk).update(detail=detail[:1000])


class Run:
    """One attempt at a job, as its work function sees it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.lost = threading.Event()
        self.cancelled = threading.Event()
        self.refusal: Refusal | None = None
        self._progress: dict[str, Any] = {}

    @property
    def arguments(self) -> dict[str, Any]:
        arguments: dict[str, Any] = self.job.arguments
        return arguments

    def do(
        self, step_kind: StepKind | str, action: Action, label: str = ""
    ) -> dict[str, Any]:
        """Do a step unless an earlier attempt finished it; return its memo.

        `action` may return a sentence for the step's detail. A WireError or Ended
        that it raises fails the step and the job.
        """
        row = self._step(str(step_kind), label)
        if row.state in (JobStep.State.DONE, JobStep.State.SKIPPED):
            return dict(row.memo)
        self.raise_if_cancelled()
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

    def steps(self) -> dict[str, JobStep]:
        """The steps by key, for work that does many of them at once."""
        return {step.key: step for step in self.job.steps.all()}

    def begin_steps(
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
            _update_steps(rows, ["state", "memo", "detail", "started_at"])
            if doing:
                Job.objects.filter(pk=self.job.pk).update(doing=doing[:255])

    def end_steps(self, results: Mapping[str, tuple[str, str]]) -> None:
        """Commit how these steps ended: {key: (state, sentence)}."""
        with transaction.atomic():
            rows = list(self.job.steps.filter(key__in=results))
            for row in rows:
                row.state, row.detail = results[row.key][0], results[row.key][1][:1000]
                row.finished_at = Now()
            _update_steps(rows, ["state", "detail", "finished_at"])
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

    def raise_if_cancelled(self) -> None:
        """End here if somebody cancelled the job, if its requester may no longer do
        that, if another worker took it over, or if this process is to end."""
        self.refresh_cancelled()
        self.raise_if_seen_cancelled()

    def raise_if_seen_cancelled(self) -> None:
        """Like `raise_if_cancelled`, by what the heartbeat read: where the database
        must not be queried, as within a conversation, or not so often."""
        if self.lost.is_set():
            raise LeaseLost
        if presence.stopping.is_set():
            raise GivenBack
        if self.cancelled.is_set():
            raise Ended(Job.State.CANCELLED, "Cancelled on request.", "cancelled")
        if self.refusal:
            sentence = (
                f"{self.refusal.sentence} Nothing more was done. {RETRY_AS_OTHER}"
            )
            raise Ended(Job.State.CANCELLED, sentence, self.refusal.code)

    def refresh_cancelled(self) -> None:
        self.refusal = self.job.refusal()
        if Job.objects.filter(pk=self.job.pk, cancel_requested=True).exists():
            self.cancelled.set()

    def fail(self, message: str) -> NoReturn:
        raise Ended(Job.State.FAILED, message)

    def needs_attention(self, message: str) -> NoReturn:
        raise Ended(Job.State.NEEDS_ATTENTION, message)

    def park(self, seconds: float) -> NoReturn:
        """Give the worker back and come again after `seconds`."""
        raise Parked(seconds)

    def hand_over(self, queue: str, seconds: float = 0) -> NoReturn:
        """Give the job to the workers of a queue, which reach what is next, to go on
        where it stands."""
        raise Parked(seconds, queue)

    def rounds(self, *, pause: float, attended: float, later: float) -> Iterator[None]:
        """Yield for one round after the other until the worker was busy for long.

        Args:
            pause: seconds between two rounds.
            attended: seconds after which the worker is given back.
            later: seconds until the job is then taken up again.
        """
        enough = time.monotonic() + attended
        while True:
            self.raise_if_cancelled()
            yield
            if time.monotonic() > enough:
                self.park(later)
            self.pause(pause)

    def pause(self, seconds: float) -> None:
        """Sleep, but not longer than until the job is cancelled."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 1.0))
            self.raise_if_seen_cancelled()

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


def _update_steps(steps: list[JobStep], fields: list[str]) -> None:
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
