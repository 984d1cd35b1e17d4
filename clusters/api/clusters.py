"""REST: clusters."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Role
from clusters import editing
from clusters.api.base import EDITS
from clusters.api.pages import PagesActions
from clusters.api.peer_table import PeerTableActions
from clusters.api.serializers import ClusterSerializer
from clusters.jobs.discover import DiscoverCluster
from clusters.jobs.test import TestCluster, reach_after_edit
from clusters.models import Cluster
from jobs.api import JobSerializer, accepted_response
from rest.headers import IF_MATCH


@extend_schema_view(
    update=extend_schema(parameters=[IF_MATCH]),
    partial_update=extend_schema(parameters=[IF_MATCH]),
    destroy=extend_schema(parameters=[IF_MATCH]),
)
class ClusterViewSet(PeerTableActions, PagesActions):
    """Clusters, and how the console signs in to them."""

    serializer_class = ClusterSerializer
    key = ("name",)
    unique_fields = frozenset({"name"})
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
    access = {
        **EDITS,
        "discover": Role.ADMINISTRATOR,
        "test": Role.OPERATOR,
        "recognise": Role.OPERATOR,
        "pages": Role.VIEWER,
        "describe_pages": Role.OPERATOR,
        "peer_table": Role.VIEWER,
        "confirm_peer_table": Role.ADMINISTRATOR,
    }
    recent_proof = ("destroy",)
    all_clusters = ("create",)

    def store(self, serializer: Any) -> Any:
        cluster = serializer.candidate
        creating = cluster._state.adding
        editing.save_cluster(
            cluster,
            self.actor,
            password=serializer.plain,
            peering_password=serializer.peering_plain,
            pages_password=serializer.pages_plain,
            os_password=serializer.os_plain,
            fields=serializer.edited,
        )
        if not creating:
            password = ["axl_password"] if serializer.plain else []
            reach_after_edit(cluster, [*serializer.edited, *password], self.actor)
        self.row = self.get_queryset().get(pk=cluster.pk)
        return self.get_serializer(self.row).data

    def perform_destroy(self, instance: Cluster) -> None:
        self.attempt_deletion(
            instance, lambda: editing.delete_cluster(instance, self.actor)
        )

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def discover(self, request: Request, pk: str) -> Response:
        """Learn nodes, version and generation from the publisher."""
        cluster = self.get_object()
        job = self.attempt(lambda: DiscoverCluster.submit(cluster, self.actor))
        return accepted_response(job, request)

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Reach every node of the cluster."""
        cluster = self.get_object()
        job = self.attempt(lambda: TestCluster.submit(cluster, self.actor))
        return accepted_response(job, request)
