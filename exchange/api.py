"""REST: whether the certificates of one cluster are trusted on another."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.roles import Role
from clusters.models import Cluster
from exchange.jobs.read import ReadCertificates
from exchange.judge import Sum, TrustOutcome, TrustState
from exchange.pairs import TrustData, load_certificates
from jobs.api import JobSerializer, accepted_response, busy_conflict
from jobs.locks import Busy
from rest.filters import refuse_unknown
from rest.idempotency import IdempotentMixin
from rest.pagination import Pagination
from rest.problems import Conflict
from rest.serializers import StrictSerializer

STATES = [state.value for state in TrustState]
FILTERS = {"from", "to", "state", "limit", "offset"}


class OnNodeSerializer(serializers.Serializer[Any]):
    """Whether one node trusts a certificate."""

    node = serializers.UUIDField()
    state = serializers.ChoiceField(choices=STATES)


class TrustPairSerializer(serializers.Serializer[Any]):
    """Whether a certificate of `to` is trusted on every node of `from`."""

    to = serializers.UUIDField()
    node = serializers.UUIDField(help_text="The node of `to` that presents it.")
    service = serializers.CharField()
    state = serializers.ChoiceField(choices=STATES)
    outcome = serializers.ChoiceField(
        choices=[outcome.value for outcome in TrustOutcome],
        help_text="Expiry included.",
    )
    fingerprint = serializers.CharField(allow_null=True)
    not_after = serializers.DateTimeField(allow_null=True)
    days_left = serializers.IntegerField(allow_null=True)
    seen_by = serializers.ChoiceField(choices=["rest", "tls"], allow_null=True)
    seen_at = serializers.DateTimeField(allow_null=True)
    on = OnNodeSerializer(many=True, help_text="By node of `from`.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # A word of Python, so it cannot be declared above.
        return {"from": serializers.UUIDField(), **super().get_fields()}


class Rows:
    """The rows of pairs of clusters, judged when a page asks for them."""

    def __init__(
        self, found: TrustData, pairs: list[tuple[str, str]], state: str
    ) -> None:
        self.found = found
        self.pairs = pairs
        self.state = state
        self.chosen = list(self.all()) if state else None

    def __len__(self) -> int:
        if self.chosen is not None:
            return len(self.chosen)
        return sum(self.size(home, remote) for home, remote in self.pairs)

    def size(self, home: str, remote: str) -> int:
        if not self.found.clusters[home].nodes:
            return 0
        return sum(len(node.services) for node in self.found.clusters[remote].nodes)

    def __getitem__(self, part: slice) -> list[dict[str, Any]]:
        if self.chosen is not None:
            return self.chosen[part]
        start, first = part.start or 0, 0
        length = part.stop - start
        # Whole pairs before the page are only counted.
        for home, remote in self.pairs:
            if (size := self.size(home, remote)) > start:
                break
            start, first = start - size, first + 1
        return list(islice(self.all(self.pairs[first:]), start, start + length))

    def all(
        self, pairs: list[tuple[str, str]] | None = None
    ) -> Iterator[dict[str, Any]]:
        for home, remote in self.pairs if pairs is None else pairs:
            for one in self.found.by_certificate(home, remote):
                if not self.state or one.state == self.state:
                    yield row_of(home, remote, one)


def row_of(home: str, remote: str, found: Sum) -> dict[str, Any]:
    first = found.checks[0]
    certificate, node = first.certificate, first.remote
    return {
        "from": home,
        "to": remote,
        "node": node.id,
        "service": first.service,
        "state": found.state.value,
        "outcome": found.outcome.value,
        "fingerprint": certificate.fingerprint if certificate else None,
        "not_after": certificate.not_after if certificate else None,
        "days_left": found.days,
        "seen_by": node.seen_by or None,
        "seen_at": node.seen_at,
        "on": [{"node": one.home.id, "state": one.state.value} for one in found.checks],
    }


class FilterSerializer(serializers.Serializer[Any]):
    """Which pairs, and which state."""

    to = serializers.UUIDField(required=False)
    state = serializers.ChoiceField(choices=STATES, required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        more = {"from": serializers.UUIDField(required=False)}
        return {**more, **super().get_fields()}


class MeshCertificatesView(APIView):
    """Whether the clusters trust each other's certificates."""

    access = {"get": Role.VIEWER}
    pagination_class = Pagination

    @extend_schema(
        parameters=[
            FilterSerializer,
            OpenApiParameter("limit", int),
            OpenApiParameter("offset", int),
        ],
        responses=TrustPairSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """For each peer: each certificate of the remote cluster's nodes."""
        refuse_unknown(request, FILTERS)
        asked = FilterSerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        found = load_certificates()
        pairs = [
            (home, remote)
            for home, remote in found.pairs()
            if home == str(wanted.get("from", home))
            and remote == str(wanted.get("to", remote))
        ]
        rows = Rows(found, pairs, wanted.get("state", ""))
        pages = Pagination()
        page: Any = pages.paginate_queryset(rows, request)  # type: ignore[arg-type]
        return pages.get_paginated_response(
            TrustPairSerializer(page or [], many=True).data
        )


class ReadSerializer(StrictSerializer):
    """The clusters to read; all of them when none are named."""

    clusters = serializers.PrimaryKeyRelatedField(
        queryset=Cluster.objects.all(), many=True, default=list
    )


class ReadCertificatesView(IdempotentMixin, APIView):
    """Read the certificates of the nodes now."""

    access = {"post": Role.OPERATOR}

    @extend_schema(request=ReadSerializer, responses={202: JobSerializer})
    @transaction.atomic
    def post(self, request: Request) -> Response:
        """One question for each node, a node of a cluster at a time."""
        asked = ReadSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        clusters = asked.validated_data["clusters"] or list(
            Cluster.objects.order_by("name")
        )
        if not clusters:
            raise Conflict("There is no cluster to read.")
        try:
            job = ReadCertificates.submit(
                list(dict.fromkeys(clusters)), audit.actor_of(request)
            )
        except Busy as error:
            raise busy_conflict(error) from error
        return accepted_response(job, request)
