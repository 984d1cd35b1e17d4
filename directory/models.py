"""Snapshots of the clusters' users, and how both clusters of each peer compared."""

import uuid
from datetime import datetime
from typing import Self

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


class SnapshotQuerySet(models.QuerySet["Snapshot"]):
    """Queries over snapshots."""

    def latest_each(self) -> Self:
        """The newest snapshot of each cluster."""
        newest = self.filter(cluster=models.OuterRef("cluster")).order_by("-taken_at")
        return self.filter(pk=models.Subquery(newest.values("pk")[:1]))

    def before(self, moment: datetime) -> Self:
        return self.filter(taken_at__lte=moment)


class Snapshot(HangsOnClusters):
    """The users that a cluster had at one moment; only complete ones are stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cluster = models.ForeignKey(
        Cluster, on_delete=models.CASCADE, related_name="snapshots"
    )
    taken_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField(default=0)
    users = models.PositiveIntegerField()
    # How many users each node is the home of; "" is the home of the unassigned.
    nodes = JSONField(default=dict)
    # The names of the cluster's own nodes, as the cluster tells them.
    own_nodes = JSONField(default=list)
    # Columns that this release of the product does not have.
    absent = JSONField(default=list)
    size = models.PositiveBigIntegerField()

    objects = ScopedManager.from_queryset(SnapshotQuerySet)()

    class Meta:
        ordering = ["-taken_at", "id"]
        indexes = [
            # The newest of each cluster, asked by every page of the directory.
            models.Index(fields=["cluster", "-taken_at"], name="snapshot_newest")
        ]

    def __str__(self) -> str:
        return f"{self.cluster} at {self.taken_at:%Y-%m-%d %H:%M}"


class SnapshotPart(models.Model):
    """A compressed piece of a snapshot's columns.

    The database holds them, so that every host of the console has them; a host keeps
    a file of each snapshot beside it, only as a cache.
    """

    snapshot = models.ForeignKey(
        Snapshot, on_delete=models.CASCADE, related_name="parts"
    )
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["snapshot", "number"], name="snapshot_part_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.snapshot_id} part {self.number}"


def peers_within(limit: Limit) -> models.QuerySet[Peer]:
    return Peer._base_manager.filter(cluster__in=limit.clusters)


class Comparison(HangsOnClusters):
    """How the users of a peer's two clusters compared, once both had a new snapshot."""

    scope = ClusterScope("peer_id", peers_within, lambda row: {row.peer.cluster_id})

    KEPT = 500

    peer = models.ForeignKey(Peer, on_delete=models.CASCADE, related_name="comparisons")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=PeerOutcome.choices)
    home_count = models.PositiveIntegerField()
    remote_count = models.PositiveIntegerField()
    missing = models.PositiveIntegerField()
    extra = models.PositiveIntegerField()
    elsewhere = models.PositiveIntegerField()
    settling = models.PositiveIntegerField()

    objects = ScopedManager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            # The newest of each peer, and its trend.
            models.Index(fields=["peer", "-at"], name="comparison_newest")
        ]

    def __str__(self) -> str:
        return f"{self.peer_id} at {self.at:%Y-%m-%d %H:%M}"
