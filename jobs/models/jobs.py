"""Jobs: how they are asked for, who works on them, how they stand.

The job's row is the outbox: it is committed with the change that asked for it, and
`ring_due` rings for every row that nobody took. The broker only makes that quick.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models import ExpressionWrapper, F, Q
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from accounts.scope import (
    HangsOnClusters,
    Limit,
    Scope,
    ScopedManager,
    current,
)
from jobs import kinds
from jobs.asked import Asked
from jobs.locks import Busy, JobLock, hold, hold_all
from jobs.models.steps import JobCluster, JobStep
from rest import request_ids

LEASE = timedelta(seconds=30)
# A job that was rung is rung again after this, should the first ring be lost.
RING_AGAIN = timedelta(seconds=20)
MAX_ATTEMPTS = 5
# So many rows are written in one statement.
BATCH = 500

BEYOND = "This job also works on clusters outside your limit."


def from_now(delta: timedelta) -> "ExpressionWrapper[CombinedExpression]":
    """Return a time by the database's clock; workers' clocks may differ."""
    return ExpressionWrapper(Now() + delta, output_field=models.DateTimeField())


class JobQuerySet(models.QuerySet["Job"]):
    """Queries that decide who works on what."""

    def active(self) -> Self:
        return self.filter(state__in=Job.ACTIVE)

    def due(self) -> Self:
        """Jobs that somebody should be working on, and nobody is."""
        waiting = Q(state=Job.State.QUEUED, not_before__lte=Now())
        abandoned = Q(state=Job.State.RUNNING, lease_until__lt=Now())
        return self.filter(waiting | abandoned)

    def claim(self, pk: str, owner: str) -> "Job | None":
        """Take a due job for LEASE; None if another worker has it or it is done."""
        taken = (
            self.due()
            .filter(pk=pk)
            .update(
                state=Job.State.RUNNING,
                owner=owner,
                lease_until=from_now(LEASE),
                attempts=F("attempts") + 1,
            )
        )
        if not taken:
            return None
        self.filter(pk=pk, started_at=None).update(started_at=Now())
        return self.get(pk=pk)

    @transaction.atomic
    def cancel_waiting(self) -> int:
        """End at once those that nobody took; return how many."""
        waiting = list(self.filter(state=Job.State.QUEUED).values_list("pk", flat=True))
        if not waiting:
            return 0
        these = Job.objects.filter(pk__in=waiting)
        ended: int = these.filter(state=Job.State.QUEUED).update(
            state=Job.State.CANCELLED, finished_at=Now()
        )
        # A worker may have taken one of them since.
        gone = these.filter(state=Job.State.CANCELLED).values("pk")
        JobLock.objects.filter(job__in=gone).delete()
        JobStep.objects.filter(job__in=gone, state=JobStep.State.PENDING).update(
            state=JobStep.State.SKIPPED
        )
        return ended

    def in_list(self) -> Self:
        """With what a list shows of each."""
        found = self.select_related("requested_by")
        return found if current() is None else found.prefetch_related("on")

    def for_target(self, target: models.Model) -> Self:
        return self.filter(target_id=str(target.pk))


class JobManager(ScopedManager.from_queryset(JobQuerySet)):  # type: ignore[misc]
    """Submits jobs."""

    def submit(
        self,
        kind: str,
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
        asked = Asked(
            kind, steps, target, label, arguments or {}, locks, clusters, queue
        )
        return self.submit_all([asked], user=user, address=address)[0]

    @transaction.atomic
    def submit_all(
        self, many: Iterable[Asked], *, user: Any = None, address: str | None = None
    ) -> list["Job"]:
        """Commit many jobs at once, in a few statements; else as `submit`."""
        rows = {self.row_of(asked, user, address): asked for asked in many}
        jobs = list(rows)
        self.bulk_create(jobs, batch_size=BATCH)
        JobStep.objects.bulk_create(
            (
                JobStep(job=job, position=position, key=key, label=text)
                for job, asked in rows.items()
                for position, (key, text) in enumerate(asked.steps)
            ),
            batch_size=BATCH,
        )
        JobCluster.objects.bulk_create(
            (
                JobCluster(job=job, cluster=cluster)
                for job, asked in rows.items()
                for cluster in asked.touched
            ),
            batch_size=BATCH,
        )
        hold_all([JobLock(name=n, job=job) for job in jobs for n in job.lock_names])
        transaction.on_commit(lambda: ring_all(jobs), robust=True)
        return jobs

    def row_of(self, asked: Asked, user: Any, address: str | None) -> "Job":
        target = asked.target
        return Job(
            kind=asked.kind,
            queue=asked.queue or kinds.get(asked.kind).queue,
            arguments=asked.arguments,
            lock_names=sorted(set(asked.locks)),
            target_type=(target._meta.model_name or "") if target else "",
            target_id=str(target.pk) if target else "",
            target_label=(asked.label or (str(target) if target else ""))[:255],
            requested_by=user,
            requested_from=address,
            request_id=request_ids.known(),
            total=len(asked.steps),
            not_before=Now(),
            ring_at=Now(),
        )


def ring_all(jobs: Iterable["Job"]) -> None:
    """Tell the workers; never fails, since `ring_due` rings again."""
    from jobs.doorbell import ring

    ring([(str(job.pk), job.queue) for job in jobs])


def jobs_within(limit: Limit) -> models.QuerySet["Job"]:
    """Jobs that a person asked for, or that work on one of the clusters."""
    touching = JobCluster._base_manager.filter(cluster__in=limit.clusters)
    theirs = Q(pk__in=touching.values("job"))
    if limit.user_id:
        theirs |= Q(requested_by=limit.user_id)
    return Job._base_manager.filter(theirs)


class Job(HangsOnClusters):
    """One piece of background work, and the story of how it went."""

    scope = Scope("pk", jobs_within, lambda job: {one.cluster for one in job.on.all()})

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        ROLLED_BACK = "rolled_back"
        NEEDS_ATTENTION = "needs_attention"
        CANCELLED = "cancelled"

    ACTIVE = (State.QUEUED, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    queue = models.CharField(max_length=60)
    state = models.CharField(max_length=20, choices=State.choices, default=State.QUEUED)
    arguments = models.JSONField(default=dict)
    lock_names = models.JSONField(default=list)
    target_type = models.CharField(max_length=60, blank=True)
    target_id = models.CharField(max_length=64, blank=True)
    target_label = models.CharField(max_length=255, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL
    )
    requested_from = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    doing = models.CharField(max_length=255, blank=True)
    error = models.CharField(max_length=1000, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    owner = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True)
    # A job that waits for the world outside is not taken before this.
    not_before = models.DateTimeField()
    # When the workers are to be told of it again.
    ring_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobManager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            # What is due (every few seconds), the header's badge, the list.
            models.Index(fields=["state", "not_before"], name="job_due"),
            models.Index(fields=["-created_at", "-id"], name="job_newest"),
            models.Index(fields=["target_id"], name="job_target"),
        ]

    def __str__(self) -> str:
        return f"{self.label} {self.target_label}".strip()

    def get_absolute_url(self) -> str:
        return reverse("jobs:show", args=[self.pk])

    @property
    def label(self) -> str:
        return kinds.get(self.kind).label

    @property
    def beyond(self) -> bool:
        """Whether it also works on clusters that whoever asks may not see."""
        limit = current()
        if limit is None:
            return False
        return any(not limit.admits(one.cluster) for one in self.on.all())

    @property
    def told_error(self) -> str:
        return "" if self.beyond else self.error

    @property
    def told_doing(self) -> str:
        return "" if self.beyond else self.doing

    @property
    def active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def may_retry(self) -> bool:
        return not self.active and self.state != self.State.SUCCEEDED

    @property
    def target_url(self) -> str:
        """The page of what the job is about; empty if it has none, or is gone."""
        if not self.target_id:
            page_of = kinds.get(self.kind).page
            return page_of(self) if page_of else ""
        for model in apps.get_models():
            if model._meta.model_name == self.target_type:
                found = model._default_manager.filter(pk=self.target_id).first()
                page = getattr(found, "get_absolute_url", None)
                return page() if page else ""
        return ""

    @property
    def has_page(self) -> bool:
        return bool(self.target_id or kinds.get(self.kind).page)

    @property
    def elapsed(self) -> timedelta | None:
        """How long it took, or has taken so far."""
        if self.started_at is None:
            return None
        return (self.finished_at or timezone.now()) - self.started_at

    @property
    def remaining(self) -> timedelta | None:
        """How long it will take if it goes on as it went."""
        if self.state != self.State.RUNNING or not self.elapsed or not self.done:
            return None
        return self.elapsed / self.done * max(self.total - self.done, 0)

    def ring(self) -> None:
        ring_all([self])

    def cancel(self) -> bool:
        """Ask for an end; a job that nobody took ends at once. False: it is over."""
        this = Job.objects.filter(pk=self.pk)
        if this.cancel_waiting():
            return True
        running = this.filter(state=self.State.RUNNING)
        return bool(running.update(cancel_requested=True))

    def retry(self) -> None:
        """Queue it again; finished steps stay, the others start over.

        A step of unknown outcome goes on, and its memo says that it was retried.

        Raises:
            Busy: another unfinished job holds one of its locks.
        """
        with transaction.atomic():
            again = Job.objects.filter(pk=self.pk, state=self.state).update(
                state=self.State.QUEUED,
                error="",
                attempts=0,
                cancel_requested=False,
                finished_at=None,
                lease_until=None,
                not_before=Now(),
                ring_at=Now(),
            )
            if not again:
                raise Busy(self)
            hold(self, self.lock_names)
            steps = self.steps.exclude(state=JobStep.State.DONE)
            steps.exclude(state=JobStep.State.UNKNOWN).update(
                state=JobStep.State.PENDING, detail="", finished_at=None
            )
            unknown = list(steps.filter(state=JobStep.State.UNKNOWN))
            for step in unknown:
                step.state, step.finished_at = JobStep.State.RUNNING, None
                step.memo = step.memo | {"retried": True}
            JobStep.objects.bulk_update(unknown, ["state", "memo", "finished_at"])
            transaction.on_commit(self.ring, robust=True)
