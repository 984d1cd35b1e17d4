"""The row of a job: what it is about, how it stands, who may control it."""

import uuid
from datetime import timedelta
from typing import TypeAlias

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from accounts import rights
from accounts.audit import Actor
from accounts.cluster_limits import (
    ClusterScope,
    HangsOnClusters,
    Limit,
    current_limit,
)
from accounts.roles import Role, covers_role
from base.fields import JSONField
from jobs.kind import kind_named, label_of
from jobs.locks import Busy, take_locks
from jobs.models.processes import Process
from jobs.models.steps import JobCluster, JobStep
from jobs.models.submitting import (
    ACTIVE,
    JobManager,
    JobState,
    requested_by,
    ring_all,
)

EXCEEDS_LIMIT = "This job also works on clusters outside your limit."


def jobs_within(limit: Limit) -> models.QuerySet["Job"]:
    """Jobs that a person asked for, or that work on one of the clusters."""
    touching = JobCluster._base_manager.filter(cluster__in=limit.clusters)
    theirs = Q(pk__in=touching.values("job"))
    if limit.user_id:
        theirs |= Q(requested_by=limit.user_id)
    return Job._base_manager.filter(theirs)


class Job(HangsOnClusters):
    """One piece of background work, and the story of how it went."""

    scope = ClusterScope(
        "pk", jobs_within, lambda job: {one.cluster for one in job.on.all()}
    )

    State: TypeAlias = JobState
    ACTIVE = ACTIVE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    queue = models.CharField(max_length=60)
    state = models.CharField(max_length=20, choices=State.choices, default=State.QUEUED)
    arguments = JSONField(default=dict)
    lock_names = JSONField(default=list)
    target_type = models.CharField(max_length=60, blank=True)
    target_id = models.CharField(max_length=64, blank=True)
    target_label = models.CharField(max_length=255, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL
    )
    # Kept when the user is deleted: then nobody may continue the job.
    requested_name = models.CharField(max_length=150, blank=True)
    # No link, so that a revoked token is not taken for none.
    requested_token = models.UUIDField(null=True)
    requested_from = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    doing = models.CharField(max_length=255, blank=True)
    error = models.CharField(max_length=1000, blank=True)
    # A stable name of why it ended, where there is one.
    error_code = models.CharField(max_length=40, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    # How often a worker ended while it had this job in hand.
    crashes = models.PositiveIntegerField(default=0)
    # The worker was requested to stop: that it ended is not the job's doing.
    excused = models.BooleanField(default=False)
    cancel_requested = models.BooleanField(default=False)
    owner = models.CharField(max_length=100, blank=True)
    # No constraint: a process that could not be shown yet works nevertheless.
    worker = models.ForeignKey(
        Process,
        null=True,
        on_delete=models.SET_NULL,
        related_name="jobs",
        db_constraint=False,
    )
    claimed_at = models.DateTimeField(null=True)
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
        return label_of(self.kind)

    @property
    def exceeds_limit(self) -> bool:
        """Whether it also works on clusters that whoever asks may not see."""
        limit = current_limit()
        if limit is None:
            return False
        return any(not limit.admits(one.cluster) for one in self.on.all())

    @property
    def needed_role(self) -> Role:
        """What it takes to start, cancel or retry it."""
        return kind_named(self.kind).role

    @property
    def requester(self) -> str | None:
        """The name of the user who requested it; None for the console itself."""
        if self.requested_by:
            return self.requested_by.get_username()
        return self.requested_name or None

    def may_be_controlled(self, role: Role | None) -> bool:
        """Whether a person with this role may cancel and retry it."""
        return covers_role(role, self.needed_role) and not self.exceeds_limit

    def refusal(self) -> rights.Refusal | None:
        """Why it may not be done with the rights that its requester has now."""
        request = rights.RightsRequest(
            self.requested_name,
            self.requested_by_id,
            self.requested_token,
            self.needed_role,
            [one.cluster for one in self.on.all()],
        )
        return rights.refusal_of(request)

    @property
    def visible_error(self) -> str:
        return "" if self.exceeds_limit else self.error

    @property
    def visible_doing(self) -> str:
        return "" if self.exceeds_limit else self.doing

    @property
    def active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def between_rounds(self) -> bool:
        """Whether it gave its worker back, to go on later."""
        return self.state == self.State.QUEUED and self.started_at is not None

    @property
    def may_retry(self) -> bool:
        return not self.active and self.state != self.State.SUCCEEDED

    @property
    def target_url(self) -> str:
        """The page of what the job is about; empty if it has none, or is gone."""
        if not self.target_id:
            return kind_named(self.kind).page_of(self)
        page = getattr(self.find_target(), "get_absolute_url", None)
        return page() if page else ""

    def find_target(self, *, unlimited: bool = False) -> models.Model | None:
        """The row that the job is about; None if there is none, or it is gone.

        Args:
            unlimited: even one that the current user may not see.
        """
        for model in apps.get_models() if self.target_id else ():
            if model._meta.model_name == self.target_type:
                manager = model._base_manager if unlimited else model._default_manager
                return manager.filter(pk=self.target_id).first()
        return None

    @property
    def has_page(self) -> bool:
        return bool(self.target_id or kind_named(self.kind).page_of(self))

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
        job = Job.objects.filter(pk=self.pk)
        with transaction.atomic():
            if job.cancel_waiting():
                self.clean_up(self.State.CANCELLED)
                return True
        running = job.filter(state=self.State.RUNNING)
        return bool(running.update(cancel_requested=True))

    def clean_up(self, state: str) -> None:
        """Let its kind put right what a job that ended without success leaves."""
        if state != self.State.SUCCEEDED:
            kind_named(self.kind).clean_up(self, state)

    def retry(self, actor: Actor | None = None) -> None:
        """Queue it again; finished steps stay, the others start over.

        A step of unknown outcome goes on, and its memo says that it was retried.

        Args:
            actor: with whose rights it runs from now on; None for those it had.

        Raises:
            Busy: another unfinished job holds one of its locks.
        """
        with transaction.atomic():
            again = Job.objects.filter(pk=self.pk, state=self.state).update(
                state=self.State.QUEUED,
                error="",
                error_code="",
                attempts=0,
                crashes=0,
                cancel_requested=False,
                finished_at=None,
                lease_until=None,
                not_before=Now(),
                ring_at=Now(),
                **requested_by(actor),
            )
            if not again:
                raise Busy(self)
            take_locks(self, self.lock_names)
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
