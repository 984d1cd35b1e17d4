"""What a job consists of: its steps, and the clusters that it works on."""

from typing import TYPE_CHECKING

from django.apps import apps
from django.db import models

from accounts.cluster_limits import (
    ClusterScope,
    HangsOnClusters,
    Limit,
    ScopedManager,
    clusters_of,
)
from base.fields import JSONField

if TYPE_CHECKING:
    from jobs.models.jobs import Job


class JobCluster(models.Model):
    """A cluster that a job works on; it may be deleted before the job is."""

    job = models.ForeignKey("jobs.Job", on_delete=models.CASCADE, related_name="on")
    cluster = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "job"], name="cluster_once_per_job"
            )
        ]

    def __str__(self) -> str:
        return str(self.cluster)


def whole_jobs_within(limit: Limit) -> "models.QuerySet[Job]":
    """Jobs that work on no other cluster: what their steps say may be read."""
    others = JobCluster._base_manager.exclude(cluster__in=limit.clusters)
    jobs: type[Job] = apps.get_model("jobs", "Job")
    return jobs._base_manager.exclude(pk__in=others.values("job"))


class JobStep(HangsOnClusters):
    """One step: its intent is committed before it acts, its result after."""

    scope = ClusterScope(
        "job_id", whole_jobs_within, lambda step: clusters_of(step.job)
    )

    class State(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        UNKNOWN = "unknown"
        SKIPPED = "skipped"
        UNDONE = "undone"

    job = models.ForeignKey("jobs.Job", on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveIntegerField()
    key = models.CharField(max_length=120)
    label = models.CharField(max_length=255)
    state = models.CharField(
        max_length=20, choices=State.choices, default=State.PENDING
    )
    detail = models.CharField(max_length=1000, blank=True)
    memo = JSONField(default=dict)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = ScopedManager()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["job", "key"], name="one_step_per_key")
        ]

    def __str__(self) -> str:
        return self.label
