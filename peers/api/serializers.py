"""What REST reads and writes of clusters, nodes and peers."""

from collections.abc import Callable
from copy import copy
from typing import Any, ClassVar, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as DjangoValidationError
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.settings import api_settings

from peers import drift, rules
from peers.models import Cluster, Node, Outcome, Peer
from peers.validation import clean_host, validate_credential
from rest.models import Revised

M = TypeVar("M", bound=Revised)


class HostField(serializers.CharField):
    """An address or a name, as it is stored."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("max_length", None)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        try:
            return clean_host(super().to_internal_value(data))
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.messages) from None


class PasswordField(serializers.CharField):
    """Written, never read."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            write_only=True,
            max_length=128,
            trim_whitespace=False,
            validators=[validate_credential],
            style={"input_type": "password"},
            **kwargs,
        )


class RevisedSerializer(serializers.ModelSerializer[M]):
    """A row whose rules are those of its page.

    `candidate` is the row as it would be; the view saves it with `edited`, its
    changed fields, and the `plain` password, if one was given.
    """

    password_name = ""
    find_errors: ClassVar[Callable[[Any], rules.Errors]]

    candidate: M
    edited: list[str]
    plain: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance is not None and self.password_name:
            self.fields[self.password_name].required = False

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        self.plain = attrs.pop(self.password_name, "")
        before = self.instance
        self.candidate = copy(before) if before else self.Meta.model()  # type: ignore[misc]
        for name, value in attrs.items():
            setattr(self.candidate, name, value)
        errors = type(self).find_errors(self.candidate)
        if errors:
            raise serializers.ValidationError(
                {
                    api_settings.NON_FIELD_ERRORS_KEY
                    if name == NON_FIELD_ERRORS
                    else name: [sentence]
                    for name, sentence in errors.items()
                }
            )
        self.edited = [
            name for name, value in attrs.items() if getattr(before, name, ...) != value
        ]
        return attrs


class NodeSerializer(RevisedSerializer[Node]):
    """A node of a cluster."""

    find_errors = rules.node_errors

    name = HostField(help_text="As in System > Topology of the cluster.")
    address = HostField(help_text="What the console connects to.")

    class Meta:
        model = Node
        fields = (
            "id",
            "cluster",
            "name",
            "address",
            "role",
            "axl_port",
            "sip_port",
            "sip_tls_port",
            "sip_peer_tls_port",
            "certificate_fingerprint",
            "certificate_state",
        )
        read_only_fields = ("certificate_fingerprint", "certificate_state")
        validators: ClassVar[list[Any]] = []

    def validate_cluster(self, cluster: Cluster) -> Cluster:
        return same_cluster(self.instance, cluster, "node")


def same_cluster(row: Any, cluster: Cluster, kind: str) -> Cluster:
    if row is not None and row.cluster_id != cluster.pk:
        raise serializers.ValidationError(f"A {kind} cannot move to another cluster.")
    return cluster


class ClusterSerializer(RevisedSerializer[Cluster]):
    """A cluster and how the console signs in to it."""

    password_name = "axl_password"
    find_errors = rules.cluster_errors

    axl_username = serializers.CharField(
        max_length=128, validators=[validate_credential]
    )
    axl_password = PasswordField()
    axl_password_set = serializers.SerializerMethodField()
    nodes = NodeSerializer(many=True, read_only=True)

    class Meta:
        model = Cluster
        fields = (
            "id",
            "name",
            "domain",
            "description",
            "site",
            "generation",
            "version",
            "axl_username",
            "axl_password",
            "axl_password_set",
            "provisioning",
            "tls_mode",
            "ca_certificate",
            "legacy_tls",
            "peer_table",
            "nodes",
            "health",
            "checked_at",
        )
        read_only_fields = ("generation", "version", "health", "checked_at")

    def get_axl_password_set(self, cluster: Cluster) -> bool:
        return bool(cluster.axl_password)


ENTRY_OUTCOMES = ["passed", "failed", "warning", "information"]
STATUS = inline_serializer(
    "PeerStatus",
    {
        "outcome": serializers.ChoiceField(choices=Outcome.choices),
        "checked_at": serializers.DateTimeField(allow_null=True),
        "entries": inline_serializer(
            "PeerStatusEntry",
            {
                "code": serializers.CharField(),
                "label": serializers.CharField(),
                "outcome": serializers.ChoiceField(choices=ENTRY_OUTCOMES),
                "problem": serializers.CharField(),
                "solution": serializers.CharField(),
                "duration_ms": serializers.FloatField(allow_null=True),
            },
            many=True,
        ),
    },
)


class PeerDifferenceSerializer(serializers.Serializer[Any]):
    """A field that was changed on the cluster itself."""

    wanted = serializers.CharField(allow_blank=True, trim_whitespace=False)
    cluster = serializers.CharField(allow_blank=True, trim_whitespace=False)


DRIFT = serializers.DictField(
    child=PeerDifferenceSerializer(),
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


class PeerSerializer(RevisedSerializer[Peer]):
    """An intercluster peer: an entry on a home cluster."""

    password_name = "password"
    find_errors = rules.peer_errors

    address = HostField(
        help_text="The remote publisher's IP address, host name or FQDN, or a DNS "
        "SRV name of the remote cluster."
    )
    username = serializers.CharField(max_length=128, validators=[validate_credential])
    password = PasswordField()
    password_set = serializers.SerializerMethodField()
    drift = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()

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
            "associated_users",
            "remote_users",
            "status",
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

    def get_password_set(self, peer: Peer) -> bool:
        return bool(peer.password)

    @extend_schema_field(DRIFT)
    def get_drift(self, peer: Peer) -> dict[str, dict[str, str]]:
        wanted = {name: getattr(peer, name) for name in peer.drift}
        return drift.side_by_side(wanted, peer.drift) if peer.drifted else {}

    @extend_schema_field(STATUS)
    def get_status(self, peer: Peer) -> dict[str, Any]:
        checked_at = peer.checked_at
        shown = serializers.DateTimeField().to_representation(checked_at)  # type: ignore[arg-type]
        return {**peer.status, "checked_at": shown if checked_at else None}


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


class CertificateSerializer(serializers.Serializer[Any]):
    """What a node presents now."""

    subject = serializers.CharField()
    issuer = serializers.CharField()
    not_before = serializers.DateTimeField()
    not_after = serializers.DateTimeField()
    fingerprint = serializers.CharField()
    names = serializers.ListField(child=serializers.CharField())
    key_bits = serializers.IntegerField()
    self_signed = serializers.BooleanField()
    signature_algorithm = serializers.CharField()
    tls_version = serializers.CharField()
    pem = serializers.CharField()


class TrustSerializer(serializers.Serializer[Any]):
    """The fingerprint to confirm: SHA-256 in hex, with or without colons."""

    fingerprint = serializers.RegexField(
        r"^\s*([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}\s*$",
        error_messages={"invalid": "Enter a SHA-256 fingerprint: 64 hex digits."},
    )
