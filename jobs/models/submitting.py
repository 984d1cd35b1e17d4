"""How jobs are queried, claimed and submitted.

A job's row is the outbox: it is committed with the change that requested it, and
`ring_due` rings for every row that nobody took. The broker only makes that quick.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Now

from accounts import rights
from accounts.audit import Actor
from accounts.cluster_limits import ScopedManager, all_clusters, current_limit
from accounts.models import AuditEntry
from base import request_ids
from jobs.kind import JobKind, JobRequest, kind_named, withdrawn_kinds
from jobs.locks import Busy, JobLock, hold_all
from jobs.models.clock import from_now
from jobs.models.job_counts import JobCount
from jobs.models.processes import Process
from jobs.models.steps import JobCluster, JobStep

if TYPE_CHECKING:
    from jobs.models.jobs import Job

LEASE = timedelta(seconds=30)
# A job that was rung is rung again after this, should the first ring be lost.
RING_AGAIN = timedelta(seconds=20)
MAX_ATTEMPTS = 5
# A job that took its worker down so many times is set aside.
MAX_CRASHES = 2
# So many rows are written in one statement.
BATCH = 500


class JobState(models.TextChoices):
    """How a job stands; the first two are of jobs that go on."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    NEEDS_ATTENTION = "needs_attention"
    CANCELLED = "cancelled"


ACTIVE = (JobState.QUEUED, JobState.RUNNING)


class JobQuerySet(models.QuerySet["Job"]):
    """Queries that decide who works on what."""

    def active(self) -> Self:
        return self.filter(state__in=ACTIVE)

    def due(self) -> Self:
        """Jobs that somebody should be working on, and nobody is."""
        waiting = Q(state=JobState.QUEUED, not_before__lte=Now())
        abandoned = Q(state=JobState.RUNNING, lease_until__lt=Now())
        return self.filter(waiting | abandoned)

    def claim(self, pk: str, owner: str, worker: UUID | None = None) -> "Job | None":
        """Take a due job for LEASE; None if another worker has it or it is done."""
        mine: dict[str, Any] = {
            "state": JobState.RUNNING,
            "owner": owner,
            "worker": worker,
            "lease_until": from_now(LEASE),
            "claimed_at": Now(),
            "attempts": F("attempts") + 1,
            "excused": False,
        }
        due = self.due().filter(pk=pk)
        waiting = due.filter(state=JobState.QUEUED)
        abandoned = due.filter(state=JobState.RUNNING)
        if not (
            waiting.update(**mine)
            or abandoned.update(**mine, crashes=F("crashes") + ended_worker())
        ):
            return None
        self.filter(pk=pk, started_at=None).update(started_at=Now())
        return self.get(pk=pk)

    def take_over(self, pk: str, owner: str, successor: str) -> bool:
        """Hand a job in hand from one owner to another, with a fresh lease."""
        mine = self.filter(pk=pk, owner=owner, state=JobState.RUNNING)
        return bool(mine.update(owner=successor, lease_until=from_now(LEASE)))

    @transaction.atomic
    def cancel_waiting(self) -> int:
        """End at once those that nobody took; return how many."""
        waiting = list(self.filter(state=JobState.QUEUED).values_list("pk", flat=True))
        if not waiting:
            return 0
        jobs = self.model._default_manager.filter(pk__in=waiting)
        ended: int = jobs.filter(state=JobState.QUEUED).update(
            state=JobState.CANCELLED, finished_at=Now()
        )
        # A worker may have taken one of them since.
        cancelled = jobs.filter(state=JobState.CANCELLED)
        gone = cancelled.values("pk")
        counts = cancelled.order_by().values_list("kind").annotate(models.Count("pk"))
        for kind, count in counts:
            JobCount.objects.add(kind, JobState.CANCELLED, count)
        JobLock.objects.filter(job__in=gone).delete()
        JobStep.objects.filter(job__in=gone, state=JobStep.State.PENDING).update(
            state=JobStep.State.SKIPPED
        )
        return ended

    def withdraw(self, rows: Iterable[models.Model]) -> None:
        """Cancel the waiting jobs of rows that are to be edited or deleted.

        Raises:
            jobs.locks.Busy: somebody works on one of them.
        """
        targets = [str(row.pk) for row in rows]
        with all_clusters():
            jobs = self.active().filter(target_id__in=targets)
            jobs = jobs.filter(kind__in=withdrawn_kinds())
            jobs.cancel_waiting()
            working = jobs.first()
        if working is not None:
            raise Busy(working)

    def in_list(self) -> Self:
        """With what a list shows of each."""
        found = self.select_related("requested_by")
        return found if current_limit() is None else found.prefetch_related("on")

    def for_target(self, target: models.Model) -> Self:
        return self.filter(target_id=str(target.pk))

    def about(self, object_type: str, object_id: str) -> Self:
        """Those of an object, and those of many that the audit log names with it."""
        entries = AuditEntry.objects.filter(object_type=object_type)
        of_many = entries.filter(object_id=object_id).exclude(job_id="")
        jobs = set(of_many.values_list("job_id", flat=True))
        return self.filter(Q(target_id=object_id) | Q(pk__in=jobs))


