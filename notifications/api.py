"""REST: subscriptions, webhooks, maintenance windows and deliveries."""

from typing import Any

import django_filters
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.access import role_behind
from accounts.cluster_limits import current_limit
from accounts.roles import Role, covers_role
from jobs.api import JobSerializer, accepted_response
from notifications import editing
from notifications.models import (
    Maintenance,
    MaintenanceQuerySet,
    Message,
    Subscriber,
)
from notifications.serializers import (
    DeliverySerializer,
    NewWebhookSerializer,
    SubscriptionSerializer,
    WebhookSerializer,
    WindowSerializer,
)
from rest.idempotency import IdempotentMixin
from rest.problems import Conflict

OWN = [Subscriber.Channel.PAGE, Subscriber.Channel.MAIL]
A_WEBHOOK = OpenApiExample(
    "A chat room",
    {"name": "Chat", "url": "https://chat.example.com/hook", "topics": ["peer", "job"]},
    request_only=True,
)
A_SUBSCRIPTION = OpenApiExample(
    "On the page My notifications",
    {"channel": "page", "topics": ["peer", "agent"]},
    request_only=True,
)
A_WINDOW = OpenApiExample(
    "An upgrade at night",
    {
        "cluster": "6f1e0c0e-6f6c-4d5e-9a56-3f1f5b8f7c10",
        "begins_at": "2030-01-31T22:00:00Z",
        "ends_at": "2030-02-01T02:00:00Z",
        "reason": "Upgrade",
    },
    request_only=True,
)


@extend_schema_view(create=extend_schema(examples=[A_SUBSCRIPTION]))
class SubscriptionViewSet(IdempotentMixin, viewsets.ModelViewSet[Subscriber]):
    """What one wants to be notified of, on the page My notifications and by mail."""

    serializer_class = SubscriptionSerializer
    queryset = Subscriber.objects.none()
    filterset_fields = ("channel",)
    ordering_fields = ("channel", "created_at")
    access = dict.fromkeys(
        ("list", "retrieve", "create", "update", "partial_update", "destroy", "test"),
        Role.VIEWER,
    )

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Send a mail that says that it is a test; 409 for another channel."""
        mine = self.get_object()
        if mine.channel != Subscriber.Channel.MAIL:
            raise Conflict("Only a subscription by mail is tested.")
        message, job = editing.test_mail(mine, audit.actor_of(request))
        return accepted_response(job, request, delivery=str(message.pk))

    def get_queryset(self) -> QuerySet[Subscriber]:
        if not self.request.user.is_authenticated:
            return Subscriber.objects.none()
        return Subscriber.objects.filter(user=self.request.user, channel__in=OWN)

    @transaction.atomic
    def perform_create(self, serializer: Any) -> None:
        try:
            with transaction.atomic():
                serializer.save(user=self.request.user)
        except IntegrityError:
            channel = serializer.validated_data["channel"]
            raise Conflict(f"You have a subscription by {channel} already.") from None
        self.record_change(serializer.instance, {})

    @transaction.atomic
    def perform_update(self, serializer: Any) -> None:
        old = audit.field_values(serializer.instance, ("email", "topics"))
        serializer.save()
        self.record_change(serializer.instance, old)

    @transaction.atomic
    def perform_destroy(self, instance: Subscriber) -> None:
        old = audit.field_values(instance, ("topics",))
        audit.append_entry(
            audit.actor_of(self.request),
            "choose notifications",
            instance,
            audit.differences(old, {"topics": []}),
        )
        instance.delete()

    def record_change(self, row: Subscriber, old: dict[str, Any]) -> None:
        chosen = audit.differences(old, audit.field_values(row, ("email", "topics")))
        audit.append_entry(
            audit.actor_of(self.request), "choose notifications", row, chosen
        )


@extend_schema_view(
    create=extend_schema(
        responses={201: NewWebhookSerializer},
        examples=[A_WEBHOOK],
    )
)
class WebhookViewSet(IdempotentMixin, viewsets.ModelViewSet[Subscriber]):
    """Systems that are notified by a signed POST."""

    serializer_class = WebhookSerializer
    queryset = Subscriber.objects.filter(channel=Subscriber.Channel.WEBHOOK)
    filterset_fields = ("name", "url")
    ordering_fields = ("name", "created_at")
    secret_answers = ("create",)
    access = {
        **dict.fromkeys(
            ("list", "retrieve", "create", "update", "partial_update", "destroy"),
            Role.ADMINISTRATOR,
        ),
        "test": Role.ADMINISTRATOR,
    }
    all_clusters = tuple(access)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add a webhook; a secret that was not given is made, and shown this once."""
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data.pop("secret", "")
        secret = given or editing.new_secret()
        webhook = Subscriber(**form.validated_data)
        editing.save_webhook(webhook, audit.actor_of(request), secret=secret)
        extra = {} if given else {"secret": secret}
        body = {**self.get_serializer(webhook).data, **extra}
        return Response(body, status=201)

    def perform_update(self, serializer: Any) -> None:
        webhook = serializer.instance
        secret = serializer.validated_data.pop("secret", "")
        for name, value in serializer.validated_data.items():
            setattr(webhook, name, value)
        editing.save_webhook(webhook, audit.actor_of(self.request), secret=secret)

    def perform_destroy(self, instance: Subscriber) -> None:
        editing.delete_webhook(instance, audit.actor_of(self.request))

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Send a message that says that it is a test."""
        webhook = self.get_object()
        message, job = editing.test_webhook(webhook, audit.actor_of(request))
        return accepted_response(job, request, delivery=str(message.pk))


class WindowFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of maintenance windows."""

    state = django_filters.ChoiceFilter(
        choices=Maintenance.State.choices, method="in_state"
    )

    class Meta:
        model = Maintenance
        fields = ("cluster",)

    def in_state(
        self, windows: MaintenanceQuerySet, name: str, state: str
    ) -> MaintenanceQuerySet:
        return {
            Maintenance.State.PLANNED: windows.upcoming,
            Maintenance.State.OPEN: windows.open,
            Maintenance.State.PAST: windows.past,
        }[Maintenance.State(state)]()


