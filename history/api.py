"""REST: the history of peers, and timelines of peers and clusters."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import role_behind
from accounts.roles import Role, covers_role
from clusters.models import Cluster
from diagnostics.models import PeerCheck
from history import timeline
from history.availability import (
    DAY,
    Slot,
    availability_of,
    daily_slots,
    hourly_slots,
    in_utc,
)
from history.models import PeerDay
from peers.models import Peer
from rest.filters import refuse_unknown
from rest.pagination import Pagination

# Without `since`: so far back.
DEFAULT = {"hour": timedelta(days=1), "day": timedelta(days=90)}
LONGEST_PERIOD = {"hour": timedelta(days=92), "day": timedelta(days=367)}
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
PAGING = {"limit", "offset"}


class BucketSerializer(serializers.Serializer[Any]):
    """The checks of an hour or a day, or a single check."""

    at = serializers.DateTimeField()
    checks = serializers.IntegerField()
    passed = serializers.IntegerField()
    warning = serializers.IntegerField()
    failed = serializers.IntegerField()
    unknown = serializers.IntegerField()
    associated_users = serializers.IntegerField(allow_null=True)
    remote_users = serializers.IntegerField(allow_null=True)


class AvailabilitySerializer(serializers.Serializer[Any]):
    """In percent of the checks that came to a result; null where none did."""

    day = serializers.FloatField(allow_null=True)
    week = serializers.FloatField(allow_null=True)
    month = serializers.FloatField(allow_null=True)
    quarter = serializers.FloatField(allow_null=True)


class HistorySerializer(serializers.Serializer[Any]):
    """Buckets, the oldest first, and availability up to now."""

    buckets = BucketSerializer(many=True)
    availability = AvailabilitySerializer()


class QuerySerializer(serializers.Serializer[Any]):
    """Which buckets to return."""

    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    step = serializers.ChoiceField(choices=["hour", "day"], required=False)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        until = values.setdefault("until", timezone.now())
        step = values.get("step", "")
        if until < OLDEST:
            raise ValidationError({"until": ["No console is as old as this."]})
        if step:
            values.setdefault("since", until - DEFAULT[step])
        since = values.get("since")
        if since and since > until:
            raise ValidationError({"since": ["This is after the end."]})
        if step and until - since > LONGEST_PERIOD[step]:
            days = LONGEST_PERIOD[step].days
            raise ValidationError({"since": [f"At most {days} days by {step}."]})
        return values


class PeerHistoryView(APIView):
    """The checks of a peer: single ones, or by hour or day for up to a year."""

    access = {"get": Role.VIEWER}

    @extend_schema(
        parameters=[
            OpenApiParameter("since", datetime),
            OpenApiParameter("until", datetime),
            OpenApiParameter("step", str, enum=["hour", "day"]),
        ],
        responses=HistorySerializer,
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Return buckets that have checks; single checks without `step`."""
        peer = get_object_or_404(Peer, pk=pk)
        refuse_unknown(request, {"since", "until", "step"})
        query = QuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        days = PeerDay.objects.filter(peer=peer)
        found = {
            "buckets": buckets_of(peer, **query.validated_data),
            "availability": availability_of(days, timezone.now()),
        }
        return Response(HistorySerializer(found).data)


def buckets_of(
    peer: Peer, until: datetime, since: datetime | None = None, step: str = ""
) -> list[Slot]:
    if since is None or not step:
        return single_checks(peer, since, until)
    days = PeerDay.objects.filter(peer=peer)
    if step == "hour":
        return hourly_slots(days, since, until)
    return daily_slots(days, in_utc(since).date(), in_utc(until).date())


def single_checks(peer: Peer, since: datetime | None, until: datetime) -> list[Slot]:
    """The single checks that are kept, each as a bucket of its own."""
    rows = PeerCheck.objects.filter(peer=peer, at__lte=until)
    if since:
        rows = rows.filter(at__gte=since)
    fields = ("at", "outcome", "associated_users", "remote_users")
    found = [as_slot(*row) for row in rows.values_list(*fields)[: settings.KEPT_CHECKS]]
    return found[::-1]


def as_slot(
    at: datetime, outcome: str, associated: int | None, remote: int | None
) -> Slot:
    slot = Slot(at, DAY, associated_users=associated, remote_users=remote)
    setattr(slot, outcome, 1)
    return slot


class ItemSerializer(serializers.Serializer[Any]):
    """Something that happened; `url` is the page that shows more of it, or empty."""

    at = serializers.DateTimeField()
    kind = serializers.CharField()
    sentence = serializers.CharField()
    url = serializers.CharField()
    actor = serializers.CharField()


class TimelineView(APIView):
    """What happened, newest first."""

    access = {"get": Role.VIEWER}
    pagination_class = Pagination

    def page(self, request: Request, found: timeline.Timeline) -> Response:
        refuse_unknown(request, PAGING)
        pages = Pagination()
        rows: Any = pages.paginate_queryset(found, request, view=self)  # type: ignore[arg-type]
        data = ItemSerializer(rows or [], many=True).data
        return pages.get_paginated_response(data)

    def may_audit(self, request: Request) -> bool:
        return covers_role(role_behind(request), Role.ADMINISTRATOR)


class PeerTimelineView(TimelineView):
    """What happened to a peer, and to the nodes and services of both its clusters."""

    @extend_schema(operation_id="peers_timeline", responses=ItemSerializer(many=True))
    def get(self, request: Request, pk: UUID) -> Response:
        peer = get_object_or_404(Peer, pk=pk)
        may = self.may_audit(request)
        return self.page(request, timeline.of_peer(peer, may_audit=may))


class ClusterTimelineView(TimelineView):
    """What happened on a cluster and to its peers."""

    @extend_schema(
        operation_id="clusters_timeline", responses=ItemSerializer(many=True)
    )
    def get(self, request: Request, pk: UUID) -> Response:
        cluster = get_object_or_404(Cluster, pk=pk)
        may = self.may_audit(request)
        return self.page(request, timeline.of_cluster(cluster, may_audit=may))
