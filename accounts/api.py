"""REST: tokens and audit entries."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from rest_framework import mixins, serializers, viewsets
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.access import DeclaredAccess, Role, role_of
from accounts.authentication import PasswordAuthentication
from accounts.models import ApiToken, AuditEntry


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    """A token; its text stands in the answer to POST only."""

    class Meta:
        model = ApiToken
        fields = ("id", "name", "role", "expires_at", "last_used_at", "prefix")
        read_only_fields = ("id", "last_used_at", "prefix")
        extra_kwargs = {"role": {"required": False}}


def role_behind(request: Request) -> Role:
    """The role that the request may use: its token's, or its user's."""
    token: Any = request.auth
    return Role(token.role if token else role_of(request.user) or Role.VIEWER)


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
        # Before initialize_request there is no action yet, only the method.
        basic = [PasswordAuthentication()] if self.request.method == "POST" else []
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
        held = role_behind(request)
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
