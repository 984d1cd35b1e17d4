"""REST: snapshots of users, comparison, duplicates, locator."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.access import Role
from accounts.cluster_limits import limit_admits
from clusters.models import Cluster
from directory import duplicates, locator, orphans
from directory.comparison import LISTS, Compared, compare_listings
from directory.jobs.snapshot import SnapshotDirectory
from directory.models import Snapshot
from directory.ownership import Directory
from directory.serializers import (
    ComparisonSerializer,
    DuplicateSerializer,
    LeftoverSerializer,
    LocatedSerializer,
    SnapshotSerializer,
)
from jobs.api import JobSerializer, accepted_response, busy_conflict
from jobs.locks import Busy
from peers.models import Peer
from rest.idempotency import IdempotentMixin
from rest.pagination import Pagination
from rest.problems import Conflict
from rest.serializers import StrictSerializer

MOST_CLUSTERS = 1000
PROBLEM = "application/problem+json"
PAGING = {"limit", "offset"}


class Parameters(serializers.Serializer[Any]):
    """The query parameters of a view; one that it does not declare is a 400."""

    @classmethod
    def of(cls, request: Request) -> dict[str, Any]:
        parameters = cls(data=request.query_params.dict())
        unknown = set(request.query_params) - set(parameters.fields) - PAGING
        if unknown:
            raise ValidationError(
                {name: ["There is no such filter."] for name in sorted(unknown)}
            )
        parameters.is_valid(raise_exception=True)
        values: dict[str, Any] = parameters.validated_data
        return values


class ComparisonParameters(Parameters):
    """Which peer, and which of its users."""

    peer = serializers.UUIDField()
    search = serializers.CharField(default="", allow_blank=True, max_length=255)


class DuplicateParameters(Parameters):
    """Which kind of duplicates, and on which cluster."""

    kind = serializers.ChoiceField(
        choices=list(duplicates.KINDS.items()), default=None, allow_null=True
    )
    cluster = serializers.UUIDField(default=None)
    search = serializers.CharField(default="", allow_blank=True, max_length=255)


class LeftoverParameters(Parameters):
    """On which cluster, and whose users."""

    cluster = serializers.UUIDField(default=None, help_text="Who shows the users.")
    remote_cluster = serializers.UUIDField(default=None, help_text="Whose they are.")
    search = serializers.CharField(default="", allow_blank=True, max_length=255)


class LocateParameters(Parameters):
    """Whom to look for."""

    user = serializers.CharField(
        max_length=300, help_text="A user id, a SIP URI or a directory number."
    )


class ClustersSerializer(StrictSerializer):
    """The clusters to read; all of them when none are named."""

    clusters = serializers.PrimaryKeyRelatedField(
        queryset=Cluster.objects.all(), many=True, default=list
    )


class SnapshotViewSet(IdempotentMixin, viewsets.ReadOnlyModelViewSet[Snapshot]):
    """Snapshots of the clusters' users, newest first; POST takes new ones."""

    serializer_class = SnapshotSerializer
    queryset = Snapshot.objects.select_related("cluster")
    filterset_fields = ("cluster",)
    ordering_fields = ("taken_at", "users")
    access = {
        "list": Role.VIEWER,
        "retrieve": Role.VIEWER,
        "create": Role.OPERATOR,
    }

    def get_queryset(self) -> QuerySet[Snapshot]:
        return super().get_queryset()

    @extend_schema(request=ClustersSerializer, responses={202: JobSerializer})
    def create(self, request: Request) -> Response:
        form = ClustersSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        named = form.validated_data["clusters"]
        clusters = list(dict.fromkeys(named)) or list(Cluster.objects.all())
        if not clusters:
            raise Conflict("There is no cluster to read.")
        try:
            job = SnapshotDirectory.submit(
                clusters[:MOST_CLUSTERS], audit.actor_of(request)
            )
        except Busy as error:
            raise busy_conflict(error) from error
        return accepted_response(job, request)


