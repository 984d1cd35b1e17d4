"""The intercluster peers that administrators want."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from accounts.cluster_limits import HangsOnClusters, ScopedManager
from accounts.secrets import HoldsSecrets, SecretField
from base.fields import JSONField
from base.revisions import Revised
from clusters.models import Cluster
from clusters.validation import validate_host
from peers.mask import validate_mask


class PeerOutcome(models.TextChoices):
    """What is known of a peer: `unknown` is never shown as good."""

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    UNKNOWN = "unknown"


# The worst first; unknown is worse than passed.
SEVERITY = (
    PeerOutcome.FAILED,
    PeerOutcome.WARNING,
    PeerOutcome.UNKNOWN,
    PeerOutcome.PASSED,
)


def evidence_in(entries: list[dict[str, Any]]) -> str:
    """Say by what the entry itself is known, in a word of the REST contract."""
    provisioned = (one for one in entries if one["code"] == "provisioned")
    return next((one.get("evidence", "none") for one in provisioned), "none")


def is_drifted(peer: Any) -> bool:
    """Of a peer, or of a row of its values: whether the cluster's entry differs."""
    applied = peer.provisioning_state == Peer.ProvisioningState.APPLIED
    return applied and bool(peer.drift) and not peer.removing


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
        on_cluster = Q(provisioning_state=state.APPLIED, removing=False)
        gone = Q(provisioning_state=state.ABSENT, removing=False)
        flag = models.BooleanField()
        return self.annotate(
            drifted=models.ExpressionWrapper(on_cluster & ~Q(drift={}), flag),
            removed_there=models.ExpressionWrapper(gone & ~Q(applied_address=""), flag),
        )

    def pending(self) -> Self:
        """Those that wait to be written to their cluster."""
        return self.filter(provisioning_state=Peer.ProvisioningState.PENDING)

    # The life of an entry. Each transition is one statement; where the cluster was
    # written, `updated_at` says that what was read of it before is no longer true.

    def mark_written(self, address: str) -> int:
        """The cluster has the entry under this address, as the console desires it."""
        return self.update(
            provisioning_state=Peer.ProvisioningState.APPLIED,
            applied_address=address,
            drift={},
            assumed=[],
            updated_at=timezone.now(),
        )

    def mark_seen(self, address: str, drift: dict[str, str] | None = None) -> int:
        """The cluster was seen to have the entry; `drift` is what differs in it."""
        seen = {} if drift is None else {"drift": drift}
        return self.update(
            provisioning_state=Peer.ProvisioningState.APPLIED,
            applied_address=address,
            **seen,
        )

    def mark_gone(self) -> int:
        """The cluster had the entry, and was seen to have it no more."""
        applied = self.filter(provisioning_state=Peer.ProvisioningState.APPLIED)
        return applied.update(
            provisioning_state=Peer.ProvisioningState.ABSENT, drift={}
        )

    def mark_undone(self) -> int:
        """The entry was written, and deleted again by the console."""
        return self.update(
            provisioning_state=Peer.ProvisioningState.ABSENT,
            applied_address="",
            updated_at=timezone.now(),
        )

    def mark_absent(self) -> int:
        """Nothing was written to the cluster."""
        return self.update(provisioning_state=Peer.ProvisioningState.ABSENT)

    def mark_failed(self) -> int:
        """The entry could not be written, or whether it was is not known."""
        return self.update(provisioning_state=Peer.ProvisioningState.FAILED)

    def mark_removing(self) -> int:
        return self.update(removing=True)

    def mark_kept(self) -> int:
        """The entry could not be removed."""
        return self.update(removing=False)

    # What checks find; the entry is the same before and after.

    def mark_checked(self, at: datetime, outcome: str, **seen: Any) -> int:
        """Store the result of a check, unless a later one is stored already."""
        earlier = self.filter(Q(checked_at=None) | Q(checked_at__lte=at))
        return earlier.update(outcome=outcome, checked_at=at, **seen)

    def mark_compared(self, outcome: str) -> int:
        """The users of both clusters were compared."""
        return self.update(comparison_outcome=outcome)

    def mark_unattested(self) -> int:
        """What a person said of the entry is contradicted."""
        return self.update(attestation={})

    def mark_remote(self, remote_cluster: uuid.UUID | None) -> int:
        """The address belongs to this cluster; None: to no known one."""
        return self.update(remote_cluster=remote_cluster)

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
        help_text="TCP is recommended for all clusters. Both entries must use the "
        "same.",
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
    drift = JSONField(default=dict, editable=False)
    # Names of values that were supposed when the entry was adopted: nobody saw them.
    assumed = JSONField(default=list, editable=False)
    removing = models.BooleanField(default=False, editable=False)
    # What the last check found; diagnostics writes it and keeps the history.
    outcome = models.CharField(
        max_length=10,
        choices=PeerOutcome.choices,
        default=PeerOutcome.UNKNOWN,
        editable=False,
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
    entries = JSONField(default=list, editable=False)
    associated_users = models.PositiveIntegerField(null=True, editable=False)
    remote_users = models.PositiveIntegerField(null=True, editable=False)
    # How the users of both clusters compared last; directory writes it and keeps the
    # history. Empty: they never were.
    comparison_outcome = models.CharField(
        max_length=10,
        choices=PeerOutcome.choices,
        blank=True,
        default="",
        editable=False,
    )
    # Null: nothing to be compared with, so the list of comparisons leaves it out.
    comparison_severity = models.GeneratedField(
        expression=models.Case(
            *(
                models.When(comparison_outcome=name, then=n)
                for n, name in enumerate(SEVERITY)
            ),
            models.When(remote_cluster=None, then=None),
            default=SEVERITY.index(PeerOutcome.UNKNOWN),
        ),
        output_field=models.SmallIntegerField(null=True),
        db_persist=True,
    )
    # What both numbers have told so far, as diagnostics reads and writes it.
    user_trail = JSONField(default=dict, editable=False)
    # What the cluster's own peer page shows; null where its pages are not read.
    cluster_status = JSONField(null=True, editable=False)
    # Who said when, of which values, that the entry stands on the cluster.
    attestation = JSONField(default=dict, editable=False)
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
            # The order of each column of Find and List: without them, a late page of
            # 20,000 peers takes SQLite 20 to 60 ms instead of 2.
            models.Index(fields=["address", "id"], name="peer_by_address"),
            models.Index(Lower("username"), "id", name="peer_by_username"),
            models.Index(fields=["severity", "id"], name="peer_by_severity"),
            models.Index(fields=["cluster", "id"], name="peer_by_home"),
            models.Index(fields=["remote_cluster", "id"], name="peer_by_remote"),
            models.Index(fields=["protocol", "id"], name="peer_by_protocol"),
            models.Index(fields=["associated_users", "id"], name="peer_by_users"),
            models.Index(fields=["checked_at", "id"], name="peer_by_check"),
            # The list of comparisons: how many there are, and where a page begins.
            models.Index(
                fields=["comparison_severity", "cluster", "id"],
                name="peer_by_comparison",
            ),
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
    def attested_values(self) -> dict[str, str]:
        """What a person attests; a later edit is not covered by it."""
        fields = ("address", "username", "protocol", "external_phone_number_mask")
        return {name: getattr(self, name) for name in fields}

    @property
    def values_are_known(self) -> bool:
        """Whether a person attested the values, or the console itself wrote them."""
        applied = self.provisioning_state == self.ProvisioningState.APPLIED
        written = self.cluster.direct and applied and not self.assumed
        return bool(self.valid_attestation) or written

    @property
    def valid_attestation(self) -> dict[str, Any]:
        """Who said that the entry stands as it is now; empty when nobody did."""
        word: dict[str, Any] = self.attestation
        return word if word.get("values") == self.attested_values else {}

    @property
    def attested_at(self) -> datetime | None:
        word = self.valid_attestation
        return datetime.fromisoformat(word["at"]) if word else None

    @property
    def cluster_status_at(self) -> datetime | None:
        status = self.cluster_status
        return datetime.fromisoformat(status["seen_at"]) if status else None

    @property
    def evidence(self) -> str:
        return evidence_in(self.entries)

    @property
    def drifted(self) -> bool:
        """Whether the entry was changed on the cluster behind the console's back."""
        return is_drifted(self)

    @property
    def removed_there(self) -> bool:
        """Whether the entry was on the cluster once and is there no more."""
        absent = self.provisioning_state == self.ProvisioningState.ABSENT
        return absent and bool(self.applied_address) and not self.removing

    def mark_applied(self) -> None:
        """The cluster has the entry as the console desires it."""
        Peer.objects.filter(pk=self.pk).mark_written(self.address)

    def presume_unwritten(self) -> None:
        """Take this instance for unwritten; what is stored stays."""
        state = self.ProvisioningState
        self.provisioning_state = state.FAILED if self.applied_address else state.ABSENT

    def drop(self) -> None:
        """Delete the row; what was last seen of the matching peer is no longer true."""
        if matching := self.reverse:
            Peer.objects.filter(pk=matching.pk).update(outcome=PeerOutcome.UNKNOWN)
        Peer.objects.filter(pk=self.pk).delete()

    def mark_failed(self) -> None:
        Peer.objects.filter(pk=self.pk).mark_failed()
        self.provisioning_state = self.ProvisioningState.FAILED
