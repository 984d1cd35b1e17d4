"""The list of problems, as it was last renewed, and what people said of them."""

import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.urls import reverse

from accounts.cluster_limits import (
    ClusterScope,
    HangsOnClusters,
    Limit,
    ScopedManager,
    limit_admits,
)
from base.fields import JSONField
from clusters.models import Cluster


class Severity(models.TextChoices):
    """How bad a problem is; the worst first."""

    FAILED = "failed"
    WARNING = "warning"
    UNKNOWN = "unknown"


RANKS = {severity: rank for rank, severity in enumerate(Severity.values)}


class ProblemCluster(models.Model):
    """A cluster that a problem touches."""

    problem = models.ForeignKey(
        "overview.Problem", on_delete=models.CASCADE, related_name="touches"
    )
    cluster = models.UUIDField(db_index=True)

    def __str__(self) -> str:
        return str(self.cluster)


def problems_within(limit: Limit) -> models.QuerySet["Problem"]:
    """Problems that touch a cluster of the limit, and those of the console itself."""
    touched = ProblemCluster._base_manager.filter(problem=OuterRef("pk"))
    inside = Exists(touched.filter(cluster__in=limit.clusters))
    outside = Exists(touched.exclude(cluster__in=limit.clusters))
    part = Q(inside, whole=False) | Q(~Exists(touched), whole=False)
    return Problem._base_manager.filter(part | Q(inside, ~outside, whole=True))


class ProblemQuerySet(models.QuerySet["Problem"]):
    """Queries over problems."""

    def open(self) -> Self:
        """Those that nobody has acknowledged or snoozed."""
        return self.filter(acknowledged_at=None)

    def acknowledged(self) -> Self:
        return self.exclude(acknowledged_at=None)

    def due(self) -> Self:
        """Those whose snooze has ended."""
        return self.filter(snoozed_until__lte=Now())


class Problem(HangsOnClusters):
    """One cause of trouble; a row ends with it, so one that comes back is new."""

    scope = ClusterScope(
        "pk", problems_within, lambda row: {one.cluster for one in row.touches.all()}
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Names the cause, the same at each renewal.
    key = models.CharField(max_length=300, unique=True)
    code = models.CharField(max_length=60)
    severity = models.CharField(max_length=10, choices=Severity.choices)
    rank = models.PositiveSmallIntegerField()
    sentence = models.TextField()
    cluster = models.ForeignKey(
        Cluster, null=True, on_delete=models.CASCADE, related_name="problems"
    )
    # [{type, id, label, cluster}]: nodes and peers that suffer from it.
    affects = JSONField(default=list)
    weight = models.PositiveIntegerField(default=0)
    fix_url = models.CharField(max_length=500, blank=True)
    # Whether it is shown only to those who may see all clusters that it touches.
    whole = models.BooleanField(default=False)
    since = models.DateTimeField()
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL
    )
    # Kept when the user is deleted.
    acknowledged_name = models.CharField(max_length=150, blank=True)
    acknowledged_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True)
    snoozed_until = models.DateTimeField(null=True)

    objects = ScopedManager.from_queryset(ProblemQuerySet)()

    class Meta:
        ordering = ["rank", "-weight", "since", "id"]
        indexes = [
            # The list, worst first.
            models.Index(fields=["rank", "-weight", "since"], name="problem_worst")
        ]

    def __str__(self) -> str:
        return self.sentence[:200]

    def get_absolute_url(self) -> str:
        return f"{reverse('overview:problems')}?state=all#problem-{self.pk}"

    @property
    def acknowledged(self) -> dict[str, Any] | None:
        """Who said when that it is known, and the note; None while nobody did."""
        if self.acknowledged_at is None:
            return None
        return {
            "by": self.acknowledged_name,
            "at": self.acknowledged_at,
            "note": self.note,
        }

    @property
    def visible_affects(self) -> list[dict[str, str]]:
        """What the requester may see of it; `affects` is what is stored."""
        return [one for one in self.affects if limit_admits(one["cluster"])]

    @property
    def visible_cluster(self) -> uuid.UUID | None:
        pk: uuid.UUID | None = self.cluster_id
        return pk if pk is None or limit_admits(pk) else None

    @property
    def visible_fix_url(self) -> str:
        """Empty where the page is one of a cluster outside the requester's limit."""
        return self.fix_url if self.visible_cluster == self.cluster_id else ""

    @property
    def affected(self) -> str:
        """How many of what it affects, as in "3 peers, 2 nodes"."""
        types = [one["type"] for one in self.visible_affects]
        counts = [(types.count(name), name) for name in ("peer", "node", "cluster")]
        return ", ".join(
            f"{number} {name}{'' if number == 1 else 's'}"
            for number, name in counts
            if number
        )


class Renewal(models.Model):
    """One row: when the list was renewed last, and from what."""

    # The list may be outdated: something was recorded since.
    stale = models.BooleanField(default=True)
    renewed_at = models.DateTimeField(null=True)
    # The number of the newest audit entry that the list takes into account.
    audit_number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"Renewal of {self.renewed_at}"
