"""Checks by day and hour, what changed when, and the states that were seen last."""

from typing import Any

from django.db import models

from accounts.cluster_limits import (
    ClusterScope,
    HangsOnClusters,
    Limit,
    ScopedManager,
)
from base.fields import JSONField
from clusters.models import Cluster
from peers.models import Peer, PeerOutcome

# In the order of the columns; the numbers of an hour are in the same order.
OUTCOMES = (
    PeerOutcome.PASSED,
    PeerOutcome.WARNING,
    PeerOutcome.FAILED,
    PeerOutcome.UNKNOWN,
)


def peers_within(limit: Limit) -> models.QuerySet[Peer]:
    return Peer._base_manager.filter(cluster__in=limit.clusters)


class PeerDay(HangsOnClusters):
    """The checks of a peer on one day (UTC), counted by outcome, with its hours."""

    scope = ClusterScope("peer_id", peers_within, lambda row: {row.peer.cluster_id})

    peer = models.ForeignKey(Peer, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    passed = models.PositiveIntegerField(default=0)
    warning = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    unknown = models.PositiveIntegerField(default=0)
    # As last known on that day.
    associated_users = models.PositiveIntegerField(null=True)
    remote_users = models.PositiveIntegerField(null=True)
    # {hour: [passed, warning, failed, unknown, associated users, remote users]}
    hours = JSONField(default=dict)

    objects = ScopedManager()

    class Meta:
        ordering = ["day", "id"]
        constraints = [
            models.UniqueConstraint(fields=["peer", "day"], name="one_row_per_peer_day")
        ]
        indexes = [
            # The days of many peers, and those that are too old.
            models.Index(fields=["day", "peer"], name="peer_day_by_day")
        ]

    def __str__(self) -> str:
        return f"{self.peer_id} on {self.day}"

    def count(
        self, hour: int, outcome: str, associated: int | None, remote: int | None
    ) -> None:
        """Add one check; a count of users that is not known leaves the last one."""
        setattr(self, outcome, getattr(self, outcome) + 1)
        numbers: list[Any] = self.hours.setdefault(str(hour), [0, 0, 0, 0, None, None])
        numbers[OUTCOMES.index(PeerOutcome(outcome))] += 1
        if associated is not None:
            self.associated_users = numbers[4] = associated
        if remote is not None:
            self.remote_users = numbers[5] = remote


class ClusterDay(HangsOnClusters):
    """The days of all peers of a cluster, added up: what its history and that of
    everything show, without reading a row for each peer."""

    scope = ClusterScope()

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    passed = models.PositiveIntegerField(default=0)
    warning = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    unknown = models.PositiveIntegerField(default=0)
    # Of the peers whose both numbers are known.
    associated_users = models.PositiveBigIntegerField(null=True)
    remote_users = models.PositiveBigIntegerField(null=True)
    # As those of a peer.
    hours = JSONField(default=dict)

    objects = ScopedManager()

    class Meta:
        ordering = ["day", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "day"], name="one_row_per_cluster_day"
            )
        ]
        indexes = [
            # The days of all clusters, added up without reading their hours.
            models.Index(
                fields=[
                    "day",
                    "cluster",
                    "passed",
                    "warning",
                    "failed",
                    "unknown",
                    "associated_users",
                    "remote_users",
                ],
                name="cluster_day_numbers",
            )
        ]

    def __str__(self) -> str:
        return f"{self.cluster_id} on {self.day}"


class RollUp(models.Model):
    """One row: who rolls up holds it, so that no check is counted twice."""

    rolled_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"Rolled up at {self.rolled_at}"


class Event(HangsOnClusters):
    """A change that the console saw on a cluster, a node or a peer."""

    class Kind(models.TextChoices):
        OUTCOME = "outcome"
        DRIFT = "drift"
        CERTIFICATE = "certificate"
        SERVICE = "service"
        NODE = "node"
        NOTIFICATION = "notification"

    scope = ClusterScope()

    at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="+")
    peer = models.ForeignKey(
        Peer, null=True, on_delete=models.CASCADE, related_name="+"
    )
    sentence = models.CharField(max_length=400)
    url = models.CharField(max_length=300, blank=True)

    objects = ScopedManager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            # The timeline of a cluster and of a peer, newest first.
            models.Index(fields=["cluster", "-at"], name="event_of_cluster"),
            models.Index(fields=["peer", "-at"], name="event_of_peer"),
        ]

    def __str__(self) -> str:
        return self.sentence


class SeenState(models.Model):
    """The state of a thing when the console looked last; a difference is an event."""

    key = models.CharField(primary_key=True, max_length=200)
    state = models.CharField(max_length=60)

    def __str__(self) -> str:
        return f"{self.key}: {self.state}"


class EventLock(models.Model):
    """One row: who looks for changes holds it, so that none is recorded twice."""

    looked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Lock, held last at {self.looked_at}"
