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

from accounts.scope import HangsOnClusters, ScopedManager
from accounts.secrets import HoldsSecrets, SecretField
from mesh.wanted import Credentials, Wanted
from peers.models import Cluster
from wire import PeerEntry, Secret


class Draft(HoldsSecrets):
    """What somebody asked to be planned; kept so that no page carries a password."""

    secret_fields: ClassVar[tuple[str, ...]] = ("credentials",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    pairs = models.JSONField()
    protocol = models.CharField(max_length=3)
    masks = models.JSONField(default=dict)
    credentials = SecretField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Plan of {self.created_at:%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return reverse("mesh:plan", args=[self.pk])

    @classmethod
    def keep(cls, user: Any, wanted: Wanted) -> "Draft":
        draft = cls(
            user=user,
            pairs=[
                [str(a.pk), str(b.pk), wanted.protocol_of(a, b)]
                for a, b in wanted.pairs
            ],
            protocol=wanted.protocol,
            masks={str(pk): mask for pk, mask in wanted.masks.items()},
        )
        credentials = {
            str(pk): [one.username, one.password.reveal()]
            for pk, one in wanted.credentials.items()
        }
        draft.seal("credentials", json.dumps(credentials))
        draft.save(force_insert=True)
        return draft

    @property
    def wanted(self) -> Wanted:
        """What was asked for; pairs with a cluster deleted since are left out."""
        ids = {pk for pair in self.pairs for pk in pair[:2]}
        rows = Cluster.objects.filter(pk__in=ids).prefetch_related("nodes")
        clusters = {str(cluster.pk): cluster for cluster in rows}
        credentials = json.loads(self.unseal("credentials").reveal() or "{}")
        return Wanted(
            pairs=tuple(
                (clusters[one], clusters[other])
                for one, other, *_ in self.pairs
                if one in clusters and other in clusters
            ),
            protocol=self.protocol,
            protocols={
                frozenset({UUID(one), UUID(other)}): protocol
                for one, other, *told in self.pairs
                for protocol in told
            },
            masks={UUID(pk): mask for pk, mask in self.masks.items()},
            credentials={
                UUID(pk): Credentials(username, Secret(password))
                for pk, (username, password) in credentials.items()
            },
        )


class Shown(HangsOnClusters):
    """A cluster's own peer table as it was last read, the passwords left there."""

    cluster = models.OneToOneField(Cluster, primary_key=True, on_delete=models.CASCADE)
    # Each entry as the values of peers.changes.PEER_FIELDS.
    entries = models.JSONField()
    read_at = models.DateTimeField()

    objects = ScopedManager()

    class Meta:
        ordering = ["cluster__name"]

    def __str__(self) -> str:
        return f"Entries of {self.cluster}"

    @classmethod
    def of(cls, clusters: Iterable[Cluster]) -> models.QuerySet["Shown"]:
        return cls.objects.filter(cluster__in=clusters).order_by()

    @cached_property
    def all(self) -> list[PeerEntry]:
        return [PeerEntry(*values) for values in self.entries]
