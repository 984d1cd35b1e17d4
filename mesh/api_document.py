"""REST: the mesh as a document that is kept in version control."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.access import Role
from base.unreadable import Unreadable
from clusters.api.base import unreachable_problem
from clusters.certificates import FingerprintDiffers
from jobs.api import busy_conflict
from jobs.locks import Busy
from mesh import applying, reconcile
from mesh.api import EntryChangeSerializer
from mesh.entry_changes import MeshPlan
from mesh.plan import plan_mesh
from mesh.reconcile import ClusterChange
from mesh.spec import Document, given_password, parse_document
from rest.idempotency import IdempotentMixin
from rest.problems import Conflict
from wire import WireError


@dataclass(frozen=True)
class DocumentPlan:
    """What a document would change of the clusters, and of their peerings."""

    document: Document

    @cached_property
    def clusters(self) -> list[ClusterChange]:
        return reconcile.cluster_changes(self.document)

    @cached_property
    def waiting(self) -> list[tuple[str, str]]:
        return reconcile.waiting_pairs(self.document)

    @cached_property
    def mesh(self) -> MeshPlan:
        return plan_mesh(reconcile.intent_of(self.document))

    @property
    def steps(self) -> Any:
        return self.mesh.steps

    @property
    def errors(self) -> Any:
        return self.mesh.errors

    @cached_property
    def plan_hash(self) -> str:
        parts = [
            self.mesh.hash,
            self.waiting,
            [str(change) for change in self.clusters],
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class ClusterChangeSerializer(serializers.Serializer[Any]):
    """What a document changes of a cluster."""

    name = serializers.CharField(source="spec.name")
    action = serializers.SerializerMethodField()
    changes = serializers.DictField(
        source="change_details",
        child=serializers.ListField(child=serializers.CharField(allow_null=True)),
        help_text="{field: [old, new]}; of a password only that it changes.",
    )

    def get_action(self, change: ClusterChange) -> str:
        return "change" if change.cluster else "add"


class DocumentPlanSerializer(serializers.Serializer[Any]):
    """What would change; a plan with errors cannot be applied."""

    plan_hash = serializers.CharField()
    clusters = ClusterChangeSerializer(many=True)
    waiting = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="Pairs that are planned once both clusters are in the console.",
    )
    steps = EntryChangeSerializer(many=True)
    errors = serializers.ListField(  # type: ignore[assignment]
        child=serializers.CharField()
    )


class DocumentSerializer(serializers.Serializer[Any]):
    """The document, as a mesh file has it, with the passwords as texts in it."""

    document = serializers.JSONField(
        help_text="{clusters: [...], peerings: [...]} as in a mesh file. Passwords "
        "are texts; one that is left out stays."
    )

    def validate_document(self, data: Any) -> Document:
        try:
            document = parse_document(data, given_password)
            reconcile.refuse_unknown_names(document)
        except Unreadable as error:
            raise serializers.ValidationError(str(error), error.code) from None
        return document


class ApplyDocumentSerializer(DocumentSerializer):
    """The document, and the hash of its plan."""

    plan_hash = serializers.CharField(max_length=64)


class ExportedSerializer(serializers.Serializer[Any]):
    """Clusters and peerings as a mesh file has them, without passwords."""

    clusters = serializers.ListField(child=serializers.DictField())
    peerings = serializers.ListField(child=serializers.DictField())
    one_sided = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="[home, remote] where only one of the two entries is there.",
    )


class AppliedSerializer(serializers.Serializer[Any]):
    """What was done: clusters saved, or else the job that writes the peerings."""

    clusters = serializers.ListField(child=serializers.CharField())
    job = serializers.UUIDField(allow_null=True)


class DocumentView(APIView):
    """The mesh as a document."""

    access = {"get": Role.VIEWER}

    @extend_schema(responses=ExportedSerializer)
    def get(self, request: Request) -> Response:
        return Response(reconcile.exported_data())


class DocumentPlanView(IdempotentMixin, APIView):
    """Plan a document; changes nothing."""

    access = {"post": Role.ADMINISTRATOR}

    @extend_schema(request=DocumentSerializer, responses=DocumentPlanSerializer)
    def post(self, request: Request) -> Response:
        form = DocumentSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        found = DocumentPlan(form.validated_data["document"])
        return Response(DocumentPlanSerializer(found).data)


class DocumentApplyView(IdempotentMixin, APIView):
    """Apply a document while its plan is what it was.

    A cluster that differs is saved first, one a request, since its certificate is read
    when the document names a fingerprint. Plan and apply again until `clusters` is
    empty: then `job` writes the peerings, or is null where none differs.
    """

    access = {"post": Role.ADMINISTRATOR}

    @extend_schema(request=ApplyDocumentSerializer, responses=AppliedSerializer)
    def post(self, request: Request) -> Response:
        form = ApplyDocumentSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        found = DocumentPlan(form.validated_data["document"])
        if found.plan_hash != form.validated_data["plan_hash"]:
            raise Conflict("Something changed since this plan was made. Plan again.")
        if found.clusters:
            return Response(save_cluster(found.clusters[0], audit.actor_of(request)))
        return Response(start_job(found.mesh, audit.actor_of(request)))


def save_cluster(change: ClusterChange, actor: audit.Actor) -> dict[str, Any]:
    try:
        reconcile.apply_cluster(change, actor)
    except FingerprintDiffers as error:
        raise Conflict(str(error)) from error
    except WireError as error:
        raise unreachable_problem(error) from error
    except Unreadable as error:
        raise ValidationError({"document": [str(error)]}) from None
    except DjangoValidationError as error:
        raise ValidationError({"document": error.messages}) from None
    return {"clusters": [change.spec.name], "job": None}


def start_job(found: MeshPlan, actor: audit.Actor) -> dict[str, Any]:
    if not found.changes and not found.errors:
        return {"clusters": [], "job": None}
    try:
        job = applying.apply_plan(found.intent, found.hash, actor)
    except (applying.PlanChanged, applying.PlanBlocked) as error:
        raise Conflict(str(error)) from error
    except Busy as error:
        raise busy_conflict(error) from error
    return {"clusters": [], "job": str(job.pk)}
