"""REST: intercluster peers."""

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Role
from clusters.api.base import EDITS, EditableViewSet
from jobs.api import JobSerializer, accepted_response
from jobs.models import Job
from peers import attestation, guide, lifecycle, rules
from peers.api.serializers import (
    COLUMNS,
    AttestSerializer,
    ManualSyncSerializer,
    PeerSerializer,
    SavedPeerSerializer,
    TakeOverSerializer,
)
from peers.jobs.manual_sync import ManualSync, NotByPages
from peers.models import Peer
from peers.resync import NoPublisher, request_resync
from rest.headers import IF_MATCH
from rest.problems import Conflict

BOTH_SIDES = OpenApiParameter(
    "both_sides", bool, description="Remove the matching peer of the remote one too."
)
FORGET = OpenApiParameter(
    "forget", bool, description="Delete it here only; the cluster keeps its entry."
)


@extend_schema_view(
    create=extend_schema(responses={201: SavedPeerSerializer}),
    update=extend_schema(parameters=[IF_MATCH], responses=SavedPeerSerializer),
    partial_update=extend_schema(parameters=[IF_MATCH], responses=SavedPeerSerializer),
    destroy=extend_schema(
        parameters=[IF_MATCH, BOTH_SIDES, FORGET],
        responses={202: JobSerializer, 204: None},
    ),
)
class PeerViewSet(EditableViewSet[Peer]):
    """Intercluster peers; saving one provisions it on its home cluster."""

    serializer_class = PeerSerializer
    key = ("cluster", "address")
    unique_fields = frozenset({"address", "non_field_errors"})
    queryset = Peer.objects.select_related("cluster", "remote_cluster")
    filterset_fields = {
        "cluster": ("exact",),
        "remote_cluster": ("exact", "isnull"),
        "address": ("exact", "icontains"),
        "username": ("exact",),
        "protocol": ("exact",),
        "provisioning_state": ("exact",),
        "outcome": ("exact",),
    }
    ordering_fields = (
        "address",
        "username",
        "protocol",
        "provisioning_state",
        "outcome",
        "associated_users",
        "checked_at",
        "created_at",
        "updated_at",
    )
    access = {
        **EDITS,
        "attest": Role.ADMINISTRATOR,
        "resync": Role.OPERATOR,
        "manual_sync": Role.OPERATOR,
        "read_again": Role.OPERATOR,
        "take_over": Role.ADMINISTRATOR,
        "write_again": Role.ADMINISTRATOR,
    }

    @property
    def extra_parameters(self) -> tuple[str, ...]:
        return ("both_sides", "forget") if self.action == "destroy" else ()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        found = self.filter_queryset(Peer.objects.all())
        rows: Any = found.values_list(*COLUMNS, named=True)
        page = self.get_serializer(self.paginate_queryset(rows), many=True)
        return self.get_paginated_response(page.data)

    def store(self, serializer: Any) -> Any:
        peer: Peer = serializer.candidate
        job = None
        if peer._state.adding or serializer.edited or serializer.plain:
            job = lifecycle.save_peer(
                peer, self.actor, password=serializer.plain, fields=serializer.edited
            )
        self.row = self.get_queryset().get(pk=peer.pk)
        return {
            **self.get_serializer(self.row).data,
            "job": job and str(job.pk),
            "warnings": list(rules.peer_warnings(self.row).values()),
        }

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Remove it from its cluster by a job; at once where no cluster has it."""
        peer = self.get_object()
        if read_flag(request, "forget"):
            self.attempt_deletion(peer, lambda: lifecycle.drop_record(peer, self.actor))
            return Response(status=204)
        both = read_flag(request, "both_sides")
        job: Job | None = self.attempt_deletion(
            peer, lambda: lifecycle.request_removal(peer, self.actor, both_sides=both)
        )
        return accepted_response(job, request) if job else Response(status=204)

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def resync(self, request: Request, pk: str) -> Response:
        """Restart the Intercluster Sync Agent of the home publisher."""
        peer = self.get_object()
        try:
            job = self.attempt(lambda: request_resync(peer, self.actor))
        except NoPublisher as error:
            raise Conflict(str(error)) from error
        return accepted_response(job, request)

    @extend_schema(request=ManualSyncSerializer, responses={202: JobSerializer})
    @action(detail=True, methods=["post"], url_path="manual-sync")
    def manual_sync(self, request: Request, pk: str) -> Response:
        """Force a sync on the product's own peer page."""
        peer = self.get_object()
        form = ManualSyncSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        chosen = form.validated_data["certificates"]
        try:
            job = self.attempt(
                lambda: ManualSync.submit(peer, self.actor, certificates=chosen)
            )
        except NotByPages as error:
            raise Conflict(str(error)) from error
        return accepted_response(job, request)

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"], url_path="read-again")
    def read_again(self, request: Request, pk: str) -> Response:
        """Have the job that waits for the entry read the cluster at once."""
        peer = self.get_object()
        job = guide.job_of(peer)
        if job is None or not guide.run_waiting_job(peer):
            raise Conflict("No job waits for the entry of this peer.")
        job.refresh_from_db()
        return accepted_response(job, request)

    @extend_schema(request=AttestSerializer, responses=PeerSerializer)
    @action(detail=True, methods=["post"])
    def attest(self, request: Request, pk: str) -> Response:
        """Say that the entry stands on the cluster as the console has it."""
        peer = self.get_object()
        form = AttestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        note = form.validated_data["note"]
        try:
            self.attempt(lambda: attestation.attest_entry(peer, self.actor, note))
        except attestation.NotAttestable as error:
            raise Conflict(str(error)) from error
        self.row = self.get_queryset().get(pk=peer.pk)
        return Response(self.get_serializer(self.row).data)

    @extend_schema(request=TakeOverSerializer, responses=PeerSerializer)
    @action(detail=True, methods=["post"], url_path="take-over")
    def take_over(self, request: Request, pk: str) -> Response:
        """Want from now on what the cluster shows in `drift`."""
        peer = self.get_object()
        form = TakeOverSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        now = self.get_serializer(peer).data["drift"]
        if form.validated_data.get("drift", now) != now:
            raise Conflict("The cluster shows something else by now.", drift=now)
        try:
            self.attempt(
                lambda: lifecycle.accept_cluster_values(peer, peer.drift, self.actor)
            )
        except lifecycle.NothingDiffers as error:
            raise Conflict("The cluster already matches the console.") from error
        except DjangoValidationError as error:
            raise ValidationError(error.messages) from error
        self.row = self.get_queryset().get(pk=peer.pk)
        return Response(self.get_serializer(self.row).data)

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"], url_path="write-again")
    def write_again(self, request: Request, pk: str) -> Response:
        """Bring the peer to its cluster once more, as it is wanted."""
        peer = self.get_object()
        try:
            job = self.attempt(
                lambda: lifecycle.restore_console_values(peer, self.actor)
            )
        except lifecycle.NothingDiffers as error:
            raise Conflict(str(error)) from error
        return accepted_response(job, request)


def read_flag(request: Request, name: str) -> bool:
    value = request.query_params.get(name, "false").lower()
    if value not in ("true", "false"):
        raise ValidationError({name: ["Say true or false."]})
    return value == "true"