class ComparisonView(APIView):
    """Both clusters of a peer: which users the home cluster lacks, has too many, or
    shows elsewhere. `limit` and `offset` page each of the lists."""

    access = {"get": Role.VIEWER}

    @extend_schema(
        parameters=[
            ComparisonParameters,
            OpenApiParameter("limit", int),
            OpenApiParameter("offset", int),
        ],
        responses={200: ComparisonSerializer, (409, PROBLEM): OpenApiTypes.OBJECT},
    )
    def get(self, request: Request) -> Response:
        parameters = ComparisonParameters.of(request)
        peer = Peer.objects.filter(pk=parameters["peer"]).first()
        if peer is None:
            raise ValidationError({"peer": ["There is no such peer."]})
        compared = compare_listings(Directory(), peer)
        if compared is None:
            raise Conflict(why_not(peer))
        return Response(self.page(request, peer, compared, parameters["search"]))

    def page(
        self, request: Request, peer: Peer, compared: Compared, search: str
    ) -> dict[str, Any]:
        pages = Pagination()
        limit, offset = pages.get_limit(request), pages.get_offset(request)
        lists = {name: compared.entries(name, search) for name in LISTS}
        longest = max(len(entries) for entries in lists.values())
        data = {
            name: entries[offset : offset + limit] for name, entries in lists.items()
        }
        counts = {name: len(entries) for name, entries in lists.items()}
        more = offset + limit if offset + limit < longest else None
        earlier = max(offset - limit, 0) if offset else None
        page = {
            "peer": peer,
            "compared": compared,
            "counts": counts,
            **data,
            "next": page_url(request, limit, more),
            "previous": page_url(request, limit, earlier),
        }
        return dict(ComparisonSerializer(page).data)


def page_url(request: Request, limit: int, offset: int | None) -> str | None:
    if offset is None:
        return None
    query = request.query_params.dict() | {"limit": str(limit), "offset": str(offset)}
    return request.build_absolute_uri(f"{request.path}?{urlencode(query)}")


def why_not(peer: Peer) -> str:
    if peer.remote_cluster is None:
        return f"{peer.address} belongs to no cluster that the console manages."
    if not limit_admits(peer.remote_cluster_id):
        return f"You are limited to other clusters than {peer.remote_cluster}."
    read = set(Snapshot.objects.values_list("cluster", flat=True).distinct())
    unread = [c for c in (peer.cluster, peer.remote_cluster) if c.pk not in read]
    names = " and ".join(cluster.name for cluster in unread)
    return f"The users of {names} were never read; take a snapshot first."


class DuplicatesView(APIView):
    """User ids, directory URIs and mail ids that several users have, completely.

    The kinds `empty_uri` and `invalid_uri` come only when they are asked for.
    """

    access = {"get": Role.VIEWER}
    pagination_class = Pagination

    @extend_schema(
        parameters=[
            DuplicateParameters,
            OpenApiParameter("limit", int),
            OpenApiParameter("offset", int),
        ],
        responses=DuplicateSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        parameters = DuplicateParameters.of(request)
        kinds = [parameters["kind"]] if parameters["kind"] else list(duplicates.SHARED)
        found = duplicates.find_duplicates(Directory(), *kinds)
        found = duplicates.choose_duplicates(
            found, parameters["cluster"], parameters["search"]
        )
        pages = Pagination()
        page = pages.paginate_queryset(found, request) or []
        rows = DuplicateSerializer(page, many=True)  # type: ignore[arg-type]
        return pages.get_paginated_response(rows.data)


class LeftoversView(APIView):
    """Users whom a cluster still shows from a cluster to which none of its peers
    points."""

    access = {"get": Role.VIEWER}
    pagination_class = Pagination

    @extend_schema(
        parameters=[
            LeftoverParameters,
            OpenApiParameter("limit", int),
            OpenApiParameter("offset", int),
        ],
        responses=LeftoverSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        parameters = LeftoverParameters.of(request)
        found = orphans.find_leftovers(Directory())
        if home := parameters["cluster"]:
            found = [one for one in found if one.cluster.pk == home]
        if remote := parameters["remote_cluster"]:
            found = [one for one in found if one.remote and one.remote.pk == remote]
        pages = Pagination()
        listed = orphans.LeftoverList(found, parameters["search"])
        page = pages.paginate_queryset(listed, request) or []
        return pages.get_paginated_response(LeftoverSerializer(page, many=True).data)


class LocateView(APIView):
    """The home of a user, and how every cluster sees and reaches the user."""

    access = {"get": Role.VIEWER}

    @extend_schema(
        parameters=[LocateParameters],
        responses={200: LocatedSerializer, (404, PROBLEM): OpenApiTypes.OBJECT},
    )
    def get(self, request: Request) -> Response:
        text = LocateParameters.of(request)["user"]
        directory = Directory()
        userids = locator.candidate_users(directory, text)
        located = locator.locate_user(directory, userids[0]) if userids else None
        if located is None:
            raise NotFound(f"No cluster was found to have {text[:100]}.")
        return Response(
            {**LocatedSerializer(located).data, "also": userids[1:]},
        )
