"""REST: runs of the troubleshooter, and checks of peers."""

from itertools import groupby
from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import (
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.access import Role
from clusters.models import Cluster
from diagnostics.jobs.check import request_check
from diagnostics.jobs.sweep import Sweep
from diagnostics.jobs.troubleshoot import Troubleshoot
from diagnostics.models import (
    TroubleshooterResult,
    TroubleshooterRun,
    count_results,
)
from jobs.api import JobSerializer, accepted_response, busy_conflict
from jobs.locks import Busy
from peers.api.selection import PeerSelectionSerializer
from peers.models import Peer
from rest.idempotency import IdempotentMixin
from rest.serializers import StrictSerializer


class AnswerSerializer(serializers.Serializer[Any]):
    """One answer that a test rests on."""

    asked = serializers.CharField()
    answer = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    duration_ms = serializers.FloatField(allow_null=True)


class ComparedSerializer(serializers.Serializer[Any]):
    """The console's result beside that of a cluster's own troubleshooter."""

    code = serializers.CharField()
    outcome = serializers.CharField()
    differs = serializers.BooleanField()


class DetailsSerializer(serializers.Serializer[Any]):
    """What stands behind a test: what it asks, and what was answered."""

    asked = serializers.CharField(help_text="What the test asks, and of whom.")
    answers = AnswerSerializer(many=True)
    more = serializers.IntegerField(help_text="Answers that are not listed.")
    compared = ComparedSerializer(
        required=False,
        help_text="What the console says where a row of a cluster asks the same.",
    )
    cluster_says = serializers.CharField(
        required=False,
        help_text="The outcome of the cluster's own row, where it differs.",
    )
    caused_by = serializers.CharField(
        help_text="The code of the test whose failure caused this one, else empty."
    )


class ResultSerializer(serializers.ModelSerializer[TroubleshooterResult]):
    """What one test said of one thing."""

    cluster = serializers.UUIDField(
        source="cluster_id", read_only=True, allow_null=True
    )
    node = serializers.UUIDField(source="node_id", read_only=True, allow_null=True)
    peer = serializers.UUIDField(source="peer_id", read_only=True, allow_null=True)
    details = serializers.SerializerMethodField()
    code = serializers.SerializerMethodField(
        help_text="`vendor` for a row of the cluster's own troubleshooter."
    )

    def get_code(self, result: TroubleshooterResult) -> str:
        return "vendor" if result.by_cluster else result.code

    @extend_schema_field(DetailsSerializer)
    def get_details(self, result: TroubleshooterResult) -> dict[str, Any]:
        nothing: dict[str, Any] = {"answers": [], "more": 0, "caused_by": ""}
        return {**nothing, **result.details, "asked": result.asked}

    class Meta:
        model = TroubleshooterResult
        fields = (
            "code",
            "source",
            "description",
            "outcome",
            "problem",
            "solution",
            "fix_url",
            "cluster",
            "cluster_name",
            "node",
            "node_name",
            "peer",
            "peer_address",
            "details",
        )


class SectionSerializer(serializers.Serializer[Any]):
    """A section of a run."""

    name = serializers.CharField()
    tests = ResultSerializer(many=True)


class TotalsSerializer(serializers.Serializer[Any]):
    """How many tests had which outcome."""

    passed = serializers.IntegerField()
    failed = serializers.IntegerField()
    warning = serializers.IntegerField()
    information = serializers.IntegerField()


class PeerRowSerializer(serializers.Serializer[Any]):
    """A peer as the run found it, by the names of its clusters."""

    home = serializers.CharField()
    remote = serializers.CharField()
    address = serializers.CharField()
    protocol = serializers.CharField()
    associated_users = serializers.IntegerField(allow_null=True)
    remote_users = serializers.IntegerField(allow_null=True)


class RunSummarySerializer(serializers.ModelSerializer[TroubleshooterRun]):
    """A run without its tests, as lists show it."""

    state = serializers.CharField(read_only=True)
    clusters = serializers.SerializerMethodField()
    totals = serializers.SerializerMethodField()

    class Meta:
        model = TroubleshooterRun
        fields = (
            "id",
            "state",
            "clusters",
            "reason",
            "tests",
            "whole",
            "created_at",
            "started_at",
            "finished_at",
            "totals",
        )

    def get_clusters(self, run: TroubleshooterRun) -> list[str]:
        return [cluster["id"] for cluster in run.visible_clusters]

    @extend_schema_field(TotalsSerializer)
    def get_totals(self, run: TroubleshooterRun) -> dict[str, int]:
        outcomes = TroubleshooterResult.Outcome.values
        return {outcome: run.visible_totals.get(outcome, 0) for outcome in outcomes}


class RunSerializer(RunSummarySerializer):
    """A run with all its tests, by section, and the table of its peers."""

    sections = serializers.SerializerMethodField()
    peers = serializers.SerializerMethodField()

    class Meta(RunSummarySerializer.Meta):
        fields = (*RunSummarySerializer.Meta.fields, "sections", "peers")  # type: ignore[assignment]

    @extend_schema_field(PeerRowSerializer(many=True))
    def get_peers(self, run: TroubleshooterRun) -> list[dict[str, Any]]:
        return run.visible_peers

    @extend_schema_field(SectionSerializer(many=True))
    def get_sections(self, run: TroubleshooterRun) -> list[dict[str, Any]]:
        results = run.results.order_by("position")
        return [
            {"name": name, "tests": ResultSerializer(list(rows), many=True).data}
            for name, rows in groupby(results, key=lambda row: row.section)
        ]


@extend_schema_serializer(component_name="TroubleshooterRun")
class RunRequestSerializer(StrictSerializer):
    """Which clusters to look at; all of them when none are named, or for "all"."""

    clusters = serializers.PrimaryKeyRelatedField(
        queryset=Cluster.objects.all(), many=True, required=False
    )

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and data.get("clusters") == "all":
            data = data | {"clusters": []}
        return super().to_internal_value(data)


class AcceptedRunSerializer(JobSerializer):
    """The job of a run, and the run's id."""

    run = serializers.UUIDField()

    class Meta(JobSerializer.Meta):
        fields = (*JobSerializer.Meta.fields, "run")  # type: ignore[assignment]


class TroubleshooterRunViewSet(
    IdempotentMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[TroubleshooterRun],
):
    """Runs of the System Troubleshooter, newest first."""

    serializer_class = RunSerializer
    queryset = TroubleshooterRun.objects.select_related("job")
    filterset_fields = ("reason",)
    ordering_fields = ("created_at", "started_at", "finished_at")
    access = {
        "list": Role.VIEWER,
        "retrieve": Role.VIEWER,
        "create": Role.OPERATOR,
    }

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return RunSummarySerializer if self.action == "list" else RunSerializer

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        count_results(page or [])
        return page

    def get_object(self) -> TroubleshooterRun:
        run = super().get_object()
        count_results([run])
        return run

    @extend_schema(request=RunRequestSerializer, responses={202: AcceptedRunSerializer})
    @transaction.atomic
    def create(self, request: Request) -> Response:
        form = RunRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        clusters = form.validated_data.get("clusters") or Cluster.objects.all()
        actor = audit.actor_of(request)
        run = Troubleshoot.submit(clusters, actor)
        audit.append_entry(actor, "run troubleshooter", run)
        assert run.job is not None  # noqa: S101 - submitted just now
        return accepted_response(run.job, request, run=str(run.pk))


@extend_schema_serializer(component_name="Check")
class CheckRequestSerializer(PeerSelectionSerializer):
    """Which peers to check: ids, or filters, or all."""


class CheckPeer(IdempotentMixin, APIView):
    """Check one peer now."""

    access = {"post": Role.OPERATOR}

    @extend_schema(request=None, responses={202: JobSerializer})
    @transaction.atomic
    def post(self, request: Request, pk: str) -> Response:
        peer = get_object_or_404(Peer.objects.select_related("cluster"), pk=pk)
        return check_peers(request, [peer])


class PeerChecks(IdempotentMixin, APIView):
    """Check many peers now."""

    access = {"post": Role.OPERATOR}

    @extend_schema(
        operation_id="peers_check_many",
        request=CheckRequestSerializer,
        responses={202: JobSerializer},
    )
    @transaction.atomic
    def post(self, request: Request) -> Response:
        form = CheckRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return check_peers(request, form.peers())


def check_peers(request: Request, peers: list[Peer]) -> Response:
    return accepted_response(request_check(peers, audit.actor_of(request)), request)


class SweepsView(IdempotentMixin, APIView):
    """Sweeps: checks of every peer of every cluster."""

    access = {"post": Role.OPERATOR}
    all_clusters = ("post",)

    @extend_schema(request=None, responses={202: JobSerializer})
    @transaction.atomic
    def post(self, request: Request) -> Response:
        """Start a sweep now. While one is under way the answer is a 409."""
        actor = audit.actor_of(request)
        try:
            job = Sweep.submit(actor)
        except Busy as error:
            raise busy_conflict(error) from error
        audit.append_entry(actor, "start sweep", job)
        return accepted_response(job, request)
