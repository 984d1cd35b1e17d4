"""REST: sessions of signed-in browsers."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit, cluster_limits, sessions
from accounts.access import role_behind
from accounts.models import BrowserSession
from accounts.roles import Role, covers_role
from rest.idempotency import IdempotentMixin


class SessionSerializer(serializers.ModelSerializer[BrowserSession]):
    """A browser that somebody is signed in with."""

    username = serializers.CharField(source="user.username", read_only=True)
    browser = serializers.CharField(read_only=True)
    current = serializers.SerializerMethodField(
        help_text="Whether this request comes from it."
    )

    class Meta:
        model = BrowserSession
        fields = (
            "id",
            "user",
            "username",
            "address",
            "browser",
            "began_at",
            "seen_at",
            "current",
        )
        read_only_fields = fields

    def get_current(self, row: BrowserSession) -> bool:
        return current_of(self.context["request"]) == row


class EndedSessionsSerializer(serializers.Serializer[Any]):
    """How many sessions were ended."""

    ended = serializers.IntegerField()


def current_of(request: Request) -> BrowserSession | None:
    """The session behind this request; None where a token is."""
    if request.auth is not None:
        return None
    found: BrowserSession | None = getattr(request, "sign_in", None)
    return found


class SessionViewSet(
    IdempotentMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[BrowserSession],
):
    """One's own sessions; those of everybody for administrators without a limit."""

    serializer_class = SessionSerializer
    queryset = BrowserSession.objects.none()
    filterset_fields = ("user", "address")
    ordering_fields = ("began_at", "seen_at")
    access = dict.fromkeys(("list", "retrieve", "destroy", "end_others"), Role.VIEWER)

    def get_queryset(self) -> QuerySet[BrowserSession]:
        if not self.request.user.is_authenticated:
            return BrowserSession.objects.none()
        rows = BrowserSession.objects.select_related("user")
        everywhere = cluster_limits.current_limit() is None
        if everywhere and covers_role(role_behind(self.request), Role.ADMINISTRATOR):
            return rows
        return rows.filter(user=self.request.user)

    def perform_destroy(self, instance: BrowserSession) -> None:
        """End the session."""
        sessions.end_by_row(instance, audit.actor_of(self.request))

    @extend_schema(request=None, responses=EndedSessionsSerializer)
    @action(
        detail=False, methods=["post"], url_path="end-others", filterset_fields=None
    )
    def end_others(self, request: Request) -> Response:
        """End all one's own sessions but that of this request."""
        ended = sessions.end_others(
            request.user,  # type: ignore[arg-type]
            audit.actor_of(request),
            current=current_of(request),
        )
        return Response({"ended": ended})
