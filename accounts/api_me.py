"""REST: who the current user is, to the console."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import cluster_limits
from accounts.access import Role, role_behind


class MeSerializer(serializers.Serializer[Any]):
    """The current user, and what this token or session allows."""

    username = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    clusters = serializers.ListField(
        child=serializers.UUIDField(),
        allow_null=True,
        help_text="The ids of the clusters that may be seen; null for all.",
    )


class MeView(APIView):
    """The current user, with the role and the clusters of this token or session."""

    access = {"get": Role.VIEWER}

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        limit = cluster_limits.current_limit()
        found = {
            "username": request.user.get_username(),
            "role": role_behind(request),
            "clusters": None if limit is None else sorted(limit.clusters),
        }
        return Response(MeSerializer(found).data)
