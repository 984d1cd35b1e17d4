"""REST: tokens and audit entries."""

from datetime import datetime
from typing import Any
from uuid import UUID

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.access import DeclaredAccess, Role, role_behind
from accounts.api_limits import MOST_CLUSTERS, known_ids
from accounts.authentication import PasswordAuthentication
from accounts.models import ApiToken, AuditEntry
from accounts.validation import MOST_NETWORKS, validate_networks


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    """A token; its text stands in the answer to POST only."""

    networks = serializers.ListField(
        child=serializers.CharField(max_length=50),
        max_length=MOST_NETWORKS,
        validators=[validate_networks],
        required=False,
        help_text="Addresses or networks that may use it; none means any.",
    )

    clusters = serializers.ListField(
        child=serializers.UUIDField(),
        max_length=MOST_CLUSTERS,
        required=False,
        help_text="Clusters that it may be used for; none means all of its owner's.",
    )

    class Meta:
        model = ApiToken
        fields: tuple[str, ...] = (
            "id",
            "name",
            "role",
            "networks",
            "clusters",
            "expires_at",
            "last_used_at",
            "prefix",
        )
        read_only_fields = ("id", "last_used_at", "prefix")
        extra_kwargs = {"role": {"required": False}}

    def validate_clusters(self, ids: list[UUID]) -> list[str]:
        return known_ids(ids)

    def validate_expires_at(self, at: datetime | None) -> datetime | None:
        if at is not None and at <= timezone.now():
            raise serializers.ValidationError("This is in the past.")
        return at


class NewTokenSerializer(TokenSerializer):
    """A new token with its text, which is shown only now."""

    token = serializers.CharField(read_only=True)

    class Meta(TokenSerializer.Meta):
        fields = (*TokenSerializer.Meta.fields, "token")


class TokenViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[ApiToken],
):
    """One's own API tokens."""

    serializer_class = TokenSerializer
    queryset = ApiToken.objects.none()
    filterset_fields = ("name", "role")
    ordering_fields = ("name", "expires_at", "last_used_at")
    access = {
        "list": Role.VIEWER,
        "retrieve": Role.VIEWER,
        "create": Role.VIEWER,
        "destroy": Role.VIEWER,
    }

    def get_authenticators(self) -> list[Any]:
        # Before initialize_request there is no action yet, only the method; while the
        # schema is drawn there is no request either.
        method = self.request.method if self.request else ""
        basic = [PasswordAuthentication()] if method == "POST" else []
        return [*super().get_authenticators(), *basic]

    def get_permissions(self) -> list[BasePermission]:
        return [DeclaredAccess()]

    def get_queryset(self) -> QuerySet[ApiToken]:
        if not self.request.user.is_authenticated:
            return ApiToken.objects.none()
        return ApiToken.objects.filter(user=self.request.user)

    @extend_schema(
        responses={201: NewTokenSerializer},
        examples=[
            OpenApiExample(
                "A token for a script",
                {"name": "ansible", "role": "administrator"},
                request_only=True,
            )
        ],
    )
    @transaction.atomic
    def create(self, request: Request) -> Response:
        """Create a token. A script sends its first request with HTTP Basic."""
        form = TokenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        limited = limit_token(request, form.validated_data)
        token, text = ApiToken.issue(request.user, **limited)  # type: ignore[arg-type]
        audit.append_entry(audit.actor_of(request), "create token", token)
        return Response({**TokenSerializer(token).data, "token": text}, status=201)

    @transaction.atomic
    def perform_destroy(self, instance: ApiToken) -> None:
        audit.append_entry(audit.actor_of(self.request), "revoke token", instance)
        instance.delete()


def limit_token(request: Request, requested: dict[str, Any]) -> dict[str, Any]:
    """Keep a new token within what its maker may: role, networks, clusters and end."""
    held = role_behind(request) or Role.VIEWER
    role = Role(requested.get("role") or held)
    if not held.covers(role):
        raise serializers.ValidationError(
            {"role": [f"You are {held} only."]}, "above_own"
        )
    maker: Any = request.auth
    networks = requested.get("networks", [])
    clusters = requested.get("clusters", [])
    expires_at = requested.get("expires_at")
    if maker is not None:
        networks = maker.networks or networks
        clusters = clusters or maker.clusters
        ends = [at for at in (expires_at, maker.expires_at) if at is not None]
        expires_at = min(ends, default=None)
    return {
        "name": requested["name"],
        "role": role,
        "networks": networks,
        "clusters": clusters,
        "expires_at": expires_at,
    }


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    """One entry of the audit trail."""

    changes = serializers.DictField(
        child=serializers.JSONField(), help_text="{field: [old, new]}"
    )

    class Meta:
        model = AuditEntry
        fields = (
            "id",
            "number",
            "at",
            "actor",
            "action",
            "object_type",
            "object_id",
            "object_label",
            "changes",
            "address",
            "request_id",
            "job_id",
        )


class AuditFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of the audit trail."""

    since = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")
    until = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = AuditEntry
        fields = (
            "actor",
            "action",
            "object_type",
            "object_id",
            "address",
            "request_id",
            "job_id",
        )


class AuditEntryViewSet(viewsets.ReadOnlyModelViewSet[AuditEntry]):
    """The audit trail, newest first."""

    serializer_class = AuditEntrySerializer
    queryset = AuditEntry.objects.all()
    filterset_class = AuditFilter
    ordering_fields = ("at", "number", "actor", "action")
    access = {"list": Role.ADMINISTRATOR, "retrieve": Role.ADMINISTRATOR}
