"""REST: tokens and audit entries."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from rest_framework import mixins, serializers, viewsets
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.access import DeclaredAccess, Role, role_behind
from accounts.authentication import PasswordAuthentication
from accounts.models import ApiToken, AuditEntry


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    """A token; its text stands in the answer to POST only."""

    class Meta:
        model = ApiToken
        fields = (
            "id",
            "name",
            "role",
            "networks",
            "expires_at",
            "last_used_at",
            "prefix",
        )
        read_only_fields = ("id", "last_used_at", "prefix")
        extra_kwargs = {"role": {"required": False}}

    def validate_expires_at(self, at: datetime | None) -> datetime | None:
        if at is not None and at <= timezone.now():
            raise serializers.ValidationError("This is in the past.")
        return at


class NewTokenSerializer(TokenSerializer):
    """A new token with its text, which is shown only now."""

    token = serializers.CharField(read_only=True)

    class Meta(TokenSerializer.Meta):
        fields = (*TokenSerializer.Meta.fields, "token")  # type: ignore[assignment]


class NetworksField(serializers.ListField):
    """Networks as a list of text."""

    child = serializers.CharField(max_length=50)


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

    @transaction.atomic
    def create(self, request: Request) -> Response:
        form = TokenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        held = role_behind(request) or Role.VIEWER
        wanted = Role(form.validated_data.get("role") or held)
        if not held.covers(wanted):
            raise serializers.ValidationError({"role": [f"You are {held} only."]})
        token, text = ApiToken.issue(
            request.user,  # type: ignore[arg-type]
            form.validated_data["name"],
            wanted,
            expires_at=form.validated_data.get("expires_at"),
        )
        audit.record(audit.actor_of(request), "create token", token)
        return Response({**TokenSerializer(token).data, "token": text}, status=201)

    def perform_destroy(self, instance: ApiToken) -> None:
        audit.record(audit.actor_of(self.request), "revoke token", instance)
        instance.delete()


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    """One entry of the audit trail."""

    class Meta:
        model = AuditEntry
        fields = (
            "id",
            "at",
            "actor",
            "action",
            "object_type",
            "object_id",
            "object_label",
            "changes",
            "address",
        )


class AuditEntryViewSet(viewsets.ReadOnlyModelViewSet[AuditEntry]):
    """The audit trail, newest first."""

    serializer_class = AuditEntrySerializer
    queryset = AuditEntry.objects.all()
    filterset_fields = ("actor", "action", "object_type", "object_id")
    ordering_fields = ("at", "actor", "action")
    access = {"list": Role.ADMINISTRATOR, "retrieve": Role.ADMINISTRATOR}
