"""REST: nodes and their certificates."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Role
from clusters import certificates, editing
from clusters.api.base import (
    EDITS,
    EditableViewSet,
    unreachable_problem,
)
from clusters.api.serializers import (
    CertificateSerializer,
    NodeSerializer,
    TrustSerializer,
)
from clusters.jobs.test import reach_after_edit
from clusters.models import Node
from rest.headers import IF_MATCH
from rest.problems import Conflict
from wire import WireError


@extend_schema_view(
    update=extend_schema(parameters=[IF_MATCH]),
    partial_update=extend_schema(parameters=[IF_MATCH]),
    destroy=extend_schema(parameters=[IF_MATCH]),
)
class NodeViewSet(EditableViewSet[Node]):
    """The nodes of all clusters."""

    serializer_class = NodeSerializer
    key = ("cluster", "name")
    unique_fields = frozenset({"name", "address", "role"})
    queryset = Node.objects.select_related("cluster")
    filterset_fields = ("cluster", "name", "address", "role", "certificate_state")
    ordering_fields = ("name", "address", "role", "cluster", "certificate_state")
    access = {**EDITS, "certificate": Role.OPERATOR, "trust": Role.ADMINISTRATOR}
    recent_proof = ("trust",)

    def store(self, serializer: Any) -> Any:
        node = serializer.candidate
        creating = node._state.adding
        editing.save_node(node, self.actor, fields=serializer.edited)
        if not creating:
            reach_after_edit(node.cluster, serializer.edited, self.actor)
        self.row = node
        return self.get_serializer(node).data

    def perform_destroy(self, instance: Node) -> None:
        self.attempt_deletion(
            instance, lambda: editing.delete_node(instance, self.actor)
        )

    @extend_schema(responses=CertificateSerializer)
    @action(detail=True)
    def certificate(self, request: Request, pk: str) -> Response:
        """Ask the node now; 409 with a `code` when it does not answer."""
        try:
            presented = certificates.present_certificate(self.get_object())
        except WireError as error:
            raise unreachable_problem(error) from error
        return Response(CertificateSerializer(presented).data)

    @extend_schema(request=TrustSerializer, responses=NodeSerializer)
    @action(detail=True, methods=["post"])
    def trust(self, request: Request, pk: str) -> Response:
        """Confirm the certificate; 409 when it is not what the node presents."""
        node = self.get_object()
        form = TrustSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            certificates.trust_certificate(
                node, form.validated_data["fingerprint"], self.actor
            )
        except certificates.FingerprintDiffers as error:
            raise Conflict(str(error)) from error
        except WireError as error:
            raise unreachable_problem(error) from error
        return Response(self.get_serializer(node).data)
