"""The intercluster peers that administrators want."""

import uuid
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse

from accounts.scope import HangsOnClusters, ScopedManager, unlimited
from accounts.secrets import HoldsSecrets, SecretField
from peers.mask import validate_mask
from peers.models.clusters import Cluster
from peers.validation import validate_host
from rest.models import Revised


class Outcome(models.TextChoices):
    """What is known of a peer: `unknown` is never shown as good."""

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    UNKNOWN = "unknown"


# The worst first; unknown is worse than passed.
SEVERITY = (Outcome.FAILED, Outcome.WARNING, Outcome.UNKNOWN, Outcome.PASSED)


def owner_of(host: str) -> Cluster | None:
    """Return the cluster with a node of this name or address, whoever asks."""
    owners = Q(nodes__name__iexact=host) | Q(nodes__address__iexact=host)
    with unlimited():
        return Cluster.objects.filter(owners).distinct().first()


class PeerQuerySet(models.QuerySet["Peer"]):
    """Queries over peers."""

    def reverse_of(self, peer: "Peer") -> "Peer | None":
        """Return the entry on the remote cluster that points back, if there is one."""
        if peer.remote_cluster_id is None:
            return None
        return self.filter(
            cluster=peer.remote_cluster_id, remote_cluster=peer.cluster_id
        ).first()

    def with_drift(self) -> Self:
        """With `drifted` and `removed_there` as columns, for rows of values."""
        state = Peer.ProvisioningState
        there = Q(provisioning_state=state.APPLIED, removing=False)
        gone = Q(provisioning_state=state.ABSENT, removing=False)
        flag = models.BooleanField()
        return self.annotate(
            drifted=models.ExpressionWrapper(there & ~Q(drift={}), flag),
            removed_there=models.ExpressionWrapper(gone & ~Q(applied_address=""), flag),
        )

    def between(self, home: Cluster, remote: Cluster) -> Self:
        return self.filter(cluster=home, remote_cluster=remote)


class Peer(HangsOnClusters, HoldsSecrets, Revised):
    """An entry on a home cluster that points to a remote cluster."""

    class Protocol(models.TextChoices):
        TCP = "TCP", "TCP"
        UDP = "UDP", "UDP"
        TLS = "TLS", "TLS"

    class ProvisioningState(models.TextChoices):
        PENDING = "pending", "Waiting to be written to the cluster"
        APPLIED = "applied", "On the cluster"
        ABSENT = "absent", "Not on the cluster"
        FAILED = "failed", "Could not be written to the cluster"

    secret_fields: ClassVar[tuple[str, ...]] = ("password",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cluster = models.ForeignKey(
        Cluster,
        on_delete=models.CASCADE,
        related_name="peers",
        verbose_name="home cluster",
    )
    remote_cluster = models.ForeignKey(
        Cluster,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="pointing_peers",
    )
    address = models.CharField(
        "peer address",
        max_length=253,
        validators=[validate_host],
        help_text="The remote publisher: its IP address, host name or FQDN, exactly as "
        "its node is named there, or a DNS SRV name of the remote cluster.",
    )
    username = models.CharField(
        "user name",
        max_length=128,
        help_text="The intercluster application user of the remote cluster.",
    )
    password = SecretField()
    protocol = models.CharField(
        "preferred protocol",
        max_length=3,
        choices=Protocol.choices,
        default=Protocol.TCP,
        help_text="TCP is recommended for all clusters. Both sides must use the same.",
    )
    external_phone_number_mask = models.CharField(
        max_length=50,
        blank=True,
        validators=[validate_mask],
        help_text="Optional E.164 mask for directory numbers of the remote cluster, "
        "as in +1408902XXXX.",
    )
    provisioning_state = models.CharField(
        max_length=10,
        choices=ProvisioningState.choices,
        default=ProvisioningState.PENDING,
        editable=False,
    )
    # The address under which the cluster has the entry; an edit may change it.
    applied_address = models.CharField(max_length=253, blank=True, editable=False)
    # Values of the cluster's own entry that are not those wanted, as last read there.
    drift = models.JSONField(default=dict, editable=False)
    removing = models.BooleanField(default=False, editable=False)
    # What the last check found; diagnostics writes it and keeps the history.
    outcome = models.CharField(
        max_length=10, choices=Outcome.choices, default=Outcome.UNKNOWN, editable=False
    )
    severity = models.GeneratedField(
        expression=models.Case(
            *(models.When(outcome=name, then=n) for n, name in enumerate(SEVERITY)),
            default=len(SEVERITY),
        ),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )
    checked_at = models.DateTimeField(null=True, editable=False)
    entries = models.JSONField(default=list, editable=False)
    associated_users = models.PositiveIntegerField(null=True, editable=False)
    remote_users = models.PositiveIntegerField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ScopedManager.from_queryset(PeerQuerySet)()

    class Meta:
        ordering = ["address", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "address"],
                name="peer_address_once_per_cluster",
                violation_error_message="This cluster has a peer with this address.",
            )
        ]
        indexes = [
            # Counts of the overview.
            models.Index(fields=["outcome"], name="peer_by_outcome"),
            # Each column of Find and List: its order from any row on, and the
            # criteria "is exactly" and "begins with".
            models.Index(fields=["address", "id"], name="peer_by_address"),
            models.Index(Lower("username"), "id", name="peer_by_username"),
            models.Index(fields=["severity", "id"], name="peer_by_severity"),
            models.Index(
                fields=["severity", "address", "id"], name="peer_by_severity_address"
            ),
            models.Index(fields=["cluster", "id"], name="peer_by_home"),
            models.Index(fields=["remote_cluster", "id"], name="peer_by_remote"),
            models.Index(fields=["protocol", "id"], name="peer_by_protocol"),
            models.Index(fields=["associated_users", "id"], name="peer_by_users"),
            models.Index(fields=["checked_at", "id"], name="peer_by_check"),
        ]

    def __str__(self) -> str:
        return f"{self.address} on {self.cluster.name}"

    def get_absolute_url(self) -> str:
        return reverse("peers:edit_peer", args=[self.pk])

    @property
    def reverse(self) -> "Peer | None":
        """The matching peer, if whoever asks may see it."""
        return Peer.objects.reverse_of(self)

    @property
    def status(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome,
            "checked_at": self.checked_at,
            "entries": self.entries,
        }

    @property
    def drifted(self) -> bool:
        """Whether the entry was changed on the cluster behind the console's back."""
        applied = self.provisioning_state == self.ProvisioningState.APPLIED
        return applied and bool(self.drift) and not self.removing

    @property
    def removed_there(self) -> bool:
        """Whether the entry was on the cluster once and is there no more."""
        absent = self.provisioning_state == self.ProvisioningState.ABSENT
        return absent and bool(self.applied_address) and not self.removing

    def find_remote(self) -> Cluster | None:
        """Return the managed cluster that owns the peer address, whoever asks."""
        return owner_of(self.address)

    def set_state(self, state: str) -> None:
        Peer.objects.filter(pk=self.pk).update(provisioning_state=state)
        self.provisioning_state = state