def ended_worker() -> Case:
    """1 for an abandoned job whose worker is gone; 0 if that was a stop on request, or
    if the worker is there and only lost its lease, as when the database was away."""
    alive = Process.objects.alive().filter(pk=OuterRef("worker_id"))
    not_at_fault = Q(excused=True) | Q(Exists(alive))
    return Case(When(not_at_fault, then=Value(0)), default=Value(1))


class JobManager(ScopedManager.from_queryset(JobQuerySet)):  # type: ignore[misc]
    """Submits jobs."""

    def submit(
        self,
        kind: str | type[JobKind],
        steps: Sequence[tuple[str, str]],
        *,
        target: models.Model | None = None,
        label: str = "",
        arguments: dict[str, Any] | None = None,
        locks: Iterable[str] = (),
        clusters: Iterable[UUID | str] = (),
        user: Any = None,
        address: str | None = None,
        queue: str = "",
    ) -> "Job":
        """Commit a job with its steps [(key, label)], and ring once it is committed.

        Args:
            clusters: those that it works on; those of its target are known.

        Raises Busy when an unfinished job holds one of the locks.
        """
        name = kind if isinstance(kind, str) else kind.name
        request = JobRequest(
            name, steps, target, label, arguments or {}, locks, clusters, queue
        )
        return self.submit_all([request], user=user, address=address)[0]

    @transaction.atomic
    def submit_all(
        self,
        many: Iterable[JobRequest],
        *,
        user: Any = None,
        address: str | None = None,
    ) -> list["Job"]:
        """Commit many jobs at once, in a few statements; otherwise as `submit`."""
        rows = {self.row_of(request, user, address): request for request in many}
        jobs = list(rows)
        self.bulk_create(jobs, batch_size=BATCH)
        JobStep.objects.bulk_create(
            (
                JobStep(job=job, position=position, key=key, label=text)
                for job, request in rows.items()
                for position, (key, text) in enumerate(request.steps)
            ),
            batch_size=BATCH,
        )
        JobCluster.objects.bulk_create(
            (
                JobCluster(job=job, cluster=cluster)
                for job, request in rows.items()
                for cluster in request.touched
            ),
            batch_size=BATCH,
        )
        hold_all([JobLock(name=n, job=job) for job in jobs for n in job.lock_names])
        transaction.on_commit(lambda: ring_all(jobs), robust=True)
        return jobs

    def row_of(self, request: JobRequest, user: Any, address: str | None) -> "Job":
        target = request.target
        row: Job = self.model(
            kind=request.kind,
            queue=request.queue or kind_named(request.kind).queue,
            arguments=request.arguments,
            lock_names=sorted(set(request.locks)),
            target_type=(target._meta.model_name or "") if target else "",
            target_id=str(target.pk) if target else "",
            target_label=(request.label or (str(target) if target else ""))[:255],
            **requested_by(Actor(user, address)),
            total=len(request.steps),
            not_before=Now(),
            ring_at=Now(),
        )
        return row


def ring_all(jobs: Iterable["Job"]) -> None:
    """Tell the workers; never fails, since `ring_due` rings again."""
    from jobs.dispatch import send_messages

    send_messages([(str(job.pk), job.queue) for job in jobs])


def requested_by(actor: Actor | None) -> dict[str, Any]:
    """The columns that say with whose rights a job runs."""
    if actor is None:
        return {}
    return {
        "requested_by": actor.user,
        "requested_name": actor.user.get_username() if actor.user else "",
        "requested_token": rights.token_in_use() if actor.user else None,
        "requested_from": actor.address,
        "request_id": actor.request_id or request_ids.current_request_id(),
    }
