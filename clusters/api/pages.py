"""REST: the structure of the product's own pages of a cluster."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from clusters import page_structure
from clusters.api.base import EditableViewSet
from clusters.jobs.describe import DescribePages
from clusters.models import Cluster
from jobs.api import JobSerializer, accepted_response


class PagesSerializer(serializers.Serializer[Any]):
    """What the last visit to the pages found."""

    state = serializers.ChoiceField(choices=["never", "ok", "failed"])
    seen_at = serializers.CharField(allow_null=True)
    problem = serializers.CharField()
    description = serializers.ListField(
        child=serializers.DictField(),
        allow_null=True,
        help_text="For each page its headings, labels, columns, buttons and icons, "
        "without any value.",
    )


class PagesActions(EditableViewSet[Cluster]):
    """What a person asks about the product's own pages of a cluster."""

    @extend_schema(responses=PagesSerializer)
    @action(detail=True, methods=["get"])
    def pages(self, request: Request, pk: str) -> Response:
        """What the last visit to the pages found."""
        return Response(
            PagesSerializer(page_structure.structure_data(self.get_object())).data
        )

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"], url_path="pages/describe")
    def describe_pages(self, request: Request, pk: str) -> Response:
        """Sign in, walk to the peer pages, and keep their structure only."""
        cluster = self.get_object()
        job = self.attempt(lambda: DescribePages.submit(cluster, self.actor))
        return accepted_response(job, request)
