"""REST: network services of the nodes, and their control."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.access import Role
from clusters.models import Node
from jobs.api import JobSerializer, accepted_response, busy_conflict
from jobs.locks import Busy
from rest.idempotency import IdempotentMixin
from rest.problems import Conflict
from services.jobs.control import ControlServices
from services.jobs.refresh import RefreshServices
from services.models import Service, ServiceQuerySet
from services.requests import (
    ACTIONS,
    ControlRefused,
    control_jobs,
)

MOST_SERVICES = 5000


class ServiceSerializer(serializers.ModelSerializer[Service]):
    """A network service as its node last reported it."""

    cluster = serializers.UUIDField(source="node.cluster_id", read_only=True)
    reason = serializers.CharField(
        source="why",
        read_only=True,
        help_text="Why it is not started, or why its status is not known.",
    )

    # Empty where the node does not say, which a choice that is read only cannot be.
    restrict = serializers.CharField(
        read_only=True, help_text="`none`, `primary_node`, `do_not_stop`, or empty."
    )

    class Meta:
        model = Service
        fields = (
            "id",
            "node",
            "cluster",
            "name",
            "group",
            "status",
            "last_status",
            "reason",
            "reason_code",
            "up_time",
            "start_time",
            "restrict",
            "observed_at",
        )
        read_only_fields = fields


class ControlSerializer(serializers.Serializer[Any]):
    """What to do with which services."""

    action = serializers.ChoiceField(choices=list(ACTIONS.items()))
    ids = serializers.ListField(
        child=serializers.UUIDField(), allow_empty=False, max_length=MOST_SERVICES
    )


class ServiceFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of the list."""

    cluster = django_filters.UUIDFilter(field_name="node__cluster")
    node = django_filters.UUIDFilter(field_name="node")
    unreachable = django_filters.BooleanFilter(method="only_unreachable")

    class Meta:
        model = Service
        fields = ("name", "group", "status")

    def only_unreachable(
        self, services: ServiceQuerySet, name: str, value: bool
    ) -> ServiceQuerySet:
        silent = services.unreachable()
        return silent if value else services.exclude(pk__in=silent.values("pk"))


class ServiceViewSet(IdempotentMixin, viewsets.ReadOnlyModelViewSet[Service]):
    """Network services, as they were last read, and their control."""

    serializer_class = ServiceSerializer
    queryset = Service.objects.with_node()
    filterset_class = ServiceFilter
    ordering_fields = ("name", "group", "status", "observed_at", "up_time")
    access = {
        "list": Role.VIEWER,
        "retrieve": Role.VIEWER,
        "start": Role.OPERATOR,
        "stop": Role.OPERATOR,
        "restart": Role.OPERATOR,
        "control": Role.OPERATOR,
    }
    recent_proof = ("control",)

    def get_queryset(self) -> QuerySet[Service]:
        return super().get_queryset().order_by("node__name", "name", "pk")

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def start(self, request: Request, pk: str) -> Response:
        return start_control(request, "start", [self.get_object()])

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str) -> Response:
        return start_control(request, "stop", [self.get_object()])

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def restart(self, request: Request, pk: str) -> Response:
        return start_control(request, "restart", [self.get_object()])

    @extend_schema(request=ControlSerializer, responses={202: JobSerializer})
    @action(detail=False, methods=["post"], filterset_class=None)
    def control(self, request: Request) -> Response:
        form = ControlSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        ids = set(form.validated_data["ids"])
        services = list(self.get_queryset().filter(pk__in=ids))
        if len(services) != len(ids):
            missing = ids - {service.pk for service in services}
            raise ValidationError({"ids": [f"There is no service {min(missing)}."]})
        return start_control(request, form.validated_data["action"], services)


class RefreshAllView(IdempotentMixin, APIView):
    """Read the services of all nodes again."""

    access = {"post": Role.OPERATOR}

    @extend_schema(request=None, responses={202: JobSerializer})
    def post(self, request: Request) -> Response:
        """Start it, or answer with the job that does so now."""
        nodes = list(Node.objects.select_related("cluster"))
        if not nodes:
            raise Conflict("There is no node to read.")
        job = RefreshServices.submit(nodes, audit.actor_of(request))
        return accepted_response(job, request)


def start_control(request: Request, action: str, services: list[Service]) -> Response:
    try:
        job = ControlServices.submit(action, services, audit.actor_of(request))
    except ControlRefused as error:
        raise Conflict(str(error)) from error
    except Busy as error:
        raise busy_conflict(error) from error
    return accepted_response(job, request)


class RefreshView(IdempotentMixin, APIView):
    """Read the services of a node again."""

    access = {"post": Role.OPERATOR}

    @extend_schema(request=None, responses={202: JobSerializer})
    def post(self, request: Request, pk: str) -> Response:
        node = get_object_or_404(Node.objects.select_related("cluster"), pk=pk)
        busy_with = control_jobs(node.services.all())
        if busy_with:
            raise busy_conflict(Busy(next(iter(busy_with.values()))))
        return accepted_response(
            RefreshServices.submit([node], audit.actor_of(request)), request
        )