@extend_schema_view(create=extend_schema(examples=[A_WINDOW]))
class WindowViewSet(IdempotentMixin, viewsets.ModelViewSet[Maintenance]):
    """Times in which nobody is notified of a cluster's trouble."""

    serializer_class = WindowSerializer
    queryset = Maintenance.objects.select_related("created_by")
    filterset_class = WindowFilter
    ordering_fields = ("begins_at", "ends_at", "cluster")
    access = {
        "list": Role.VIEWER,
        "retrieve": Role.VIEWER,
        **dict.fromkeys(
            ("create", "update", "partial_update", "destroy", "end"), Role.OPERATOR
        ),
    }

    def perform_create(self, serializer: Any) -> None:
        values = dict(serializer.validated_data)
        cluster = values.pop("cluster")
        actor = audit.actor_of(self.request)
        serializer.instance = editing.plan_window(cluster, actor, **values)

    def perform_update(self, serializer: Any) -> None:
        values = dict(serializer.validated_data)
        values.pop("cluster", None)
        actor = audit.actor_of(self.request)
        try:
            editing.edit_window(serializer.instance, actor, values)
        except editing.Over as error:
            raise Conflict(str(error)) from error

    def perform_destroy(self, instance: Maintenance) -> None:
        """Cancel a window that has not begun."""
        try:
            editing.cancel_window(instance, audit.actor_of(self.request))
        except editing.Over as error:
            raise Conflict(str(error)) from error

    @extend_schema(request=None, responses=WindowSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """End an open window now."""
        window = self.get_object()
        try:
            editing.end_window(window, audit.actor_of(request))
        except editing.Over as error:
            raise Conflict(str(error)) from error
        return Response(self.get_serializer(window).data)


class DeliveryFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of deliveries."""

    channel = django_filters.ChoiceFilter(
        choices=Subscriber.Channel.choices, field_name="subscriber__channel"
    )
    subscriber = django_filters.UUIDFilter(field_name="subscriber_id")
    state = django_filters.ChoiceFilter(
        choices=Message.State.choices, method="in_state"
    )
    unread = django_filters.BooleanFilter(field_name="read_at", lookup_expr="isnull")

    class Meta:
        model = Message
        fields = ()

    def in_state(
        self, found: QuerySet[Message], name: str, state: str
    ) -> QuerySet[Message]:
        unsent = Q(sent_at=None)
        return found.filter(
            {
                Message.State.SENT: ~unsent,
                Message.State.FAILED: unsent & ~Q(error=""),
                Message.State.WAITING: unsent & Q(error=""),
            }[Message.State(state)]
        )


class DeliveryViewSet(
    IdempotentMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Message],
):
    """One's own messages; for administrators those of the webhooks too."""

    serializer_class = DeliverySerializer
    queryset = Message.objects.none()
    filterset_class = DeliveryFilter
    ordering_fields = ("created_at", "sent_at")
    access = {"list": Role.VIEWER, "retrieve": Role.VIEWER, "read": Role.VIEWER}

    def get_queryset(self) -> QuerySet[Message]:
        user = self.request.user
        if not user.is_authenticated:
            return Message.objects.none()
        seen = Q(subscriber__user=user)
        role = role_behind(self.request)
        if current_limit() is None and covers_role(role, Role.ADMINISTRATOR):
            seen |= Q(subscriber__channel=Subscriber.Channel.WEBHOOK)
        return Message.objects.filter(seen).select_related("subscriber")

    @extend_schema(request=None, responses={204: None})
    @action(detail=False, methods=["post"], filterset_class=None)
    def read(self, request: Request) -> Response:
        """Mark all of one's own messages on the page as read."""
        Message.objects.unread(request.user).update(read_at=timezone.now())
        return Response(status=204)
