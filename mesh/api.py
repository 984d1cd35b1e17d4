"""REST: the mesh, its plan, and applying it."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.access import Role
from clusters.models import Cluster
from jobs.api import JobSerializer, accepted_response, busy_conflict
from jobs.locks import Busy
from mesh import adoption, applying
from mesh.entry_changes import MeshPlan
from mesh.intent import Credentials, MeshIntent
from mesh.jobs.set_up import SetUpPeerings
from mesh.matrix import Mesh, read_mesh
from mesh.neighbours import PREFERENCE, neighbours_of
from mesh.plan import plan_mesh
from mesh.results import LABELS, results_of
from peers.mask import validate_mask
from peers.models import Peer, PeerOutcome
from rest.filters import refuse_unknown
from rest.idempotency import IdempotentMixin
from rest.problems import Conflict
from wire import Secret


class CredentialsSerializer(serializers.Serializer[Any]):
    """The application user of a cluster, with which its peers sign in."""

    username = serializers.CharField(max_length=128)
    password = serializers.CharField(
        max_length=128, write_only=True, trim_whitespace=False
    )


def found_clusters(ids: list[UUID]) -> list[Cluster]:
    """Return the clusters of these ids, each once; a 400 names one that is none."""
    found = Cluster.objects.filter(pk__in=ids).prefetch_related("nodes")
    clusters = {cluster.pk: cluster for cluster in found}
    unknown = [str(pk) for pk in ids if pk not in clusters]
    if unknown:
        raise serializers.ValidationError(f"There is no cluster {unknown[0]}.")
    return [clusters[pk] for pk in dict.fromkeys(ids)]


def credentials_by_id(given: dict[str, Any]) -> dict[UUID, Credentials]:
    try:
        return {
            UUID(pk): Credentials(one["username"], Secret(one["password"]))
            for pk, one in given.items()
        }
    except ValueError:
        raise serializers.ValidationError("The keys are cluster ids.") from None


class MeshIntentSerializer(serializers.Serializer[Any]):
    """Which clusters shall be peers of each other, and how."""

    clusters = serializers.ListField(
        child=serializers.UUIDField(), min_length=2, max_length=200
    )
    protocol = serializers.ChoiceField(
        choices=Peer.Protocol.choices, default=Peer.Protocol.TCP
    )
    mask = serializers.CharField(
        required=False, max_length=50, allow_blank=True, validators=[validate_mask]
    )
    credentials = serializers.DictField(child=CredentialsSerializer(), required=False)

    def validate_clusters(self, ids: list[UUID]) -> list[Cluster]:
        clusters = found_clusters(ids)
        if len(clusters) < 2:
            raise serializers.ValidationError("Name at least two clusters.")
        return clusters

    def validate_credentials(self, given: dict[str, Any]) -> dict[UUID, Credentials]:
        return credentials_by_id(given)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """An id that was mistaken would else leave its cluster with the AXL user."""
        planned = {cluster.pk for cluster in data["clusters"]}
        for pk in data.get("credentials", {}):
            if pk not in planned:
                sentence = f"{pk} is not among the clusters."
                raise serializers.ValidationError({"credentials": [sentence]})
        return data

    @property
    def intent(self) -> MeshIntent:
        data = self.validated_data
        clusters: list[Cluster] = data["clusters"]
        masks = {c.pk: data["mask"] for c in clusters} if "mask" in data else {}
        return MeshIntent.whole_mesh(
            clusters,
            protocol=data["protocol"],
            masks=masks,
            credentials=data.get("credentials", {}),
        )


class ApplySerializer(MeshIntentSerializer):
    """The same as was planned, and the hash of that plan."""

    plan_hash = serializers.CharField(max_length=64)


@extend_schema_serializer(component_name="PlanStep")
class EntryChangeSerializer(serializers.Serializer[Any]):
    """One entry of a plan."""

    action = serializers.ChoiceField(choices=["create", "update", "delete", "none"])
    cluster = serializers.UUIDField(source="home.pk")
    remote_cluster = serializers.UUIDField(source="remote.pk")
    address = serializers.CharField()
    before = serializers.DictField(child=serializers.CharField(), allow_null=True)
    after = serializers.DictField(child=serializers.CharField(), allow_null=True)
    read_at = serializers.DateTimeField(
        allow_null=True,
        help_text="When the cluster showed `before`; null: it is what the console has.",
    )
    warnings = serializers.ListField(child=serializers.CharField())
    errors = serializers.ListField(  # type: ignore[assignment]
        child=serializers.CharField()
    )


class PlanSerializer(serializers.Serializer[MeshPlan]):
    """What would change; a plan with errors cannot be applied."""

    plan_hash = serializers.CharField(source="hash")
    steps = EntryChangeSerializer(many=True)
    errors = serializers.ListField(  # type: ignore[assignment]
        child=serializers.CharField()
    )


class MeshClusterSerializer(serializers.ModelSerializer[Cluster]):
    """A cluster of the mesh."""

    class Meta:
        model = Cluster
        fields = ("id", "name", "health")
        read_only_fields = fields


class DirectedPairSerializer(serializers.Serializer[Any]):
    """Two clusters, the home cluster first."""

    to = serializers.UUIDField()

    def get_fields(self) -> dict[str, Any]:
        # "from" is a keyword of Python.
        return {"from": serializers.UUIDField(), **super().get_fields()}


class MeshCellSerializer(DirectedPairSerializer):
    """A peer, by its clusters, and what is known of it."""

    peer = serializers.UUIDField()
    outcome = serializers.ChoiceField(choices=PeerOutcome.choices)
    associated_users = serializers.IntegerField(allow_null=True)
    remote_users = serializers.IntegerField(allow_null=True)


class MeshSerializer(serializers.Serializer[Any]):
    """Every pair of clusters, as `as_data` gives it."""

    clusters = MeshClusterSerializer(many=True)
    cells = MeshCellSerializer(many=True)
    missing = DirectedPairSerializer(many=True)
    drifted = DirectedPairSerializer(many=True)
    one_sided = DirectedPairSerializer(many=True)
    outward = serializers.IntegerField(
        help_text="Peers to clusters that you may not see."
    )


class MeshView(APIView):
    """Every pair of clusters and what is known of its peering."""

    access = {"get": Role.VIEWER}

    @extend_schema(responses=MeshSerializer)
    def get(self, request: Request) -> Response:
        refuse_unknown(request)
        return Response(as_data(read_mesh()))


class PlanView(IdempotentMixin, APIView):
    """Plan a mesh; changes nothing."""

    access = {"post": Role.ADMINISTRATOR}

    @extend_schema(request=MeshIntentSerializer, responses=PlanSerializer)
    def post(self, request: Request) -> Response:
        form = MeshIntentSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(PlanSerializer(plan_mesh(form.intent)).data)


class ApplyView(IdempotentMixin, APIView):
    """Apply a plan while it is still what it was."""

    access = {"post": Role.ADMINISTRATOR}

    @extend_schema(request=ApplySerializer, responses={202: JobSerializer})
    def post(self, request: Request) -> Response:
        form = ApplySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        plan_hash = form.validated_data["plan_hash"]
        try:
            job = applying.apply_plan(form.intent, plan_hash, audit.actor_of(request))
        except (applying.PlanChanged, applying.PlanBlocked) as error:
            raise Conflict(str(error)) from error
        except Busy as error:
            raise busy_conflict(error) from error
        return accepted_response(job, request)


class AdoptSerializer(serializers.Serializer[Any]):
    """Which clusters, and the application users with which their peers sign in."""

    clusters = serializers.JSONField(
        help_text="A list of ids, or `all`: every cluster that you can access."
    )
    credentials = serializers.DictField(child=CredentialsSerializer(), required=False)

    def validate_clusters(self, given: Any) -> list[Cluster]:
        if given == "all":
            return list(Cluster.objects.prefetch_related("nodes"))
        ids = serializers.ListField(child=serializers.UUIDField(), max_length=200)
        return found_clusters(ids.run_validation(given))

    def validate_credentials(self, given: dict[str, Any]) -> dict[UUID, Credentials]:
        return credentials_by_id(given)


class PeeringEvidenceSerializer(serializers.Serializer[Any]):
    """A pair of clusters that was left out, and why."""

    to = serializers.UUIDField(source="remote.pk")
    reason = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        # "from" is a keyword of Python.
        return {"from": serializers.UUIDField(source="home.pk"), **super().get_fields()}


class AdoptionSerializer(serializers.Serializer[Any]):
    """The ids of the new peers, and the pairs that were left out."""

    adopted = serializers.ListField(child=serializers.UUIDField())
    skipped = PeeringEvidenceSerializer(many=True)


class AdoptView(IdempotentMixin, APIView):
    """Take the peerings that clusters show into the console; nothing is written."""

    access = {"post": Role.ADMINISTRATOR}

    @extend_schema(request=AdoptSerializer, responses=AdoptionSerializer)
    def post(self, request: Request) -> Response:
        form = AdoptSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        found = adoption.adopt_peerings(
            data["clusters"], audit.actor_of(request), data.get("credentials")
        )
        outcome = {"adopted": [peer.pk for peer in found.adopted]}
        return Response(AdoptionSerializer({**outcome, "skipped": found.skipped}).data)


class TraceSerializer(serializers.Serializer[Any]):
    """By what another cluster is seen."""

    by = serializers.ChoiceField(choices=PREFERENCE)
    users = serializers.IntegerField(allow_null=True)
    seen_at = serializers.DateTimeField(source="at")


class NeighbourSerializer(serializers.Serializer[Any]):
    """Another cluster that a cluster shows."""

    address = serializers.CharField()
    nodes = serializers.ListField(child=serializers.CharField())
    users = serializers.IntegerField(allow_null=True)
    cluster = serializers.UUIDField(source="cluster.pk", allow_null=True, default=None)
    seen_by = serializers.ChoiceField(choices=PREFERENCE)
    seen_at = serializers.DateTimeField()
    evidence = TraceSerializer(many=True)


class NeighboursView(APIView):
    """The other clusters that one shows, managed or not."""

    access = {"get": Role.VIEWER}

    @extend_schema(responses=NeighbourSerializer(many=True))
    def get(self, request: Request, pk: UUID) -> Response:
        refuse_unknown(request)
        cluster = get_object_or_404(Cluster, pk=pk)
        return Response(NeighbourSerializer(neighbours_of([cluster]), many=True).data)


class PeeringResultSerializer(serializers.Serializer[Any]):
    """How far one pair of a set-up job came, and why no further."""

    clusters = serializers.ListField(
        child=serializers.UUIDField(), source="pair.clusters"
    )
    state = serializers.ChoiceField(choices=list(LABELS.items()))
    detail = serializers.CharField(source="sentence")
    code = serializers.CharField(
        help_text="Why the pair was left out, as `not_ready` or `plan_stale`; or empty."
    )
    by_hand = serializers.ListField(
        child=serializers.UUIDField(),
        source="peers_by_hand",
        help_text="The peers that somebody has yet to make on their clusters.",
    )


class ResultsView(APIView):
    """What became of each pair of a set-up job."""

    access = {"get": Role.VIEWER}

    @extend_schema(responses=PeeringResultSerializer(many=True))
    def get(self, request: Request, pk: UUID) -> Response:
        refuse_unknown(request)
        job = get_object_or_404(SetUpPeerings.all(), pk=pk)
        return Response(PeeringResultSerializer(results_of(job), many=True).data)


def as_data(found: Mesh) -> dict[str, Any]:
    return {
        "clusters": [
            {"id": str(cluster.pk), "name": cluster.name, "health": cluster.health}
            for cluster in found.clusters
        ],
        "cells": [
            {
                "from": str(cell.home.pk),
                "to": str(cell.remote.pk),
                "peer": str(cell.peer.pk),
                "outcome": cell.outcome,
                "associated_users": cell.peer.associated_users,
                "remote_users": cell.peer.remote_users,
            }
            for cell in found.cells
            if cell.peer
        ],
        "missing": [
            {"from": str(cell.home.pk), "to": str(cell.remote.pk)}
            for cell in found.missing
        ],
        "drifted": [
            {"from": str(cell.home.pk), "to": str(cell.remote.pk)}
            for cell in found.drifted
        ],
        "one_sided": [
            {"from": str(cell.home.pk), "to": str(cell.remote.pk)}
            for cell in found.one_sided
        ],
        # Peers to clusters that the current user may not see: one entry only.
        "outward": found.outward,
    }
