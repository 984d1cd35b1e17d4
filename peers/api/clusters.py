"""REST: clusters."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Role
from jobs.api import JobSerializer, accepted
from peers import changes, editing
from peers.api.base import EDITS, IDEMPOTENCY_KEY, IF_MATCH, EditableViewSet
from peers.api.serializers import ClusterSerializer
from peers.models import Cluster


@extend_schema_view(
    create=extend_schema(parameters=[IDEMPOTENCY_KEY]),
    update=extend_schema(parameters=[IF_MATCH]),
    partial_update=extend_schema(parameters=[IF_MATCH]),
    destroy=extend_schema(parameters=[IF_MATCH]),
)
class ClusterViewSet(EditableViewSet[Cluster]):
    """Clusters, and how the console signs in to them."""

    serializer_class = ClusterSerializer
    key = ("name",)
    taken = frozenset({"name"})
    queryset = Cluster.objects.prefetch_related("nodes")
    filterset_fields = (
        "name",
        "domain",
        "site",
        "generation",
        "version",
        "provisioning",
        "tls_mode",
        "health",
    )
    ordering_fields = ("name", "domain", "site", "version", "health", "checked_at")
    access = {**EDITS, "discover": Role.ADMINISTRATOR, "test": Role.OPERATOR}
    recent_proof = ("destroy",)
    all_clusters = ("create",)

    def store(self, serializer: Any) -> Any:
        cluster = serializer.candidate
        editing.save_cluster(
            cluster, self.actor, password=serializer.plain, fields=serializer.edited
        )
        self.row = self.get_queryset().get(pk=cluster.pk)
        return self.get_serializer(self.row).data

    def perform_destroy(self, instance: Cluster) -> None:
        self.attempt(lambda: editing.delete_cluster(instance, self.actor))

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def discover(self, request: Request, pk: str) -> Response:
        """Learn nodes, version and generation from the publisher."""
        cluster = self.get_object()
        job = self.attempt(lambda: changes.discover(cluster, self.actor))
        return accepted(job, request)

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Reach every node of the cluster."""
        cluster = self.get_object()
        job = self.attempt(lambda: changes.test(cluster, self.actor))
        return accepted(job, request)
