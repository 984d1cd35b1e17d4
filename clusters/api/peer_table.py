"""REST: the peer table of a cluster, recognised and confirmed."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from clusters import peer_tables
from clusters.api.base import EditableViewSet, unreachable_problem
from clusters.api.serializers import (
    MappingSerializer,
    PeerTableSerializer,
)
from clusters.jobs.recognise import RecogniseTable
from clusters.models import Cluster
from jobs.api import JobSerializer, accepted_response
from wire import WireError


class PeerTableActions(EditableViewSet[Cluster]):
    """What a person asks about the peer table of a cluster."""

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def recognise(self, request: Request, pk: str) -> Response:
        """Look for the peer table in the catalogue and, by counting, in contents."""
        cluster = self.get_object()
        job = self.attempt(lambda: RecogniseTable.submit(cluster, self.actor))
        return accepted_response(job, request)

    @extend_schema(responses=PeerTableSerializer)
    @action(detail=True, methods=["get"], url_path="peer-table")
    def peer_table(self, request: Request, pk: str) -> Response:
        """What is known of the table that holds the peers."""
        return Response(PeerTableSerializer(peer_table_data(self.get_object())).data)

    @extend_schema(request=MappingSerializer, responses=PeerTableSerializer)
    @peer_table.mapping.post
    def confirm_peer_table(self, request: Request, pk: str) -> Response:
        """Confirm a table; from then on it is read, and written where direct."""
        cluster = self.get_object()
        form = MappingSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        self.confirm(cluster, form.validated_data)
        return Response(PeerTableSerializer(peer_table_data(cluster)).data)

    def confirm(self, cluster: Cluster, mapping: dict[str, Any]) -> None:
        try:
            found = peer_tables.verify_mapping(cluster, mapping)
        except WireError as error:
            raise unreachable_problem(error) from error
        self.attempt(lambda: peer_tables.confirm_mapping(cluster, found, self.actor))


def peer_table_data(cluster: Cluster) -> dict[str, Any]:
    found = cluster.table_search
    return {
        "state": cluster.peer_table_state,
        "seen_at": found.get("seen_at"),
        "reason": found.get("reason", ""),
        "chosen": peer_tables.chosen_mapping(cluster),
        "candidates": [
            *found.get("candidates", []),
            *peer_tables.offered_mappings(cluster),
        ],
    }
