"""What REST reads and writes of clusters and nodes."""

from collections.abc import Callable
from copy import copy
from typing import Any, ClassVar, TypeVar, cast

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers
from rest_framework.fields import get_error_detail
from rest_framework.settings import api_settings

from base.revisions import Revised
from clusters import rules
from clusters.models import Cluster, Node
from clusters.validation import (
    clean_host,
    validate_credential,
    validate_peer_table,
)
from jobs.waiting import served_queues, unserved_site

M = TypeVar("M", bound=Revised)


class HostSerializerField(serializers.CharField):
    """An address or a name, as it is stored."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("max_length", None)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        try:
            return clean_host(super().to_internal_value(data))
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.messages) from None


class PasswordSerializerField(serializers.CharField):
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


def refuse_broken(errors: rules.Errors) -> None:
    """Raise what breaks a rule, if anything does, as REST reports it."""
    if errors:
        raise serializers.ValidationError(
            {
                api_settings.NON_FIELD_ERRORS_KEY
                if name == NON_FIELD_ERRORS
                else name: get_error_detail(error)
                for name, error in errors.items()
            }
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
        refuse_broken(type(self).find_errors(self.candidate))
        self.edited = [
            name for name, value in attrs.items() if getattr(before, name, ...) != value
        ]
        return attrs


class NodeSerializer(RevisedSerializer[Node]):
    """A node of a cluster."""

    find_errors = rules.node_errors

    name = HostSerializerField(help_text="As in System > Topology of the cluster.")
    address = HostSerializerField(help_text="What the console connects to.")

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


TABLE_STATES = (
    "unknown",
    "profile",
    "recognised",
    "confirmed",
    "ambiguous",
    "none",
    "unreadable",
)


class MappingSerializer(serializers.Serializer[Any]):
    """Where a cluster keeps its peers."""

    table = serializers.CharField(max_length=128)
    columns = serializers.DictField(child=serializers.CharField(max_length=128))
    protocol_values = serializers.DictField(child=serializers.CharField(max_length=255))

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        validate_peer_table(data)
        return data


class CandidateSerializer(MappingSerializer):
    """A table that could hold the peers, and why."""

    rows = serializers.IntegerField(allow_null=True)
    evidence = serializers.ListField(child=serializers.CharField())


class PeerTableSerializer(serializers.Serializer[Any]):
    """What is known of the peer table of a cluster."""

    state = serializers.ChoiceField(choices=TABLE_STATES)
    seen_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(help_text="Why nothing was recognised, or empty.")
    chosen = MappingSerializer(allow_null=True)
    candidates = CandidateSerializer(many=True)


class ClusterSerializer(RevisedSerializer[Cluster]):
    """A cluster and how the console signs in to it."""

    password_name = "axl_password"
    find_errors = rules.cluster_errors

    axl_username = serializers.CharField(
        max_length=128, validators=[validate_credential]
    )
    axl_password = PasswordSerializerField()
    axl_password_set = serializers.SerializerMethodField()
    peering_password = PasswordSerializerField(required=False)
    peering_password_set = serializers.SerializerMethodField()
    pages_password = PasswordSerializerField(required=False)
    pages_password_set = serializers.SerializerMethodField()
    os_password = PasswordSerializerField(required=False)
    os_password_set = serializers.SerializerMethodField()
    peer_table_state = serializers.ChoiceField(choices=TABLE_STATES, read_only=True)
    nodes = NodeSerializer(many=True, read_only=True)
    site_warning = serializers.SerializerMethodField(
        help_text="A sentence while no running worker serves the site, else null."
    )
    # Empty where nothing is known, which a choice that is read only cannot say.
    inferred_scheme = serializers.CharField(read_only=True)

    class Meta:
        model = Cluster
        fields = (
            "id",
            "name",
            "domain",
            "address_scheme",
            "inferred_scheme",
            "description",
            "site",
            "site_warning",
            "generation",
            "version",
            "axl_username",
            "axl_password",
            "axl_password_set",
            "peering_username",
            "peering_password",
            "peering_password_set",
            "provisioning",
            "pages_username",
            "pages_password",
            "pages_password_set",
            "pages_port",
            "os_username",
            "os_password",
            "os_password_set",
            "tls_mode",
            "ca_certificate",
            "legacy_tls",
            "peer_table",
            "peer_table_state",
            "nodes",
            "health",
            "checked_at",
        )
        read_only_fields = (
            "inferred_scheme",
            "generation",
            "version",
            "health",
            "checked_at",
        )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        self.peering_plain = attrs.pop("peering_password", "")
        self.pages_plain = attrs.pop("pages_password", "")
        self.os_plain = attrs.pop("os_password", "")
        attrs = super().validate(attrs)
        errors = rules.account_errors(self.candidate, self.pages_plain)
        refuse_broken(errors | rules.os_account_errors(self.candidate, self.os_plain))
        return attrs

    def get_peering_password_set(self, cluster: Cluster) -> bool:
        return bool(cluster.peering_password)

    def get_pages_password_set(self, cluster: Cluster) -> bool:
        return bool(cluster.pages_password)

    def get_os_password_set(self, cluster: Cluster) -> bool:
        return bool(cluster.os_password)

    def get_site_warning(self, cluster: Cluster) -> str | None:
        if not cluster.site:
            return None
        # Looked at once for all rows of a list.
        context = cast(dict[str, Any], self.context)
        if "served_queues" not in context:
            context["served_queues"] = served_queues()
        return unserved_site(cluster.site, context["served_queues"]) or None

    def get_axl_password_set(self, cluster: Cluster) -> bool:
        return bool(cluster.axl_password)


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
