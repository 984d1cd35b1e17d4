"""REST: the console itself."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Role
from cupadmin.versions import running_commit


class VersionSerializer(serializers.Serializer[Any]):
    """What runs here."""

    version = serializers.CharField()
    commit = serializers.CharField(allow_null=True, help_text="Null if not known.")


class VersionView(APIView):
    """The release of the console, and the commit that it was made from."""

    access = {"get": Role.VIEWER}

    @extend_schema(responses=VersionSerializer)
    def get(self, request: Request) -> Response:
        found = {"version": settings.VERSION, "commit": running_commit()}
        return Response(VersionSerializer(found).data)
