"""What REST reads and writes of peers."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from clusters.api.serializers import (
    HostSerializerField,
    PasswordSerializerField,
    RevisedSerializer,
    same_cluster,
)
from clusters.models import Cluster
from clusters.validation import (
    validate_credential,
)
from peers import drift, rules
from peers.attestation import LONGEST_NOTE
from peers.models import Peer, PeerOutcome, evidence_in, is_drifted

ENTRY_OUTCOMES = ["passed", "failed", "warning", "unknown", "information"]
EVIDENCE = ["table", "pages", "users", "probe", "services", "attested", "none"]
# Of peers and of rows of their values, which `to_representation` reads alike.
COLUMNS = (
    "id",
    "cluster_id",
    "remote_cluster_id",
    "address",
    "username",
    "password",
    "protocol",
    "external_phone_number_mask",
    "provisioning_state",
    "removing",
    "drift",
    "entries",
    "associated_users",
    "remote_users",
    "outcome",
    "checked_at",
    "cluster_status",
    "created_at",
    "updated_at",
)
STATUS = inline_serializer(
    "PeerStatus",
    {
        "outcome": serializers.ChoiceField(choices=PeerOutcome.choices),
        "checked_at": serializers.DateTimeField(allow_null=True),
        "entries": inline_serializer(
            "PeerStatusEntry",
            {
                "code": serializers.CharField(),
                "label": serializers.CharField(),
                "outcome": serializers.ChoiceField(choices=ENTRY_OUTCOMES),
                "problem": serializers.CharField(),
                "solution": serializers.CharField(),
                "evidence": serializers.ChoiceField(
                    choices=EVIDENCE, help_text="By what it is known."
                ),
                "seen_at": serializers.DateTimeField(),
                "duration_ms": serializers.FloatField(allow_null=True),
                "fix_url": serializers.CharField(
                    help_text="The page that fixes it, or empty."
                ),
            },
            many=True,
        ),
    },
    read_only=True,
)
CLUSTER_STATUS = inline_serializer(
    "ClusterStatus",
    {
        "seen_at": serializers.CharField(),
        "entries": inline_serializer(
            "ClusterStatusEntry",
            {
                "label": serializers.CharField(),
                "outcome": serializers.ChoiceField(choices=ENTRY_OUTCOMES),
                "text": serializers.CharField(),
            },
            many=True,
        ),
        "associated_users": serializers.IntegerField(allow_null=True),
    },
    allow_null=True,
    read_only=True,
    help_text="What the cluster's own peer page shows; null where it is not read.",
)


class PeerDifferenceSerializer(serializers.Serializer[Any]):
    """A field that was changed on the cluster itself."""

    wanted = serializers.CharField(allow_blank=True, trim_whitespace=False)
    cluster = serializers.CharField(allow_blank=True, trim_whitespace=False)


DRIFT = serializers.DictField(
    child=PeerDifferenceSerializer(),
    read_only=True,
    help_text="What was changed on the cluster itself: for each field the value "
    "wanted here and the cluster's own.",
)


class TakeOverSerializer(serializers.Serializer[Any]):
    """What whoever takes it over saw; without it, what is there now."""

    drift = serializers.DictField(
        child=PeerDifferenceSerializer(),
        required=False,
        help_text="`drift` as it was read; a 409 when it is no longer so.",
    )


class AttestSerializer(serializers.Serializer[Any]):
    """A person's word that the entry stands on the cluster as the console has it."""

    note = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=LONGEST_NOTE
    )


class PeerSerializer(RevisedSerializer[Peer]):
    """An intercluster peer: an entry on a home cluster."""

    password_name = "password"
    find_errors = rules.peer_errors

    address = HostSerializerField(
        help_text="The remote publisher's IP address, host name or FQDN, or a DNS "
        "SRV name of the remote cluster."
    )
    username = serializers.CharField(max_length=128, validators=[validate_credential])
    password = PasswordSerializerField()
    password_set = serializers.BooleanField(read_only=True)
    drift = DRIFT
    evidence = serializers.ChoiceField(
        choices=EVIDENCE, read_only=True, help_text="By what the entry itself is known."
    )
    status = STATUS
    cluster_status = CLUSTER_STATUS

    class Meta:
        model = Peer
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "cluster",
            "remote_cluster",
            "address",
            "username",
            "password",
            "password_set",
            "protocol",
            "external_phone_number_mask",
            "provisioning_state",
            "drift",
            "evidence",
            "associated_users",
            "remote_users",
            "status",
            "cluster_status",
            "created_at",
            "updated_at",
        )
        read_only_fields = (
            "remote_cluster",
            "provisioning_state",
            "associated_users",
            "remote_users",
            "created_at",
            "updated_at",
        )
        validators: ClassVar[list[Any]] = []

    def validate_cluster(self, cluster: Cluster) -> Cluster:
        return same_cluster(self.instance, cluster, "peer")

    def to_representation(self, peer: Any) -> dict[str, Any]:
        """Show a peer, or a row of `COLUMNS`: models alone take twice as long for a
        page of 500, before the serializer's fields."""
        return {
            "id": str(peer.id),
            "cluster": str(peer.cluster_id),
            "remote_cluster": str(peer.remote_cluster_id)
            if peer.remote_cluster_id
            else None,
            "address": peer.address,
            "username": peer.username,
            "password_set": bool(peer.password),
            "protocol": peer.protocol,
            "external_phone_number_mask": peer.external_phone_number_mask,
            "provisioning_state": peer.provisioning_state,
            "drift": drift_in(peer) if is_drifted(peer) else {},
            "evidence": evidence_in(peer.entries),
            "associated_users": peer.associated_users,
            "remote_users": peer.remote_users,
            "status": {
                "outcome": peer.outcome,
                "checked_at": as_utc(peer.checked_at),
                "entries": peer.entries,
            },
            "cluster_status": peer.cluster_status,
            "created_at": as_utc(peer.created_at),
            "updated_at": as_utc(peer.updated_at),
        }


def drift_in(peer: Any) -> dict[str, dict[str, str]]:
    wanted = {name: getattr(peer, name) for name in peer.drift}
    return drift.side_by_side(wanted, peer.drift)


def as_utc(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


class SavedPeerSerializer(PeerSerializer):
    """A peer that was just saved, its provisioning job, and what to look at."""

    job = serializers.UUIDField(read_only=True, allow_null=True)
    warnings = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta(PeerSerializer.Meta):
        fields: ClassVar[tuple[str, ...]] = (
            *PeerSerializer.Meta.fields,
            "job",
            "warnings",
        )


class ManualSyncSerializer(serializers.Serializer[Any]):
    """How to force a sync."""

    certificates = serializers.BooleanField(
        default=False, help_text="Sync the Tomcat certificates of the peer again too."
    )
