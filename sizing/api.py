"""REST: sizing, the presence user profile and the platforms of clusters."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.access import Role
from clusters.models import Cluster
from rest.serializers import StrictSerializer
from sizing import editing
from sizing.deployment import ClusterSize, Deployment
from sizing.forms import MOST_LINK
from sizing.load import INPUTS, SOURCE, Input
from sizing.models import ClusterPlatform
from sizing.reading import read_deployment
from sizing.warnings import SEVERITIES, find_warnings

A_PROFILE = OpenApiExample(
    "A profile",
    {"profile": {"contacts_per_user": 75, "messages_per_user_per_hour": 4}},
    request_only=True,
)
A_PLATFORM = OpenApiExample(
    "A template", {"platform": "ova15000", "redundant": "yes"}, request_only=True
)


def number_field(one: Input, **options: Any) -> serializers.FloatField:
    return serializers.FloatField(
        min_value=one.least, max_value=one.most, help_text=one.label, **options
    )


class ProfileSerializer(serializers.Serializer[Any]):
    """The values that the model uses."""

    link_kbit_per_second = serializers.FloatField(allow_null=True)
    seen_by = serializers.ChoiceField(
        choices=["attested", "none"],
        help_text="`attested`: a person stated it; `none`: assumed by the console.",
    )
    assumed = serializers.ListField(
        child=serializers.CharField(), help_text="The fields that nobody stated."
    )

    def get_fields(self) -> dict[str, Any]:
        return {
            **{one.name: number_field(one) for one in INPUTS},
            **super().get_fields(),
        }


class GivenProfileSerializer(StrictSerializer):
    """What is stated of the profile; null returns a field to the assumption."""

    link_kbit_per_second = serializers.FloatField(
        required=False, allow_null=True, min_value=1, max_value=MOST_LINK
    )

    def get_fields(self) -> dict[str, Any]:
        options = {"required": False, "allow_null": True}
        given = {one.name: number_field(one, **options) for one in INPUTS}
        return {**given, **super().get_fields()}


class GivenSizingSerializer(serializers.Serializer[Any]):
    """The profile, or a part of it."""

    profile = GivenProfileSerializer()


class PlatformSerializer(serializers.ModelSerializer[ClusterPlatform]):
    """On what a cluster runs; empty where nobody stated it."""

    class Meta:
        model = ClusterPlatform
        fields = ("cluster", "platform", "redundant")
        read_only_fields = ("cluster",)


class ClusterSizeSerializer(serializers.Serializer[ClusterSize]):
    """A cluster beside the published limit of users; null: not known."""

    cluster = serializers.UUIDField(source="key")
    name = serializers.CharField()
    release = serializers.CharField(source="release.name")
    users = serializers.IntegerField(allow_null=True)
    limit = serializers.IntegerField(
        source="limit.value", default=None, allow_null=True
    )
    used_percent = serializers.FloatField(allow_null=True)
    source = serializers.CharField(  # type: ignore[assignment]
        source="limit.source", default=None, allow_null=True
    )
    nodes = serializers.IntegerField()
    growth_per_month = serializers.FloatField(
        source="growth", allow_null=True, help_text="Users in 30 days, as counted."
    )
    users_per_node = serializers.IntegerField(
        source="limits.per_node.value", default=None, allow_null=True
    )
    platform = serializers.CharField(
        source="platform.key", default=None, allow_null=True
    )
    redundant = serializers.BooleanField(allow_null=True)
    seen_at = serializers.DateTimeField(allow_null=True)


class MeshSizeSerializer(serializers.Serializer[Deployment]):
    """A full mesh of all clusters that the current user may see."""

    clusters = serializers.SerializerMethodField()
    limit = serializers.IntegerField(
        source="limit.value", default=None, allow_null=True
    )
    source = serializers.CharField(  # type: ignore[assignment]
        source="limit.source", default=None, allow_null=True
    )
    links = serializers.IntegerField()
    entries = serializers.IntegerField(help_text="That a full mesh has.")
    entries_found = serializers.IntegerField(help_text="That the console knows.")
    users = serializers.IntegerField(allow_null=True)
    associated_users = serializers.IntegerField(
        allow_null=True, help_text="That the entries of a full mesh must show together."
    )
    associated_users_found = serializers.IntegerField(
        source="associated_found", allow_null=True
    )

    def get_clusters(self, here: Deployment) -> int:
        return len(here.clusters)


class DirectionSerializer(serializers.Serializer[Any]):
    """The load in one direction, by the model of this console."""

    to = serializers.UUIDField(source="receiver.key")
    kbit_per_second = serializers.FloatField(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        # "from" is a keyword of Python.
        home = serializers.UUIDField(source="sender.key")
        return {"from": home, **super().get_fields()}


class SizingWarningSerializer(serializers.Serializer[Any]):
    """What a rule found."""

    code = serializers.CharField()
    severity = serializers.ChoiceField(choices=list(SEVERITIES))
    sentence = serializers.CharField()
    source = serializers.CharField(  # type: ignore[assignment]
        allow_blank=True
    )
    cluster = serializers.UUIDField(allow_null=True)


class SizingSerializer(serializers.Serializer[Any]):
    """The profile, the clusters, their mesh, the load between them, and warnings."""

    profile = ProfileSerializer()
    clusters = ClusterSizeSerializer(many=True)
    mesh = MeshSizeSerializer()
    load = DirectionSerializer(many=True)
    load_source = serializers.CharField()
    warnings = SizingWarningSerializer(many=True)


def sizing_response() -> Response:
    here = read_deployment()
    given = editing.stated_values()
    assumed = [one.name for one in INPUTS if given[one.name] is None]
    profile = {one.name: getattr(here.profile, one.name) for one in INPUTS}
    nobody = len(assumed) == len(INPUTS)
    data = {
        "profile": {
            **profile,
            editing.LINK: here.link,
            "seen_by": "none" if nobody else "attested",
            "assumed": assumed,
        },
        "clusters": here.clusters,
        "mesh": here,
        "load": here.directions,
        "load_source": SOURCE,
        "warnings": [
            {**vars(one), "cluster": one.cluster or None} for one in find_warnings(here)
        ],
    }
    return Response(SizingSerializer(data).data)


class SizingView(APIView):
    """Whether the deployment is sized for its users, and the profile of a user."""

    access = {"get": Role.VIEWER, "patch": Role.ADMINISTRATOR}
    # The profile is one for all clusters.
    all_clusters = {"patch"}

    @extend_schema(responses=SizingSerializer)
    def get(self, request: Request) -> Response:
        return sizing_response()

    @extend_schema(
        request=GivenSizingSerializer, responses=SizingSerializer, examples=[A_PROFILE]
    )
    def patch(self, request: Request) -> Response:
        form = GivenSizingSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data["profile"]
        editing.state_profile(given, audit.actor_of(request))
        return sizing_response()


class PlatformView(APIView):
    """On what one cluster runs, as a person stated it."""

    access = {"get": Role.VIEWER, "patch": Role.ADMINISTRATOR}

    @extend_schema(responses=PlatformSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(PlatformSerializer(stated_of(pk)).data)

    @extend_schema(
        request=PlatformSerializer, responses=PlatformSerializer, examples=[A_PLATFORM]
    )
    def patch(self, request: Request, pk: UUID) -> Response:
        row = stated_of(pk)
        form = PlatformSerializer(row, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        actor = audit.actor_of(request)
        editing.state_platform(row.cluster, form.validated_data, actor)
        return Response(PlatformSerializer(stated_of(pk)).data)


def stated_of(pk: UUID) -> ClusterPlatform:
    cluster = get_object_or_404(Cluster, pk=pk)
    known = ClusterPlatform.objects.filter(pk=pk).select_related("cluster").first()
    return known or ClusterPlatform(cluster=cluster)
