"""REST: the mesh, its plan, and applying it."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.access import Role
from jobs.api import JobSerializer, accepted, busy
from jobs.locks import Busy
from jobs.models import Job
from mesh import changes
from mesh.matrix import Mesh, mesh
from mesh.plan import plan
from mesh.results import LABELS, results
from mesh.steps import Plan
from mesh.wanted import Credentials, Wanted
from peers.mask import validate_mask
from peers.models import Cluster, Peer
from rest.idempotency import IdempotentMixin
from rest.problems import Conflict
from wire import Secret


class CredentialsSerializer(serializers.Serializer[Any]):
    """The application user of a cluster, with which its peers sign in."""

    username = serializers.CharField(max_length=128)
    password = serializers.CharField(
        max_length=128, write_only=True, trim_whitespace=False
    )


class WantedSerializer(serializers.Serializer[Any]):
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
        found = Cluster.objects.filter(pk__in=ids).prefetch_related("nodes")
        clusters = {cluster.pk: cluster for cluster in found}
        unknown = [str(pk) for pk in ids if pk not in clusters]
        if unknown:
            raise serializers.ValidationError(f"There is no cluster {unknown[0]}.")
        if len(clusters) < 2:
            raise serializers.ValidationError("Name at least two clusters.")
        return [clusters[pk] for pk in dict.fromkeys(ids)]

    def validate_credentials(self, given: dict[str, Any]) -> dict[UUID, Credentials]:
        try:
            return {
                UUID(pk): Credentials(one["username"], Secret(one["password"]))
                for pk, one in given.items()
            }
        except ValueError:
            raise serializers.ValidationError("The keys are cluster ids.") from None

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """An id that was mistaken would else leave its cluster with the AXL user."""
        planned = {cluster.pk for cluster in data["clusters"]}
        for pk in data.get("credentials", {}):
            if pk not in planned:
                said = f"{pk} is not among the clusters."
                raise serializers.ValidationError({"credentials": [said]})
        return data

    @property
    def wanted(self) -> Wanted:
        data = self.validated_data
        clusters: list[Cluster] = data["clusters"]
        masks = {c.pk: data["mask"] for c in clusters} if "mask" in data else {}
        return Wanted.whole_mesh(
            clusters,
            protocol=data["protocol"],
            masks=masks,
            credentials=data.get("credentials", {}),
        )


class ApplySerializer(WantedSerializer):
    """The same as was planned, and the hash of that plan."""

    plan_hash = serializers.CharField(max_length=64)


@extend_schema_serializer(component_name="PlanStep")
class StepSerializer(serializers.Serializer[Any]):
    """One side of a plan."""

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


class PlanSerializer(serializers.Serializer[Plan]):
    """What would change; a plan with errors cannot be applied."""

    plan_hash = serializers.CharField(source="hash")
    steps = StepSerializer(many=True)
    errors = serializers.ListField(  # type: ignore[assignment]
        child=serializers.CharField()
    )


class MeshView(APIView):
    """Every pair of clusters and what is known of its peering."""

    access = {"get": Role.VIEWER}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response(as_data(mesh()))


class PlanView(APIView):
    """Plan a mesh; changes nothing."""

    access = {"post": Role.ADMINISTRATOR}

    @extend_schema(request=WantedSerializer, responses=PlanSerializer)
    def post(self, request: Request) -> Response:
        form = WantedSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(PlanSerializer(plan(form.wanted)).data)


class ApplyView(IdempotentMixin, APIView):
    """Apply a plan while it is still what it was."""

    access = {"post": Role.ADMINISTRATOR}

    @extend_schema(request=ApplySerializer, responses={202: JobSerializer})
    def post(self, request: Request) -> Response:
        form = ApplySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        plan_hash = form.validated_data["plan_hash"]
        try:
            job = changes.apply(form.wanted, plan_hash, audit.actor_of(request))
        except (changes.PlanChanged, changes.PlanBlocked) as error:
            raise Conflict(str(error)) from error
        except Busy as error:
            raise busy(error) from error
        return accepted(job, request)


class PeeringResultSerializer(serializers.Serializer[Any]):
    """How far one pair of a set-up job came, and why no further."""

    clusters = serializers.ListField(
        child=serializers.UUIDField(), source="pair.clusters"
    )
    state = serializers.ChoiceField(choices=list(LABELS.items()))
    detail = serializers.CharField(source="said")
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
        job = get_object_or_404(Job, pk=pk, kind="set-up-peerings")
        return Response(PeeringResultSerializer(results(job), many=True).data)


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
        # Peers to clusters that whoever asks may not see: one side only.
        "outward": found.outward,
    }
