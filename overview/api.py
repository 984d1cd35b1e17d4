"""REST: problems."""

from datetime import datetime
from typing import Any

import django_filters
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.access import Role
from overview import actions
from overview.forms import LONGEST_SNOOZE, NOTE
from overview.models import Problem, ProblemQuerySet
from overview.renewal import renew_if_outdated
from rest.idempotency import IdempotentMixin


class AffectedSerializer(serializers.Serializer[Any]):
    """A peer, node or cluster that suffers."""

    type = serializers.CharField()
    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]


class AcknowledgedSerializer(serializers.Serializer[Any]):
    """Who said when that a problem is known."""

    by = serializers.CharField()
    at = serializers.DateTimeField()
    note = serializers.CharField()


# "Problem" is what RFC 9457 calls the body of an error.
@extend_schema_serializer(component_name="KnownProblem")
class ProblemSerializer(serializers.ModelSerializer[Problem]):
    """One cause of trouble."""

    cluster = serializers.UUIDField(
        source="visible_cluster", read_only=True, allow_null=True
    )
    affects = AffectedSerializer(source="visible_affects", many=True, read_only=True)
    fix_url = serializers.CharField(source="visible_fix_url", read_only=True)
    acknowledged = AcknowledgedSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Problem
        fields = (
            "id",
            "code",
            "severity",
            "sentence",
            "cluster",
            "affects",
            "since",
            "fix_url",
            "acknowledged",
            "snoozed_until",
        )


class NoteSerializer(serializers.Serializer[Any]):
    """What a person says of a problem."""

    note = serializers.CharField(required=False, allow_blank=True, max_length=NOTE)


class SnoozeSerializer(NoteSerializer):
    """Until when a problem is known."""

    until = serializers.DateTimeField()

    def validate_until(self, until: datetime) -> datetime:
        now = timezone.now()
        if until <= now:
            raise serializers.ValidationError("This is in the past.")
        if until > now + LONGEST_SNOOZE:
            raise serializers.ValidationError(
                f"This is more than {LONGEST_SNOOZE.days} days ahead."
            )
        return until


class ProblemFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of the list of problems."""

    cluster = django_filters.UUIDFilter(field_name="touches__cluster")
    acknowledged = django_filters.BooleanFilter(
        field_name="acknowledged_at", lookup_expr="isnull", exclude=True
    )

    class Meta:
        model = Problem
        fields = ("cluster", "severity", "code", "acknowledged")


class ProblemViewSet(
    IdempotentMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Problem],
):
    """What needs attention, worst first."""

    serializer_class = ProblemSerializer
    queryset: ProblemQuerySet = Problem.objects.all()
    filterset_class = ProblemFilter
    ordering_fields = ("rank", "since", "code")
    access = {
        "list": Role.VIEWER,
        "retrieve": Role.VIEWER,
        "acknowledge": Role.OPERATOR,
        "snooze": Role.OPERATOR,
        "reopen": Role.OPERATOR,
    }

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        renew_if_outdated()
        return super().list(request, *args, **kwargs)

    @extend_schema(request=NoteSerializer, responses={200: ProblemSerializer})
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Say that it is known."""
        problem, data = self.get_object(), read_data(NoteSerializer, request)
        actions.acknowledge_problem(
            problem, audit.actor_of(request), data.get("note", "")
        )
        return Response(self.get_serializer(problem).data)

    @extend_schema(request=SnoozeSerializer, responses={200: ProblemSerializer})
    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, pk: str) -> Response:
        """Say that it is known until then."""
        problem, data = self.get_object(), read_data(SnoozeSerializer, request)
        actor, note = audit.actor_of(request), data.get("note", "")
        actions.snooze_problem(problem, actor, data["until"], note)
        return Response(self.get_serializer(problem).data)

    @extend_schema(request=None, responses={200: ProblemSerializer})
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Take back that it is known."""
        problem = self.get_object()
        actions.reopen_problem(problem, audit.actor_of(request))
        return Response(self.get_serializer(problem).data)


def read_data(kind: type[NoteSerializer], request: Request) -> dict[str, Any]:
    serializer = kind(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
