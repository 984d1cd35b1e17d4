"""What people state: the presence user profile, and each cluster's platform."""

from datetime import timedelta
from typing import ClassVar

from django.db import models

from accounts.cluster_limits import HangsOnClusters, ScopedManager
from base.fields import JSONField
from clusters.models import Cluster
from sizing.limits import PLATFORMS


class StatedProfile(models.Model):
    """The presence user profile as a person stated it; one row, or none."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    # {name of an input of sizing.load: its value}; what is not here is assumed.
    values = JSONField(default=dict)
    # What the link between two clusters carries.
    link_kbit_per_second = models.FloatField(null=True)
    stated_by = models.CharField(max_length=150, blank=True)
    stated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_stated_profile")
        ]

    def __str__(self) -> str:
        return "Presence user profile"


class ClusterPlatform(HangsOnClusters):
    """On what a cluster runs, as a person stated it."""

    class Availability(models.TextChoices):
        YES = "yes", "Yes"
        NO = "no", "No"

    cluster = models.OneToOneField(
        Cluster, primary_key=True, on_delete=models.CASCADE, related_name="platform"
    )
    platform = models.CharField(
        "server model or template",
        max_length=12,
        blank=True,
        choices=[(key, one.label) for key, one in PLATFORMS.items()],
        help_text="That of its smallest node.",
    )
    redundant = models.CharField(
        "high availability",
        max_length=3,
        blank=True,
        choices=Availability.choices,
        help_text="Whether each group of nodes can carry its users with one node less.",
    )

    objects = ScopedManager()

    class Meta:
        ordering = ["cluster__name"]

    def __str__(self) -> str:
        return f"Platform of {self.cluster}"


class GroupsSeen(HangsOnClusters):
    """The presence redundancy groups of a cluster, as the troubleshooter last read."""

    cluster = models.OneToOneField(
        Cluster, primary_key=True, on_delete=models.CASCADE, related_name="groups_seen"
    )
    # [{name, redundant, nodes: names}]
    groups = JSONField(default=list)
    read_at = models.DateTimeField()

    objects = ScopedManager()

    class Meta:
        ordering = ["cluster__name"]

    def __str__(self) -> str:
        return f"Groups of {self.cluster}"


class UsersOnDay(HangsOnClusters):
    """How many users a cluster had on a day, as last counted on it."""

    KEPT = timedelta(days=400)

    cluster = models.ForeignKey(
        Cluster, on_delete=models.CASCADE, related_name="users_on_days"
    )
    day = models.DateField(db_index=True)
    users = models.PositiveBigIntegerField()

    objects = ScopedManager()

    class Meta:
        ordering = ["-day"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["cluster", "day"], name="users_once_on_a_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.users} users of {self.cluster} on {self.day}"
