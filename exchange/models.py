"""The certificates that nodes present and trust, as they were read last."""

from typing import ClassVar

from django.db import models

from accounts.cluster_limits import ClusterScope, HangsOnClusters, Limit, ScopedManager
from base.fields import JSONField
from clusters.models import Node


class KnownCertificate(models.Model):
    """A certificate that a node presents or trusts, once for all nodes.

    It says nothing of where it was seen; that hangs on the node.
    """

    fingerprint = models.CharField(max_length=64, unique=True)
    subject = models.CharField(max_length=1000)
    issuer = models.CharField(max_length=1000)
    common_name = models.CharField(max_length=253, blank=True)
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    self_signed = models.BooleanField()
    # SHA-256 of its public key, and of the key that signed it where that is known.
    key_hash = models.CharField(max_length=64)
    signer_key = models.CharField(max_length=64, blank=True)
    pem = models.TextField()

    class Meta:
        ordering: ClassVar = ["subject", "-not_after", "pk"]

    def __str__(self) -> str:
        return self.common_name or self.subject


def nodes_within(limit: Limit) -> models.QuerySet[Node]:
    return Node._base_manager.filter(cluster__in=limit.clusters)


class NodeCertificates(HangsOnClusters):
    """What one node presents and trusts, and how and when that was seen."""

    class SeenBy(models.TextChoices):
        NOTHING = "", "Not seen yet"
        REST = "rest", "Certificate interface"
        TLS = "tls", "TLS handshake"

    scope = ClusterScope("node_id", nodes_within, lambda row: {row.node.cluster_id})

    node = models.OneToOneField(
        Node,
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="exchanged_certificates",
    )
    seen_by = models.CharField(max_length=4, choices=SeenBy.choices, blank=True)
    seen_at = models.DateTimeField(null=True)
    # By service: the key of a known certificate; null where it was not understood.
    identities = JSONField(default=dict)
    # By service: {"certificates": keys, "unreadable": a count}; only what was shown.
    trusts = JSONField(default=dict)
    # Why the certificate interface could not be used at the last try.
    tried_at = models.DateTimeField(null=True)
    code = models.CharField(max_length=40, blank=True)
    problem = models.CharField(max_length=600, blank=True)
    solution = models.CharField(max_length=600, blank=True)

    objects = ScopedManager()

    class Meta:
        ordering: ClassVar = ["node__name"]

    def __str__(self) -> str:
        return f"Certificates of {self.node}"
