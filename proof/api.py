"""REST: proofs of peers, and the canary among the fields of a cluster."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import (
    Direction,
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.roles import Role
from clusters.api.base import unreachable_problem
from clusters.api.clusters import ClusterViewSet
from clusters.api.serializers import (
    CertificateSerializer,
    ClusterSerializer,
    PasswordSerializerField,
    TrustSerializer,
)
from clusters.certificates import FingerprintDiffers
from clusters.models import Cluster, Node
from clusters.validation import validate_credential
from jobs.api import JobSerializer, accepted_response, busy_conflict
from jobs.locks import Busy
from peers.models import Peer
from presence import ProofInterface, Stage
from proof import canaries, pairs
from proof.jobs.prove import Prove
from proof.models import Canary, PresenceCertificate, Proof
from rest.idempotency import IdempotentMixin
from rest.problems import Conflict
from wire import WireError


class ProofSerializer(serializers.ModelSerializer[Proof]):
    """What the newest proof of a peer found."""

    stage = serializers.ChoiceField(
        choices=[stage.value for stage in Stage], help_text="How far it came."
    )
    way = serializers.ChoiceField(choices=[way.value for way in ProofInterface])

    class Meta:
        model = Proof
        fields = (
            "outcome",
            "at",
            "latency_ms",
            "message_ms",
            "way",
            "stage",
            "code",
            "problem",
            "solution",
        )


class ProveView(IdempotentMixin, APIView):
    """Prove a peer: does a user of its cluster see a user of the remote one?"""

    access = {"post": Role.OPERATOR}

    @extend_schema(request=None, responses={202: JobSerializer})
    @transaction.atomic
    def post(self, request: Request, pk: UUID) -> Response:
        """Prove it now, in both directions. Without canary users the answer is 409."""
        get_object_or_404(Peer, pk=pk)
        peer = pairs.with_canaries(pk)
        assert peer is not None  # noqa: S101 - found above, in this transaction
        try:
            job = Prove.submit(peer, audit.actor_of(request))
        except pairs.NoCanary as error:
            raise Conflict(str(error)) from error
        except Busy as error:
            raise busy_conflict(error) from error
        return accepted_response(job, request)


class NewestProofSerializer(ProofSerializer):
    """A proof, or null; only the schema needs to tell it from `ProofSerializer`."""


class NewestProofSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Says that null is an answer, which a serializer of an answer cannot say."""

    target_class = NewestProofSerializer

    def map_serializer(
        self, auto_schema: AutoSchema, direction: Direction
    ) -> dict[str, Any]:
        proof = auto_schema.resolve_serializer(ProofSerializer, direction)
        return {"oneOf": [proof.ref, {"type": "null"}]}


class ProofView(APIView):
    """The newest proof of a peer."""

    access = {"get": Role.VIEWER}

    @extend_schema(responses=NewestProofSerializer)
    def get(self, request: Request, pk: UUID) -> JsonResponse:
        """The newest proof, or null where there is none."""
        peer = get_object_or_404(Peer, pk=pk)
        newest = peer.proofs.first()
        # An answer of REST framework with null has no body at all.
        newest_data = ProofSerializer(newest).data if newest else None
        return JsonResponse(newest_data, safe=False)


class PresenceTrustSerializer(TrustSerializer):
    """The fingerprint to confirm, and of which interface."""

    kind = serializers.ChoiceField(
        choices=PresenceCertificate.Kind.choices, default=PresenceCertificate.Kind.CUP
    )


class PresenceCertificateView(IdempotentMixin, APIView):
    """The certificate that a node presents to proofs of presence."""

    access = {"get": Role.OPERATOR, "post": Role.ADMINISTRATOR}
    recent_proof = ("post",)

    @extend_schema(
        operation_id="nodes_presence_certificate",
        parameters=[
            OpenApiParameter("kind", str, enum=PresenceCertificate.Kind.values)
        ],
        responses=CertificateSerializer,
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Ask the node now; 409 with a `code` when it does not answer."""
        kind = request.query_params.get("kind", PresenceCertificate.Kind.CUP)
        known = PresenceCertificate.Kind.values
        if kind not in known or set(request.query_params) - {"kind"}:
            raise ValidationError({"kind": [f"One of {', '.join(known)}."]})
        node = get_object_or_404(Node.objects.select_related("cluster"), pk=pk)
        try:
            presented = canaries.present_certificate(node, kind)
        except WireError as error:
            raise unreachable_problem(error) from error
        return Response(CertificateSerializer(presented).data)

    @extend_schema(
        operation_id="nodes_presence_trust",
        request=PresenceTrustSerializer,
        responses={204: None},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Confirm the certificate; 409 when it is not what the node presents."""
        node = get_object_or_404(Node.objects.select_related("cluster"), pk=pk)
        form = PresenceTrustSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        fingerprint = given["fingerprint"].strip().replace(":", "").lower()
        try:
            canaries.trust_service(
                node, given["kind"], fingerprint, audit.actor_of(request)
            )
        except FingerprintDiffers as error:
            raise Conflict(str(error)) from error
        except WireError as error:
            raise unreachable_problem(error) from error
        return Response(status=204)


PORT = Canary._meta.get_field("presence_port").default


def text_field(source: str, length: int) -> serializers.CharField:
    return serializers.CharField(
        source=f"canary_row.{source}",
        max_length=length,
        required=False,
        allow_null=True,
        allow_blank=True,
        validators=[validate_credential],
    )


@extend_schema_serializer(component_name="Cluster")
class CanaryClusterSerializer(ClusterSerializer):
    """A cluster with its canary user; null where none is named."""

    canary = text_field("userid", 132)
    canary_watcher = text_field("watcher_userid", 132)
    presence_username = text_field("presence_username", 128)
    presence_password = PasswordSerializerField(required=False)
    presence_password_set = serializers.SerializerMethodField()
    presence_port = serializers.IntegerField(
        source="canary_row.presence_port",
        required=False,
        min_value=1,
        max_value=65535,
        default=PORT,
    )

    canary_given: dict[str, Any]

    class Meta(ClusterSerializer.Meta):
        fields: Any = (
            *ClusterSerializer.Meta.fields,
            "canary",
            "canary_watcher",
            "presence_username",
            "presence_password",
            "presence_password_set",
            "presence_port",
        )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = attrs.pop("canary_row", {})
        if "presence_port" not in self.initial_data:
            given.pop("presence_port", None)
        self.canary_given = {
            name: "" if value is None else value for name, value in given.items()
        }
        if plain := attrs.pop("presence_password", ""):
            self.canary_given["presence_password"] = plain
        return super().validate(attrs)

    def get_presence_password_set(self, cluster: Cluster) -> bool:
        row = getattr(cluster, "canary_row", None)
        return bool(row and row.presence_password)

    def to_representation(self, instance: Cluster) -> dict[str, Any]:
        data: dict[str, Any] = super().to_representation(instance)
        for name in ("canary", "canary_watcher"):
            data[name] = data[name] or None
        data["presence_port"] = data["presence_port"] or PORT
        return data


class CanaryClusterViewSet(ClusterViewSet):
    """Clusters, how the console signs in to them, and their canary users."""

    serializer_class = CanaryClusterSerializer
    queryset = Cluster.objects.select_related("canary_row").prefetch_related("nodes")

    def store(self, serializer: Any) -> Any:
        super().store(serializer)
        if serializer.canary_given:
            canaries.save_canary(self.row, serializer.canary_given, self.actor)
        self.row = self.get_queryset().get(pk=self.row.pk)
        return self.get_serializer(self.row).data
