"""Plans that wait for a person's confirmation, and what the clusters showed."""

import json
import uuid
from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.urls import reverse

from accounts.cluster_limits import HangsOnClusters, ScopedManager
from accounts.secrets import HoldsSecrets, SecretField
from base.fields import JSONField
from clusters.models import Cluster
from jobs.models import Job
from mesh.intent import Credentials, MeshIntent
from wire import PeerEntry, Secret


class Draft(HoldsSecrets):
    """What somebody asked to be planned; kept so that no page carries a password."""

    secret_fields: ClassVar[tuple[str, ...]] = ("credentials",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    pairs = JSONField()
    protocol = models.CharField(max_length=3)
    masks = JSONField(default=dict)
    credentials = SecretField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Plan of {self.created_at:%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return reverse("mesh:plan", args=[self.pk])

    @classmethod
    def keep(cls, user: Any, intent: MeshIntent) -> "Draft":
        draft = cls(
            user=user,
            pairs=[
                [str(a.pk), str(b.pk), intent.protocol_of(a, b)]
                for a, b in intent.pairs
            ],
            protocol=intent.protocol,
            masks={str(pk): mask for pk, mask in intent.masks.items()},
        )
        credentials = {
            str(pk): [one.username, one.password.reveal()]
            for pk, one in intent.credentials.items()
        }
        draft.seal("credentials", json.dumps(credentials))
        draft.save(force_insert=True)
        return draft

    @property
    def intent(self) -> MeshIntent:
        """What was asked for; pairs with a cluster deleted since are left out."""
        ids = {pk for pair in self.pairs for pk in pair[:2]}
        rows = Cluster.objects.filter(pk__in=ids).prefetch_related("nodes")
        clusters = {str(cluster.pk): cluster for cluster in rows}
        credentials = json.loads(self.unseal("credentials").reveal() or "{}")
        return MeshIntent(
            pairs=tuple(
                (clusters[one], clusters[other])
                for one, other, *_ in self.pairs
                if one in clusters and other in clusters
            ),
            protocol=self.protocol,
            protocols={
                frozenset({UUID(one), UUID(other)}): protocol
                for one, other, *values in self.pairs
                for protocol in values
            },
            masks={UUID(pk): mask for pk, mask in self.masks.items()},
            credentials={
                UUID(pk): Credentials(username, Secret(password))
                for pk, (username, password) in credentials.items()
            },
        )


class PlannedEntry(HoldsSecrets):
    """An entry as an applied plan means it, until the job makes it the desired one.

    No row of the console changes before the job has found the clusters ready.
    """

    secret_fields: ClassVar[tuple[str, ...]] = ("password",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(
        Job, on_delete=models.CASCADE, related_name="planned_entries"
    )
    # The id of the peer that it changes, or that a new one will have.
    peer = models.UUIDField()
    home = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="+")
    remote = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="+")
    # By the names of peers.PEER_FIELDS.
    values = JSONField()
    # A new password; empty once the peer has it, and to keep the one it has.
    password = SecretField()
    # Of the peer when it was planned; null: the plan creates it.
    revision = models.PositiveIntegerField(null=True)
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "peer"], name="planned_once")
        ]

    def __str__(self) -> str:
        return f"{self.values['address']} on {self.home}"

    @classmethod
    def waiting(cls, clusters: Iterable[Cluster]) -> models.QuerySet["PlannedEntry"]:
        """What unfinished jobs have yet to make the desired entries."""
        rows = cls.objects.filter(accepted_at=None, job__state__in=Job.ACTIVE)
        return rows.filter(home__in=clusters, remote__in=clusters)


class PlannedPassword(HoldsSecrets):
    """A new password of a cluster's intercluster user, until the cluster took it."""

    secret_fields: ClassVar[tuple[str, ...]] = ("password",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(
        Job, on_delete=models.CASCADE, related_name="planned_passwords"
    )
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="+")
    username = models.CharField(max_length=128)
    password = SecretField()

    def __str__(self) -> str:
        return f"Password of {self.username} on {self.cluster}"


class ObservedPeerTable(HangsOnClusters):
    """A cluster's own peer table as it was last read, the passwords left there."""

    cluster = models.OneToOneField(Cluster, primary_key=True, on_delete=models.CASCADE)
    # Each entry as the values of peers.PEER_FIELDS.
    entries = JSONField()
    # Whether the product's own pages showed them.
    by_pages = models.BooleanField(default=False)
    read_at = models.DateTimeField()

    objects = ScopedManager()

    class Meta:
        ordering = ["cluster__name"]

    def __str__(self) -> str:
        return f"Entries of {self.cluster}"

    @classmethod
    def of(cls, clusters: Iterable[Cluster]) -> models.QuerySet["ObservedPeerTable"]:
        return cls.objects.filter(cluster__in=clusters).order_by()

    @cached_property
    def all(self) -> list[PeerEntry]:
        return [PeerEntry(*values) for values in self.entries]


class UsersSeen(HangsOnClusters):
    """The users of a cluster by home node, as last counted."""

    cluster = models.OneToOneField(Cluster, primary_key=True, on_delete=models.CASCADE)
    # How many users have each node for home, other clusters' nodes among them.
    users = JSONField(default=dict)
    # The nodes that the cluster lists as its own, whether the console has them or not.
    own_nodes = JSONField(default=list)
    # The node table: each node's name and subcluster, those of other clusters too.
    nodes = JSONField(default=list)
    # What DNS gave for the names of nodes that nobody manages, and when it was asked.
    addresses = JSONField(default=dict)
    looked_up_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField()

    objects = ScopedManager()

    class Meta:
        ordering = ["cluster__name"]

    def __str__(self) -> str:
        return f"Users of {self.cluster} by home node"
